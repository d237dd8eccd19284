package main

import (
	"context"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
)

const corednsUser = "system:coredns"

func connect() (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", insideFolder.configuration("admin.kubeconfig"))
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // No limit.
	return kubernetes.NewForConfig(config)
}

// createAddons makes what a cluster of kubeadm would have besides the components: CoreDNS' rights and Service.
// CoreDNS runs beside the pods, on the node's address, so the Service has no selector.
func createAddons(ctx context.Context, client kubernetes.Interface) error {
	role := &rbac.ClusterRole{
		ObjectMeta: meta.ObjectMeta{Name: corednsUser},
		Rules: []rbac.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"endpoints", "services", "pods", "namespaces"}, Verbs: []string{"list", "watch"}},
			{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: []string{"list", "watch"}},
		},
	}
	if _, err := client.RbacV1().ClusterRoles().Create(ctx, role, meta.CreateOptions{}); err != nil {
		return err
	}
	binding := &rbac.ClusterRoleBinding{
		ObjectMeta: meta.ObjectMeta{Name: corednsUser},
		RoleRef:    rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "ClusterRole", Name: corednsUser},
		Subjects:   []rbac.Subject{{APIGroup: rbac.GroupName, Kind: rbac.UserKind, Name: corednsUser}},
	}
	if _, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, meta.CreateOptions{}); err != nil {
		return err
	}
	service := &core.Service{
		ObjectMeta: meta.ObjectMeta{Name: "kube-dns", Namespace: meta.NamespaceSystem},
		Spec: core.ServiceSpec{
			ClusterIP: dnsAddress,
			Ports: []core.ServicePort{
				{Name: "dns", Port: 53, Protocol: core.ProtocolUDP},
				{Name: "dns-tcp", Port: 53, Protocol: core.ProtocolTCP},
			},
		},
	}
	if _, err := client.CoreV1().Services(meta.NamespaceSystem).Create(ctx, service, meta.CreateOptions{}); err != nil {
		return err
	}
	slice := &discovery.EndpointSlice{
		ObjectMeta: meta.ObjectMeta{
			Name:      "kube-dns-node",
			Namespace: meta.NamespaceSystem,
			Labels:    map[string]string{discovery.LabelServiceName: "kube-dns"},
		},
		AddressType: discovery.AddressTypeIPv4,
		Endpoints:   []discovery.Endpoint{{Addresses: []string{nodeAddress}}},
		Ports: []discovery.EndpointPort{
			{Name: ptr.To("dns"), Port: ptr.To[int32](53), Protocol: ptr.To(core.ProtocolUDP)},
			{Name: ptr.To("dns-tcp"), Port: ptr.To[int32](53), Protocol: ptr.To(core.ProtocolTCP)},
		},
	}
	_, err := client.DiscoveryV1().EndpointSlices(meta.NamespaceSystem).Create(ctx, slice, meta.CreateOptions{})
	return err
}

// nodeRegistered: the kubelet has made its Node.
func nodeRegistered(client kubernetes.Interface) check {
	return func(ctx context.Context) error {
		_, err := client.CoreV1().Nodes().Get(ctx, nodeName, meta.GetOptions{})
		return err
	}
}

// nodeReady: the node takes pods.
func nodeReady(client kubernetes.Interface) check {
	return func(ctx context.Context) error {
		node, err := client.CoreV1().Nodes().Get(ctx, nodeName, meta.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == core.NodeReady && condition.Status == core.ConditionTrue {
				return nil
			}
		}
		return errors.NewServiceUnavailable("the node is not Ready")
	}
}

// defaultServiceAccount: pods can be created in the namespace "default". It comes a moment after the node is Ready.
func defaultServiceAccount(client kubernetes.Interface) check {
	return func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts(meta.NamespaceDefault).Get(ctx, "default", meta.GetOptions{})
		return err
	}
}
