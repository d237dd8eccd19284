package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// check returns nil if the component serves.
type check func(context.Context) error

// await repeats a check until it succeeds.
func await(ctx context.Context, ready check) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

func plainHTTP(url string) check {
	return func(ctx context.Context) error { return get(ctx, http.DefaultClient, url) }
}

// withCertificate asks as the cluster's administrator. The components' own certificates, self-signed ones of the
// controller manager and the scheduler among them, are not verified: all this is on this namespace's loopback.
func withCertificate(url string) check {
	return func(ctx context.Context) error {
		client, err := administrator()
		if err != nil {
			return err
		}
		return get(ctx, client, url)
	}
}

var administrator = sync.OnceValues(func() (*http.Client, error) {
	pair, err := tls.LoadX509KeyPair(insideFolder.pki("admin.crt"), insideFolder.pki("admin.key"))
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{
			Certificates:       []tls.Certificate{pair},
			RootCAs:            x509.NewCertPool(),
			InsecureSkipVerify: true,
		},
	}}, nil
})

func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

// runtimeReady asks containerd for its version, by the interface that the kubelet uses.
func runtimeReady(ctx context.Context) error {
	// Without this look gRPC would wait a second between two attempts to connect.
	if _, err := os.Stat(containerdSocket); err != nil {
		return err
	}
	return withRuntime(func(service cri.RuntimeServiceClient) error {
		_, err := service.Version(ctx, &cri.VersionRequest{})
		return err
	})
}

func withRuntime(use func(cri.RuntimeServiceClient) error) error {
	connection, err := grpc.NewClient("unix://"+containerdSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	return use(cri.NewRuntimeServiceClient(connection))
}

// dnsReady asks CoreDNS for the one Service that every cluster has.
func dnsReady(ctx context.Context) error {
	resolver := net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, network, net.JoinHostPort(nodeAddress, "53"))
		},
	}
	_, err := resolver.LookupHost(ctx, "kubernetes.default.svc."+clusterDomain+".")
	return err
}
