//go:build integration

package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Binary builds the command, once for all tests, and returns its path.
func Binary(t *testing.T) string {
	t.Helper()
	program.once.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "moodledb-program-"); program.err != nil {
			return
		}
		text, err := exec.CommandContext(t.Context(), "go", "build", "-o", program.path(), "github.com/moodledb/moodledb/cmd/moodledb").CombinedOutput()
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

// program is the one of this test process: testing has no other place to keep it.
var program built //nolint:gochecknoglobals // see above

func (b *built) path() string { return filepath.Join(b.dir, "moodledb") }

// RemoveProgram removes the program when all tests are done.
func RemoveProgram() error { return os.RemoveAll(program.dir) }

// Outcome is how a run of the binary ended.
type Outcome struct {
	Code           int
	Stdout, Stderr string
	Peak           int64 // resident memory in bytes
}

// Start prepares a run of the binary, in an environment with no passwords but those of the URLs.
func Start(t *testing.T, bin string, args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	return cmd, &stdout, &stderr
}

// Finish waits for a run.
func Finish(t *testing.T, cmd *exec.Cmd, stdout, stderr *bytes.Buffer) Outcome {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return Outcome{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}

// RunBinary runs the binary to its end.
func RunBinary(t *testing.T, bin string, args ...string) Outcome {
	t.Helper()
	cmd, stdout, stderr := Start(t, bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watch := make(chan int64)
	ended := make(chan struct{})
	go func() { watch <- peakMemory(cmd.Process.Pid, ended) }()
	o := Finish(t, cmd, stdout, stderr)
	close(ended)
	o.Peak = <-watch
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

// Secrets fails the test when the output shows a password of the two URLs.
func (o Outcome) Secrets(t *testing.T, p *Pair) {
	t.Helper()
	for _, url := range []string{p.SourceURL, p.TargetURL} {
		secret := Parse(t, url).Password.Reveal()
		if secret != "" && strings.Contains(o.Stdout+o.Stderr, secret) {
			t.Error("the output shows a password")
		}
	}
}
