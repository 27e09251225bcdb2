//go:build integration

package testdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/moodledb/moodledb/schema"
)

// Server is a running database server that belongs to this test process.
type Server struct {
	Name     string // the flavour, for example "mariadb-10.11"
	Engine   schema.Engine
	Version  string // as the server itself says
	Backend  string // "direct" or "docker"
	Host     string
	Port     int
	Socket   string // Unix socket (PostgreSQL: its directory); empty where there is none
	User     string // the superuser
	Password string

	inst instance
}

// instance is a server that a backend has started.
type instance interface {
	// server describes it; Name, Engine and inst are for the caller to fill.
	server() Server
	// client runs a client program of the server's own version with input as
	// its standard input (nil = none), and returns what it printed.
	client(ctx context.Context, input *input, program string, args ...string) (stdout string, err error)
	stop() error
}

// backend starts servers.
type backend interface {
	name() string
	// start starts a server of a flavour. An error that wraps errUnavailable
	// means that this machine cannot have one.
	start(ctx context.Context, f flavour) (instance, error)
}

// errUnavailable means that a server cannot be had here: tests skip.
var errUnavailable = errors.New("not available")

// process holds the servers of this test process. It is the one variable of
// the package: the tests of a process share servers, and testing has no other
// place to keep them.
var process = &pool{started: map[string]*slot{}} //nolint:gochecknoglobals // see above

// pool is the servers of a process by flavour.
type pool struct {
	mu        sync.Mutex
	started   map[string]*slot
	databases atomic.Int64 // how many were made, for names that are unique
}

// slot is one flavour's server, or why there is none.
type slot struct {
	once   sync.Once
	server *Server
	err    error
}

