package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// ActivityKind is what a session is doing.
type ActivityKind string

// The kinds of what sessions of a migration do.
const (
	ActivityCopy ActivityKind = "copy"
	// ActivityRead is the reading back of rows, to verify them.
	ActivityRead  ActivityKind = "read"
	ActivityIndex ActivityKind = "index"
	// ActivityOther is a statement of which the server reports no progress.
	ActivityOther ActivityKind = "other"
)

// Activity is what a session of moodledb is doing in the database.
type Activity struct {
	PID   int32
	Kind  ActivityKind
	Since time.Duration
	// Schema and Table are what a copy or an index build is about; empty when
	// the server does not say.
	Schema, Table string
	// Index is the name of the key or index that is built, as far as the statement shows it.
	Index string
	// Rows and Bytes are what a copy has sent, and none of it is committed; or what was read back.
	Rows, Bytes int64
	// Phase is what an index build is at, in the server's words, and Done and
	// Total how far that is: blocks while the table is read, rows while the index is written.
	Phase       string
	Done, Total int64
	// Wait is what the session waits for, such as "Lock: relation"; empty when it works.
	// BlockedBy are the sessions that hold a lock that it waits for.
	Wait      string
	BlockedBy []int32
	// Statement is the beginning of what an [ActivityOther] runs.
	Statement string
}

// Activities are what the sessions of moodledb in the database are doing.
type Activities struct {
	Sessions []Activity
	// Hidden counts the sessions that the connected role may not look at.
	Hidden int
}

// selectActivities lists the sessions that run a statement. Of a role that is
// not one's own the server shows neither state nor statement.
const selectActivities = `
SELECT a.pid, a.state IS NULL AS hidden, coalesce(a.query, ''), coalesce(extract(epoch FROM clock_timestamp() - a.query_start), 0)::float8,
       CASE WHEN a.wait_event_type IN ('Lock', 'LWLock', 'IO', 'IPC') THEN a.wait_event_type || ': ' || a.wait_event ELSE '' END,
       CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid) ELSE '{}' END,
       coalesce(p.command, ''), coalesce(p.tuples_processed, 0), coalesce(p.bytes_processed, 0),
       i.pid IS NOT NULL, coalesce(i.phase, ''),
       CASE WHEN i.blocks_total > 0 AND i.tuples_total = 0 THEN i.blocks_done ELSE coalesce(i.tuples_done, 0) END,
       CASE WHEN i.blocks_total > 0 AND i.tuples_total = 0 THEN i.blocks_total ELSE coalesce(i.tuples_total, 0) END,
       coalesce(n.nspname, ''), coalesce(c.relname, '')
FROM pg_stat_activity a
LEFT JOIN pg_stat_progress_copy p ON p.pid = a.pid AND p.datid = a.datid
LEFT JOIN pg_stat_progress_create_index i ON i.pid = a.pid AND i.datid = a.datid
LEFT JOIN pg_class c ON c.oid = coalesce(p.relid, i.relid)
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.datname = current_database() AND a.application_name = 'moodledb' AND a.pid <> pg_backend_pid()
  AND coalesce(a.backend_type, 'client backend') = 'client backend' AND (a.state = 'active' OR a.state IS NULL)
ORDER BY a.query_start, a.pid`

// Activities asks the server what the other sessions of moodledb in the
// database are doing. What they have not committed is seen only so.
func (db *DB) Activities(ctx context.Context) (Activities, error) {
	var (
		out             Activities
		a               Activity
		hidden, indexes bool
		query, command  string
		since           float64
	)
	err := db.Transact(ctx, func(tx *Tx) error {
		return forEach(ctx, tx.tx, selectActivities, nil, []any{
			&a.PID, &hidden, &query, &since, &a.Wait, &a.BlockedBy, &command, &a.Rows, &a.Bytes,
			&indexes, &a.Phase, &a.Done, &a.Total, &a.Schema, &a.Table,
		}, func() error {
			if hidden {
				out.Hidden++
				return nil
			}
			a.Since, a.Kind, a.Index, a.Statement = seconds(since), ActivityOther, "", ""
			switch {
			case command == "COPY TO":
				a.Kind = ActivityRead
				if a.Table == "" {
					// Of a query the server does not name the table.
					a.Schema, a.Table = readFrom(query)
				}
			case command != "":
				a.Kind = ActivityCopy
			case indexes:
				a.Kind, a.Index = ActivityIndex, builtOn(query, a.Table)
			default:
				a.read(query)
			}
			out.Sessions = append(out.Sessions, a)
			a.BlockedBy = nil
			return nil
		})
	})
	return out, stepError(err, "look at the sessions of the run")
}

