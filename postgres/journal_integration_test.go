//go:build integration

package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
)

// What is dropped comes back exactly, whatever happens in between.
func TestIndexesComeBack(t *testing.T) {
	const name = `The "site"`
	q := postgres.QuoteIdent(name)
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		s.Load(t, u, "testdata/everything.sql")
		s.Exec(t, u,
			"ALTER TABLE "+q+".indexed CLUSTER ON ix_plain",
			"ALTER TABLE "+q+".indexed REPLICA IDENTITY USING INDEX indexed_pk",
			"COMMENT ON CONSTRAINT indexed_uk ON "+q+".indexed IS 'it''s unique'",
			"COMMENT ON CONSTRAINT \"child fk\" ON "+q+".child IS 'it''s foreign'",
			"CREATE EXTENSION btree_gist",
			"CREATE TABLE "+q+".booked (room integer, during tsrange, CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&))",
			"CREATE SCHEMA elsewhere",
			"CREATE TABLE elsewhere.t (id bigint REFERENCES "+q+".parent (id) DEFERRABLE INITIALLY DEFERRED)",
		)
		db := open(t, u)
		before := dump(t, s, u)
		want := inspect(t, db, name)
		var tables []string
		for i := range want.Tables {
			tables = append(tables, want.Tables[i].Name)
		}
		if entries, err := db.Journal(t.Context(), name); err != nil || entries != nil {
			t.Errorf("without a journal: %v, %v", entries, err)
		}
		// Interrupted after the first tables, then all.
		for _, some := range [][]string{tables[:3], tables, tables} {
			if err := db.DropIndexes(t.Context(), name, some); err != nil {
				t.Fatal(err)
			}
		}
		bare := inspect(t, db, name)
		for i := range bare.Tables {
			if x := &bare.Tables[i]; len(x.Indexes)+len(x.ForeignKeys) > 0 {
				t.Errorf("table %q kept %v %v", x.Name, x.Indexes, x.ForeignKeys)
			}
		}
		entries, err := db.Journal(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.CloseJournal(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := acquire(t, db)
		for i, e := range entries {
			if err := c.Rebuild(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				if err := c.Rebuild(t.Context(), e); err == nil || !strings.Contains(err.Error(), "already exists") && !strings.Contains(err.Error(), "multiple primary keys") {
					t.Errorf("made twice: %v", err)
				}
			}
		}
		c.Release()
		if err := db.CloseJournal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, inspect(t, db, name)); diff != "" {
			t.Errorf("inspected (-before +after):\n%.4000s", diff)
		}
		if diff := cmp.Diff(before, dump(t, s, u)); diff != "" {
			t.Errorf("pg_dump (-before +after):\n%.4000s", diff)
		}
	})
}

// A role that may not make the journal loses no index.
func TestDropIndexesWithoutRights(t *testing.T) {
	s := testdb.Get(t, testdb.Targets()[0])
	u := s.Database(t)
	plain := s.Role(t, "plain", u)
	s.Exec(t, u, "CREATE TABLE public.t (id bigint PRIMARY KEY)", "ALTER TABLE public.t OWNER TO plain")
	db := open(t, plain)
	err := db.DropIndexes(t.Context(), "public", []string{"t"})
	if err == nil || !strings.Contains(err.Error(), "permission denied for database") || !strings.Contains(err.Error(), "GRANT CREATE ON DATABASE") {
		t.Errorf("error %v", err)
	}
	if n := len(inspect(t, db, "public").Tables[0].Indexes); n != 1 {
		t.Errorf("%d indexes are left", n)
	}
}

// A duplicate that came with the rows leaves the entry in the journal.
func TestRebuildFails(t *testing.T) {
	s := testdb.Get(t, testdb.Targets()[0])
	u := s.Database(t)
	db := open(t, u)
	run(t, db, "CREATE TABLE public.t (id bigint CONSTRAINT t_pk PRIMARY KEY)")
	if err := db.DropIndexes(t.Context(), "public", []string{"t"}); err != nil {
		t.Fatal(err)
	}
	run(t, db, "INSERT INTO public.t VALUES (1), (1)")
	entries, err := db.Journal(t.Context(), "public")
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	c := acquire(t, db)
	err = c.Rebuild(t.Context(), entries[0])
	if err == nil || !strings.Contains(err.Error(), "23505") || !strings.Contains(err.Error(), "remove the duplicates") {
		t.Errorf("error %v", err)
	}
	run(t, db, "DELETE FROM public.t WHERE ctid = '(0,1)'")
	if err := c.Rebuild(t.Context(), entries[0]); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(inspect(t, db, "public").Tables[0].Indexes[0].Name); got != "t_pk" {
		t.Errorf("the key is called %s", got)
	}
}
