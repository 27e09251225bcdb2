package mysql

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/dsn"
)

// authority makes a certificate authority, and a server certificate for db.example.
func authority(t *testing.T) (caFile string, server tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{"db.example"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), 0o600); err != nil {
		t.Fatal(err)
	}
	return caFile, tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: key}
}

func TestTransportVerifies(t *testing.T) {
	caFile, certificate := authority(t)
	otherCA, _ := authority(t)
	tests := []struct {
		name string
		host string
		tls  dsn.TLS
		want string // in the error; "" for a connection
	}{
		{"preferred checks nothing", "other.example", dsn.TLS{}, ""},
		{"required checks nothing", "other.example", dsn.TLS{Mode: dsn.TLSRequired}, ""},
		{"verify-ca checks no name", "other.example", dsn.TLS{Mode: dsn.TLSVerifyCA, CA: caFile}, ""},
		{"verify-ca checks the authority", "db.example", dsn.TLS{Mode: dsn.TLSVerifyCA, CA: otherCA}, "unknown authority"},
		{"verify-identity accepts the name", "db.example", dsn.TLS{Mode: dsn.TLSVerifyIdentity, CA: caFile}, ""},
		{"verify-identity takes another name", "10.0.0.1", dsn.TLS{Mode: dsn.TLSVerifyIdentity, CA: caFile, ServerName: "db.example"}, ""},
		{"verify-identity checks the name", "other.example", dsn.TLS{Mode: dsn.TLSVerifyIdentity, CA: caFile}, "not other.example"},
		{"verify-identity checks the authority", "db.example", dsn.TLS{Mode: dsn.TLSVerifyIdentity, CA: otherCA}, "unknown authority"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			transport, err := NewTransport(dsn.DSN{Host: test.host, Port: 3306, TLS: test.tls})
			if err != nil {
				t.Fatal(err)
			}
			client, server := net.Pipe()
			done := make(chan error, 1)
			go func() {
				s := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{certificate}})
				done <- s.Handshake()
				_ = server.Close()
			}()
			err = tls.Client(client, transport.TLS).Handshake()
			_ = client.Close()
			if serverErr := <-done; serverErr != nil && test.want == "" {
				t.Errorf("the server refused: %v", serverErr)
			}
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error is %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestTransport(t *testing.T) {
	tests := []struct {
		name              string
		dsn               dsn.DSN
		network, address  string
		encrypt, fallback bool
	}{
		{"host", dsn.DSN{Host: "h", Port: 1}, "tcp", "h:1", true, true},
		{"IPv6", dsn.DSN{Host: "::1", Port: 1, TLS: dsn.TLS{Mode: dsn.TLSDisabled}}, "tcp", "[::1]:1", false, false},
		{"required", dsn.DSN{Host: "h", Port: 1, TLS: dsn.TLS{Mode: dsn.TLSRequired}}, "tcp", "h:1", true, false},
		{"socket", dsn.DSN{Socket: "/s"}, "unix", "/s", false, false},
		{"socket with TLS", dsn.DSN{Socket: "/s", TLS: dsn.TLS{Mode: dsn.TLSRequired}}, "unix", "/s", true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := NewTransport(test.dsn)
			if err != nil {
				t.Fatal(err)
			}
			if got.Network != test.network || got.Address != test.address || (got.TLS != nil) != test.encrypt || got.Fallback != test.fallback {
				t.Errorf("transport is %s %s, TLS %t, fallback %t", got.Network, got.Address, got.TLS != nil, got.Fallback)
			}
		})
	}
}

func TestTransportErrors(t *testing.T) {
	noPEM := filepath.Join(t.TempDir(), "no.pem")
	if err := os.WriteFile(noPEM, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		dsn  dsn.DSN
		want string
	}{
		{"no such authority", dsn.DSN{TLS: dsn.TLS{Mode: dsn.TLSVerifyCA, CA: "/nonexistent/ca.pem"}}, "/nonexistent/ca.pem"},
		{"authority that is no PEM", dsn.DSN{TLS: dsn.TLS{Mode: dsn.TLSVerifyCA, CA: noPEM}}, "holds no PEM certificate"},
		{"no such certificate", dsn.DSN{TLS: dsn.TLS{Mode: dsn.TLSRequired, Cert: "/nonexistent/c", Key: "/nonexistent/k"}}, "client certificate"},
		{"identity of a socket", dsn.DSN{Socket: "/s", TLS: dsn.TLS{Mode: dsn.TLSVerifyIdentity}}, "ssl-server-name"},
		{"unknown mode", dsn.DSN{TLS: dsn.TLS{Mode: "maybe"}}, `unknown TLS mode "maybe"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewTransport(test.dsn)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q in it", err, test.want)
			}
		})
	}
}
