//go:build integration

package proof

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/verify"
)

// largeRows is how many rows the large table of the tests has, of some 200 bytes each.
const largeRows = 10000

// makeLarge makes a table that is compared in parts when these are small.
func makeLarge(t *testing.T, p place) {
	t.Helper()
	const digits = "(SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
	number := "a.n + 10 * b.n + 100 * c.n + 1000 * d.n"
	p.exec(t, "DROP TABLE IF EXISTS mdl_large", "CREATE TABLE mdl_large (id bigint NOT NULL PRIMARY KEY, v varchar(250), n int)",
		fmt.Sprintf("INSERT INTO mdl_large SELECT %[1]s, REPEAT('value', 40), 7 FROM %[2]s a, %[2]s b, %[2]s c, %[2]s d", number, digits))
	if p.mysql {
		p.exec(t, "ANALYZE TABLE mdl_large")
	} else {
		p.exec(t, "ANALYZE mdl_large")
	}
}

// firstPair makes a MySQL and a PostgreSQL database.
func firstPair(t *testing.T) (expected, found place) {
	t.Helper()
	return newPlace(t, testdb.Sources()[0]), newPlace(t, testdb.Targets()[0])
}

// Large tables are summed up in pieces, and compared in parts where they differ, by the same bounds on both sides; of a
// sample some of them, the same ones for the same seed, and from an id on only what is above it.
func TestParts(t *testing.T) {
	for name, pair := range enginePairs(t) {
		t.Run(name, func(t *testing.T) {
			expected, found := newPlace(t, pair[0]), newPlace(t, pair[1])
			makeLarge(t, expected)
			makeLarge(t, found)
			small := Options{part: 150 << 10}
			all := tableOf(t, compared(t, expected, found, small), "mdl_large")
			if all.State != verify.Same || all.Pieces[0] < 5 || all.Pieces[1] < 5 || all.Expected.Rows != largeRows {
				t.Errorf("%s in %d pieces, %d rows; %s", all.State, all.Pieces, all.Expected.Rows, all.Problem)
			}
			found.exec(t, "UPDATE mdl_large SET n = 8 WHERE id IN (3, 5000)", "DELETE FROM mdl_large WHERE id >= 9999", "INSERT INTO mdl_large VALUES (-5, 'x', 1), (1000000, 'x', 1)")
			few := tableOf(t, compared(t, expected, found, small), "mdl_large")
			if few.Changed != 2 || few.Missing != 1 || few.Extra != 2 || few.DifferentParts < 2 || few.DifferentParts > 3 || few.Parts < 5 {
				t.Errorf("%+v", few)
			}

			if !expected.mysql || found.mysql {
				return // what follows does not depend on the engines
			}
			sampled := Options{part: small.part, Sample: 30, Seed: 5}
			one := compared(t, expected, found, sampled)
			a, b := tableOf(t, one, "mdl_large"), tableOf(t, compared(t, expected, found, sampled), "mdl_large")
			if a.Parts == 0 || a.Parts > few.Parts/2 || a.Expected != b.Expected || a.Parts != b.Parts || one.Scope.Seed != 5 || one.Scope.Sample != 30 {
				t.Errorf("%d parts of %d, then %d; %+v", a.Parts, few.Parts, b.Parts, one.Scope)
			}

			newer := Options{part: small.part, SinceID: 7501}
			since := tableOf(t, compared(t, expected, found, newer), "mdl_large")
			if since.Expected.Rows != largeRows-7501 || since.Missing != 1 || since.Extra != 1 || since.Changed != 0 {
				t.Errorf("since an id: %+v", since)
			}
		})
	}
}

