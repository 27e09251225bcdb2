//go:build integration

package killing

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
)

// kills is how often TestKilledAtRandom kills for the first pair of servers,
// and for each other one.
const (
	kills      = 100
	killsOther = 10
)

// TestKilledAtRandom kills the program with SIGKILL at random moments, of its
// time and of its events, resumes it and kills it again, until a run ends by
// itself. Each time that it is killed the ledger must say what is there, what
// it has as copied must not be copied again while the source is unchanged, and
// in the end every table and the schema must be those of an undisturbed run.
func TestKilledAtRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("KILL_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("KILL_SEED=%d", seed)
	bin, code := rig.Binary(t), rig.MixedCode(t)
	n := kills
	for _, flavours := range flavourPairs() {
		t.Run(flavours[0]+" to "+flavours[1], func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			k := &killer{bin: bin, code: code, rnd: rnd, phases: map[string]int{}, steps: map[string]int{}, modes: map[string]int{}}
			k.source, k.target = rig.LoggingSource(t, flavours[0]), testdb.Get(t, flavours[1])
			k.sourceURL = k.source.Database(t)
			k.source.Exec(t, k.sourceURL, rig.MixedTables(rnd)...)
			k.all(t, n)
		})
		n = killsOther
	}
}

// flavourPairs are pairs of source and target such that each flavour is in one.
func flavourPairs() [][2]string {
	sources, targets := testdb.Sources(), testdb.Targets()
	var out [][2]string
	for i := range max(len(sources), len(targets)) {
		out = append(out, [2]string{sources[i%len(sources)], targets[i%len(targets)]})
	}
	return out
}

// killer is the state of the test for one pair of servers.
type killer struct {
	bin, code      string
	rnd            *rand.Rand
	source, target *testdb.Server
	sourceURL      string
	// phases counts the kills by how far the run was by its ledger, steps by what
	// the attempt was doing, modes by the way of the migration.
	phases, steps, modes map[string]int
	// killed counts the kills, early those that came before there was a run,
	// inUse the resumptions that came before the server had noticed that a session was dead.
	killed, early, inUse int
	// aim is where the next kills go; empty for anywhere.
	aim aim
	// writes counts how often the source was written to between two attempts.
	writes int
}

// killMode is a way to migrate.
type killMode struct {
	name string
	// args are the further arguments, schema is where the tables are in the end.
	args   []string
	schema string
	// ready prepares the target.
	ready func(t *testing.T, k *killer, w *rig.Watched)
	// written says that the source is written to between attempts.
	written bool
	share   int
}

func killModes() []killMode {
	site := func(t *testing.T, k *killer, w *rig.Watched) { k.target.Exec(t, w.TargetURL, "CREATE SCHEMA site") }
	tables := func(t *testing.T, k *killer, w *rig.Watched) {
		if o := rig.RunBinary(t, k.bin, k.args(w)...); o.Code != 0 {
			t.Fatalf("make the tables: exit %d\n%s", o.Code, o.Stderr)
		}
		k.target.Exec(t, w.TargetURL, "DROP SCHEMA moodledb CASCADE")
	}
	return []killMode{
		{name: "staged", schema: "public", share: 8},
		{name: "staged, source written to", schema: "public", written: true, share: 4},
		{name: "direct", args: []string{"--schema", "site"}, schema: "site", ready: site, share: 2},
		{name: "direct, source written to", args: []string{"--schema", "site"}, schema: "site", ready: site, written: true, share: 2},
		{name: "data only", args: []string{"--data-only", "--truncate", "--yes"}, schema: "public", ready: tables, share: 2},
		{name: "data only, source written to", args: []string{"--data-only", "--truncate", "--yes"}, schema: "public", ready: tables, written: true, share: 2},
	}
}

func (k *killer) args(w *rig.Watched, more ...string) []string {
	return append([]string{
		"migrate", "--code", k.code, "--from", w.ProductURL, "--to", w.TargetURL, "--chunk", "64KiB", "--jobs", "3", "--progress", "json",
	}, more...)
}

// all spreads the kills over the modes.
func (k *killer) all(t *testing.T, n int) {
	modes := killModes()
	if n < kills {
		modes = slices.DeleteFunc(modes, func(m killMode) bool { return m.written })
	}
	shares := 0
	for _, m := range modes {
		shares += m.share
	}
	began := time.Now()
	for i, m := range modes {
		wanted := k.killed + max(2, n*m.share/shares)
		if i == len(modes)-1 {
			wanted = max(n, k.killed+2)
		}
		t.Run(m.name, func(t *testing.T) {
			undisturbed := k.undisturbed(t, m)
			for runs := 1; k.killed < wanted && !t.Failed(); runs++ {
				t.Run(fmt.Sprintf("run %d", runs), func(t *testing.T) { k.run(t, m, wanted, undisturbed) })
			}
		})
	}
	t.Logf("%d kills in %s, %d of them before there was a run; by ledger %v; by step %v; by mode %v; %d resumptions had to wait for a dead session",
		k.killed, time.Since(began).Round(time.Second), k.early, k.phases, k.steps, k.modes, k.inUse)
	if n >= kills {
		k.missed(t, modes[0])
	}
}

