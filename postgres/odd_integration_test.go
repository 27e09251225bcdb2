//go:build integration

package postgres_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// oddDatabase makes a database of what no install.xml declares, and looks at it
// through the search path first, public, last.
func oddDatabase(t *testing.T, s *testdb.Server) (url string, got schema.Schema) {
	t.Helper()
	url = s.Database(t)
	s.Load(t, url, "testdata/odd.sql")
	if strings.HasPrefix(s.Version, "18") {
		s.Load(t, url, "testdata/odd-18.sql")
	}
	name := url[strings.LastIndex(url, "/")+1:]
	s.Exec(t, url, "ALTER DATABASE "+name+` SET search_path = pg_catalog, first, nowhere, "Mixed ""Case"" 🎓 it's", public, last`)
	return url, inspect(t, open(t, url), "public")
}

// The highest ids of an odd database, for a role that may not read all of it.
func TestReadHighestOdd(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		url, _ := oddDatabase(t, s)
		reader := s.Role(t, "odd_reader", url)
		s.Exec(t, url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO odd_reader", "REVOKE SELECT ON high_denied FROM odd_reader")
		db := open(t, reader)
		got := inspect(t, db, "public")
		if err := db.ReadHighest(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"high_empty.id": "0", "high_some.id": "9223372036854775807", "high_some.n": "2", "high_negative.id": "-5",
			"range_parts.id": "2", "high_denied.id": "?", "high_bare.id": "?", "high_partial.id": "?", "high_secured.id": "?",
			"high_text.id": "?", "high_numeric.id": "?",
		} {
			table, column, _ := strings.Cut(name, ".")
			c := got.Table(table).Column(column)
			have := "?"
			if c.HighestKnown {
				have = strconv.FormatInt(c.Highest, 10)
			}
			if !c.AutoIncrement || have != want {
				t.Errorf("%s: %s (auto increment %t), want %s", name, have, c.AutoIncrement, want)
			}
		}
		s.Exec(t, url, "DROP TABLE high_negative")
		got.Table("high_some").Columns[0].HighestKnown = false
		if err := db.ReadHighest(t.Context(), &got); err != nil || !got.Table("high_some").Columns[0].HighestKnown {
			t.Errorf("a table of many was dropped: %v, %+v", err, got.Table("high_some").Columns[0])
		}
		s.Exec(t, url, "REVOKE USAGE ON SCHEMA public FROM PUBLIC", "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO odd_reader")
		got = inspect(t, db, "public")
		if err := db.ReadHighest(t.Context(), &got); err != nil || got.Table("high_some").Columns[0].HighestKnown {
			t.Errorf("without a right on the schema: %v, %+v", err, got.Table("high_some").Columns[0])
		}
	})
}

// Ids that are given out between the two looks do not leave a sequence behind.
func TestReadHighestOfSiteInUse(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		url := s.Database(t)
		s.Exec(t, url, "CREATE TABLE busy (id bigserial PRIMARY KEY)", "CREATE TABLE behind (id bigserial PRIMARY KEY)",
			"INSERT INTO busy DEFAULT VALUES", "INSERT INTO behind VALUES (50)")
		db := open(t, url)
		got := inspect(t, db, "public")
		s.Exec(t, url, "INSERT INTO busy SELECT FROM generate_series(1, 9)")
		if err := db.ReadHighest(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string][2]int64{"busy": {10, 10}, "behind": {50, 1}} {
			column := got.Table(name).Columns[0]
			var last int64
			for _, q := range got.Sequences {
				if q.Name == column.Sequence {
					last = q.Last
				}
			}
			if column.Highest != want[0] || last != want[1] {
				t.Errorf("table %q: highest %d and sequence at %d, want %v", name, column.Highest, last, want)
			}
		}
	})
}

// counter counts the queries of a pool.
type counter struct{ n int }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n++
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// The number of queries must not grow with the number of tables.
func TestQueriesDoNotGrow(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		url := s.Database(t)
		db := open(t, url)
		var queries counter
		postgres.Trace(db, &queries)
		add := func(from, to int) {
			for i := from; i < to; i++ {
				s.Exec(t, url, fmt.Sprintf("CREATE TABLE t%[1]d (id bigserial PRIMARY KEY, p bigint REFERENCES t%[1]d, a varchar(9) UNIQUE CHECK (a <> 'x'));"+
					"CREATE RULE r AS ON DELETE TO t%[1]d DO INSTEAD NOTHING; CREATE VIEW v%[1]d AS SELECT * FROM t%[1]d", i))
			}
		}
		read := func() int {
			queries.n = 0
			got := inspect(t, db, "public")
			if err := db.ReadHighest(t.Context(), &got); err != nil {
				t.Fatal(err)
			}
			return queries.n
		}
		add(0, 1)
		read() // opens a session, which takes queries too
		few := read()
		add(1, 40)
		if many := read(); many != few || few < 10 || few > 25 {
			t.Errorf("%d queries for 1 table, %d for 40", few, many)
		}
	})
}

