//go:build integration

package postgres_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// fixTables are the tables of the site whose drift is undone.
const fixTables = `<?xml version="1.0" encoding="UTF-8" ?>
<XMLDB PATH="lib/db" VERSION="1" COMMENT="core"><TABLES>
<TABLE NAME="config" COMMENT="settings"><FIELDS>
<FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>
<FIELD NAME="name" TYPE="char" LENGTH="255" NOTNULL="true"/>
<FIELD NAME="value" TYPE="text" NOTNULL="true"/></FIELDS>
<KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/><KEY NAME="name" TYPE="unique" FIELDS="name"/></KEYS></TABLE>
<TABLE NAME="thing" COMMENT="things"><FIELDS>
<FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>
<FIELD NAME="course" TYPE="int" LENGTH="10" NOTNULL="true" DEFAULT="0"/>
<FIELD NAME="name" TYPE="char" LENGTH="255" NOTNULL="true"/>
<FIELD NAME="idnumber" TYPE="char" LENGTH="100" NOTNULL="false"/>
<FIELD NAME="body" TYPE="text" NOTNULL="true"/>
<FIELD NAME="grade" TYPE="number" LENGTH="10" DECIMALS="5" NOTNULL="false" DEFAULT="0"/>
<FIELD NAME="ratio" TYPE="float" NOTNULL="false"/>
<FIELD NAME="flag" TYPE="int" LENGTH="1" NOTNULL="true" DEFAULT="1"/>
<FIELD NAME="time" TYPE="int" LENGTH="10" NOTNULL="true"/>
<FIELD NAME="data" TYPE="binary" NOTNULL="false"/></FIELDS>
<KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS>
<INDEXES><INDEX NAME="course-name" UNIQUE="true" FIELDS="course,name"/><INDEX NAME="time" UNIQUE="false" FIELDS="time"/>
<INDEX NAME="number" UNIQUE="false" FIELDS="idnumber" HINTS="varchar_pattern_ops"/></INDEXES></TABLE>
<TABLE NAME="part" COMMENT="parts"><FIELDS>
<FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>
<FIELD NAME="thingid" TYPE="int" LENGTH="10" NOTNULL="true"/>
<FIELD NAME="kind" TYPE="char" LENGTH="20" NOTNULL="true" DEFAULT="a" ALLOWED_VALUES="a,b"/></FIELDS>
<KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/>
<KEY NAME="thing" TYPE="foreign" FIELDS="thingid" REFTABLE="thing" REFFIELDS="id" ONDELETE="cascade"/></KEYS></TABLE>
</TABLES></XMLDB>`

// fixRows are the rows that must be the same after drift and fix.
var fixRows = []string{
	"INSERT INTO mdl_config (id, name, value) VALUES (1, 'version', '1')",
	"INSERT INTO mdl_thing (id, course, name, idnumber, body, grade, ratio, flag, time) VALUES (5, 2, 'one', 'n1', 'text', 1.5, 0.25, 1, 7), (9, 2, 'two', NULL, 'é', NULL, NULL, 0, 8)",
	"INSERT INTO mdl_part (id, thingid, kind) VALUES (1, 5, 'a'), (2, 9, 'b')",
}

