//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/xmldb"
)

// This file has what tests of resumed runs share: a source, a way to stop a run
// at a place that is always the same, and a look at what a resumed run copied.

// resumeTables are the statements for a source whose tables travel in every way:
// in parts by several kinds of keys, as a whole, and together with other small
// ones. Statistics are gathered here, and never later: that would count as a write.
func resumeTables() []string {
	grown := func(table, columns, seed, next string, doublings int) []string {
		list := []string{"INSERT INTO " + table + " (" + columns + ") VALUES (" + seed + ")"}
		for range doublings {
			list = append(list, "INSERT INTO "+table+" ("+columns+") SELECT "+next+" FROM "+table)
		}
		return append(list, "ANALYZE TABLE "+table)
	}
	odd := mysql.QuoteIdent(oddTable)
	const still = " ENGINE=InnoDB STATS_AUTO_RECALC=0"
	list := []string{
		"CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT, n bigint NOT NULL DEFAULT 0, v longtext, PRIMARY KEY (id), KEY kn (n))" + still,
		"CREATE TABLE " + odd + " (word varchar(60) NOT NULL, meaning varchar(200), PRIMARY KEY (word))" + still,
		"CREATE TABLE mdl_nokey (a bigint NOT NULL, v varchar(250))" + still,
		"CREATE TABLE mdl_child (id bigint NOT NULL AUTO_INCREMENT, big bigint, PRIMARY KEY (id), CONSTRAINT child_big FOREIGN KEY (big) REFERENCES mdl_big (id))" + still,
		"SET @n = 0",
	}
	list = append(list, grown("mdl_big", "n, v", "1, REPEAT('Ünï ', 60)", "n * 7 % 1000 + 1, CONCAT(SHA2(id, 256), REPEAT('Ünï ', 60))", 12)...)
	list = append(list, grown(odd, "word, meaning", "'é', REPEAT('m', 150)", "CONCAT(LEFT(SHA2(word, 256), 32), (@n := @n + 1)), meaning", 11)...)
	list = append(list, grown("mdl_nokey", "a, v", "1, REPEAT('k', 220)", "a + 1, v", 12)...)
	list = append(list, "INSERT INTO mdl_child (big) SELECT id FROM mdl_big LIMIT 100")
	for i := range 8 {
		list = append(list, fmt.Sprintf("CREATE TABLE mdl_small_%d (id bigint NOT NULL AUTO_INCREMENT, name varchar(40), PRIMARY KEY (id), KEY kn (name))", i)+still,
			fmt.Sprintf("INSERT INTO mdl_small_%d (name) VALUES ('a'), ('b'), (NULL)", i))
	}
	for _, name := range []string{"child", "config", "config_plugins"} {
		list = append(list, "ALTER TABLE mdl_"+name+" STATS_AUTO_RECALC=0", "ANALYZE TABLE mdl_"+name)
	}
	return list
}

// oddTable is a name that breaks whatever does not quote it.
const oddTable = "mdl_Wörd's \"odd\" %d \\name"

