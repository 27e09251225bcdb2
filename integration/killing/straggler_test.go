//go:build integration

package killing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
)

// slowIndex makes a site whose table mdl_slow has, at the target, an index that
// takes some seconds to build, since its expression sleeps for each row. The
// table is too large to be copied together with others.
func slowIndex(t *testing.T, rows int, perRow float64) *rig.Pair {
	t.Helper()
	var values []string
	for i := range rows {
		values = append(values, fmt.Sprintf("(%d, REPEAT('%d', 20000))", i, i))
	}
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(),
		"CREATE TABLE mdl_slow (id bigint NOT NULL AUTO_INCREMENT, n bigint NOT NULL, v longtext, PRIMARY KEY (id))",
		"INSERT INTO mdl_slow (n, v) VALUES "+strings.Join(values, ", "), "ANALYZE TABLE mdl_slow")
	code := rig.TinyCode(t, rig.Table("slow", rig.Field("n", "int", `LENGTH="10" NOTNULL="true"`), rig.Field("v", "text", "")))
	p.Migrate(t, migrate.Options{Site: code})
	p.TargetServer.Exec(t, p.TargetURL,
		fmt.Sprintf("CREATE FUNCTION public.sluggish(n bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_catalog.pg_sleep(%f); RETURN n; END'", perRow),
		"TRUNCATE public.mdl_slow", "CREATE INDEX slow_ix ON public.mdl_slow (public.sluggish(n))", "DROP SCHEMA moodledb CASCADE")
	p.Target.Close()
	return p
}

// TestKilledWhileBuilding: the server goes on with the index of a program that
// was killed. The run that goes on must not be hurt when that index is done, nor
// wait for it.
func TestKilledWhileBuilding(t *testing.T) {
	bin := rig.Binary(t)
	p := slowIndex(t, 100, 0.03)
	before := rig.Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only", "--schema=public"))
	args := []string{"migrate", "--data-only", "--truncate", "--yes", "--from", p.SourceURL, "--to", p.TargetURL, "--jobs", "2"}
	for range 2 {
		cmd, stdout, stderr := rig.Start(t, bin, args...)
		began := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		rig.WaitSessions(t, p, fmt.Sprintf("state = 'active' AND query LIKE '%%CREATE INDEX slow_ix%%' AND backend_start > '%s'", began.Format(time.RFC3339Nano)),
			func(n int) bool { return n > 0 })
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		rig.Finish(t, cmd, stdout, stderr)
		args = append(args[:len(args):len(args)], "--resume", "--source-frozen")
	}
	o := rig.RunBinary(t, bin, args...)
	if o.Code != 0 || !strings.Contains(o.Stderr, "worked on for a connection that is gone") {
		t.Fatalf("exit %d\n%s", o.Code, o.Stderr)
	}
	after := rig.Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only", "--schema=public"))
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the schema is not what it was (-before +after):\n%s", diff)
	}
	p.CompareAll(t, "public", "mdl_")
}
