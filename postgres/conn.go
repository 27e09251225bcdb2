package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// sessionSettings is one query that makes any session a load session. A
// setting that the server does not have, or a value that it was built without
// (lz4), is left out by the join.
//
// The search_path holds the system catalog only, so that every name this
// package sends or receives is qualified and nothing resolves by accident.
// Text comes and goes as UTF-8, backslashes in constants are plain. A load
// session waits for the tables it needs, but not for ever: a lock held by a
// running Moodle must become an error. A session whose client was killed ends
// within seconds, whatever it was doing, so that the run can be resumed. Losing the last moments of a load in a
// crash loses nothing that is not loaded again, so commits do not wait for the
// disk; publishing sets that back. Indexes are built one per session, which
// measured faster than parallel workers. jit costs seconds on catalog queries
// whose estimates are far off.
const sessionSettings = `
SELECT pg_catalog.set_config(v.name, v.value, false)
FROM (VALUES
    ('application_name', 'moodledb'),
    ('client_encoding', 'UTF8'),
    ('search_path', 'pg_catalog'),
    ('standard_conforming_strings', 'on'),
    ('quote_all_identifiers', 'off'),
    ('DateStyle', 'ISO, YMD'),
    ('IntervalStyle', 'postgres'),
    ('TimeZone', 'UTC'),
    ('bytea_output', 'hex'),
    ('extra_float_digits', '1'),
    ('client_min_messages', 'warning'),
    ('statement_timeout', '0'),
    ('lock_timeout', '60s'),
    ('idle_in_transaction_session_timeout', '0'),
    ('idle_session_timeout', '0'),
    ('tcp_keepalives_idle', '30'),
    ('tcp_keepalives_interval', '10'),
    ('tcp_keepalives_count', '6'),
    ('client_connection_check_interval', '10s'),
    ('transaction_timeout', '0'),
    ('default_transaction_isolation', 'read committed'),
    ('synchronous_commit', 'off'),
    ('maintenance_work_mem', '256MB'),
    ('max_parallel_maintenance_workers', '0'),
    ('default_toast_compression', 'lz4'),
    ('jit', 'off')
) AS v (name, value)
JOIN pg_catalog.pg_settings s ON s.name = v.name
WHERE s.enumvals IS NULL OR s.vartype <> 'enum' OR v.value = ANY (s.enumvals)`

// DB is a PostgreSQL database. It keeps the sessions that are not in use and
// sets no limit to their number: how many work at once is the caller's
// decision, and the server's own limit comes with an error that says so.
// A DB may be used by several goroutines at once.
type DB struct {
	config *pgx.ConnConfig
	server Server
	// readOnly makes every session one that cannot write.
	readOnly bool

	mu     sync.Mutex
	idle   []idleConn
	closed bool
}

type idleConn struct {
	conn  *pgx.Conn
	since time.Time
}

// stale is how long a session may lie idle before it is tried out with an
// empty query: servers, proxies and firewalls drop what is quiet for long.
const stale = 5 * time.Second

// acquire takes an idle session or makes one.
func (db *DB) acquire(ctx context.Context) (*pgx.Conn, error) {
	for {
		c, ok := db.takeIdle()
		if !ok {
			break
		}
		if time.Since(c.since) < stale || c.conn.Ping(ctx) == nil {
			return c.conn, nil
		}
		closeConn(ctx, c.conn)
	}
	c, err := connectTapped(ctx, db.config.Copy())
	if err != nil {
		return nil, err
	}
	if _, err := c.Exec(ctx, sessionSettings); err != nil {
		err = ended(ctx, c, err)
		closeConn(ctx, c)
		return nil, fmt.Errorf("set up the session: %w", err)
	}
	if db.readOnly {
		if _, err := c.Exec(ctx, "SET default_transaction_read_only = on"); err != nil {
			err = ended(ctx, c, err)
			closeConn(ctx, c)
			return nil, fmt.Errorf("set up the session: %w", err)
		}
	}
	return c, nil
}

func (db *DB) takeIdle() (idleConn, bool) {
	db.mu.Lock()
	defer db.mu.Unlock()
	last := len(db.idle) - 1
	if last < 0 {
		return idleConn{}, false
	}
	c := db.idle[last]
	db.idle = db.idle[:last]
	return c, true
}

// release puts a session back, or closes it when it is broken or inside a
// transaction. It takes no context, since it must work after one has ended.
func (db *DB) release(c *pgx.Conn) {
	db.mu.Lock()
	keep := !db.closed && !c.IsClosed() && c.PgConn().TxStatus() == 'I'
	if c.IsClosed() {
		// What ended this one may have ended the others: they are tried out.
		for i := range db.idle {
			db.idle[i].since = time.Time{}
		}
	}
	if keep {
		db.idle = append(db.idle, idleConn{conn: c, since: time.Now()})
	}
	db.mu.Unlock()
	if !keep {
		closeConn(context.Background(), c)
	}
}

