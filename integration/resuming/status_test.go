//go:build integration

package resuming

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
)

// statusDocument is what the tests look at of status --format json.
type statusDocument struct {
	Schema string
	Runs   []struct {
		Run      int64
		State    string
		Bytes    int64
		Fraction float64
		Working  []struct {
			Table string
			Bytes int64
		}
		Sessions []struct {
			Table, Doing string
			Bytes        int64
		}
	}
}

// TestStatusAndAbort: a run is seen while it lives and after it was killed, is
// not aborted while it lives, and is gone when it is aborted.
func TestStatusAndAbort(t *testing.T) {
	bin := rig.Binary(t)
	p := rig.BigSource(t, 300)
	to := []string{"--to", p.TargetURL}
	command := func(verb string, args ...string) rig.Outcome {
		t.Helper()
		o := rig.RunBinary(t, bin, append([]string{verb}, append(args, to...)...)...)
		o.Secrets(t, p)
		return o
	}
	if o := command("status"); o.Code != 0 || !strings.Contains(o.Stdout, "has no record of a run") {
		t.Errorf("status of no runs: exit %d\n%s%s", o.Code, o.Stdout, o.Stderr)
	}
	if o := command("status", "--watch"); o.Code != 0 {
		t.Errorf("watching no runs: exit %d", o.Code)
	}
	if o := command("abort", "--yes"); o.Code != 0 || !strings.Contains(o.Stdout, "nothing to abort") {
		t.Errorf("aborting no runs: exit %d\n%s%s", o.Code, o.Stdout, o.Stderr)
	}

	run, stdout, stderr := rig.Start(t, bin, append([]string{"migrate", "--code", rig.TinyCode(t).Root, "--from", p.SourceURL}, to...)...)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	rig.WaitSessions(t, p, "state = 'active' AND query LIKE 'COPY%mdl_big%'", func(n int) bool { return n > 0 })
	watch, watched, watchErr := rig.Start(t, bin, append([]string{"status", "--watch"}, to...)...)
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	alive := command("status", "--format", "json")
	var document statusDocument
	if err := json.Unmarshal([]byte(alive.Stdout), &document); err != nil || alive.Code != 0 || document.Schema != "moodledb.status/1" || len(document.Runs) != 1 {
		t.Fatalf("status: exit %d, %v\n%s%s", alive.Code, err, alive.Stdout, alive.Stderr)
	}
	r := document.Runs[0]
	if r.State != "running" || len(r.Working) == 0 || r.Working[0].Table != "mdl_big" || len(r.Sessions) == 0 || r.Sessions[0].Doing != "copy" ||
		r.Sessions[0].Bytes == 0 || r.Bytes < r.Sessions[0].Bytes {
		t.Errorf("status of a living run:\n%s", alive.Stdout)
	}
	if o := command("abort", "--yes"); o.Code != 2 || !strings.Contains(o.Stderr, "is being worked on by another moodledb") {
		t.Errorf("aborting a living run: exit %d\n%s%s", o.Code, o.Stdout, o.Stderr)
	}
	time.Sleep(500 * time.Millisecond) // so that it is watched
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	rig.Finish(t, run, stdout, stderr)
	rig.WaitSessions(t, p, "state = 'active' AND query LIKE 'COPY%'", func(n int) bool { return n == 0 })

	if o := command("status"); o.Code != 0 || !strings.Contains(o.Stdout, "interrupted") || !strings.Contains(o.Stdout, "--resume") {
		t.Errorf("status of a killed run: exit %d\n%s%s", o.Code, o.Stdout, o.Stderr)
	}
	if o := command("abort"); o.Code != 2 || !strings.Contains(o.Stderr, "is dropped") || !strings.Contains(o.Stderr, "--yes") {
		t.Errorf("abort without a terminal and without --yes: exit %d\n%s%s", o.Code, o.Stdout, o.Stderr)
	}
	if o := command("abort", "--yes", "--run", fmt.Sprint(r.Run)); o.Code != 0 {
		t.Errorf("abort: exit %d\n%s%s", o.Code, o.Stdout, o.Stderr)
	}
	w := rig.Finish(t, watch, watched, watchErr)
	if w.Code != 1 || !strings.Contains(w.Stdout, "run 1 running") || !strings.Contains(w.Stderr, "aborted") {
		t.Errorf("watch: exit %d\n%s%s", w.Code, w.Stdout, w.Stderr)
	}
	rig.Untouched(t, p)
}