// Whatever a database holds is read, and named by what it is.
func TestOddDatabase(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		_, got := oddDatabase(t, s)
		t.Run("types", func(t *testing.T) {
			types := got.Table("odd_types")
			for column, want := range map[string]schema.Type{
				"d": {Name: "positive", Raw: "positive"}, "d2": {Name: `"Odd ""domain"""`, Raw: `"Odd ""domain"""`}, "da": {Name: "nested[]", Raw: "nested[]"},
			} {
				w := want
				w.Name, w.Raw = "public."+w.Name, "public."+w.Raw
				if diff := cmp.Diff(w, types.Column(column).Type); diff != "" {
					t.Errorf("column %s (-want +got):\n%s", column, diff)
				}
			}
			if c := types.Column("ci"); c.Type.Name != "last.citext" || c.Default.Kind == schema.NoDefault {
				t.Errorf("citext: %+v", c)
			}
			if types.Column("dropped") != nil || len(types.Columns) < 45 {
				t.Errorf("%d columns", len(types.Columns))
			}
			if c := types.Column("gn"); c.Generated != schema.GeneratedStored || c.Expression == "" {
				t.Errorf("generated column: %+v", c)
			}
		})
		t.Run("kinds of tables", func(t *testing.T) {
			type kind struct{ Partitioned, Inherited, Unlogged, RowSecurity bool }
			for name, want := range map[string]kind{
				"range_parts": {Partitioned: true}, "range_parts_1": {Inherited: true}, "range_parts_2": {Partitioned: true, Inherited: true},
				"range_parts_2_1": {Inherited: true}, "range_parts_rest": {Inherited: true}, "hash_parts": {Partitioned: true},
				"expression_parts": {Partitioned: true}, "base": {}, "derived": {Inherited: true}, "derived_twice": {Inherited: true},
				"fast": {Unlogged: true}, "secured": {RowSecurity: true}, "columnless": {}, "of_type": {},
				`Weird "table" 🎓 it's 100% ; --`: {},
			} {
				table := got.Table(name)
				if table == nil {
					t.Errorf("table %q is not there", name)
					continue
				}
				have := kind{table.Partitioned, table.Inherited, table.Unlogged, table.RowSecurity}
				if have != want {
					t.Errorf("table %q is %+v, want %+v", name, have, want)
				}
			}
		})
		t.Run("constraints", func(t *testing.T) { testOddConstraints(t, got.Table("constrained")) })
		t.Run("triggers", func(t *testing.T) { testOddTriggers(t, &got) })
		t.Run("other relations", func(t *testing.T) { testOddRelations(t, &got) })
		if strings.HasPrefix(s.Version, "18") {
			t.Run("version 18", func(t *testing.T) { testOdd18(t, got.Table("odd_18")) })
		}
	})
}

// testOdd18 looks at what testdata/odd-18.sql has made.
func testOdd18(t *testing.T, table *schema.Table) {
	t.Helper()
	if c := table.Column("v"); c.Generated != schema.GeneratedVirtual || c.Expression != "a + 1" {
		t.Errorf("virtual column: %+v", c)
	}
	if pk := table.PrimaryKey(); pk == nil || pk.Method != "gist" || pk.Exclusion {
		t.Errorf("primary key without overlaps: %+v", pk)
	}
	var enforced []string
	for _, c := range table.Checks {
		if !c.NotEnforced {
			enforced = append(enforced, c.Name)
		}
	}
	if len(table.Checks) != 2 || len(enforced) != 1 || enforced[0] != "odd_18_tight" {
		t.Errorf("checks: %+v", table.Checks)
	}
	if len(table.ForeignKeys) != 1 || table.ForeignKeys[0].Name != "odd_18_period" {
		t.Errorf("foreign keys that are enforced: %+v", table.ForeignKeys)
	}
}