// closeConn says goodbye to the server within cancelTimeout, even when ctx has
// ended already. What goes wrong with that is of no use to anyone: the
// connection is gone in any case.
func closeConn(ctx context.Context, c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer cancel()
	_ = c.Close(ctx)
}

// Close ends the sessions that are not in use; the others end when they are released.
func (db *DB) Close() {
	db.mu.Lock()
	idle := db.idle
	db.idle, db.closed = nil, true
	db.mu.Unlock()
	for _, c := range idle {
		closeConn(context.Background(), c.conn)
	}
}

// Conn is one load session. It is not for use by several goroutines at once.
type Conn struct {
	db   *DB
	conn *pgx.Conn
}

// Acquire takes a session that is not in use, or makes one. Its settings are
// those of a load: UTF-8, a search_path that holds the system catalog only, no
// statement and no idle timeout, commits that do not wait for the disk, lz4 for
// new values where the server has it. When ctx ends while a statement runs, the
// server is asked to cancel the statement; a session that does not obey is cut off.
func (db *DB) Acquire(ctx context.Context) (*Conn, error) {
	c, err := db.acquire(ctx)
	if err != nil {
		return nil, connectError(db.config, err)
	}
	return &Conn{db: db, conn: c}, nil
}

// Release gives the session back. One that is broken or still inside a
// transaction is closed instead. Further calls do nothing.
func (c *Conn) Release() {
	if c.conn != nil {
		c.db.release(c.conn)
		c.conn = nil
	}
}

// PGX is the session itself, for queries that this package does not have. It
// must not be closed, and not be used after Release.
func (c *Conn) PGX() *pgx.Conn { return c.conn }

// Exec runs one or more statements, separated by semicolons. Without an
// explicit BEGIN they form one transaction.
func (c *Conn) Exec(ctx context.Context, sql string) error {
	_, err := c.conn.PgConn().Exec(ctx, sql).ReadAll()
	return ended(ctx, c.conn, canceled(ctx, err))
}

// ended says of an error that it comes of a session that broke, be it before.
func ended(ctx context.Context, c *pgx.Conn, err error) error {
	if err == nil || !c.IsClosed() {
		return err
	}
	return lost(ctx, err)
}

// canceled makes the error of a statement that the server canceled on our
// request recognisable as the end of ctx.
func canceled(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}

// errStopped is what the server gets to see, and to log, when the rows end in
// an error: the real one may quote a value.
var errStopped = errors.New("moodledb stopped sending rows")

// CopyFrom runs a COPY ... FROM STDIN statement with r as its input and returns
// the number of rows. When r fails, nothing is loaded and r's error is returned.
//
// The input is read in another goroutine. It is not used any more once CopyFrom
// has returned, but for one Read that may still be under way when the
// connection was lost. When ctx ends, r's Read must return too.
func (c *Conn) CopyFrom(ctx context.Context, copySQL string, r io.Reader) (int64, error) {
	in := &copyInput{r: r}
	tag, err := c.conn.PgConn().CopyFrom(ctx, in, copySQL)
	readErr := in.close()
	switch {
	case readErr != nil && err != nil && !isDataError(err):
		// The server's answer only repeats that the client gave up.
		return 0, readErr
	case readErr != nil:
		return 0, errors.Join(err, readErr)
	case err != nil:
		return 0, lost(ctx, canceled(ctx, err))
	}
	return tag.RowsAffected(), nil
}

// lost says in words that the connection broke, where neither an error of the
// server's nor the end of ctx explains the failure.
func lost(ctx context.Context, err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w (%w); the log of the server says why", errLost, err)
}

// isDataError reports whether the server found fault with what it was sent,
// or with itself, rather than with the end of the input.
func isDataError(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code != "57014" && e.Code != "08P01"
}

// copyInput keeps the error of a reader and shuts it off when the copy is over.
type copyInput struct {
	mu     sync.Mutex
	r      io.Reader
	closed bool
	err    error
}

// Read passes the data on, but not the text of an error.
func (in *copyInput) Read(p []byte) (int, error) {
	in.mu.Lock()
	r, closed := in.r, in.closed
	in.mu.Unlock()
	if closed {
		return 0, errStopped
	}
	n, err := r.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.err = err
	return n, errStopped
}

// close stops further reads and returns the error that the reader had.
func (in *copyInput) close() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	return in.err
}
