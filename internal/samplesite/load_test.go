//go:build integration

package samplesite

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/testdata/site"
	"github.com/moodledb/moodledb/xmldb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// The file loads by the servers' own clients and through a driver, and gives the same tables.
func TestLoads(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			byClient, byDriver := server.Database(t), server.Database(t)
			server.Load(t, byClient, sqlFile)
			server.Exec(t, byDriver, slices.Collect(site.Statements())...)
			want := checksums(t, server, byClient)
			if diff := cmp.Diff(want, checksums(t, server, byDriver)); diff != "" {
				t.Errorf("the two ways of loading differ (-client +driver):\n%s", diff)
			}
			checkDeclared(t, server, byClient, want)
		})
	}
}

// checksums returns the server's checksum of each base table.
func checksums(t *testing.T, server *testdb.Server, url string) map[string]int64 {
	t.Helper()
	db := server.SQL(t, url)
	rows, err := db.QueryContext(t.Context(), `
SELECT table_name AS name
FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	sums := map[string]int64{}
	for _, name := range names {
		var full string
		var sum int64
		if err := db.QueryRowContext(t.Context(), "CHECKSUM TABLE "+quoteIdent(name)).Scan(&full, &sum); err != nil {
			t.Fatalf("checksum of %s: %v", name, err)
		}
		sums[name] = sum
	}
	return sums
}

// checkDeclared looks for every declared field in the loaded database.
func checkDeclared(t *testing.T, server *testdb.Server, url string, tables map[string]int64) {
	t.Helper()
	declared, err := xmldb.Load(codeDir, xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	db := server.SQL(t, url)
	for _, table := range declared.Tables() {
		name := Prefix + table.Name
		if _, ok := tables[name]; !ok {
			t.Errorf("table %s is missing", name)
			continue
		}
		fields := make([]string, len(table.Fields))
		for i, f := range table.Fields {
			fields[i] = f.Name
		}
		query := fmt.Sprintf("SELECT %s FROM %s LIMIT 0", columnList(fields)[1:len(columnList(fields))-1], quoteIdent(name))
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Errorf("table %s: %v", name, err)
		}
	}
}
