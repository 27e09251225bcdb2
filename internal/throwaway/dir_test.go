//go:build unix

package throwaway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// backdate makes a server's directory look as old as a forgotten one.
func backdate(t *testing.T, dir string) {
	t.Helper()
	old := time.Now().Add(-2 * staleAge)
	if err := os.Chtimes(filepath.Join(dir, lockName), old, old); err != nil {
		t.Fatal(err)
	}
}

func TestStaleDirectories(t *testing.T) {
	parent := t.TempDir()
	made := func(name string) (string, func() error) {
		dir, release, err := makeDir(parent, MariaDB)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return dir, release
	}
	inUse, release := made("in use")
	t.Cleanup(func() {
		if err := release(); err != nil {
			t.Error(err)
		}
	})
	backdate(t, inUse)
	left, releaseLeft := made("left behind")
	if err := releaseLeft(); err != nil {
		t.Fatal(err)
	}
	backdate(t, left)
	young, releaseYoung := made("just released")
	if err := releaseYoung(); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(parent, dirPrefix+"of-something-else")
	if err := os.Mkdir(foreign, 0o755); err != nil {
		t.Fatal(err)
	}

	if err := removeStale(parent); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, dir string
		kept      bool
	}{
		{"locked", inUse, true},
		{"unlocked", left, false},
		{"unlocked and young", young, true},
		{"without a lock file", foreign, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := os.Stat(tt.dir)
			if kept := err == nil; kept != tt.kept {
				t.Errorf("kept = %v, want %v (%v)", kept, tt.kept, err)
			}
		})
	}
}

func TestSocketPath(t *testing.T) {
	long := "/" + strings.Repeat("d", maxSocketDir)
	for _, tt := range []struct {
		name string
		kind Kind
		dir  string
		want string
	}{
		{"MariaDB", MariaDB, "/tmp/x", "/tmp/x/s.sock"},
		{"PostgreSQL names its directory", Postgres, "/tmp/x", "/tmp/x"},
		{"too long", MySQL, long, ""},
		{"too long for PostgreSQL", Postgres, long, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := socketPath(tt.kind, tt.dir); got != tt.want {
				t.Errorf("socketPath = %q, want %q", got, tt.want)
			}
		})
	}
}