// aim is where a kill goes that does not come at random: as soon as an event of a step is seen.
type aim struct{ event, step string }

// missed aims at what no random kill has hit: some steps take milliseconds.
func (k *killer) missed(t *testing.T, m killMode) {
	const started, done = "step_started", "step_done"
	handOver := "hand over"
	for _, phase := range []struct {
		name string
		aim  aim
	}{
		{"not begun", aim{started, "open a snapshot of the source"}},
		{"preparing", aim{started, "prepare the target"}},
		{"copying", aim{started, "copy rows and build indexes"}},
		{"copying and building", aim{"table_copied", ""}},
		{"handing over", aim{started, handOver}},
		{"done", aim{done, handOver}},
	} {
		k.until(t, m, phase.aim, fmt.Sprintf("while a run was %q", phase.name), func() int { return k.phases[phase.name] })
	}
	for _, step := range []string{"open a snapshot of the source", "prepare the target", "copy rows and build indexes", "add constraints", "check the schema", handOver} {
		k.until(t, m, aim{started, step}, fmt.Sprintf("in the step %q", step), func() int { return k.steps[step] })
	}
	if k.steps[""] == 0 {
		t.Error("no kill came before the first step")
	}
}

// until kills runs, each once, until a kill came where it is aimed at.
func (k *killer) until(t *testing.T, m killMode, a aim, where string, hits func() int) {
	t.Helper()
	if hits() > 0 {
		return
	}
	undisturbed := k.undisturbed(t, m)
	k.aim = a
	defer func() { k.aim = aim{} }()
	for range 40 {
		t.Run("aimed", func(t *testing.T) { k.run(t, m, k.killed+1, undisturbed) })
		if hits() > 0 {
			t.Logf("a kill came %s, which none of the random ones did", where)
			return
		}
		if t.Failed() {
			return
		}
	}
	t.Errorf("no kill came %s", where)
}

// baseline is what a run that nobody disturbs makes, and how long it takes.
type baseline struct {
	took   time.Duration
	events int
	schema []string
}

// fresh is an empty target.
func (k *killer) fresh(t *testing.T, m killMode) *rig.Watched {
	t.Helper()
	p := &rig.Pair{SourceServer: k.source, TargetServer: k.target, SourceURL: k.sourceURL, TargetURL: k.target.Database(t)}
	w := rig.Watch(t, p)
	if m.ready != nil {
		m.ready(t, k, w)
	}
	return w
}

func (k *killer) undisturbed(t *testing.T, m killMode) baseline {
	t.Helper()
	w := k.fresh(t, m)
	var b baseline
	began := time.Now()
	o := rig.RunBinary(t, k.bin, k.args(w, m.args...)...)
	b.took = time.Since(began)
	if o.Code != 0 {
		t.Fatalf("undisturbed: exit %d\n%s", o.Code, o.Stderr)
	}
	b.events = strings.Count(o.Stderr, "\n")
	b.schema = k.schema(t, w, m)
	chunks := rig.QueryStrings(t, w.To, "SELECT table_name || ' ' || count(*) FROM moodledb.run_chunk GROUP BY table_name ORDER BY 1")
	t.Logf("undisturbed: %s, %d events, chunks %q", b.took.Round(time.Millisecond), b.events, chunks)
	for _, name := range []string{"mdl_big", "mdl_pair", "mdl_word"} {
		if !slices.ContainsFunc(chunks, func(s string) bool { return strings.HasPrefix(s, name+" ") }) {
			t.Errorf("table %q is not divided", name)
		}
	}
	w.CompareDigests(t, m.schema)
	return b
}

// schema is the published schema with its sequences' values.
func (k *killer) schema(t *testing.T, w *rig.Watched, m killMode) []string {
	t.Helper()
	list := rig.Statements(k.target.Dump(t, w.TargetURL, "--schema-only", "--schema="+m.schema))
	if m.written {
		return list // the values move on with the source
	}
	return append(list, rig.QueryStrings(t, w.To, "SELECT sequencename || ' ' || coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = $1 ORDER BY 1", m.schema)...)
}

