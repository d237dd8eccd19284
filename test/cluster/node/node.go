package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
)

// lifeline is the file descriptor of a pipe whose other end the road holds: its end is the road's end.
const lifeline = 3

// nodeStatus is the node's part of `status`.
type nodeStatus struct {
	// Phase is what the bring-up waits for now, or "ready", or "failed".
	Phase string `json:"phase"`
	// Failure is why the bring-up failed.
	Failure string `json:"failure"`
	// Steps are the times of what is done, in ms since the start.
	Steps      map[string]int64  `json:"steps"`
	Components []componentStatus `json:"components"`
	// NodeReady is the node's condition as the API server tells it; filled by a check only.
	NodeReady bool `json:"nodeReady"`
}

// node is the bring-up of a cluster and what is known of it.
type node struct {
	name       string
	began      time.Time
	supervisor *supervisor
	client     *kubernetes.Clientset

	mutex   sync.Mutex
	phase   string
	failure string
	steps   map[string]int64
}

// runNode is process 1 of the cluster's namespaces. It ends only by being killed, or when its surroundings fail.
func runNode(arguments []string) error {
	flags := flag.NewFlagSet("node", flag.ExitOnError)
	name := flags.String("name", "", "name of the cluster")
	path := flags.String("folder", "", "folder of the cluster")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	go endWithRoad()

	n := &node{name: *name, began: time.Now(), steps: map[string]int64{}, phase: "namespaces"}
	if err := prepareMounts(folder(*path)); err != nil {
		return err
	}
	if err := prepareNetwork(); err != nil {
		return err
	}
	if err := writeConfigurations(n.name); err != nil {
		return err
	}
	n.supervisor = newSupervisor(components())
	go n.supervisor.reap()
	server, err := listenControl(insideFolder.nodeSocket())
	if err != nil {
		return err
	}
	go n.bringUp(context.Background())
	return server.serve(n.answer)
}

// endWithRoad is the second of two ways in which the cluster ends with the road; the first is the parent-death signal.
func endWithRoad() {
	pipe := os.NewFile(lifeline, "lifeline")
	_, _ = io.Copy(io.Discard, pipe)
	os.Exit(0)
}

// bringUp starts everything as early as it can: etcd and containerd at once, the API server when etcd answers, and all
// others when the API server does.
func (n *node) bringUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := n.bringUpAll(ctx); err != nil {
		n.mutex.Lock()
		n.phase, n.failure = "failed", err.Error()
		n.mutex.Unlock()
		report("failed: %v", err)
		return
	}
	n.enter("ready")
	report("ready")
}

func (n *node) bringUpAll(ctx context.Context) error {
	n.enter("etcd")
	runtime := make(chan error, 1)
	go func() { runtime <- n.startRuntime(ctx) }()
	if err := n.startAndAwait(ctx, "etcd"); err != nil {
		return err
	}
	n.enter("kube-apiserver")
	if err := n.startAndAwait(ctx, "kube-apiserver"); err != nil {
		return err
	}
	n.enter("containerd")
	if err := <-runtime; err != nil {
		return err
	}
	for _, name := range []string{"kubelet", "kube-controller-manager", "kube-scheduler", "coredns"} {
		if err := n.supervisor.start(name); err != nil {
			return err
		}
	}
	client, err := connect()
	if err != nil {
		return err
	}
	n.mutex.Lock()
	n.client = client
	n.mutex.Unlock()
	if err := createAddons(ctx, client); err != nil {
		return fmt.Errorf("CoreDNS' Service: %w", err)
	}
	n.enter("node")
	// kube-proxy looks for its node once a second: started when the node is there, it finds it at once.
	if err := await(ctx, nodeRegistered(client)); err != nil {
		return fmt.Errorf("waiting for the node to register: %w", err)
	}
	if err := n.supervisor.start("kube-proxy"); err != nil {
		return err
	}
	if err := await(ctx, nodeReady(client)); err != nil {
		return fmt.Errorf("waiting for the node to be Ready: %w", err)
	}
	n.enter("service account")
	if err := await(ctx, defaultServiceAccount(client)); err != nil {
		return fmt.Errorf("waiting for the default ServiceAccount: %w", err)
	}
	n.enter("components")
	for _, name := range []string{"kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns"} {
		if err := n.awaitComponent(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) startRuntime(ctx context.Context) error {
	if err := n.startAndAwait(ctx, "containerd"); err != nil {
		return err
	}
	if err := removeSandboxes(ctx); err != nil {
		return fmt.Errorf("removing the pods of the run before: %w", err)
	}
	return nil
}

func (n *node) startAndAwait(ctx context.Context, name string) error {
	if err := n.supervisor.start(name); err != nil {
		return err
	}
	return n.awaitComponent(ctx, name)
}

func (n *node) awaitComponent(ctx context.Context, name string) error {
	if err := n.supervisor.await(ctx, name); err != nil {
		return fmt.Errorf("waiting for %s: %w", name, err)
	}
	if status := n.supervisor.status(name); status.State == "ended" {
		return fmt.Errorf("%s ended %s; see its log", name, status.Ended)
	}
	n.mutex.Lock()
	n.steps[name] = time.Since(n.began).Milliseconds()
	n.mutex.Unlock()
	report("%s serves", name)
	return nil
}

func (n *node) enter(phase string) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.steps[phase+" begun"] = time.Since(n.began).Milliseconds()
	n.phase = phase
}

// checkBudget is how long a component may take to say that it is well; a stopped one never does.
const checkBudget = 3 * time.Second

func (n *node) answer(r request) (any, error) {
	switch r.Do {
	case "status":
		return n.status(r), nil
	case "restart":
		return struct{}{}, n.restart(r.Component)
	default:
		return nil, fmt.Errorf("the node knows no %q", r.Do)
	}
}

// restartBudget is how long a component that is started again may take until it serves, or one that was killed until
// its end is seen.
const restartBudget = time.Minute

// restart starts a component that has ended and waits until it serves. Nothing else calls it: no cluster heals itself.
func (n *node) restart(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), restartBudget)
	defer cancel()
	if err := n.supervisor.restart(ctx, name); err != nil {
		return err
	}
	return n.awaitComponent(ctx, name)
}

func (n *node) status(r request) nodeStatus {
	n.mutex.Lock()
	client := n.client
	n.mutex.Unlock()
	// Beside the components: one check after the other would take longer than whoever asks waits.
	ready := make(chan bool, 1)
	go func() { ready <- r.Check && client != nil && isNodeReady(client) }()
	status := nodeStatus{Components: n.supervisor.list(r.Check, checkBudget), NodeReady: <-ready}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	status.Phase, status.Failure = n.phase, n.failure
	status.Steps = make(map[string]int64, len(n.steps))
	for name, time := range n.steps {
		status.Steps[name] = time
	}
	return status
}

func isNodeReady(client *kubernetes.Clientset) bool {
	ctx, cancel := context.WithTimeout(context.Background(), checkBudget)
	defer cancel()
	return nodeReady(client)(ctx) == nil
}
