//go:build integration

package verifying

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
)

// noted is a migrated site with a table of notes, and the command line that compares it.
type noted struct {
	*rig.Pair
	bin  string
	args []string
}

func newNoted(t *testing.T) *noted {
	t.Helper()
	n := &noted{bin: rig.Binary(t), Pair: rig.Tiny(
		t, rig.FirstSource(), rig.FirstTarget(),
		"CREATE TABLE mdl_note (id bigint NOT NULL AUTO_INCREMENT, title varchar(100) NOT NULL DEFAULT '', body longtext, PRIMARY KEY (id))",
		"INSERT INTO mdl_note (title, body) VALUES ('one', NULL), ('two', 'hidden from many'), ('three', '')",
	)}
	n.Migrate(t, migrate.Options{Site: rig.TinyCode(t, rig.Table("note", rig.Field("title", "char", `LENGTH="100" NOTNULL="true"`), rig.Field("body", "text", "")))})
	n.args = []string{"--from", n.SourceURL, "--to", n.TargetURL}
	return n
}

// verify runs the command with further arguments, and looks at the exit code and what it says.
func (n *noted) verify(t *testing.T, exit int, says string, args ...string) rig.Outcome {
	t.Helper()
	o := rig.RunBinary(t, n.bin, append([]string{"verify"}, args...)...)
	if o.Code != exit || !strings.Contains(o.Stdout+o.Stderr, says) {
		t.Errorf("%q exits with %d, want %d and %q\n%s%s", args, o.Code, exit, says, o.Stdout, o.Stderr)
	}
	o.Secrets(t, n.Pair)
	return o
}

// with are the arguments of a comparison and further ones.
func (n *noted) with(args ...string) []string { return append(append([]string{}, n.args...), args...) }

// TestVerifyCommand runs verify as a user does, and looks at exit codes: 0, 1
// and 2 are never mixed up. No output may show a password.
func TestVerifyCommand(t *testing.T) {
	n := newNoted(t)
	n.verify(t, 0, "Same: ", n.args...)
	n.verify(t, 0, "Same: ", "--from", n.TargetURL, "--to", n.TargetURL)
	n.verify(t, 0, "Same: ", "--from", n.SourceURL, "--to", n.SourceURL)
	if o := n.verify(t, 0, "", n.with("--progress", "json")...); !strings.Contains(o.Stderr, `"event":"table_compared"`) {
		t.Errorf("--progress json says\n%s", o.Stderr)
	}
	for _, wrong := range [][]string{
		{"--from", n.SourceURL, "--to", strings.Replace(n.TargetURL, n.TargetServer.Password, "wrong", 1)},
		{"--from", strings.Replace(n.SourceURL, n.SourceServer.Password, "wrong", 1), "--to", n.TargetURL},
		{"--from", rig.Unreachable(t, n.SourceURL), "--to", n.TargetURL},
		{"--from", n.SourceURL, "--to", n.TargetServer.Database(t)}, // no Moodle
		n.with("--prefix", "other_"),
		n.with("--tables", "no_such_table"),
	} {
		if o := n.verify(t, 2, "", wrong...); o.Stdout != "" && !strings.Contains(o.Stdout, "Could not tell") {
			t.Errorf("%q writes\n%s", wrong, o.Stdout)
		}
	}

	n.TargetServer.Exec(t, n.TargetURL, "UPDATE mdl_note SET body = 'secret' WHERE id = 2")
	for _, format := range []string{"text", "json", "html"} {
		open := n.verify(t, 1, "", n.with("--format", format)...)
		for _, shown := range []string{"note", "body", "secret", "hidden from many"} {
			if !strings.Contains(open.Stdout, shown) {
				t.Errorf("%s does not show %q:\n%s", format, shown, open.Stdout)
			}
		}
		if o := n.verify(t, 1, "body", n.with("--format", format, "--mask")...); strings.Contains(o.Stdout, "secret") || strings.Contains(o.Stdout, "hidden from many") {
			t.Errorf("--mask shows a value in %s:\n%s", format, o.Stdout)
		}
	}
	var document struct{ Schema, State string }
	file := filepath.Join(t.TempDir(), "differences.json")
	n.verify(t, 1, "Different: 1 of 3 tables differs (1 row changed)", n.with("--output", "json="+file, "--sample", "50%")...)
	if text, err := os.ReadFile(file); err != nil || json.Unmarshal(text, &document) != nil || document.Schema != "moodledb.verify/1" || document.State != "different" {
		t.Errorf("json: %v, %+v", err, document)
	}
	n.verify(t, 0, "Same: ", n.with("--tables", "config*,note", "--exclude", "note")...)
}

