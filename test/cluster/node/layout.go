package main

import (
	"net"
	"net/netip"
	"path/filepath"
)

// Addresses inside the cluster's network namespace. Clusters side by side use the same ones; they never meet.
const (
	nodeName          = "node"
	nodeAddress       = "192.168.49.2"
	nodeNetwork       = nodeAddress + "/24"
	podNetwork        = "10.244.0.0/24"
	serviceNetwork    = "10.96.0.0/16"
	kubernetesAddress = "10.96.0.1"
	dnsAddress        = "10.96.0.10"
	clusterDomain     = "cluster.local"
	apiPort           = "6443"
	etcdAddress       = "127.0.0.1:2379"
)

// apiAddress is where the API server is reached inside the network namespace, by the components and by the road.
var (
	apiAddress  = net.JoinHostPort("127.0.0.1", apiPort)
	apiAddrPort = netip.MustParseAddrPort(apiAddress)
)

// folder is a cluster's folder on the workstation. The node sees the same folder as [insideFolder].
type folder string

// insideFolder is short, for the paths of Unix sockets and of overlay mounts are limited in length.
const insideFolder folder = "/run/cluster"

// insidePrograms holds the binary under all its names, so that `ps` shows what each process is.
const insidePrograms = "/run/programs"

const (
	containerdSocket = "/run/containerd/containerd.sock"
	pauseImage       = "kubernetes-local.test/pause:1"
)

func (f folder) path(elements ...string) string {
	return filepath.Join(append([]string{string(f)}, elements...)...)
}

func (f folder) pki(name string) string           { return f.path("pki", name) }
func (f folder) configuration(name string) string { return f.path("configuration", name) }

// log is readable for all who may enter the cluster's folder; keys are not in it.
func (f folder) log(name string) string { return f.path("log", name+".log") }

// kubeconfig is the workstation's, of the cluster's administrator.
func (f folder) kubeconfig() string    { return f.path("kubeconfig") }
func (f folder) controlSocket() string { return f.path("control.sock") }
func (f folder) nodeSocket() string    { return f.path("node.sock") }
func (f folder) portFile() string      { return f.path("port") }
func (f folder) lockFile() string      { return f.path("lock") }
