package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Transient reports whether an error may pass when what failed is tried again:
// a lost connection, a server that restarts or is full, a deadlock, a lock that
// another session holds. It is false for errors of contexts that have ended.
func Transient(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return transientCode(server.Code)
	}
	return IsLost(err)
}

// transientCode judges by SQLSTATE.
func transientCode(code string) bool {
	return strings.HasPrefix(code, "08") || // connection exception
		slices.Contains([]string{
			"40001", // serialization_failure
			"40P01", // deadlock_detected
			"53300", // too_many_connections
			"55P03", // lock_not_available
			"57P01", // admin_shutdown
			"57P02", // crash_shutdown
			"57P03", // cannot_connect_now
			"57P05", // idle_session_timeout
		}, code)
}

// IsLost reports whether an error tells that the connection to the server was
// lost or could not be made, so that what was committed last may be lost too.
func IsLost(err error) bool {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return strings.HasPrefix(server.Code, "08") || slices.Contains([]string{"57P01", "57P02", "57P03", "57P05"}, server.Code)
	}
	var (
		network net.Error
		op      *net.OpError
		connect *pgconn.ConnectError
	)
	return errors.Is(err, errLost) || errors.As(err, &network) || errors.As(err, &op) || errors.As(err, &connect) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// errLost is wrapped when a connection broke.
var errLost = errors.New("the connection to PostgreSQL is lost")
