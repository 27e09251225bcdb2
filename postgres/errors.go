package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ConnectError tells why a database cannot be used and what to do. It never
// holds a password.
type ConnectError struct {
	// Address is "host:port" or the path of a socket.
	Address  string
	User     string
	Database string
	// Message says what is wrong, Hint what to do next.
	Message string
	Hint    string

	err error
}

// Error names the server, the role, the database, the cause and the way out.
func (e *ConnectError) Error() string {
	return fmt.Sprintf("connect to PostgreSQL at %s as %q, database %q: %s; %s",
		e.Address, e.User, e.Database, e.Message, e.Hint)
}

// Unwrap returns the cause; nil when there is no other error behind it.
func (e *ConnectError) Unwrap() error { return e.err }

// unfitError is a server that answers but cannot be used.
type unfitError struct{ message, hint string }

func (e *unfitError) Error() string { return e.message + "; " + e.hint }

// connectError finds the cause of err. The driver's own error is taken apart
// and dropped: it carries the whole configuration, password included.
func connectError(cfg *pgx.ConnConfig, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("connect to PostgreSQL at %s: %w", address(cfg), context.Canceled)
	}
	e := &ConnectError{Address: address(cfg), User: cfg.User, Database: cfg.Database}
	var unfit *unfitError
	var pgErr *pgconn.PgError
	switch {
	case errors.As(err, &unfit):
		e.Message, e.Hint = unfit.message, unfit.hint
	case errors.As(err, &pgErr):
		e.err = pgErr
		e.Message, e.Hint = pgErr.Message, serverHint(cfg, pgErr)
	default:
		e.err = cause(err)
		e.Message, e.Hint = e.err.Error(), networkHint(cfg, err)
	}
	return e
}

// cause unwraps the driver's error as far as the first one that is not the driver's.
func cause(err error) error {
	var connErr *pgconn.ConnectError
	if errors.As(err, &connErr) {
		return connErr.Unwrap()
	}
	return err
}

// serverHint says what to do when the server itself refused.
func serverHint(cfg *pgx.ConnConfig, e *pgconn.PgError) string {
	role, database := QuoteIdent(cfg.User), QuoteIdent(cfg.Database)
	switch e.Code {
	case "28P01":
		if cfg.Password == "" {
			return "no password was given: put it into PGPASSWORD, ~/.pgpass or the URL"
		}
		return "the password is wrong or the role does not exist; the password comes from the URL or config.php, else PGPASSWORD, else ~/.pgpass"
	case "28000":
		// The text of a message depends on the server's language; the name of the routine does not.
		if e.Routine == "InitializeSessionUserId" {
			return fmt.Sprintf("make the role, or allow it to log in: CREATE ROLE %s LOGIN, or ALTER ROLE %s LOGIN", role, role)
		}
		return "allow this host, role, database and kind of connection in the server's pg_hba.conf, or choose another sslmode"
	case "3D000":
		return fmt.Sprintf("make the database: CREATE DATABASE %s OWNER %s ENCODING 'UTF8' TEMPLATE template0", database, role)
	case "42501":
		return fmt.Sprintf("let an administrator run: GRANT CONNECT ON DATABASE %s TO %s", database, role)
	case "53300":
		return "too many connections: use fewer jobs, close other clients, or raise max_connections or the role's CONNECTION LIMIT"
	case "57P03":
		return "wait until the server has started, then try again"
	}
	if hint, ok := Hint(e); ok {
		return hint
	}
	return "SQLSTATE " + e.Code + "; the server's log may say more"
}

// networkHint says what to do when no server answered, or TLS failed.
func networkHint(cfg *pgx.ConnConfig, err error) string {
	var (
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		verify  *tls.CertificateVerificationError
		dns     *net.DNSError
	)
	switch {
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return "the server does not offer TLS: set ssl = on there, or connect with sslmode=disable if the network can be trusted"
	case errors.As(err, &host):
		return "the certificate is for another name: connect by that name, or use sslmode=verify-ca"
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &verify):
		return "the certificate cannot be verified: name the authority's certificate with sslrootcert, or use sslmode=require"
	case errors.As(err, &dns):
		return "check the host name"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time: check host and port, and firewalls between here and there"
	}
	if strings.HasPrefix(address(cfg), "/") {
		return "check that the server runs on this machine and has its socket there, or give a host"
	}
	return "check that the server runs, that host and port are right, and that listen_addresses and firewalls let this machine in"
}

// hints says what to do about an error of a running statement, by SQLSTATE.
func hints(code string) string {
	switch code {
	case "53100":
		return "the server's disk is full: make room there (data, WAL and temporary files), then start again"
	case "53200":
		return "the server ran out of memory or of room for locks: raise max_locks_per_transaction or lower maintenance_work_mem and the number of jobs"
	case "53300":
		return "the server has no free connection: use fewer jobs, or raise max_connections"
	case "42501":
		return "the role lacks a right: connect as the owner of the database, or have the right granted"
	case "25006":
		return "the server or the session is read only: connect to the primary server"
	case "55P03":
		return "another session holds a lock: stop Moodle's web server and cron, then start again"
	case "57P01", "57P02", "57P03":
		return "the server was shut down or restarted: start again when it runs"
	case "22021":
		return "PostgreSQL stores neither NUL characters nor invalid UTF-8 in text: clean the value at the source"
	case "22001":
		return "a text is longer than its column: shorten it at the source, or widen the column"
	case "22003":
		return "a number is out of the range of its column"
	case "23502":
		return "a value is missing in a column that must not be NULL"
	case "23505":
		return "two rows have the same key: the source lacks this unique index; remove the duplicates there"
	case "2BP01":
		return "other objects depend on it: drop or change those first"
	case "54000", "54001", "54011":
		return "a limit of PostgreSQL is reached, such as the length of an index entry or the number of columns"
	}
	return ""
}

// Hint says what to do about an error that a server sent; ok is false when
// there is nothing better to say than the error itself.
func Hint(err error) (hint string, ok bool) {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return "", false
	}
	hint = hints(e.Code)
	if e.Code == "23505" && e.Detail != "" {
		// The message names the index only, the detail the key.
		hint = strings.TrimSuffix(e.Detail, ".") + ": " + hint
	}
	return hint, hint != ""
}

// Quotes returns the parts of a server's message, itself and not what it wraps, that may quote
// values of rows: those about data, about constraints, and what triggers say.
func Quotes(err error) []string {
	e, ok := err.(*pgconn.PgError) //nolint:errorlint // what it wraps is asked for by itself
	if !ok || len(e.Code) != 5 || !slices.Contains([]string{"22", "23", "44", "54", "P0", "38", "39"}, e.Code[:2]) {
		return nil
	}
	return []string{e.Message, strings.TrimSuffix(e.Detail, "."), e.Hint, e.Where}
}

// stepError names the step that failed and adds the hint for its cause, once.
func stepError(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	step := fmt.Sprintf(format, args...)
	if hint, ok := Hint(err); ok && !strings.Contains(err.Error(), hint) {
		return fmt.Errorf("%s: %w; %s", step, err, hint)
	}
	return fmt.Errorf("%s: %w", step, err)
}
