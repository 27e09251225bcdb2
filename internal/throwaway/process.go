package throwaway

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// process is a running server program.
type process struct {
	log       string // path of the file that has its output
	endSignal syscall.Signal
	cmd       *exec.Cmd
	done      chan struct{} // closed when it has ended
	err       error         // how it ended; set before done is closed
}

// killAfter is how long a server may take to follow its end signal.
const killAfter = 20 * time.Second

// startProcess starts a server as the account acc in dir, with its output in
// the file log.
func startProcess(argv []string, dir, log string, acc account, end syscall.Signal) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	defer out.Close()
	// The server's life is not bound to a context: Stop ends it.
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // see above
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, cleanEnv(dir), out, out
	cmd.SysProcAttr = acc.attributes(end)
	p := &process{log: log, endSignal: end, cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux ends the server when the thread that started it ends, so that
		// thread must stay as long as the server does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	return p, nil
}

// early returns how the process ended, nil while it runs.
func (p *process) early() error {
	select {
	case <-p.done:
		if p.err == nil {
			return fmt.Errorf("exit status 0")
		}
		return p.err
	default:
		return nil
	}
}

// end ends the process and waits for it.
func (p *process) end() {
	// An error means that it has ended already, which is what we want.
	_ = p.cmd.Process.Signal(p.endSignal)
	select {
	case <-p.done:
	case <-time.After(killAfter):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// runProgram runs a program that prepares a server to its end, as the account
// acc in dir. The error has the end of what it printed.
func runProgram(ctx context.Context, argv []string, dir string, acc account) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, cleanEnv(dir)
	cmd.SysProcAttr = acc.attributes(syscall.SIGKILL)
	// The program may be a script, whose children must end with it.
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	// A grandchild that keeps the pipe open must not keep us.
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	// Start and Wait on one thread: see startProcess.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", ctx.Err(), err)
		}
		return fmt.Errorf("%s: %w\n%s", filepath.Base(argv[0]), err, tail(out.String()))
	}
	return nil
}

// logLines is how much of a server's log an error shows.
const logLines = 20

// tail returns the last lines of a log, indented.
func tail(log string) string {
	lines := strings.Split(strings.TrimRight(log, "\n"), "\n")
	if len(lines) > logLines {
		lines = lines[len(lines)-logLines:]
	}
	return "    " + strings.Join(lines, "\n    ")
}

// withLog adds the end of the server's log to an error.
func withLog(err error, path string) error {
	b, readErr := os.ReadFile(path)
	if readErr != nil || len(bytes.TrimSpace(b)) == 0 {
		return err
	}
	return fmt.Errorf("%w; the end of its log:\n%s", err, tail(string(b)))
}

// portTaken reports whether a server's log says that its port was in use.
func portTaken(path string) bool {
	b, err := os.ReadFile(path)
	return err == nil && strings.Contains(strings.ToLower(string(b)), "address already in use")
}

// waitReady waits until the server accepts a login and returns its version.
func waitReady(ctx context.Context, s *Server) (string, error) {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		version, err := s.eng.login(ctx, s)
		if err == nil {
			return version, nil
		}
		if ctx.Err() == nil {
			last = err // more telling than the error of a login cut short
		}
		select {
		case <-s.process.done:
			return "", fmt.Errorf("the server ended before it was ready: %w", s.process.early())
		case <-ctx.Done():
			return "", fmt.Errorf("the server did not become ready: %w (last login: %w)", ctx.Err(), last)
		case <-tick.C:
		}
	}
}
