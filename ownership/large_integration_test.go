//go:build integration

package ownership_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/ownership"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// bigSite is a schema with as many objects as a large site: 900 tables with
// TOAST, a sequence, a primary key and two more indexes each.
func bigSite() schema.Schema {
	var s schema.Schema
	for i := range 900 {
		name := fmt.Sprintf("mdl_table_%03d", i)
		s.Tables = append(s.Tables, schema.Table{
			Name: name,
			Columns: []schema.Column{
				{Name: "id", Type: schema.Type{Name: "bigint"}, NotNull: true, AutoIncrement: true},
				{Name: "a", Type: schema.Type{Name: "bigint"}},
				{Name: "b", Type: schema.Type{Name: "text"}},
			},
			Indexes: []schema.Index{
				{Name: name + "_pk", Primary: true, Parts: []schema.IndexPart{{Column: "id"}}},
				{Name: name + "_a_ix", Parts: []schema.IndexPart{{Column: "a"}}},
				{Name: name + "_ab_ix", Parts: []schema.IndexPart{{Column: "a"}, {Column: "id"}}},
			},
		})
	}
	return s
}

// A schema of this size does not fit into the lock table of a server with
// default settings in one transaction, so the operations on it must not try.
func TestLargeSchemaWithinTheLockTable(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		s.Role(t, "site owner", u)
		db := open(t, u)
		const name = "big"
		if err := db.CreateStaging(t.Context(), name, "public", postgres.Staging{}); err != nil {
			t.Fatal(err)
		}
		c, err := db.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Release()
		site := bigSite()
		for i := range site.Tables {
			if err := c.Exec(t.Context(), postgres.Batch(postgres.TableStatements(name, site.Tables[i]))); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		got, err := db.Inspect(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("inspected in %s", time.Since(start))
		if len(got.Tables) != 900 || len(got.Sequences) != 900 || len(got.Tables[899].Indexes) != 3 {
			t.Errorf("inspected %d tables, %d sequences", len(got.Tables), len(got.Sequences))
		}
		start = time.Now()
		if err := ownership.SetOwner(t.Context(), db, name, "site owner"); err != nil {
			t.Fatal(err)
		}
		t.Logf("given away in %s", time.Since(start))
		start = time.Now()
		done, err := ownership.Publish(t.Context(), db, ownership.Options{Staging: name, Owner: "site owner"})
		if err != nil || done.Objects != 1800 {
			t.Fatalf("%d objects, %v", done.Objects, err)
		}
		t.Logf("published in %s", time.Since(start))
		start = time.Now()
		for range 2 { // the second time there is nothing to drop
			if err := db.DropSchema(t.Context(), "public"); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("dropped in %s", time.Since(start))
		var left int
		err = s.SQL(t, u).QueryRow("SELECT count(*) FROM pg_class WHERE relname LIKE 'mdl%'").Scan(&left)
		if err != nil || left != 0 {
			t.Errorf("%d relations are left, %v", left, err)
		}
	})
}
