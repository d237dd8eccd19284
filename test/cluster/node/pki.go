package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	validity = 365 * 24 * time.Hour
	// renewal: an authority with less than this left is replaced at the next start, and all it signed with it.
	renewal = 30 * 24 * time.Hour
)

// identity is a key with its certificate.
type identity struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// leaf describes a certificate that an authority signs.
type leaf struct {
	user      string
	groups    []string
	names     []string
	addresses []string
}

// The certificates of the cluster. Kubernetes reads the user name from CN and the groups from O.
var leaves = map[string]leaf{
	"apiserver": {
		user:      "kube-apiserver",
		names:     []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + clusterDomain},
		addresses: []string{"127.0.0.1", nodeAddress, kubernetesAddress},
	},
	"apiserver-to-kubelet":    {user: "kube-apiserver-kubelet-client", groups: []string{"system:masters"}},
	"admin":                   {user: "admin", groups: []string{"system:masters"}},
	"kube-controller-manager": {user: "system:kube-controller-manager"},
	"kube-scheduler":          {user: "system:kube-scheduler"},
	"kube-proxy":              {user: "system:kube-proxy"},
	"coredns":                 {user: corednsUser},
	"kubelet":                 {user: "system:node:" + nodeName, groups: []string{"system:nodes"}, names: []string{nodeName}, addresses: []string{nodeAddress, "127.0.0.1"}},
}

// ensurePKI makes the cluster's authorities, certificates and keys unless they are there and have time left.
// They outlive a restart, so kubeconfigs given out before stay good.
func ensurePKI(f folder) error {
	if complete(f) {
		return nil
	}
	if err := os.RemoveAll(f.path("pki")); err != nil {
		return err
	}
	if err := os.MkdirAll(f.path("pki"), 0o700); err != nil {
		return err
	}
	authority, err := newAuthority(f, "ca", "kubernetes-local-test")
	if err != nil {
		return err
	}
	for name, description := range leaves {
		if err := authority.issue(f.pki(name), description); err != nil {
			return err
		}
	}
	frontProxy, err := newAuthority(f, "front-proxy-ca", "front-proxy-ca")
	if err != nil {
		return err
	}
	if err := frontProxy.issue(f.pki("front-proxy-client"), leaf{user: "front-proxy-client"}); err != nil {
		return err
	}
	// Last, for its presence says that all others are there.
	return newServiceAccountKey(f)
}

func complete(f folder) bool {
	if _, err := os.Stat(f.pki("service-account.pub")); err != nil {
		return false
	}
	for name := range leaves {
		if _, err := os.Stat(f.pki(name + ".crt")); err != nil {
			return false
		}
	}
	authority, err := loadIdentity(f, "ca")
	return err == nil && time.Until(authority.certificate.NotAfter) > renewal
}

func newAuthority(f folder, file, name string) (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(validity),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if err := writeIdentity(f.pki(file), der, key); err != nil {
		return nil, err
	}
	return loadIdentity(f, file)
}

// sign makes a new key and a certificate good for both ends of TLS.
func (authority *identity) sign(description leaf) (der []byte, key *ecdsa.PrivateKey, err error) {
	key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: description.user, Organization: description.groups},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     authority.certificate.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:     description.names,
	}
	for _, address := range description.addresses {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
	}
	der, err = x509.CreateCertificate(rand.Reader, template, authority.certificate, key.Public(), authority.key)
	return der, key, err
}

func (authority *identity) issue(path string, description leaf) error {
	der, key, err := authority.sign(description)
	if err != nil {
		return err
	}
	return writeIdentity(path, der, key)
}

func newServiceAccountKey(f folder) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := encodeKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(f.pki("service-account.key"), private, 0o600),
		os.WriteFile(f.pki("service-account.pub"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600),
	)
}

func loadIdentity(f folder, file string) (*identity, error) {
	certificate, err := decodeFile(f.pki(file+".crt"), "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, err
	}
	der, err := decodeFile(f.pki(file+".key"), "EC PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParseECPrivateKey(der)
	if err != nil {
		return nil, err
	}
	return &identity{certificate: parsed, key: key}, nil
}

func decodeFile(path, kind string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s holds no %s", filepath.Base(path), kind)
	}
	return block.Bytes, nil
}

func writeIdentity(path string, der []byte, key *ecdsa.PrivateKey) error {
	encoded, err := encodeKey(key)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(path+".crt", encodeCertificate(der), 0o600), os.WriteFile(path+".key", encoded, 0o600))
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

func serial() *big.Int {
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic(err) // The system has no random numbers: nothing here can go on.
	}
	return number
}
