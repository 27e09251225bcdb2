package mysql

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/moodledb/moodledb/dsn"
)

// Transport is how to reach a server: what every connection to it shares,
// whichever driver opens it.
type Transport struct {
	// Network is "tcp" or "unix".
	Network string
	// Address is host:port, or the path of the socket.
	Address string
	// TLS is nil for a connection without TLS.
	TLS *tls.Config
	// Fallback allows a connection without TLS when the server offers none
	// (mode "preferred"). [DB.Transport] never has it set: there it is settled.
	Fallback bool
}

// NewTransport computes the transport of a DSN. It reads the certificate files
// that the DSN names and connects to nothing.
func NewTransport(d dsn.DSN) (Transport, error) {
	if d.Socket != "" {
		// MySQL's clients do not encrypt on a socket unless told to; nobody can listen there.
		if d.TLS.Mode == dsn.TLSDefault || d.TLS.Mode == dsn.TLSPreferred {
			return Transport{Network: "unix", Address: d.Socket}, nil
		}
	}
	t := Transport{Network: "tcp", Address: net.JoinHostPort(d.Host, strconv.Itoa(d.Port))}
	if d.Socket != "" {
		t.Network, t.Address = "unix", d.Socket
	}
	switch d.TLS.Mode {
	case dsn.TLSDisabled:
		return t, nil
	case dsn.TLSDefault, dsn.TLSPreferred:
		t.Fallback = true
	case dsn.TLSRequired, dsn.TLSVerifyCA, dsn.TLSVerifyIdentity:
	default:
		return Transport{}, fmt.Errorf("unknown TLS mode %q", d.TLS.Mode)
	}
	config, err := tlsConfig(d)
	if err != nil {
		return Transport{}, err
	}
	t.TLS = config
	return t, nil
}

// tlsConfig builds the client's side of TLS for every mode but "disabled".
func tlsConfig(d dsn.DSN) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		ServerName: d.TLS.ServerName,
	}
	if config.ServerName == "" {
		config.ServerName = d.Host
	}
	if d.TLS.Cert != "" {
		pair, err := tls.LoadX509KeyPair(d.TLS.Cert, d.TLS.Key)
		if err != nil {
			return nil, fmt.Errorf("read the client certificate %s and its key %s: %w", d.TLS.Cert, d.TLS.Key, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if d.TLS.CA != "" {
		pem, err := os.ReadFile(d.TLS.CA)
		if err != nil {
			return nil, fmt.Errorf("read the certificate authorities: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no PEM certificate", d.TLS.CA)
		}
	}
	switch d.TLS.Mode {
	case dsn.TLSVerifyIdentity:
		if config.ServerName == "" {
			return nil, errors.New("TLS mode verify-identity on a socket needs ssl-server-name, the name in the certificate")
		}
	case dsn.TLSVerifyCA:
		// The chain is checked by hand because crypto/tls checks the name along
		// with it, and MySQL's self-made certificates carry no usable name.
		config.InsecureSkipVerify = true
		config.VerifyConnection = verifyChain(config.RootCAs)
	default:
		config.InsecureSkipVerify = true
	}
	return config, nil
}

// verifyChain checks that one of roots (nil means the system's) signed the certificate, and not its name.
func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("the server sent no certificate")
		}
		opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, cert := range state.PeerCertificates[1:] {
			opts.Intermediates.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(opts)
		return err
	}
}