// resumeCode declares some of these tables.
func resumeCode(t *testing.T) *xmldb.Site {
	t.Helper()
	return tinyCode(t,
		table("big", field("n", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`), field("v", "text", "")),
		table("small_0", field("name", "char", `LENGTH="40" NOTNULL="false"`)))
}

// resumeSource is a pair whose source is filled.
func resumeSource(t *testing.T, source *testdb.Server, target string) *pair {
	t.Helper()
	p := &pair{sourceServer: source, targetServer: testdb.Get(t, target)}
	p.sourceURL, p.targetURL = source.Database(t), p.targetServer.Database(t)
	p.roleMoodle(t)
	source.Exec(t, p.sourceURL, append(tinyTables(), resumeTables()...)...)
	p.open(t)
	return p
}

// withTarget is the same source with another, empty target.
func (p *pair) withTarget(t *testing.T) *pair {
	t.Helper()
	q := *p
	q.targetURL = p.targetServer.Database(t)
	q.target = reopened(t, &q)
	return &q
}

// attempt is what a run told while it ran.
type attempt struct {
	result *migrate.Result
	err    error
	// resumed are the tables of which something was there, started those that were copied.
	resumed map[string]migrate.TableResumed
	started map[string]int
	copied  []string
	notices []string
	// retries are what was waited for and tried again.
	retries []string
}

// said reports whether a notice holds a text.
func (w *attempt) said(text string) bool {
	return strings.Contains(strings.Join(w.notices, "\n"), text)
}

// attempt plans and runs, and ends the run at the first event for which stop holds.
func (p *pair) attempt(t *testing.T, opts migrate.Options, stop func(migrate.Event) bool) *attempt {
	t.Helper()
	w := &attempt{resumed: map[string]migrate.TableResumed{}, started: map[string]int{}}
	plan, err := migrate.Make(t.Context(), p.source, p.target, opts)
	if err != nil {
		w.err = err
		return w
	}
	if plan.Blocked() {
		w.err = blocked(plan)
		return w
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.result, w.err = migrate.Run(ctx, p.source, p.target, plan, func(e migrate.Event) {
		switch e := e.(type) {
		case migrate.TableResumed:
			w.resumed[e.Table] = e
		case migrate.TableStarted:
			w.started[e.Table]++
		case migrate.TableCopied:
			w.copied = append(w.copied, e.Table)
		case migrate.Notice:
			w.notices = append(w.notices, e.Message)
		case migrate.Retrying:
			w.retries = append(w.retries, fmt.Sprintf("%s: %v", e.What, e.Err))
		}
		if stop != nil && stop(e) {
			cancel()
		}
	})
	return w
}

// halfOfBig holds when half of the largest table has been read.
func halfOfBig(e migrate.Event) bool {
	p, ok := e.(migrate.TableProgress)
	return ok && p.Table == "mdl_big" && p.Rows >= 2048
}

// firstCopied holds when the first table is copied.
func firstCopied(e migrate.Event) bool {
	_, ok := e.(migrate.TableCopied)
	return ok
}

// atStep holds when a step begins.
func atStep(name string) func(migrate.Event) bool {
	return func(e migrate.Event) bool {
		s, ok := e.(migrate.StepStarted)
		return ok && s.Name == name
	}
}

// standing is how far the target's ledger has a run.
type standing struct {
	run            postgres.RunRecord
	contents       postgres.RunContents
	chunks, done   int
	copied         []string
	schema         string
	transactions   map[string]int
	unfinishedRows int64
}

// stop migrates until stop holds, and returns how far that came.
func (p *pair) stop(t *testing.T, opts migrate.Options, at func(migrate.Event) bool) standing {
	t.Helper()
	w := p.attempt(t, opts, at)
	stopped(t, p, w.err)
	if !errors.Is(w.err, context.Canceled) {
		t.Fatalf("the run ended before it was stopped: %v", w.err)
	}
	return p.standing(t)
}

// standing looks at the last run.
func (p *pair) standing(t *testing.T) standing {
	t.Helper()
	out := standing{run: lastRun(t, p)}
	db := reopened(t, p)
	defer db.Close()
	var err error
	if out.contents, err = db.RunContents(t.Context(), out.run.ID); err != nil {
		t.Fatal(err)
	}
	for _, c := range out.contents.Chunks {
		out.chunks++
		if c.Done {
			out.done++
			out.unfinishedRows += c.Rows
		}
	}
	for _, table := range out.contents.Tables {
		if table.State != postgres.TableWaiting && table.Copies {
			out.copied = append(out.copied, table.Table)
		}
	}
	out.schema = out.run.Load
	if out.run.State == postgres.RunDone {
		out.schema = out.run.Publish
	}
	out.transactions = p.transactions(t, out.schema)
	return out
}

// transactions are the numbers of the transactions that have written the rows of
// a schema, with the tables and how many rows each wrote: a row that is copied
// anew has another one.
func (p *pair) transactions(t *testing.T, schema string) map[string]int {
	t.Helper()
	all := map[string]int{}
	db := p.targetServer.SQL(t, p.targetURL)
	for _, table := range p.strings(t, "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = $1", schema) {
		rows, err := db.Query("SELECT xmin::text, count(*) FROM " + postgres.QuoteIdent(schema) + "." + table + " GROUP BY 1")
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

// kept fails the test unless all rows that were there before are there still,
// and were not copied again.
func (p *pair) kept(t *testing.T, before standing, w *attempt) {
	t.Helper()
	now := p.standing(t)
	for key, n := range before.transactions {
		if now.transactions[key] != n {
			t.Errorf("%s: %d rows are left of %d that were copied before the run was resumed", key, now.transactions[key], n)
		}
	}
	for _, table := range before.copied {
		if w.started[table] > 0 {
			t.Errorf("table %s was copied, and copied again", table)
		}
		if !w.resumed[table].Copied {
			t.Errorf("table %s was copied, and the resumed run says %+v", table, w.resumed[table])
		}
	}
	if s := w.result.Snapshot; s.Resumed == "" || !w.said("is kept") && !w.said("user's word") {
		t.Errorf("it is not said that what was loaded is kept: %q, notices %q", s.Resumed, w.notices)
	}
}

// anew fails the test unless nothing that was there before is there still.
func (p *pair) anew(t *testing.T, before standing, w *attempt) {
	t.Helper()
	now := p.standing(t)
	for key := range before.transactions {
		if now.transactions[key] > 0 {
			t.Errorf("%s: %d rows that were copied before are left", key, now.transactions[key])
		}
	}
	if len(w.resumed) > 0 {
		t.Errorf("tables were taken over: %v", maps.Collect(maps.All(w.resumed)))
	}
	if !w.said("everything is copied anew") || w.result.Snapshot.Resumed != "" || w.result.Snapshot.Trusted {
		t.Errorf("it is not said that everything is copied anew: notices %q, snapshot %+v", w.notices, w.result.Snapshot)
	}
}

// whole fails the test unless the published schema is the source, cell by cell,
// with nothing of the load left on its tables, and nothing had to be waited for.
func (p *pair) whole(t *testing.T, w *attempt) {
	t.Helper()
	if len(w.retries) > 0 {
		t.Errorf("tried again: %q", w.retries)
	}
	schema := w.result.Schema
	tables, rows := p.compareAll(t, schema, "mdl_")
	gotTables, gotRows, _ := w.result.Totals()
	if gotTables != tables || gotRows != int64(rows) {
		t.Errorf("the result says %d tables and %d rows, the source has %d and %d", gotTables, gotRows, tables, rows)
	}
	if n := p.count(t, "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($1) AND reloptions IS NOT NULL", postgres.QuoteIdent(schema)); n != 0 {
		t.Errorf("%d relations have storage parameters of the load", n)
	}
	if n := p.count(t, "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = to_regnamespace($1)", postgres.QuoteIdent(schema)); n != w.result.Indexes {
		t.Errorf("the result says %d keys and indexes, there are %d", w.result.Indexes, n)
	}
	run := lastRun(t, p)
	if run.State != postgres.RunDone || run.ID != w.result.Run || run.Attempts != w.result.Attempts || run.Problem != "" {
		t.Errorf("the ledger has %+v, the result run %d after %d attempts", run, w.result.Run, w.result.Attempts)
	}
}
