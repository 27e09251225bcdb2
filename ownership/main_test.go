//go:build integration

package ownership_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/ownership"
	"github.com/moodledb/moodledb/postgres"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// forTargets runs a test on every flavour of PostgreSQL.
func forTargets(t *testing.T, test func(t *testing.T, s *testdb.Server)) {
	t.Helper()
	for _, name := range testdb.Targets() {
		t.Run(name, func(t *testing.T) { test(t, testdb.Get(t, name)) })
	}
}

// open opens a test database for as long as the test runs.
func open(t testing.TB, databaseURL string) *postgres.DB {
	t.Helper()
	d, err := dsn.Parse(databaseURL, dsn.Options{Getenv: func(string) string { return "" }, Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// database returns the name in the URL of a test database.
func database(databaseURL string) string { return databaseURL[strings.LastIndex(databaseURL, "/")+1:] }

// ident quotes an identifier without the product.
func ident(name string) string { return pgx.Identifier{name}.Sanitize() }

// staging is the schema that the tests load into: a name that needs quotes.
const staging = `Source "DB"`

// now is the time of every test's publishing.
func now() time.Time { return time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC) }

// site is a small site with every kind of object that has an owner. %s stands
// for the quoted schema.
const site = `
CREATE TYPE %[1]s.mood AS ENUM ('sad', 'ok');
CREATE TYPE %[1]s.pair AS (a integer, b text);
CREATE TYPE %[1]s.span AS RANGE (subtype = float8);
CREATE DOMAIN %[1]s.positive AS integer CHECK (VALUE > 0);
CREATE TABLE %[1]s.mdl_config (id bigserial, name varchar(255) DEFAULT '' NOT NULL, value text NOT NULL,
    CONSTRAINT mdl_conf_id_pk PRIMARY KEY (id));
CREATE UNIQUE INDEX mdl_conf_nam_uix ON %[1]s.mdl_config USING btree (name);
COMMENT ON TABLE %[1]s.mdl_config IS 'Moodle configuration variables';
CREATE TABLE %[1]s."mdl_Old-Copy 2" ("ID" bigint GENERATED ALWAYS AS IDENTITY, "quo""te" text, m %[1]s.mood);
CREATE TABLE %[1]s.empty ();
CREATE SEQUENCE %[1]s."free ""seq";
CREATE VIEW %[1]s."a view" AS SELECT id, name FROM %[1]s.mdl_config;
CREATE MATERIALIZED VIEW %[1]s.mv AS SELECT count(*) AS n FROM %[1]s.mdl_config;
CREATE FUNCTION %[1]s."add One"(integer, "x y" text DEFAULT '') RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE FUNCTION %[1]s.concat_step(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($1 || '','', '''') || $2';
CREATE AGGREGATE %[1]s.group_concat(text) (SFUNC = %[1]s.concat_step, STYPE = text);
CREATE PROCEDURE %[1]s.tidy() LANGUAGE sql AS 'SELECT 1';
CREATE OPERATOR %[1]s.=== (LEFTARG = integer, RIGHTARG = text, FUNCTION = %[1]s."add One");
CREATE COLLATION %[1]s."my coll" FROM "C";
CREATE TEXT SEARCH DICTIONARY %[1]s.dict (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION %[1]s.conf (COPY = simple);
CREATE STATISTICS %[1]s.stats ON id, name FROM %[1]s.mdl_config;
INSERT INTO %[1]s.mdl_config (name, value) VALUES ('version', '2024100705'), ('x', 'y');`

func siteIn(schema string) string { return strings.ReplaceAll(site, "%[1]s", ident(schema)) }

// load makes the staging schema with the site in it, as the connected role.
func load(t testing.TB, s *testdb.Server, databaseURL string, db *postgres.DB) {
	t.Helper()
	err := db.CreateStaging(t.Context(), staging, "public", pgStaging())
	if err != nil {
		t.Fatal(err)
	}
	s.Exec(t, databaseURL, siteIn(staging))
}

// options publish the staging schema.
func options() ownership.Options { return ownership.Options{Staging: staging, Now: now()} }

// publish does all of it and ends the test when it cannot.
func publish(t testing.TB, db *postgres.DB, o ownership.Options) ownership.Published {
	t.Helper()
	if o.Owner != "" {
		if err := ownership.SetOwner(t.Context(), db, o.Staging, o.Owner); err != nil {
			t.Fatal(err)
		}
	}
	done, err := ownership.Publish(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// noise are the lines of a dump that differ from run to run.
var noise = regexp.MustCompile(`(?m)^\\(un)?restrict .*\n`)

// dump returns the schema of a database as blocks, with owners and privileges.
func dump(t testing.TB, s *testdb.Server, databaseURL string) []string {
	t.Helper()
	return strings.Split(noise.ReplaceAllString(s.Dump(t, databaseURL, "--schema-only"), ""), "\n\n")
}

// codes are the codes of problems, blockers in capitals.
func codes(problems []ownership.Problem) []string {
	var out []string
	for _, p := range problems {
		if p.Severity == ownership.Blocker {
			out = append(out, strings.ToUpper(p.Code))
		} else {
			out = append(out, p.Code)
		}
	}
	return out
}

// pgStaging is the marker of the tests' staging schema.
func pgStaging() postgres.Staging {
	return postgres.Staging{Source: "mysql://u@h/db", Started: now()}
}
