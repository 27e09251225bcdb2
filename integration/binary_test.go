//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/testdata/site"
)

// binary builds the command, once for all tests, and returns its path.
func binary(t *testing.T) string {
	t.Helper()
	program.once.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "moodledb-program-"); program.err != nil {
			return
		}
		text, err := exec.Command("go", "build", "-o", program.path(), "../cmd/moodledb").CombinedOutput()
		if err != nil {
			program.err = fmt.Errorf("go build: %w\n%s", err, text)
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.path()
}

// built is the program, which is linked once for all tests.
type built struct {
	once sync.Once
	dir  string
	err  error
}

var program built

func (b *built) path() string { return filepath.Join(b.dir, "moodledb") }

// removeProgram removes the program when all tests are done.
func removeProgram() error { return os.RemoveAll(program.dir) }

// outcome is how a run of the binary ended.
type outcome struct {
	code           int
	stdout, stderr string
	peak           int64 // resident memory in bytes
}

// start prepares a run of the binary, in an environment with no passwords but those of the URLs.
func start(t *testing.T, bin string, args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	return cmd, &stdout, &stderr
}

// finish waits for a run.
func finish(t *testing.T, cmd *exec.Cmd, stdout, stderr *bytes.Buffer) outcome {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}

func runBinary(t *testing.T, bin string, args ...string) outcome {
	t.Helper()
	cmd, stdout, stderr := start(t, bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watch := make(chan int64)
	ended := make(chan struct{})
	go func() { watch <- peakMemory(cmd.Process.Pid, ended) }()
	o := finish(t, cmd, stdout, stderr)
	close(ended)
	o.peak = <-watch
	return o
}

// peakMemory reads the high-water mark of a process's resident memory until it
// has ended. (What wait4 reports counts the memory of the test itself too, of
// which the process was forked.)
func peakMemory(pid int, ended <-chan struct{}) (peak int64) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return peak
		case <-tick.C:
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(text), "VmHWM:")
		var kib int64
		if _, err := fmt.Sscanf(rest, "%d", &kib); err == nil {
			peak = max(peak, kib<<10)
		}
	}
}

// secrets fails the test when the output shows a password of the two URLs.
func (o outcome) secrets(t *testing.T, p *pair) {
	t.Helper()
	for _, url := range []string{p.sourceURL, p.targetURL} {
		secret := parse(t, url).Password.Reveal()
		if secret != "" && strings.Contains(o.stdout+o.stderr, secret) {
			t.Error("the output shows a password")
		}
	}
}

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
	bin := binary(t)
	p := newPair(t, firstSource(), firstTarget())
	p.loadSample(t)
	args := []string{"--code", codeDir(t), "--from", p.sourceURL, "--to", p.targetURL, "--owner", "moodle"}

	plan := runBinary(t, bin, append([]string{"plan", "--format", "json"}, args...)...)
	plan.secrets(t, p)
	var document struct{ Schema string }
	if err := json.Unmarshal([]byte(plan.stdout), &document); err != nil || document.Schema != "moodledb.plan/1" {
		t.Errorf("plan --format json: %v, schema %q", err, document.Schema)
	}
	if plan.code != 0 {
		t.Errorf("plan exits with %d\n%s", plan.code, plan.stderr)
	}
	p.open(t)
	untouched(t, p)

	first := runBinary(t, bin, append([]string{"migrate"}, args...)...)
	first.secrets(t, p)
	if first.code != 0 {
		t.Fatalf("migrate exits with %d\n%s", first.code, first.stderr)
	}
	p.compareAll(t, "public", "mdl_")

	second := runBinary(t, bin, append([]string{"migrate"}, args...)...)
	if second.code != 1 || !strings.Contains(second.stderr, "--replace") {
		t.Errorf("a target that is not empty: exit %d\n%s", second.code, second.stderr)
	}
	unasked := runBinary(t, bin, append([]string{"migrate", "--replace"}, args...)...)
	if unasked.code != 2 || !strings.Contains(unasked.stderr, "--yes") {
		t.Errorf("replace without a terminal and without --yes: exit %d\n%s", unasked.code, unasked.stderr)
	}
	replaced := runBinary(t, bin, append([]string{"migrate", "--replace", "--yes", "--format", "json"}, args...)...)
	if err := json.Unmarshal([]byte(replaced.stdout), &document); err != nil || replaced.code != 0 || document.Schema != "moodledb.migrate/1" {
		t.Errorf("replace: exit %d, %v, schema %q\n%s", replaced.code, err, document.Schema, replaced.stderr)
	}
}

