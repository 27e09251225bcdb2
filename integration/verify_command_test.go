//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/migrate"
)

// noted is a migrated site with a table of notes, and the command line that compares it.
type noted struct {
	*pair
	bin  string
	args []string
}

func newNoted(t *testing.T) *noted {
	t.Helper()
	n := &noted{bin: binary(t), pair: tiny(
		t, firstSource(), firstTarget(),
		"CREATE TABLE mdl_note (id bigint NOT NULL AUTO_INCREMENT, title varchar(100) NOT NULL DEFAULT '', body longtext, PRIMARY KEY (id))",
		"INSERT INTO mdl_note (title, body) VALUES ('one', NULL), ('two', 'hidden from many'), ('three', '')",
	)}
	n.migrate(t, migrate.Options{Site: tinyCode(t, table("note", field("title", "char", `LENGTH="100" NOTNULL="true"`), field("body", "text", "")))})
	n.args = []string{"--from", n.sourceURL, "--to", n.targetURL}
	return n
}

// verify runs the command with further arguments, and looks at the exit code and what it says.
func (n *noted) verify(t *testing.T, exit int, says string, args ...string) outcome {
	t.Helper()
	o := runBinary(t, n.bin, append([]string{"verify"}, args...)...)
	if o.code != exit || !strings.Contains(o.stdout+o.stderr, says) {
		t.Errorf("%q exits with %d, want %d and %q\n%s%s", args, o.code, exit, says, o.stdout, o.stderr)
	}
	o.secrets(t, n.pair)
	return o
}

// with are the arguments of a comparison and further ones.
func (n *noted) with(args ...string) []string { return append(append([]string{}, n.args...), args...) }

