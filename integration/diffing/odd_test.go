//go:build integration

package diffing

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// oddType is a type that no install.xml declares.
type oddType struct {
	name string
	// only are the beginnings of flavours that have it; all of the engine when there are none.
	only []string
}

func oddTypes(engine schema.Engine) []oddType {
	var names string
	if engine == schema.Postgres {
		names = `boolean; "char"; name; oid; money; xml; json; jsonb; jsonpath; uuid; inet; cidr; macaddr; macaddr8; tsvector; tsquery; pg_lsn; regclass
point; line; lseg; box; path; polygon; circle; bit(3); bit varying(5); bit varying; interval; interval day to second(3); date; time; time with time zone; timestamp with time zone
timestamp(3); int4range; tstzmultirange; text[]; integer[][]; numeric(3,-2); numeric(2,5); character(3); character; varchar; odd_domain; odd_enum; odd_composite; odd_base
odd_composite[]; odd_domain[]; citext; hstore; "Odd Type 🐘"; elsewhere."Odd ""Type"""`
	} else {
		names = `json; geometry; point; linestring; polygon; multipoint; multipolygon; geometrycollection; enum('a','b''c','ä,"'); set('x','y'); bit(7); bit; year; date; time(3)
timestamp(6) NULL; tinyint(1); decimal(65,30); decimal; varbinary(10); binary(4); binary; tinyblob; char; char(0); float(7,3); double(10,2); float unsigned; real; bigint unsigned zerofill; boolean
varchar(10) CHARACTER SET ascii; text CHARACTER SET latin1; varchar(10) CHARACTER SET utf16; datetime(6); varchar(0); mediumint unsigned`
	}
	var all []oddType
	for _, line := range strings.Split(names, "\n") {
		for _, name := range strings.Split(line, "; ") {
			all = append(all, oddType{name: name})
		}
	}
	return append(all,
		oddType{"uuid", []string{"mariadb"}}, oddType{"inet6", []string{"mariadb"}}, oddType{"inet4", []string{"mariadb"}},
		oddType{"varchar(20) COMPRESSED", []string{"mariadb"}}, oddType{"longtext COMPRESSED", []string{"mariadb"}},
		oddType{"vector(3)", []string{"mariadb-11.8", "mysql-9"}}, oddType{"point SRID 4326", []string{"mysql"}},
	)
}

// oddTypesOf are the types of a flavour.
func oddTypesOf(flavour string, engine schema.Engine) []string {
	var out []string
	for _, o := range oddTypes(engine) {
		if o.only == nil || slices.ContainsFunc(o.only, func(p string) bool { return strings.HasPrefix(flavour, p) }) {
			out = append(out, o.name)
		}
	}
	return out
}

// oddObjects are objects that a site does not have, in the engine's words. In
// front of a "|" stands the beginning of the flavours that have it.
func oddObjects(engine schema.Engine) []string {
	if engine == schema.Postgres {
		return slices.Concat(oddPostgresTypes(), oddPostgres())
	}
	return oddMySQL()
}

func oddPostgresTypes() []string {
	return []string{
		"CREATE SCHEMA elsewhere", "CREATE DOMAIN odd_domain AS varchar(10) NOT NULL DEFAULT 'x' CHECK (VALUE <> '')", "CREATE TYPE odd_enum AS ENUM ('a', 'b''c')",
		"CREATE TYPE odd_composite AS (a int, b text)", "CREATE EXTENSION citext", "CREATE EXTENSION hstore", `CREATE DOMAIN "Odd Type 🐘" AS int`, `CREATE TYPE elsewhere."Odd ""Type""" AS ENUM ('x')`,
		"CREATE TYPE odd_base", "CREATE FUNCTION odd_in(cstring) RETURNS odd_base LANGUAGE internal IMMUTABLE STRICT AS 'int4in'",
		"CREATE FUNCTION odd_out(odd_base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out'", "CREATE TYPE odd_base (INPUT = odd_in, OUTPUT = odd_out, LIKE = int4)",
	}
}