// What can be read is compared, what cannot is unknown, and says what to run.
func TestRights(t *testing.T) {
	expected, found := firstPair(t)
	for _, p := range []place{expected, found} {
		for _, table := range []string{"open", "closed", "hidden"} {
			p.exec(t, "CREATE TABLE mdl_"+table+" (id bigint NOT NULL PRIMARY KEY)", "INSERT INTO mdl_"+table+" VALUES (1)")
		}
	}
	u := found.server.Role(t, "reads_little", found.url)
	found.exec(t, "GRANT USAGE ON SCHEMA public TO reads_little", "GRANT SELECT ON mdl_open, mdl_hidden TO reads_little", "ALTER TABLE mdl_hidden ENABLE ROW LEVEL SECURITY")
	r := compared(t, expected, place{server: found.server, url: u}, Options{})
	if open := tableOf(t, r, "mdl_open"); open.State != verify.Same {
		t.Errorf("%+v", open)
	}
	if hidden := tableOf(t, r, "mdl_hidden"); hidden.State != verify.Unknown || !strings.Contains(hidden.Problem, `ALTER ROLE "reads_little" BYPASSRLS`) {
		t.Errorf("%+v", hidden)
	}
	if i := slices.IndexFunc(r.Left, func(l LeftOut) bool { return l.Table == "mdl_closed" }); i < 0 || r.Left[i].Counts != verify.Unknown ||
		!strings.Contains(r.Left[i].Reason, `GRANT SELECT ON "public"."mdl_closed" TO "reads_little"`) {
		t.Errorf("left out: %+v", r.Left)
	}
	if r.State != verify.Unknown {
		t.Errorf("all in all it is %s", r.State)
	}

	little := expected.source(t)
	name := little.DSN.Database
	little.DSN.User, little.DSN.Password = "little_"+name[:min(len(name), 20)], "Secret.123"
	account := "'" + little.DSN.User + "'@'%'"
	expected.exec(t, "DROP USER IF EXISTS "+account, "CREATE USER "+account+" IDENTIFIED BY 'Secret.123'", "GRANT SELECT ON `"+name+"`.mdl_open TO "+account)
	r, err := Compare(t.Context(), little, found.source(t), Options{Jobs: 1})
	if err != nil {
		t.Fatal(err)
	}
	if open := tableOf(t, r, "mdl_open"); open.State != verify.Same || r.State != verify.Unknown {
		t.Errorf("%s, all in all %s", open.State, r.State)
	}
	if i := slices.IndexFunc(r.Left, func(l LeftOut) bool { return l.Table == "mdl_closed" }); i < 0 || r.Left[i].Counts != verify.Unknown ||
		!strings.Contains(r.Left[i].Reason, "GRANT SELECT ON `"+name+"`.* TO ") {
		t.Errorf("left out: %+v", r.Left)
	}
}

// A connection that is lost before its rows are read is replaced by another one that sees the same moment.
func TestLostConnections(t *testing.T) {
	for _, end := range []Side{ExpectedSide, FoundSide} {
		t.Run(string(end), func(t *testing.T) {
			expected, found := firstPair(t)
			makeLarge(t, expected)
			makeLarge(t, found)
			var once sync.Once
			events := func(e Event) {
				if _, ok := e.(Planned); !ok {
					return
				}
				once.Do(func() {
					if end == FoundSide {
						found.exec(t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'moodledb' "+
							"AND state = 'idle in transaction' AND query LIKE '%SET TRANSACTION SNAPSHOT%'")
						return
					}
					var id int64
					if err := expected.server.SQL(t, expected.url).QueryRow("SELECT MIN(trx_mysql_thread_id) FROM information_schema.INNODB_TRX WHERE trx_query IS NULL").Scan(&id); err != nil {
						t.Error(err)
						return
					}
					expected.exec(t, fmt.Sprintf("KILL %d", id))
				})
			}
			r := compared(t, expected, found, Options{Events: events, part: 500 << 10})
			if large := tableOf(t, r, "mdl_large"); large.State != verify.Same {
				t.Errorf("%s: %s", large.State, large.Problem)
			}
		})
	}
}