// fixSite loads the code of a site of the product with the tables.
func fixSite(t *testing.T, product xmldb.Product) *xmldb.Site {
	t.Helper()
	dir := t.TempDir()
	root, version := dir, "<?php\n$version = 2024100705.00;\n$branch = '405';\n"
	if product == xmldb.Totara {
		root, version = filepath.Join(dir, "server"), "<?php\n$version = 2020100100.00;\n$TOTARA = new stdClass();\n$TOTARA->version = '13.1';\n"
	}
	for name, text := range map[string]string{
		"version.php": version, "lib/db/install.xml": fixTables,
		"lib/components.json": `{"plugintypes": {"mod": "mod"}, "subsystems": {}}`,
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	site, err := xmldb.Load(dir, xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if site.Product != product {
		t.Fatalf("the product is %q", site.Product)
	}
	return site
}

// fixBench is a database of a site.
type fixBench struct {
	server   *testdb.Server
	db       *postgres.DB
	site     *xmldb.Site
	declared schema.Schema
	// conn is a plain session; fix is one of the product's own, without a search path.
	conn *sql.Conn
	fix  *postgres.Conn
}

func newFixBench(t *testing.T, s *testdb.Server, product xmldb.Product) *fixBench {
	t.Helper()
	b := &fixBench{server: s, site: fixSite(t, product)}
	b.declared, _ = convert.Declared(b.site, convert.DeclaredOptions{Engine: schema.Postgres, Prefix: "mdl_"})
	url := s.Database(t)
	b.db = open(t, url)
	b.fix = acquire(t, b.db)
	conn, err := s.SQL(t, url).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	b.conn = conn
	s.Role(t, "fix_owner", url)
	b.exec(t, postgres.Statements("public", &b.declared)...)
	b.exec(t, fixRows...)
	b.exec(t, "SELECT setval('mdl_thing_id_seq', 20)", "SELECT setval('mdl_part_id_seq', 20)", "SELECT setval('mdl_config_id_seq', 20)")
	return b
}

func (b *fixBench) exec(t *testing.T, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := b.conn.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
}

// apply runs the statements of a fix.
func (b *fixBench) apply(t *testing.T, fix diff.Fix) {
	t.Helper()
	for _, s := range fix.Statements {
		if err := b.fix.Exec(t.Context(), s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
}

// compare returns what was found, and the changes.
func (b *fixBench) compare(t *testing.T) (schema.Schema, []diff.Change) {
	t.Helper()
	have := inspect(t, b.db, "public")
	if err := b.db.ReadHighest(t.Context(), &have); err != nil {
		t.Fatal(err)
	}
	return have, diff.Schemas(&b.declared, &have, diff.Options{Prefix: "mdl_", Declared: true, Product: b.site.Product})
}

// fixes returns what undoes the changes.
func (b *fixBench) fixes(t *testing.T) []diff.Fix {
	t.Helper()
	have, changes := b.compare(t)
	return postgres.Fixes(&b.declared, &have, changes, postgres.FixOptions{Prefix: "mdl_", Site: b.site, Schema: "public"})
}

// TestFixesLeaveNothing spoils a database, runs the fixes that lose nothing and finds
// only what the others are for, then runs those, and finds nothing.
func TestFixesLeaveNothing(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		for _, drift := range fixDrifts() {
			if drift.from > 0 && !newEnough(s.Name, drift.from) {
				continue
			}
			t.Run(drift.name, func(t *testing.T) {
				product := xmldb.Moodle
				if drift.totara {
					product = xmldb.Totara
				}
				b := newFixBench(t, s, product)
				b.exec(t, drift.statements...)
				_, before := b.compare(t)
				if len(before) == 0 {
					t.Fatal("nothing is different")
				}
				lost := map[diff.Code]bool{}
				for _, fix := range b.fixes(t) {
					if fix.Destructive {
						for _, code := range fix.Codes {
							lost[code] = true
						}
						continue
					}
					b.apply(t, fix)
				}
				_, left := b.compare(t)
				for _, c := range left {
					if !lost[c.Code] {
						t.Errorf("left by the fixes that lose nothing: %s %s %s (%s, found %s)", c.Code, c.Table, c.Object, c.Expected, c.Found)
					}
				}
				if len(lost) > 0 != drift.destructive {
					t.Errorf("destructive fixes for %v", lost)
				}
				for _, fix := range b.fixes(t) {
					b.apply(t, fix)
				}
				if _, left := b.compare(t); len(left) > 0 {
					t.Errorf("left by all fixes: %+v", left)
				}
				if !drift.destructive {
					b.checkRows(t)
				}
			})
		}
	})
}

// newEnough reports whether a flavour is of that major version or a later one.
func newEnough(flavour string, major int) bool {
	var n int
	_, err := fmt.Sscanf(flavour, "postgres-%d", &n)
	return err == nil && n >= major
}

// checkRows fails the test when the rows are not those that were inserted, or
// the next ids are taken.
func (b *fixBench) checkRows(t *testing.T) {
	t.Helper()
	for query, want := range map[string]string{
		"SELECT string_agg(concat_ws(',', id, name, value), ',' ORDER BY id) FROM mdl_config":                                           "1,version,1",
		"SELECT string_agg(concat_ws('/', id, course, name, idnumber, body, grade, ratio, flag, time), ',' ORDER BY id) FROM mdl_thing": "5/2/one/n1/text/1.50000/0.25/1/7,9/2/two/é/0/8",
		"SELECT string_agg(concat_ws('/', id, thingid, kind), ',' ORDER BY id) FROM mdl_part":                                           "1/5/a,2/9/b",
	} {
		var got string
		if err := b.conn.QueryRowContext(t.Context(), query).Scan(&got); err != nil {
			t.Error(err)
		} else if got != want {
			t.Errorf("%s\ngives %s\nwant  %s", query, got, want)
		}
	}
	b.exec(t, "INSERT INTO mdl_thing (name, body, time) VALUES ('new', '', 1)", "INSERT INTO mdl_part (thingid) VALUES (5)", "INSERT INTO mdl_config (name, value) VALUES ('new', '')")
	var id int64
	if err := b.conn.QueryRowContext(t.Context(), "SELECT max(id) FROM mdl_thing").Scan(&id); err != nil || id < 21 {
		t.Errorf("the id %d was given out again (%v)", id, err)
	}
}

// fixDrift is a way to spoil the database.
type fixDrift struct {
	name       string
	statements []string
	// destructive says that undoing it loses something.
	destructive bool
	totara      bool
	// from is the first version of PostgreSQL that can do it.
	from int
}

func fixDrifts() []fixDrift {
	thing := func(clauses string) []string { return []string{"ALTER TABLE mdl_thing " + clauses} }
	return []fixDrift{
		{name: "missing indexes", statements: []string{"DROP INDEX mdl_thin_tim_ix", "DROP INDEX mdl_thin_idn_ix_pattern"}},
		{name: "missing index with its pattern", statements: []string{"DROP INDEX mdl_thin_idn_ix", "DROP INDEX mdl_thin_idn_ix_pattern", "CREATE TABLE mdl_thin_idn_ix (id int)"}, destructive: true},
		{name: "unique index lost", statements: []string{"DROP INDEX mdl_thin_counam_uix", "CREATE INDEX mdl_thin_counam_uix ON mdl_thing (course, name)"}},
		{name: "partial, expression, order, INCLUDE", statements: []string{
			"DROP INDEX mdl_thin_counam_uix", "CREATE UNIQUE INDEX mdl_thin_counam_uix ON mdl_thing (course, name) WHERE course > 0",
			"DROP INDEX mdl_thin_tim_ix", "CREATE INDEX mdl_thin_tim_ix ON mdl_thing (time DESC) INCLUDE (flag)",
			"DROP INDEX mdl_thin_idn_ix", "CREATE INDEX l ON mdl_thing (lower(idnumber))",
		}},
		{name: "nulls not distinct, constraint, deferrable", statements: []string{
			"DROP INDEX mdl_thin_counam_uix", "ALTER TABLE mdl_thing ADD CONSTRAINT mdl_thin_counam_uix UNIQUE NULLS NOT DISTINCT (course, name)",
			"DROP INDEX mdl_conf_nam_uix", "ALTER TABLE mdl_config ADD CONSTRAINT c UNIQUE (name) DEFERRABLE",
			"ALTER TABLE mdl_part DROP CONSTRAINT mdl_part_id_pk, ADD CONSTRAINT mdl_part_id_pk PRIMARY KEY (id) DEFERRABLE",
		}},
		{name: "uniqueness added, hash, collation", statements: []string{
			"DROP INDEX mdl_thin_tim_ix", "CREATE UNIQUE INDEX mdl_thin_tim_ix ON mdl_thing (time)",
			"DROP INDEX mdl_thin_idn_ix", `CREATE INDEX mdl_thin_idn_ix ON mdl_thing (idnumber COLLATE "C")`,
			"DROP INDEX mdl_part_thi_ix", "CREATE INDEX mdl_part_thi_ix ON mdl_part USING hash (thingid)",
		}},
		{name: "extra and duplicate indexes", statements: []string{
			"CREATE INDEX a ON mdl_thing (flag)", "CREATE INDEX b ON mdl_thing (time)", "ALTER TABLE mdl_thing ADD CONSTRAINT u UNIQUE (flag, id)",
			"ALTER TABLE mdl_thing ADD CONSTRAINT e EXCLUDE USING btree (time WITH =)",
		}},
		{name: "invalid", statements: []string{"UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('mdl_thin_tim_ix'::regclass, 'mdl_thin_counam_uix'::regclass)"}},
		{name: "no key", statements: thing("DROP CONSTRAINT mdl_thin_id_pk")},
		{name: "a stand-in for the key", statements: []string{"ALTER TABLE mdl_thing DROP CONSTRAINT mdl_thin_id_pk", "CREATE UNIQUE INDEX stand ON mdl_thing (id)"}},
		{name: "other key", statements: thing("DROP CONSTRAINT mdl_thin_id_pk, ADD PRIMARY KEY (id, course)")},
		{name: "id does not count", statements: thing("ALTER id DROP DEFAULT")},
		{name: "id counts by another sequence", statements: []string{
			"CREATE SEQUENCE other START 30", "ALTER TABLE mdl_thing ALTER id SET DEFAULT nextval('other')",
		}},
		{name: "sequence missing", statements: []string{"DROP SEQUENCE mdl_thing_id_seq CASCADE", "CREATE SEQUENCE x START 21", "ALTER TABLE mdl_thing ALTER id SET DEFAULT nextval('x')", "ALTER SEQUENCE x OWNED BY mdl_thing.id"}},
		{name: "identity", statements: []string{
			"ALTER TABLE mdl_thing ALTER id DROP DEFAULT", "DROP SEQUENCE mdl_thing_id_seq", "ALTER TABLE mdl_thing ALTER id ADD GENERATED ALWAYS AS IDENTITY (START 21)",
		}},
		{name: "identity of another name", statements: []string{
			"ALTER TABLE mdl_thing ALTER id DROP DEFAULT", "ALTER TABLE mdl_thing ALTER id ADD GENERATED BY DEFAULT AS IDENTITY (START 21)",
		}},
		{name: "sequences behind, not owned, of other options", statements: []string{
			"ALTER TABLE mdl_thing OWNER TO fix_owner", "ALTER TABLE mdl_config OWNER TO fix_owner", "ALTER TABLE mdl_part OWNER TO fix_owner",
			"ALTER SEQUENCE mdl_part_id_seq OWNED BY NONE", "ALTER SEQUENCE mdl_part_id_seq OWNER TO " + "postgres",
			"ALTER SEQUENCE mdl_config_id_seq AS integer MAXVALUE 100 CYCLE", "UPDATE mdl_thing SET id = 100 WHERE id = 9",
			"UPDATE mdl_thing SET id = 9 WHERE id = 100", "SELECT setval('mdl_config_id_seq', 1, false)",
		}},
		{name: "counter where none is", statements: []string{"CREATE SEQUENCE s OWNED BY mdl_thing.course", "ALTER TABLE mdl_thing ALTER course SET DEFAULT nextval('s')", "ALTER TABLE mdl_part ALTER thingid ADD GENERATED ALWAYS AS IDENTITY"}},
		{name: "extra constraints", statements: []string{
			"ALTER TABLE mdl_part ADD CONSTRAINT extra FOREIGN KEY (thingid) REFERENCES mdl_thing (id)", "ALTER TABLE mdl_thing ADD CONSTRAINT one CHECK (flag < 10)",
		}},
		{name: "narrow and wide", statements: thing("ALTER course TYPE integer, ALTER flag TYPE bigint, ALTER name TYPE varchar(100), ALTER idnumber TYPE varchar(200), ALTER body TYPE varchar(30), ALTER id TYPE integer")},
		{name: "text, char and bytes", statements: []string{
			"DROP INDEX mdl_thin_idn_ix_pattern", "ALTER TABLE mdl_thing ALTER name TYPE text, ALTER idnumber TYPE char(20), ALTER body TYPE bytea USING convert_to(body, 'UTF8')", "ALTER TABLE mdl_config ALTER name TYPE varchar",
		}},
		{name: "json, enum, xml, domain", statements: []string{
			"DROP INDEX mdl_thin_idn_ix_pattern", "DROP INDEX mdl_thin_idn_ix", "CREATE TYPE kinds AS ENUM ('a', 'b')", "ALTER TABLE mdl_part ALTER kind DROP DEFAULT, ALTER kind TYPE kinds USING kind::kinds, ALTER kind SET DEFAULT 'b'",
			"CREATE DOMAIN amount AS numeric CHECK (VALUE > 0)", "ALTER TABLE mdl_thing ALTER grade DROP DEFAULT, ALTER grade TYPE amount, ALTER ratio TYPE jsonb USING to_jsonb(ratio), ALTER body TYPE xml USING xmlparse(content body)",
			"CREATE INDEX j ON mdl_thing USING gin (ratio)",
		}},
		{name: "numbers of other kinds", statements: thing("ALTER grade TYPE double precision, ALTER ratio TYPE numeric, ALTER flag DROP DEFAULT, ALTER flag TYPE boolean USING flag <> 0, ALTER flag SET DEFAULT true, ALTER time TYPE text, ALTER course DROP DEFAULT, ALTER course TYPE numeric(12,2), ALTER course SET DEFAULT 0.00")},
		{name: "more and less digits", statements: []string{"ALTER TABLE mdl_thing ALTER grade TYPE numeric(20,10), ALTER ratio TYPE real"}},
		{name: "dates for numbers", statements: thing("ALTER time TYPE timestamp USING to_timestamp(time)"), destructive: true},
		{name: "bits for numbers", statements: thing("ALTER time TYPE bit(8) USING time::integer::bit(8)")},
		{name: "nullable", statements: append(thing("ALTER flag DROP NOT NULL, ALTER name DROP NOT NULL, ALTER time DROP NOT NULL"), "UPDATE mdl_thing SET flag = NULL WHERE id = 5")},
		{name: "not null", statements: thing("ALTER data SET DEFAULT '\\x', ALTER idnumber SET DEFAULT 'x'")},
		{name: "defaults", statements: thing("ALTER flag DROP DEFAULT, ALTER course SET DEFAULT 3, ALTER time SET DEFAULT 0, ALTER grade SET DEFAULT 1 + 1")},
		{name: "stored", statements: []string{
			"ALTER TABLE mdl_thing DROP COLUMN time", "ALTER TABLE mdl_thing ADD COLUMN time integer GENERATED ALWAYS AS (CASE WHEN name = 'one' THEN 7 ELSE 8 END) STORED", "CREATE INDEX mdl_thin_tim_ix ON mdl_thing (time)",
		}},
		{name: "virtual", from: 18, statements: []string{
			"ALTER TABLE mdl_thing DROP COLUMN time", "ALTER TABLE mdl_thing ADD COLUMN time bigint GENERATED ALWAYS AS (CASE WHEN name = 'one' THEN 7 ELSE 8 END) VIRTUAL",
		}},
		{name: "collation", statements: thing(`ALTER name TYPE varchar(255) COLLATE "C", ALTER body TYPE text COLLATE "C"`)},
		{name: "unlogged, row security, owner", statements: []string{
			"ALTER TABLE mdl_part SET UNLOGGED", "ALTER TABLE mdl_thing ENABLE ROW LEVEL SECURITY", "ALTER TABLE mdl_part OWNER TO fix_owner",
		}},
		{name: "inheritance", statements: []string{
			"CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.parent (id bigint NOT NULL)", "ALTER TABLE mdl_part INHERIT elsewhere.parent", "ALTER TABLE mdl_part ALTER thingid TYPE integer",
		}},
		{name: "partition", statements: []string{
			"CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.whole (LIKE mdl_part) PARTITION BY RANGE (id)", "ALTER TABLE elsewhere.whole ATTACH PARTITION mdl_part DEFAULT",
		}},
		{name: "partitioned", statements: []string{
			"CREATE TABLE part_old AS SELECT * FROM mdl_part", "ALTER SEQUENCE mdl_part_id_seq OWNED BY NONE", "DROP TABLE mdl_part",
			"CREATE TABLE mdl_part (id bigint NOT NULL DEFAULT nextval('mdl_part_id_seq'), thingid bigint NOT NULL, kind varchar(20) NOT NULL DEFAULT 'a', CONSTRAINT mdl_part_id_pk PRIMARY KEY (id)) PARTITION BY HASH (id)",
			"ALTER SEQUENCE mdl_part_id_seq OWNED BY mdl_part.id", "CREATE INDEX mdl_part_thi_ix ON mdl_part (thingid)", "CREATE SCHEMA elsewhere",
			"CREATE TABLE elsewhere.p0 PARTITION OF mdl_part FOR VALUES WITH (MODULUS 2, REMAINDER 0)", "CREATE TABLE elsewhere.p1 PARTITION OF mdl_part FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
			"INSERT INTO mdl_part SELECT * FROM part_old", "DROP TABLE part_old",
		}},
		{name: "renamed column", statements: []string{"ALTER TABLE mdl_thing RENAME idnumber TO number", "ALTER TABLE mdl_thing RENAME time TO times"}},
		{name: "extra objects", statements: []string{
			"ALTER TABLE mdl_thing ADD COLUMN extra int, ADD COLUMN more int, ADD COLUMN twice int GENERATED ALWAYS AS (extra * 2) STORED, ADD CONSTRAINT positive CHECK (extra > 0 OR more > 0)",
			"CREATE INDEX e ON mdl_thing (extra)", "CREATE INDEX m ON mdl_thing (time, more)", "CREATE TABLE mdl_extra (id serial PRIMARY KEY)",
			"CREATE VIEW mdl_view AS SELECT id FROM mdl_thing", "CREATE MATERIALIZED VIEW mdl_mat AS SELECT id FROM mdl_thing", "CREATE SEQUENCE stray",
			"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$", "CREATE TRIGGER tr BEFORE INSERT ON mdl_thing FOR EACH ROW EXECUTE FUNCTION f()",
			"CREATE RULE ru AS ON DELETE TO mdl_part DO ALSO NOTHING",
		}, destructive: true},
		{name: "view for table", statements: []string{"ALTER TABLE mdl_config RENAME TO mdl_settings", "CREATE VIEW mdl_config AS SELECT * FROM mdl_settings"}, destructive: true},
		{name: "other constraints", totara: true, statements: []string{
			"ALTER TABLE mdl_part DROP CONSTRAINT mdl_part_thingid_fk, ADD CONSTRAINT mdl_part_thingid_fk FOREIGN KEY (thingid) REFERENCES mdl_thing (id)",
			"ALTER TABLE mdl_part DROP CONSTRAINT mdl_partkind_enum, ADD CONSTRAINT other CHECK (kind IN ('a','b','c'))",
		}},
		{name: "missing constraints", totara: true, statements: []string{"ALTER TABLE mdl_part DROP CONSTRAINT mdl_part_thingid_fk, DROP CONSTRAINT mdl_partkind_enum"}},
		{name: "key of a constraint", totara: true, statements: []string{"ALTER TABLE mdl_part ALTER thingid TYPE integer", "ALTER TABLE mdl_thing ALTER id TYPE integer"}},
	}
}

// TestFixesOfMissingTablesAndColumns undoes what loses rows by itself.
func TestFixesOfMissingTablesAndColumns(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		for what, statements := range map[string][]string{
			"tables":                        {"DROP TABLE mdl_part", "DROP TABLE mdl_config"},
			"table whose sequence is there": {"ALTER SEQUENCE mdl_part_id_seq OWNED BY NONE", "ALTER TABLE mdl_part ALTER id DROP DEFAULT", "DROP TABLE mdl_part"},
			"columns in indexes":            {"ALTER TABLE mdl_thing DROP COLUMN name, DROP COLUMN body, DROP COLUMN time, DROP COLUMN data", "DELETE FROM mdl_thing WHERE id = 9", "CREATE INDEX rest ON mdl_thing (course)"},
			"id":                            {"ALTER TABLE mdl_thing DROP COLUMN id"},
			"everything": {
				"DROP TABLE mdl_part", "ALTER TABLE mdl_thing DROP CONSTRAINT mdl_thin_id_pk, ALTER id DROP DEFAULT, ALTER id TYPE integer, DROP COLUMN flag, ALTER body TYPE varchar(20), ADD COLUMN foo int",
				"DROP SEQUENCE mdl_thing_id_seq", "DROP INDEX mdl_thin_tim_ix", "ALTER TABLE mdl_thing OWNER TO fix_owner", "ALTER TABLE mdl_config OWNER TO fix_owner",
			},
		} {
			t.Run(what, func(t *testing.T) {
				b := newFixBench(t, s, xmldb.Moodle)
				b.exec(t, statements...)
				for _, fix := range b.fixes(t) {
					b.apply(t, fix)
				}
				if _, left := b.compare(t); len(left) > 0 {
					t.Errorf("left by all fixes: %+v", left)
				}
			})
		}
	})
}

