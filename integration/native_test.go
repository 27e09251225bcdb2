//go:build integration

package integration

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
)

// TestSite migrates whole sites. Every cell must arrive, and the schema must be
// the one that Moodle's own installer makes.
func TestSite(t *testing.T) {
	for _, s := range rig.Sites() {
		for _, servers := range rig.Pairs() {
			t.Run(s.Name+"/"+servers[0]+"/"+servers[1], func(t *testing.T) {
				p := rig.NewPair(t, servers[0], servers[1])
				s.Load(t, p)
				p.Open(t)
				opts := migrate.Options{Site: s.Code(t), Owner: "moodle"}
				result := p.Migrate(t, opts)
				t.Logf("migrated in %s", result.Elapsed)
				if !result.Snapshot.Consistent {
					t.Errorf("snapshot: %s", result.Snapshot.How)
				}
				tables, rows := p.CompareAll(t, "public", "mdl_")
				gotTables, gotRows, _ := result.Totals()
				if gotTables != tables || gotRows != int64(rows) {
					t.Errorf("the result says %d tables and %d rows, the source has %d and %d", gotTables, gotRows, tables, rows)
				}
				p.ProvenSame(t, opts.Site, tables)
				rig.CheckSequences(t, p, result)
				if s.Native != "" {
					compareNative(t, p, s.Native)
				}
				if servers[1] == rig.FirstTarget() { // parts are the source's business
					inParts(t, p, opts)
				}
				sessionsEnd(t, p)
			})
		}
	}
}

// TestSiteDataOnly loads a real site into the schema that Moodle's installer made.
func TestSiteDataOnly(t *testing.T) {
	for _, s := range rig.Sites() {
		if s.Native == "" {
			continue
		}
		for _, servers := range rig.Pairs() {
			t.Run(s.Name+"/"+servers[0]+"/"+servers[1], func(t *testing.T) {
				p := rig.NewPair(t, servers[0], servers[1])
				s.Load(t, p)
				p.TargetServer.Load(t, p.TargetURL, s.Native)
				before := rig.SiteSchema(t, p)
				p.TargetServer.Exec(t, p.TargetURL, "INSERT INTO mdl_config (name, value) VALUES ('installed', 'by the installer')")
				p.Open(t)
				if _, err := p.Try(t.Context(), migrate.Options{DataOnly: true}); err == nil || !strings.Contains(err.Error(), "table-not-empty: mdl_config") {
					t.Errorf("without truncate: error %v, want one about mdl_config", err)
				}
				p.Migrate(t, migrate.Options{DataOnly: true, Truncate: true})
				p.CompareAll(t, "public", "mdl_")
				after := rig.SiteSchema(t, p)
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("loading data changed the schema (-before +after):\n%s", diff)
				}
				sessionsEnd(t, p)
			})
		}
	}
}

// compareNative compares the migrated schema with the native one, both dumped
// by the same pg_dump from the same server.
func compareNative(t *testing.T, p *rig.Pair, native string) {
	t.Helper()
	url := p.TargetServer.Database(t)
	p.TargetServer.Load(t, url, native)
	want := rig.Statements(p.TargetServer.Dump(t, url, "--schema-only"))
	got := rig.SiteSchema(t, p)
	// The schema itself belongs to the owner that was asked for.
	got = slices.DeleteFunc(got, func(s string) bool { return s == "ALTER SCHEMA public OWNER TO moodle;" })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the schema differs from Moodle's own (-native +migrated):\n%s", diff)
	}
}
