//go:build integration

package integration

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
)

// count asks the target for one number.
func (p *pair) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := p.targetServer.SQL(t, p.targetURL).QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// strings asks the target for a column of text.
func (p *pair) strings(t *testing.T, query string, args ...any) []string {
	t.Helper()
	rows, err := p.targetServer.SQL(t, p.targetURL).Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s sql.NullString
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func sample(t *testing.T) *pair {
	t.Helper()
	p := newPair(t, firstSource(), firstTarget())
	p.loadSample(t)
	p.open(t)
	return p
}

func TestSkipData(t *testing.T) {
	p := sample(t)
	result := p.migrate(t, migrate.Options{Site: sampleCode(t), SkipData: []string{"logstore_standard_log", "cache_*"}})
	if n := p.count(t, "SELECT count(*) FROM mdl_logstore_standard_log"); n != 0 {
		t.Errorf("%d rows of a table whose data is skipped", n)
	}
	p.compareAll(t, "public", "mdl_", "mdl_logstore_standard_log", "mdl_cache_flags")
	// Ids that were given out must not be given out again, rows or not.
	next := p.count(t, "SELECT nextval('mdl_logstore_standard_log_id_seq')")
	if next < 1600 {
		t.Errorf("the next id of a table whose data is skipped is %d: the source has given out more", next)
	}
	for _, table := range result.Tables {
		if table.Name == "mdl_logstore_standard_log" && (table.Copied || !strings.Contains(table.Reason, "logstore_standard_log")) {
			t.Errorf("the result says %+v", table)
		}
	}
}

func TestIncludeExclude(t *testing.T) {
	p := sample(t)
	result := p.migrate(t, migrate.Options{
		Site: sampleCode(t), Include: []string{"config*", "user*", "Old-Copy 2"}, Exclude: []string{"user_*"},
	})
	var names []string
	for _, table := range result.Tables {
		names = append(names, table.Name)
	}
	if diff := cmp.Diff([]string{"mdl_Old-Copy 2", "mdl_config", "mdl_config_plugins", "mdl_user"}, names); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	got := p.strings(t, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename COLLATE \"C\"")
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("tables in the target (-result +target):\n%s", diff)
	}
	if len(result.LeftOut) < 60 {
		t.Errorf("only %d tables and views are listed as left out", len(result.LeftOut))
	}
}