func testOddConstraints(t *testing.T, table *schema.Table) {
	t.Helper()
	type kind struct{ Constraint, Unique, Exclusion, Deferrable bool }
	for name, want := range map[string]kind{
		"constrained_pk":    {Constraint: true, Unique: true, Deferrable: true},
		"constrained_uk":    {Constraint: true, Unique: true, Deferrable: true},
		"constrained_plain": {Constraint: true, Unique: true},
		"constrained_ex":    {Constraint: true, Exclusion: true},
		"constrained_bt":    {Constraint: true, Exclusion: true},
		"constrained_expr":  {},
		"constrained_gist":  {},
	} {
		found := false
		for _, x := range table.Indexes {
			if x.Name != name {
				continue
			}
			found = true
			if have := (kind{x.Constraint, x.Unique, x.Exclusion, x.Deferrable}); have != want {
				t.Errorf("index %q is %+v, want %+v", name, have, want)
			}
		}
		if !found {
			t.Errorf("index %q is not there", name)
		}
	}
	if len(table.Checks) != 1 || table.Checks[0].NotEnforced {
		t.Errorf("a check that is not validated is enforced all the same: %+v", table.Checks)
	}
	if len(table.ForeignKeys) != 2 {
		t.Errorf("foreign keys: %+v", table.ForeignKeys)
	}
}

func testOddTriggers(t *testing.T, got *schema.Schema) {
	t.Helper()
	want := []schema.Trigger{
		{Name: "after_all", Event: "after insert or update or delete or truncate"},
		{Name: "also", Rule: true, Event: "on insert"},
		{Name: "before, both", Event: "before insert or update"},
		{Name: "deferred", Event: "after delete"},
		{Name: "of_column", Event: "after update"},
		{Name: "ruled", Rule: true, Event: "on delete"},
	}
	if diff := cmp.Diff(want, got.Table("triggered").Triggers); diff != "" {
		t.Errorf("triggers (-want +got):\n%s", diff)
	}
	for _, table := range got.Tables {
		if table.Name != "triggered" && len(table.Triggers) > 0 {
			t.Errorf("table %q has triggers: %+v", table.Name, table.Triggers)
		}
	}
}

func testOddRelations(t *testing.T, got *schema.Schema) {
	t.Helper()
	type kind struct{ Materialized, Foreign bool }
	views := map[string]kind{}
	for _, v := range got.Views {
		views[v.Name] = kind{v.Materialized, v.Foreign}
	}
	wantViews := map[string]kind{
		"counting": {}, "far_table": {Foreign: true}, "stored": {Materialized: true}, "triggered_view": {}, "unfilled": {Materialized: true},
	}
	if diff := cmp.Diff(wantViews, views); diff != "" {
		t.Errorf("views (-want +got):\n%s", diff)
	}
	const mixed = `Mixed "Case" 🎓 it's`
	wantElsewhere := []schema.Elsewhere{
		{Schema: mixed, Name: `Weird "table"`, First: true},
		{Schema: mixed, Name: "plain", First: true},
		{Schema: "first", Name: "odd_types", First: true},
		{Schema: "first", Name: "seen", First: true},
		{Schema: "last", Name: "kept"},
		{Schema: "last", Name: "odd_types"},
		{Schema: "last", Name: "parts"},
	}
	if diff := cmp.Diff(wantElsewhere, got.Elsewhere); diff != "" {
		t.Errorf("other schemas (-want +got):\n%s", diff)
	}
	if c := got.Table("borrowed").Column("id"); c.AutoIncrement || c.Default.Kind != schema.ExpressionDefault {
		t.Errorf("a sequence of another schema: %+v", c)
	}
}

// A database of another encoding can be read, though no site can be there.
func TestOpenReadOnlyOfAnotherEncoding(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		s.Exec(t, s.Database(t), "DROP DATABASE IF EXISTS odd_latin", "CREATE DATABASE odd_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
		url := s.URL("odd_latin")
		s.Exec(t, url, "SET client_encoding = 'UTF8'", "CREATE TABLE prüfung (größe bigserial PRIMARY KEY, note text DEFAULT 'süß')")
		db := openReadOnly(t, url)
		got := inspect(t, db, "public")
		if err := db.ReadHighest(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		table := got.Table("prüfung")
		if table == nil || !table.Column("größe").HighestKnown || table.Column("note").Default != schema.Literal("süß") {
			t.Errorf("tables: %+v", got.Tables)
		}
	})
}
