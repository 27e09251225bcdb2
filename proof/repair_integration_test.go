//go:build integration

package proof

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/verify"
)

// mended is a pair of databases of which the found one is repaired.
type mended struct {
	expected, found       Source
	expectedDB, foundDB   *testdb.Server
	expectedURL, foundURL string
	sql                   *sql.DB
}

// mend makes two databases with the same rows in tables of every kind of key.
func mend(t *testing.T, from, to string) *mended {
	t.Helper()
	m := &mended{expectedDB: testdb.Get(t, from), foundDB: testdb.Get(t, to)}
	m.expectedURL, m.foundURL = m.expectedDB.Database(t), m.foundDB.Database(t)
	prefix := "mdl_"
	for _, s := range []struct {
		url string
		to  *Source
	}{{m.expectedURL, &m.expected}, {m.foundURL, &m.found}} {
		d, err := dsn.Parse(s.url, dsn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		*s.to = Source{DSN: d, Prefix: &prefix}
	}
	blob, text, serial := "longblob", "longtext", "bigint NOT NULL AUTO_INCREMENT"
	if strings.HasPrefix(from, "postgres") {
		blob, text, serial = "bytea", "text", "bigserial NOT NULL"
	}
	rows := []string{
		"INSERT INTO mdl_number (name, note, n) VALUES ('anna', NULL, 1), ('ben', '', 2), ('cleo', 'x', 3), ('dora', 'ends ', 4), ('emil', 'Case', 5), ('fritz', 'f', 6)",
		"INSERT INTO mdl_text VALUES ('Alpha', 1.50, 'a'), ('beta', -2.25, 'b'), ('gamma', NULL, 'c')",
		"INSERT INTO mdl_both VALUES (1, 'a', 'one'), (1, 'b', 'two'), (2, 'a', 'three')",
		"INSERT INTO mdl_none VALUES (1, 'x'), (1, 'x'), (1, 'x'), (NULL, NULL), (2, 'y')",
		"INSERT INTO mdl_same (name) VALUES ('left alone')",
	}
	tables := func(serial, text, blob string) []string {
		return []string{
			"CREATE TABLE mdl_number (id " + serial + ", name varchar(100) NOT NULL, note " + text + ", n bigint, data " + blob + ", PRIMARY KEY (id))",
			"CREATE UNIQUE INDEX mdl_number_name ON mdl_number (name)",
			"CREATE TABLE mdl_text (code varchar(50) NOT NULL PRIMARY KEY, price numeric(10,5), v varchar(20))",
			"CREATE TABLE mdl_both (a bigint NOT NULL, b varchar(20) NOT NULL, v varchar(20), PRIMARY KEY (a, b))",
			"CREATE TABLE mdl_none (a bigint, b varchar(20))",
			"CREATE TABLE mdl_same (id " + serial + ", name varchar(100), PRIMARY KEY (id))",
		}
	}
	m.expectedDB.Exec(t, m.expectedURL, append(tables(serial, text, blob), rows...)...)
	m.foundDB.Exec(t, m.foundURL, append(tables("bigserial", "text", "bytea"), rows...)...)
	m.sql = m.foundDB.SQL(t, m.foundURL)
	return m
}

// damage changes the found side.
func (m *mended) damage(t *testing.T, statements ...string) {
	t.Helper()
	m.foundDB.Exec(t, m.foundURL, statements...)
}

// compare compares the rows; the result says what differs.
func (m *mended) compare(t *testing.T) *Result {
	t.Helper()
	r, err := Compare(t.Context(), m.expected, m.found, Options{Jobs: 1})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// states are the states of the tables that are not the same.
func states(r *Result) map[string]verify.State {
	list := map[string]verify.State{}
	for _, t := range r.Tables {
		if t.State != verify.Same {
			list[t.Name] = t.State
		}
	}
	return list
}

// repair repairs what a comparison finds.
func (m *mended) repair(t *testing.T) *Repaired {
	t.Helper()
	done, err := Repair(t.Context(), m.expected, m.found, m.compare(t), Options{Memory: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// value reads one value of the found side.
func (m *mended) value(t *testing.T, query string) (value string) {
	t.Helper()
	if err := m.sql.QueryRowContext(t.Context(), query).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestRepair: exactly the rows that differ are touched, in tables of every kind of key.
func TestRepair(t *testing.T) {
	from := []string{testdb.Sources()[0], testdb.Targets()[0]}
	for _, from := range from {
		t.Run(from, func(t *testing.T) {
			m := mend(t, from, testdb.Targets()[0])
			large := "INSERT INTO mdl_number (id, name, data) VALUES (100, 'large', REPEAT('0123456789abcdef', 1500000))"
			if strings.HasPrefix(from, "postgres") {
				large = strings.Replace(large, "REPEAT('0123456789abcdef', 1500000)", "convert_to(repeat('0123456789abcdef', 1500000), 'UTF8')", 1)
			}
			m.expectedDB.Exec(t, m.expectedURL, large)
			m.damage(t,
				"ALTER TABLE mdl_number ADD COLUMN mine text DEFAULT 'default'",
				"UPDATE mdl_number SET mine = 'kept ' || id",
				"UPDATE mdl_number SET note = '' WHERE id = 1",
				"UPDATE mdl_number SET n = n + 1 WHERE id = 2",
				"DELETE FROM mdl_number WHERE id = 4",
				"INSERT INTO mdl_number (id, name) VALUES (50, 'nobody')",
				"SELECT setval('mdl_number_id_seq', 3)",
				"UPDATE mdl_text SET code = 'ALPHA' WHERE code = 'Alpha'",
				"UPDATE mdl_text SET price = 1.5 WHERE code = 'gamma'",
				"UPDATE mdl_both SET v = 'other' WHERE a = 1 AND b = 'b'",
				"DELETE FROM mdl_both WHERE a = 2",
				"INSERT INTO mdl_both VALUES (3, 'c', 'extra')",
				"INSERT INTO mdl_none VALUES (2, 'y'), (2, 'y'), (3, NULL)",
				"DELETE FROM mdl_none WHERE ctid IN (SELECT ctid FROM mdl_none WHERE a = 1 LIMIT 2)",
				"DELETE FROM mdl_none WHERE a IS NULL",
			)
			untouched := "SELECT string_agg(xmin::text, ',' ORDER BY id) FROM mdl_number WHERE id IN (3, 5, 6)"
			before := m.value(t, untouched)
			want := []RepairedTable{
				{Table: "mdl_both", Inserted: 1, Deleted: 1, Updated: 1},
				{Table: "mdl_none", Inserted: 3, Deleted: 3},
				{Table: "mdl_number", Inserted: 2, Deleted: 1, Updated: 2},
				{Table: "mdl_text", Inserted: 1, Deleted: 1, Updated: 1},
			}
			if diff := cmp.Diff(want, m.repair(t).Tables); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(map[string]verify.State{}, states(m.compare(t))); diff != "" {
				t.Error(diff)
			}
			for query, want := range map[string]string{
				untouched: before,
				"SELECT string_agg(mine, ', ' ORDER BY id) FROM mdl_number":    "kept 1, kept 2, kept 3, default, kept 5, kept 6, default",
				"SELECT nextval('mdl_number_id_seq')":                          "101",
				"SELECT nextval('mdl_same_id_seq')":                            "2",
				"SELECT count(*) FROM pg_class WHERE relname LIKE 'moodledb%'": "0",
			} {
				if got := m.value(t, query); got != want {
					t.Errorf("%s: %s, not %s", query, got, want)
				}
			}
			if done := m.repair(t); len(done.Tables) != 0 || !done.Whole() {
				t.Errorf("%+v", done)
			}
		})
	}
}

// TestRepairSwapped: values of a unique index that changed places are put right,
// and columns that only the found side has are kept.
func TestRepairSwapped(t *testing.T) {
	m := mend(t, testdb.Sources()[0], testdb.Targets()[0])
	m.damage(t,
		"ALTER TABLE mdl_number ADD COLUMN mine text, ADD COLUMN twice bigint GENERATED ALWAYS AS (n * 2) STORED",
		"UPDATE mdl_number SET mine = 'kept ' || id",
		"UPDATE mdl_number SET name = 'swap' WHERE id = 1", "UPDATE mdl_number SET name = 'anna' WHERE id = 2", "UPDATE mdl_number SET name = 'ben' WHERE id = 1",
		"UPDATE mdl_number SET name = 'nobody' WHERE id = 3", "DELETE FROM mdl_number WHERE id = 6",
		"INSERT INTO mdl_number (id, name) VALUES (7, 'fritz')",
	)
	if diff := cmp.Diff([]RepairedTable{{Table: "mdl_number", Inserted: 1, Deleted: 1, Updated: 3}}, m.repair(t).Tables); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]verify.State{}, states(m.compare(t))); diff != "" {
		t.Error(diff)
	}
	if got := m.value(t, "SELECT string_agg(concat(mine, ' ', twice), ', ' ORDER BY id) FROM mdl_number WHERE id < 4"); got != "kept 1 2, kept 2 4, kept 3 6" {
		t.Error(got)
	}
}

// TestRepairOddTables: identities that are always generated, partitions, types
// that are compared as others, and triggers that only look on do not hinder a
// repair; a value that the column cannot hold does.
func TestRepairOddTables(t *testing.T) {
	m := mend(t, testdb.Sources()[0], testdb.Targets()[0])
	m.expectedDB.Exec(t, m.expectedURL,
		"CREATE TABLE mdl_odd (id bigint NOT NULL, `Mood \"x\"` varchar(20), price double, code char(10), moment varchar(40), PRIMARY KEY (id))",
		"CREATE TABLE mdl_parted (id bigint NOT NULL, v varchar(20), PRIMARY KEY (id))",
		"CREATE TABLE mdl_dates (id bigint NOT NULL, d date, PRIMARY KEY (id))",
		`INSERT INTO mdl_odd VALUES (1, 'glad', 1.25, 'ab', '{"a": [1, 2]}'), (2, 'sad', NULL, '', NULL), (3, 'sad', 0.5, 'c', '[]')`,
		"INSERT INTO mdl_parted VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four')",
		"SET SESSION sql_mode = ''", "INSERT INTO mdl_dates VALUES (1, '2024-02-29'), (2, '0000-00-00')")
	m.damage(t,
		"CREATE TYPE mood AS ENUM ('sad', 'glad')",
		`CREATE TABLE mdl_odd (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Mood ""x""" mood, price numeric(10,4), code character(12), moment jsonb)`,
		`INSERT INTO mdl_odd OVERRIDING SYSTEM VALUE VALUES (2, 'glad', NULL, '', NULL), (3, 'sad', 0.5, 'c', '[ ]'), (4, 'sad', 0, 'd', '{}')`,
		"CREATE SCHEMA apart", `CREATE SEQUENCE apart."numbers for ""p"""`,
		`CREATE TABLE mdl_parted (id bigint NOT NULL DEFAULT nextval('apart."numbers for ""p"""') PRIMARY KEY, v varchar(20)) PARTITION BY HASH (id)`,
		"CREATE TABLE mdl_parted_0 PARTITION OF mdl_parted FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
		"CREATE TABLE mdl_parted_1 PARTITION OF mdl_parted FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
		"INSERT INTO mdl_parted VALUES (1, 'one'), (2, 'TWO'), (3, 'three '), (5, 'five')",
		"CREATE TABLE mdl_dates (id bigint NOT NULL PRIMARY KEY, d date)", "INSERT INTO mdl_dates VALUES (1, '2024-02-28'), (2, NULL)",
		"CREATE TABLE seen (n bigint)", "CREATE FUNCTION looks_on() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.seen VALUES (1); RETURN NULL; END$$",
		"CREATE TRIGGER looks_on AFTER INSERT OR UPDATE OR DELETE ON mdl_odd FOR EACH ROW EXECUTE FUNCTION looks_on()")
	done := m.repair(t)
	if len(done.Tables) != 3 || !strings.Contains(done.Tables[0].Problem, "a value of the expected side is none of its column's type") {
		t.Fatalf("%+v", done)
	}
	if diff := cmp.Diff([]RepairedTable{{Table: "mdl_odd", Inserted: 1, Deleted: 1, Updated: 1}, {Table: "mdl_parted", Inserted: 1, Deleted: 1, Updated: 2}}, done.Tables[1:]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]verify.State{"mdl_dates": verify.Different}, states(m.compare(t))); diff != "" {
		t.Error(diff)
	}
	for query, want := range map[string]string{
		"SELECT string_agg(r::text, ' ' ORDER BY id) FROM mdl_odd r WHERE id < 3": `(1,glad,1.2500,"ab          ","{""a"": [1, 2]}") (2,sad,,"            ",)`,
		"SELECT count(*) FROM seen":                                  "3",
		"SELECT string_agg(d::text, ' ' ORDER BY id) FROM mdl_dates": "2024-02-28",
	} {
		if got := m.value(t, query); got != want {
			t.Errorf("%s: %s, not %s", query, got, want)
		}
	}
}

// TestRepairStops: what cannot be repaired is as it was, with the reason; other tables are repaired.
func TestRepairStops(t *testing.T) {
	m := mend(t, testdb.Sources()[0], testdb.Targets()[0])
	const refused = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'not on my watch'; END$$"
	const changes = "CREATE FUNCTION changes() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.v := 'never right'; RETURN NEW; END$$"
	for _, c := range []struct {
		name, table string
		before      []string
		problem     string
		after       []string
	}{
		{
			"a trigger refuses", "mdl_text",
			[]string{"UPDATE mdl_text SET v = 'wrong' WHERE code = 'beta'", refused, "CREATE TRIGGER refuse BEFORE UPDATE ON mdl_text FOR EACH ROW EXECUTE FUNCTION refuse()"},
			"not on my watch",
			[]string{"DROP TRIGGER refuse ON mdl_text"},
		},
		{
			"a trigger changes", "mdl_both",
			[]string{"UPDATE mdl_both SET v = 'wrong' WHERE a = 2", changes, "CREATE TRIGGER changes BEFORE UPDATE ON mdl_both FOR EACH ROW EXECUTE FUNCTION changes()"},
			"1 rows still differed after the repair, which was taken back",
			[]string{"DROP TRIGGER changes ON mdl_both"},
		},
		{
			"a trigger drops", "mdl_both",
			[]string{
				"DELETE FROM mdl_both WHERE a = 2", "CREATE FUNCTION drops() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$",
				"CREATE TRIGGER drops BEFORE INSERT ON mdl_both FOR EACH ROW EXECUTE FUNCTION drops()",
			},
			"0 rows were added, 0 taken away and 0 changed, where 1, 0 and 0 had to be",
			[]string{"DROP TRIGGER drops ON mdl_both"},
		},
		{
			"rows of other tables would go", "mdl_number",
			[]string{
				"INSERT INTO mdl_number (id, name) VALUES (70, 'parent')",
				"CREATE TABLE mdl_same_child (id bigint PRIMARY KEY, parent bigint CONSTRAINT goes_along REFERENCES mdl_number (id) ON DELETE CASCADE)",
				"INSERT INTO mdl_same_child VALUES (1, 70)",
			},
			`the foreign key "goes_along" of table public.mdl_same_child would change rows there too`,
			[]string{"DROP TABLE mdl_same_child"},
		},
		{
			"a foreign key holds", "mdl_number",
			[]string{
				"INSERT INTO mdl_number (id, name) VALUES (71, 'parent')",
				"CREATE TABLE mdl_same_child (id bigint PRIMARY KEY, parent bigint REFERENCES mdl_number (id))", "INSERT INTO mdl_same_child VALUES (1, 71)",
			},
			"violates foreign key constraint",
			[]string{"DROP TABLE mdl_same_child"},
		},
		{
			"other tables inherit", "mdl_none",
			[]string{"INSERT INTO mdl_none VALUES (9, 'z')", "CREATE TABLE mdl_none_part () INHERITS (mdl_none)"},
			"other tables inherit from it",
			[]string{"DROP TABLE mdl_none_part"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.damage(t, append(c.before, "DELETE FROM mdl_same")...)
			rows := fmt.Sprintf("SELECT string_agg(r::text, ';' ORDER BY r::text) FROM (SELECT * FROM %s) r", c.table)
			before := m.value(t, rows)
			done := m.repair(t)
			if len(done.Tables) != 2 || done.Whole() {
				t.Errorf("%+v", done)
			}
			for _, r := range done.Tables {
				if r.Table == "mdl_same" && r != (RepairedTable{Table: "mdl_same", Inserted: 1}) || r.Table == c.table && !strings.Contains(r.Problem, c.problem) {
					t.Errorf("%+v", r)
				}
			}
			if after := m.value(t, rows); after != before {
				t.Errorf("%s became %s", before, after)
			}
			m.damage(t, c.after...)
			if done := m.repair(t); !done.Whole() || len(done.Tables) != 1 {
				t.Errorf("%+v", done)
			}
		})
	}
	if diff := cmp.Diff(map[string]verify.State{}, states(m.compare(t))); diff != "" {
		t.Error(diff)
	}
}

// TestRepairOnlyPostgres: the other engines are refused before anything is read.
func TestRepairOnlyPostgres(t *testing.T) {
	d, err := dsn.Parse("mysql://u@127.0.0.1:1/moodle", dsn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Repair(t.Context(), Source{DSN: d}, Source{DSN: d}, &Result{}, Options{}); err == nil || !strings.Contains(err.Error(), "PostgreSQL only") {
		t.Errorf("error %v", err)
	}
}
