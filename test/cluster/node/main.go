// One program that is a whole Kubernetes cluster for tests: called by one of its names it is that program.
//
//	road         the top process; forwards the API server's port, listens on the control socket, starts "node"
//	node         process 1 of the cluster's own namespaces: brings up and watches all others
//	credentials  writes the kubeconfig of a further user, signed by the cluster's authority
//	kubectl      Kubernetes' own command line of the same version
//	etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, coredns
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	name, arguments := filepath.Base(os.Args[0]), os.Args[1:]
	if name == programName {
		if len(arguments) == 0 {
			fmt.Fprintf(os.Stderr, "usage: %s road|node|credentials|kubectl|COMPONENT …\n", programName)
			os.Exit(2)
		}
		name, arguments = arguments[0], arguments[1:]
	}
	// The programs inside read os.Args themselves.
	os.Args = append([]string{name}, arguments...)
	switch name {
	case "road":
		exit(runRoad(arguments))
	case "node":
		exit(runNode(arguments))
	case "credentials":
		exit(runCredentials(arguments))
	default:
		runUpstream(name)
	}
}

// programName is the name of the binary file.
const programName = "kubenode"

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, programName+":", err)
		os.Exit(1)
	}
	os.Exit(0)
}
