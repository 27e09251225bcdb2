//go:build integration

package integration

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
)

func sample(t *testing.T) *rig.Pair {
	t.Helper()
	p := rig.NewPair(t, rig.FirstSource(), rig.FirstTarget())
	p.LoadSample(t)
	p.Open(t)
	return p
}

func TestSkipData(t *testing.T) {
	p := sample(t)
	result := p.Migrate(t, migrate.Options{Site: rig.SampleCode(t), SkipData: []string{"logstore_standard_log", "cache_*"}})
	if n := p.Count(t, "SELECT count(*) FROM mdl_logstore_standard_log"); n != 0 {
		t.Errorf("%d rows of a table whose data is skipped", n)
	}
	p.CompareAll(t, "public", "mdl_", "mdl_logstore_standard_log", "mdl_cache_flags")
	// Ids that were given out must not be given out again, rows or not.
	next := p.Count(t, "SELECT nextval('mdl_logstore_standard_log_id_seq')")
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
	result := p.Migrate(t, migrate.Options{
		Site: rig.SampleCode(t), Include: []string{"config*", "user*", "Old-Copy 2"}, Exclude: []string{"user_*"},
	})
	var names []string
	for _, table := range result.Tables {
		names = append(names, table.Name)
	}
	if diff := cmp.Diff([]string{"mdl_Old-Copy 2", "mdl_config", "mdl_config_plugins", "mdl_user"}, names); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	got := p.Strings(t, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename COLLATE \"C\"")
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("tables in the target (-result +target):\n%s", diff)
	}
	if len(result.LeftOut) < 60 {
		t.Errorf("only %d tables and views are listed as left out", len(result.LeftOut))
	}
}

func TestPatternsThatMatchNothing(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget())
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
			tc.opts.Site = rig.TinyCode(t)
			if _, err := p.Try(t.Context(), tc.opts); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// TestReplace: what is in public is kept under another name, with its extension staying reachable.
func TestReplace(t *testing.T) {
	p := sample(t)
	p.TargetServer.Exec(t, p.TargetURL,
		"CREATE TABLE public.precious (id int)", "INSERT INTO public.precious VALUES (42)", "GRANT USAGE ON SCHEMA public TO moodle")
	result := p.Migrate(t, migrate.Options{Site: rig.SampleCode(t), Owner: "moodle", Replace: true})
	if !strings.HasPrefix(result.Kept, "public_before_") {
		t.Fatalf("kept as %q", result.Kept)
	}
	if n := p.Count(t, "SELECT id FROM "+postgres.QuoteIdent(result.Kept)+".precious"); n != 42 {
		t.Errorf("what was there holds %d", n)
	}
	p.CompareAll(t, "public", "mdl_")
	owners := p.Strings(t, "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
	if diff := cmp.Diff([]string{"moodle"}, owners); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	// A second time: the migrated site itself is kept.
	again := p.Migrate(t, migrate.Options{Site: rig.SampleCode(t), Owner: "moodle", Replace: true})
	if again.Kept == result.Kept || again.Kept == "" {
		t.Errorf("kept as %q, then as %q", result.Kept, again.Kept)
	}
}

// TestDirect loads straight into an existing schema as a role that may create no schemas.
func TestDirect(t *testing.T) {
	p := sample(t)
	role := uniqueRole(t, p, "NOSUPERUSER")
	p.TargetServer.Exec(t, p.TargetURL, fmt.Sprintf("CREATE SCHEMA site AUTHORIZATION %s", role))
	actAs(t, p, role)
	_, err := p.Try(t.Context(), migrate.Options{Site: rig.SampleCode(t)})
	if err == nil || !strings.Contains(err.Error(), "database-no-create") || !strings.Contains(err.Error(), "--schema") {
		t.Fatalf("a role without rights: error %v", err)
	}
	_, err = p.Try(t.Context(), migrate.Options{Site: rig.SampleCode(t), Schema: "site"})
	if err == nil || !strings.Contains(err.Error(), "ledger-no-right") || !strings.Contains(err.Error(), "CREATE SCHEMA moodledb AUTHORIZATION") {
		t.Fatalf("a role that cannot keep a ledger: error %v", err)
	}
	p.TargetServer.Exec(t, p.TargetURL, fmt.Sprintf("CREATE SCHEMA moodledb AUTHORIZATION %s", role))
	p.Migrate(t, migrate.Options{Site: rig.SampleCode(t), Schema: "site"})
	p.CompareAll(t, "site", "mdl_")
	if n := p.Count(t, "SELECT count(*) FROM pg_namespace WHERE nspname NOT IN ('public', 'site', 'moodledb', 'information_schema') AND nspname !~ '^pg_'"); n != 0 {
		t.Errorf("%d other schemas are left", n)
	}
	if _, err := p.Try(t.Context(), migrate.Options{Site: rig.SampleCode(t), Schema: "site"}); err == nil || !strings.Contains(err.Error(), "schema-not-empty") {
		t.Errorf("a second time: error %v", err)
	}
}

// TestDirectFails: a failed run into an existing schema can be resumed or
// aborted, and is not taken for one that was there before.
func TestDirectFails(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(),
		"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))",
		"INSERT INTO mdl_hostile (v) VALUES (CHAR(0))")
	opts := migrate.Options{Site: rig.TinyCode(t), Schema: "public"}
	_, err := p.Try(t.Context(), opts)
	rig.Stopped(t, p, err)
	_, err = p.Try(t.Context(), opts)
	if err == nil || !strings.Contains(err.Error(), "schema-not-empty") || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("once more: error %v, want one that names --resume", err)
	}
	abort(t, p)
	rig.Untouched(t, p)
}

