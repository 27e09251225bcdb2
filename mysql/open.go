package mysql

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/moodledb/moodledb/dsn"
)

const (
	// connectTimeout is how long opening one connection may take, logging in included.
	connectTimeout = 15 * time.Second
	// maxConns bounds the connections for catalogs and checks. Rows are
	// streamed over connections of their own.
	maxConns = 8
	// idleTime is how long a connection that nobody uses stays open.
	idleTime = time.Minute
	// maxPacket is the largest packet that the servers know, in bytes. The driver
	// allocates what it needs, not this.
	maxPacket = 1 << 30
)

// DB is a connection pool to one MySQL or MariaDB server. Every session of it is read only.
type DB struct {
	sql       *sql.DB
	dsn       dsn.DSN
	transport Transport
	server    Server
}

// Open connects to d and looks at the server. It refuses a server that is too
// old to be read; see [Server.Warning] for what it does not refuse. A connection
// that cannot be made is a *[ConnectError]; no error contains a password.
func Open(ctx context.Context, d dsn.DSN) (*DB, error) {
	if !d.Engine.IsMySQL() {
		return nil, fmt.Errorf("%s is no MySQL or MariaDB database", d)
	}
	transport, err := NewTransport(d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d, err)
	}
	connector, err := newConnector(d, transport)
	if err != nil {
		return nil, err
	}
	db := &DB{sql: sql.OpenDB(connector), dsn: d, transport: transport}
	db.sql.SetMaxOpenConns(maxConns)
	db.sql.SetMaxIdleConns(maxConns)
	db.sql.SetConnMaxIdleTime(idleTime)
	if err := db.start(ctx); err != nil {
		return nil, errors.Join(connectError(d, err), db.sql.Close())
	}
	return db, nil
}

// start makes the first connection and learns what server it is.
func (db *DB) start(ctx context.Context) error {
	server, err := readServer(ctx, db.sql)
	if err != nil {
		return err
	}
	if err := server.fit(); err != nil {
		return err
	}
	db.server = server
	if db.transport.Fallback {
		db.transport.Fallback = false
		if server.TLS == "" {
			db.transport.TLS = nil
		}
	}
	return nil
}

// Close closes all connections.
func (db *DB) Close() error { return db.sql.Close() }

// SQL returns the pool itself, for queries that this package does not know.
// Its sessions are read only, speak utf8mb4 and have the time zone UTC.
func (db *DB) SQL() *sql.DB { return db.sql }

// Server returns what is known of the server.
func (db *DB) Server() Server { return db.server }

// DSN returns the place that was opened.
func (db *DB) DSN() dsn.DSN { return db.dsn }

// Transport returns how the server is reached, with TLS settled by what the server offered.
func (db *DB) Transport() Transport { return db.transport }

// connector opens connections and prepares their sessions.
type connector struct {
	sqldriver.Connector
	statements []string
}

// newConnector configures the driver for d.
func newConnector(d dsn.DSN, t Transport) (*connector, error) {
	cfg := driver.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName = d.User, d.Password.Reveal(), d.Database
	cfg.Net, cfg.Addr = t.Network, t.Address
	cfg.TLS, cfg.AllowFallbackToPlaintext = t.TLS, t.Fallback
	cfg.Timeout = connectTimeout
	cfg.MaxAllowedPacket = maxPacket
	cfg.InterpolateParams = true // catalog queries need no prepared statements
	// The driver would print to standard error.
	cfg.Logger = &driver.NopLogger{}
	// Every server since MySQL 5.5 knows this collation; the newer default ones differ.
	if err := cfg.Apply(driver.Charset("utf8mb4", "utf8mb4_general_ci")); err != nil {
		return nil, err
	}
	inner, err := driver.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d, err)
	}
	return &connector{inner, sessionStatements()}, nil
}

// sessionStatements prepares a session for catalogs and checks. sql_mode is
// emptied so that quotes and backslashes mean what QuoteString assumes, and a
// table that someone is altering is not waited for forever.
func sessionStatements() []string {
	return []string{
		"SET SESSION TRANSACTION READ ONLY",
		// A limit of rows would leave tables and columns out without a word.
		"SET SESSION time_zone = '+00:00', sql_mode = '', lock_wait_timeout = 60, net_write_timeout = 3600, sql_select_limit = 18446744073709551615, sql_big_selects = 1",
	}
}

// Connect opens a connection and prepares its session.
func (c *connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	// The driver's own timeout ends with the dialling.
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	execer, ok := conn.(sqldriver.ExecerContext)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's connection %T cannot execute statements", conn), conn.Close())
	}
	for _, statement := range c.statements {
		if _, err := execer.ExecContext(ctx, statement, nil); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", statement, err), conn.Close())
		}
	}
	return conn, nil
}
