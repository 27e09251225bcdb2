// Package throwaway starts private MariaDB, MySQL and PostgreSQL servers that
// are thrown away afterwards: in a directory of their own, on a free port of
// 127.0.0.1, from the programs of the machine's own packages or from packages
// that were extracted to a directory.
//
// The servers trade durability for speed (no fsync) and have a random
// password. The package installs nothing, never touches a server that it did
// not start, and holds no state between calls.
package throwaway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Kind is a kind of database server.
type Kind string

// The kinds of server that Start knows.
const (
	MariaDB  Kind = "mariadb"
	MySQL    Kind = "mysql"
	Postgres Kind = "postgres"
)

// Options say which server to start and how.
type Options struct {
	// Kind is required.
	Kind Kind
	// Root is a directory that holds extracted packages (usr/bin, usr/lib, ...
	// of a Debian suite). Empty means the programs installed on this machine.
	Root string
	// Version is the wanted version or the start of one, such as "15" or
	// "10.11". Empty means the newest that is installed.
	Version string
	// Dir is where the server's own directory is made; empty means the
	// system's directory for temporary files.
	Dir string
	// Settings are further server settings, each "name=value" in the server's
	// own words. They win over those of this package.
	Settings []string
	// Timeout is how long the server may take to answer; zero means 90 s.
	Timeout time.Duration
}

// Server is a running server. Stop must be called to end it.
type Server struct {
	Kind    Kind
	Version string // as the server itself says, for example "10.11.6-MariaDB"
	Host    string // always 127.0.0.1
	Port    int
	// Socket is the path of the Unix socket, for PostgreSQL that of its
	// directory; empty where it would be too long for the system.
	Socket string
	User   string // the superuser
	// Password is random. It stands in no argument list and in no log.
	Password string
	// Dir holds everything that belongs to the server; Stop removes it.
	Dir string

	eng      engine
	programs programs
	process  *process
	argv     []string // of the running server
	acc      account
	ready    bool // it has answered, and was not killed since
	release  func() error
	stop     sync.Once
	stopErr  error
}

// defaultTimeout is generous: a machine that is busy with other work may need
// many times the usual two seconds.
const defaultTimeout = 90 * time.Second

// portAttempts bounds how often a server is started again because another
// process took the port between finding it free and binding it.
const portAttempts = 5

// Start starts a server and waits until it accepts a login. The server lives
// until Stop is called (cancelling ctx after Start has returned does not end
// it) or, on Linux, until this process dies.
//
// An error that wraps ErrNotInstalled means that this machine has no such
// server; other errors carry the end of the server's log.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.Timeout == 0 {
		opts.Timeout = defaultTimeout
	}
	inst, err := find(ctx, opts)
	if err != nil {
		return nil, err
	}
	dir, release, err := makeDir(opts.Dir, opts.Kind)
	if err != nil {
		return nil, fmt.Errorf("start a private %s server: %w", opts.Kind, err)
	}
	s := &Server{
		Kind: opts.Kind, Host: "127.0.0.1", User: inst.eng.superuser(), Password: rand.Text(),
		Dir: dir, eng: inst.eng, release: release,
	}
	if err := s.run(ctx, inst, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("start a private %s %s server: %w", opts.Kind, inst.Version, err), s.Stop())
	}
	return s, nil
}

// run initialises the data directory, starts the server on a free port and
// waits until it answers.
func (s *Server) run(ctx context.Context, inst Installation, opts Options) error {
	ctx, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	acc, err := serverAccount(opts.Kind)
	if err != nil {
		return err
	}
	if err := acc.own(s.Dir); err != nil {
		return err
	}
	for _, dir := range []string{s.Dir, inst.Root} {
		if dir == "" {
			continue
		}
		if err := acc.canEnter(dir); err != nil {
			return err
		}
	}
	if s.programs, err = inst.prepare(s.Dir); err != nil {
		return err
	}
	s.Socket = socketPath(s.Kind, s.Dir)
	if err := s.eng.initialise(ctx, s, acc); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		if s.Port, err = freePort(); err != nil {
			return err
		}
		if s.argv, err = s.eng.serverArgs(s, opts.Settings); err != nil {
			return err
		}
		s.acc = acc
		logFile := filepath.Join(s.Dir, fmt.Sprintf("server-%d.log", attempt))
		if s.process, err = startProcess(s.argv, s.Dir, logFile, acc, s.eng.endSignal()); err != nil {
			return err
		}
		s.Version, err = waitReady(ctx, s)
		if err == nil {
			s.ready = true
			return s.eng.writeClientConfig(s)
		}
		if !portTaken(logFile) || attempt == portAttempts {
			return withLog(err, logFile)
		}
		s.process.end()
	}
}