// TestDatabaseOwner: the owner of the database, no superuser, migrates as on PostgreSQL 15 and later.
func TestDatabaseOwner(t *testing.T) {
	for _, target := range []string{rig.FirstTarget()} {
		p := rig.NewPair(t, rig.FirstSource(), target)
		p.LoadSample(t)
		p.Open(t)
		role := uniqueRole(t, p, "NOSUPERUSER")
		p.TargetServer.Exec(t, p.TargetURL, fmt.Sprintf("ALTER DATABASE %s OWNER TO %s", postgres.QuoteIdent(p.Target.Server().Database), role))
		actAs(t, p, role)
		p.Migrate(t, migrate.Options{Site: rig.SampleCode(t)})
		p.CompareAll(t, "public", "mdl_")
	}
}

// TestDataOnlyFails: indexes that were put aside are there again when a failed
// run is aborted, and when it is resumed.
func TestDataOnlyFails(t *testing.T) {
	site := rig.TinyCode(t, rig.Table("hostile", rig.Field("v", "text", "")))
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(),
		"CREATE TABLE mdl_hostile (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))")
	p.Migrate(t, migrate.Options{Site: site})
	before := rig.SiteSchema(t, p)
	p.SourceServer.Exec(t, p.SourceURL, "INSERT INTO mdl_hostile (v) VALUES (CHAR(0))")
	for _, again := range []string{"", "resume"} {
		_, err := p.Try(t.Context(), migrate.Options{DataOnly: true, Truncate: true})
		rig.Stopped(t, p, err)
		if n := p.Count(t, "SELECT count(*) FROM moodledb.index_journal"); n == 0 {
			t.Error("nothing is in the journal")
		}
		if again == "" {
			abort(t, p)
			if n := p.Count(t, "SELECT (SELECT count(*) FROM mdl_config) + (SELECT count(*) FROM mdl_hostile)"); n != 0 {
				t.Errorf("%d rows are left", n)
			}
		} else {
			p.SourceServer.Exec(t, p.SourceURL, "UPDATE mdl_hostile SET v = 'mended'")
			p.Migrate(t, migrate.Options{DataOnly: true, Truncate: true, Resume: true})
			p.CompareAll(t, "public", "mdl_")
		}
		after := rig.SiteSchema(t, p)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the failed load changed the schema (-before +after):\n%s", diff)
		}
	}
}