func oddPostgres() []string {
	return []string{
		"CREATE TABLE mdl_odd_nothing ()",
		`CREATE TABLE "mdl_Odd-Copy 2" ("Id" int PRIMARY KEY, "a""b" text, "select" int, "x	y" int, "c'd\e" int DEFAULT 7, "🐘" text)`,
		`CREATE TABLE "mdl_quo""te'd" (id int)`, "CREATE TABLE \"mdl_new\nline\" (id int)", `CREATE TABLE "🐘" (id int)`, `CREATE TABLE "mdl_` + strings.Repeat("x", 59) + `" (id int)`,
		"CREATE TABLE mdl_odd_parts (id bigint, at date NOT NULL, k text) PARTITION BY RANGE (at)",
		"CREATE TABLE mdl_odd_parts_1 PARTITION OF mdl_odd_parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (k)",
		"CREATE TABLE mdl_odd_parts_1a PARTITION OF mdl_odd_parts_1 DEFAULT", "CREATE TABLE mdl_odd_parts_2 PARTITION OF mdl_odd_parts DEFAULT",
		"CREATE INDEX ON mdl_odd_parts (k)", "CREATE TABLE mdl_odd_hash (id int) PARTITION BY HASH (id)",
		"CREATE TABLE mdl_odd_parent (id int CHECK (id > 0), a text)", "CREATE TABLE mdl_odd_child (b text) INHERITS (mdl_odd_parent)", "CREATE TABLE mdl_odd_grandchild (c odd_composite) INHERITS (mdl_odd_child)",
		"CREATE TABLE mdl_odd_typed OF odd_composite", "CREATE UNLOGGED TABLE mdl_odd_unlogged (id int)",
		"CREATE VIEW mdl_odd_view AS SELECT 1 AS one", `CREATE VIEW "mdl_Odd View" AS SELECT * FROM mdl_config`, "CREATE MATERIALIZED VIEW mdl_odd_matview AS SELECT 1 AS one", "CREATE INDEX ON mdl_odd_matview (one)",
		"CREATE FOREIGN DATA WRAPPER odd_wrapper", "CREATE SERVER odd_server FOREIGN DATA WRAPPER odd_wrapper", "CREATE FOREIGN TABLE mdl_odd_foreign (id int OPTIONS (x 'y'), t odd_composite) SERVER odd_server",
		"CREATE FOREIGN TABLE mdl_odd_parts_3 PARTITION OF mdl_odd_parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') SERVER odd_server",
		"CREATE SEQUENCE mdl_odd_seq AS smallint INCREMENT -5 MINVALUE -100 MAXVALUE 100 START 7 CYCLE", `CREATE SEQUENCE "Odd ""Seq"`,
		"CREATE TABLE mdl_odd_defaults (a uuid DEFAULT gen_random_uuid(), b timestamptz DEFAULT now(), c text[] DEFAULT ARRAY['a','b'], d int DEFAULT -1, e text DEFAULT E'\\\\\\n''', f odd_composite DEFAULT ROW(1,'x'), " +
			"g int DEFAULT nextval('mdl_odd_seq'), h int GENERATED ALWAYS AS IDENTITY (START WITH 5 INCREMENT BY 3), i int GENERATED ALWAYS AS (1 + 1) STORED, j numeric DEFAULT 'NaN')",
		"CREATE TABLE mdl_odd_indexes (a int, b text, c tsvector, d int4range, e point, f jsonb, EXCLUDE USING gist (d WITH &&), EXCLUDE USING gist (e WITH ~=) WHERE (a > 0))",
		"CREATE INDEX ON mdl_odd_indexes USING brin (a)", "CREATE INDEX ON mdl_odd_indexes USING gin (c)", "CREATE INDEX ON mdl_odd_indexes USING spgist (e)", "CREATE INDEX ON mdl_odd_indexes USING gin (f jsonb_path_ops)",
		`CREATE INDEX "odd "" index" ON mdl_odd_indexes (lower(b) text_pattern_ops DESC NULLS LAST, (a + 1), b COLLATE "C") INCLUDE (a) WHERE b IS NOT NULL AND a IN (1, 2)`,
		"ALTER TABLE mdl_odd_indexes ADD CHECK (b ~ '^[a-z]+$' OR b IS NULL) NOT VALID, ADD CONSTRAINT \"odd \"\" check\" CHECK (a BETWEEN 1 AND 5 AND b <> 'it''s')",
		"CREATE TABLE mdl_odd_keys (id int PRIMARY KEY, a int REFERENCES mdl_odd_keys ON DELETE SET DEFAULT, b bigint REFERENCES mdl_config (id) DEFERRABLE INITIALLY DEFERRED, UNIQUE NULLS NOT DISTINCT (a, b))",
		"ALTER TABLE mdl_odd_keys ADD FOREIGN KEY (b) REFERENCES mdl_probe (id) NOT VALID",
		"CREATE POLICY odd ON mdl_config USING (true)", "CREATE RULE odd AS ON INSERT TO mdl_odd_keys DO INSTEAD NOTHING", "CREATE PUBLICATION odd FOR TABLE mdl_config",
		"CREATE FUNCTION odd_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'", "CREATE CONSTRAINT TRIGGER \"odd 🐘\" AFTER UPDATE OF name ON mdl_config DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION odd_trigger()",
		"CREATE TRIGGER odd_truncate BEFORE TRUNCATE ON mdl_config EXECUTE FUNCTION odd_trigger()", "ALTER TABLE mdl_config DISABLE TRIGGER odd_truncate",
		"CREATE COLLATION odd_collation (provider = icu, locale = 'und', deterministic = false)", "CREATE TABLE mdl_odd_collations (a text COLLATE odd_collation, b varchar(5) COLLATE \"C\")",
		"postgres-18|CREATE TABLE mdl_odd_18 (a int GENERATED ALWAYS AS (1) VIRTUAL, b int CHECK (b > 0) NOT ENFORCED, c int4range, PRIMARY KEY (d, c WITHOUT OVERLAPS), d int4range)",
		"postgres-18|ALTER TABLE mdl_config_plugins ADD COLUMN odd int, ADD CONSTRAINT odd_nn NOT NULL odd NOT VALID",
	}
}

