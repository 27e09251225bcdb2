//go:build integration

package postgres_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
)

// snapshot takes a snapshot for as long as the test runs.
func snapshot(t *testing.T, db *postgres.DB, sessions int) *postgres.Snapshot {
	t.Helper()
	s, err := db.Snapshot(t.Context(), sessions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// copied is what a COPY in a session of the snapshot gives, as text.
func copied(t *testing.T, s *postgres.Snapshot, query string) string {
	t.Helper()
	var out bytes.Buffer
	if err := s.CopyTo(t.Context(), "COPY ("+query+") TO STDOUT", &out); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return strings.TrimSpace(out.String())
}

// All sessions see the moment at which the snapshot was taken, those that take the place of lost ones too.
func TestSnapshotSeesOneMoment(t *testing.T) {
	forTargets(t, func(t *testing.T, server *testdb.Server) {
		u := server.Database(t)
		writer := open(t, u)
		run(t, writer, "CREATE TABLE public.t (n int)", "INSERT INTO public.t SELECT generate_series(1, 10)")
		role := server.Role(t, "looker", u)
		run(t, writer, "GRANT USAGE ON SCHEMA public TO looker", "GRANT SELECT ON public.t TO looker")
		s := snapshot(t, openReadOnly(t, role), 3)
		if !strings.Contains(s.Position, "/") || s.Seen == "" {
			t.Errorf("position %q, seen %q", s.Position, s.Seen)
		}
		run(t, writer, "INSERT INTO public.t SELECT generate_series(1, 5)")
		sum := "SELECT count(*), pg_backend_pid() FROM public.t"
		pids := map[string]bool{}
		for range 6 {
			count, pid, _ := strings.Cut(copied(t, s, sum), "\t")
			if pids[pid] = true; count != "10" {
				t.Errorf("%s rows are seen", count)
			}
		}
		if len(pids) != 3 {
			t.Errorf("%d sessions were used", len(pids))
		}
		// What fails must not cost the moment, nor must a session that is gone.
		var e *pgconn.PgError
		if err := s.CopyTo(t.Context(), "COPY (SELECT 1 / 0) TO STDOUT", &bytes.Buffer{}); !errors.As(err, &e) {
			t.Errorf("no error of the server: %v", err)
		}
		for pid := range pids {
			n, err := strconv.Atoi(pid)
			if err != nil {
				t.Fatal(err)
			}
			scan[bool](t, writer, "SELECT pg_terminate_backend($1, 5000)", n)
		}
		for range 4 {
			if count, _, _ := strings.Cut(copied(t, s, sum), "\t"); count != "10" {
				t.Errorf("%s rows are seen by sessions that came later", count)
			}
		}
	})
}

// When all sessions are gone, as after a restart of the server, so is the moment; that is said in words.
func TestSnapshotIsLost(t *testing.T) {
	for _, target := range testdb.Targets() {
		server := testdb.Get(t, target)
		u := server.Database(t)
		writer := open(t, u)
		s := snapshot(t, openReadOnly(t, u), 1)
		if got := copied(t, s, "SELECT 7"); got != "7" {
			t.Fatalf("read is %q", got)
		}
		run(t, writer, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		err := s.CopyTo(t.Context(), "COPY (SELECT 7) TO STDOUT", &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), "is lost, as when the server was restarted: start again") {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// A role that may not read a table, or from which rows are hidden, gets an error and never fewer rows.
func TestSnapshotRights(t *testing.T) {
	server := testdb.Get(t, testdb.Targets()[0])
	u := server.Database(t)
	writer := open(t, u)
	role := server.Role(t, "looker", u)
	run(t, writer, "CREATE TABLE public.open (n int)", "CREATE TABLE public.closed (n int)", "CREATE TABLE public.partly (a int, b int)",
		"CREATE TABLE public.rows (n int)", "ALTER TABLE public.rows ENABLE ROW LEVEL SECURITY", "INSERT INTO public.rows VALUES (1)",
		"GRANT USAGE ON SCHEMA public TO looker", "GRANT SELECT ON public.open, public.rows TO looker", "GRANT SELECT (a) ON public.partly TO looker")
	s := snapshot(t, openReadOnly(t, role), 1)
	denied, err := s.Denied(t.Context(), "public", []string{"rows", "open", "partly", "closed"})
	if err != nil || !slices.Equal(denied, []string{"partly", "closed"}) {
		t.Errorf("denied are %q: %v", denied, err)
	}
	var e *pgconn.PgError
	if err := s.CopyTo(t.Context(), "COPY (SELECT * FROM public.rows) TO STDOUT", &bytes.Buffer{}); !errors.As(err, &e) || e.Code != "42501" {
		t.Errorf("rows that are hidden: %v", err)
	}
}

// Ranges cover a table, hold about as many rows each, and follow how the values lie.
func TestKeyRanges(t *testing.T) {
	forTargets(t, func(t *testing.T, server *testdb.Server) {
		u := server.Database(t)
		writer := open(t, u)
		const rows = 20000
		fill := func(table, id string) string {
			return "INSERT INTO public." + table + " SELECT " + id + ", repeat('x', 100) FROM generate_series(1, 20000) i"
		}
		run(t, writer,
			"CREATE TABLE public.even (id bigint PRIMARY KEY, v text)", fill("even", "i * 10"), "ANALYZE public.even",
			"CREATE TABLE public.uneven (id bigint PRIMARY KEY, v text)", fill("uneven", "CASE WHEN i < 15000 THEN i ELSE i::bigint * 1000000000 END"), "ANALYZE public.uneven",
			"CREATE TABLE public.never (id bigint PRIMARY KEY, v text) WITH (autovacuum_enabled = off)", fill("never", "i - 10000"),
			"CREATE TABLE public.parted (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id)",
			"CREATE TABLE public.parted1 PARTITION OF public.parted FOR VALUES FROM (0) TO (7000)",
			"CREATE TABLE public.parted2 PARTITION OF public.parted DEFAULT", fill("parted", "i"), "ANALYZE public.parted",
			"CREATE TABLE public.nothing (id bigint PRIMARY KEY, v text)",
			"CREATE TABLE public.parent (id bigint PRIMARY KEY, v text)", fill("parent", "i"), "CREATE TABLE public.child () INHERITS (public.parent)",
		)
		db := openReadOnly(t, u)
		s := snapshot(t, db, 2)
		for table, want := range map[string]int{"even": 12, "uneven": 12, "never": 12, "parted": 12, "nothing": 1, "parent": 1, "child": 1} {
			ranges, err := s.KeyRanges(t.Context(), "public", table, "id", 250<<10)
			if err != nil {
				t.Fatal(err)
			}
			if len(ranges) != 1 && want == 1 || want > 1 && len(ranges) < want {
				t.Errorf("%s: %d ranges", table, len(ranges))
			}
			all, most := 0, 0
			for i, r := range ranges {
				where := "true"
				if r.Lower != "" {
					where += " AND id >= " + r.Lower
				}
				if r.Upper != "" {
					where += " AND id < " + r.Upper
				}
				if i > 0 && ranges[i-1].Upper != r.Lower {
					t.Errorf("%s: %+v follows %+v", table, r, ranges[i-1])
				}
				n, err := strconv.Atoi(copied(t, s, "SELECT count(*) FROM public."+table+" WHERE "+where))
				if err != nil {
					t.Fatal(err)
				}
				all, most = all+n, max(most, n)
			}
			if holds := copied(t, s, "SELECT count(*) FROM public."+table); fmt.Sprint(all) != holds {
				t.Errorf("%s: the ranges hold %d rows of %s", table, all, holds)
			}
			if want > 1 && most > 2*rows/len(ranges) {
				t.Errorf("%s: a range holds %d rows", table, most)
			}
		}
		parents, err := db.Parents(t.Context(), "public")
		if err != nil || len(parents) != 3 || parents["parted1"] != "parted" || parents["child"] != "parent" {
			t.Errorf("parents are %v: %v", parents, err)
		}
	})
}
