package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	gomysql "github.com/go-mysql-org/go-mysql/mysql"
	driver "github.com/go-sql-driver/mysql"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/schema"
)

// readBuffer is the fixed size of a reader's buffer, in bytes. Rows that fit
// are parsed in place; larger ones are walked. Throughput was measured to be
// the same from 16 to 256 KiB.
const readBuffer = 256 << 10

// killTimeout bounds the effort to stop a query that nobody reads any more.
const killTimeout = 5 * time.Second

// login is all that a streaming connection needs to be opened.
type login struct {
	dsn       dsn.DSN
	transport Transport
	mariadb   bool
}

// login is what a streaming connection of the pool's server needs.
func (db *DB) login() login {
	return login{dsn: db.dsn, transport: db.transport, mariadb: db.server.Engine == schema.MariaDB}
}

// Reader is a connection that streams result sets of the text protocol. The
// driver library opens it (handshake, authentication, TLS); from then on the
// reader takes packets off the socket itself and parses rows in its own buffer.
//
// A Reader serves one query at a time and is not safe for concurrent use.
type Reader struct {
	login login
	conn  net.Conn
	// id is what KILL takes.
	id uint64

	// buf[r:w] holds bytes that were received and not yet used.
	buf  []byte
	r, w int
	// sequence is the number that the next packet must have.
	sequence byte
	busy     bool
	// broken is why the connection cannot be used any more; nil while it can.
	broken error
	// large is the state of the row that is being walked.
	large largeRow
}

// errBusy is the error of a second query while a result set is open.
var errBusy = errors.New("the connection still has an open result set")

// openReader opens a streaming connection and prepares its session.
func openReader(ctx context.Context, l login) (*Reader, error) {
	conn, err := connect(ctx, l)
	if err != nil {
		return nil, err
	}
	// Conn is go-mysql's packet layer around the bare connection. It holds no
	// bytes now: a server never speaks unasked after the handshake.
	r := &Reader{login: l, conn: conn.Conn.Conn, buf: make([]byte, readBuffer)}
	if err := r.prepare(ctx); err != nil {
		return nil, errors.Join(err, r.conn.Close())
	}
	return r, nil
}

// connect dials and logs in by go-mysql. Two protocol features are turned off
// so that a result set always ends with the same packet and a query is plain text.
func connect(ctx context.Context, l login) (*client.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	stop := func() bool { return true }
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		// go-mysql's handshake does not look at the context.
		stop = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		return conn, nil
	}
	conn, err := client.ConnectWithDialer(ctx, l.transport.Network, l.transport.Address, l.dsn.User, l.dsn.Password.Reveal(), l.dsn.Database, dial,
		func(c *client.Conn) error {
			c.UnsetCapability(gomysql.CLIENT_DEPRECATE_EOF)
			c.UnsetCapability(gomysql.CLIENT_QUERY_ATTRIBUTES)
			if l.transport.TLS != nil {
				c.SetTLSConfig(l.transport.TLS)
			}
			return nil
		})
	stopped := stop()
	if err == nil && stopped {
		return conn, nil
	}
	if err == nil {
		_ = conn.Close()
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return nil, connectError(l.dsn, serverError(err))
}

// serverError turns go-mysql's error into the one that all of this package
// returns for what a server says; other errors stay as they are.
func serverError(err error) error {
	var e *gomysql.MyError
	if !errors.As(err, &e) {
		return err
	}
	out := &driver.MySQLError{Number: e.Code, Message: e.Message}
	for i := range min(len(e.State), len(out.SQLState)) {
		out.SQLState[i] = e.State[i]
	}
	return out
}

// settings are the statements that prepare a streaming session. None depends on
// a right. Values come in UTC and in utf8mb4, nothing limits time or rows, a
// slow target does not make the server hang up, a spare reader may wait for a
// week, and a table that someone is altering is not waited for forever.
func (l login) settings() []string {
	list := []string{
		"SET NAMES utf8mb4",
		"SET SESSION time_zone = '+00:00', sql_mode = '', net_write_timeout = 86400, net_read_timeout = 86400, " +
			"wait_timeout = 604800, lock_wait_timeout = 300, sql_select_limit = 18446744073709551615, sql_big_selects = 1",
	}
	if l.mariadb {
		// The comment is read from the version on that knows what is in it.
		list = append(list, "SET SESSION max_statement_time = 0 /*M!100300 , idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0 */")
	} else {
		list = append(list, "SET SESSION max_execution_time = 0")
	}
	return append(list, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET SESSION TRANSACTION READ ONLY")
}

// prepare applies the settings and learns the connection's number.
func (r *Reader) prepare(ctx context.Context) error {
	for _, statement := range r.login.settings() {
		if err := r.exec(ctx, statement); err != nil {
			return err
		}
	}
	rows, err := r.all(ctx, "SELECT CONNECTION_ID()")
	if err != nil {
		return err
	}
	if len(rows) != 1 || len(rows[0]) != 1 {
		return errors.New("SELECT CONNECTION_ID() returned no number")
	}
	r.id, err = strconv.ParseUint(rows[0][0], 10, 64)
	return err
}

// exec runs a statement and drops its result.
func (r *Reader) exec(ctx context.Context, statement string) error {
	_, err := r.all(ctx, statement)
	return err
}

// all runs a query whose result is small and returns it as text, NULL as "".
func (r *Reader) all(ctx context.Context, query string) ([][]string, error) {
	rows, err := r.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	out, err := rows.collect()
	if err := errors.Join(err, rows.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	return out, nil
}

// Lost returns why the connection cannot be used any more, and asks the server
// when it is not known yet: a session that was killed may have said so in the
// words of an ordinary error. It returns nil for a connection that lives.
func (r *Reader) Lost(ctx context.Context) error {
	if r.broken != nil {
		return r.broken
	}
	ctx, cancel := context.WithTimeoutCause(ctx, killTimeout, errSilent)
	defer cancel()
	err := r.exec(ctx, "DO 0")
	if r.broken != nil {
		return r.broken
	}
	var server *driver.MySQLError
	if errors.As(err, &server) && server.Number != erInterrupted {
		return err
	}
	return nil
}

// errSilent is the cause of giving up a connection that does not answer.
var errSilent = errors.New("the server did not answer")

// Close closes the connection. A query that still runs is left to the server,
// which ends it when it next writes.
func (r *Reader) Close() error {
	if r.broken == nil {
		r.broken = net.ErrClosed
		// COM_QUIT only spares the server a line in its log.
		_ = r.conn.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = r.conn.Write([]byte{1, 0, 0, 0, comQuit})
	}
	return r.conn.Close()
}

// Query runs a query of the text protocol and returns its rows, unbuffered. The
// rows must be closed before the next query. When ctx ends, the rows fail and
// the connection is lost.
func (r *Reader) Query(ctx context.Context, query string) (*Rows, error) {
	if r.broken != nil {
		return nil, fmt.Errorf("the connection to %s is lost: %w", r.login.transport.Address, r.broken)
	}
	if r.busy {
		return nil, errBusy
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	rows := &Rows{reader: r, watch: watch(ctx, r.conn)}
	r.busy = true
	err := r.send(query)
	if err == nil {
		err = rows.start()
	}
	if err == nil {
		return rows, nil
	}
	err = rows.end(err)
	if lost := rows.Close(); lost != nil {
		err = lost
	}
	return nil, fmt.Errorf("%s: %w", shorten(query), err)
}

// shorten cuts a statement for a message.
func shorten(query string) string {
	const most = 200
	query = strings.Join(strings.Fields(query), " ")
	if len(query) <= most {
		return query
	}
	return strings.ToValidUTF8(query[:most], "") + "..."
}

// watched interrupts a connection when a context ends.
type watched struct {
	// stop ends the watch; false when the interruption has begun.
	stop func() bool
	// cause is why the context ended; nil while it has not.
	cause func() error
	// after makes a short-lived context that outlives the watched one, for what must be done then.
	after func() (context.Context, context.CancelFunc)
}

// watch makes reads and writes of conn fail once ctx ends, until stop is called.
func watch(ctx context.Context, conn net.Conn) watched {
	return watched{
		stop:  context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }),
		cause: func() error { return context.Cause(ctx) },
		after: func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.WithoutCancel(ctx), killTimeout)
		},
	}
}

// kill asks the server, over a connection of its own, to stop what this one is
// doing: "QUERY" keeps the session and its snapshot, "CONNECTION" ends it.
func (r *Reader) kill(w watched, what string) error {
	ctx, cancel := w.after()
	defer cancel()
	side, err := connect(ctx, r.login)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = side.SetDeadline(time.Unix(1, 0)) })()
	_, err = side.Execute(fmt.Sprintf("KILL %s %d", what, r.id))
	return errors.Join(serverError(err), side.Close())
}

// fail marks the connection as lost and closes it.
func (r *Reader) fail(err error) {
	if r.broken == nil {
		r.broken = err
	}
	_ = r.conn.Close()
}

// eof turns the end of the stream inside a result set into an error that is not the end of the rows.
func eof(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the server closed the connection")
	}
	return err
}
