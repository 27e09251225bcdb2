package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/fingerprint"
)

// ledgerLayout is the comment of the ledger's first table: the version of its
// layout. A change of the tables below makes the next number.
const ledgerLayout = "moodledb ledger, layout 2: the runs of migrations into this database"

// createLedger makes the tables of the ledger. A chunk, a table or an index is
// recorded in the transaction that makes it, so that what stands here is true
// after any crash.
const createLedger = `
CREATE TABLE moodledb.run (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state          text NOT NULL,
    tool           text NOT NULL,
    mode           text NOT NULL,
    source         text NOT NULL,
    prefix         text NOT NULL,
    load_schema    text NOT NULL,
    publish_schema text NOT NULL,
    owner          text NOT NULL,
    digest         text NOT NULL,
    attempts       integer NOT NULL DEFAULT 1,
    snapshot       jsonb NOT NULL DEFAULT '{}',
    verify         text NOT NULL,
    problem        text NOT NULL DEFAULT '',
    started_at     timestamptz NOT NULL DEFAULT now(),
    resumed_at     timestamptz NOT NULL DEFAULT now(),
    ended_at       timestamptz
);
CREATE TABLE moodledb.run_table (
    run             bigint NOT NULL REFERENCES moodledb.run ON DELETE CASCADE,
    table_name      text NOT NULL,
    source_name     text NOT NULL,
    digest          text NOT NULL,
    made            boolean NOT NULL,
    copies          boolean NOT NULL,
    indexes         integer NOT NULL,
    estimated_rows  bigint NOT NULL,
    estimated_bytes bigint NOT NULL,
    state           text NOT NULL DEFAULT 'waiting',
    copied_rows     bigint NOT NULL DEFAULT 0,
    copied_bytes    bigint NOT NULL DEFAULT 0,
    copy_seconds    double precision NOT NULL DEFAULT 0,
    next_value      bigint NOT NULL DEFAULT 0,
    changed_values  bigint NOT NULL DEFAULT 0,
    rejected_rows   bigint NOT NULL DEFAULT 0,
    sum             text NOT NULL DEFAULT '',
    verify_seconds  double precision NOT NULL DEFAULT 0,
    PRIMARY KEY (run, table_name)
);
CREATE TABLE moodledb.run_chunk (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run             bigint NOT NULL,
    table_name      text NOT NULL,
    lower_bound     text[],
    upper_bound     text[],
    estimated_rows  bigint NOT NULL,
    estimated_bytes bigint NOT NULL,
    done            boolean NOT NULL DEFAULT false,
    copied_rows     bigint NOT NULL DEFAULT 0,
    copied_bytes    bigint NOT NULL DEFAULT 0,
    copy_seconds    double precision NOT NULL DEFAULT 0,
    changed_values  bigint NOT NULL DEFAULT 0,
    rejected_rows   bigint NOT NULL DEFAULT 0,
    sum             text NOT NULL DEFAULT '',
    FOREIGN KEY (run, table_name) REFERENCES moodledb.run_table ON DELETE CASCADE
);
CREATE INDEX ON moodledb.run_chunk (run, table_name);
CREATE TABLE moodledb.run_build (
    run        bigint NOT NULL REFERENCES moodledb.run ON DELETE CASCADE,
    table_name text NOT NULL,
    name       text NOT NULL,
    seconds    double precision NOT NULL,
    PRIMARY KEY (run, table_name, name)
);
CREATE TABLE moodledb.value_change (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run          bigint NOT NULL,
    table_name   text NOT NULL,
    row_key      text NOT NULL,
    column_name  text NOT NULL,
    kind         text NOT NULL,
    rule         text NOT NULL,
    before_value bytea,
    after_value  bytea
);
CREATE TABLE moodledb.rejected_row (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run         bigint NOT NULL,
    table_name  text NOT NULL,
    row_key     text NOT NULL,
    column_name text NOT NULL,
    kind        text NOT NULL,
    reason      text NOT NULL,
    columns     text[] NOT NULL,
    row_values  bytea[] NOT NULL
);
COMMENT ON TABLE moodledb.run_chunk IS 'Parts of tables by key: lower_bound <= key < upper_bound, as literals of the source; NULL is an open end.';
COMMENT ON COLUMN moodledb.run_chunk.sum IS 'Fingerprint of the rows as they were sent: their number, and the sum of their xxHash3 modulo 2^128.';
COMMENT ON COLUMN moodledb.run_table.sum IS 'Fingerprint of the rows as they were sent, of all chunks together; a table is verified when it was read back with the same.';
COMMENT ON TABLE moodledb.value_change IS 'Values that could not be stored as they were, and what a rule made of them.';
COMMENT ON TABLE moodledb.rejected_row IS 'Rows that could not be stored, whole, as the bytes that the source sent.';`