// Main runs the tests and stops every server of the process, then calls what
// cleans up besides: call it from TestMain. It does not return.
func Main(m *testing.M, besides ...func() error) {
	code := m.Run()
	for _, clean := range besides {
		if err := clean(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	if err := process.stop(); err != nil {
		fmt.Fprintf(os.Stderr, "testdb: %v\n", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Sources returns the flavours of MariaDB and MySQL to test with.
func Sources() []string { return names("TEST_SOURCES", "mariadb-10.11,mariadb-11.8,mysql-9.7") }

// Targets returns the flavours of PostgreSQL to test with.
func Targets() []string { return names("TEST_TARGETS", "postgres-15,postgres-17,postgres-18") }

func names(env, all string) []string {
	list := os.Getenv(env)
	if list == "" {
		list = all
	}
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// Get returns the server of a flavour such as "postgres-17" or "mysql-9.7" and
// starts it at the first call of the process. Where the server cannot be had
// the test is skipped, or fails when CI is set.
func Get(t testing.TB, name string) *Server {
	t.Helper()
	f, err := parseFlavour(name)
	if err != nil {
		t.Fatal(err)
	}
	s := process.slot(name)
	s.once.Do(func() { s.server, s.err = start(f) })
	need(t, s.server, s.err)
	return s.server
}

// Private starts a server of a flavour for one test alone, with further
// settings ("name=value" in the server's own words), and stops it when the test
// ends. For tests that need a server unlike the others, or that break it.
func Private(t testing.TB, name string, settings ...string) *Server {
	t.Helper()
	f, err := parseFlavour(name)
	if err != nil {
		t.Fatal(err)
	}
	f.extra = settings
	s, err := start(f)
	need(t, s, err)
	t.Cleanup(func() {
		if err := s.inst.stop(); err != nil {
			t.Errorf("stop a private %s: %v", name, err)
		}
	})
	return s
}

// Mortal is like Private, for a server that is killed and started again. It
// comes from packages, whatever TEST_DB_BACKEND says: a container ends with its
// server, and not every image starts a second time.
func Mortal(t testing.TB, name string, settings ...string) *Server {
	t.Helper()
	f, err := parseFlavour(name)
	if err != nil {
		t.Fatal(err)
	}
	f.extra = settings
	s, err := startBy(f, direct{})
	need(t, s, err)
	t.Cleanup(func() {
		if err := s.inst.stop(); err != nil {
			t.Errorf("stop a mortal %s: %v", name, err)
		}
	})
	return s
}

// mortal is an instance that can be killed and started again.
type mortal interface {
	kill(signal syscall.Signal) error
	restart(ctx context.Context) error
}

// Kill ends a server of Mortal by a signal and waits for its end.
func (s *Server) Kill(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := s.inst.(mortal).kill(signal); err != nil {
		t.Fatal(err)
	}
}

// Restart starts a server that was killed again, on the same port, and waits
// until it accepts a login.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.inst.(mortal).restart(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// need ends the test unless its server was started: it skips it where the
// server cannot be had, but in CI, where that is a failure as all else is.
func need(t testing.TB, s *Server, err error) {
	t.Helper()
	switch {
	case err == nil:
		t.Logf("testdb: %s", s)
	case errors.Is(err, errUnavailable) && os.Getenv("CI") == "":
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	default:
		t.Fatalf("testdb: %v", err)
	}
}

func (p *pool) slot(name string) *slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started[name] == nil {
		p.started[name] = &slot{}
	}
	return p.started[name]
}

func (p *pool) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []error
	for name, s := range p.started {
		if s.server != nil {
			if err := s.server.inst.stop(); err != nil {
				all = append(all, fmt.Errorf("stop %s: %w", name, err))
			}
		}
	}
	p.started = map[string]*slot{}
	return errors.Join(all...)
}

// startTimeout bounds the start of one server, with the pull of its image.
const startTimeout = 5 * time.Minute

// start starts a server of a flavour by the first backend that can.
func start(f flavour) (*Server, error) {
	backends, err := chosenBackends(os.Getenv("TEST_DB_BACKEND"))
	if err != nil {
		return nil, err
	}
	return startBy(f, backends...)
}

// startBy starts a server of a flavour by the first of some backends that can.
func startBy(f flavour, backends ...backend) (*Server, error) {
	// Not the context of the test that happens to ask first: the server
	// outlives it.
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	var unavailable []error
	for _, b := range backends {
		began := time.Now()
		inst, err := b.start(ctx, f)
		if errors.Is(err, errUnavailable) {
			unavailable = append(unavailable, err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("start %s (%s): %w", f.name, b.name(), err)
		}
		s := inst.server()
		s.Name, s.Engine, s.Backend, s.inst = f.name, f.engine, b.name(), inst
		if !f.matches(s.Version) {
			err := fmt.Errorf("start %s (%s): the server says it is version %q", f.name, b.name(), s.Version)
			return nil, errors.Join(err, inst.stop())
		}
		if err := report(&s, time.Since(began)); err != nil {
			return nil, errors.Join(err, inst.stop())
		}
		return &s, nil
	}
	return nil, fmt.Errorf("%s is %w; \"make setup\" gets the servers for the tests: %w", f.name, errUnavailable, errors.Join(unavailable...))
}

// chosenBackends returns the backends to try, in order.
func chosenBackends(choice string) ([]backend, error) {
	switch choice {
	case "", "auto":
		return []backend{direct{}, docker{}}, nil
	case "direct":
		return []backend{direct{}}, nil
	case "docker":
		return []backend{docker{}}, nil
	default:
		return nil, fmt.Errorf("TEST_DB_BACKEND=%q is none of auto, direct, docker", choice)
	}
}

// String says which server this is, without its password.
func (s *Server) String() string {
	return fmt.Sprintf("%s (%s): %s %s", s.Name, s.Backend, s.Engine, s.Version)
}

// report tells which server the tests run against, on standard error and in
// the file TEST_DB_REPORT.
func report(s *Server, took time.Duration) error {
	fmt.Fprintf(os.Stderr, "testdb: %s, ready in %.1f s\n", s, took.Seconds())
	path := os.Getenv("TEST_DB_REPORT")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open TEST_DB_REPORT: %w", err)
	}
	_, err = fmt.Fprintln(f, s)
	return errors.Join(err, f.Close())
}
