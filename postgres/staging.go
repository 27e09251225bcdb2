package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// marker begins the comment of a staging schema, so that what a killed run
// left behind is known as moodledb's own. The rest is a Staging as JSON.
const marker = "moodledb staging schema, to be published or dropped: "

// holdClass is the first key of the advisory lock of HoldSchema; the second
// one is made of the schema's oid. The number spells "mood".
const holdClass = 0x6d6f6f64

// Staging says which run made a staging schema.
type Staging struct {
	Started time.Time `json:"started"`
	// Source is the database that is loaded from, without a password.
	Source string `json:"source"`
}

func (s Staging) comment() (string, error) {
	s.Started = s.Started.UTC().Truncate(time.Second)
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("describe the staging schema: %w", err)
	}
	return marker + string(text), nil
}

// parseMarker reads the comment of a schema; nil when it is no marker.
func parseMarker(comment string) *Staging {
	text, ok := strings.CutPrefix(comment, marker)
	if !ok {
		return nil
	}
	var s Staging
	if json.Unmarshal([]byte(text), &s) != nil {
		return nil
	}
	return &s
}

// CreateStaging makes the schema name, marked as a staging schema. Where the
// schema publish, which it will become, has default privileges, they are set
// here too: what is made in the staging schema then gets the rights that it
// would have got in publish. Those that the connected role may not set are left out.
func (db *DB) CreateStaging(ctx context.Context, name, publish string, s Staging) error {
	comment, err := s.comment()
	if err != nil {
		return err
	}
	return db.Transact(ctx, func(tx *Tx) error {
		statements := []string{CreateSchema(name), CommentSchema(name, comment)}
		like, err := tx.SchemaState(ctx, publish)
		if err != nil {
			return err
		}
		for _, g := range like.DefaultGrants {
			role, err := tx.Role(ctx, g.Role)
			if err != nil {
				return err
			}
			if role.CanSet {
				statements = append(statements, AlterDefaultPrivileges(name, g))
			}
		}
		return stepError(tx.Exec(ctx, Batch(statements)), "make staging schema %q", name)
	})
}

// ErrHeld is wrapped when another run works in the schema.
var ErrHeld = errors.New("another run of moodledb is working in it")

// Hold is the mark of a run on the schema that it works in.
type Hold struct {
	db   *DB
	conn *pgx.Conn
}

// HoldSchema marks the schema as being worked in, until the hold is released or
// the session ends in whatever way: [SchemaState.Held] tells then that what
// looks like the leftover of a killed run is none. It takes a session of its own.
func (db *DB) HoldSchema(ctx context.Context, name string) (*Hold, error) {
	c, err := db.acquire(ctx)
	if err != nil {
		return nil, connectError(db.config, err)
	}
	const query = `
SELECT pg_try_advisory_lock($2, (oid::bigint % 2147483647)::int)
FROM pg_namespace
WHERE nspname = $1`
	var held bool
	err = c.QueryRow(ctx, query, name, int32(holdClass)).Scan(&held)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		err = ErrNoSchema
	case err == nil && !held:
		err = ErrHeld
	}
	if err != nil {
		db.release(c)
		return nil, stepError(err, "hold schema %q", name)
	}
	return &Hold{db: db, conn: c}, nil
}

// Lost reports whether the session that holds the schema has ended.
func (h *Hold) Lost(ctx context.Context) bool { return h.conn.Ping(ctx) != nil }

// Release gives the schema up.
func (h *Hold) Release(ctx context.Context) { h.db.unlock(ctx, h.conn) }

// unlockTimeout is how long giving up locks may take, which a server does at once.
const unlockTimeout = 3 * time.Second

// unlock gives up all advisory locks of a session. The session is closed when
// that fails, which comes to the same, but the server may take a moment for it.
func (db *DB) unlock(ctx context.Context, c *pgx.Conn) {
	ctx = context.WithoutCancel(ctx)
	// No deadline of a context: a server that is silent cannot be asked to cancel.
	err := c.PgConn().Conn().SetDeadline(time.Now().Add(unlockTimeout))
	if err == nil {
		_, err = c.Exec(ctx, "SELECT pg_advisory_unlock_all()")
	}
	if err == nil {
		err = c.PgConn().Conn().SetDeadline(time.Time{})
	}
	if err != nil {
		closeConn(ctx, c)
	}
	db.release(c)
}

// lockBatch is the number of tables that one transaction drops or alters. Each
// costs a lock for itself, its indexes, its TOAST table and its sequences, and
// a server's default settings have room for 6,400 locks.
const lockBatch = 100

// DropSchema drops a schema with everything in it, in several transactions,
// since a site has more objects than one transaction can lock. One that does
// not exist is no error.
func (db *DB) DropSchema(ctx context.Context, name string) error {
	for {
		dropped := 0
		err := db.Transact(ctx, func(tx *Tx) error {
			const query = `
SELECT c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
ORDER BY c.relname
LIMIT $2`
			rows, err := tx.tx.Query(ctx, query, name, lockBatch)
			if err != nil {
				return err
			}
			tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			dropped = len(tables)
			if dropped == 0 {
				return tx.Exec(ctx, "DROP SCHEMA IF EXISTS "+QuoteIdent(name)+" CASCADE")
			}
			return tx.Exec(ctx, DropTables(name, tables))
		})
		if err != nil {
			return stepError(err, "drop schema %q", name)
		}
		if dropped == 0 {
			return nil
		}
	}
}