// A connection that is lost in the middle of a part costs that part's reading, and not the comparison.
func TestLostInTheMiddle(t *testing.T) {
	for _, end := range []Side{ExpectedSide, FoundSide} {
		t.Run(string(end), func(t *testing.T) {
			expected, found := firstPair(t)
			for _, p := range []place{expected, found} {
				makeLarge(t, p)
				for range 3 {
					p.exec(t, "INSERT INTO mdl_large SELECT id + (SELECT MAX(id) + 1 FROM mdl_large), v, n FROM mdl_large")
				}
			}
			var once sync.Once
			events := func(e Event) {
				rows, ok := e.(Rows)
				if !ok {
					return
				}
				if _, ok := rows.Event.(verify.RowsRead); !ok {
					return
				}
				once.Do(func() {
					if end == FoundSide {
						found.exec(t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'moodledb' AND query LIKE 'COPY%'")
						return
					}
					var id int64
					if err := expected.server.SQL(t, expected.url).QueryRow("SELECT MIN(id) FROM information_schema.PROCESSLIST WHERE info LIKE 'SELECT %FROM `mdl_large`%'").Scan(&id); err != nil {
						t.Error(err)
						return
					}
					expected.exec(t, fmt.Sprintf("KILL %d", id))
				})
			}
			r := compared(t, expected, found, Options{Events: events})
			if large := tableOf(t, r, "mdl_large"); large.State != verify.Same || large.Expected.Rows != 8*largeRows {
				t.Errorf("%s: %s", large.State, large.Problem)
			}
		})
	}
}

// What only one side has is listed, and counts by what it means.
func TestOneSideOnly(t *testing.T) {
	expected, found := firstPair(t)
	expected.exec(t, "CREATE TABLE mdl_a (id bigint NOT NULL PRIMARY KEY, gone varchar(5), g geometry)", "CREATE TABLE mdl_gone (id bigint NOT NULL PRIMARY KEY)",
		"CREATE TABLE other (id int)", "CREATE VIEW mdl_view AS SELECT 1 AS x", "CREATE TABLE mdl_out (id int)")
	found.exec(t, "CREATE TABLE mdl_a (id bigint PRIMARY KEY, more int, g date)", "CREATE TABLE mdl_new (id int)", "CREATE TABLE mdl_filled (id int)", "INSERT INTO mdl_filled VALUES (1)",
		"CREATE TABLE mdl_p (id int) PARTITION BY RANGE (id)", "CREATE TABLE mdl_p1 PARTITION OF mdl_p DEFAULT", "INSERT INTO mdl_p VALUES (1)")
	expected.exec(t, "CREATE TABLE mdl_p (id int)", "INSERT INTO mdl_p VALUES (1)")
	r := compared(t, expected, found, Options{Exclude: []string{"out"}})
	got := map[string]verify.State{}
	for _, l := range r.Left {
		got[strings.Trim(string(l.Side)+" "+l.Table+"."+l.Column, ".")] = l.Counts
	}
	want := map[string]verify.State{
		"expected mdl_a.gone": verify.Different, "found mdl_a.more": verify.Same, "both mdl_a.g": verify.Unknown,
		"expected mdl_gone": verify.Different, "found mdl_new": verify.Same, "found mdl_filled": verify.Different,
		"expected other": verify.Same, "expected mdl_view": verify.Same, "expected mdl_out": verify.Same, "found mdl_p1": verify.Same,
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s counts as %q, want %q", k, got[k], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("left out: %v", got)
	}
	if p := tableOf(t, r, "mdl_p"); p.State != verify.Same || p.Found.Rows != 1 {
		t.Errorf("partitioned: %+v", p)
	}
	if _, err := Compare(t.Context(), expected.source(t), found.source(t), Options{Include: []string{"nothing"}}); err == nil || !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("a name that no table has: %v", err)
	}
}

// Values that PostgreSQL cannot hold are differences with a key, and do not end the comparison.
func TestUnfitValues(t *testing.T) {
	expected, found := firstPair(t)
	expected.exec(t, "CREATE TABLE mdl_odd (id bigint NOT NULL PRIMARY KEY, day date, small int, txt longtext)", "SET sql_mode = ''",
		"INSERT INTO mdl_odd VALUES (1, '0000-00-00', 1, 'a'), (2, '2024-01-01', 70000, 'a'), (3, '2024-01-01', 3, CONCAT('a', CHAR(0), 'b')), (4, '2024-01-01', 4, 'd')")
	found.exec(t, "CREATE TABLE mdl_odd (id bigint PRIMARY KEY, day date NOT NULL, small smallint, txt text)",
		"INSERT INTO mdl_odd VALUES (1, '1970-01-01', 1, 'a'), (2, '2024-01-01', 32767, 'a'), (3, '2024-01-01', 3, 'ab'), (4, '2024-01-01', 4, 'd')")
	odd := tableOf(t, compared(t, expected, found, Options{}), "mdl_odd")
	if odd.State != verify.Different || odd.Changed != 3 || odd.Missing+odd.Extra != 0 {
		t.Fatalf("%+v", odd)
	}
	for i, want := range []string{`"0000-00-00" (no value of date)`, `"70000" (no value of smallint)`, `"a\x00b"`} {
		if d := odd.Differences[i]; len(d.Columns) != 1 || d.Columns[0].Expected.Text != want {
			t.Errorf("row %d: %s, want %s", i+1, describe(d), want)
		}
	}
}