// TestVerifyCommand runs verify as a user does, and looks at exit codes: 0, 1
// and 2 are never mixed up. No output may show a password.
func TestVerifyCommand(t *testing.T) {
	n := newNoted(t)
	n.verify(t, 0, "Same: ", n.args...)
	n.verify(t, 0, "Same: ", "--from", n.targetURL, "--to", n.targetURL)
	n.verify(t, 0, "Same: ", "--from", n.sourceURL, "--to", n.sourceURL)
	if o := n.verify(t, 0, "", n.with("--progress", "json")...); !strings.Contains(o.stderr, `"event":"table_compared"`) {
		t.Errorf("--progress json says\n%s", o.stderr)
	}
	for _, wrong := range [][]string{
		{"--from", n.sourceURL, "--to", strings.Replace(n.targetURL, n.targetServer.Password, "wrong", 1)},
		{"--from", strings.Replace(n.sourceURL, n.sourceServer.Password, "wrong", 1), "--to", n.targetURL},
		{"--from", unreachable(t, n.sourceURL), "--to", n.targetURL},
		{"--from", n.sourceURL, "--to", n.targetServer.Database(t)}, // no Moodle
		n.with("--prefix", "other_"),
		n.with("--tables", "no_such_table"),
	} {
		if o := n.verify(t, 2, "", wrong...); o.stdout != "" && !strings.Contains(o.stdout, "Could not tell") {
			t.Errorf("%q writes\n%s", wrong, o.stdout)
		}
	}

	n.targetServer.Exec(t, n.targetURL, "UPDATE mdl_note SET body = 'secret' WHERE id = 2")
	for _, format := range []string{"text", "json", "html"} {
		open := n.verify(t, 1, "", n.with("--format", format)...)
		for _, shown := range []string{"note", "body", "secret", "hidden from many"} {
			if !strings.Contains(open.stdout, shown) {
				t.Errorf("%s does not show %q:\n%s", format, shown, open.stdout)
			}
		}
		if o := n.verify(t, 1, "body", n.with("--format", format, "--mask")...); strings.Contains(o.stdout, "secret") || strings.Contains(o.stdout, "hidden from many") {
			t.Errorf("--mask shows a value in %s:\n%s", format, o.stdout)
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
	reader := n.targetServer.Role(t, "verify_reader", n.targetURL)
	n.targetServer.Exec(t, n.targetURL, "GRANT USAGE ON SCHEMA public TO verify_reader", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO verify_reader",
		"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO verify_reader")
	n.verify(t, 0, "Same: ", "--from", n.sourceURL, "--to", reader)
	n.targetServer.Exec(t, n.targetURL, "REVOKE SELECT ON mdl_note FROM verify_reader")
	n.verify(t, 2, "GRANT SELECT ON", "--from", n.sourceURL, "--to", reader)
	n.targetServer.Exec(t, n.targetURL, "DELETE FROM mdl_config")
	n.verify(t, 1, "could not be compared", "--from", n.sourceURL, "--to", reader)
}

// TestCertificate: what is certified is recognised later, on each side alone,
// and neither a changed row nor a changed certificate passes.
func TestCertificate(t *testing.T) {
	n := newNoted(t)
	file := filepath.Join(t.TempDir(), "site.json")
	check := func(exit int, says string, args ...string) outcome {
		t.Helper()
		return n.verify(t, exit, says, append([]string{"--check-certificate", file}, args...)...)
	}
	n.verify(t, 0, "certificate: "+file, n.with("--certificate", file)...)
	if text, err := os.ReadFile(file + ".html"); err != nil || !bytes.Contains(text, []byte("Certificate of comparison")) {
		t.Errorf("the page: %v", err)
	}
	check(0, "No database was read")
	check(0, "The found side, read again", "--to", n.targetURL)
	check(0, "The expected side, read again", "--from", n.sourceURL)
	check(0, `"state": "same"`, append([]string{"--format", "json"}, n.args...)...)
	n.verify(t, 2, "pass --yes", n.with("--certificate", file)...)
	n.verify(t, 0, "", n.with("--certificate", file, "--yes")...)
	check(2, "", "--to", unreachable(t, n.targetURL))

	n.targetServer.Exec(t, n.targetURL, "UPDATE mdl_note SET body = 'hidden From many' WHERE id = 2")
	check(1, "note", "--to", n.targetURL)
	check(1, "2 of 3 as certified", n.args...)
	check(0, "", "--from", n.sourceURL)
	n.targetServer.Exec(t, n.targetURL, "UPDATE mdl_note SET body = 'hidden from many' WHERE id = 2")
	check(0, "", "--to", n.targetURL)
	n.targetServer.Exec(t, n.targetURL, "ALTER TABLE mdl_note RENAME COLUMN body TO text")
	check(1, "note", "--to", n.targetURL)
	n.targetServer.Exec(t, n.targetURL, "ALTER TABLE mdl_note RENAME COLUMN text TO body")

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
	n.targetServer.Exec(t, n.targetURL, "UPDATE mdl_note SET body = 'secret' WHERE id = 2")
	n.verify(t, 1, "secret", n.with("--certificate", file)...)
	n.verify(t, 0, "Different: 1 of 3 tables differs", "--check-certificate", file, "--to", n.targetURL)
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
	n.targetServer.Exec(t, n.targetURL, "UPDATE mdl_note SET body = 'spoilt' WHERE id = 1", "DELETE FROM mdl_note WHERE id = 2",
		"INSERT INTO mdl_note (id, title) VALUES (9, 'extra')")
	n.verify(t, 2, "pass --yes", n.with("--repair")...)
	n.verify(t, 1, "1 row missing, 1 row extra, 1 row changed", n.args...)
	file := filepath.Join(t.TempDir(), "repaired.json")
	o := n.verify(t, 0, "Repaired before this comparison", n.with("--repair", "--yes", "--certificate", file, "--output", "json="+file+".report")...)
	if !strings.Contains(o.stdout, "Same: ") {
		t.Errorf("says\n%s", o.stdout)
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
	if o := n.verify(t, 0, "Same: ", n.with("--repair", "--yes")...); strings.Contains(o.stdout, "Repaired") {
		t.Errorf("repairs what is the same:\n%s", o.stdout)
	}
}
