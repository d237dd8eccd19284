package main

// component is one program of the cluster: itself this binary under another name, unless program says otherwise.
type component struct {
	name      string
	program   string
	arguments []string
	// ready waits for nothing: it says whether the component serves now. It is also the check for a hung component.
	ready check
}

// components are listed in the order in which they are shown.
func components() []component {
	f := insideFolder
	kubeconfig := func(name string) string { return f.configuration(name + ".kubeconfig") }
	return []component{
		{
			name: "etcd",
			arguments: []string{
				"--data-dir=" + f.path("var", "lib", "etcd"),
				"--listen-client-urls=http://" + etcdAddress,
				"--advertise-client-urls=http://" + etcdAddress,
				"--listen-peer-urls=http://127.0.0.1:2380",
				// The data is thrown away at the next start.
				"--unsafe-no-fsync",
				// A member alone elects itself after this time; the default is a second.
				"--heartbeat-interval=10",
				"--election-timeout=100",
				"--log-level=warn",
			},
			ready: plainHTTP("http://" + etcdAddress + "/readyz"),
		},
		{
			name:      "containerd",
			program:   "containerd",
			arguments: []string{"--config", f.configuration("containerd.toml")},
			ready:     runtimeReady,
		},
		{
			name: "kube-apiserver",
			arguments: []string{
				"--etcd-servers=http://" + etcdAddress,
				"--secure-port=" + apiPort,
				"--bind-address=0.0.0.0",
				"--advertise-address=" + nodeAddress,
				"--service-cluster-ip-range=" + serviceNetwork,
				"--allow-privileged=true",
				"--authorization-mode=Node,RBAC",
				"--enable-admission-plugins=NodeRestriction",
				"--client-ca-file=" + f.pki("ca.crt"),
				"--tls-cert-file=" + f.pki("apiserver.crt"),
				"--tls-private-key-file=" + f.pki("apiserver.key"),
				"--kubelet-preferred-address-types=InternalIP",
				"--kubelet-certificate-authority=" + f.pki("ca.crt"),
				"--kubelet-client-certificate=" + f.pki("apiserver-to-kubelet.crt"),
				"--kubelet-client-key=" + f.pki("apiserver-to-kubelet.key"),
				"--service-account-issuer=https://kubernetes.default.svc." + clusterDomain,
				"--service-account-key-file=" + f.pki("service-account.pub"),
				"--service-account-signing-key-file=" + f.pki("service-account.key"),
				"--requestheader-client-ca-file=" + f.pki("front-proxy-ca.crt"),
				"--requestheader-allowed-names=front-proxy-client",
				"--requestheader-username-headers=X-Remote-User",
				"--requestheader-group-headers=X-Remote-Group",
				"--requestheader-extra-headers-prefix=X-Remote-Extra-",
				"--proxy-client-cert-file=" + f.pki("front-proxy-client.crt"),
				"--proxy-client-key-file=" + f.pki("front-proxy-client.key"),
				"--profiling=false",
			},
			ready: withCertificate("https://" + apiAddress + "/readyz"),
		},
		{
			name: "kube-controller-manager",
			arguments: []string{
				"--kubeconfig=" + kubeconfig("kube-controller-manager"),
				"--authentication-kubeconfig=" + kubeconfig("kube-controller-manager"),
				"--authorization-kubeconfig=" + kubeconfig("kube-controller-manager"),
				"--service-account-private-key-file=" + f.pki("service-account.key"),
				"--root-ca-file=" + f.pki("ca.crt"),
				"--use-service-account-credentials=true",
				"--leader-elect=false",
				"--cluster-cidr=" + podNetwork,
				"--allocate-node-cidrs=false",
				// Quick rather than sparing: tests wait for what the controllers do.
				"--kube-api-qps=200",
				"--kube-api-burst=400",
				"--profiling=false",
			},
			ready: withCertificate("https://127.0.0.1:10257/healthz"),
		},
		{
			name: "kube-scheduler",
			arguments: []string{
				"--config=" + f.configuration("kube-scheduler.yaml"),
				"--authentication-kubeconfig=" + kubeconfig("kube-scheduler"),
				"--authorization-kubeconfig=" + kubeconfig("kube-scheduler"),
			},
			ready: withCertificate("https://127.0.0.1:10259/healthz"),
		},
		{
			name: "kubelet",
			arguments: []string{
				"--config=" + f.configuration("kubelet.yaml"),
				"--kubeconfig=" + kubeconfig("kubelet"),
				"--hostname-override=" + nodeName,
				"--node-ip=" + nodeAddress,
			},
			ready: plainHTTP("http://127.0.0.1:10248/healthz"),
		},
		{
			name:      "kube-proxy",
			arguments: []string{"--config=" + f.configuration("kube-proxy.yaml")},
			ready:     plainHTTP("http://127.0.0.1:10256/livez"),
		},
		{
			name:      "coredns",
			arguments: []string{"-conf", f.configuration("Corefile")},
			ready:     dnsReady,
		},
	}
}
