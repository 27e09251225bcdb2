//go:build integration

package postgres_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
)

// seen waits until the activities are as wanted.
func seen(t *testing.T, db *postgres.DB, wanted func(postgres.Activities) bool) postgres.Activities {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		all, err := db.Activities(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if wanted(all) {
			return all
		}
		if time.Now().After(deadline) {
			t.Fatalf("activities are %+v", all)
		}
	}
}

// TestActivities: what sessions copy, build and wait for is seen before they commit it.
func TestActivities(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		url := s.Database(t)
		db, watcher := open(t, url), open(t, url)
		run(t, db, `CREATE SCHEMA "Load ing"`, `CREATE TABLE "Load ing"."T ""1""" (id int, v text)`,
			`INSERT INTO "Load ing"."T ""1""" SELECT n, repeat('x', 100) FROM generate_series(1, 300000) n`)
		if all := seen(t, watcher, func(postgres.Activities) bool { return true }); len(all.Sessions)+all.Hidden != 0 {
			t.Errorf("activities of nobody: %+v", all)
		}

		in, out := io.Pipe()
		copied := make(chan error)
		go func() {
			c, err := db.Acquire(t.Context())
			if err == nil {
				_, err = c.CopyFrom(t.Context(), `COPY "Load ing"."T ""1""" (id) FROM STDIN`, in)
				c.Release()
			}
			copied <- err
		}()
		if _, err := io.WriteString(out, strings.Repeat("1\n", 100_000)); err != nil {
			t.Fatal(err)
		}
		all := seen(t, watcher, func(a postgres.Activities) bool { return len(a.Sessions) == 1 && a.Sessions[0].Rows > 50_000 })
		a := all.Sessions[0]
		if a.Kind != postgres.ActivityCopy || a.Schema != "Load ing" || a.Table != `T "1"` || a.Bytes < 100_000 || a.PID == 0 {
			t.Errorf("a copy is seen as %+v", a)
		}

		// An index build waits for the copy.
		built := make(chan error)
		go func() {
			c, err := db.Acquire(t.Context())
			if err == nil {
				err = c.Exec(t.Context(), `CREATE UNIQUE INDEX "My ""Index""" ON "Load ing"."T ""1""" (id, v); SELECT 1`)
				c.Release()
			}
			built <- err
		}()
		all = seen(t, watcher, func(a postgres.Activities) bool {
			return slices.ContainsFunc(a.Sessions, func(a postgres.Activity) bool { return len(a.BlockedBy) > 0 })
		})
		i := slices.IndexFunc(all.Sessions, func(x postgres.Activity) bool { return len(x.BlockedBy) > 0 })
		if w := all.Sessions[i]; w.BlockedBy[0] != a.PID || w.Wait != "Lock: relation" || w.Kind != postgres.ActivityIndex || w.Index != `My "Index"` || w.Table != `T "1"` {
			t.Errorf("a session that waits is seen as %+v", w)
		}
		if err := out.CloseWithError(errors.New("enough")); err != nil {
			t.Fatal(err)
		}
		if err := <-copied; err == nil {
			t.Error("a copy that was broken off ended well")
		}
		all = seen(t, watcher, func(a postgres.Activities) bool {
			return len(a.Sessions) == 1 && a.Sessions[0].Kind == postgres.ActivityIndex && a.Sessions[0].Total > 0
		})
		if x := all.Sessions[0]; x.Index != `My "Index"` || x.Table != `T "1"` || x.Phase == "" || x.Done > x.Total {
			t.Errorf("an index build is seen as %+v", x)
		}
		if err := <-built; err != nil {
			t.Error(err)
		}
	})
}

// TestActivitiesOfOthers: sessions of another role are counted, and not shown.
func TestActivitiesOfOthers(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		url := s.Database(t)
		db := open(t, url)
		stranger := open(t, s.Role(t, "a stranger", url))
		slept := make(chan error)
		go func() {
			c, err := db.Acquire(t.Context())
			if err == nil {
				err = c.Exec(t.Context(), "SELECT pg_sleep(2)")
				c.Release()
			}
			slept <- err
		}()
		all := seen(t, stranger, func(a postgres.Activities) bool { return a.Hidden > 0 })
		if len(all.Sessions) != 0 {
			t.Errorf("a stranger sees %+v", all.Sessions)
		}
		seen(t, open(t, url), func(a postgres.Activities) bool { return len(a.Sessions) == 1 && a.Hidden == 0 })
		if err := <-slept; err != nil {
			t.Error(err)
		}
	})
}

// TestEndLeftovers: what a killed run left working in a schema is ended, and nothing else.
func TestEndLeftovers(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		url := s.Database(t)
		db, other := open(t, url), open(t, url)
		run(t, db, "CREATE SCHEMA one", "CREATE TABLE one.t (id int)", "CREATE SCHEMA two", "CREATE TABLE two.t (id int)")
		sessions := map[string]*postgres.Conn{}
		for name, statement := range map[string]string{
			"loads": "INSERT INTO one.t VALUES (1)", "makes": "CREATE TABLE one.u (id int)",
			"reads": "SELECT * FROM one.t", "elsewhere": "INSERT INTO two.t VALUES (1)",
		} {
			c := acquire(t, db)
			if err := c.Exec(t.Context(), "BEGIN; "+statement); err != nil {
				t.Fatal(err)
			}
			sessions[name] = c
		}
		n, err := other.EndLeftovers(t.Context(), "one")
		if err != nil || n != 2 {
			t.Errorf("%d sessions ended, %v", n, err)
		}
		for name, c := range sessions {
			err := c.Exec(t.Context(), "SELECT 1")
			if ended := name == "loads" || name == "makes"; ended != (err != nil) {
				t.Errorf("the session that %s: %v", name, err)
			}
		}
		if n, err := other.EndLeftovers(t.Context(), "no such schema"); n != 0 || err != nil {
			t.Errorf("of no schema: %d, %v", n, err)
		}
	})
}
