package main

import (
	"fmt"
	"os"
)

// writeConfigurations writes the files that the components read. All paths in them are those inside the namespaces.
func writeConfigurations(cluster string) error {
	f := insideFolder
	for _, name := range []string{"admin", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "coredns"} {
		if err := writeComponentKubeconfig(f, f.configuration(name+".kubeconfig"), cluster, "https://"+apiAddress, name); err != nil {
			return err
		}
	}
	for path, content := range map[string]string{
		f.configuration("containerd.toml"):               containerdConfiguration(f),
		f.configuration("network.d/10-cluster.conflist"): networkConfiguration,
		f.configuration("kubelet.yaml"):                  kubeletConfiguration(f, cluster),
		f.configuration("kube-scheduler.yaml"):           schedulerConfiguration(f),
		f.configuration("kube-proxy.yaml"):               proxyConfiguration(f),
		f.configuration("Corefile"):                      corednsConfiguration(f),
		// Pods ask CoreDNS; names outside the cluster do not exist, for there is no road to them.
		f.configuration("resolv.conf"): "nameserver 127.0.0.1\n",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// containerdConfiguration: images and snapshots persist in the cluster's folder, all else dies with /run.
// restrict_oom_score_adj: without CAP_SYS_RESOURCE runc may not lower a score, and every sandbox would fail.
func containerdConfiguration(f folder) string {
	return fmt.Sprintf(`version = 2
root = %q
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]
[grpc]
  address = %q
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  stream_server_address = "127.0.0.1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = %q
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
`, f.path("containerd"), containerdSocket, pauseImage, f.configuration("network.d"))
}

// networkConfiguration routes every pod through the node by a veth pair of its own, rather than over a bridge: Services
// then work between pods of the node without the kernel module br_netfilter.
const networkConfiguration = `{
  "cniVersion": "1.0.0",
  "name": "cluster",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": false,
      "ipam": {
        "type": "host-local",
        "ranges": [[{ "subnet": "` + podNetwork + `" }]],
        "routes": [{ "dst": "0.0.0.0/0" }]
      }
    }
  ]
}
`

func kubeletConfiguration(f folder, cluster string) string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: { enabled: false }
  webhook: { enabled: true }
  x509: { clientCAFile: %q }
authorization: { mode: Webhook }
tlsCertFile: %q
tlsPrivateKeyFile: %q
containerRuntimeEndpoint: "unix://%s"
volumePluginDir: /var/lib/kubelet/volume-plugins
resolvConf: %q
clusterDNS: [%q]
clusterDomain: %q
cgroupDriver: cgroupfs
cgroupRoot: "/%s"
failCgroupV1: false
failSwapOn: false
# The disk is the workstation's: do not evict for its sake, and keep the images, for there is no registry to pull from.
evictionHard: { nodefs.available: "1%%", imagefs.available: "1%%", nodefs.inodesFree: "1%%", memory.available: 50Mi }
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
# Quick rather than sparing.
kubeAPIQPS: 200
kubeAPIBurst: 400
eventRecordQPS: 0
registryPullQPS: 0
serializeImagePulls: false
syncFrequency: 10s
`, f.pki("ca.crt"), f.pki("kubelet.crt"), f.pki("kubelet.key"), containerdSocket, f.configuration("resolv.conf"),
		dnsAddress, clusterDomain, cgroupName(cluster))
}

func schedulerConfiguration(f folder) string {
	return fmt.Sprintf(`apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: { kubeconfig: %q, qps: 200, burst: 400 }
leaderElection: { leaderElect: false }
`, f.configuration("kube-scheduler.kubeconfig"))
}

// proxyConfiguration: the minimal period is 1 s by default, and 0 means the default; a new Service is to work at once.
// The limits of connection tracking belong to the whole computer and are left alone.
func proxyConfiguration(f folder) string {
	return fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: { kubeconfig: %q }
hostnameOverride: %q
mode: nftables
nftables: { minSyncPeriod: 10ms }
clusterCIDR: %q
conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s }
`, f.configuration("kube-proxy.kubeconfig"), nodeName, podNetwork)
}

// corednsConfiguration has no cache: it answers from memory, and a cached "no such name" would hide a new Service.
func corednsConfiguration(f folder) string {
	return fmt.Sprintf(`.:53 {
  bind %s
  errors
  kubernetes %s in-addr.arpa {
    kubeconfig %s
    ttl 0
  }
}
`, nodeAddress, clusterDomain, f.configuration("coredns.kubeconfig"))
}
