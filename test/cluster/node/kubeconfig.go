package main

import (
	"errors"
	"flag"
	"os"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// writeKubeconfig writes a kubeconfig that needs no other file, 0600, replacing the old one at once.
func writeKubeconfig(f folder, path, cluster, server, user string, certificate, key []byte) error {
	authority, err := os.ReadFile(f.pki("ca.crt"))
	if err != nil {
		return err
	}
	config := api.NewConfig()
	config.Clusters[cluster] = &api.Cluster{Server: server, CertificateAuthorityData: authority}
	config.AuthInfos[user] = &api.AuthInfo{ClientCertificateData: certificate, ClientKeyData: key}
	config.Contexts[cluster] = &api.Context{Cluster: cluster, AuthInfo: user}
	config.CurrentContext = cluster
	data, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, data, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// writeComponentKubeconfig writes the kubeconfig of one of the [leaves].
func writeComponentKubeconfig(f folder, path, cluster, server, name string) error {
	certificate, err := os.ReadFile(f.pki(name + ".crt"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(f.pki(name + ".key"))
	if err != nil {
		return err
	}
	return writeKubeconfig(f, path, cluster, server, name, certificate, key)
}

// runCredentials makes a client certificate for a user of the cluster's RBAC and writes a kubeconfig with it.
// It needs the cluster's folder only, not the running cluster.
func runCredentials(arguments []string) error {
	flags := flag.NewFlagSet("credentials", flag.ExitOnError)
	path := flags.String("folder", "", "folder of the cluster")
	cluster := flags.String("name", "", "name of the cluster")
	user := flags.String("user", "", "name of the user")
	groups := flags.String("groups", "", "the user's groups, separated by commas")
	output := flags.String("output", "", "path of the kubeconfig to write")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *path == "" || *cluster == "" || *user == "" || *output == "" {
		return errors.New("credentials: --folder, --name, --user and --output are needed")
	}
	f := folder(*path)
	authority, err := loadIdentity(f, "ca")
	if err != nil {
		return err
	}
	description := leaf{user: *user}
	if *groups != "" {
		description.groups = strings.Split(*groups, ",")
	}
	der, privateKey, err := authority.sign(description)
	if err != nil {
		return err
	}
	key, err := encodeKey(privateKey)
	if err != nil {
		return err
	}
	admin, err := clientcmd.LoadFromFile(f.kubeconfig())
	if err != nil {
		return err
	}
	server, ok := admin.Clusters[*cluster]
	if !ok {
		return errors.New("credentials: the cluster's kubeconfig does not name it")
	}
	return writeKubeconfig(f, *output, *cluster, server.Server, *user, encodeCertificate(der), key)
}