func oddMySQL() []string {
	return []string{
		"CREATE TABLE `mdl_Odd-Copy 2` (`Id` int PRIMARY KEY, `a``b` int, `select` int, `sélect` int, `c'd\\e` int DEFAULT 7, `x y` text)",
		"CREATE TABLE `mdl_quo\"te'd` (id int)", "CREATE TABLE `mdl_``tick` (id int)", "CREATE TABLE `mdl_new\nline` (id int)", "CREATE TABLE `ünïcode` (id int)",
		"CREATE TABLE `mdl_" + strings.Repeat("x", 60) + "` (id int)",
		"CREATE TABLE mdl_odd_range (id int, at date) PARTITION BY RANGE (YEAR(at)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE)",
		"CREATE TABLE mdl_odd_list (id int) PARTITION BY LIST (id) (PARTITION p0 VALUES IN (1, 2))", "CREATE TABLE mdl_odd_key (id int PRIMARY KEY) PARTITION BY KEY () PARTITIONS 3",
		"CREATE TABLE mdl_odd_memory (id int) ENGINE=MEMORY", "CREATE TABLE mdl_odd_csv (id int NOT NULL) ENGINE=CSV", "mysql|CREATE TABLE mdl_odd_archive (id int) ENGINE=ARCHIVE",
		"CREATE TABLE mdl_odd_myisam (a int, t text, p point NOT NULL, FULLTEXT KEY (t), SPATIAL KEY (p)) ENGINE=MyISAM", "CREATE TABLE mdl_odd_merge (a int) ENGINE=MERGE",
		"CREATE VIEW mdl_odd_view AS SELECT 1 AS one", "CREATE TABLE mdl_odd_gone (id int)", "CREATE VIEW mdl_odd_broken AS SELECT * FROM mdl_odd_gone", "DROP TABLE mdl_odd_gone",
		"CREATE DEFINER=`nobody here`@`%` VIEW `mdl_Odd View` AS SELECT * FROM mdl_config",
		"CREATE TABLE mdl_odd_defaults (a varchar(40) DEFAULT (uuid()), b timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, c datetime(3) DEFAULT CURRENT_TIMESTAMP(3), d varchar(20) DEFAULT 'it''s \\\\ \"x\"', " +
			"e bit(3) DEFAULT b'101', f enum('a','b') DEFAULT 'b', g int AS (1 + 1) VIRTUAL, h int AS (2) STORED, i varchar(5) DEFAULT 'NULL', j text DEFAULT ('x'), k int DEFAULT (1 + 1) COMMENT 'it''s 🐘')",
		"CREATE TABLE mdl_odd_indexes (a varchar(100), b text, c point NOT NULL, d int, KEY (a(5), d), FULLTEXT KEY (b, a), SPATIAL KEY (c), KEY `odd `` index` (d, a), UNIQUE KEY (d, a(7)), KEY long_one (b(700)))",
		"CREATE TABLE mdl_odd_keys (id int PRIMARY KEY, a int, b bigint, FOREIGN KEY (a) REFERENCES mdl_odd_keys (id) ON DELETE SET NULL, FOREIGN KEY (b) REFERENCES mdl_config (id) ON UPDATE CASCADE, " +
			"CONSTRAINT `odd check` CHECK (id BETWEEN 1 AND 5 OR id <> 7), CHECK (json_valid('{}')))",
		"CREATE TRIGGER `odd trigger` AFTER UPDATE ON mdl_config FOR EACH ROW SET @x = NEW.id", "CREATE EVENT odd_event ON SCHEDULE EVERY 1 DAY DO SELECT 1",
		"CREATE PROCEDURE odd_procedure() SELECT 1",
		"mysql|CREATE TABLE mdl_odd_own (a json, b int, KEY many ((CAST(a->'$.x' AS UNSIGNED ARRAY))), KEY fn ((b + 1), (abs(b)) DESC), c int INVISIBLE, KEY hid (b) INVISIBLE)",
		"mysql|CREATE TABLE mdl_odd_invisible_key (my_row_id bigint unsigned NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY, a int)",
		"mariadb|CREATE TABLE mdl_odd_versioned (id int, a int) WITH SYSTEM VERSIONING", "mariadb|CREATE SEQUENCE mdl_odd_seq START WITH 100 INCREMENT BY -5 MINVALUE -1000 MAXVALUE 100 CYCLE",
		"mariadb|CREATE TABLE mdl_odd_history (id int, s timestamp(6) GENERATED ALWAYS AS ROW START, e timestamp(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING",
		"mariadb|CREATE TABLE mdl_odd_period (id int, s date, e date, PERIOD FOR life (s, e), UNIQUE (id, life WITHOUT OVERLAPS))", "mariadb|CREATE TABLE mdl_odd_aria (t varchar(200), UNIQUE KEY (t)) ENGINE=Aria", "mariadb|CREATE TABLE mdl_odd_hash (t longtext, UNIQUE KEY (t))",
		"mariadb|CREATE TABLE mdl_odd_next (id int DEFAULT NEXT VALUE FOR mdl_odd_seq, KEY hid (id) IGNORED)",
		"mariadb|ALTER TABLE mdl_config_plugins ADD SYSTEM VERSIONING",
	}
}

