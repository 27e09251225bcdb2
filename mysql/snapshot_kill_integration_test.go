//go:build integration

package mysql

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
)

// lockedURL is set in the process that locks and is killed.
const lockedURL = "MOODLEDB_TEST_LOCKED_URL"

// TestHoldLocks is no test: it is the process that TestLocksEndWithTheProcess kills.
func TestHoldLocks(t *testing.T) {
	url := os.Getenv(lockedURL)
	if url == "" {
		return
	}
	d, err := dsn.Parse(url, dsn.Options{Getenv: func(string) string { return "" }, Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	method := SnapshotMethod(os.Getenv("MOODLEDB_TEST_LOCKED_BY"))
	taking := &taking{db: db, login: db.login(), options: SnapshotOptions{Readers: 1, Tables: []string{"a"}}, snapshot: &Snapshot{}}
	for _, way := range taking.lockWays() {
		if way.method != method {
			continue
		}
		locker, err := openReader(t.Context(), taking.login)
		if err != nil {
			t.Fatal(err)
		}
		if err := taking.lock(t.Context(), locker, "", way.take...); err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("locked\n")
		time.Sleep(time.Minute)
	}
}

// TestLocksEndWithTheProcess: kill -9 while the source is locked unlocks it.
func TestLocksEndWithTheProcess(t *testing.T) {
	for _, name := range testdb.Sources() {
		s := testdb.Get(t, name)
		url := s.Database(t)
		s.Exec(t, url, "CREATE TABLE a (n INT) ENGINE=InnoDB", "INSERT INTO a VALUES (0)")
		methods := []SnapshotMethod{GlobalReadLock, TableLocks}
		if s.Engine != "mysql" {
			methods = []SnapshotMethod{BackupStage, TableLocks}
		}
		for _, method := range methods {
			t.Run(name+" "+string(method), func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHoldLocks$", "-test.v")
				cmd.Env = append(os.Environ(), lockedURL+"="+url, "MOODLEDB_TEST_LOCKED_BY="+string(method))
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				locked := false
				for lines := bufio.NewScanner(out); !locked && lines.Scan(); {
					locked = lines.Text() == "locked"
				}
				write := func(patience time.Duration) error {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					_, err := s.SQL(t, url).ExecContext(ctx, "UPDATE a SET n = n + 1")
					return err
				}
				if !locked || write(300*time.Millisecond) == nil {
					t.Error("nothing was locked")
				}
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				_ = cmd.Wait()
				if err := write(3 * time.Second); err != nil {
					t.Errorf("still locked: %v", err)
				}
			})
		}
	}
}
