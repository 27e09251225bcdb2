//go:build integration

package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
)

// TestIndexesOfLargeTable: the keys and indexes of a large table are built at
// once, its primary key as an index that becomes a key at the end. The schema
// must be the one that a small table gets, whose key is made as a key.
func TestIndexesOfLargeTable(t *testing.T) {
	const large = "CREATE TABLE mdl_slow (id bigint NOT NULL AUTO_INCREMENT, n bigint NOT NULL, v longtext, PRIMARY KEY (id), UNIQUE KEY u (n), KEY a (n, id), KEY b (id, n))"
	code := rig.TinyCode(t, rig.Table("slow", rig.Field("n", "int", `LENGTH="10" NOTNULL="true"`), rig.Field("v", "text", "")))
	for _, target := range testdb.Targets() {
		t.Run(target, func(t *testing.T) {
			p := rig.Tiny(t, rig.FirstSource(), target, large)
			small := p.Migrate(t, migrate.Options{Site: code})
			want := rig.Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only", "--schema=public"))
			for i := range 5 {
				var values []string
				for n := range 10 {
					values = append(values, fmt.Sprintf("(%d, REPEAT('%d', 1000000))", 10*i+n, n))
				}
				p.SourceServer.Exec(t, p.SourceURL, "INSERT INTO mdl_slow (n, v) VALUES "+strings.Join(values, ", "))
			}
			p.SourceServer.Exec(t, p.SourceURL, "ANALYZE TABLE mdl_slow")
			var built []string
			plan, err := migrate.Make(t.Context(), p.Source, p.Target, migrate.Options{Site: code, Replace: true})
			if err != nil {
				t.Fatal(err)
			}
			result, err := migrate.Run(t.Context(), p.Source, p.Target, plan, func(e migrate.Event) {
				if x, ok := e.(migrate.IndexBuilt); ok && x.Table == "mdl_slow" {
					built = append(built, x.Name)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, rig.Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only", "--schema=public"))); diff != "" {
				t.Errorf("the schema of the large table (-small +large):\n%s", diff)
			}
			if result.Indexes != small.Indexes || len(built) < 4 {
				t.Errorf("%d indexes, want %d; built for the large table: %v", result.Indexes, small.Indexes, built)
			}
			p.CompareAll(t, "public", "mdl_")
		})
	}
}