// Stop ends the server at once, waits for it, and removes its directory. The
// data is to be thrown away, so the server gets no time to flush it. Stop may
// be called more than once; later calls return the first one's error.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		if s.process != nil {
			if err := s.process.early(); err != nil && s.ready {
				s.stopErr = withLog(fmt.Errorf("the private %s server on port %d had ended by itself: %w", s.Kind, s.Port, err), s.process.log)
			}
			s.process.end()
		}
		if err := os.RemoveAll(s.Dir); err != nil {
			s.stopErr = errors.Join(s.stopErr, fmt.Errorf("remove the directory of a private %s server: %w", s.Kind, err))
		}
		s.stopErr = errors.Join(s.stopErr, s.release())
	})
	return s.stopErr
}

// Kill ends the server by a signal and waits for its end. Its data stays:
// Restart starts it again. Kill and Restart are not for use by several
// goroutines at once.
func (s *Server) Kill(signal syscall.Signal) error {
	s.ready = false
	if err := s.process.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("kill the private %s server on port %d: %w", s.Kind, s.Port, err)
	}
	select {
	case <-s.process.done:
		return nil
	case <-time.After(killAfter):
		return fmt.Errorf("the private %s server on port %d does not end by signal %q", s.Kind, s.Port, signal)
	}
}

// Restart starts a server that was killed on the same port, and waits until it
// accepts a login.
func (s *Server) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	// The accounts are there, and making them again would be a change.
	argv := slices.DeleteFunc(slices.Clone(s.argv), func(arg string) bool { return strings.HasPrefix(arg, "--init-file=") })
	for {
		var err error
		if s.process, err = startProcess(argv, s.Dir, s.process.log, s.acc, s.eng.endSignal()); err != nil {
			return err
		}
		if _, err = waitReady(ctx, s); err == nil {
			s.ready = true
			return nil
		}
		// PostgreSQL's children outlive it for a moment, and a new server does
		// not start beside them.
		select {
		case <-ctx.Done():
			return withLog(fmt.Errorf("start the private %s server again: %w", s.Kind, err), s.process.log)
		case <-time.After(100 * time.Millisecond):
			s.process.end()
		}
	}
}

// URL returns the URL of a database on the server, with user and password. It
// is meant for the program's own use: do not print it.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: string(s.Kind),
		User:   url.UserPassword(s.User, s.Password),
		Host:   net.JoinHostPort(s.Host, strconv.Itoa(s.Port)),
		Path:   "/" + database,
	}
	return u.String()
}

// Log returns what the server has logged so far.
func (s *Server) Log() (string, error) {
	b, err := os.ReadFile(s.process.log)
	if err != nil {
		return "", fmt.Errorf("read the log of a private %s server: %w", s.Kind, err)
	}
	return string(b), nil
}

// maxSocketDir leaves room for a name in what every system accepts as the path
// of a Unix socket (macOS has the smallest limit, 104 bytes with the final NUL).
const maxSocketDir = 103 - len("/.s.PGSQL.65535")

// socketName is the name of MySQL's and MariaDB's socket.
const socketName = "s.sock"

// socketPath returns Server.Socket for a server in dir, or "" where it would be too long.
func socketPath(kind Kind, dir string) string {
	if len(dir) > maxSocketDir {
		return ""
	}
	if kind == Postgres {
		return dir // it makes the name itself
	}
	return filepath.Join(dir, socketName)
}

// freePort returns a port of 127.0.0.1 that no process listens on right now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // does not block
	if err != nil {
		return 0, fmt.Errorf("find a free port of 127.0.0.1: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return 0, fmt.Errorf("find a free port of 127.0.0.1: %w", err)
	}
	return port, nil
}
