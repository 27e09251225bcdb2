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
		release, err := db.HoldSchema(t.Context(), name)
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
		release()
		if state, err = other.SchemaState(t.Context(), name); err != nil || state.Held {
			t.Errorf("after release: held = %t, %v", state.Held, err)
		}
		if err := db.CreateStaging(t.Context(), name, "public", postgres.Staging{}); err == nil || !strings.Contains(err.Error(), "already exists") {
			t.Errorf("made twice: %v", err)
		}
	})
}
