//go:build integration

package verifying

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
	"github.com/moodledb/moodledb/xmldb"
)

// What is in the tables of the test: bad values, rows whose long key stays and which have one, and
// rows with a fault in their long key.
const manyBad, codedBad, codedKeys = 24_000, 300, 60

// touchedStatements make two tables, in the second of which rows are named by a long text.
func touchedStatements() []string {
	list := []string{
		"CREATE TABLE mdl_many (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, v longtext)",
		"CREATE TABLE mdl_coded (code varchar(255) COLLATE utf8mb4_bin NOT NULL, v longtext, n bigint, PRIMARY KEY (code)) DEFAULT CHARSET utf8mb4",
	}
	list = append(list, rig.InsertRows("mdl_many (v)", manyBad+5, func(i int) string {
		if i >= manyBad {
			return "('good')"
		}
		return fmt.Sprintf("(CONCAT('a', CHAR(0), '%d'))", i)
	})...)
	return append(list, rig.InsertRows("mdl_coded", codedBad+codedKeys+40, func(i int) string {
		switch {
		case i < codedBad:
			return fmt.Sprintf("(CONCAT(REPEAT('long ', 40), '%d'), CONCAT('a', CHAR(0), '%d'), %[1]d)", i, i)
		case i < codedBad+codedKeys:
			v := "'good'"
			if i%2 == 0 {
				v = "CONCAT(CHAR(0), 'bad')"
			}
			return fmt.Sprintf("(CONCAT(REPEAT('key ', 40), CHAR(0), '%d'), %s, NULL)", i, v)
		}
		return fmt.Sprintf("(CONCAT(REPEAT('long ', 40), 'good %d'), 'good', 7)", i)
	})...)
}

// touchedCode declares the tables.
func touchedCode(t *testing.T) *xmldb.Site {
	t.Helper()
	coded := `<TABLE NAME="coded" COMMENT="named by a text"><FIELDS>` + rig.Field("code", "char", `LENGTH="255" NOTNULL="true"`) + rig.Field("v", "text", "") +
		rig.Field("n", "int", `LENGTH="10" NOTNULL="false"`) + `</FIELDS><KEYS><KEY NAME="primary" TYPE="primary" FIELDS="code"/></KEYS></TABLE>`
	return rig.TinyCode(t, rig.Table("many", rig.Field("v", "text", "")), coded)
}

// legalRows are the rows of the tables that are known to differ in a way.
func legalRows(r *proof.Result, kind string) map[string]int64 {
	rows := map[string]int64{}
	for _, l := range r.Legal {
		if l.Kind == kind {
			rows[l.Table] += l.Rows
		}
	}
	return rows
}

// TestVerifyKnowsAllThatAPolicyTouched: however many values a policy changed, or rows it set aside, by
// whatever key, and also where it changed the key, they are known, and nothing else passes for one of them.
func TestVerifyKnowsAllThatAPolicyTouched(t *testing.T) {
	base := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), touchedStatements()...)
	o := proof.Options{Include: []string{"many", "coded"}, Memory: proof.MinMemory}
	want := map[string]int64{"mdl_many": manyBad, "mdl_coded": codedBad + codedKeys}
	for name, kind := range map[string]string{"fix": proof.LegalChanged, "quarantine": proof.LegalRejected} {
		t.Run(name, func(t *testing.T) {
			p := base.WithTarget(t)
			p.Migrate(t, migrate.Options{Site: touchedCode(t), Policy: rig.Policies()[name], Jobs: 2})
			r := p.Proven(t, o)
			if diff := cmp.Diff(want, legalRows(r, kind)); diff != "" || r.State != verify.Same {
				t.Errorf("%s: %s", r.State, diff)
			}
			p.TargetServer.Exec(t, p.TargetURL, "DELETE FROM mdl_many WHERE v = 'good' AND id % 2 = 0", "UPDATE mdl_coded SET n = 8 WHERE code LIKE '%good 370'",
				"INSERT INTO mdl_coded VALUES ('mine', NULL, NULL)")
			expected, found := ends(t, p)
			r = p.Proven(t, o)
			done, err := proof.Repair(t.Context(), expected, found, r, o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]proof.RepairedTable{{Table: "mdl_coded", Deleted: 1, Updated: 1}, {Table: "mdl_many", Inserted: 2}}, done.Tables); diff != "" {
				t.Error(diff)
			}
			r = p.Proven(t, o)
			if diff := cmp.Diff(want, legalRows(r, kind)); diff != "" || r.State != verify.Same {
				t.Errorf("repaired, it is %s: %s", r.State, diff)
			}
			if name == "fix" {
				changedSince(t, p, o, want)
			}
		})
	}
}

// changedSince changes values that the policy had changed before, and keys: they count.
func changedSince(t *testing.T, p *rig.Pair, o proof.Options, want map[string]int64) {
	t.Helper()
	p.TargetServer.Exec(t, p.TargetURL, "UPDATE mdl_many SET v = 'other' WHERE id IN (3, 20001)",
		"UPDATE mdl_coded SET v = 'other' WHERE code LIKE 'long %long 7'", "UPDATE mdl_coded SET v = 'other' WHERE code LIKE 'key %301'", "UPDATE mdl_coded SET code = code || 'x' WHERE code LIKE 'key %302'")
	r := p.Proven(t, o)
	for i := range r.Tables {
		x := &r.Tables[i]
		got := [3]int64{x.Missing, x.Extra, x.Changed}
		if is := map[string][3]int64{"mdl_many": {0, 0, 2}, "mdl_coded": {2, 2, 1}}[x.Name]; got != is || x.State != verify.Different || int64(len(x.Differences)) != got[0]+got[1]+got[2] {
			t.Errorf("%s: %v, not %v; %s; %d listed", x.Name, got, is, x.Problem, len(x.Differences))
		}
	}
	rest := map[string]int64{"mdl_many": want["mdl_many"] - 2, "mdl_coded": want["mdl_coded"] - 3}
	if diff := cmp.Diff(rest, legalRows(r, proof.LegalChanged)); diff != "" {
		t.Error(diff)
	}
}

// TestVerifyKnowsShortenedKeys: of keys that a policy cut, those that were cut are known.
func TestVerifyKnowsShortenedKeys(t *testing.T) {
	statements := []string{"CREATE TABLE mdl_cut (code varchar(200) COLLATE utf8mb4_bin NOT NULL, v varchar(20), PRIMARY KEY (code)) DEFAULT CHARSET utf8mb4"}
	statements = append(statements, rig.InsertRows("mdl_cut", 200, func(i int) string {
		return fmt.Sprintf("('%03d%s', 'v%d')", i, strings.Repeat("ü", []int{90, 150}[i%2]), i)
	})...)
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), statements...)
	site := rig.TinyCode(t, `<TABLE NAME="cut" COMMENT="named by a text"><FIELDS>`+rig.Field("code", "char", `LENGTH="100" NOTNULL="true"`)+
		rig.Field("v", "char", `LENGTH="20" NOTNULL="false"`)+`</FIELDS><KEYS><KEY NAME="primary" TYPE="primary" FIELDS="code"/></KEYS></TABLE>`)
	p.Migrate(t, migrate.Options{Site: site, Policy: copy.Policy{Fixes: convert.Fixes{convert.TooLong: convert.FixTruncate}}, Jobs: 2})
	r := p.Proven(t, proof.Options{})
	if got := legalRows(r, proof.LegalChanged)["mdl_cut"]; got != 100 || r.State != verify.Same {
		t.Errorf("%s, %d rows are known: %+v", r.State, got, r.Tables)
	}
}