// bigSource is a tiny site with a table that takes a while to copy.
func bigSource(t *testing.T, rows int) *pair {
	t.Helper()
	statements := []string{
		"CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))",
		"INSERT INTO mdl_big (v) VALUES (REPEAT('x', 1000000))",
	}
	for n := 1; n < rows; n *= 2 {
		statements = append(statements, fmt.Sprintf("INSERT INTO mdl_big (v) SELECT v FROM mdl_big LIMIT %d", rows-n))
	}
	return tiny(t, firstSource(), firstTarget(), statements...)
}

// waitSessions waits until the number of the product's sessions at the target
// for which a condition holds is as wanted.
func waitSessions(t *testing.T, p *pair, condition string, wanted func(int) bool) {
	t.Helper()
	db := p.targetServer.SQL(t, p.targetURL)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var n int
		err := db.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'moodledb' AND datname = current_database() AND " + condition).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if wanted(n) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions where %s: %q", n, condition, p.strings(t, "SELECT concat_ws(' ', pid, state, wait_event_type, wait_event, left(query, 200)) FROM pg_stat_activity WHERE application_name = 'moodledb'"))
		}
	}
}

// TestCtrlC: an interrupt ends the program with 130, and the run can be resumed.
func TestCtrlC(t *testing.T) {
	bin := binary(t)
	p := bigSource(t, 300)
	code := tinyCode(t).Root
	args := []string{"migrate", "--code", code, "--from", p.sourceURL, "--to", p.targetURL}
	cmd, stdout, stderr := start(t, bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The staging schema says that the run is under way.
	waitSessions(t, p, "state = 'active' AND query LIKE 'COPY%'", func(n int) bool { return n > 0 })
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	o := finish(t, cmd, stdout, stderr)
	if o.code != 130 || !strings.Contains(o.stderr, "interrupted") || !strings.Contains(o.stderr, "--resume") {
		t.Errorf("exit %d\n%s", o.code, o.stderr)
	}
	o.secrets(t, p)
	sessionsEnd(t, p)
	again := runBinary(t, bin, args...)
	if again.code != 1 || !strings.Contains(again.stderr, "--resume") {
		t.Errorf("the same command again: exit %d\n%s", again.code, again.stderr)
	}
	resumed := runBinary(t, bin, append(args, "--resume")...)
	if resumed.code != 0 {
		t.Fatalf("resumed: exit %d\n%s", resumed.code, resumed.stderr)
	}
	if n := p.count(t, "SELECT count(*) FROM mdl_big WHERE v = repeat('x', 1000000)"); n != 300 {
		t.Errorf("%d rows arrived", n)
	}
}

// TestKilled: what a killed run leaves is recognised, refused, and dropped when asked to.
func TestKilled(t *testing.T) {
	bin := binary(t)
	p := bigSource(t, 300)
	args := []string{"migrate", "--code", tinyCode(t).Root, "--from", p.sourceURL, "--to", p.targetURL}
	cmd, stdout, stderr := start(t, bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitSessions(t, p, "state = 'active' AND query LIKE 'COPY%'", func(n int) bool { return n > 0 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	finish(t, cmd, stdout, stderr)
	// The server notices that the client is gone when it next reads or writes.
	p.target.Close() // the test's own session
	waitSessions(t, p, "true", func(n int) bool { return n == 0 })
	refused := runBinary(t, bin, args...)
	if refused.code != 1 || !strings.Contains(refused.stderr, "staging-left-over") {
		t.Errorf("after a kill: exit %d\n%s", refused.code, refused.stderr)
	}
	again := runBinary(t, bin, append(args, "--replace", "--yes")...)
	if again.code != 0 {
		t.Fatalf("with --replace: exit %d\n%s", again.code, again.stderr)
	}
	if n := p.count(t, "SELECT count(*) FROM mdl_big WHERE v = repeat('x', 1000000)"); n != 300 {
		t.Errorf("%d rows arrived", n)
	}
}

// TestDataOnlyKilled: after a kill in the middle of a load into existing tables
// the next run goes on, and ends with the very keys and indexes of before.
func TestDataOnlyKilled(t *testing.T) {
	bin := binary(t)
	p := bigSource(t, 300)
	p.migrate(t, migrate.Options{Site: tinyCode(t)})
	before := siteSchema(t, p)
	p.target.Close() // the test's own sessions
	args := []string{"migrate", "--data-only", "--truncate", "--yes", "--from", p.sourceURL, "--to", p.targetURL}
	cmd, stdout, stderr := start(t, bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitSessions(t, p, "state = 'active' AND query LIKE 'COPY%'", func(n int) bool { return n > 0 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	finish(t, cmd, stdout, stderr)
	waitSessions(t, p, "true", func(n int) bool { return n == 0 })
	if n := p.count(t, "SELECT count(*) FROM moodledb.index_journal"); n == 0 {
		t.Error("nothing is in the journal after the kill")
	}
	if again := runBinary(t, bin, args...); again.code != 0 {
		t.Fatalf("again: exit %d\n%s", again.code, again.stderr)
	}
	after := siteSchema(t, p)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the schema is not what it was (-before +after):\n%s", diff)
	}
	if n := p.count(t, "SELECT count(*) FROM mdl_big WHERE v = repeat('x', 1000000)"); n != 300 {
		t.Errorf("%d rows arrived", n)
	}
}

// TestMemory: the program keeps within --memory, whatever the size of rows.
func TestMemory(t *testing.T) {
	bin := binary(t)
	t.Run("600 rows of 1 MB", func(t *testing.T) {
		p := bigSource(t, 600)
		withinMemory(t, bin, p)
		if n := p.count(t, "SELECT count(*) FROM mdl_big WHERE length(v) = 1000000"); n != 600 {
			t.Errorf("%d rows arrived", n)
		}
	})
	t.Run("one row of 100 MB", func(t *testing.T) {
		p := tiny(t, firstSource(), firstTarget(),
			"CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))",
			"INSERT INTO mdl_big (v) VALUES (REPEAT('ab', 50000000))")
		withinMemory(t, bin, p)
		if n := p.count(t, "SELECT count(*) FROM mdl_big WHERE v = repeat('ab', 50000000)"); n != 1 {
			t.Errorf("%d rows arrived whole", n)
		}
	})
}

func withinMemory(t *testing.T, bin string, p *pair) {
	t.Helper()
	began := time.Now()
	o := runBinary(t, bin, "migrate", "--code", tinyCode(t).Root, "--from", p.sourceURL, "--to", p.targetURL, "--memory", "64MiB")
	if o.code != 0 {
		t.Fatalf("exit %d\n%s", o.code, o.stderr)
	}
	t.Logf("peak resident memory %d MiB, %s", o.peak>>20, time.Since(began).Round(time.Millisecond))
	if o.peak == 0 || o.peak > 64<<20 {
		t.Errorf("peak resident memory %d MiB is over the bound of 64 MiB", o.peak>>20)
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
	p := tiny(t, firstSource(), firstTarget(), statements...)
	smallTablespace(t, p)
	_, err := p.try(t.Context(), migrate.Options{Site: tinyCode(t)})
	if err == nil {
		t.Fatal("the rows found room")
	}
	for _, want := range []string{"mdl_random", "space"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	stopped(t, p, err)
	abort(t, p)
	untouched(t, p)
	sessionsEnd(t, p)
}

// smallTablespace lets the target make its tables where there is little room:
// in a container's /dev/shm, or in a small file system that is mounted for the test.
func smallTablespace(t *testing.T, p *pair) {
	t.Helper()
	dir := "/dev/shm/small/data"
	if p.targetServer.Backend == "docker" {
		// What the container has beyond 48 MiB is filled.
		p.targetServer.Exec(t, p.targetURL, "COPY (SELECT 1) TO PROGRAM 'set -e; rm -rf /dev/shm/small; mkdir -p "+dir+"; cd /dev/shm/small; "+
			"head -c $(( $(df --output=avail -B1 . | tail -n 1) - 50331648 )) /dev/zero >filled'")
		db := p.targetServer.SQL(t, p.targetURL)
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
		p.targetServer.Exec(t, p.targetURL, "COPY (SELECT 1) TO PROGRAM 'mkdir -p "+dir+"'")
	}
	name := "small_" + strings.ToLower(parse(t, p.targetURL).Database)
	p.targetServer.Exec(t, p.targetURL, fmt.Sprintf("CREATE TABLESPACE %q LOCATION '%s'", name, dir),
		fmt.Sprintf("ALTER DATABASE %q SET default_tablespace = %q", parse(t, p.targetURL).Database, name))
	db := p.targetServer.SQL(t, p.targetURL)
	t.Cleanup(func() {
		if _, err := db.Exec(fmt.Sprintf("DROP TABLESPACE %q", name)); err != nil {
			t.Error(err)
		}
	})
	// A session that is open has the setting of before.
	p.target.Close()
	p.open(t)
}
