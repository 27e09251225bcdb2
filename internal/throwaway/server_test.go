//go:build integration && linux

package throwaway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moodledb/moodledb/internal/throwaway"
)

// childKind makes the test program a program that starts a server, says where
// it is, and waits to be killed.
const childKind = "THROWAWAY_TEST_CHILD"

func TestMain(m *testing.M) {
	if kind := os.Getenv(childKind); kind != "" {
		os.Exit(child(throwaway.Kind(kind)))
	}
	os.Exit(m.Run())
}

func child(kind throwaway.Kind) int {
	s, err := throwaway.Start(context.Background(), throwaway.Options{Kind: kind})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.Port, s.Dir)
	select {}
}

// kinds are those that the machine's own packages have; MySQL is not among
// Debian's, so internal/testdb tests it from an extracted suite.
var kinds = []throwaway.Kind{throwaway.MariaDB, throwaway.Postgres}

// serverDir is a temporary directory that other users may enter: root's servers
// run as one.
func serverDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func start(t *testing.T, opts throwaway.Options) *throwaway.Server {
	t.Helper()
	s, err := throwaway.Start(t.Context(), opts)
	skipIfNotInstalled(t, err)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func skipIfNotInstalled(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, throwaway.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
}

// query runs one SQL query by the server's own client and returns its output.
func query(t *testing.T, s *throwaway.Server, sql string) string {
	t.Helper()
	program, args := "mariadb", []string{"--batch", "--skip-column-names", "--execute=" + sql}
	if s.Kind == throwaway.Postgres {
		program, args = "psql", []string{"--no-psqlrc", "--tuples-only", "--no-align", "--dbname=postgres", "--command=" + sql}
	}
	cmd, err := s.Command(t.Context(), program, args...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestServer(t *testing.T) {
	// What a user has set for servers of his own must not matter.
	t.Setenv("PGHOST", "192.0.2.1")
	t.Setenv("PGDATA", "/nonexistent")
	t.Setenv("MYSQL_HOME", "/nonexistent")
	show := map[throwaway.Kind]string{throwaway.MariaDB: "SELECT @@max_connections", throwaway.Postgres: "SHOW max_connections"}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			s := start(t, throwaway.Options{Kind: kind, Dir: serverDir(t), Settings: []string{"max_connections=42"}})
			if got := query(t, s, show[kind]); got != "42" {
				t.Errorf("max_connections = %s, want 42", got)
			}
			if s.Version == "" || s.Port == 0 || len(s.Password) < 16 {
				t.Errorf("version %q, port %d, password of %d characters", s.Version, s.Port, len(s.Password))
			}
			log, err := s.Log()
			if err != nil {
				t.Fatal(err)
			}
			if log == "" || strings.Contains(log, s.Password) {
				t.Errorf("the log is empty or has the password:\n%s", log)
			}
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(s.Dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the directory is still there (%v)", err)
			}
			if answers(s.Port) {
				t.Error("the server still answers")
			}
			if err := s.Stop(); err != nil {
				t.Errorf("the second Stop: %v", err)
			}
		})
	}
}

// answers reports whether something listens on a port.
func answers(port int) bool {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func TestStartFails(t *testing.T) {
	for _, kind := range kinds {
		for _, tt := range []struct {
			name, setting string
			want          []string
		}{
			{"with the log of a server that refuses a setting", "no_such_setting=1", []string{"ended before it was ready", "the end of its log", "no_such_setting"}},
			{"at a setting without a value", "no_such_setting", []string{`server setting "no_such_setting" is not name=value`}},
		} {
			t.Run(string(kind)+" "+tt.name, func(t *testing.T) {
				dir := serverDir(t)
				s, err := throwaway.Start(t.Context(), throwaway.Options{Kind: kind, Dir: dir, Settings: []string{tt.setting}})
				skipIfNotInstalled(t, err)
				if err == nil {
					t.Fatalf("it started, and was stopped: %v", s.Stop())
				}
				for _, want := range tt.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("the error does not say %q:\n%v", want, err)
					}
				}
				left, err := os.ReadDir(dir)
				if err != nil || len(left) > 0 {
					t.Errorf("left behind: %v (%v)", left, err)
				}
			})
		}
	}
}

func TestStartSaysThatItsUserMayNotEnter(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root runs servers as another user
	}
	dir := filepath.Join(serverDir(t), "closed")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			s, err := throwaway.Start(t.Context(), throwaway.Options{Kind: kind, Dir: dir})
			skipIfNotInstalled(t, err)
			if err == nil {
				t.Fatalf("it started, and was stopped: %v", s.Stop())
			}
			if want := "who may not enter " + dir + ": use another directory"; !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not say %q:\n%v", want, err)
			}
		})
	}
}

func TestStartIsCancelled(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			dir := serverDir(t)
			s, err := throwaway.Start(ctx, throwaway.Options{Kind: kind, Dir: dir})
			skipIfNotInstalled(t, err)
			if err == nil {
				t.Fatalf("it started, and was stopped: %v", s.Stop())
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want context.DeadlineExceeded", err)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v (%v)", left, err)
			}
		})
	}
}

func TestServerThatDiesIsTold(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			s, err := throwaway.Start(t.Context(), throwaway.Options{Kind: kind})
			skipIfNotInstalled(t, err)
			if err != nil {
				t.Fatal(err)
			}
			killServer(t, s)
			if err := s.Stop(); err == nil || !strings.Contains(err.Error(), "had ended by itself") {
				t.Errorf("Stop: %v, want an error that says so", err)
			}
		})
	}
}

// killServer ends a server by its process number, and waits until its parent,
// which we are, knows.
func killServer(t *testing.T, s *throwaway.Server) {
	t.Helper()
	file := "server.pid"
	if s.Kind == throwaway.Postgres {
		file = "data/postmaster.pid"
	}
	text, err := os.ReadFile(filepath.Join(s.Dir, file))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			time.Sleep(50 * time.Millisecond)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server with process number %d does not end", pid)
}

// waitGone waits until nothing listens on a port any more.
func waitGone(t *testing.T, port int) {
	t.Helper()
	for range 200 {
		if !answers(port) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server on port %d still answers", port)
}

func TestServerEndsWithItsOwner(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			// Its directory stays behind: see TestStaleDirectories.
			cmd.Env = append(os.Environ(), childKind+"="+string(kind), "TMPDIR="+serverDir(t))
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				skipIfNotInstalled(t, errors.Join(cmd.Wait(), throwaway.ErrNotInstalled))
				t.Fatalf("the child has started no server: %v", err)
			}
			port, err := strconv.Atoi(strings.Fields(line)[0])
			if err != nil {
				t.Fatal(err)
			}
			if !answers(port) {
				t.Fatal("the child's server does not answer")
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			// The error is that it was killed.
			_ = cmd.Wait()
			waitGone(t, port)
		})
	}
}