func TestPatternsThatMatchNothing(t *testing.T) {
	p := tiny(t, firstSource(), firstTarget())
	for _, tc := range []struct {
		name string
		opts migrate.Options
		want string
	}{
		{"a plain name", migrate.Options{SkipData: []string{"logstore_standardlog"}}, `no table is called "logstore_standardlog"`},
		{"with the prefix", migrate.Options{Exclude: []string{"mdl_config"}}, `say "config"`},
		{"nothing left", migrate.Options{Exclude: []string{"*"}}, "no table is left"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.opts.Site = tinyCode(t)
			if _, err := p.try(t.Context(), tc.opts); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// TestReplace: what is in public is kept under another name, with its extension staying reachable.
func TestReplace(t *testing.T) {
	p := sample(t)
	p.targetServer.Exec(t, p.targetURL,
		"CREATE TABLE public.precious (id int)", "INSERT INTO public.precious VALUES (42)", "GRANT USAGE ON SCHEMA public TO moodle")
	result := p.migrate(t, migrate.Options{Site: sampleCode(t), Owner: "moodle", Replace: true})
	if !strings.HasPrefix(result.Kept, "public_before_") {
		t.Fatalf("kept as %q", result.Kept)
	}
	if n := p.count(t, "SELECT id FROM "+postgres.QuoteIdent(result.Kept)+".precious"); n != 42 {
		t.Errorf("what was there holds %d", n)
	}
	p.compareAll(t, "public", "mdl_")
	owners := p.strings(t, "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
	if diff := cmp.Diff([]string{"moodle"}, owners); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	// A second time: the migrated site itself is kept.
	again := p.migrate(t, migrate.Options{Site: sampleCode(t), Owner: "moodle", Replace: true})
	if again.Kept == result.Kept || again.Kept == "" {
		t.Errorf("kept as %q, then as %q", result.Kept, again.Kept)
	}
}

// TestDirect loads straight into an existing schema as a role that may create no schemas.
func TestDirect(t *testing.T) {
	p := sample(t)
	role := uniqueRole(t, p, "NOSUPERUSER")
	p.targetServer.Exec(t, p.targetURL, fmt.Sprintf("CREATE SCHEMA site AUTHORIZATION %s", role))
	p.as(t, role)
	_, err := p.try(t.Context(), migrate.Options{Site: sampleCode(t)})
	if err == nil || !strings.Contains(err.Error(), "database-no-create") || !strings.Contains(err.Error(), "--schema") {
		t.Fatalf("a role without rights: error %v", err)
	}
	_, err = p.try(t.Context(), migrate.Options{Site: sampleCode(t), Schema: "site"})
	if err == nil || !strings.Contains(err.Error(), "ledger-no-right") || !strings.Contains(err.Error(), "CREATE SCHEMA moodledb AUTHORIZATION") {
		t.Fatalf("a role that cannot keep a ledger: error %v", err)
	}
	p.targetServer.Exec(t, p.targetURL, fmt.Sprintf("CREATE SCHEMA moodledb AUTHORIZATION %s", role))
	p.migrate(t, migrate.Options{Site: sampleCode(t), Schema: "site"})
	p.compareAll(t, "site", "mdl_")
	if n := p.count(t, "SELECT count(*) FROM pg_namespace WHERE nspname NOT IN ('public', 'site', 'moodledb', 'information_schema') AND nspname !~ '^pg_'"); n != 0 {
		t.Errorf("%d other schemas are left", n)
	}
	if _, err := p.try(t.Context(), migrate.Options{Site: sampleCode(t), Schema: "site"}); err == nil || !strings.Contains(err.Error(), "schema-not-empty") {
		t.Errorf("a second time: error %v", err)
	}
}

// TestDirectFails: a failed run into an existing schema can be resumed or
// aborted, and is not taken for one that was there before.
func TestDirectFails(t *testing.T) {
	p := tiny(t, firstSource(), firstTarget(),
		"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))",
		"INSERT INTO mdl_hostile (v) VALUES (CHAR(0))")
	opts := migrate.Options{Site: tinyCode(t), Schema: "public"}
	_, err := p.try(t.Context(), opts)
	stopped(t, p, err)
	_, err = p.try(t.Context(), opts)
	if err == nil || !strings.Contains(err.Error(), "schema-not-empty") || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("once more: error %v, want one that names --resume", err)
	}
	abort(t, p)
	untouched(t, p)
}

// TestDatabaseOwner: the owner of the database, no superuser, migrates as on PostgreSQL 15 and later.
func TestDatabaseOwner(t *testing.T) {
	for _, target := range []string{firstTarget()} {
		p := newPair(t, firstSource(), target)
		p.loadSample(t)
		p.open(t)
		role := uniqueRole(t, p, "NOSUPERUSER")
		p.targetServer.Exec(t, p.targetURL, fmt.Sprintf("ALTER DATABASE %s OWNER TO %s", postgres.QuoteIdent(p.target.Server().Database), role))
		p.as(t, role)
		p.migrate(t, migrate.Options{Site: sampleCode(t)})
		p.compareAll(t, "public", "mdl_")
	}
}

// TestDataOnlyFails: indexes that were put aside are there again when a failed
// run is aborted, and when it is resumed.
func TestDataOnlyFails(t *testing.T) {
	site := tinyCode(t, table("hostile", field("v", "text", "")))
	p := tiny(t, firstSource(), firstTarget(),
		"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))")
	p.migrate(t, migrate.Options{Site: site})
	before := siteSchema(t, p)
	p.sourceServer.Exec(t, p.sourceURL, "INSERT INTO mdl_hostile (v) VALUES (CHAR(0))")
	for _, again := range []string{"", "resume"} {
		_, err := p.try(t.Context(), migrate.Options{DataOnly: true, Truncate: true})
		stopped(t, p, err)
		if n := p.count(t, "SELECT count(*) FROM moodledb.index_journal"); n == 0 {
			t.Error("nothing is in the journal")
		}
		if again == "" {
			abort(t, p)
			if n := p.count(t, "SELECT (SELECT count(*) FROM mdl_config) + (SELECT count(*) FROM mdl_hostile)"); n != 0 {
				t.Errorf("%d rows are left", n)
			}
		} else {
			p.sourceServer.Exec(t, p.sourceURL, "UPDATE mdl_hostile SET v = 'mended'")
			p.migrate(t, migrate.Options{DataOnly: true, Truncate: true, Resume: true})
			p.compareAll(t, "public", "mdl_")
		}
		after := siteSchema(t, p)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the failed load changed the schema (-before +after):\n%s", diff)
		}
	}
}

// siteSchema are the statements that make the target, without moodledb's own schema.
func siteSchema(t *testing.T, p *pair) []string {
	t.Helper()
	return statements(p.targetServer.Dump(t, p.targetURL, "--schema-only", "--exclude-schema=moodledb"))
}

// TestDataOnlyDoesNotFit: a column that the target lacks is refused beforehand.
func TestDataOnlyDoesNotFit(t *testing.T) {
	site := tinyCode(t, table("thing", field("v", "text", "")))
	p := tiny(t, firstSource(), firstTarget(),
		"CREATE TABLE mdl_thing (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))")
	p.migrate(t, migrate.Options{Site: site})
	p.sourceServer.Exec(t, p.sourceURL, "ALTER TABLE mdl_thing ADD extra int", "CREATE TABLE mdl_quest_data_7 (id bigint NOT NULL AUTO_INCREMENT, a varchar(20), PRIMARY KEY (id), KEY k (a))",
		"INSERT INTO mdl_quest_data_7 (a) VALUES ('x'), (NULL)")
	_, err := p.try(t.Context(), migrate.Options{DataOnly: true, Truncate: true})
	if err == nil || !strings.Contains(err.Error(), "mdl_thing") || !strings.Contains(err.Error(), "extra") {
		t.Fatalf("error %v, want one about column extra of mdl_thing", err)
	}
	p.sourceServer.Exec(t, p.sourceURL, "ALTER TABLE mdl_thing DROP extra")
	p.migrate(t, migrate.Options{DataOnly: true, Truncate: true})
	p.compareAll(t, "public", "mdl_")
	if n := p.count(t, "SELECT count(*) FROM pg_indexes WHERE tablename = 'mdl_quest_data_7'"); n != 2 {
		t.Errorf("the table that was made from the live source has %d indexes, want 2", n)
	}
}

// TestPluginNotInstalled: a plugin that is on the disk but not installed makes
// its own tables later; an installed one whose table is missing gets it.
func TestPluginNotInstalled(t *testing.T) {
	p := tiny(t, firstSource(), firstTarget(), "INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('mod_there', 'version', '1')")
	site := tinyCode(t)
	for _, mod := range []string{"absent", "there"} {
		addPlugin(t, site.Root, "mod/"+mod, table(mod, field("v", "text", "")))
	}
	p.migrate(t, migrate.Options{Site: loadCode(t, site.Root)})
	got := p.strings(t, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
	if diff := cmp.Diff([]string{"mdl_config", "mdl_config_plugins", "mdl_there"}, got); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
}

// uniqueRole makes a role for the test with a password, and drops it with the test.
func uniqueRole(t *testing.T, p *pair, attributes string) string {
	t.Helper()
	name := "r_" + strings.ToLower(strings.NewReplacer("/", "_", "-", "_").Replace(t.Name()))
	admin := p.targetServer.URL("postgres")
	p.targetServer.Exec(t, admin, "DROP ROLE IF EXISTS "+name, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD 'secret' %s", name, attributes))
	return name
}

// as opens the target anew as another role.
func (p *pair) as(t *testing.T, role string) {
	t.Helper()
	u, err := url.Parse(p.targetURL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "secret")
	p.target.Close()
	if p.target, err = postgres.Open(t.Context(), parse(t, u.String())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.target.Close)
}

// TestLeftOut: what is not migrated is listed with its kind, and never silently dropped.
func TestLeftOut(t *testing.T) {
	p := tiny(t, firstSource(), firstTarget(), "CREATE TABLE other_table (a int)", "CREATE VIEW mdl_a_view AS SELECT 1 AS one",
		"CREATE TRIGGER mdl_trg BEFORE INSERT ON mdl_config FOR EACH ROW SET NEW.value = 'x'",
		"CREATE TRIGGER other_trg BEFORE INSERT ON other_table FOR EACH ROW SET NEW.a = 1",
		"CREATE FUNCTION a_function() RETURNS int DETERMINISTIC RETURN 1")
	result := p.migrate(t, migrate.Options{Site: tinyCode(t)})
	var got []string
	for _, l := range result.LeftOut {
		if l.Reason == "" {
			t.Errorf("no reason for %s", l.Name)
		}
		got = append(got, l.Kind+" "+l.Name)
	}
	want := []string{"function a_function", "table other_table", "trigger mdl_trg of mdl_config", "view mdl_a_view"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}
