package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	driver "github.com/go-sql-driver/mysql"

	"github.com/moodledb/moodledb/dsn"
)

// The kinds of a ConnectError, for errors.Is.
var (
	// ErrAccessDenied: the server refuses the user or the password, or the user's access to the database.
	ErrAccessDenied = errors.New("access denied")
	// ErrUnknownDatabase: the server has no such database.
	ErrUnknownDatabase = errors.New("unknown database")
	// ErrUnreachable: nothing answers at the address.
	ErrUnreachable = errors.New("unreachable")
	// ErrTLS: an encrypted connection could not be agreed upon, or the server insists on one.
	ErrTLS = errors.New("TLS not agreed upon")
	// ErrTooManyConnections: the server, or the user's own limit, is full.
	ErrTooManyConnections = errors.New("too many connections")
	// ErrHostNotAllowed: the server does not talk to this machine.
	ErrHostNotAllowed = errors.New("host not allowed")
	// ErrUnsupported: the server cannot be used by moodledb.
	ErrUnsupported = errors.New("unsupported server")
)

// ConnectError tells why a database cannot be used and what to do. It never
// holds a password.
type ConnectError struct {
	// Address is "host:port" or the path of a socket.
	Address  string
	User     string
	Database string
	// Kind is one of the sentinels above; nil for what is none of them.
	Kind error
	// Message says what is wrong, Hint what to do next.
	Message string
	Hint    string

	err error
}

// Error names the server, the user, the database, the cause and the way out.
func (e *ConnectError) Error() string {
	return fmt.Sprintf("connect to MySQL or MariaDB at %s as %q, database %q: %s; %s",
		e.Address, e.User, e.Database, e.Message, e.Hint)
}

// Unwrap returns the kind and the cause, as far as there are any.
func (e *ConnectError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// unfitError is a server that answers but cannot be used.
type unfitError struct{ message, hint string }

func (e *unfitError) Error() string { return e.message + "; " + e.hint }

// connectError finds the cause of err.
func connectError(d dsn.DSN, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("connect to MySQL or MariaDB at %s: %w", d.Address(), context.Canceled)
	}
	e := &ConnectError{Address: d.Address(), User: d.User, Database: d.Database, err: err, Message: err.Error()}
	var unfit *unfitError
	var server *driver.MySQLError
	switch {
	case errors.As(err, &unfit):
		e.Kind, e.Message, e.Hint, e.err = ErrUnsupported, unfit.message, unfit.hint, nil
	case errors.As(err, &server):
		e.Message = fmt.Sprintf("%s (error %d)", server.Message, server.Number)
		e.Hint, e.Kind = serverHint(d, server)
	default:
		e.Hint, e.Kind = networkHint(d, err)
	}
	return e
}

// serverHint says what to do when the server itself refused.
func serverHint(d dsn.DSN, e *driver.MySQLError) (hint string, kind error) {
	switch e.Number {
	case 1045, 1698: // ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR
		return passwordHint(d), ErrAccessDenied
	case 1044: // ER_DBACCESS_DENIED_ERROR
		return fmt.Sprintf("check the database's name, or let an administrator run: GRANT SELECT, SHOW VIEW ON %s.* TO the account named above", QuoteIdent(d.Database)), ErrAccessDenied
	case 1049: // ER_BAD_DB_ERROR
		return "check the name, and its case; SHOW DATABASES lists those that this user may see", ErrUnknownDatabase
	case 1040: // ER_CON_COUNT_ERROR
		return "use fewer jobs, close other clients, or raise max_connections on the server", ErrTooManyConnections
	case 1203, 1226: // ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED
		return "use fewer jobs, or raise this account's limit: ALTER USER ... WITH MAX_USER_CONNECTIONS 0", ErrTooManyConnections
	case 1129: // ER_HOST_IS_BLOCKED
		return "the server blocks this machine after many broken connections: let an administrator run FLUSH HOSTS (MySQL 8.4: TRUNCATE TABLE performance_schema.host_cache)", ErrHostNotAllowed
	case 1130: // ER_HOST_NOT_PRIVILEGED
		return fmt.Sprintf("no account may connect from this machine: make one whose host part matches, such as '%s'@'%%'", d.User), ErrHostNotAllowed
	case 3159: // ER_SECURE_TRANSPORT_REQUIRED
		return "the server wants TLS: use ssl-mode=required", ErrTLS
	case 1251, 1275, 2059: // authentication protocol or plugin that one side does not know
		return "give the account an authentication plugin that the driver knows: caching_sha2_password, ed25519 or mysql_native_password", ErrAccessDenied
	case 1820, 1862: // ER_MUST_CHANGE_PASSWORD, ER_MUST_CHANGE_PASSWORD_LOGIN
		return "the password has expired: set a new one with the server's own client", ErrAccessDenied
	case 3118, 4151: // ER_ACCOUNT_HAS_BEEN_LOCKED of MySQL, of MariaDB
		return "the account is locked: let an administrator run ALTER USER ... ACCOUNT UNLOCK", ErrAccessDenied
	}
	if hint, ok := Hint(e); ok {
		return hint, nil
	}
	return "the server's log may say more", nil
}