// TestDataOnlyDoesNotFit: a column that the target lacks is refused beforehand.
func TestDataOnlyDoesNotFit(t *testing.T) {
	site := rig.TinyCode(t, rig.Table("thing", rig.Field("v", "text", "")))
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(),
		"CREATE TABLE mdl_thing (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))")
	p.Migrate(t, migrate.Options{Site: site})
	p.SourceServer.Exec(t, p.SourceURL, "ALTER TABLE mdl_thing ADD extra int", "CREATE TABLE mdl_quest_data_7 (id bigint NOT NULL AUTO_INCREMENT, a varchar(20), PRIMARY KEY (id), KEY k (a))",
		"INSERT INTO mdl_quest_data_7 (a) VALUES ('x'), (NULL)")
	_, err := p.Try(t.Context(), migrate.Options{DataOnly: true, Truncate: true})
	if err == nil || !strings.Contains(err.Error(), "mdl_thing") || !strings.Contains(err.Error(), "extra") {
		t.Fatalf("error %v, want one about column extra of mdl_thing", err)
	}
	p.SourceServer.Exec(t, p.SourceURL, "ALTER TABLE mdl_thing DROP extra")
	p.Migrate(t, migrate.Options{DataOnly: true, Truncate: true})
	p.CompareAll(t, "public", "mdl_")
	if n := p.Count(t, "SELECT count(*) FROM pg_indexes WHERE tablename = 'mdl_quest_data_7'"); n != 2 {
		t.Errorf("the table that was made from the live source has %d indexes, want 2", n)
	}
}

// TestPluginNotInstalled: a plugin that is on the disk but not installed makes
// its own tables later; an installed one whose table is missing gets it.
func TestPluginNotInstalled(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), "INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('mod_there', 'version', '1')")
	site := rig.TinyCode(t)
	for _, mod := range []string{"absent", "there"} {
		addPlugin(t, site.Root, "mod/"+mod, rig.Table(mod, rig.Field("v", "text", "")))
	}
	p.Migrate(t, migrate.Options{Site: rig.LoadCode(t, site.Root)})
	got := p.Strings(t, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
	if diff := cmp.Diff([]string{"mdl_config", "mdl_config_plugins", "mdl_there"}, got); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
}

// uniqueRole makes a role for the test with a password, and drops it with the test.
func uniqueRole(t *testing.T, p *rig.Pair, attributes string) string {
	t.Helper()
	name := "r_" + strings.ToLower(strings.NewReplacer("/", "_", "-", "_").Replace(t.Name()))
	admin := p.TargetServer.URL("postgres")
	p.TargetServer.Exec(t, admin, "DROP ROLE IF EXISTS "+name, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD 'secret' %s", name, attributes))
	return name
}

// actAs opens the target anew as another role.
func actAs(t *testing.T, p *rig.Pair, role string) {
	t.Helper()
	u, err := url.Parse(p.TargetURL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "secret")
	p.Target.Close()
	if p.Target, err = postgres.Open(t.Context(), rig.Parse(t, u.String())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Target.Close)
}

// TestLeftOut: what is not migrated is listed with its kind, and never silently dropped.
func TestLeftOut(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), "CREATE TABLE other_table (a int)", "CREATE VIEW mdl_a_view AS SELECT 1 AS one",
		"CREATE TRIGGER mdl_trg BEFORE INSERT ON mdl_config FOR EACH ROW SET NEW.value = 'x'",
		"CREATE TRIGGER other_trg BEFORE INSERT ON other_table FOR EACH ROW SET NEW.a = 1",
		"CREATE FUNCTION a_function() RETURNS int DETERMINISTIC RETURN 1")
	result := p.Migrate(t, migrate.Options{Site: rig.TinyCode(t)})
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
