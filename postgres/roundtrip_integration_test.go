//go:build integration

package postgres_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// A native install, inspected and made again, must dump as the same text.
func TestNativeSiteIsMadeAgain(t *testing.T) {
	file := siteFile(t, "native-postgres.sql.gz")
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		native, again := s.Database(t), s.Database(t)
		s.Role(t, "moodle", native)
		s.Load(t, native, file)
		want := inspect(t, open(t, native), "public")
		if n := len(want.Tables); n != 512 {
			t.Errorf("the site has %d tables, want 512", n)
		}

		db := open(t, again)
		run(t, db, postgres.Statements("public", &want)...)
		if diff := cmp.Diff(comparable(want), comparable(inspect(t, db, "public"))); diff != "" {
			t.Errorf("inspected again (-native +made again):\n%.4000s", diff)
		}
		if diff := cmp.Diff(dump(t, s, native), dump(t, s, again)); diff != "" {
			t.Errorf("pg_dump (-native +made again):\n%.4000s", diff)
		}
	})
}

// noise are the lines of a dump that differ from run to run.
var noise = regexp.MustCompile(`(?m)^(\\(un)?restrict .*|-- .*)\n`)

// dump returns the dump of a schema as blocks.
func dump(t testing.TB, s *testdb.Server, databaseURL string) []string {
	t.Helper()
	return strings.Split(noise.ReplaceAllString(s.Dump(t, databaseURL, "--schema-only", "--no-owner"), ""), "\n\n")
}

func inspect(t testing.TB, db *postgres.DB, name string) schema.Schema {
	t.Helper()
	s, err := db.Inspect(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// comparable leaves out what depends on the database and not on the schema.
func comparable(s schema.Schema) schema.Schema {
	s.Version, s.Name = "", ""
	for i := range s.Tables {
		t := &s.Tables[i]
		t.Owner, t.Rows, t.Bytes = "", 0, 0
		for j := range t.Indexes {
			t.Indexes[j].Definition = ""
		}
	}
	for i := range s.Views {
		s.Views[i].Owner = ""
	}
	for i := range s.Sequences {
		s.Sequences[i].Owner = ""
	}
	return s
}

// Everything in the fixtures must come back equal, as a value and as a dump.
func TestFixturesAreMadeAgain(t *testing.T) {
	const theSite = `The "site"`
	tests := map[string]struct {
		file, schema string
		prepare      []string
	}{
		"every kind of object": {
			file: "testdata/everything.sql", schema: theSite,
			prepare: []string{"CREATE TYPE public.mood AS ENUM ('sad', 'ok')", "CREATE SCHEMA " + postgres.QuoteIdent(theSite)},
		},
		"objects of other schemas": {
			file: "testdata/elsewhere.sql", schema: "public",
			prepare: []string{
				`CREATE SCHEMA "o""ther"`, "CREATE EXTENSION pg_trgm SCHEMA public", `CREATE EXTENSION citext SCHEMA "o""ther"`,
				`CREATE COLLATION "o""ther"."my ""coll" FROM "C"`, `CREATE TABLE "o""ther"."ref ""t" (id bigint PRIMARY KEY)`,
			},
		},
	}
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				first, again := s.Database(t), s.Database(t)
				s.Load(t, first, tt.file)
				want := inspect(t, open(t, first), tt.schema)
				db := open(t, again)
				run(t, db, tt.prepare...)
				run(t, db, postgres.Statements(tt.schema, &want)...)
				for i := range want.Sequences {
					q := want.Sequences[i]
					if q.Called {
						run(t, db, postgres.SetSequence(tt.schema, q.Name, q.Last), "SELECT nextval("+postgres.QuoteLiteral(
							postgres.QuoteIdent(tt.schema)+"."+postgres.QuoteIdent(q.Name))+")")
					} else {
						run(t, db, postgres.SetSequence(tt.schema, q.Name, q.Last))
					}
				}
				if diff := cmp.Diff(comparable(want), comparable(inspect(t, db, tt.schema))); diff != "" {
					t.Errorf("inspected again (-first +made again):\n%.6000s", diff)
				}
				if diff := cmp.Diff(dump(t, s, first), dump(t, s, again)); diff != "" {
					t.Errorf("pg_dump (-first +made again):\n%.6000s", diff)
				}
			})
		}
	})
}