// RunState is the state of a run of a migration.
type RunState string

// The states of a run. What is neither done nor held by a living run was
// interrupted: see [RunRecord.Held].
const (
	// RunPreparing: the place that is loaded is being made.
	RunPreparing RunState = "preparing"
	// RunLoading: rows are being copied, or keys and indexes built.
	RunLoading RunState = "loading"
	// RunStopped: the run ended with the error in Problem.
	RunStopped RunState = "stopped"
	// RunDone: the run ended well.
	RunDone RunState = "done"
)

// RunRecord is a run of a migration as the ledger has it.
type RunRecord struct {
	ID    int64
	State RunState
	// Tool is the version of moodledb.
	Tool string
	Mode string
	// Source is the database that is loaded from, without a password.
	Source string
	Prefix string
	// Load is the schema that is loaded into, Publish the one that it becomes.
	Load    string
	Publish string
	Owner   string
	// Digest stands for all that was planned: a run is only resumed by a plan of the same digest.
	Digest string
	// Attempts counts how often the run was started or resumed.
	Attempts int
	// Snapshot tells of the moment of the source, in the words of package migrate.
	Snapshot json.RawMessage
	// Verify says what is verified before the run may end, in the words of package migrate: see [Tx.EndRun].
	Verify string
	// Problem is the error that the run ended with; empty when it did not.
	Problem string
	Started time.Time
	// Resumed is when the last attempt began, Ended when the run ended; zero while it has not.
	Resumed time.Time
	Ended   time.Time
	// Held is set while a living run works on it.
	Held bool
}

// TableState is how far a table is.
type TableState string

// The states of a table, in their order.
const (
	// TableWaiting: not all of its rows are in the target.
	TableWaiting TableState = "waiting"
	// TableCopied: all of its rows are in the target.
	TableCopied TableState = "copied"
	// TableDone: rows, keys, indexes, sequences and statistics are complete.
	TableDone TableState = "done"
	// TableVerified: besides, what was sent was read back, and is the same.
	TableVerified TableState = "verified"
)

// VerifyNone is the Verify of a run that may end without verifying tables.
const VerifyNone = "none"

// TableRecord is a table of a run.
type TableRecord struct {
	Table string
	// Source is the table's name at the source; empty when it has none.
	Source string
	// Digest stands for what was planned of the table.
	Digest string
	// Made is set for a table that the run creates.
	Made bool
	// Copies is set for a table whose rows are copied.
	Copies bool
	// Indexes is the number of keys and indexes to build.
	Indexes        int
	EstimatedRows  int64
	EstimatedBytes int64
	State          TableState
	// Rows and Bytes are what is in the target of a table that is copied; see
	// [ChunkRecord] for one that is copied in parts.
	Rows     int64
	Bytes    int64
	CopyTime time.Duration
	// NextValue is the next value of the table's sequence, once it is set.
	NextValue int64
	// Changed and Rejected count values and rows that a policy has touched.
	Changed  int64
	Rejected int64
	// Sum is the fingerprint of the rows as they were sent; see [ChunkRecord] for a
	// table that is copied in parts and not copied as a whole yet.
	Sum fingerprint.Sum
	// VerifyTime is how long sessions took to read the table back.
	VerifyTime time.Duration
}

// ChunkRecord is a part of a table, by its key. A nil bound is an open end.
type ChunkRecord struct {
	ID             int64
	Table          string
	Lower          []string
	Upper          []string
	EstimatedRows  int64
	EstimatedBytes int64
	Done           bool
	Rows           int64
	Bytes          int64
	CopyTime       time.Duration
	Changed        int64
	Rejected       int64
	Sum            fingerprint.Sum
}

// BuildRecord is a key, an index or a constraint that is built.
type BuildRecord struct {
	Table   string
	Name    string
	Elapsed time.Duration
}

// home makes the schema that moodledb keeps its own tables in.
func (tx *Tx) home(ctx context.Context) error {
	// CREATE SCHEMA IF NOT EXISTS would want the right to make it even where it exists.
	state, err := tx.SchemaState(ctx, HomeSchema)
	if err != nil || state.Exists {
		return err
	}
	return tx.Exec(ctx, CreateSchema(HomeSchema))
}