// run is one migration, which is killed and resumed until it ends.
func (k *killer) run(t *testing.T, m killMode, wanted int, undisturbed baseline) {
	w := k.fresh(t, m)
	var kept []string
	schemaID := int64(0)
	late := 0
	for {
		last := w.LastRun(t)
		if last != nil && last.State == "done" {
			break // it was killed after its last commit
		}
		args := k.args(w, m.args...)
		if last != nil {
			args = append(args, "--resume")
		}
		var o rig.Outcome
		if k.killed < wanted && late < 3 {
			o = k.attempt(t, undisturbed, args)
		} else {
			o = rig.RunBinary(t, k.bin, args...)
		}
		if o.Code == 1 && strings.Contains(o.Stderr, "-in-use") && k.inUse < 1000 {
			k.inUse++
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if o.Code == 0 {
			break
		}
		if o.Code != -1 {
			t.Fatalf("args %v\nexit %d\n%s", args[7:], o.Code, o.Stderr)
		}
		// Half of the resumptions do not wait for the servers to notice.
		if k.rnd.IntN(2) == 0 {
			w.Quiet(t)
			last = w.LastRun(t)
			if last != nil && last.State != "done" {
				w.CheckLedger(t, last, last.Load)
			}
		}
		last = w.LastRun(t)
		phase := phase(t, w, last)
		k.phases[phase]++
		k.modes[m.name]++
		if phase == "handing over" {
			late++ // nothing is left to copy
		}
		if last == nil {
			k.early++
		}
		if !m.written && last != nil && last.State != "preparing" && last.State != "done" {
			now := w.Committed(t, last)
			k.notAgain(t, kept, now, schemaID, last.SchemaID)
			kept, schemaID = now, last.SchemaID
		}
		if m.written && phase != "done" && k.rnd.IntN(2) == 0 {
			k.writes++
			k.source.Exec(t, w.SourceURL, fmt.Sprintf("INSERT INTO mdl_big (a, b, v) VALUES (%d, 'written', 'between two attempts')", k.writes))
		}
		if t.Failed() {
			t.Fatalf("after a kill while %s:\n%s", phase, o.Stderr)
		}
	}
	w.Quiet(t)
	last := w.LastRun(t)
	if last == nil || last.State != "done" {
		t.Fatalf("the last run of the ledger is %+v", last)
	}
	w.CheckLedger(t, last, m.schema)
	if !m.written {
		k.notAgain(t, kept, w.Committed(t, last), 0, 0)
	}
	if k.killed >= wanted {
		w.CompareAll(t, m.schema, "mdl_")
	} else {
		w.CompareDigests(t, m.schema)
	}
	if diff := cmp.Diff(undisturbed.schema, k.schema(t, w, m)); diff != "" {
		t.Errorf("the schema differs (-undisturbed +killed):\n%s", diff)
	}
	left := rig.QueryStrings(t, w.To, "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)' AND nspname NOT IN ('public', 'site', 'moodledb')")
	if len(left) > 0 {
		t.Errorf("schemas are left: %q", left)
	}
}

// notAgain fails the test when something that was committed is not as it was.
func (k *killer) notAgain(t *testing.T, before, now []string, schemaBefore, schemaNow int64) {
	t.Helper()
	for _, line := range before {
		if _, found := slices.BinarySearch(now, line); !found {
			t.Errorf("copied again or lost: %s", line)
			return
		}
	}
	if schemaBefore != 0 && schemaBefore != schemaNow {
		t.Error("the schema was made again")
	}
}

// attempt starts the program and kills it at a random moment. The outcome has
// the code -1 when it was killed before it had ended.
func (k *killer) attempt(t *testing.T, undisturbed baseline, args []string) rig.Outcome {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), k.bin, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	die := func() { _ = cmd.Process.Kill() }
	after, line, step, at := time.Hour, -1, "", ""
	switch k.rnd.IntN(3) {
	case 0: // a moment of the whole time
		after = time.Duration(k.rnd.Int64N(int64(undisturbed.took)))
	case 1: // an event
		line = k.rnd.IntN(undisturbed.events)
	case 2: // soon after the beginning of a step
		steps := []string{"open a snapshot of the source", "prepare the target", "copy rows and build indexes", "add constraints", "check the schema", "hand over"}
		step = steps[k.rnd.IntN(len(steps))]
	}
	soon := time.Duration(k.rnd.Int64N(int64(20 * time.Millisecond)))
	if k.aim != (aim{}) {
		// Some moments are the first ones of a step, others come a little later.
		after, line, step, soon = time.Hour, -1, "", soon*time.Duration(k.rnd.IntN(2))
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(after, die)
	defer kill.Stop()
	var text strings.Builder
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 1<<20)
	for n := 0; lines.Scan(); n++ {
		text.Write(lines.Bytes())
		text.WriteByte('\n')
		var event struct{ Event, Step string }
		_ = json.Unmarshal(lines.Bytes(), &event)
		if event.Event == "step_started" {
			at = event.Step
		}
		if k.aim != (aim{}) && event.Event == k.aim.event && event.Step == k.aim.step {
			time.AfterFunc(soon, die)
		}
		if n == line || step != "" && event.Event == "step_started" && event.Step == step {
			time.AfterFunc(soon, die)
		}
	}
	err = cmd.Wait()
	o := rig.Outcome{Code: cmd.ProcessState.ExitCode(), Stderr: text.String()}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		k.killed++
		k.steps[at]++
		o.Code = -1
	} else if o.Code != 0 {
		t.Logf("%v", err)
	}
	return o
}
