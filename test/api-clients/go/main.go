// Asks the API server with client-go, as a program in a pod does. ../README.md has the command line and the answer.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	authentication "k8s.io/api/authentication/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	// The path that rest.InClusterConfig has built in.
	account = "/var/run/secrets/kubernetes.io/serviceaccount"
	limit   = 20 * time.Second
)

type answer struct {
	Server    string   `json:"server"`
	Namespace string   `json:"namespace"`
	Pods      []string `json:"pods"`
	ConfigMap string   `json:"configMap"`
	Whoami    string   `json:"whoami"`
}

// What a pod has and this place has not.
type missing string

func (m missing) Error() string { return "not in a cluster: " + string(m) }

func main() {
	serverName := flag.String("server-name", "", "the name that the API server's certificate is checked for")
	flag.Parse()
	if flag.NArg() != 0 {
		fmt.Fprintln(os.Stderr, "usage: reader [--server-name NAME]")
		os.Exit(2)
	}
	found, err := read(*serverName)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, strings.Join(strings.Fields(err.Error()), " "))
	if errors.As(err, new(missing)) {
		os.Exit(2)
	}
	os.Exit(1)
}

func read(serverName string) (*answer, error) {
	folder, err := accountFolder()
	if err != nil {
		return nil, err
	}
	config, err := configuration(folder)
	if err != nil {
		return nil, err
	}
	config.TLSClientConfig.ServerName = serverName
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	namespace, err := os.ReadFile(filepath.Join(folder, "namespace"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return ask(ctx, clients, &answer{Server: config.Host, Namespace: string(namespace), Pods: []string{}})
}

func ask(ctx context.Context, clients *kubernetes.Clientset, found *answer) (*answer, error) {
	core := clients.CoreV1()
	pods, err := core.Pods(found.Namespace).List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, pod := range pods.Items {
		found.Pods = append(found.Pods, pod.Name)
	}
	slices.Sort(found.Pods)
	settings, err := core.ConfigMaps(found.Namespace).Get(ctx, "settings", meta.GetOptions{})
	if err != nil {
		return nil, err
	}
	found.ConfigMap = settings.Data["GREETING"]
	reviews := clients.AuthenticationV1().SelfSubjectReviews()
	review, err := reviews.Create(ctx, &authentication.SelfSubjectReview{}, meta.CreateOptions{})
	if err != nil {
		return nil, err
	}
	found.Whoami = review.Status.UserInfo.Username
	return found, nil
}

// The folder of the token: at its own path, else beneath KUBERNETES_LOCAL_MOUNTS.
func accountFolder() (string, error) {
	for _, name := range []string{"KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"} {
		if os.Getenv(name) == "" {
			return "", missing(name + " is not set")
		}
	}
	looked := []string{account}
	if mounts := os.Getenv("KUBERNETES_LOCAL_MOUNTS"); mounts != "" {
		looked = append(looked, filepath.Join(mounts, account))
	}
	for _, folder := range looked {
		_, err := os.Stat(filepath.Join(folder, "token"))
		if err == nil {
			return folder, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", missing("there is no token in " + strings.Join(looked, " or "))
}

// InClusterConfig takes no other path, so for one its result is made by hand.
func configuration(folder string) (*rest.Config, error) {
	if folder == account {
		return rest.InClusterConfig()
	}
	server := net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	return &rest.Config{
		Host:            "https://" + server,
		BearerTokenFile: filepath.Join(folder, "token"),
		TLSClientConfig: rest.TLSClientConfig{CAFile: filepath.Join(folder, "ca.crt")},
	}, nil
}
