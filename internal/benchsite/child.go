package benchsite

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// usage is what a program cost.
type usage struct {
	cpu  time.Duration
	peak int64 // resident memory, in bytes
	// here says that this process did the work: cpu is not known yet.
	here bool
}

// add joins the usage of a program that ran at another time.
func (u usage) add(v usage) usage {
	return usage{cpu: u.cpu + v.cpu, peak: max(u.peak, v.peak)}
}

// pollMemory is how often a program's peak memory is read. The kernel keeps the
// peak itself, so only what happens in the last moment can be missed.
const pollMemory = 10 * time.Millisecond

// runChild runs a program to its end. The error has the end of what it printed.
func runChild(ctx context.Context, cmd *exec.Cmd) (usage, error) {
	var out bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	cmd.Stderr = &out
	prepareChild(cmd)
	// The system ends the child when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return usage{}, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	stop, done := make(chan struct{}), make(chan int64)
	go func() { done <- watchMemory(cmd.Process.Pid, stop) }()
	err := cmd.Wait()
	close(stop)
	u := usage{peak: <-done}
	if cmd.ProcessState != nil {
		u.cpu = cmd.ProcessState.SystemTime() + cmd.ProcessState.UserTime()
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return u, fmt.Errorf("%s: %w\n%s", cmd.Path, err, lastLines(out.String(), 20))
	}
	return u, nil
}

// watchMemory returns the peak memory of a process until stop is closed.
func watchMemory(pid int, stop <-chan struct{}) int64 {
	peak := int64(0)
	t := time.NewTicker(pollMemory)
	defer t.Stop()
	for {
		peak = max(peak, peakMemory(pid))
		select {
		case <-stop:
			return peak
		case <-t.C:
		}
	}
}

// lastLines returns the last n lines of a text.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(len(lines)-n, 0):], "\n")
}
