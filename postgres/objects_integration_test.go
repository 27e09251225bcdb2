//go:build integration

package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
)

// TestFlaws: each flaw is told, and gone when its remedy was run.
func TestFlaws(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		url := s.Database(t)
		db := open(t, url)
		s.Exec(t, url, `CREATE SCHEMA "odd ""one"""`, `SET search_path = "odd ""one"""; CREATE TABLE fine (id int PRIMARY KEY, CHECK (id > 0));
CREATE TABLE "It's" (id int CONSTRAINT "p k" PRIMARY KEY, n int NOT NULL, up int CONSTRAINT up REFERENCES fine);
CREATE INDEX "x y" ON "It's" (n);
ALTER TABLE "It's" ADD CONSTRAINT small CHECK (n < 10) NOT VALID;
CREATE TRIGGER "no op" BEFORE UPDATE ON "It's" FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER far BEFORE UPDATE ON "It's" FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE RULE r AS ON DELETE TO "It's" DO INSTEAD NOTHING;
ALTER TABLE "It's" DISABLE TRIGGER ALL; ALTER TABLE "It's" ENABLE REPLICA TRIGGER far; ALTER TABLE "It's" DISABLE RULE r;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"x y"'::regclass`)
		want := []string{
			"constraint-not-valid It's small NOT VALID", "index-invalid It's x y not valid",
			"trigger-disabled It's far only for replication", "trigger-disabled It's no op disabled",
			"trigger-disabled It's r disabled", "trigger-disabled It's up disabled",
		}
		if strings.HasPrefix(s.Version, "18") {
			s.Exec(t, url, `SET search_path = "odd ""one"""; ALTER TABLE "It's" ADD CONSTRAINT "n n" NOT NULL up NOT VALID; ALTER TABLE fine ADD CONSTRAINT idle CHECK (id < 5) NOT ENFORCED`)
			want = append(want, "not-null-not-valid It's n n NOT VALID")
		}
		flaws, err := db.Flaws(t.Context(), `odd "one"`)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range flaws {
			got = append(got, fmt.Sprintf("%s %s %s %s", f.Kind, f.Table, f.Name, f.Found))
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("flaws (-want +got):\n%s", diff)
		}
		for _, f := range flaws {
			s.Exec(t, url, f.Remedy)
		}
		if flaws, err = db.Flaws(t.Context(), `odd "one"`); err != nil || len(flaws) > 0 {
			t.Errorf("after all remedies: %+v, %v", flaws, err)
		}
	})
}

// TestCountNulls: rows are counted whatever the column is declared to be.
func TestCountNulls(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		url := s.Database(t)
		db := open(t, url)
		s.Exec(t, url, `CREATE TABLE "It's" (id int PRIMARY KEY, "a b" int, c text)`, `INSERT INTO "It's" VALUES (1, NULL, 'x'), (2, NULL, NULL), (3, 1, '')`)
		if strings.HasPrefix(s.Version, "18") {
			s.Exec(t, url, `ALTER TABLE "It's" ADD CONSTRAINT nn NOT NULL "a b" NOT VALID`)
		}
		got, err := db.CountNulls(t.Context(), "public", "It's", []string{"a b", "c", "id"})
		if diff := cmp.Diff([]int64{2, 1, 0}, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		if _, err := db.CountNulls(t.Context(), "public", "gone", []string{"c"}); err == nil || !strings.Contains(err.Error(), `"gone"`) {
			t.Errorf("a table that is not there: %v", err)
		}
	})
}

func TestSchemaRights(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		url := s.Database(t)
		db := open(t, url)
		s.Role(t, "rights_other", url)
		s.Exec(t, url, "CREATE SCHEMA theirs AUTHORIZATION rights_other")
		for _, tc := range []struct {
			schema, role string
			want         postgres.SchemaRights
		}{
			// public belongs to pg_database_owner.
			{"public", "rights_other", postgres.SchemaRights{Owner: db.Server().DatabaseOwner, OwnerSuper: true, Use: true}},
			{"public", db.Server().User, postgres.SchemaRights{Owner: db.Server().DatabaseOwner, OwnerSuper: true, Use: true, Create: true}},
			{"theirs", "rights_other", postgres.SchemaRights{Owner: "rights_other", Use: true, Create: true}},
		} {
			got, err := db.SchemaRights(t.Context(), tc.schema, tc.role)
			if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
				t.Errorf("%s in %s: %v\n%s", tc.role, tc.schema, err, diff)
			}
		}
		if _, err := db.SchemaRights(t.Context(), "nowhere", "rights_other"); err == nil {
			t.Error("a schema that is not there has an owner")
		}
	})
}
