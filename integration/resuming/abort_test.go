//go:build integration

package resuming

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
)

// halfway migrates until a table with that name is copied, and then stops.
func halfway(t *testing.T, p *rig.Pair, opts migrate.Options, until string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	plan, err := migrate.Make(ctx, p.Source, p.Target, opts)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Blocked() {
		t.Fatal(rig.Blocked(plan))
	}
	_, err = migrate.Run(ctx, p.Source, p.Target, plan, func(e migrate.Event) {
		if done, ok := e.(migrate.TableCopied); ok && done.Table == until {
			cancel()
		}
	})
	var stopped *migrate.StoppedError
	if !errors.As(err, &stopped) {
		t.Fatalf("the run did not stop: %v", err)
	}
}

// statusOf asks for the runs of the target as the command does.
func statusOf(t *testing.T, p *rig.Pair) []migrate.RunStatus {
	t.Helper()
	db, err := postgres.OpenReadOnly(t.Context(), rig.Parse(t, p.TargetURL))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	runs, err := migrate.Status(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// abortRefused fails the test unless an abort ends with an error that says so.
func abortRefused(t *testing.T, p *rig.Pair, opts migrate.AbortOptions, want ...string) {
	t.Helper()
	_, err := p.Abort(t, opts)
	if err == nil {
		t.Fatalf("abort %+v was not refused", opts)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("abort %+v: error %q, want one with %q", opts, err, w)
		}
	}
}

// twoSizes is a source whose big table is copied in a transaction of its own.
func twoSizes(t *testing.T) (*rig.Pair, migrate.Options) {
	t.Helper()
	site := rig.TinyCode(t, rig.Table("big", rig.Field("v", "text", "")), rig.Table("other", rig.Field("v", "text", "")))
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(),
		"CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))",
		"CREATE TABLE mdl_other (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))",
		"INSERT INTO mdl_big (v) SELECT REPEAT('x', 1000) FROM information_schema.collations a, information_schema.collations b LIMIT 20000",
		"INSERT INTO mdl_other (v) SELECT REPEAT('y', 1000) FROM information_schema.collations a, information_schema.collations b LIMIT 3000",
		"ANALYZE TABLE mdl_big", "ANALYZE TABLE mdl_other")
	return p, migrate.Options{Site: site, Jobs: 1}
}