// A table without transactions is read all the same, and it is told that it was locked for that.
func TestNoTransactions(t *testing.T) {
	expected, found := firstPair(t)
	expected.exec(t, "CREATE TABLE mdl_my (id bigint NOT NULL PRIMARY KEY) ENGINE=MyISAM", "INSERT INTO mdl_my VALUES (1), (2)",
		"CREATE TABLE mdl_inno (id bigint NOT NULL PRIMARY KEY)", "INSERT INTO mdl_inno VALUES (1)")
	found.exec(t, "CREATE TABLE mdl_my (id bigint PRIMARY KEY)", "INSERT INTO mdl_my VALUES (1), (2)", "CREATE TABLE mdl_inno (id bigint PRIMARY KEY)", "INSERT INTO mdl_inno VALUES (1)")
	r := compared(t, expected, found, Options{})
	if a, b := tableOf(t, r, "mdl_my"), tableOf(t, r, "mdl_inno"); a.State != verify.Same || b.State != verify.Same || a.Expected.Rows != 2 {
		t.Errorf("%+v, %+v", a, b)
	}
	if !slices.ContainsFunc(r.Notices, func(n string) bool { return strings.Contains(n, `"mdl_my"`) && strings.Contains(n, "LOCK TABLES") }) {
		t.Errorf("notices: %q", r.Notices)
	}

	// An account that may not lock cannot tell of that table, but of all others.
	little := expected.source(t)
	name := little.DSN.Database
	little.DSN.User, little.DSN.Password = "locks_"+name[:min(len(name), 20)], "Secret.123"
	account := "'" + little.DSN.User + "'@'%'"
	expected.exec(t, "DROP USER IF EXISTS "+account, "CREATE USER "+account+" IDENTIFIED BY 'Secret.123'", "GRANT SELECT ON `"+name+"`.* TO "+account)
	r, err := Compare(t.Context(), little, found.source(t), Options{Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	if inno := tableOf(t, r, "mdl_inno"); inno.State != verify.Same || r.State != verify.Unknown {
		t.Errorf("%s, all in all %s", inno.State, r.State)
	}
	if i := slices.IndexFunc(r.Left, func(l LeftOut) bool { return l.Table == "mdl_my" }); i < 0 || r.Left[i].Counts != verify.Unknown || !strings.Contains(r.Left[i].Reason, "GRANT LOCK TABLES ON") {
		t.Errorf("left out: %+v", r.Left)
	}
}

// heapOf runs f and returns by how many bytes the heap grew at most.
func heapOf(f func()) uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	start, peak := m.HeapAlloc, m.HeapAlloc
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
		}
	}()
	f()
	close(stop)
	<-done
	return peak - start
}

// Values that are larger than the memory pass through, and so does the search for the one that differs.
func TestHugeValues(t *testing.T) {
	expected, found := firstPair(t)
	expected.exec(t, "CREATE TABLE mdl_huge (id bigint NOT NULL PRIMARY KEY, v longtext, b longblob)", "INSERT INTO mdl_huge VALUES (1, REPEAT('0123456789abcdef', 1000000), 'x'), (2, 'small', REPEAT('z', 31000000))")
	found.exec(t, "CREATE TABLE mdl_huge (id bigint PRIMARY KEY, v text, b bytea)", "ALTER TABLE mdl_huge ALTER v SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL",
		"INSERT INTO mdl_huge VALUES (1, repeat('0123456789abcdef', 1000000), 'x'), (2, 'small', repeat('z', 31000000)::bytea)")
	look := func(want verify.State) {
		t.Helper()
		grown := heapOf(func() {
			if huge := tableOf(t, compared(t, expected, found, Options{Memory: 16 << 20}), "mdl_huge"); huge.State != want || huge.Expected.Rows != 2 {
				t.Errorf("%+v", huge)
			} else if want == verify.Different && (huge.Changed != 1 || huge.Differences[0].Columns[0].Column != "v") {
				t.Errorf("%+v", huge)
			}
		})
		t.Logf("the heap grew by %d KiB", grown>>10)
		if grown > 10<<20 {
			t.Errorf("the heap grew by %d MiB", grown>>20)
		}
	}
	look(verify.Same)
	found.exec(t, "UPDATE mdl_huge SET v = left(v, 15999999) || 'F' WHERE id = 1")
	look(verify.Different)
}
