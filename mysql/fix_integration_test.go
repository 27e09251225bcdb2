//go:build integration

package mysql_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
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
	url      string
	site     *xmldb.Site
	declared schema.Schema
	conn     *sql.Conn
}

func newFixBench(t *testing.T, name string, product xmldb.Product) *fixBench {
	t.Helper()
	b := &fixBench{server: testdb.Get(t, name), site: fixSite(t, product)}
	b.url = b.server.Database(t)
	b.declared, _ = convert.Declared(b.site, convert.DeclaredOptions{Engine: b.server.Engine, Prefix: "mdl_"})
	conn, err := b.server.SQL(t, b.url).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	b.conn = conn
	b.exec(t, "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'", "SET SESSION foreign_key_checks = 0")
	for _, table := range b.declared.Tables {
		b.exec(t, mysql.CreateTable(table))
	}
	b.exec(t, "SET SESSION foreign_key_checks = 1")
	b.exec(t, fixRows...)
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

// compare returns what was found, and the changes.
func (b *fixBench) compare(t *testing.T) (schema.Schema, []diff.Change) {
	t.Helper()
	db := open(t, b.url)
	have, err := db.Inspect(t.Context(), mysql.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.ReadHighest(t.Context(), &have); err != nil {
		t.Fatal(err)
	}
	return have, diff.Schemas(&b.declared, &have, diff.Options{Prefix: "mdl_", Declared: true, Product: b.site.Product})
}

// fixes returns what undoes the changes.
func (b *fixBench) fixes(t *testing.T) []diff.Fix {
	t.Helper()
	have, changes := b.compare(t)
	return mysql.Fixes(&b.declared, &have, changes, mysql.FixOptions{Prefix: "mdl_", Site: b.site})
}

// TestFixesLeaveNothing spoils a database, runs the fixes that lose nothing and finds
// only what the others are for, then runs those, and finds nothing.
func TestFixesLeaveNothing(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			for _, drift := range fixDrifts() {
				if drift.only != "" && !strings.HasPrefix(name, drift.only) {
					continue
				}
				t.Run(drift.name, func(t *testing.T) {
					product := xmldb.Moodle
					if drift.totara {
						product = xmldb.Totara
					}
					b := newFixBench(t, name, product)
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
						b.exec(t, fix.Statements...)
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
						b.exec(t, fix.Statements...)
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
}

// checkRows fails the test when the rows are not those that were inserted.
func (b *fixBench) checkRows(t *testing.T) {
	t.Helper()
	for query, want := range map[string]string{
		"SELECT GROUP_CONCAT(CONCAT_WS(',', id, name, value) ORDER BY id) FROM mdl_config":                                           "1,version,1",
		"SELECT GROUP_CONCAT(CONCAT_WS('/', id, course, name, idnumber, body, grade, ratio, flag, time) ORDER BY id) FROM mdl_thing": "5/2/one/n1/text/1.50000/0.25/1/7,9/2/two/é/0/8",
		"SELECT GROUP_CONCAT(CONCAT_WS('/', id, thingid, kind) ORDER BY id) FROM mdl_part":                                           "1/5/a,2/9/b",
	} {
		var got sql.NullString
		if err := b.conn.QueryRowContext(t.Context(), query).Scan(&got); err != nil {
			t.Error(err)
		} else if got.String != want {
			t.Errorf("%s\ngives %s\nwant  %s", query, got.String, want)
		}
	}
}

// fixDrift is a way to spoil the database.
type fixDrift struct {
	name       string
	statements []string
	// destructive says that undoing it loses something.
	destructive bool
	totara      bool
	// only is the beginning of the flavours that can do it.
	only string
}

func fixDrifts() []fixDrift {
	thing := func(clauses string) []string { return []string{"ALTER TABLE mdl_thing " + clauses} }
	return []fixDrift{
		{name: "missing index", statements: thing("DROP INDEX mdl_thin_tim_ix")},
		{name: "unique index lost", statements: thing("DROP INDEX mdl_thin_counam_uix, ADD INDEX mdl_thin_counam_uix (course, name)")},
		{name: "column order, prefix", statements: thing("DROP INDEX mdl_thin_counam_uix, ADD UNIQUE INDEX u (name(10), course), DROP INDEX mdl_thin_tim_ix, ADD INDEX x (time, course)")},
		{name: "uniqueness added", statements: thing("DROP INDEX mdl_thin_tim_ix, ADD UNIQUE INDEX t (time)")},
		{name: "extra and duplicate indexes", statements: thing("ADD INDEX a (flag), ADD INDEX b (time)")},
		{name: "invisible", statements: thing("ALTER INDEX mdl_thin_tim_ix INVISIBLE"), only: "mysql"},
		{name: "ignored", statements: thing("ALTER INDEX mdl_thin_tim_ix IGNORED"), only: "mariadb"},
		{name: "id without key", statements: thing("MODIFY id bigint NOT NULL, DROP PRIMARY KEY")},
		{name: "id with an ordinary index", statements: thing("DROP PRIMARY KEY, ADD INDEX only (id)")},
		{name: "id does not count", statements: thing("MODIFY id bigint NOT NULL")},
		{name: "other key", statements: thing("DROP PRIMARY KEY, ADD PRIMARY KEY (id, course)")},
		{name: "another column counts", statements: thing("MODIFY id bigint NOT NULL, DROP PRIMARY KEY, ADD COLUMN seq int NOT NULL AUTO_INCREMENT PRIMARY KEY"), destructive: true},
		{name: "extra foreign key", statements: []string{"ALTER TABLE mdl_part ADD CONSTRAINT extra FOREIGN KEY (thingid) REFERENCES mdl_thing (id)"}},
		{name: "extra foreign key with its own index", statements: []string{
			"CREATE TABLE mdl_x (id int PRIMARY KEY)", "ALTER TABLE mdl_thing ADD COLUMN x int, ADD CONSTRAINT extra FOREIGN KEY (x) REFERENCES mdl_x (id)",
		}, destructive: true},
		{name: "narrow columns of an extra foreign key", statements: []string{
			"ALTER TABLE mdl_part MODIFY thingid int NOT NULL", "ALTER TABLE mdl_thing MODIFY id int NOT NULL AUTO_INCREMENT",
			"ALTER TABLE mdl_part ADD CONSTRAINT extra FOREIGN KEY (thingid) REFERENCES mdl_thing (id)",
		}},
		{name: "checks", statements: []string{
			"ALTER TABLE mdl_thing ADD CONSTRAINT one CHECK (flag < 10)", "ALTER TABLE mdl_thing MODIFY time bigint NOT NULL CHECK (time > 0)",
		}},
		{name: "narrow and wide", statements: thing("MODIFY course int NOT NULL DEFAULT 0, MODIFY flag bigint NOT NULL DEFAULT 1, MODIFY name varchar(100) NOT NULL DEFAULT '', MODIFY idnumber varchar(200), MODIFY body text NOT NULL")},
		{name: "unsigned", statements: thing("MODIFY time int unsigned NOT NULL, MODIFY course bigint unsigned zerofill NOT NULL DEFAULT 0")},
		{name: "text for varchar", statements: thing("DROP INDEX mdl_thin_counam_uix, MODIFY name longtext NOT NULL, ADD UNIQUE INDEX mdl_thin_counam_uix (course, name(100))")},
		{name: "full text index on text for varchar", statements: thing("DROP INDEX mdl_thin_idn_ix, MODIFY idnumber text, ADD FULLTEXT INDEX f (idnumber)")},
		{name: "enum, char, binary", statements: thing("MODIFY name enum('one','two') NOT NULL, MODIFY idnumber varbinary(50)")},
		{name: "json for text", statements: []string{"UPDATE mdl_thing SET body = '1'", "ALTER TABLE mdl_thing MODIFY body json", "ALTER TABLE mdl_thing MODIFY body longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", "UPDATE mdl_thing SET body = IF(id = 5, 'text', 'é')"}},
		{name: "decimals", statements: thing("MODIFY grade decimal(8,4), MODIFY ratio float")},
		{name: "more decimals", statements: thing("MODIFY grade decimal(20,10)"), destructive: true},
		{name: "double for decimal", statements: thing("MODIFY grade double"), destructive: true},
		{name: "dates for numbers", statements: thing("DROP INDEX mdl_thin_tim_ix, DROP COLUMN time, ADD COLUMN time datetime NOT NULL DEFAULT '2024-01-31 12:00:00'"), destructive: true},
		{name: "bits for numbers", statements: thing("MODIFY flag bit(3) NOT NULL")},
		{name: "geometry", statements: thing("DROP COLUMN ratio, ADD COLUMN ratio geometry"), destructive: true},
		{name: "uuid", statements: []string{"UPDATE mdl_thing SET idnumber = NULL", "ALTER TABLE mdl_thing MODIFY idnumber uuid", "ALTER TABLE mdl_part ADD COLUMN u uuid"}, only: "mariadb-11", destructive: true},
		{name: "counter of another engine", statements: []string{"ALTER TABLE mdl_part ENGINE=MyISAM", "ALTER TABLE mdl_part AUTO_INCREMENT=1"}},
		{name: "sequence", statements: []string{"CREATE SEQUENCE mdl_stray"}, only: "mariadb", destructive: true},
		{name: "on update, invisible", statements: thing("MODIFY ratio double INVISIBLE"), only: "mysql"},
		{name: "nullable", statements: append(thing("MODIFY flag tinyint NULL, MODIFY name varchar(255) NULL, MODIFY time bigint NULL"), "UPDATE mdl_thing SET flag = 1 WHERE id = 5")},
		{name: "not null", statements: []string{"UPDATE mdl_thing SET data = 'x'", "ALTER TABLE mdl_thing MODIFY data longblob NOT NULL"}},
		{name: "defaults", statements: thing("MODIFY flag tinyint NOT NULL, MODIFY course bigint NOT NULL DEFAULT 3, MODIFY time bigint NOT NULL DEFAULT 0, MODIFY grade decimal(10,5)")},
		{name: "generated", statements: []string{
			"ALTER TABLE mdl_part ADD INDEX y (id)", "ALTER TABLE mdl_thing DROP INDEX mdl_thin_tim_ix, DROP COLUMN time",
			"ALTER TABLE mdl_thing ADD COLUMN time bigint AS (IF(course = 2 AND name = 'one', 7, 8)) VIRTUAL, ADD INDEX mdl_thin_tim_ix (time)",
		}},
		{name: "stored", statements: []string{
			"ALTER TABLE mdl_thing DROP INDEX mdl_thin_tim_ix, DROP COLUMN time",
			"ALTER TABLE mdl_thing ADD COLUMN time bigint AS (IF(course = 2 AND name = 'one', 7, 8)) STORED, ADD INDEX mdl_thin_tim_ix (time)",
		}},
		{name: "collation", statements: thing("DEFAULT CHARACTER SET latin1, MODIFY name varchar(255) CHARACTER SET latin1 NOT NULL DEFAULT '', MODIFY body longtext COLLATE utf8mb4_bin NOT NULL")},
		{name: "whole table in another character set", statements: []string{"ALTER TABLE mdl_thing CONVERT TO CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci", "ALTER TABLE mdl_config CONVERT TO CHARACTER SET latin1"}},
		{name: "engine and format", statements: []string{"ALTER TABLE mdl_part ENGINE=MyISAM", "ALTER TABLE mdl_config DROP INDEX mdl_conf_nam_uix, ROW_FORMAT=Compact"}},
		{name: "partitions", statements: []string{"ALTER TABLE mdl_part PARTITION BY HASH (id) PARTITIONS 2"}},
		{name: "versions", statements: []string{"ALTER TABLE mdl_part ADD SYSTEM VERSIONING", "SET SESSION system_versioning_alter_history = KEEP", "ALTER TABLE mdl_part MODIFY thingid int NOT NULL"}, only: "mariadb", destructive: true},
		{name: "renamed column", statements: thing("CHANGE idnumber number varchar(100), CHANGE time times bigint NOT NULL")},
		{name: "extra objects", statements: []string{
			"ALTER TABLE mdl_thing ADD COLUMN extra int, ADD COLUMN more int, ADD INDEX e (extra), ADD INDEX m (time, more), ADD CONSTRAINT positive CHECK (extra > 0 OR more > 0)",
			"CREATE TABLE mdl_extra (id int)", "CREATE VIEW mdl_view AS SELECT id FROM mdl_thing",
			"CREATE TRIGGER tr BEFORE INSERT ON mdl_thing FOR EACH ROW SET NEW.flag = 1",
		}, destructive: true},
		{name: "view for table", statements: []string{"RENAME TABLE mdl_config TO mdl_settings", "CREATE VIEW mdl_config AS SELECT * FROM mdl_settings"}, destructive: true},
		{name: "key of another table's foreign key", totara: true, statements: []string{
			"ALTER TABLE mdl_part DROP FOREIGN KEY mdl_part_thingid_fk, MODIFY thingid int NOT NULL", "ALTER TABLE mdl_thing MODIFY id int NOT NULL AUTO_INCREMENT",
			"ALTER TABLE mdl_part ADD CONSTRAINT mdl_part_thingid_fk FOREIGN KEY (thingid) REFERENCES mdl_thing (id) ON DELETE CASCADE",
		}},
		{name: "other constraints", totara: true, statements: []string{
			"ALTER TABLE mdl_part DROP FOREIGN KEY mdl_part_thingid_fk",
			"ALTER TABLE mdl_part ADD CONSTRAINT mdl_part_thingid_fk FOREIGN KEY (thingid) REFERENCES mdl_thing (id)",
			"ALTER TABLE mdl_part DROP CONSTRAINT mdl_partkind_enum", "ALTER TABLE mdl_part ADD CONSTRAINT other CHECK (kind IN ('a','b','c'))",
		}},
		{name: "missing constraints", totara: true, statements: []string{
			"ALTER TABLE mdl_part DROP FOREIGN KEY mdl_part_thingid_fk", "ALTER TABLE mdl_part DROP CONSTRAINT mdl_partkind_enum",
		}},
	}
}

// TestFixesOfAMissingTableAndColumn undoes what loses rows by itself.
func TestFixesOfAMissingTableAndColumn(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			for what, statements := range map[string][]string{
				"tables": {"DROP TABLE mdl_part", "DROP TABLE mdl_config"},
				"column in indexes": {
					"DELETE FROM mdl_thing WHERE id = 9", "CREATE INDEX rest ON mdl_thing (course)", "ALTER TABLE mdl_thing DROP INDEX mdl_thin_counam_uix, DROP COLUMN name, DROP COLUMN body, DROP COLUMN time, DROP COLUMN data",
				},
				"id": {"ALTER TABLE mdl_thing DROP COLUMN id"},
				"everything": {
					"DROP TABLE mdl_part", "ALTER TABLE mdl_thing MODIFY id int NOT NULL, DROP PRIMARY KEY, DROP COLUMN flag, DROP INDEX mdl_thin_tim_ix, MODIFY body varchar(20), ADD COLUMN foo int, DEFAULT CHARACTER SET latin1", "ALTER TABLE mdl_config DROP INDEX mdl_conf_nam_uix, ENGINE=MyISAM",
				},
			} {
				t.Run(what, func(t *testing.T) {
					b := newFixBench(t, name, xmldb.Moodle)
					b.exec(t, statements...)
					for _, fix := range b.fixes(t) {
						b.exec(t, fix.Statements...)
					}
					if _, left := b.compare(t); len(left) > 0 {
						t.Errorf("left by all fixes: %+v", left)
					}
				})
			}
		})
	}
}

// TestNarrowingFails makes sure that a fix fails where a value does not fit.
func TestNarrowingFails(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			b := newFixBench(t, name, xmldb.Moodle)
			b.exec(t, "ALTER TABLE mdl_thing MODIFY idnumber varchar(200)", fmt.Sprintf("UPDATE mdl_thing SET idnumber = '%s'", strings.Repeat("x", 150)))
			fixes := b.fixes(t)
			if len(fixes) != 1 || fixes[0].Stage != diff.StageNarrow || fixes[0].Destructive {
				t.Fatalf("fixes: %+v", fixes)
			}
			if _, err := b.conn.ExecContext(t.Context(), fixes[0].Statements[0]); err == nil {
				t.Error("values were cut")
			}
		})
	}
}
