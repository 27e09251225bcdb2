package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/fingerprint"
)

// selectRuns lists the runs of the ledger. A living run holds an advisory lock
// on the schema that it loads: see [DB.HoldSchema].
const selectRuns = `
SELECT r.id, r.state, r.tool, r.mode, r.source, r.prefix, r.load_schema, r.publish_schema, r.owner, r.digest,
       r.attempts, r.snapshot::text, r.verify, r.problem, r.started_at, r.resumed_at, coalesce(r.ended_at, 'epoch'),
       r.state <> 'done' AND EXISTS (
           SELECT FROM pg_locks l
           JOIN pg_namespace n ON l.objid = (n.oid::bigint % 2147483647)::oid
           WHERE l.locktype = 'advisory' AND l.granted AND n.nspname = r.load_schema AND l.classid = $1 AND l.objsubid = 2
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
FROM moodledb.run r
ORDER BY r.id DESC`

// Runs lists the runs that the ledger has, the last one first; none when there is no ledger.
func (db *DB) Runs(ctx context.Context) ([]RunRecord, error) {
	var all []RunRecord
	err := db.Transact(ctx, func(tx *Tx) error {
		layout, err := tx.ledger(ctx)
		if err != nil || layout == "" {
			return err
		}
		var (
			r        RunRecord
			snapshot string
		)
		return forEach(ctx, tx.tx, selectRuns, []any{uint32(holdClass)}, []any{
			&r.ID, &r.State, &r.Tool, &r.Mode, &r.Source, &r.Prefix, &r.Load, &r.Publish, &r.Owner, &r.Digest,
			&r.Attempts, &snapshot, &r.Verify, &r.Problem, &r.Started, &r.Resumed, &r.Ended, &r.Held,
		}, func() error {
			r.Snapshot = []byte(snapshot)
			if r.Ended.Unix() == 0 {
				r.Ended = time.Time{}
			}
			all = append(all, r)
			return nil
		})
	})
	return all, stepError(err, "read the ledger of runs")
}

// RunContents is what the ledger has of one run.
type RunContents struct {
	// Tables are in the order of their names; Chunks in that of their numbers.
	Tables []TableRecord
	Chunks []ChunkRecord
	Builds []BuildRecord
}

// RunContents reads the tables, chunks and builds of a run.
func (db *DB) RunContents(ctx context.Context, id int64) (RunContents, error) {
	var out RunContents
	err := db.Transact(ctx, func(tx *Tx) error {
		// One moment for all three.
		if err := tx.Exec(ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
			return err
		}
		var err error
		if out.Tables, err = tx.tableRecords(ctx, id); err == nil {
			out.Chunks, err = tx.chunkRecords(ctx, id)
		}
		if err == nil {
			out.Builds, err = tx.buildRecords(ctx, id)
		}
		return err
	})
	return out, stepError(err, "read run %d from the ledger", id)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// parseSum reads a fingerprint; nothing is that of no rows.
func parseSum(text string) (fingerprint.Sum, error) {
	if text == "" {
		return fingerprint.Sum{}, nil
	}
	return fingerprint.Parse(text)
}

func (tx *Tx) tableRecords(ctx context.Context, id int64) ([]TableRecord, error) {
	const query = `
SELECT table_name, source_name, digest, made, copies, indexes, estimated_rows, estimated_bytes, state,
       copied_rows, copied_bytes, copy_seconds, next_value, changed_values, rejected_rows, sum, verify_seconds
FROM moodledb.run_table
WHERE run = $1
ORDER BY table_name`
	var (
		t           TableRecord
		took, again float64
		sum         string
		all         []TableRecord
	)
	err := forEach(ctx, tx.tx, query, []any{id}, []any{
		&t.Table, &t.Source, &t.Digest, &t.Made, &t.Copies, &t.Indexes, &t.EstimatedRows, &t.EstimatedBytes, &t.State,
		&t.Rows, &t.Bytes, &took, &t.NextValue, &t.Changed, &t.Rejected, &sum, &again,
	}, func() (err error) {
		t.CopyTime, t.VerifyTime = seconds(took), seconds(again)
		t.Sum, err = parseSum(sum)
		all = append(all, t)
		return stepError(err, "table %q", t.Table)
	})
	return all, err
}

func (tx *Tx) chunkRecords(ctx context.Context, id int64) ([]ChunkRecord, error) {
	const query = `
SELECT id, table_name, lower_bound, upper_bound, estimated_rows, estimated_bytes, done,
       copied_rows, copied_bytes, copy_seconds, changed_values, rejected_rows, sum
FROM moodledb.run_chunk
WHERE run = $1
ORDER BY id`
	var (
		c    ChunkRecord
		took float64
		sum  string
		all  []ChunkRecord
	)
	err := forEach(ctx, tx.tx, query, []any{id}, []any{
		&c.ID, &c.Table, &c.Lower, &c.Upper, &c.EstimatedRows, &c.EstimatedBytes, &c.Done,
		&c.Rows, &c.Bytes, &took, &c.Changed, &c.Rejected, &sum,
	}, func() (err error) {
		c.CopyTime = seconds(took)
		c.Sum, err = parseSum(sum)
		all = append(all, c)
		c.Lower, c.Upper = nil, nil
		return stepError(err, "chunk %d of table %q", c.ID, c.Table)
	})
	return all, err
}

func (tx *Tx) buildRecords(ctx context.Context, id int64) ([]BuildRecord, error) {
	var (
		b    BuildRecord
		took float64
		all  []BuildRecord
	)
	const query = "SELECT table_name, name, seconds FROM moodledb.run_build WHERE run = $1 ORDER BY table_name, name"
	err := forEach(ctx, tx.tx, query, []any{id}, []any{&b.Table, &b.Name, &took}, func() error {
		b.Elapsed = seconds(took)
		all = append(all, b)
		return nil
	})
	return all, err
}

// SaveChunks records into which parts a table is divided.
func (db *DB) SaveChunks(ctx context.Context, run int64, chunks []ChunkRecord) error {
	err := db.Transact(ctx, func(tx *Tx) error { return tx.insertChunks(ctx, run, chunks) })
	return stepError(err, "record the chunks")
}

// ReplaceChunk records that a part that nobody has copied is divided further,
// and returns the parts with their numbers.
func (db *DB) ReplaceChunk(ctx context.Context, run int64, old ChunkRecord, parts []ChunkRecord) ([]ChunkRecord, error) {
	err := db.Transact(ctx, func(tx *Tx) error {
		if _, err := tx.tx.Exec(ctx, "DELETE FROM moodledb.run_chunk WHERE id = $1 AND NOT done", old.ID); err != nil {
			return err
		}
		return tx.insertChunks(ctx, run, parts)
	})
	return parts, stepError(err, "divide a chunk of table %q", old.Table)
}

// insertChunks writes chunks and fills in their numbers.
func (tx *Tx) insertChunks(ctx context.Context, run int64, chunks []ChunkRecord) error {
	const insert = `
INSERT INTO moodledb.run_chunk (run, table_name, lower_bound, upper_bound, estimated_rows, estimated_bytes)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id`
	batch := &pgx.Batch{}
	for i := range chunks {
		c := &chunks[i]
		batch.Queue(insert, run, c.Table, c.Lower, c.Upper, c.EstimatedRows, c.EstimatedBytes).
			QueryRow(func(row pgx.Row) error { return row.Scan(&c.ID) })
	}
	if batch.Len() == 0 {
		return nil
	}
	return tx.tx.SendBatch(ctx, batch).Close()
}
