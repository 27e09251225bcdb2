package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgconn"
)

// Snapshot is one moment of the database that several sessions see, each in a
// transaction of its own that only reads. It may be used by several goroutines at once.
type Snapshot struct {
	// Position is the place of the moment in the write-ahead log, such as
	// "0/16B3748". Of a standby it is what had been replayed there.
	Position string
	// Seen are the numbers of transactions that tell the moment apart, as pg_current_snapshot prints them.
	Seen string

	db *DB
	// keeper exported the snapshot, which is there as long as its transaction.
	keeper *Conn
	id     string
	// slots has one entry for each session: nil for one that is yet to be opened.
	slots chan *Conn
}

// beginReading begins a transaction that sees one moment.
const beginReading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// allRows makes a query fail where row level security would hide rows from it.
const allRows = "SET LOCAL row_security = off"

// Snapshot opens sessions that all see the same moment; on a standby too. It
// needs no right but to connect. Nothing is locked.
func (db *DB) Snapshot(ctx context.Context, sessions int) (_ *Snapshot, err error) {
	if sessions < 1 {
		return nil, fmt.Errorf("a snapshot needs at least one session, not %d", sessions)
	}
	s := &Snapshot{db: db, slots: make(chan *Conn, sessions)}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.keeper, err = db.Acquire(ctx); err != nil {
		return nil, err
	}
	if err := s.export(ctx); err != nil {
		return nil, stepError(err, "take a snapshot")
	}
	for range sessions {
		c, err := s.enter(ctx)
		if err != nil {
			return nil, fmt.Errorf("open %d sessions that see one moment: %w", sessions, err)
		}
		s.slots <- c
	}
	return s, nil
}

// export begins the keeper's transaction.
func (s *Snapshot) export(ctx context.Context) error {
	if err := s.keeper.Exec(ctx, beginReading+"; "+allRows); err != nil {
		return err
	}
	seen := "pg_current_snapshot()"
	if s.db.server.Num < 130000 {
		seen = "txid_current_snapshot()"
	}
	query := "SELECT pg_export_snapshot(), " + seen + `::text,
       (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text`
	var position *string // a standby may not have replayed anything
	err := s.keeper.conn.QueryRow(ctx, query).Scan(&s.id, &s.Seen, &position)
	if position != nil {
		s.Position = *position
	}
	return ended(ctx, s.keeper.conn, canceled(ctx, err))
}

// enter opens a session that sees the moment.
func (s *Snapshot) enter(ctx context.Context) (*Conn, error) {
	c, err := s.db.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.Exec(ctx, beginReading+"; SET TRANSACTION SNAPSHOT "+QuoteLiteral(s.id)+"; "+allRows); err != nil {
		c.Release()
		// The keeper does not notice by itself that its server has ended it.
		var e *pgconn.PgError
		if s.keeper.Lost() || errors.As(err, &e) && (e.Code == "22023" || e.Code == "42704") {
			err = fmt.Errorf("the session that held the moment which is read is lost, as when the server was restarted: start again: %w", err)
		}
		return nil, err
	}
	return c, nil
}

// CopyTo is [Conn.CopyTo] in one of the sessions; it waits for one that is not
// in use. A session that was lost, or whose transaction has failed, is replaced by one that sees
// the same moment, and what gave nothing yet is tried again there once.
func (s *Snapshot) CopyTo(ctx context.Context, copySQL string, w io.Writer) error {
	return s.use(ctx, func(c *Conn) (again bool, err error) {
		out := &counter{w: w}
		err = c.CopyTo(ctx, copySQL, out)
		return c.Lost() && out.n == 0, err
	})
}

// Query runs a query in one of the sessions and calls row after each row was scanned into dest.
func (s *Snapshot) Query(ctx context.Context, query string, args, dest []any, row func() error) error {
	return s.use(ctx, func(c *Conn) (again bool, err error) {
		n := 0
		err = forEach(ctx, c.conn, query, args, dest, func() error { n++; return row() })
		return c.Lost() && n == 0, ended(ctx, c.conn, canceled(ctx, err))
	})
}

// use runs f with a session, and once more with another one where f allows it.
func (s *Snapshot) use(ctx context.Context, f func(c *Conn) (again bool, err error)) error {
	var c *Conn
	select {
	case <-ctx.Done():
		return ctx.Err()
	case c = <-s.slots:
	}
	defer func() { s.slots <- c }()
	for attempt := 1; ; attempt++ {
		if !c.reads() {
			c.drop()
			var err error
			if c, err = s.enter(ctx); err != nil {
				c = nil
				return err
			}
		}
		again, err := f(c)
		if err == nil || !again || attempt > 1 || ctx.Err() != nil {
			return err
		}
	}
}

// reads reports whether the session is in a transaction that can go on.
func (c *Conn) reads() bool { return c != nil && !c.Lost() && c.conn.PgConn().TxStatus() == 'T' }

// drop gives a session up.
func (c *Conn) drop() {
	if c != nil {
		c.Release()
	}
}

// Close ends the transactions, and with them the sessions. Nobody may use the snapshot any more.
func (s *Snapshot) Close() {
	for {
		select {
		case c := <-s.slots:
			c.drop()
		default:
			s.keeper.drop()
			return
		}
	}
}

// counter counts what passes.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Denied returns those of the tables of a schema that the role may not read, in the order given.
func (s *Snapshot) Denied(ctx context.Context, schemaName string, tables []string) ([]string, error) {
	const query = `
SELECT t.name
FROM unnest($2::text[]) WITH ORDINALITY AS t (name, n)
JOIN pg_class c ON c.relname = t.name
JOIN pg_namespace s ON s.oid = c.relnamespace AND s.nspname = $1
WHERE NOT has_schema_privilege(s.oid, 'USAGE')
   OR NOT has_table_privilege(c.oid, 'SELECT') AND EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT'))
ORDER BY t.n`
	var (
		name   string
		denied []string
	)
	err := s.Query(ctx, query, []any{schemaName, tables}, []any{&name}, func() error {
		denied = append(denied, name)
		return nil
	})
	return denied, stepError(err, "look which tables may be read")
}

// Parents returns, for the tables of a schema that are partitions of another one, or inherit
// from it, the name of that one where it is in the same schema.
func (db *DB) Parents(ctx context.Context, schemaName string) (map[string]string, error) {
	const query = `
SELECT c.relname, p.relname
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p')
JOIN pg_class p ON p.oid = i.inhparent AND p.relnamespace = c.relnamespace
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1
ORDER BY 1, i.inhseqno DESC`
	c, err := db.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	parents := map[string]string{}
	var child, parent string
	err = forEach(ctx, c.conn, query, []any{schemaName}, []any{&child, &parent}, func() error {
		parents[child] = parent
		return nil
	})
	return parents, stepError(ended(ctx, c.conn, canceled(ctx, err)), "look which tables inherit from others")
}