// TestVerifyWithoutRights: a table that cannot be read is neither the same nor different.
func TestVerifyWithoutRights(t *testing.T) {
	n := newNoted(t)
	reader := n.TargetServer.Role(t, "verify_reader", n.TargetURL)
	n.TargetServer.Exec(t, n.TargetURL, "GRANT USAGE ON SCHEMA public TO verify_reader", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO verify_reader",
		"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO verify_reader")
	n.verify(t, 0, "Same: ", "--from", n.SourceURL, "--to", reader)
	n.TargetServer.Exec(t, n.TargetURL, "REVOKE SELECT ON mdl_note FROM verify_reader")
	n.verify(t, 2, "GRANT SELECT ON", "--from", n.SourceURL, "--to", reader)
	n.TargetServer.Exec(t, n.TargetURL, "DELETE FROM mdl_config")
	n.verify(t, 1, "could not be compared", "--from", n.SourceURL, "--to", reader)
}

// TestCertificate: what is certified is recognised later, on each side alone,
// and neither a changed row nor a changed certificate passes.
func TestCertificate(t *testing.T) {
	n := newNoted(t)
	file := filepath.Join(t.TempDir(), "site.json")
	check := func(exit int, says string, args ...string) rig.Outcome {
		t.Helper()
		return n.verify(t, exit, says, append([]string{"--check-certificate", file}, args...)...)
	}
	n.verify(t, 0, "certificate: "+file, n.with("--certificate", file)...)
	if text, err := os.ReadFile(file + ".html"); err != nil || !bytes.Contains(text, []byte("Certificate of comparison")) {
		t.Errorf("the page: %v", err)
	}
	check(0, "No database was read")
	check(0, "The found side, read again", "--to", n.TargetURL)
	check(0, "The expected side, read again", "--from", n.SourceURL)
	check(0, `"state": "same"`, append([]string{"--format", "json"}, n.args...)...)
	n.verify(t, 2, "pass --yes", n.with("--certificate", file)...)
	n.verify(t, 0, "", n.with("--certificate", file, "--yes")...)
	check(2, "", "--to", rig.Unreachable(t, n.TargetURL))

	n.TargetServer.Exec(t, n.TargetURL, "UPDATE mdl_note SET body = 'hidden From many' WHERE id = 2")
	check(1, "note", "--to", n.TargetURL)
	check(1, "2 of 3 as certified", n.args...)
	check(0, "", "--from", n.SourceURL)
	n.TargetServer.Exec(t, n.TargetURL, "UPDATE mdl_note SET body = 'hidden from many' WHERE id = 2")
	check(0, "", "--to", n.TargetURL)
	n.TargetServer.Exec(t, n.TargetURL, "ALTER TABLE mdl_note RENAME COLUMN body TO text")
	check(1, "note", "--to", n.TargetURL)
	n.TargetServer.Exec(t, n.TargetURL, "ALTER TABLE mdl_note RENAME COLUMN text TO body")

	n.certifiesDifferences(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte(`"rows": 3`), []byte(`"rows": 4`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	check(1, "the certificate is not as it was written", n.args...)
}

// certifiesDifferences: a certificate of what differs says so, and shows no values.
func (n *noted) certifiesDifferences(t *testing.T) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "different.json")
	n.TargetServer.Exec(t, n.TargetURL, "UPDATE mdl_note SET body = 'secret' WHERE id = 2")
	n.verify(t, 1, "secret", n.with("--certificate", file)...)
	n.verify(t, 0, "Different: 1 of 3 tables differs", "--check-certificate", file, "--to", n.TargetURL)
	for _, name := range []string{file, file + ".html"} {
		text, err := os.ReadFile(name)
		if err != nil || bytes.Contains(text, []byte("secret")) || !bytes.Contains(text, []byte("body")) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// TestVerifyRepair: exactly what differs is copied again, and nothing without an answer.
func TestVerifyRepair(t *testing.T) {
	n := newNoted(t)
	n.TargetServer.Exec(t, n.TargetURL, "UPDATE mdl_note SET body = 'spoilt' WHERE id = 1", "DELETE FROM mdl_note WHERE id = 2",
		"INSERT INTO mdl_note (id, title) VALUES (9, 'extra')")
	n.verify(t, 2, "pass --yes", n.with("--repair")...)
	n.verify(t, 1, "1 row missing, 1 row extra, 1 row changed", n.args...)
	file := filepath.Join(t.TempDir(), "repaired.json")
	o := n.verify(t, 0, "Repaired before this comparison", n.with("--repair", "--yes", "--certificate", file, "--output", "json="+file+".report")...)
	if !strings.Contains(o.Stdout, "Same: ") {
		t.Errorf("says\n%s", o.Stdout)
	}
	for _, name := range []string{file, file + ".report"} {
		var document struct {
			Repaired []struct {
				Table    string
				Inserted int64 `json:"inserted_rows"`
				Deleted  int64 `json:"deleted_rows"`
				Updated  int64 `json:"updated_rows"`
				Problem  string
			}
		}
		text, err := os.ReadFile(name)
		if err != nil || json.Unmarshal(text, &document) != nil || len(document.Repaired) != 1 {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if r := document.Repaired[0]; r.Table != "mdl_note" || r.Inserted != 1 || r.Deleted != 1 || r.Updated != 1 || r.Problem != "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if o := n.verify(t, 0, "Same: ", n.with("--repair", "--yes")...); strings.Contains(o.Stdout, "Repaired") {
		t.Errorf("repairs what is the same:\n%s", o.Stdout)
	}
}

// TestVerifyRepairRights: a role that lacks a right is told which, that on the database before anything is
// compared; with the rights that are named it repairs.
func TestVerifyRepairRights(t *testing.T) {
	n := newNoted(t)
	mender := n.TargetServer.Role(t, "verify_mender", n.TargetURL)
	database := "\"" + rig.Parse(t, n.TargetURL).Database + "\""
	n.TargetServer.Exec(t, n.TargetURL, "REVOKE TEMPORARY ON DATABASE "+database+" FROM PUBLIC", "GRANT USAGE ON SCHEMA public TO verify_mender",
		"GRANT SELECT ON ALL TABLES IN SCHEMA public TO verify_mender", "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO verify_mender",
		"UPDATE mdl_note SET body = 'spoilt' WHERE id = 1", "DELETE FROM mdl_note WHERE id = 3", "SELECT setval(pg_get_serial_sequence('mdl_note', 'id'), 1)")
	args := []string{"--from", n.SourceURL, "--to", mender, "--repair", "--yes"}
	for _, missing := range []string{
		"GRANT TEMPORARY ON DATABASE " + database + ` TO "verify_mender"`,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."mdl_note" TO "verify_mender"`,
		`GRANT SELECT, UPDATE ON SEQUENCE "public"."mdl_note_id_seq" TO "verify_mender"`,
	} {
		exit := 1
		if strings.Contains(missing, "TEMPORARY") {
			exit = 2
		}
		if o := n.verify(t, exit, missing, args...); exit == 2 && o.Stdout != "" {
			t.Errorf("something was compared:\n%s", o.Stdout)
		}
		n.TargetServer.Exec(t, n.TargetURL, missing)
	}
	n.verify(t, 0, "Repaired before this comparison", args...)
}

// TestMaskHidesWhatErrorsQuote: the server's words about a value stand in a report, but not with
// --mask, and never in a certificate.
func TestMaskHidesWhatErrorsQuote(t *testing.T) {
	n := newNoted(t)
	n.TargetServer.Exec(t, n.TargetURL, "UPDATE mdl_note SET body = 'spoilt' WHERE id = 2", "UPDATE mdl_config SET value = '1' WHERE name = 'version'",
		"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'I do not like %', NEW.body; END$$",
		"CREATE TRIGGER refuse BEFORE UPDATE ON mdl_note FOR EACH ROW EXECUTE FUNCTION refuse()",
		"INSERT INTO mdl_config (id, name, value) VALUES (-1, 'mine', '2024100705')", "CREATE UNIQUE INDEX only_one ON mdl_config (value) WHERE id = -1 OR value LIKE '2024%'",
		"CREATE FUNCTION keeps() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$", "CREATE TRIGGER keeps BEFORE DELETE ON mdl_config FOR EACH ROW EXECUTE FUNCTION keeps()")
	file := filepath.Join(t.TempDir(), "repaired.json")
	for _, format := range []string{"text", "json", "html"} {
		args := n.with("--repair", "--yes", "--format", format, "--progress", "json", "--certificate", file)
		n.verify(t, 1, "I do not like hidden from many", args...)
		o := n.verify(t, 1, "(hidden)", append(args, "--mask")...)
		for _, value := range []string{"hidden from many", "I do not like", "spoilt", "2024100705"} {
			if strings.Contains(o.Stdout+o.Stderr, value) {
				t.Errorf("%s shows %q:\n%s%s", format, value, o.Stdout, o.Stderr)
			}
		}
	}
	for _, name := range []string{file, file + ".html"} {
		text, err := os.ReadFile(name)
		if err != nil || bytes.Contains(text, []byte("hidden from many")) || !bytes.Contains(text, []byte("(hidden)")) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}