// passwordHint says where the password came from, or that there is none.
func passwordHint(d dsn.DSN) string {
	if d.TLS.Mode == dsn.TLSDisabled {
		return "the password is wrong, the account does not exist for the machine named above, or it may not connect without TLS: try ssl-mode=required"
	}
	if d.Password == "" {
		return "no password was given: put it into the environment variable MYSQL_PWD, into ~/.my.cnf under [client], or into the URL"
	}
	return fmt.Sprintf("the password is wrong, or the account does not exist for the machine named above; the password came from %s", d.PasswordFrom)
}

// networkHint says what to do when no server answered, or TLS or the login failed on our side.
func networkHint(d dsn.DSN, err error) (hint string, kind error) {
	var (
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		verify  *tls.CertificateVerificationError
		alert   tls.AlertError
		header  tls.RecordHeaderError
		dns     *net.DNSError
	)
	switch {
	case errors.Is(err, driver.ErrNoTLS):
		return "the server does not offer TLS: set it up there, or use ssl-mode=disabled if the network can be trusted", ErrTLS
	case errors.As(err, &host):
		return "the certificate is for another name: connect by that name, give it as ssl-server-name, or use ssl-mode=verify-ca", ErrTLS
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &verify):
		return "the certificate cannot be verified: name the authority's certificate with ssl-ca, or use ssl-mode=required", ErrTLS
	case errors.As(err, &alert), errors.As(err, &header), strings.Contains(err.Error(), "tls: "):
		return "client and server do not agree on TLS (1.2 or later is needed): check the server's settings, or use ssl-mode=disabled if the network can be trusted", ErrTLS
	case errors.Is(err, driver.ErrUnknownPlugin), errors.Is(err, driver.ErrCleartextPassword),
		errors.Is(err, driver.ErrOldPassword), errors.Is(err, driver.ErrOldProtocol):
		return "give the account an authentication plugin that the driver knows: caching_sha2_password, ed25519 or mysql_native_password", ErrAccessDenied
	case errors.As(err, &dns):
		return "check the host name", ErrUnreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return "no answer in time: check host and port, and firewalls between here and there", ErrUnreachable
	case d.Socket != "" && errors.Is(err, syscall.EACCES):
		return "this user may not use the socket: check the rights of its directory, or connect by host and port", ErrUnreachable
	case d.Socket != "":
		return "check that the server runs on this machine and has its socket there, or give a host", ErrUnreachable
	default:
		return "check that the server runs, that host and port are right, and that bind-address, skip-networking and firewalls let this machine in", ErrUnreachable
	}
}

// isTimeout reports whether a network operation timed out.
func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// Quotes returns the message of a server, itself and not what it wraps, where it may quote
// values of rows: those about data and about constraints.
func Quotes(err error) []string {
	e, ok := err.(*driver.MySQLError) //nolint:errorlint // what it wraps is asked for by itself
	if !ok || !strings.HasPrefix(string(e.SQLState[:]), "22") && !strings.HasPrefix(string(e.SQLState[:]), "23") &&
		e.Number != 1366 && e.Number != 1525 { // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, ER_WRONG_VALUE: of the general class
		return nil
	}
	return []string{e.Message}
}

// Hint says what to do about an error of the server that may come at any time;
// ok is false when there is nothing to say.
func Hint(err error) (hint string, ok bool) {
	var e *driver.MySQLError
	if !errors.As(err, &e) {
		return "", false
	}
	switch e.Number {
	case 1142, 1143: // ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR
		return "let an administrator run: GRANT SELECT, SHOW VIEW ON the database TO the account", true
	case 1227: // ER_SPECIFIC_ACCESS_DENIED_ERROR
		return "let an administrator grant the privilege that the message names", true
	case 1205: // ER_LOCK_WAIT_TIMEOUT
		return "something holds a lock on the table: wait for it (SHOW PROCESSLIST), then try again", true
	case 1317, 1969, 3024: // ER_QUERY_INTERRUPTED, ER_STATEMENT_TIMEOUT, ER_QUERY_TIMEOUT
		return "the query was killed or took longer than the server allows: look for a query killer, max_statement_time and max_execution_time", true
	case 1412: // ER_TABLE_DEF_CHANGED
		return "the table was altered while the run was reading: start again when no upgrade is running", true
	case 126, 127, 144, 145, 1034, 1194, 1195: // a crashed table
		return "the table is damaged: run CHECK TABLE and REPAIR TABLE on it", true
	case 1153: // ER_NET_PACKET_TOO_LARGE
		return "raise max_allowed_packet on the server", true
	default:
		return "", false
	}
}
