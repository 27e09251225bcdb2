//go:build integration

package rig

import (
	"context"
	"errors"
	"maps"
	"testing"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
)

// Standing is how far the target's ledger has a run.
type Standing struct {
	run            postgres.RunRecord
	Contents       postgres.RunContents
	Chunks, Done   int
	Copied         []string
	schema         string
	Transactions   map[string]int
	unfinishedRows int64
}

// Stop migrates until stop holds, and returns how far that came.
func (p *Pair) Stop(t *testing.T, opts migrate.Options, at func(migrate.Event) bool) Standing {
	t.Helper()
	w := p.Attempt(t, opts, at)
	Stopped(t, p, w.Err)
	if !errors.Is(w.Err, context.Canceled) {
		t.Fatalf("the run ended before it was stopped: %v", w.Err)
	}
	return p.Standing(t)
}

// Standing looks at the last run.
func (p *Pair) Standing(t *testing.T) Standing {
	t.Helper()
	out := Standing{run: LastRun(t, p)}
	db := Reopened(t, p)
	defer db.Close()
	var err error
	if out.Contents, err = db.RunContents(t.Context(), out.run.ID); err != nil {
		t.Fatal(err)
	}
	for _, c := range out.Contents.Chunks {
		out.Chunks++
		if c.Done {
			out.Done++
			out.unfinishedRows += c.Rows
		}
	}
	for _, table := range out.Contents.Tables {
		if table.State != postgres.TableWaiting && table.Copies {
			out.Copied = append(out.Copied, table.Table)
		}
	}
	out.schema = out.run.Load
	if out.run.State == postgres.RunDone {
		out.schema = out.run.Publish
	}
	out.Transactions = p.transactions(t, out.schema)
	return out
}

// transactions are the numbers of the transactions that have written the rows of
// a schema, with the tables and how many rows each wrote: a row that is copied
// anew has another one.
func (p *Pair) transactions(t *testing.T, schema string) map[string]int {
	t.Helper()
	all := map[string]int{}
	db := p.TargetServer.SQL(t, p.TargetURL)
	for _, table := range p.Strings(t, "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = $1", schema) {
		rows, err := db.QueryContext(t.Context(), "SELECT xmin::text, count(*) FROM "+postgres.QuoteIdent(schema)+"."+table+" GROUP BY 1")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var number string
			var n int
			if err := rows.Scan(&number, &n); err != nil {
				t.Fatal(err)
			}
			all[table+" "+number] = n
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
	}
	return all
}

// Kept fails the test unless all rows that were there before are there still,
// and were not copied again.
func (p *Pair) Kept(t *testing.T, before Standing, w *Attempt) {
	t.Helper()
	now := p.Standing(t)
	for key, n := range before.Transactions {
		if now.Transactions[key] != n {
			t.Errorf("%s: %d rows are left of %d that were copied before the run was resumed", key, now.Transactions[key], n)
		}
	}
	for _, table := range before.Copied {
		if w.Started[table] > 0 {
			t.Errorf("table %s was copied, and copied again", table)
		}
		if !w.Resumed[table].Copied {
			t.Errorf("table %s was copied, and the resumed run says %+v", table, w.Resumed[table])
		}
	}
	if s := w.Result.Snapshot; s.Resumed == "" || !w.Said("is kept") && !w.Said("user's word") {
		t.Errorf("it is not said that what was loaded is kept: %q, notices %q", s.Resumed, w.Notices)
	}
}

// Anew fails the test unless nothing that was there before is there still.
func (p *Pair) Anew(t *testing.T, before Standing, w *Attempt) {
	t.Helper()
	now := p.Standing(t)
	for key := range before.Transactions {
		if now.Transactions[key] > 0 {
			t.Errorf("%s: %d rows that were copied before are left", key, now.Transactions[key])
		}
	}
	if len(w.Resumed) > 0 {
		t.Errorf("tables were taken over: %v", maps.Collect(maps.All(w.Resumed)))
	}
	if !w.Said("everything is copied anew") || w.Result.Snapshot.Resumed != "" || w.Result.Snapshot.Trusted {
		t.Errorf("it is not said that everything is copied anew: notices %q, snapshot %+v", w.Notices, w.Result.Snapshot)
	}
}

// Whole fails the test unless the published schema is the source, cell by cell,
// with nothing of the load left on its tables, and nothing had to be waited for.
func (p *Pair) Whole(t *testing.T, w *Attempt) {
	t.Helper()
	if len(w.retries) > 0 {
		t.Errorf("tried again: %q", w.retries)
	}
	schema := w.Result.Schema
	tables, rows := p.CompareAll(t, schema, "mdl_")
	gotTables, gotRows, _ := w.Result.Totals()
	if gotTables != tables || gotRows != int64(rows) {
		t.Errorf("the result says %d tables and %d rows, the source has %d and %d", gotTables, gotRows, tables, rows)
	}
	if n := p.Count(t, "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($1) AND reloptions IS NOT NULL", postgres.QuoteIdent(schema)); n != 0 {
		t.Errorf("%d relations have storage parameters of the load", n)
	}
	if n := p.Count(t, "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = to_regnamespace($1)", postgres.QuoteIdent(schema)); n != w.Result.Indexes {
		t.Errorf("the result says %d keys and indexes, there are %d", w.Result.Indexes, n)
	}
	run := LastRun(t, p)
	if run.State != postgres.RunDone || run.ID != w.Result.Run || run.Attempts != w.Result.Attempts || run.Problem != "" {
		t.Errorf("the ledger has %+v, the result run %d after %d attempts", run, w.Result.Run, w.Result.Attempts)
	}
}
