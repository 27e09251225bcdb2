package benchsite

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	pid, p, err := parseStat([]byte("42 (a ) b(c) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5 6 7\n"))
	if err != nil {
		t.Fatal(err)
	}
	if pid != 42 || p.parent != 7 || p.cpu != 1270*time.Millisecond {
		t.Errorf("pid %d, parent %d, CPU %v; want 42, 7, 1.27s", pid, p.parent, p.cpu)
	}
	for _, bad := range []string{"", "42", "42 (a", "x (a) S 1", "42 (a) S 1 2 3", "42 (a) S x 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20"} {
		if _, _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestParseMachine(t *testing.T) {
	t.Parallel()
	got, err := parseMachine("cpu  100 20 30 4000 500 6 7 8 0 0")
	if err != nil || got != 1630*time.Millisecond {
		t.Errorf("%v, %v; want 1.63s", got, err)
	}
	for _, bad := range []string{"", "cpu0 1 2 3", "cpu a b c d e f g h i"} {
		if _, err := parseMachine(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// A child's CPU time and memory are its own, not those of this process, and
// its errors come with what it printed.
func TestChild(t *testing.T) {
	t.Parallel()
	u, err := runChild(t.Context(), exec.CommandContext(t.Context(), "sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"))
	if err != nil {
		t.Fatal(err)
	}
	if u.cpu < 10*time.Millisecond || u.cpu > 20*time.Second {
		t.Errorf("CPU time %v", u.cpu)
	}
	if u.peak < 200<<10 || u.peak > 8<<20 {
		t.Errorf("peak memory of a shell is %d bytes", u.peak)
	}
	_, err = runChild(t.Context(), exec.CommandContext(t.Context(), "sh", "-c", "echo this went wrong; exit 3"))
	if err == nil || !strings.Contains(err.Error(), "this went wrong") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
}

// Children that have ended count, as do those of children.
func TestTreeCPU(t *testing.T) {
	t.Parallel()
	const busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "sh", "-c", "(sh -c '"+busy+"'); echo done; sleep 60 & wait")
	prepareChild(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 8)); err != nil {
		t.Error(err)
	}
	used, err := treeCPU(cmd.Process.Pid)
	if err != nil {
		t.Error(err)
	}
	if used < 30*time.Millisecond {
		t.Errorf("the tree used %v, want the time of the child that has ended", used)
	}
	cancel()
	if err := cmd.Wait(); err == nil {
		t.Error("the child was not ended")
	}
	if _, err := treeCPU(cmd.Process.Pid); err == nil {
		t.Error("a process that is gone has a CPU time")
	}
}

// What a child has used moves to its parent when it ends, at any moment, and is
// counted once: the sum never falls.
func TestTreeCPUOfChildrenThatEnd(t *testing.T) {
	t.Parallel()
	const child = "sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'"
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "while :; do "+child+" & "+child+"; wait; sleep 0.05; done")
	prepareChild(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Cancel()
		_ = cmd.Wait() // it was killed
	}()
	last := time.Duration(0)
	for began := time.Now(); time.Since(began) < 2*time.Second; {
		used, err := treeCPU(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if used < last {
			t.Fatalf("%v after %v: something was counted twice", used, last)
		}
		last = used
	}
	if last == 0 {
		t.Error("no time was used")
	}
}
