//go:build integration

package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// TestReadDump reads what the server's own pg_dump writes of a database, and
// finds what Inspect finds.
func TestReadDump(t *testing.T) {
	tests := map[string]struct {
		file   func(t *testing.T) string
		schema string
	}{
		"every kind of object":     {func(*testing.T) string { return "testdata/everything.sql" }, `The "site"`},
		"objects of other schemas": {func(*testing.T) string { return "testdata/elsewhere.sql" }, "public"},
		"objects that need care":   {func(*testing.T) string { return "testdata/dump-objects.sql" }, "public"},
		"real site":                {func(t *testing.T) string { return siteFile(t, "native-postgres.sql.gz") }, "public"},
	}
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				file := tt.file(t)
				u := s.Database(t)
				s.Role(t, "moodle", u)
				s.Load(t, u, file)
				live := inspect(t, open(t, u), tt.schema)
				for _, args := range [][]string{{"--schema-only"}, {}, {"--inserts", "--clean", "--if-exists", "--create"}} {
					t.Run(strings.Join(args, " "), func(t *testing.T) {
						sameAsInspected(t, live, s.Dump(t, u, args...), len(args) > 0 && args[0] == "--schema-only")
					})
				}
			})
		}
	})
}

// sameAsInspected compares a dump with the live schema that it is of.
func sameAsInspected(t *testing.T, live schema.Schema, dump string, schemaOnly bool) {
	t.Helper()
	began := time.Now()
	d, err := postgres.ReadDump(strings.NewReader(dump), "dump.sql", live.Name)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("read %d bytes in %v", len(dump), time.Since(began).Round(time.Millisecond))
	for _, u := range d.Unread {
		t.Errorf("unread: %+v", u)
	}
	if len(live.Tables) == 0 {
		t.Error("the schema has no tables")
	}
	opts := cmp.Options{
		cmpopts.IgnoreFields(schema.Schema{}, "Elsewhere"),
		cmpopts.IgnoreFields(schema.Table{}, "Rows", "Bytes"),
		cmpopts.IgnoreFields(schema.Column{}, "Highest", "HighestKnown"),
		cmpopts.EquateEmpty(),
	}
	for i := range live.Tables {
		for j := range live.Tables[i].Indexes {
			x := &live.Tables[i].Indexes[j]
			if x.Exclusion {
				x.Definition = "" // pg_dump prints the constraint, never its index
			}
			for k := range x.Parts {
				if x.Method == "hash" && x.Parts[k].Expression != "" {
					x.Parts[k].OpClass = "" // the server prints none, as it is the default
				}
			}
		}
	}
	if schemaOnly {
		opts = append(opts, cmpopts.IgnoreFields(schema.Sequence{}, "Last", "Called"))
	}
	if diff := cmp.Diff(live, d.Schema, opts); diff != "" {
		t.Errorf("the dump differs (-live +dump):\n%.8000s", diff)
	}
}
