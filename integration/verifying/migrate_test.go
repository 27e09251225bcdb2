//go:build integration

package verifying

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
)

// migrateWith plans and runs, and passes events on.
func migrateWith(t *testing.T, p *rig.Pair, opts migrate.Options, events func(migrate.Event)) (*migrate.Result, error) {
	t.Helper()
	plan, err := migrate.Make(t.Context(), p.Source, p.Target, opts)
	if err == nil && plan.Blocked() {
		err = rig.Blocked(plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	return migrate.Run(t.Context(), p.Source, p.Target, plan, events)
}

// verifyTables are the statements for a source with a table of every kind of key.
func verifyTables() []string {
	return append(rig.TinyTables(),
		"CREATE TABLE mdl_one (id bigint NOT NULL AUTO_INCREMENT, a varchar(40), b longtext, n decimal(10,5), PRIMARY KEY (id))",
		"INSERT INTO mdl_one (a, b, n) VALUES ('x', 'first', 1.5), ('', 'second', NULL), (NULL, '', 0), ('y ', REPEAT('z', 9000), -2)",
		"CREATE TABLE mdl_two (course bigint NOT NULL, user bigint NOT NULL, a varchar(40), PRIMARY KEY (course, user))",
		"INSERT INTO mdl_two VALUES (1, 1, 'a'), (1, 2, 'b'), (2, 1, 'c')",
		"CREATE TABLE mdl_word (word varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL, a varchar(40), PRIMARY KEY (word))",
		"INSERT INTO mdl_word VALUES ('eins', 'a'), ('Zwei', 'b'), ('drei', 'c')",
		"CREATE TABLE mdl_none (a varchar(40), b bigint)",
		"INSERT INTO mdl_none VALUES ('a', 1), ('a', 1), ('b', 2), (NULL, 3)",
		"CREATE TABLE mdl_log (id bigint NOT NULL AUTO_INCREMENT, a varchar(40), b longtext, PRIMARY KEY (id), KEY log_a (a)) STATS_AUTO_RECALC=0",
		"INSERT INTO mdl_log (a, b) VALUES ('log', REPEAT('l', 900))",
		"INSERT INTO mdl_log (a, b) SELECT a, b FROM mdl_log", "INSERT INTO mdl_log (a, b) SELECT a, b FROM mdl_log", "INSERT INTO mdl_log (a, b) SELECT a, b FROM mdl_log",
		"INSERT INTO mdl_log (a, b) SELECT a, b FROM mdl_log", "INSERT INTO mdl_log (a, b) SELECT a, b FROM mdl_log", "INSERT INTO mdl_log (a, b) SELECT a, b FROM mdl_log",
		"INSERT INTO mdl_log (a, b) SELECT a, b FROM mdl_log", "INSERT INTO mdl_log (a, b) SELECT a, b FROM mdl_log", "INSERT INTO mdl_log (a, b) SELECT a, b FROM mdl_log",
		"INSERT INTO mdl_log (a, b) SELECT a, b FROM mdl_log", "UPDATE mdl_log SET a = CONCAT(a, id)", "ANALYZE TABLE mdl_log",
	)
}

// checkVerified fails the test unless every table of a run was verified and
// counted, and the ledger says the same.
func checkVerified(t *testing.T, p *rig.Pair, result *migrate.Result) {
	t.Helper()
	tables, rows, sent := result.Totals()
	v := result.Verified()
	if v.Tables != tables || v.Rows != rows || v.Bytes != sent || v.Counted != tables || result.Verify != migrate.VerifyAll {
		t.Errorf("verified %+v of %d tables, %d rows, %d bytes", v, tables, rows, sent)
	}
	have, err := p.Target.RunContents(t.Context(), result.Run)
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]postgres.TableRecord{}
	for _, r := range have.Tables {
		records[r.Table] = r
	}
	for _, x := range result.Tables {
		r := records[x.Name]
		want := postgres.TableDone
		if x.Copied {
			want = postgres.TableVerified
		}
		if r.State != want || r.Sum != x.Sum || x.Sum.Rows != x.Rows {
			t.Errorf("table %s: the ledger has it as %s with the sum %s, the result says %s of %d rows", x.Name, r.State, r.Sum, x.Sum, x.Rows)
		}
	}
	for _, c := range have.Chunks {
		if c.Sum.Rows != c.Rows {
			t.Errorf("a chunk of table %s has the sum %s of %d rows", c.Table, c.Sum, c.Rows)
		}
	}
	if run := rig.LastRun(t, p); run.Verify != string(migrate.VerifyAll) {
		t.Errorf("the ledger has the run as verifying %q", run.Verify)
	}
}

// TestMigrateVerifies: a whole site is read back and counted, undivided and in parts, and told so.
func TestMigrateVerifies(t *testing.T) {
	for i, source := range testdb.Sources() {
		for j, target := range testdb.Targets() {
			if i > 0 && j > 0 {
				continue
			}
			t.Run(source+" to "+target, func(t *testing.T) {
				p := rig.NewPair(t, source, target)
				p.LoadSample(t)
				p.Open(t)
				told := map[string]migrate.TableVerified{}
				result, err := migrateWith(t, p, migrate.Options{Site: rig.SampleCode(t), Owner: "moodle"}, func(e migrate.Event) {
					if v, ok := e.(migrate.TableVerified); ok {
						told[v.Table] = v
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				checkVerified(t, p, result)
				if tables, _, _ := result.Totals(); len(told) != tables {
					t.Errorf("%d tables were told of, %d copied", len(told), tables)
				}
				for _, x := range result.Tables {
					if x.Copied && told[x.Name].Rows != x.Rows {
						t.Errorf("table %s: told of %d rows", x.Name, told[x.Name].Rows)
					}
				}
			})
		}
	}
}

// TestVerifyNone: who asks for none gets none, and is told so.
func TestVerifyNone(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget())
	result := p.Migrate(t, migrate.Options{Site: rig.TinyCode(t), Verify: migrate.VerifyNone})
	if v := result.Verified(); v != (migrate.Verified{}) || result.Verify != migrate.VerifyNone {
		t.Errorf("verified %+v, %s", v, result.Verify)
	}
	if run := rig.LastRun(t, p); run.Verify != string(migrate.VerifyNone) || run.State != postgres.RunDone {
		t.Errorf("the ledger has %+v", run)
	}
	runs, err := migrate.Status(t.Context(), p.Target)
	if err != nil || runs[0].Verify != migrate.VerifyNone || runs[0].Tables.Verified != 0 || runs[0].Fraction != 1 {
		t.Errorf("the status is %+v, %v", runs, err)
	}
}

// TestAlteredRowsAreFound: whatever happens to a row between its copy and the
// reading back, in a table of whatever key, stops the run before it is published.
func TestAlteredRowsAreFound(t *testing.T) {
	p := rig.NewPair(t, rig.FirstSource(), rig.FirstTarget())
	p.SourceServer.Exec(t, p.SourceURL, verifyTables()...)
	p.Open(t)
	code := rig.TinyCode(t)
	// Without its key a table takes a row twice.
	const doubled = `DO $$ DECLARE k text; BEGIN
  FOR k IN SELECT conname FROM pg_constraint WHERE conrelid = '{}'::regclass AND contype = 'p' LOOP EXECUTE 'ALTER TABLE {} DROP CONSTRAINT ' || quote_ident(k); END LOOP;
END $$; INSERT INTO {} SELECT * FROM {} LIMIT 1`
	for _, c := range []struct {
		name, table, change string
		rows                int64  // that are found more
		want                string // that the error says
	}{
		{"a cell", "mdl_one", "UPDATE {} SET b = 'First' WHERE id = 1", 0, `the row with id=1, column "b": "first" was sent, and "First" is there`},
		{"a blank at the end", "mdl_one", "UPDATE {} SET a = 'y' WHERE id = 4", 0, `the row with id=4, column "a": "y " was sent, and "y" is there`},
		{"NULL becomes empty", "mdl_one", "UPDATE {} SET a = '' WHERE id = 3", 0, `column "a": NULL was sent, and "" is there`},
		{"empty becomes NULL", "mdl_one", "UPDATE {} SET a = NULL WHERE id = 2", 0, `column "a": "" was sent, and NULL is there`},
		{"the last decimal", "mdl_one", "UPDATE {} SET n = 1.50001 WHERE id = 1", 0, `column "n": 1.50000 was sent, and 1.50001 is there`},
		{"swapped keys", "mdl_two", "UPDATE {} SET a = CASE a WHEN 'a' THEN 'b' ELSE 'a' END WHERE a IN ('a', 'b')", 0, `2 changed, 0 missing, 0 extra`},
		{"a removed row", "mdl_word", "DELETE FROM {} WHERE word = 'Zwei'", -1, `the row with word="Zwei" is missing`},
		{"an added row", "mdl_two", "INSERT INTO {} VALUES (7, 7, 'x')", 1, `the row with course=7 AND user=7 was not sent`},
		{"a doubled row", "mdl_word", doubled, 1, `1 extra`},
		{"a doubled row without a key", "mdl_none", "INSERT INTO {} VALUES (NULL, 3)", 1, `0 changed, 0 missing, 1 extra`},
		{"one twice, its twin removed", "mdl_none", "DELETE FROM {} WHERE ctid IN (SELECT max(ctid) FROM {} WHERE a = 'a'); INSERT INTO {} VALUES ('b', 2)", 0, `0 changed, 1 missing, 1 extra`},
		{"two that would cancel out", "mdl_none", "INSERT INTO {} VALUES ('c', 9), ('c', 9)", 2, `2 extra`},
		{"a large table", "mdl_log", "UPDATE {} SET a = 'other' WHERE id = (SELECT max(id) FROM {})", 0, `1 changed, 0 missing, 0 extra; the row with id=`},
		{"a row into an empty table", "mdl_config_plugins", "INSERT INTO {} VALUES (1, 'a', 'b', 'c')", 1, `the row with id=1 was not sent`},
	} {
		t.Run(c.name, func(t *testing.T) {
			schema := "v" + strings.Map(func(r rune) rune {
				if r == ' ' || r == ',' {
					return '_'
				}
				return r
			}, c.name)
			p.TargetServer.Exec(t, p.TargetURL, "CREATE SCHEMA "+postgres.QuoteIdent(schema))
			quoted := postgres.QuoteIdent(schema) + "." + c.table
			change := strings.ReplaceAll(c.change, "{}", quoted)
			done := 0
			_, err := migrateWith(t, p, migrate.Options{Site: code, Schema: schema, Chunk: migrate.MinChunk}, func(e migrate.Event) {
				if d, ok := e.(migrate.TableDone); ok && d.Table == c.table {
					done++
					p.TargetServer.Exec(t, p.TargetURL, change)
				}
			})
			var mismatch *migrate.MismatchError
			if !errors.As(err, &mismatch) || !errors.Is(err, migrate.ErrDifferent) || done != 1 {
				t.Fatalf("after %d changes the run ended with %v", done, err)
			}
			if mismatch.Table != c.table || mismatch.Found.Rows-mismatch.Sent.Rows != c.rows {
				t.Errorf("found is %+v", mismatch)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("no %q in %v", c.want, err)
			}
			var stopped *migrate.StoppedError
			if !errors.As(err, &stopped) || rig.LastRun(t, p).State != postgres.RunStopped {
				t.Errorf("the run is not stopped: %v", err)
			}
			if _, err := p.Abort(t, migrate.AbortOptions{}); err != nil {
				t.Log(err) // what somebody else has written is theirs
			}
		})
	}
}

// TestCountsAreCompared: what the source counts otherwise than it was read stops the run.
func TestCountsAreCompared(t *testing.T) {
	// Nobody else can make a transaction see two numbers of rows: so the table
	// is read without a snapshot, and written to when it was copied.
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), "CREATE TABLE mdl_plain (id int PRIMARY KEY) ENGINE=MyISAM", "INSERT INTO mdl_plain VALUES (1), (2)")
	result := p.Migrate(t, migrate.Options{Site: rig.TinyCode(t)})
	for _, x := range result.Tables {
		if !x.Counted || !x.Verified {
			t.Errorf("table %s is not counted while it is locked: %+v", x.Name, x)
		}
	}
	p = p.WithTarget(t)
	result = p.Migrate(t, migrate.Options{Site: rig.TinyCode(t), Snapshot: "none"})
	for _, x := range result.Tables {
		if x.Counted == (x.Name == "mdl_plain") || !x.Verified {
			t.Errorf("table %s: a table that may be written to is not counted, all others are: %+v", x.Name, x)
		}
	}
}

// TestReadAgain: a sample of every table is read again by another client; a run whose
// session for it is lost goes on without, and says so.
func TestReadAgain(t *testing.T) {
	p := rig.NewPair(t, rig.FirstSource(), rig.FirstTarget())
	p.SourceServer.Exec(t, p.SourceURL, verifyTables()...)
	p.Open(t)
	opts := migrate.Options{Site: rig.TinyCode(t), Chunk: migrate.MinChunk, Jobs: 1}
	told := map[string]int64{}
	result, err := migrateWith(t, p, opts, func(e migrate.Event) {
		if x, ok := e.(migrate.TableReadAgain); ok {
			told[x.Table] = x.Rows
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range result.Tables {
		all := x.Name != "mdl_log" // which is divided
		if x.ReadAgain != told[x.Name] || x.ReadAgainNote != "" || all && x.ReadAgain != x.Rows || !all && (x.ReadAgain == 0 || x.ReadAgain >= x.Rows/2) {
			t.Errorf("table %s: %d of %d rows were read again, and %d told of; %s", x.Name, x.ReadAgain, x.Rows, told[x.Name], x.ReadAgainNote)
		}
	}
	from := p.SourceServer.SQL(t, p.SourceURL)
	for _, none := range []bool{false, true} {
		q := p.WithTarget(t)
		if opts.Sample = 100; none {
			opts.Sample = -1
		}
		result, err = migrateWith(t, q, opts, func(e migrate.Event) {
			if _, ok := e.(migrate.RunStarted); !ok || none {
				return
			}
			// It was opened after the readers.
			ids := rig.QueryStrings(t, from, "SELECT CAST(max(trx_mysql_thread_id) AS CHAR) FROM information_schema.innodb_trx")
			if _, err := from.Exec("KILL " + ids[0]); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		checkVerified(t, q, result)
		if v := result.Verified(); v.AgainRows != 0 || (result.UncheckedWhy == "") != none || (result.Sample == 0) != none {
			t.Errorf("none wanted %v: %d rows read again of %g%%, %q", none, v.AgainRows, result.Sample, result.UncheckedWhy)
		}
	}
}

// TestVerifyUnderPolicy: rows that a policy changed or set aside are no difference.
func TestVerifyUnderPolicy(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(),
		"CREATE TABLE mdl_bad (id bigint NOT NULL AUTO_INCREMENT, d date, v longtext, PRIMARY KEY (id))", "SET sql_mode = ''",
		"INSERT INTO mdl_bad (d, v) VALUES ('2024-01-01', 'good'), ('0000-00-00', 'zero'), (NULL, CONCAT('a', CHAR(0), 'b')), ('2024-02-02', 'good')")
	for _, policy := range []copy.Policy{
		{Mode: convert.FixBad},
		{Mode: convert.QuarantineBad},
		{Fixes: convert.Fixes{convert.ZeroDate: convert.FixNull, convert.NulByte: convert.FixQuarantine}},
	} {
		q := p.WithTarget(t)
		result := q.Migrate(t, migrate.Options{Site: rig.TinyCode(t), Policy: policy})
		checkVerified(t, q, result)
		if result.Changed+result.Rejected != 2 {
			t.Errorf("%+v: %d values changed, %d rows rejected", policy, result.Changed, result.Rejected)
		}
	}
}

// TestVerificationGoesOn: a run that is stopped, or killed, while it verifies
// goes on with the tables that are not verified, and reads no other again.
func TestVerificationGoesOn(t *testing.T) {
	p := rig.NewPair(t, rig.FirstSource(), rig.FirstTarget())
	p.SourceServer.Exec(t, p.SourceURL, verifyTables()...)
	p.Open(t)
	opts := migrate.Options{Site: rig.TinyCode(t), Jobs: 1, Chunk: migrate.MinChunk}
	before := p.Stop(t, opts, func(e migrate.Event) bool {
		_, ok := e.(migrate.TableVerified)
		return ok
	})
	verified := verifiedTables(before.Contents)
	if len(verified) == 0 || len(verified) == len(before.Contents.Tables) {
		t.Fatalf("stopped with %q as verified", verified)
	}
	opts.Resume = true
	var again []string
	result, err := migrateWith(t, p, opts, func(e migrate.Event) {
		switch e := e.(type) {
		case migrate.TableVerified:
			again = append(again, e.Table)
		case migrate.TableResumed:
			if e.Verified != slices.Contains(verified, e.Table) {
				t.Errorf("told of %+v, verified are %q", e, verified)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	checkVerified(t, p, result)
	all := slices.Sorted(slices.Values(append(again, verified...)))
	if diff := cmp.Diff(verifiedTables(p.Standing(t).Contents), all); diff != "" {
		t.Errorf("tables that were verified, once each (-want +got):\n%s", diff)
	}
}

func verifiedTables(have postgres.RunContents) []string {
	var names []string
	for _, x := range have.Tables {
		if x.State == postgres.TableVerified {
			names = append(names, x.Table)
		}
	}
	return names
}

// TestKilledWhileVerifying: the same of the program, and kill -9.
func TestKilledWhileVerifying(t *testing.T) {
	bin := rig.Binary(t)
	p := rig.BigSource(t, 300)
	args := []string{"migrate", "--code", rig.TinyCode(t).Root, "--from", p.SourceURL, "--to", p.TargetURL, "--progress", "json"}
	cmd, stdout, stderr := rig.Start(t, bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rig.WaitSessions(t, p, "state = 'active' AND query LIKE 'COPY% TO STDOUT%' AND query LIKE '%mdl_big%'", func(n int) bool { return n > 0 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	rig.Finish(t, cmd, stdout, stderr)
	again := rig.RunBinary(t, bin, append(args, "--resume", "--source-frozen")...)
	if again.Code != 0 {
		t.Fatalf("resumed: exit %d\n%s", again.Code, again.Stderr)
	}
	for _, event := range []string{"table_copied", "table_verified"} {
		want := event == "table_verified"
		if got := strings.Contains(again.Stderr, `"event":"`+event+`","table":"mdl_big"`); got != want {
			t.Errorf("the resumed run has %s of mdl_big: %v\n%s", event, got, again.Stderr)
		}
	}
	if n := p.Count(t, "SELECT count(*) FROM moodledb.run_table WHERE copies AND state = 'verified'"); n != 3 {
		t.Errorf("%d tables are verified", n)
	}
}

// TestDifferenceIsExitOne: a difference is a result with a code of its own.
func TestDifferenceIsExitOne(t *testing.T) {
	bin := rig.Binary(t)
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget())
	// A trigger on what the program makes changes what is stored.
	p.TargetServer.Exec(t, p.TargetURL, `CREATE FUNCTION public.spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.value := NEW.value || '' ''; RETURN NEW; END'`,
		`CREATE SCHEMA moodle`, `CREATE TABLE moodle.mdl_config (id bigint PRIMARY KEY, name varchar(255) NOT NULL DEFAULT '', value text NOT NULL)`,
		`CREATE TRIGGER spoil BEFORE INSERT ON moodle.mdl_config FOR EACH ROW EXECUTE FUNCTION public.spoil()`)
	args := []string{"migrate", "--data-only", "--schema", "moodle", "--include", "config", "--from", p.SourceURL, "--to", p.TargetURL}
	o := rig.RunBinary(t, bin, args...)
	for _, want := range []string{`table "mdl_config"`, "1 rows were sent", "at least one is another", "trigger", "--resume"} {
		if !strings.Contains(o.Stderr, want) {
			t.Errorf("no %q in\n%s", want, o.Stderr)
		}
	}
	if o.Code != 1 || o.Stdout != "" {
		t.Errorf("exit %d\n%s", o.Code, o.Stdout)
	}
	o.Secrets(t, p)
	p.TargetServer.Exec(t, p.TargetURL, "UPDATE moodle.mdl_config SET value = rtrim(value)")
	if o = rig.RunBinary(t, bin, append(args, "--resume", "--source-frozen")...); o.Code != 0 {
		t.Errorf("after the value was mended: exit %d\n%s", o.Code, o.Stderr)
	}
}