// homeError completes an error of making moodledb's own tables by the right that may be missing.
func (db *DB) homeError(err error, what string) error {
	if err == nil {
		return nil
	}
	err = stepError(err, "make %s in schema %q", what, HomeSchema)
	if db.server.CanCreate {
		return err
	}
	return fmt.Errorf("%w; let the owner of the database, %q, run: GRANT CREATE ON DATABASE %s TO %s", err,
		db.server.DatabaseOwner, QuoteIdent(db.server.Database), QuoteIdent(db.server.User))
}

// ledger reads the layout of the ledger; empty when there is none.
func (tx *Tx) ledger(ctx context.Context) (layout string, err error) {
	const query = "SELECT coalesce(obj_description(to_regclass('moodledb.run'), 'pg_class'), '') FROM (SELECT) x WHERE to_regclass('moodledb.run') IS NOT NULL"
	err = tx.tx.QueryRow(ctx, query).Scan(&layout)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err == nil && layout != ledgerLayout {
		err = fmt.Errorf("the tables in schema %q are of another version of moodledb (%q): end its runs with that version, then drop the schema", HomeSchema, layout)
	}
	return layout, err
}

// OpenLedger makes the ledger where there is none.
func (db *DB) OpenLedger(ctx context.Context) error {
	err := db.Transact(ctx, func(tx *Tx) error {
		layout, err := tx.ledger(ctx)
		if err != nil || layout != "" {
			return err
		}
		if err := tx.home(ctx); err != nil {
			return err
		}
		return tx.Exec(ctx, createLedger+"\nCOMMENT ON TABLE moodledb.run IS "+QuoteLiteral(ledgerLayout))
	})
	return db.homeError(err, "the ledger of runs")
}

// StartRun records a new run, with its tables, and returns its number.
func (db *DB) StartRun(ctx context.Context, r RunRecord, tables []TableRecord) (int64, error) {
	const insert = `
INSERT INTO moodledb.run (state, tool, mode, source, prefix, load_schema, publish_schema, owner, digest, snapshot, verify)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
RETURNING id`
	var id int64
	err := db.Transact(ctx, func(tx *Tx) error {
		err := tx.tx.QueryRow(ctx, insert, string(RunPreparing), r.Tool, r.Mode, r.Source, r.Prefix, r.Load, r.Publish,
			r.Owner, r.Digest, string(r.Snapshot), r.Verify).Scan(&id)
		if err != nil {
			return err
		}
		return tx.insertTables(ctx, id, tables)
	})
	return id, stepError(err, "record the run")
}

func (tx *Tx) insertTables(ctx context.Context, run int64, tables []TableRecord) error {
	_, err := tx.tx.CopyFrom(ctx, pgx.Identifier{HomeSchema, "run_table"},
		[]string{"run", "table_name", "source_name", "digest", "made", "copies", "indexes", "estimated_rows", "estimated_bytes"},
		pgx.CopyFromSlice(len(tables), func(i int) ([]any, error) {
			t := &tables[i]
			return []any{run, t.Table, t.Source, t.Digest, t.Made, t.Copies, t.Indexes, t.EstimatedRows, t.EstimatedBytes}, nil
		}))
	return err
}

// Attempt is an attempt to go on with a run.
type Attempt struct {
	// Tool, Snapshot and Verify are those of [RunRecord].
	Tool     string
	Snapshot json.RawMessage
	Verify   string
}

// RestartRun records that a run goes on, from another snapshot, and forgets
// what it has loaded, since that is of another moment of the source: its chunks,
// builds, changed values and rejected rows. Both at once: what was loaded must
// never stand next to a snapshot that it does not come from.
func (db *DB) RestartRun(ctx context.Context, id int64, a Attempt, tables []TableRecord) error {
	err := db.Transact(ctx, func(tx *Tx) error {
		for _, table := range []string{"run_build", "run_table", "value_change", "rejected_row"} {
			if _, err := tx.tx.Exec(ctx, "DELETE FROM moodledb."+table+" WHERE run = $1", id); err != nil {
				return err
			}
		}
		if err := tx.setRun(ctx, id, RunPreparing, ""); err != nil {
			return err
		}
		if err := tx.resumeRun(ctx, id, a); err != nil {
			return err
		}
		return tx.insertTables(ctx, id, tables)
	})
	return stepError(err, "begin run %d anew", id)
}

