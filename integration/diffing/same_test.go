//go:build integration

package diffing

import (
	"strings"
	"testing"

	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/xmldb"
)

// sameCases are changes that are no differences.
func sameCases() []driftCase {
	return []driftCase{
		{name: "nothing", my: one("SELECT 1"), pg: one("SELECT 1")},
		{name: "display width", my: []string{
			"ALTER TABLE {t} MODIFY wide bigint(20), MODIFY flag tinyint(1) NOT NULL DEFAULT 0, MODIFY id bigint(18) NOT NULL AUTO_INCREMENT",
		}},
		{name: "name of an index", my: alter("RENAME INDEX {ix:label} TO my_own, RENAME INDEX {ix:code} TO `My Other`"), pg: []string{"ALTER INDEX {ix:label} RENAME TO my_own", `ALTER INDEX {ix:code} RENAME TO "My Other"`}},
		{name: "name of the primary key", pg: alter("RENAME CONSTRAINT {pk} TO {t}_pkey")},
		{name: "unique constraint", my: alter("DROP INDEX {ix:code}, ADD CONSTRAINT own UNIQUE (code)"), pg: []string{"DROP INDEX {ix:code}", "ALTER TABLE {t} ADD CONSTRAINT own UNIQUE (code)"}},
		{name: "order of columns", my: alter("MODIFY note longtext FIRST"), pg: []string{"ALTER TABLE {t} DROP COLUMN note", "ALTER TABLE {t} ADD COLUMN note text"}},
		{name: "comments", my: alter("COMMENT = 'another', MODIFY note longtext COMMENT 'it''s new'"), pg: []string{"COMMENT ON TABLE {t} IS 'another'", "COMMENT ON COLUMN {t}.note IS 'it''s new'", "COMMENT ON INDEX {ix:label} IS 'x'"}},
		{name: "comment of an index", my: alter("DROP INDEX {ix:label}, ADD INDEX {ix:label} (label) USING BTREE COMMENT 'x'")},
		{
			name: "spelling of defaults", my: alter("MODIFY grade decimal(10,5) NOT NULL DEFAULT '0.00', MODIFY level bigint DEFAULT '5', MODIFY note longtext DEFAULT NULL, MODIFY wide bigint NULL DEFAULT NULL"),
			pg: alter("ALTER grade SET DEFAULT '0.00', ALTER level SET DEFAULT '5'::bigint, ALTER state SET DEFAULT 'new'::text, ALTER note SET DEFAULT NULL, ALTER big SET DEFAULT 0::smallint, ALTER name SET DEFAULT ''::character varying"),
		},
		{name: "row format", my: alter("ROW_FORMAT=Dynamic")},
		{name: "storage", my: alter("STATS_PERSISTENT=1"), pg: []string{"ALTER TABLE {t} SET (fillfactor=70)", "ALTER TABLE {t} ALTER note SET STORAGE EXTERNAL", "ALTER TABLE {t} REPLICA IDENTITY FULL", "CREATE STATISTICS s ON one, two FROM {t}"}},
		{name: "prefix of the whole column", my: alter("DROP INDEX {ix:label}, ADD INDEX {ix:label} (label(100))")},
		{name: "operator class by its name", pg: []string{"DROP INDEX {ix:label}", "CREATE INDEX {ix:label} ON {t} USING btree (label varchar_ops ASC NULLS LAST)"}},
		{name: "counter ahead", my: alter("AUTO_INCREMENT=1000"), pg: one("ALTER SEQUENCE {seq} RESTART 1000")},
		{name: "rows", my: one("INSERT INTO {t} (required, body) VALUES (1, '')"), pg: one("INSERT INTO {t} (required, body) VALUES (1, '')")},
		{name: "capitals in a name", my: alter("RENAME COLUMN note TO Note")},
		{name: "rights", pg: []string{"GRANT SELECT ON {t} TO PUBLIC", "GRANT USAGE ON SEQUENCE {seq} TO PUBLIC"}},
		{name: "routines", pg: []string{
			"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE AGGREGATE all_of (text) (SFUNC = textcat, STYPE = text)", "CREATE TYPE mood AS ENUM ('sad')", "CREATE DOMAIN d AS int",
		}, my: one("CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1")},
		{name: "extension", pg: one("CREATE EXTENSION pg_buffercache")},
		{name: "tables of another schema", pg: []string{"CREATE SCHEMA archive", "CREATE TABLE archive.{t} (id int)", "CREATE TABLE archive.other (id int)"}},
		{name: "temporary table of the session", my: one("CREATE TEMPORARY TABLE {p}temporary (id int)"), pg: one("CREATE TEMPORARY TABLE {p}temporary (id int)")},
		{name: "sequence made by hand", pg: []string{
			"ALTER TABLE {t} ALTER id DROP DEFAULT", "DROP SEQUENCE {seq}", "CREATE SEQUENCE {seq}", "ALTER TABLE {t} ALTER id SET DEFAULT nextval('{seq}')", "ALTER SEQUENCE {seq} OWNED BY {t}.id",
		}},
		{name: "sequence by its name", pg: alter("ALTER id SET DEFAULT nextval('{seq}'::text)")},
		{name: "one owner for all", pg: []string{`DO $do$ DECLARE x text; BEGIN
FOR x IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP EXECUTE format('ALTER TABLE %I OWNER TO someone_else', x); END LOOP; END $do$`}},
	}
}

