//go:build integration

package integration

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
)

// TestPreparationFails: a run that fails before it has loaded anything takes
// back what it made, and leaves no record.
func TestPreparationFails(t *testing.T) {
	base := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), "CREATE TABLE mdl_thing (id bigint NOT NULL AUTO_INCREMENT, v varchar(20), PRIMARY KEY (id), KEY kv (v))",
		"INSERT INTO mdl_thing (v) VALUES ('a'), ('b')")
	site := rig.TinyCode(t, rig.Table("thing", rig.Field("v", "char", `LENGTH="20" NOTNULL="false"`)))
	const refuse = `CREATE FUNCTION pg_catalog.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT FROM %s() WHERE object_identity ~ 'mdl_thing') THEN RAISE EXCEPTION 'the test wants no %% here', tg_tag; END IF;
END $$`
	for _, tc := range []struct {
		name    string
		opts    migrate.Options
		trigger []string
	}{
		{"staged", migrate.Options{Site: site}, []string{fmt.Sprintf(refuse, "pg_event_trigger_ddl_commands"), "CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION pg_catalog.refuse()"}},
		{"direct", migrate.Options{Site: site, Schema: "public"}, []string{fmt.Sprintf(refuse, "pg_event_trigger_ddl_commands"), "CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION pg_catalog.refuse()"}},
		{"data only", migrate.Options{DataOnly: true, Truncate: true}, []string{fmt.Sprintf(refuse, "pg_event_trigger_dropped_objects"), "CREATE EVENT TRIGGER refuse ON sql_drop EXECUTE FUNCTION pg_catalog.refuse()"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := base.WithTarget(t)
			p.TargetServer.Exec(t, p.TargetURL, "SET allow_system_table_mods = on; "+tc.trigger[0])
			var schema []string
			if tc.opts.DataOnly {
				p.Migrate(t, migrate.Options{Site: site, SkipData: []string{"*"}})
				p.TargetServer.Exec(t, p.TargetURL, "DROP SCHEMA moodledb CASCADE", "INSERT INTO mdl_thing (v) VALUES ('precious')")
				schema = rig.SiteSchema(t, p)
			}
			p.TargetServer.Exec(t, p.TargetURL, tc.trigger[1])
			_, err := p.Try(t.Context(), tc.opts)
			var resumable *migrate.StoppedError
			if err == nil || errors.As(err, &resumable) || !strings.Contains(err.Error(), "the test wants no") {
				t.Fatalf("error %v", err)
			}
			p.TargetServer.Exec(t, p.TargetURL, "DROP EVENT TRIGGER refuse")
			if !tc.opts.DataOnly {
				rig.Untouched(t, p)
				return
			}
			if diff := cmp.Diff(schema, rig.SiteSchema(t, p)); diff != "" {
				t.Errorf("the schema is not what it was (-before +after):\n%s", diff)
			}
			if n := p.Count(t, "SELECT count(*) FROM mdl_thing WHERE v = 'precious'"); n != 1 {
				t.Errorf("%d rows are left of one", n)
			}
			if n := p.Count(t, "SELECT count(*) FROM pg_namespace WHERE nspname = 'moodledb'"); n != 0 {
				t.Error("the schema moodledb is left")
			}
		})
	}
}

// TestIndexFails: an index that cannot be built is named, and what was loaded can be taken back.
func TestIndexFails(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), "CREATE TABLE mdl_twice (id bigint NOT NULL AUTO_INCREMENT, v varchar(20), PRIMARY KEY (id))",
		"INSERT INTO mdl_twice (v) VALUES ('a'), ('a'), ('b')")
	site := rig.TinyCode(t, rig.Table("twice", rig.Field("v", "char", `LENGTH="20" NOTNULL="false"`)))
	p.Migrate(t, migrate.Options{Site: site, SkipData: []string{"*"}})
	p.TargetServer.Exec(t, p.TargetURL, `CREATE UNIQUE INDEX "only one" ON mdl_twice (v)`)
	schema := rig.SiteSchema(t, p)
	opts := migrate.Options{DataOnly: true}
	_, err := p.Try(t.Context(), opts)
	rig.Stopped(t, p, err)
	for _, want := range []string{`"mdl_twice"`, "only one", "(v)=(a)"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	opts.Resume = true
	if _, again := p.Try(t.Context(), opts); again == nil || !strings.Contains(again.Error(), "only one") {
		t.Errorf("resumed without a change: error %v", again)
	}
	abort(t, p)
	if diff := cmp.Diff(schema, rig.SiteSchema(t, p)); diff != "" {
		t.Errorf("the schema is not what it was (-before +after):\n%s", diff)
	}
	if n := p.Count(t, "SELECT (SELECT count(*) FROM mdl_twice) + (SELECT count(*) FROM mdl_config)"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	p.SourceServer.Exec(t, p.SourceURL, "DELETE FROM mdl_twice WHERE id = 2")
	p.Migrate(t, migrate.Options{DataOnly: true})
	p.CompareAll(t, "public", "mdl_")
}

// TestTwoUnfinishedRuns: each run is resumed by itself.
func TestTwoUnfinishedRuns(t *testing.T) {
	one := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), rig.BadStatements()...)
	other := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), rig.BadStatements()...)
	other.TargetURL, other.Target = one.TargetURL, one.Target
	site := rig.BadCode(t)
	ends := map[*rig.Pair]migrate.Options{one: {Site: site, Chunk: migrate.MinChunk}, other: {Site: site, Chunk: migrate.MinChunk, Publish: "second"}}
	for _, p := range []*rig.Pair{one, other} {
		_, err := p.Try(t.Context(), ends[p])
		rig.Stopped(t, p, err)
	}
	for i, p := range []*rig.Pair{one, other} {
		opts := ends[p]
		opts.Resume, opts.Policy = true, copy.Policy{Mode: convert.FixBad}
		result := p.Migrate(t, opts)
		if result.Run != int64(i+1) || result.Attempts != 2 || result.Schema != []string{"public", "second"}[i] {
			t.Errorf("run %d into %s, attempt %d", result.Run, result.Schema, result.Attempts)
		}
	}
	if n := one.Count(t, "SELECT (SELECT count(*) FROM public.mdl_bad) - (SELECT count(*) FROM second.mdl_bad)"); n != 0 {
		t.Errorf("one has %d rows more", n)
	}
}