// TestNarrowingFails makes sure that a fix fails where a value does not fit: it
// neither cuts nor rounds.
func TestNarrowingFails(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		for what, statements := range map[string][]string{
			"text":     {"ALTER TABLE mdl_thing ALTER idnumber TYPE text", "UPDATE mdl_thing SET idnumber = repeat('x', 150)"},
			"decimal":  {"ALTER TABLE mdl_thing ALTER grade TYPE numeric(20,10)", "UPDATE mdl_thing SET grade = 1.123456789"},
			"double":   {"ALTER TABLE mdl_thing ALTER grade TYPE double precision", "UPDATE mdl_thing SET grade = 1.123456789"},
			"fraction": {"ALTER TABLE mdl_thing ALTER time TYPE numeric(20,10)", "UPDATE mdl_thing SET time = 1.5"},
			"digits":   {"ALTER TABLE mdl_thing ALTER ratio TYPE numeric", "UPDATE mdl_thing SET ratio = 1.23456789012345678901"},
		} {
			t.Run(what, func(t *testing.T) {
				b := newFixBench(t, s, xmldb.Moodle)
				b.exec(t, statements...)
				fixes := b.fixes(t)
				if len(fixes) != 1 || fixes[0].Stage != diff.StageNarrow || fixes[0].Destructive {
					t.Fatalf("fixes: %+v", fixes)
				}
				if err := b.fix.Exec(t.Context(), fixes[0].Statements[0]); err == nil {
					t.Error("values were changed")
				}
			})
		}
	})
}
