// Command moodledb compares the database of a Moodle or Totara site with what
// the site's code declares, and moves it from MySQL or MariaDB to PostgreSQL.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/moodledb/moodledb/migrate"
)

// Exit codes: a difference or a blocker is a result, not a failure.
const (
	exitOK          = 0
	exitBlocked     = 1 // a blocker, or a difference
	exitFailed      = 2
	exitInterrupted = 130
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs the command line args and returns the exit code. The first
// interrupt cancels the work, which then cleans up; the second kills.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup, where a closed terminal ends nothing
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	defer stop()
	context.AfterFunc(ctx, stop)

	t := &terminal{stdin: stdin, stdout: stdout, stderr: stderr}
	root := newRoot(t)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	interrupted := ctx.Err // ctx ends only by a signal
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var code exitError
	if errors.As(err, &code) {
		return int(code)
	}
	if interrupted() != nil {
		fmt.Fprintln(stderr, "moodledb: interrupted:", err)
		return exitInterrupted
	}
	fmt.Fprintln(stderr, "moodledb:", err)
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintln(stderr, "See 'moodledb --help' or 'moodledb VERB --help'.")
	}
	if errors.Is(err, migrate.ErrDifferent) {
		return exitBlocked
	}
	return exitFailed
}

// exitError ends the program with a code after everything has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// usageError is a wrong command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }
