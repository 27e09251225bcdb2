//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/testdata/site"
)

// codeDir writes the bundled site's code tree.
func codeDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "code")
	if err := os.CopyFS(dir, site.Code()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestCommand runs plan and migrate as a user does, with their exit codes.
func TestCommand(t *testing.T) {
	bin := rig.Binary(t)
	p := rig.NewPair(t, rig.FirstSource(), rig.FirstTarget())
	p.LoadSample(t)
	args := []string{"--code", codeDir(t), "--from", p.SourceURL, "--to", p.TargetURL, "--owner", "moodle"}

	plan := rig.RunBinary(t, bin, append([]string{"plan", "--format", "json"}, args...)...)
	plan.Secrets(t, p)
	var document struct{ Schema string }
	if err := json.Unmarshal([]byte(plan.Stdout), &document); err != nil || document.Schema != "moodledb.plan/1" {
		t.Errorf("plan --format json: %v, schema %q", err, document.Schema)
	}
	if plan.Code != 0 {
		t.Errorf("plan exits with %d\n%s", plan.Code, plan.Stderr)
	}
	p.Open(t)
	rig.Untouched(t, p)

	first := rig.RunBinary(t, bin, append([]string{"migrate"}, args...)...)
	first.Secrets(t, p)
	if first.Code != 0 {
		t.Fatalf("migrate exits with %d\n%s", first.Code, first.Stderr)
	}
	p.CompareAll(t, "public", "mdl_")

	second := rig.RunBinary(t, bin, append([]string{"migrate"}, args...)...)
	if second.Code != 1 || !strings.Contains(second.Stderr, "--replace") {
		t.Errorf("a target that is not empty: exit %d\n%s", second.Code, second.Stderr)
	}
	unasked := rig.RunBinary(t, bin, append([]string{"migrate", "--replace"}, args...)...)
	if unasked.Code != 2 || !strings.Contains(unasked.Stderr, "--yes") {
		t.Errorf("replace without a terminal and without --yes: exit %d\n%s", unasked.Code, unasked.Stderr)
	}
	replaced := rig.RunBinary(t, bin, append([]string{"migrate", "--replace", "--yes", "--format", "json"}, args...)...)
	if err := json.Unmarshal([]byte(replaced.Stdout), &document); err != nil || replaced.Code != 0 || document.Schema != "moodledb.migrate/1" {
		t.Errorf("replace: exit %d, %v, schema %q\n%s", replaced.Code, err, document.Schema, replaced.Stderr)
	}
}

// TestCtrlC: an interrupt ends the program with 130, and the run can be resumed.
func TestCtrlC(t *testing.T) {
	bin := rig.Binary(t)
	p := rig.BigSource(t, 300)
	code := rig.TinyCode(t).Root
	args := []string{"migrate", "--code", code, "--from", p.SourceURL, "--to", p.TargetURL}
	cmd, stdout, stderr := rig.Start(t, bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The staging schema says that the run is under way.
	rig.WaitSessions(t, p, "state = 'active' AND query LIKE 'COPY%'", func(n int) bool { return n > 0 })
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	o := rig.Finish(t, cmd, stdout, stderr)
	if o.Code != 130 || !strings.Contains(o.Stderr, "interrupted") || !strings.Contains(o.Stderr, "--resume") {
		t.Errorf("exit %d\n%s", o.Code, o.Stderr)
	}
	o.Secrets(t, p)
	sessionsEnd(t, p)
	again := rig.RunBinary(t, bin, args...)
	if again.Code != 1 || !strings.Contains(again.Stderr, "--resume") {
		t.Errorf("the same command again: exit %d\n%s", again.Code, again.Stderr)
	}
	resumed := rig.RunBinary(t, bin, append(args, "--resume")...)
	if resumed.Code != 0 {
		t.Fatalf("resumed: exit %d\n%s", resumed.Code, resumed.Stderr)
	}
	if n := p.Count(t, "SELECT count(*) FROM mdl_big WHERE v = repeat('x', 1000000)"); n != 300 {
		t.Errorf("%d rows arrived", n)
	}
}

// TestKilled: what a killed run leaves is recognised, refused, and dropped when asked to.
func TestKilled(t *testing.T) {
	bin := rig.Binary(t)
	p := rig.BigSource(t, 300)
	args := []string{"migrate", "--code", rig.TinyCode(t).Root, "--from", p.SourceURL, "--to", p.TargetURL}
	cmd, stdout, stderr := rig.Start(t, bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rig.WaitSessions(t, p, "state = 'active' AND query LIKE 'COPY%'", func(n int) bool { return n > 0 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	rig.Finish(t, cmd, stdout, stderr)
	// The server notices that the client is gone when it next reads or writes.
	p.Target.Close() // the test's own session
	rig.WaitSessions(t, p, "true", func(n int) bool { return n == 0 })
	refused := rig.RunBinary(t, bin, args...)
	if refused.Code != 1 || !strings.Contains(refused.Stderr, "staging-left-over") {
		t.Errorf("after a kill: exit %d\n%s", refused.Code, refused.Stderr)
	}
	again := rig.RunBinary(t, bin, append(args, "--replace", "--yes")...)
	if again.Code != 0 {
		t.Fatalf("with --replace: exit %d\n%s", again.Code, again.Stderr)
	}
	if n := p.Count(t, "SELECT count(*) FROM mdl_big WHERE v = repeat('x', 1000000)"); n != 300 {
		t.Errorf("%d rows arrived", n)
	}
}

// TestDataOnlyKilled: after a kill in the middle of a load into existing tables
// the next run goes on, and ends with the very keys and indexes of before.
func TestDataOnlyKilled(t *testing.T) {
	bin := rig.Binary(t)
	p := rig.BigSource(t, 300)
	p.Migrate(t, migrate.Options{Site: rig.TinyCode(t)})
	before := rig.SiteSchema(t, p)
	p.Target.Close() // the test's own sessions
	args := []string{"migrate", "--data-only", "--truncate", "--yes", "--from", p.SourceURL, "--to", p.TargetURL}
	cmd, stdout, stderr := rig.Start(t, bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rig.WaitSessions(t, p, "state = 'active' AND query LIKE 'COPY%'", func(n int) bool { return n > 0 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	rig.Finish(t, cmd, stdout, stderr)
	rig.WaitSessions(t, p, "true", func(n int) bool { return n == 0 })
	if n := p.Count(t, "SELECT count(*) FROM moodledb.index_journal"); n == 0 {
		t.Error("nothing is in the journal after the kill")
	}
	if again := rig.RunBinary(t, bin, args...); again.Code != 0 {
		t.Fatalf("again: exit %d\n%s", again.Code, again.Stderr)
	}
	after := rig.SiteSchema(t, p)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the schema is not what it was (-before +after):\n%s", diff)
	}
	if n := p.Count(t, "SELECT count(*) FROM mdl_big WHERE v = repeat('x', 1000000)"); n != 300 {
		t.Errorf("%d rows arrived", n)
	}
}

// TestMemory: the program keeps within --memory, whatever the size of rows.
func TestMemory(t *testing.T) {
	bin := rig.Binary(t)
	t.Run("600 rows of 1 MB", func(t *testing.T) {
		p := rig.BigSource(t, 600)
		withinMemory(t, bin, p)
		if n := p.Count(t, "SELECT count(*) FROM mdl_big WHERE length(v) = 1000000"); n != 600 {
			t.Errorf("%d rows arrived", n)
		}
	})
	t.Run("one row of 100 MB", func(t *testing.T) {
		p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(),
			"CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))",
			"INSERT INTO mdl_big (v) VALUES (REPEAT('ab', 50000000))")
		withinMemory(t, bin, p)
		if n := p.Count(t, "SELECT count(*) FROM mdl_big WHERE v = repeat('ab', 50000000)"); n != 1 {
			t.Errorf("%d rows arrived whole", n)
		}
	})
}

func withinMemory(t *testing.T, bin string, p *rig.Pair) {
	t.Helper()
	began := time.Now()
	o := rig.RunBinary(t, bin, "migrate", "--code", rig.TinyCode(t).Root, "--from", p.SourceURL, "--to", p.TargetURL, "--memory", "64MiB")
	if o.Code != 0 {
		t.Fatalf("exit %d\n%s", o.Code, o.Stderr)
	}
	t.Logf("peak resident memory %d MiB, %s", o.Peak>>20, time.Since(began).Round(time.Millisecond))
	if o.Peak == 0 || o.Peak > 64<<20 {
		t.Errorf("peak resident memory %d MiB is over the bound of 64 MiB", o.Peak>>20)
	}
}

// TestFullDisk: a target that runs out of space stops the run with a clear
// error, and what was made can be taken back.
func TestFullDisk(t *testing.T) {
	statements := []string{
		"CREATE TABLE mdl_random (id bigint NOT NULL AUTO_INCREMENT, v varbinary(1024), PRIMARY KEY (id))",
		"INSERT INTO mdl_random (v) VALUES (RANDOM_BYTES(1024))",
	}
	for range 17 { // 128 MiB, which no compression makes smaller
		statements = append(statements, "INSERT INTO mdl_random (v) SELECT RANDOM_BYTES(1024) FROM mdl_random")
	}
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), statements...)
	smallTablespace(t, p)
	_, err := p.Try(t.Context(), migrate.Options{Site: rig.TinyCode(t)})
	if err == nil {
		t.Fatal("the rows found room")
	}
	for _, want := range []string{"mdl_random", "space"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	rig.Stopped(t, p, err)
	abort(t, p)
	rig.Untouched(t, p)
	sessionsEnd(t, p)
}

// smallTablespace lets the target make its tables where there is little room:
// in a container's /dev/shm, or in a small file system that is mounted for the test.
func smallTablespace(t *testing.T, p *rig.Pair) {
	t.Helper()
	dir := "/dev/shm/small/data"
	if p.TargetServer.Backend == "docker" {
		// What the container has beyond 48 MiB is filled.
		p.TargetServer.Exec(t, p.TargetURL, "COPY (SELECT 1) TO PROGRAM 'set -e; rm -rf /dev/shm/small; mkdir -p "+dir+"; cd /dev/shm/small; "+
			"head -c $(( $(df --output=avail -B1 . | tail -n 1) - 50331648 )) /dev/zero >filled'")
		db := p.TargetServer.SQL(t, p.TargetURL)
		t.Cleanup(func() {
			if _, err := db.Exec("COPY (SELECT 1) TO PROGRAM 'rm -rf /dev/shm/small'"); err != nil {
				t.Error(err)
			}
		})
	} else {
		if os.Geteuid() != 0 && os.Getenv("CI") == "" {
			t.Skip("SKIPPED, NOT TESTED: only root can mount a small file system")
		}
		// A directory of the test's own is closed to the server's user.
		var err error
		if dir, err = os.MkdirTemp("", "moodledb-small-"); err != nil {
			t.Fatal(err)
		}
		mount := dir
		if text, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=48m,mode=0777", "tmpfs", dir).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v: %s", err, text)
		}
		t.Cleanup(func() {
			if text, err := exec.Command("umount", mount).CombinedOutput(); err != nil {
				t.Errorf("umount: %v: %s", err, text)
			}
			if err := os.Remove(mount); err != nil {
				t.Error(err)
			}
		})
		if err := os.Chmod(mount, 0o777); err != nil {
			t.Fatal(err)
		}
		dir += "/data"
		p.TargetServer.Exec(t, p.TargetURL, "COPY (SELECT 1) TO PROGRAM 'mkdir -p "+dir+"'")
	}
	name := "small_" + strings.ToLower(rig.Parse(t, p.TargetURL).Database)
	p.TargetServer.Exec(t, p.TargetURL, fmt.Sprintf("CREATE TABLESPACE %q LOCATION '%s'", name, dir),
		fmt.Sprintf("ALTER DATABASE %q SET default_tablespace = %q", rig.Parse(t, p.TargetURL).Database, name))
	db := p.TargetServer.SQL(t, p.TargetURL)
	t.Cleanup(func() {
		if _, err := db.Exec(fmt.Sprintf("DROP TABLESPACE %q", name)); err != nil {
			t.Error(err)
		}
	})
	// A session that is open has the setting of before.
	p.Target.Close()
	p.Open(t)
}