// TestNoDifference: what makes no difference to Moodle is none.
func TestNoDifference(t *testing.T) {
	t.Parallel()
	for _, product := range products() {
		for _, flavour := range flavours() {
			t.Run(string(product)+"/"+flavour, func(t *testing.T) {
				t.Parallel()
				each(t, product, flavour, sameCases(), func(t *testing.T, w *workbench, _ driftCase) {
					result := w.compare(t)
					expectChanges(t, nil, result)
					if len(result.Notices) > 0 {
						t.Errorf("notices: %+v", result.Notices)
					}
				})
			})
		}
	}
}

// TestNoDifferenceOfWholeSites: sites as a whole may be other than a fresh
// installation of today.
func TestNoDifferenceOfWholeSites(t *testing.T) {
	t.Parallel()
	utf8mb3 := strings.NewReplacer("utf8mb4", "utf8mb3")
	for _, tt := range []struct {
		name string
		// engine says where; change spells the statements that make the site in another way.
		mysql, postgres bool
		change          func(statement string) string
		notices         int
	}{
		{name: "another collation", mysql: true, change: func(s string) string { return strings.ReplaceAll(s, "utf8mb4_unicode_ci", "utf8mb4_general_ci") }},
		{name: "binary collation", mysql: true, change: func(s string) string { return strings.ReplaceAll(s, "utf8mb4_unicode_ci", "utf8mb4_bin") }},
		{name: "three bytes", mysql: true, change: utf8mb3.Replace, notices: 1},
		{name: "row format of the server", mysql: true, change: func(s string) string { return strings.ReplaceAll(s, " ROW_FORMAT=Compressed", "") }},
		{name: "another prefix", mysql: true, postgres: true, change: func(s string) string { return strings.ReplaceAll(s, "mdl_", "m2_") }},
		{name: "no prefix", mysql: true, change: func(s string) string { return strings.ReplaceAll(s, "mdl_", "") }},
	} {
		for _, flavour := range flavours() {
			if my := !strings.HasPrefix(flavour, "postgres"); my && !tt.mysql || !my && !tt.postgres {
				continue
			}
			t.Run(tt.name+"/"+flavour, func(t *testing.T) {
				t.Parallel()
				w := newWorkbench(t, flavour, driftCode(t, xmldb.Moodle, [][2]string{{subject, subject}, {plain, plain}, {paths, paths}}))
				for i := range w.make {
					w.make[i] = tt.change(w.make[i])
				}
				w.reset(t)
				result := w.compare(t)
				expectChanges(t, nil, result)
				if len(result.Notices) != tt.notices {
					t.Errorf("notices: %+v", result.Notices)
				}
			})
		}
	}
}

// TestOwnSchema: the schema of the site is not the one called public.
func TestOwnSchema(t *testing.T) {
	t.Parallel()
	for _, flavour := range flavours() {
		if !strings.HasPrefix(flavour, "postgres") {
			continue
		}
		t.Run(flavour, func(t *testing.T) {
			t.Parallel()
			w := newWorkbench(t, flavour, driftCode(t, xmldb.Moodle, [][2]string{{subject, subject}}))
			at := place{workbench: w, table: "mdl_" + subject}
			w.reset(t, at.fillAll(t, []string{"ALTER SCHEMA public RENAME TO moodle", `ALTER DATABASE "{db}" SET search_path = moodle`})...)
			side, err := drift.ReadServer(t.Context(), rig.Parse(t, w.url), drift.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			result, err := drift.Declared(w.site, side, drift.Options{})
			if err != nil {
				t.Fatal(err)
			}
			expectChanges(t, nil, result)
			if result.Found.Schema != "moodle" {
				t.Errorf("the schema read is %q", result.Found.Schema)
			}
		})
	}
}