// read tells what a session does of which the server reports no progress: an
// index build that waits for a lock is known by its statement.
func (a *Activity) read(query string) {
	if all := builds(query); len(all) == 1 {
		a.Kind, a.Schema, a.Table, a.Index = ActivityIndex, all[0].schema, all[0].table, all[0].name
		return
	}
	a.Statement = beginning(query)
}

// beginning is the first line of a statement, and no more of it than names
// what it does: what follows could be values.
func beginning(statement string) string {
	const most = 60
	line, _, _ := strings.Cut(strings.TrimSpace(statement), "\n")
	if r := []rune(line); len(r) > most {
		line = string(r[:most-1]) + "…"
	}
	return line
}

// Holder is the session that holds a schema: see [DB.HoldSchema].
type Holder struct {
	PID int32
	// Client is the address that it comes from; empty for a socket, or when the
	// connected role may not see it.
	Client string
}

// Holder finds the session that holds a schema; false when there is none.
func (db *DB) Holder(ctx context.Context, schemaName string) (h Holder, ok bool, err error) {
	const query = `
SELECT l.pid, coalesce(host(a.client_addr), '')
FROM pg_locks l
JOIN pg_namespace n ON l.objid = (n.oid::bigint % 2147483647)::oid
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND n.nspname = $1 AND l.classid = $2 AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
LIMIT 1`
	err = db.Transact(ctx, func(tx *Tx) error {
		return forEach(ctx, tx.tx, query, []any{schemaName, uint32(holdClass)}, []any{&h.PID, &h.Client}, func() error {
			ok = true
			return nil
		})
	})
	return h, ok, stepError(err, "look who works in schema %q", schemaName)
}

// leftoverWait is how long a session that is told to end has for it.
const leftoverWait = 10 * time.Second

// EndLeftovers ends the sessions of a run that was killed and that the server
// still works for, such as with an index build: they hold locks in its schema.
// It returns how many there were. The caller must hold the schema, so that none
// of them is of a living run.
func (db *DB) EndLeftovers(ctx context.Context, schemaName string) (int, error) {
	// Reading takes the weakest lock of a table only, and does not stand in the
	// way. Whoever makes a table, which only itself can see, holds the schema.
	// One that waits for a lock is left over too.
	const query = `
SELECT DISTINCT a.pid
FROM pg_namespace n
JOIN pg_locks l ON l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.mode <> 'AccessShareLock' AND l.relation IN (SELECT c.oid FROM pg_class c WHERE c.relnamespace = n.oid)
       OR l.classid = 'pg_namespace'::regclass AND l.objid = n.oid)
JOIN pg_stat_activity a ON a.pid = l.pid AND a.application_name = 'moodledb' AND a.pid <> pg_backend_pid()
WHERE n.nspname = $1
ORDER BY 1`
	ended := 0
	err := db.Transact(ctx, func(tx *Tx) error {
		rows, err := tx.tx.Query(ctx, query, schemaName)
		if err != nil {
			return err
		}
		pids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
		if err != nil {
			return err
		}
		for _, pid := range pids {
			if _, err := tx.tx.Exec(ctx, "SELECT pg_terminate_backend($1, $2)", pid, leftoverWait.Milliseconds()); err != nil {
				return stepError(err, "end session %d, which a killed run has left behind", pid)
			}
			ended++
		}
		return nil
	})
	return ended, stepError(err, "end what works in schema %q still", schemaName)
}
