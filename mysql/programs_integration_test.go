//go:build integration

package mysql_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
)

func TestPrograms(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			url := server.Database(t)
			server.Exec(t, url, "CREATE TABLE t (a int)",
				"CREATE TRIGGER b_trigger BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
				"CREATE PROCEDURE p() SELECT 1", "CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1",
				"CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1")
			got, err := open(t, url).Programs(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := []mysql.Program{
				{Name: "e", Kind: "event"},
				{Name: "f", Kind: "function"},
				{Name: "p", Kind: "procedure"},
				{Name: "b_trigger", Kind: "trigger", Table: "t"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("programs (-want +got):\n%s", diff)
			}
		})
	}
}
