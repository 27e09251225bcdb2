//go:build integration

package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
)

func TestSchemaState(t *testing.T) {
	const name = `A "schema"`
	q := postgres.QuoteIdent(name)
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		db := open(t, u)
		s.Role(t, "site owner", u)
		state := func() postgres.SchemaState {
			t.Helper()
			got, err := db.SchemaState(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := state(); got.Exists || !got.Empty() {
			t.Errorf("a missing schema: %+v", got)
		}
		s.Exec(t, u, "CREATE SCHEMA "+q, "CREATE EXTENSION pg_trgm SCHEMA "+q)
		if got := state(); !got.Exists || !got.Empty() {
			t.Errorf("a schema with an extension: %+v", got)
		}
		s.Exec(t, u, "SET search_path = "+q,
			"CREATE TABLE "+q+".t (id serial PRIMARY KEY); CREATE VIEW "+q+".v AS SELECT 1; CREATE MATERIALIZED VIEW "+q+".m AS SELECT 1;"+
				"CREATE FUNCTION "+q+".f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE "+q+".e AS ENUM (); CREATE TYPE "+q+".c AS (a int);"+
				"CREATE COLLATION "+q+".l FROM \"C\"; COMMENT ON SCHEMA "+q+" IS 'it''s'; GRANT USAGE ON SCHEMA "+q+" TO PUBLIC; "+
				"GRANT CREATE ON SCHEMA "+q+" TO \"site owner\" WITH GRANT OPTION;"+
				"ALTER DEFAULT PRIVILEGES IN SCHEMA "+q+" GRANT SELECT ON TABLES TO \"site owner\"")
		want := postgres.SchemaState{
			Name: name, Exists: true, Owner: s.User, Comment: "it's", Owned: true, CanUse: true, HasGrants: true,
			Grants: []postgres.Grant{
				{Grantee: s.User, Privilege: "USAGE"},
				{Grantee: s.User, Privilege: "CREATE"},
				{Privilege: "USAGE"},
				{Grantee: "site owner", Privilege: "CREATE", Grantable: true},
			},
			DefaultGrants: []postgres.DefaultGrant{{Role: s.User, Objects: "TABLES", Grantee: "site owner", Privilege: "SELECT"}},
			Tables:        1, Views: 2, Sequences: 1, Functions: 1, Types: 2, Others: 1,
			Extensions: []postgres.Extension{{Name: "pg_trgm", Relocatable: true, Owned: true}},
		}
		if diff := cmp.Diff(want, state()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestStagingIsHeld(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		db, other := open(t, u), open(t, u)
		started := time.Date(2030, 1, 2, 3, 4, 5, 678, time.FixedZone("x", 3600))
		const name = `it's "staged"`
		if _, err := db.HoldSchema(t.Context(), name); !errors.Is(err, postgres.ErrNoSchema) {
			t.Errorf("a missing schema: %v", err)
		}
		if err := db.CreateStaging(t.Context(), name, "public", postgres.Staging{Started: started, Source: `mysql://u@h/"x'`}); err != nil {
			t.Fatal(err)
		}
		hold, err := db.HoldSchema(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.HoldSchema(t.Context(), name); !errors.Is(err, postgres.ErrHeld) {
			t.Errorf("held twice: %v", err)
		}
		state, err := other.SchemaState(t.Context(), name)
		if err != nil || !state.Held {
			t.Errorf("held = %t, %v", state.Held, err)
		}
		want := &postgres.Staging{Started: time.Date(2030, 1, 2, 2, 4, 5, 0, time.UTC), Source: `mysql://u@h/"x'`}
		if diff := cmp.Diff(want, state.Staging); diff != "" {
			t.Errorf("marker (-want +got):\n%s", diff)
		}
		hold.Release(t.Context())
		if state, err = other.SchemaState(t.Context(), name); err != nil || state.Held {
			t.Errorf("after release: held = %t, %v", state.Held, err)
		}
		if err := db.CreateStaging(t.Context(), name, "public", postgres.Staging{}); err == nil || !strings.Contains(err.Error(), "already exists") {
			t.Errorf("made twice: %v", err)
		}
	})
}

func TestFilled(t *testing.T) {
	s := testdb.Get(t, testdb.Targets()[0])
	db := open(t, s.Database(t))
	run(t, db, `CREATE TABLE public."it's ""x" (n int); CREATE TABLE public.empty (n int); CREATE TABLE public.none (); INSERT INTO public."it's ""x" VALUES (1)`)
	var tables []string
	for range 150 { // more than one batch
		tables = append(tables, "empty", `it's "x`, "none")
	}
	got, err := db.Filled(t.Context(), "public", tables)
	if err != nil || len(got) != 150 || got[0] != `it's "x` {
		t.Errorf("%d tables hold rows, %v", len(got), err)
	}
	if got, err := db.Filled(t.Context(), "public", nil); err != nil || got != nil {
		t.Errorf("of no tables: %v, %v", got, err)
	}
}

// The next id is above every id and not below what the source would give out.
func TestRestartSequence(t *testing.T) {
	s := testdb.Get(t, testdb.Targets()[0])
	db := open(t, s.Database(t))
	run(t, db, `CREATE TABLE public."T" ("ID" bigserial, small smallserial)`)
	c := acquire(t, db)
	for _, tt := range []struct {
		name    string
		id      string
		atLeast uint64
		next    string // what nextval says, or its error
	}{
		{"an empty table", "", 0, "1"},
		{"an empty table with a counter", "", 42, "42"},
		{"ids above the counter", "99", 42, "100"},
		{"ids below the counter", "99", 5000, "5000"},
		{"negative ids", "-5", 0, "1"},
		{"the last id of all", "9223372036854775807", 0, "reached maximum value"},
		{"a counter at its end", "", 9223372036854775807, "9223372036854775807"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			insert := `TRUNCATE public."T"`
			if tt.id != "" {
				insert += `; INSERT INTO public."T" VALUES (` + tt.id + `, 1)`
			}
			if err := c.Exec(t.Context(), insert); err != nil {
				t.Fatal(err)
			}
			if _, err := c.RestartSequence(t.Context(), "public", "T", "ID", "T_ID_seq", tt.atLeast); err != nil {
				t.Fatal(err)
			}
			var got string
			err := c.PGX().QueryRow(t.Context(), `SELECT nextval('public."T_ID_seq"')::text`).Scan(&got)
			if got != tt.next && (err == nil || !strings.Contains(err.Error(), tt.next)) {
				t.Errorf("next value %s, %v; want %s", got, err, tt.next)
			}
		})
	}
	if _, err := c.RestartSequence(t.Context(), "public", "T", "ID", "T_ID_seq", 1<<63); err == nil {
		t.Error("a counter that no sequence can reach was taken")
	}
}