// ResumeRun records that a run goes on with what it has loaded, from another
// snapshot, which sees the same.
func (db *DB) ResumeRun(ctx context.Context, id int64, a Attempt) error {
	err := db.Transact(ctx, func(tx *Tx) error { return tx.resumeRun(ctx, id, a) })
	return stepError(err, "resume run %d", id)
}

func (tx *Tx) resumeRun(ctx context.Context, id int64, a Attempt) error {
	const update = `
UPDATE moodledb.run
SET attempts = attempts + 1, problem = '', ended_at = NULL, resumed_at = now(), tool = $2, snapshot = $3, verify = $4
WHERE id = $1`
	tag, err := tx.tx.Exec(ctx, update, id, a.Tool, string(a.Snapshot), a.Verify)
	if err == nil && tag.RowsAffected() != 1 {
		err = errors.New("it is not in the ledger any more")
	}
	return err
}

// SetRun records the state of a run, and the error that it ended with.
func (db *DB) SetRun(ctx context.Context, id int64, state RunState, problem string) error {
	return db.Transact(ctx, func(tx *Tx) error { return tx.setRun(ctx, id, state, problem) })
}

func (tx *Tx) setRun(ctx context.Context, id int64, state RunState, problem string) error {
	const update = `
UPDATE moodledb.run
SET state = $2, problem = $3, ended_at = CASE WHEN $2 IN ('stopped', 'done') THEN now() END
WHERE id = $1`
	tag, err := tx.tx.Exec(ctx, update, id, string(state), problem)
	if err == nil && tag.RowsAffected() != 1 {
		err = errors.New("it is not in the ledger any more")
	}
	return stepError(err, "record the state of run %d", id)
}

// EndRun records that a run ended well, unless a table of it is not complete, or
// its rows are not verified and the run's Verify is not [VerifyNone]: then
// something was lost in a crash after it was made, and the run must go on.
// It belongs into the transaction that publishes.
func (tx *Tx) EndRun(ctx context.Context, id int64) error {
	const query = `
SELECT t.table_name
FROM moodledb.run_table t
JOIN moodledb.run r ON r.id = t.run
WHERE t.run = $1 AND t.state <> 'verified' AND (t.state <> 'done' OR t.copies AND r.verify <> $2)
ORDER BY 1`
	var missing []string
	rows, err := tx.tx.Query(ctx, query, id, VerifyNone)
	if err == nil {
		missing, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return stepError(err, "look at the tables of run %d", id)
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: the ledger has %d tables that are not complete and verified, such as %q; resume the run", ErrIncomplete, len(missing), missing[0])
	}
	return tx.setRun(ctx, id, RunDone, "")
}

// ErrIncomplete is wrapped when a run cannot end, since the ledger has a table that is not complete.
var ErrIncomplete = errors.New("not all tables are complete")

// ForgetRun removes a run from the ledger, and the ledger and its schema when nothing else is in it.
func (db *DB) ForgetRun(ctx context.Context, id int64) error {
	err := db.Transact(ctx, func(tx *Tx) error {
		for _, statement := range []string{
			"DELETE FROM moodledb.value_change WHERE run = $1",
			"DELETE FROM moodledb.rejected_row WHERE run = $1",
			"DELETE FROM moodledb.run WHERE id = $1",
		} {
			if _, err := tx.tx.Exec(ctx, statement, id); err != nil {
				return err
			}
		}
		return tx.closeLedger(ctx)
	})
	return stepError(err, "remove run %d from the ledger", id)
}

// closeLedger drops the ledger when it is empty.
func (tx *Tx) closeLedger(ctx context.Context) error {
	if err := tx.Exec(ctx, "LOCK TABLE moodledb.run IN ACCESS EXCLUSIVE MODE"); err != nil {
		return err
	}
	var used bool
	err := tx.tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM moodledb.run)").Scan(&used)
	if err != nil || used {
		return err
	}
	err = tx.Exec(ctx, "DROP TABLE moodledb.run_chunk, moodledb.run_build, moodledb.run_table, moodledb.value_change, moodledb.rejected_row, moodledb.run")
	if err != nil {
		return err
	}
	home, err := tx.SchemaState(ctx, HomeSchema)
	if err != nil || !home.Empty() || !home.Owned {
		return err
	}
	return tx.Exec(ctx, DropEmptySchema(HomeSchema))
}