// TestWatchUntilDone: whoever watches is told that the run is done, by the exit code too.
func TestWatchUntilDone(t *testing.T) {
	bin := rig.Binary(t)
	p := rig.BigSource(t, 100)
	run, stdout, stderr := rig.Start(t, bin, "migrate", "--code", rig.TinyCode(t).Root, "--from", p.SourceURL, "--to", p.TargetURL)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	rig.WaitSessions(t, p, "query LIKE '%mdl_big%'", func(n int) bool { return n > 0 })
	o := rig.RunBinary(t, bin, "status", "--watch", "--format", "json", "--to", p.TargetURL)
	if o.Code != 0 {
		t.Errorf("watch: exit %d\n%s%s", o.Code, o.Stdout, o.Stderr)
	}
	var last statusDocument
	for line := range strings.Lines(o.Stdout) {
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
	}
	if r := last.Runs[0]; r.State != "done" || r.Fraction != 1 || r.Bytes < 100_000_000 {
		t.Errorf("the last line is %+v", last)
	}
	if o := rig.Finish(t, run, stdout, stderr); o.Code != 0 {
		t.Fatalf("migrate: exit %d\n%s", o.Code, o.Stderr)
	}
	if runs := statusOf(t, p); runs[0].State != migrate.RunDone || runs[0].Built != runs[0].Indexes || runs[0].Tables.Done != runs[0].Tables.All {
		t.Errorf("status %+v", runs[0])
	}
}

// TestProgressJSON: each line on standard error is an object of the contract, and the figures are served meanwhile.
func TestProgressJSON(t *testing.T) {
	bin := rig.Binary(t)
	p := rig.BigSource(t, 200)
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	run, _, _ := rig.Start(t, bin, "migrate", "--code", rig.TinyCode(t).Root, "--from", p.SourceURL, "--to", p.TargetURL, "--progress", "json", "--metrics", address)
	run.Stderr = nil
	stderr, err := run.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	// The pipe holds many lines: the program may be done when the first one is read.
	served := make(chan string)
	ended := make(chan struct{})
	go func() { served <- lastOf(t, "http://"+address+"/metrics", ended) }()
	kinds := map[string]int{}
	var last string
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		var e struct {
			Schema, Event string
			Fraction      float64
			OK            bool
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Schema != "moodledb.progress/1" {
			t.Errorf("%v: %s", err, lines.Text())
		}
		kinds[e.Event]++
		last = lines.Text()
	}
	close(ended)
	figures := <-served
	if err := run.Wait(); err != nil {
		t.Error(err)
	}
	for _, kind := range []string{"run_started", "step_started", "step_done", "table_started", "table_copied", "index_started", "index_built", "table_done", "progress", "notice"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s among %v", kind, kinds)
		}
	}
	if !strings.Contains(last, `"event":"ended","ok":true`) {
		t.Errorf("the last line is %s", last)
	}
	if !strings.Contains(figures, `moodledb_run_info{run="1"`) || !strings.Contains(figures, "moodledb_copied_bytes_total") {
		t.Errorf("figures:\n%s", figures)
	}
}

// lastOf asks for a page until ended is closed, and returns the last answer.
func lastOf(t *testing.T, url string, ended <-chan struct{}) string {
	t.Helper()
	last := ""
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return last
		case <-tick.C:
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Error(err)
			return last
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue // not served yet, or not any more
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && len(body) > 0 {
			last = string(body)
		}
	}
}

// TestStatusOfConfig: the target can be named by the config.php of its site.
func TestStatusOfConfig(t *testing.T) {
	bin := rig.Binary(t)
	p := emptyPair(t)
	d := rig.Parse(t, p.TargetURL)
	file := filepath.Join(t.TempDir(), "config.php")
	text := fmt.Sprintf("<?php\n$CFG->dbtype = 'pgsql';\n$CFG->dbhost = '%s';\n$CFG->dbname = '%s';\n$CFG->dbuser = '%s';\n$CFG->dbpass = '%s';\n$CFG->prefix = 'mdl_';\n$CFG->dboptions = ['dbport' => %d];\n",
		d.Host, d.Database, d.User, d.Password.Reveal(), d.Port)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := rig.RunBinary(t, bin, "status", "--to", file)
	o.Secrets(t, p)
	if o.Code != 0 || !strings.Contains(o.Stdout, "has no record of a run") {
		t.Errorf("exit %d\n%s%s", o.Code, o.Stdout, o.Stderr)
	}
}
