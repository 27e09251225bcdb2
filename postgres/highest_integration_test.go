//go:build integration

package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// openReadOnly opens a database as a comparison does.
func openReadOnly(t *testing.T, url string) *postgres.DB {
	t.Helper()
	d, err := dsn.Parse(url, dsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.OpenReadOnly(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func TestReadHighest(t *testing.T) {
	for _, name := range testdb.Targets() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			url := s.Database(t)
			var many strings.Builder
			for i := range 310 { // more than one query
				fmt.Fprintf(&many, "CREATE TABLE t%03d (id serial PRIMARY KEY);", i)
			}
			s.Exec(t, url,
				`CREATE TABLE empty_one (id bigserial PRIMARY KEY)`,
				`CREATE TABLE "Odd ""name" ("the id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)`,
				`INSERT INTO "Odd ""name" SELECT FROM generate_series(1, 70)`,
				`CREATE TABLE below (id serial PRIMARY KEY)`, `INSERT INTO below VALUES (-5)`,
				`CREATE TABLE no_index (id serial)`, `INSERT INTO no_index VALUES (9)`,
				`CREATE TABLE secured (id serial PRIMARY KEY)`, `INSERT INTO secured VALUES (9)`,
				`ALTER TABLE secured ENABLE ROW LEVEL SECURITY`,
				`CREATE TABLE denied (id serial PRIMARY KEY)`, `INSERT INTO denied VALUES (9)`,
				many.String(), `INSERT INTO t309 VALUES (12)`)
			reader := s.Role(t, "highest", url)
			s.Exec(t, url, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO highest`, `REVOKE SELECT ON denied FROM highest`)
			db := openReadOnly(t, reader)
			sc, err := db.Inspect(t.Context(), "public")
			if err != nil {
				t.Fatal(err)
			}
			if err := db.ReadHighest(t.Context(), &sc); err != nil {
				t.Fatal(err)
			}
			for _, tc := range []struct {
				table string
				want  int64
				known bool
			}{
				{"empty_one", 0, true},
				{`Odd "name`, 70, true},
				{"below", -5, true},
				{"no_index", 0, false},
				{"secured", 0, false},
				{"denied", 0, false},
				{"t309", 12, true},
			} {
				table := sc.Table(tc.table)
				if table == nil {
					t.Fatalf("no table %q", tc.table)
				}
				if c := table.Columns[0]; c.Highest != tc.want || c.HighestKnown != tc.known {
					t.Errorf("table %q: highest %d, known %t; want %d, %t", tc.table, c.Highest, c.HighestKnown, tc.want, tc.known)
				}
			}
		})
	}
}

func TestInspectWhatRunsAndHides(t *testing.T) {
	for _, name := range testdb.Targets() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			url := s.Database(t)
			s.Exec(t, url,
				`CREATE TABLE t (id bigint PRIMARY KEY, a integer UNIQUE DEFERRABLE, r int4range, EXCLUDE USING gist (r WITH &&))`,
				`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
				`CREATE TRIGGER "On Change" BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()`,
				`CREATE TRIGGER emptied AFTER TRUNCATE ON t FOR EACH STATEMENT EXECUTE FUNCTION f()`,
				`CREATE RULE keep AS ON DELETE TO t DO INSTEAD NOTHING`,
				`ALTER TABLE t ENABLE ROW LEVEL SECURITY`,
				`CREATE FOREIGN DATA WRAPPER w`, `CREATE SERVER s FOREIGN DATA WRAPPER w`,
				`CREATE FOREIGN TABLE far (id bigint) SERVER s`,
				`CREATE SCHEMA first`, `CREATE TABLE first.t (id int)`, `CREATE VIEW first.v AS SELECT 1`,
				`CREATE SCHEMA "Last one"`, `CREATE TABLE "Last one".t (id int)`,
				`CREATE SCHEMA aside`, `CREATE TABLE aside.t (id int)`,
				`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = first, public, "Last one"', current_database()); END $$`)
			db := openReadOnly(t, url)
			got, err := db.Inspect(t.Context(), "public")
			if err != nil {
				t.Fatal(err)
			}
			table := got.Table("t")
			if !table.RowSecurity {
				t.Error("row level security is not seen")
			}
			wantTriggers := []schema.Trigger{
				{Name: "On Change", Event: "before insert or update"},
				{Name: "emptied", Event: "after truncate"},
				{Name: "keep", Rule: true, Event: "on delete"},
			}
			if d := cmp.Diff(wantTriggers, table.Triggers); d != "" {
				t.Errorf("triggers (-want +got):\n%s", d)
			}
			for _, x := range table.Indexes {
				if wantDeferrable := x.Name == "t_a_key"; x.Deferrable != wantDeferrable {
					t.Errorf("index %s: deferrable %t", x.Name, x.Deferrable)
				}
				if wantExclusion := x.Method == "gist"; x.Exclusion != wantExclusion {
					t.Errorf("index %s: exclusion %t", x.Name, x.Exclusion)
				}
			}
			wantElsewhere := []schema.Elsewhere{
				{Schema: "Last one", Name: "t"}, {Schema: "first", Name: "t", First: true}, {Schema: "first", Name: "v", First: true},
			}
			if d := cmp.Diff(wantElsewhere, got.Elsewhere); d != "" {
				t.Errorf("elsewhere (-want +got):\n%s", d)
			}
			if len(got.Views) != 1 || !got.Views[0].Foreign || got.Views[0].Name != "far" {
				t.Errorf("views: %+v", got.Views)
			}
			if current, err := db.CurrentSchema(t.Context()); err != nil || current != "first" {
				t.Errorf("current schema %q, %v", current, err)
			}
		})
	}
}

func TestOpenReadOnly(t *testing.T) {
	for _, name := range testdb.Targets() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			url := s.Database(t)
			s.Exec(t, url, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`)
			db := openReadOnly(t, url)
			conn, err := db.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Release()
			if err := conn.Exec(t.Context(), "CREATE TABLE public.x ()"); err == nil || !strings.Contains(err.Error(), "read-only") {
				t.Errorf("a session that only reads could write: %v", err)
			}
		})
	}
}

func TestInstalledComponents(t *testing.T) {
	for _, name := range testdb.Targets() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			url := s.Database(t)
			s.Exec(t, url,
				`CREATE TABLE m_config (name text, value text)`, `INSERT INTO m_config VALUES ('version', '2024'), ('x', 'y')`,
				`CREATE TABLE m_modules (name text, version bigint)`, `INSERT INTO m_modules VALUES ('forum', 1), ('quiz', NULL)`,
				`CREATE TABLE m_block (name text)`,
				`CREATE TABLE m_config_plugins (plugin text, name text, value text)`,
				`INSERT INTO m_config_plugins VALUES ('mod_forum', 'version', '2'), ('local_x', 'version', '3'), ('local_y', 'v', '4'), ('z', 'version', NULL)`)
			db := openReadOnly(t, url)
			got, err := db.InstalledComponents(t.Context(), "public", "m_")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(map[string]string{"core": "2024", "mod_forum": "2", "local_x": "3"}, got); d != "" {
				t.Errorf("components (-want +got):\n%s", d)
			}
			if got, err := db.InstalledComponents(t.Context(), "public", "other_"); err != nil || len(got) != 0 {
				t.Errorf("components of no site: %v, %v", got, err)
			}
		})
	}
}
