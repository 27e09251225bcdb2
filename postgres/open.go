package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/moodledb/moodledb/dsn"
)

const (
	// connectTimeout is how long one attempt to connect may take when the
	// place does not say connect_timeout itself.
	connectTimeout = 15 * time.Second
	// cancelTimeout is how long a session has to obey a cancel request before
	// its connection is cut.
	cancelTimeout = 10 * time.Second
)

// keepAlive notices within a minute and a half that the server's machine or
// the way to it is gone while a session waits for an answer, as sessionSettings
// let the server notice that we are. The driver's own setting takes an hour.
func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 6}
}

// Open connects to the database d and looks at the server. It refuses a server
// that cannot hold a site: older than PostgreSQL 14, not UTF8, read only, or
// behind a pooler that does not keep sessions. A connection that cannot be made is a
// *[ConnectError]; no error contains a password.
func Open(ctx context.Context, d dsn.DSN) (*DB, error) {
	cfg, err := config(d)
	if err != nil {
		return nil, err
	}
	db := &DB{config: cfg}
	if err := db.start(ctx); err != nil {
		db.Close()
		return nil, connectError(cfg, err)
	}
	return db, nil
}

// OpenReadOnly connects to the database d in order to read its catalogs, in
// sessions that cannot write. Unlike [Open] it takes replicas, databases that are
// set read only, those of another encoding, and servers from PostgreSQL 12 on.
func OpenReadOnly(ctx context.Context, d dsn.DSN) (*DB, error) {
	cfg, err := config(d)
	if err != nil {
		return nil, err
	}
	db := &DB{config: cfg, readOnly: true}
	if err := db.start(ctx); err != nil {
		db.Close()
		return nil, connectError(cfg, err)
	}
	return db, nil
}

// start makes the first connection and learns what server it is.
func (db *DB) start(ctx context.Context) error {
	c, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer db.release(c)
	if db.server, err = readServer(ctx, c); err != nil {
		return err
	}
	fit := db.server.fit
	if db.readOnly {
		fit = db.server.readable
	}
	if err := fit(); err != nil {
		return err
	}
	if db.server.Pooler {
		return db.checkPooler(ctx, c)
	}
	return nil
}

// Server returns what is known of the server.
func (db *DB) Server() Server { return db.server }

// config translates d. Secrets are set apart from the connection string, so
// that no error about the string can hold one.
func config(d dsn.DSN) (*pgx.ConnConfig, error) {
	conn, err := pgx.ParseConfigWithOptions(keywords(d), pgx.ParseConfigOptions{
		ParseConfigOptions: pgconn.ParseConfigOptions{
			GetSSLPassword: func(context.Context) string { return d.TLS.KeyPassword.Reveal() },
		},
	})
	if err != nil {
		return nil, &ConnectError{
			Address:  d.Address(),
			User:     d.User,
			Database: d.Database,
			Message:  err.Error(),
			Hint:     "correct the parameters of the URL, or the PG... variables of the environment",
		}
	}
	if p := d.Password.Reveal(); p != "" {
		conn.Password = p
	}
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = connectTimeout
	}
	conn.DialFunc = (&net.Dialer{KeepAliveConfig: keepAlive()}).DialContext
	// Tables come and go during a run, so no statement stays prepared on the
	// server; only what it returns is remembered.
	conn.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	// Whoever interrupts a run wants the server to stop working too: a cancel
	// request is sent, and only a session that ignores it loses its connection.
	conn.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: cancelTimeout}
	}
	return conn, nil
}

// keywords spells d as a libpq connection string, without any secret.
func keywords(d dsn.DSN) string {
	params := map[string]string{}
	maps.Copy(params, d.Params)
	delete(params, "password")
	delete(params, "sslpassword")
	set := func(key, value string) {
		if value != "" {
			params[key] = value
		}
	}
	set("host", d.Host)
	set("host", d.Socket)
	if d.Port != 0 {
		set("port", strconv.Itoa(d.Port))
	}
	set("user", d.User)
	set("dbname", d.Database)
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprintf(&b, "%s='%s' ", k, quote.Replace(params[k]))
	}
	return strings.TrimSpace(b.String())
}

// address is where a configuration connects to, in the words of a message.
func address(cfg *pgx.ConnConfig) string {
	network, place := pgconn.NetworkAddress(cfg.Host, cfg.Port)
	if network == "unix" {
		return place
	}
	return net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port)))
}

// checkPooler finds out whether the pooler in front of the server keeps a
// session for each connection. Where it does not, the settings of a load
// session and cancel requests would reach other sessions.
//
// A setting made on the first connection must not be seen by a second one that
// is inside a transaction, and must still be there on the first.
func (db *DB) checkPooler(ctx context.Context, first *pgx.Conn) error {
	const (
		set  = "SELECT pg_catalog.set_config('moodledb.probe', $1, false)"
		read = "SELECT coalesce(pg_catalog.current_setting('moodledb.probe', true), '')"
	)
	// Random, since a pool may hand out what an earlier run has left behind.
	mark := rand.Text()
	if _, err := first.Exec(ctx, set, mark); err != nil {
		return err
	}
	second, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer db.release(second)
	var seen, kept string
	err = pgx.BeginFunc(ctx, second, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, read).Scan(&seen); err != nil {
			return err
		}
		return first.QueryRow(ctx, read).Scan(&kept)
	})
	if err != nil {
		return err
	}
	if seen == mark || kept != mark {
		return &unfitError{
			message: "a connection pooler in transaction mode stands before the server",
			hint:    "connect to PostgreSQL itself (its port is usually 5432), or to a pool in session mode",
		}
	}
	return nil
}