// of takes the statements that a flavour has.
func of(flavour string, statements []string) []string {
	var out []string
	for _, s := range statements {
		own, rest, found := strings.Cut(s, "|")
		switch {
		case !found || strings.Contains(own, " "):
			out = append(out, s)
		case strings.HasPrefix(flavour, own):
			out = append(out, rest)
		}
	}
	return out
}

// TestOddDatabase: whatever is in a database is reported, in every format, and
// can be compared with every other database.
func TestOddDatabase(t *testing.T) {
	code := driftCode(t, xmldb.Moodle, [][2]string{{subject, subject}})
	var sides []*drift.Side
	for _, flavour := range flavours() {
		t.Run(flavour, func(t *testing.T) {
			w := newWorkbench(t, flavour, code)
			w.reset(t)
			clean := w.read(t)
			w.reset(t, of(flavour, oddObjects(w.server.Engine))...)
			result := w.compare(t)
			for _, c := range result.Changes {
				if strings.Contains(c.Table, "odd") && c.Message == "" {
					t.Errorf("a change says nothing: %+v", c)
				}
			}
			odd := w.read(t)
			for _, table := range odd.Schema.Tables {
				known := slices.ContainsFunc(result.Changes, func(c diff.Change) bool { return c.Table == table.Name })
				if declared := w.declared.Table(table.Name) != nil; !known && !declared {
					t.Errorf("the table %q is not reported", table.Name)
				}
			}
			inEveryFormat(t, result)
			sides = append(sides, odd, clean)
		})
	}
	for _, expected := range sides {
		for _, found := range sides {
			for _, site := range []*xmldb.Site{nil, code} {
				result, err := drift.Between(site, expected, found, drift.Options{Now: time.Now()})
				if err != nil {
					t.Errorf("%s %s to %s %s: %v", expected.End.Engine, expected.End.Version, found.End.Engine, found.End.Version, err)
					continue
				}
				if expected == found && len(result.Changes) > 0 {
					t.Errorf("%s %s with itself: %q", expected.End.Engine, expected.End.Version, lines(result.Changes))
				}
				inEveryFormat(t, result)
			}
		}
	}
}

