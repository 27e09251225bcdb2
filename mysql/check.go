package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Check is a session that sees the same moment as the readers of a [Snapshot],
// and shares no code with them: go-sql-driver opened it and reads its packets.
// What it reads can show that a reader errs. It serves one query at a time.
type Check struct {
	pool *sql.DB
	conn *sql.Conn
	// id is what KILL takes, and the process list shows.
	id uint64
}

// openCheck opens a session with the settings of a reader.
func openCheck(ctx context.Context, db *DB) (*Check, error) {
	connector, err := newConnector(db.dsn, db.transport)
	if err != nil {
		return nil, err
	}
	connector.statements = db.login().settings()
	// A pool of its own: its sessions are none for catalogs.
	c := &Check{pool: sql.OpenDB(connector)}
	c.pool.SetMaxOpenConns(1)
	if c.conn, err = c.pool.Conn(ctx); err == nil {
		err = c.conn.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&c.id)
	}
	if err != nil {
		return nil, errors.Join(connectError(db.dsn, err), c.Close())
	}
	return c, nil
}

// Conn is the session. It is in a transaction that only reads; whoever ends that loses the moment.
func (c *Check) Conn() *sql.Conn { return c.conn }

// Close ends the session.
func (c *Check) Close() error {
	if c.conn == nil {
		return c.pool.Close()
	}
	return errors.Join(c.conn.Close(), c.pool.Close())
}

// exec runs a statement.
func (c *Check) exec(ctx context.Context, statement string) error {
	if _, err := c.conn.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", shorten(statement), err)
	}
	return nil
}

// all runs a query whose result is small and returns it as text, NULL as "".
func (c *Check) all(ctx context.Context, query string) (out [][]string, err error) {
	rows, err := c.conn.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shorten(query), err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	fields, dest := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range fields {
		dest[i] = &fields[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		row := make([]string, len(fields))
		for i, f := range fields {
			row[i] = f.String
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// Lost returns why the session cannot be used any more; nil when it lives, and with it the moment.
func (c *Check) Lost(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, killTimeout, errSilent)
	defer cancel()
	return c.exec(ctx, "DO 0")
}