func TestAbortStaged(t *testing.T) {
	p, opts := twoSizes(t)
	halfway(t, p, opts, "mdl_big")
	runs := statusOf(t, p)
	if len(runs) != 1 {
		t.Fatalf("%d runs", len(runs))
	}
	r := runs[0]
	if r.State != migrate.RunStopped || r.Mode != migrate.Staged || r.Rows < 20000 || r.Tables.All != 4 || r.Tables.Copied < 1 ||
		r.Fraction <= 0 || r.Fraction >= 1 || r.LeftKnown || !strings.Contains(r.Problem, "canceled") || r.Snapshot.How == "" || r.Ended.IsZero() {
		t.Errorf("status %+v", r)
	}
	plan, err := p.Abort(t, migrate.AbortOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Schema == "" || len(plan.Drop)+len(plan.Empty)+plan.Rebuild != 0 {
		t.Errorf("plan %+v", plan)
	}
	rig.Untouched(t, p)
	abortRefused(t, p, migrate.AbortOptions{}, "the target has no record of any")
	abortRefused(t, p, migrate.AbortOptions{Run: r.ID}, "there is no such run")
	// And the site can be migrated as if nothing had been.
	p.Migrate(t, opts)
	p.CompareAll(t, "public", "mdl_")
}

func TestAbortDirect(t *testing.T) {
	p, opts := twoSizes(t)
	p.TargetServer.Exec(t, p.TargetURL, `CREATE SCHEMA "My Site"`)
	opts.Schema = "My Site"
	halfway(t, p, opts, "mdl_big")
	p.TargetServer.Exec(t, p.TargetURL, `CREATE TABLE "My Site"."Mine" (id int)`, `INSERT INTO "My Site"."Mine" VALUES (1)`)
	plan, err := p.Abort(t, migrate.AbortOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Schema != "" || len(plan.Drop) != 4 || len(plan.Empty)+plan.Rebuild != 0 {
		t.Errorf("plan %+v", plan)
	}
	left := p.Strings(t, "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)' ORDER BY 1")
	if diff := cmp.Diff([]string{"My Site.Mine"}, left); diff != "" {
		t.Error(diff)
	}
	if n := p.Count(t, `SELECT count(*) FROM "My Site"."Mine"`); n != 1 {
		t.Errorf("%d rows in somebody else's table", n)
	}
}

// TestAbortDataOnly: the schema is again what it was, tables that were loaded
// are empty, and those that were not loaded are not touched.
func TestAbortDataOnly(t *testing.T) {
	p, opts := twoSizes(t)
	p.Migrate(t, opts)
	// The foreign key stands in the way of emptying; the index has a name that must be kept.
	p.TargetServer.Exec(t, p.TargetURL, `CREATE INDEX "My Index" ON mdl_big (length(v))`,
		"ALTER TABLE mdl_other ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES mdl_big (id)",
		"CREATE TABLE mdl_unknown (id int)", "INSERT INTO mdl_unknown VALUES (7)")
	before := rig.Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only", "--exclude-schema=moodledb"))
	finished := statusOf(t, p)[0]
	p.SourceServer.Exec(t, p.SourceURL, "CREATE TABLE mdl_added (id bigint NOT NULL AUTO_INCREMENT, PRIMARY KEY (id))", "INSERT INTO mdl_added VALUES (1)")
	halfway(t, p, migrate.Options{DataOnly: true, Truncate: true, Jobs: 1}, "mdl_big")

	runs := statusOf(t, p)
	if len(runs) != 2 || runs[0].State != migrate.RunStopped || runs[1].State != migrate.RunDone {
		t.Fatalf("runs %+v", runs)
	}
	abortRefused(t, p, migrate.AbortOptions{Run: finished.ID}, "has ended well", "--forget")
	plan, err := p.Abort(t, migrate.AbortOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Run.ID != runs[0].ID || !slices.Equal(plan.Drop, []string{"mdl_added"}) || !slices.Contains(plan.Empty, "mdl_big") || plan.Rebuild < 6 {
		t.Errorf("plan %+v", plan)
	}
	after := rig.Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only", "--exclude-schema=moodledb"))
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the schema is another one (-before +after):\n%s", diff)
	}
	for name, want := range map[string]int{"mdl_big": 0, "mdl_unknown": 1} {
		if n := p.Count(t, "SELECT count(*) FROM "+name); n != want {
			t.Errorf("%d rows in %s, want %d", n, name, want)
		}
	}
	if n := p.Count(t, "SELECT count(*) FROM pg_tables WHERE schemaname = 'moodledb' AND tablename = 'index_journal'"); n != 0 {
		t.Error("the journal is still there")
	}
	if _, err := p.Abort(t, migrate.AbortOptions{Run: finished.ID, Forget: true}); err != nil {
		t.Fatal(err)
	}
	if n := p.Count(t, "SELECT count(*) FROM pg_namespace WHERE nspname = 'moodledb'"); n != 0 {
		t.Error("the ledger is still there when nothing is in it")
	}
	p.Migrate(t, migrate.Options{DataOnly: true, Truncate: true})
	p.CompareAll(t, "public", "mdl_")
}

// writeLedger writes a run into the ledger as a run would.
func writeLedger(t *testing.T, p *rig.Pair, r postgres.RunRecord, tables ...postgres.TableRecord) int64 {
	t.Helper()
	if err := p.Target.OpenLedger(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Tool, r.Source, r.Prefix, r.Snapshot = "v0", "root@nowhere/moodle", "mdl_", []byte("{}")
	if r.Publish == "" {
		r.Publish = r.Load
	}
	id, err := p.Target.StartRun(t.Context(), r, tables)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func emptyPair(t *testing.T) *rig.Pair {
	t.Helper()
	return rig.Tiny(t, rig.FirstSource(), rig.FirstTarget())
}

// TestAbortOfOthers: what the run has not made is never dropped.
func TestAbortOfOthers(t *testing.T) {
	made := postgres.TableRecord{Table: "T", Made: true, Copies: true}
	t.Run("a staging schema without our mark", func(t *testing.T) {
		p := emptyPair(t)
		p.TargetServer.Exec(t, p.TargetURL, "CREATE SCHEMA loading", "CREATE TABLE loading.precious (id int)")
		id := writeLedger(t, p, postgres.RunRecord{Mode: "staged", Load: "loading", Publish: "public"})
		abortRefused(t, p, migrate.AbortOptions{}, `"loading" is not marked`, "--forget")
		p.Count(t, "SELECT count(*) FROM loading.precious")
		if _, err := p.Abort(t, migrate.AbortOptions{Run: id, Forget: true}); err != nil {
			t.Error(err)
		}
		p.Count(t, "SELECT count(*) FROM loading.precious")
	})
	t.Run("a table that holds rows which the run has not loaded", func(t *testing.T) {
		p := emptyPair(t)
		p.TargetServer.Exec(t, p.TargetURL, `CREATE TABLE "T" (id int)`, `INSERT INTO "T" VALUES (1)`)
		writeLedger(t, p, postgres.RunRecord{Mode: "direct", Load: "public"}, made)
		abortRefused(t, p, migrate.AbortOptions{}, `table "T" in schema "public"`, "someone else")
		if n := p.Count(t, `SELECT count(*) FROM "T"`); n != 1 {
			t.Error("the row is gone")
		}
		p.TargetServer.Exec(t, p.TargetURL, `DELETE FROM "T"`)
		if _, err := p.Abort(t, migrate.AbortOptions{}); err != nil {
			t.Error(err)
		}
		rig.Untouched(t, p)
	})
	t.Run("a run that began anew was killed before it dropped what it had loaded", func(t *testing.T) {
		p := emptyPair(t)
		p.TargetServer.Exec(t, p.TargetURL, `CREATE TABLE "T" (id int)`, `INSERT INTO "T" VALUES (1)`)
		id := writeLedger(t, p, postgres.RunRecord{Mode: "direct", Load: "public"}, made)
		attempt := postgres.Attempt{Tool: "v0", Snapshot: []byte("{}")}
		if err := p.Target.ResumeRun(t.Context(), id, attempt); err != nil {
			t.Fatal(err)
		}
		if err := p.Target.RestartRun(t.Context(), id, attempt, []postgres.TableRecord{made}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Abort(t, migrate.AbortOptions{}); err != nil {
			t.Error(err)
		}
		rig.Untouched(t, p)
	})
	t.Run("a later run has the schema", func(t *testing.T) {
		for _, later := range []postgres.RunRecord{{Mode: "direct", Load: "public"}, {Mode: "staged", Load: "loading", Publish: "public"}} {
			p := emptyPair(t)
			p.TargetServer.Exec(t, p.TargetURL, `CREATE TABLE "T" (id int)`, `INSERT INTO "T" VALUES (1)`)
			first := writeLedger(t, p, postgres.RunRecord{Mode: "direct", Load: "public"}, made)
			conn, err := p.Target.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.Exec(t.Context(), postgres.RecordCopied(first, "T", postgres.Copied{Rows: 1})); err != nil {
				t.Fatal(err)
			}
			conn.Release()
			second := writeLedger(t, p, later)
			if err := p.Target.SetRun(t.Context(), second, postgres.RunDone, ""); err != nil {
				t.Fatal(err)
			}
			abortRefused(t, p, migrate.AbortOptions{Run: second, Forget: true}, fmt.Sprintf("run %d into the same schema is unfinished", first))
			plan, err := p.Abort(t, migrate.AbortOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if !plan.OnlyRecords() || len(plan.Notes) != 1 {
				t.Errorf("plan %+v", plan)
			}
			if n := p.Count(t, `SELECT count(*) FROM "T"`); n != 1 {
				t.Error("the later run's row is gone")
			}
		}
	})
	t.Run("the schema is gone", func(t *testing.T) {
		p := emptyPair(t)
		writeLedger(t, p, postgres.RunRecord{Mode: "staged", Load: "loading", Publish: "public"})
		if _, err := p.Abort(t, migrate.AbortOptions{}); err != nil {
			t.Error(err)
		}
		rig.Untouched(t, p)
	})
	t.Run("several unfinished runs", func(t *testing.T) {
		p := emptyPair(t)
		first := writeLedger(t, p, postgres.RunRecord{Mode: "staged", Load: "one", Publish: "public"})
		second := writeLedger(t, p, postgres.RunRecord{Mode: "staged", Load: "two", Publish: "public"})
		abortRefused(t, p, migrate.AbortOptions{}, fmt.Sprintf("several runs are unfinished: %d %d; name one with --run", second, first))
		for _, id := range []int64{first, second} {
			if _, err := p.Abort(t, migrate.AbortOptions{Run: id}); err != nil {
				t.Error(err)
			}
		}
		rig.Untouched(t, p)
	})
}

// TestAbortWhileRunning: a living run is left alone, whoever asks.
func TestAbortWhileRunning(t *testing.T) {
	p := emptyPair(t)
	if err := p.Target.CreateStaging(t.Context(), "loading", "public", postgres.Staging{Source: "x"}); err != nil {
		t.Fatal(err)
	}
	id := writeLedger(t, p, postgres.RunRecord{Mode: "staged", Load: "loading", Publish: "public"})
	plan, err := migrate.PlanAbort(t.Context(), p.Target, migrate.AbortOptions{})
	if err != nil {
		t.Fatal(err)
	}
	hold, err := p.Target.HoldSchema(t.Context(), "loading")
	if err != nil {
		t.Fatal(err)
	}
	if runs := statusOf(t, p); runs[0].State != migrate.RunRunning || !runs[0].Preparing {
		t.Errorf("status %+v", runs[0])
	}
	want := fmt.Sprintf("run %d: it is being worked on", id)
	abortRefused(t, p, migrate.AbortOptions{}, want)
	abortRefused(t, p, migrate.AbortOptions{Run: id, Forget: true}, want)
	// One that was planned before the run went on.
	if err := migrate.Abort(t.Context(), p.Target, plan, migrate.AbortOptions{}, nil); !errors.Is(err, migrate.ErrRunning) || !strings.Contains(err.Error(), "(session ") {
		t.Errorf("error %v", err)
	}
	hold.Release(t.Context())
	if err := migrate.Abort(t.Context(), p.Target, plan, migrate.AbortOptions{}, nil); err != nil {
		t.Error(err)
	}
	rig.Untouched(t, p)
}

// TestAbortRights: what is missing is said before anything is dropped.
func TestAbortRights(t *testing.T) {
	p := emptyPair(t)
	database := postgres.QuoteIdent(p.Target.Server().Database)
	reader := p.TargetServer.Role(t, "Reader", p.TargetURL)
	loader := p.TargetServer.Role(t, "Loader", p.TargetURL)
	p.TargetServer.Exec(t, p.TargetURL, "GRANT CREATE ON DATABASE "+database+` TO "Loader"`)
	own := *p
	own.TargetURL = loader
	own.Open(t)
	if err := own.Target.CreateStaging(t.Context(), "loading", "public", postgres.Staging{Source: "x"}); err != nil {
		t.Fatal(err)
	}
	writeLedger(t, &own, postgres.RunRecord{Mode: "staged", Load: "loading", Publish: "public"})

	other := *p
	other.TargetURL = reader
	other.Open(t)
	grant := `GRANT USAGE ON SCHEMA moodledb TO "Reader"; GRANT SELECT ON ALL TABLES IN SCHEMA moodledb TO "Reader"`
	_, err := migrate.Status(t.Context(), other.Target)
	if err == nil || !strings.Contains(err.Error(), grant) || !strings.Contains(err.Error(), `let "Loader" run`) {
		t.Fatalf("status without rights: %v", err)
	}
	abortRefused(t, &other, migrate.AbortOptions{}, grant)
	p.TargetServer.Exec(t, p.TargetURL, strings.Split(grant, "; ")...)
	if runs := statusOf(t, &other); len(runs) != 1 {
		t.Errorf("runs %+v", runs)
	}
	abortRefused(t, &other, migrate.AbortOptions{}, `GRANT "Loader" TO "Reader"`)
	// The schema is given away: its run's role may not drop it any more.
	p.TargetServer.Exec(t, p.TargetURL, "ALTER SCHEMA loading OWNER TO moodle")
	abortRefused(t, &own, migrate.AbortOptions{}, `belongs to the role "moodle"`, `GRANT "moodle" TO "Loader"`)
	p.TargetServer.Exec(t, p.TargetURL, `ALTER SCHEMA loading OWNER TO "Loader"`)
	if _, err := own.Abort(t, migrate.AbortOptions{}); err != nil {
		t.Error(err)
	}
	p.TargetServer.Exec(t, p.TargetURL, "REVOKE CREATE ON DATABASE "+database+` FROM "Loader"`)
}

// TestLedgerOfOthers: a schema, a table or a layout that is not ours.
func TestLedgerOfOthers(t *testing.T) {
	for _, tc := range []struct {
		name       string
		statements []string
		want       string
	}{
		{"a schema with nothing in it", []string{"CREATE SCHEMA moodledb"}, ""},
		{"a schema with other tables", []string{"CREATE SCHEMA moodledb", "CREATE TABLE moodledb.runs (id int)"}, ""},
		{"a table of that name", []string{"CREATE SCHEMA moodledb", "CREATE TABLE moodledb.run (id int)"}, "is not moodledb's"},
		{"a view of that name", []string{"CREATE SCHEMA moodledb", "CREATE VIEW moodledb.run AS SELECT 1 AS id"}, "is not moodledb's"},
		{"another layout", []string{
			"CREATE SCHEMA moodledb", "CREATE TABLE moodledb.run (id int)",
			"COMMENT ON TABLE moodledb.run IS 'moodledb ledger, layout 9: something new'",
		}, "of another version of moodledb"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := emptyPair(t)
			p.TargetServer.Exec(t, p.TargetURL, tc.statements...)
			runs, err := migrate.Status(t.Context(), p.Target)
			if tc.want == "" && (err != nil || len(runs) != 0) {
				t.Errorf("status: %+v, %v", runs, err)
			}
			if tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("status: %v, want an error with %q", err, tc.want)
			}
			if _, err := p.Abort(t, migrate.AbortOptions{}); err == nil {
				t.Error("abort found something to do")
			}
		})
	}
}

// TestAbortInterrupted: an abort that is interrupted at any step can be given again.
func TestAbortInterrupted(t *testing.T) {
	p, opts := twoSizes(t)
	p.Migrate(t, opts)
	if _, err := p.Abort(t, migrate.AbortOptions{Run: statusOf(t, p)[0].ID, Forget: true}); err != nil {
		t.Fatal(err)
	}
	p.SourceServer.Exec(t, p.SourceURL, "CREATE TABLE mdl_added (id bigint NOT NULL AUTO_INCREMENT, PRIMARY KEY (id))", "INSERT INTO mdl_added VALUES (1)")
	before := rig.Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only"))
	halfway(t, p, migrate.Options{DataOnly: true, Truncate: true, Jobs: 1}, "mdl_big")
	for stop := 1; ; stop++ {
		plan, err := migrate.PlanAbort(t.Context(), p.Target, migrate.AbortOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		events := 0
		err = migrate.Abort(ctx, p.Target, plan, migrate.AbortOptions{}, func(migrate.Event) {
			if events++; events == stop {
				cancel()
			}
		})
		cancel()
		if err == nil {
			break
		}
		if !strings.Contains(err.Error(), "still in the ledger: abort it again") {
			t.Errorf("interrupted at event %d: %v", stop, err)
		}
		if stop > 20 {
			t.Fatal("it never ends")
		}
	}
	if diff := cmp.Diff(before, rig.Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only"))); diff != "" {
		t.Errorf("the schema is another one (-before +after):\n%s", diff)
	}
	if n := p.Count(t, "SELECT (SELECT count(*) FROM mdl_big) + (SELECT count(*) FROM mdl_other)"); n != 0 && n != 3000 {
		t.Errorf("%d rows are left", n)
	}
}

// TestAbortWhileTheServerStillWorks: the session of a killed run that builds an
// index, and does not notice, is ended.
func TestAbortWhileTheServerStillWorks(t *testing.T) {
	p := emptyPair(t)
	if err := p.Target.CreateStaging(t.Context(), "loading", "public", postgres.Staging{Source: "x"}); err != nil {
		t.Fatal(err)
	}
	writeLedger(t, p, postgres.RunRecord{Mode: "staged", Load: "loading", Publish: "public"})
	p.TargetServer.Exec(t, p.TargetURL, "CREATE TABLE loading.t (id int)")
	conn, err := p.Target.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Exec(t.Context(), "BEGIN; CREATE INDEX i ON loading.t (id)"); err != nil {
		t.Fatal(err)
	}
	other := *p
	other.Open(t)
	began := time.Now()
	if _, err := other.Abort(t, migrate.AbortOptions{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	conn.Release()
	rig.Untouched(t, p)
}