// TestOddTypes gives declared columns, and columns beside them, every type that
// there is: each is one finding, and can be undone.
func TestOddTypes(t *testing.T) {
	t.Parallel()
	for _, flavour := range flavours() {
		t.Run(flavour, func(t *testing.T) {
			t.Parallel()
			engine := schema.Engine(flavour[:strings.Index(flavour, "-")])
			types := oddTypesOf(flavour, engine)
			var tables [][2]string
			for i := range types {
				tables = append(tables, [2]string{fmt.Sprintf("plain_%03d", i), plain})
			}
			w := newWorkbench(t, flavour, driftCode(t, xmldb.Moodle, tables))
			var statements []string
			if engine == schema.Postgres {
				statements = oddPostgresTypes()
			}
			for i, name := range types {
				statements = append(statements, fmt.Sprintf("ALTER TABLE mdl_plain_%03d DROP COLUMN name, ADD COLUMN name %s, ADD COLUMN odd %s", i, name, name))
			}
			w.reset(t, statements...)
			result := w.compare(t)
			for i, name := range types {
				var instead, beside []diff.Change
				for _, c := range result.Changes {
					switch {
					case c.Table != tables[i][0] && c.Table != "mdl_"+tables[i][0]:
					case c.Object == "name":
						instead = append(instead, c)
					default:
						beside = append(beside, c)
					}
				}
				if len(beside) != 1 || beside[0].Code != diff.ColumnExtra || beside[0].Object != "odd" {
					t.Errorf("%s as an extra column: %q", name, lines(beside))
				}
				if !slices.ContainsFunc(instead, func(c diff.Change) bool {
					return slices.Contains([]diff.Code{diff.ColumnType, diff.ColumnTypeUnknown, diff.ColumnNotVarchar, diff.ColumnLengthLong, diff.ColumnLengthShort}, c.Code)
				}) {
					t.Errorf("%s instead of varchar: %q", name, lines(instead))
				}
			}
			inEveryFormat(t, result)
			w.repair(t, result)
			if left := w.compare(t).Changes; len(left) > 0 {
				t.Errorf("after the fixes: %q", lines(left))
			}
		})
	}
}

// inEveryFormat writes a result in each format.
func inEveryFormat(t *testing.T, result *drift.Result) {
	t.Helper()
	for _, format := range report.DiffFormats() {
		var b bytes.Buffer
		if err := report.Diff(&b, result, report.DiffOptions{Format: format, Verbose: true}); err != nil {
			t.Errorf("format %s: %v", format, err)
		}
		if b.Len() == 0 && len(result.Changes) > 0 {
			t.Errorf("format %s: nothing is written of %d changes", format, len(result.Changes))
		}
	}
}
