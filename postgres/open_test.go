package postgres

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moodledb/moodledb/dsn"
)

func TestKeywords(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   dsn.DSN
		want string
	}{
		{
			"host and port",
			dsn.DSN{Host: "db.example.org", Port: 5433, User: "moodle", Database: "site", Password: "secret"},
			`dbname='site' host='db.example.org' port='5433' user='moodle'`,
		},
		{"quotes", dsn.DSN{Socket: "/run/it's", Database: `back\slash`}, `dbname='back\\slash' host='/run/it\'s'`},
		{
			"parameters, but no secrets",
			dsn.DSN{Host: "h", Params: map[string]string{"sslmode": "verify-full", "password": "secret", "sslpassword": "secret"}},
			`host='h' sslmode='verify-full'`,
		},
		{"nothing", dsn.DSN{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := keywords(tt.in); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// certificate makes a certificate for a name that signs itself.
func certificate(t testing.TB, name string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// listen runs serve for each connection to a port of this machine.
func listen(t testing.TB, serve func(net.Conn)) (host string, port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return "127.0.0.1", l.Addr().(*net.TCPAddr).Port
}

// What TLS and silence look like is shown with a listener that speaks just
// enough of the protocol.
func TestOpenWithoutServer(t *testing.T) {
	cert, authority := certificate(t, "db.example.org")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	speakTLS := func(c net.Conn) {
		request := make([]byte, 8)
		if _, err := io.ReadFull(c, request); err != nil {
			return
		}
		if _, err := c.Write([]byte("S")); err != nil {
			return
		}
		_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
	}
	silent := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	refuseTLS := func(c net.Conn) { _, _ = c.Write([]byte("N")) }
	tests := []struct {
		name   string
		serve  func(net.Conn)
		params map[string]string
		want   string
	}{
		{"an authority that nobody knows", speakTLS, map[string]string{"sslmode": "verify-ca"}, "name the authority's certificate with sslrootcert"},
		{"a certificate for another name", speakTLS, map[string]string{"sslmode": "verify-full", "sslrootcert": ca}, "the certificate is for another name"},
		{"no TLS", refuseTLS, map[string]string{"sslmode": "require"}, "the server does not offer TLS"},
		{"no answer", silent, map[string]string{"connect_timeout": "1", "sslmode": "disable"}, "no answer in time"},
		{"no file of authorities", silent, map[string]string{"sslmode": "verify-ca", "sslrootcert": "/no/such/file"}, "/no/such/file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PGPASSFILE", "/nonexistent")
			host, port := listen(t, tt.serve)
			const secret = "s3cr3t-word"
			_, err := Open(t.Context(), dsn.DSN{
				Host: host, Port: port, User: "moodle", Database: "site", Params: tt.params,
				Password: secret, TLS: dsn.TLS{KeyPassword: secret},
			})
			var connErr *ConnectError
			if !errors.As(err, &connErr) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if all := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(all, secret) {
				t.Errorf("the password is in: %s", all)
			}
		})
	}
}

func TestStepError(t *testing.T) {
	full := &pgconn.PgError{Severity: "ERROR", Code: "53100", Message: "could not extend file"}
	once := stepError(full, "build index %q", "x")
	const want = `build index "x": ERROR: could not extend file (SQLSTATE 53100); the server's disk is full: ` +
		"make room there (data, WAL and temporary files), then start again"
	if once.Error() != want {
		t.Errorf("got  %v\nwant %s", once, want)
	}
	if twice := stepError(once, "copy").Error(); twice != "copy: "+want {
		t.Errorf("the hint is not said once: %s", twice)
	}
	if stepError(nil, "x") != nil {
		t.Error("no error became one")
	}
	if _, ok := Hint(context.Canceled); ok {
		t.Error("a hint for what no server said")
	}
	if err := stepError(io.EOF, "read"); !errors.Is(err, io.EOF) || err.Error() != "read: EOF" {
		t.Errorf("got %v", err)
	}
}
