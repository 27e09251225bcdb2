//go:build integration

package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/report"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// The script is for the servers' own clients, which have commands of their own
// and read comments in their own way. Only statements that are none are run.
func TestClientsRunTheScript(t *testing.T) {
	for _, name := range slices.Concat(testdb.Sources(), testdb.Targets()) {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			url := server.Database(t)
			quote := `"`
			if server.Engine.IsMySQL() {
				quote = "`"
			}
			// A legal name that holds what a client may obey.
			odd := quote + "odd\nname; -- ' \\! exit \\q /* :x" + quote
			server.Exec(t, url, "CREATE TABLE kept (id int)", "CREATE TABLE dropped (id int)", "CREATE TABLE "+odd+" (id int)")
			r := hostileResult()
			r.Found.Engine = server.Engine
			table := "kept\nDROP TABLE kept;\r\nDROP TABLE kept; \\! exit\n"
			r.Fixes = []diff.Fix{
				{Table: table, Codes: []diff.Code{diff.TableExtra}, Statements: []string{"DROP TABLE\n\tkept"}, Destructive: true, Note: table},
				{Table: table, Codes: []diff.Code{diff.TableExtra}, Statements: []string{"DROP TABLE\rkept", "DROP TABLE\x1b kept"}},
				{Table: table, Codes: []diff.Code{diff.TableExtra}, Statements: []string{"DROP TABLE kept"}, Stage: diff.StageManual},
				{Table: "dropped", Codes: []diff.Code{diff.TableExtra}, Statements: []string{"DROP TABLE dropped"}},
				{Table: odd, Codes: []diff.Code{diff.ColumnMissing}, Statements: []string{"ALTER TABLE " + odd + "\n\tADD COLUMN later int;"}},
			}
			var script bytes.Buffer
			if err := report.DiffSQL(&script, r, r.Fixes, server.Engine); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "fix.sql")
			if err := os.WriteFile(file, script.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			server.Load(t, url, file)
			server.Exec(t, url, "SELECT id FROM kept", "SELECT later FROM "+odd, "CREATE TABLE dropped (id int)")
		})
	}
}
