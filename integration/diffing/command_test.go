//go:build integration

package diffing

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/xmldb"
)

// TestDiffCommand runs diff as a user does, and looks at exit codes. No output
// may show a password, and nothing may be written.
func TestDiffCommand(t *testing.T) {
	bin := rig.Binary(t)
	code := driftCode(t, xmldb.Moodle, [][2]string{{subject, subject}})
	for _, flavour := range []string{rig.FirstSource(), rig.FirstTarget()} {
		t.Run(flavour, func(t *testing.T) {
			w := newWorkbench(t, flavour, code)
			w.reset(t)
			run := func(exit int, says string, args ...string) rig.Outcome {
				t.Helper()
				o := rig.RunBinary(t, bin, append([]string{"diff"}, args...)...)
				if o.Code != exit || !strings.Contains(o.Stdout+o.Stderr, says) {
					t.Errorf("%q exits with %d, want %d and %q\n%s%s", args, o.Code, exit, says, o.Stdout, o.Stderr)
				}
				if strings.Contains(o.Stdout+o.Stderr, w.server.Password) {
					t.Errorf("%q shows the password", args)
				}
				return o
			}
			declared := []string{"--code", code.Root, "--db", w.url}
			run(0, "", declared...)
			run(0, "", append(declared, "--fail-on", "info")...)
			run(2, "", "--code", code.Root, "--db", strings.Replace(w.url, w.server.Password, "wrong", 1))
			run(2, "", "--code", code.Root, "--db", strings.Replace(w.url, w.database, "no_such_database", 1))
			run(2, "", "--code", code.Root, "--db", rig.Unreachable(t, w.url))
			run(2, "", "--code", t.TempDir(), "--db", w.url)
			run(2, "", "--code", code.Root, "--db", w.server.Database(t)) // no Moodle
			run(2, "", "--code", code.Root, "--db", filepath.Join(t.TempDir(), "none.sql"))
			run(2, "", "--code", code.Root)

			w.reset(t, "ALTER TABLE mdl_subject ADD COLUMN spare bigint")
			before := schemaDump(t, w.server, w.url)
			run(1, "column-extra", declared...)
			run(0, "column-extra", append(declared, "--fail-on", "error")...)
			run(0, "column-extra", append(declared, "--fail-on", "none")...)
			run(2, "", append(declared, "--fail-on", "everything")...)
			for _, format := range report.DiffFormats() {
				run(1, "spare", append(declared, "--format", string(format))...)
			}
			var document struct{ Schema string }
			if err := json.Unmarshal([]byte(run(1, "", append(declared, "--format", "json")...).Stdout), &document); err != nil || !strings.HasPrefix(document.Schema, "moodledb.diff/") {
				t.Errorf("json: %v, schema %q", err, document.Schema)
			}
			run(0, "", "--from", w.url, "--to", w.url)
			dump := filepath.Join(t.TempDir(), "schema.sql")
			if err := os.WriteFile(dump, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
			run(1, "column-extra", "--code", code.Root, "--db", dump)
			run(0, "", "--from", w.url, "--to", dump)

			baseline := filepath.Join(t.TempDir(), "accepted.json")
			run(0, "", append(declared, "--baseline", baseline, "--update-baseline")...)
			run(0, "", append(declared, "--baseline", baseline)...)
			if d := cmp.Diff(rig.Statements(before), rig.Statements(schemaDump(t, w.server, w.url))); d != "" {
				t.Errorf("the database was changed:\n%s", d)
			}
			w.server.Exec(t, w.url, "ALTER TABLE mdl_subject ADD COLUMN another bigint")
			if o := run(1, "another", append(declared, "--baseline", baseline)...); strings.Contains(o.Stdout, " spare") {
				t.Errorf("what was accepted is reported:\n%s", o.Stdout)
			}
		})
	}
}

// as returns a URL for another user of the same database.
func (w *workbench) as(t *testing.T, user string) string {
	t.Helper()
	u, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, w.server.Password)
	return u.String()
}

// TestRights: it is enough that a user may read, and a user who may not see
// everything is told so.
func TestRights(t *testing.T) {
	code := driftCode(t, xmldb.Moodle, [][2]string{{subject, subject}})
	for _, flavour := range flavours() {
		t.Run(flavour, func(t *testing.T) {
			w := newWorkbench(t, flavour, code)
			w.reset(t)
			if !w.server.Engine.IsMySQL() {
				w.rightsPostgres(t)
				return
			}
			db := "`" + w.database + "`"
			grants := func(user, on string) {
				w.server.Exec(t, w.url, "DROP USER IF EXISTS "+user, "CREATE USER "+user+" IDENTIFIED BY '"+w.server.Password+"'", "GRANT SELECT ON "+on+" TO "+user)
			}
			grants("drift_reader", db+".*")
			nothing(t, "a reader of the database", declaredChanges(t, code, w.as(t, "drift_reader")))
			grants("drift_partial", db+".mdl_config")
			w.server.Exec(t, w.url, "GRANT SELECT ON "+db+".mdl_config_plugins TO drift_partial")
			changes := declaredChanges(t, code, w.as(t, "drift_partial"))
			found := 0
			for _, c := range changes {
				if c.Code == diff.SourceRightsIncomplete {
					found++
				}
			}
			if found != 1 {
				t.Errorf("a reader of single tables: %q", lines(changes))
			}
			w.server.Exec(t, w.url, "DROP USER drift_reader", "DROP USER drift_partial")
		})
	}
}

func (w *workbench) rightsPostgres(t *testing.T) {
	t.Helper()
	reader := w.server.Role(t, "drift_reader", w.url)
	database := `"` + w.database + `"`
	w.server.Exec(t, w.url, "GRANT CONNECT ON DATABASE "+database+" TO drift_reader", "GRANT USAGE ON SCHEMA public TO drift_reader",
		"GRANT SELECT ON ALL TABLES IN SCHEMA public TO drift_reader")
	told := func(what string) {
		t.Helper()
		result, err := drift.Declared(w.site, readSide(t, reader), drift.Options{})
		if err != nil {
			t.Fatal(err)
		}
		nothing(t, what, result.Changes)
		if len(result.Notices) != 1 || result.Notices[0].Code != "ids-unread" {
			t.Errorf("%s: notices %+v", what, result.Notices)
		}
	}
	told("a reader of the tables, not of their sequences")
	w.server.Exec(t, w.url, "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO drift_reader", "ALTER DATABASE "+database+" SET default_transaction_read_only = on")
	nothing(t, "a reader where nobody may write", declaredChanges(t, w.site, reader))
	w.server.Exec(t, w.url, "SET default_transaction_read_only = off", "ALTER DATABASE "+database+" RESET default_transaction_read_only", "REVOKE SELECT ON mdl_subject FROM drift_reader")
	told("a reader of all tables but one")
	nobody := w.server.Role(t, "drift_nobody", w.url)
	side, err := drift.ReadServer(t.Context(), rig.Parse(t, nobody), drift.ReadOptions{})
	if err != nil {
		t.Logf("who may read nothing is told: %v", err)
		return
	}
	result, err := drift.Declared(w.site, side, drift.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("who may read nothing is told: %q", lines(result.Changes))
}
