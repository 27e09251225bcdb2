//go:build integration

package diffing

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
)

// TestStatementsDoNotGrowWithTables: how many statements are sent does not
// depend on how many tables there are, but for some that are about hundreds at a time.
func TestStatementsDoNotGrowWithTables(t *testing.T) {
	t.Parallel()
	const few, many = 50, 500
	for _, flavour := range oneOfEachEngine() {
		t.Run(flavour, func(t *testing.T) {
			t.Parallel()
			var settings []string
			if strings.HasPrefix(flavour, "postgres") {
				settings = []string{"log_statement=all", "logging_collector=on", "log_directory=log", "log_filename=all.log"}
			}
			server := testdb.Private(t, flavour, settings...)
			var sent []int
			for _, n := range []int{few, many} {
				tables := make([]string, n)
				for i := range tables {
					tables[i] = rig.Table(fmt.Sprintf("part%03d", i), rig.Field("name", "char", `LENGTH="100" NOTNULL="true"`))
				}
				code := rig.TinyCode(t, tables...)
				url := server.Database(t)
				_, statements := installer(server.Engine, code)
				server.Exec(t, url, strings.Join(statements, ";\n"))
				before := statementsSent(t, server, url)
				side := readSide(t, url)
				sent = append(sent, statementsSent(t, server, url)-before)
				result, err := drift.Declared(code, side, drift.Options{})
				if err != nil {
					t.Fatal(err)
				}
				nothing(t, "declared", result.Changes)
			}
			t.Logf("%d statements for %d tables, %d for %d", sent[0], few, sent[1], many)
			if sent[0] < 5 || sent[0] > 60 || sent[1] > sent[0]+12 {
				t.Errorf("%d statements for %d tables, %d for %d", sent[0], few, sent[1], many)
			}
		})
	}
}

// oneOfEachEngine are the first flavours of each engine under test.
func oneOfEachEngine() []string {
	var out []string
	seen := map[string]bool{}
	for _, flavour := range flavours() {
		engine, _, _ := strings.Cut(flavour, "-")
		if !seen[engine] {
			seen[engine] = true
			out = append(out, flavour)
		}
	}
	return out
}

// statementsSent is how many statements a server has got so far.
func statementsSent(t *testing.T, s *testdb.Server, url string) int {
	t.Helper()
	db := s.SQL(t, url)
	if s.Engine.IsMySQL() {
		var name string
		var n int
		if err := db.QueryRow("SHOW GLOBAL STATUS LIKE 'Questions'").Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	var log string
	if err := db.QueryRow("SELECT pg_read_file('log/all.log')").Scan(&log); err != nil {
		t.Fatal(err)
	}
	return strings.Count(log, "LOG:  statement: ") + strings.Count(log, "LOG:  execute ")
}
