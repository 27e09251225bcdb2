//go:build integration

package diffing

import (
	"strings"
	"testing"

	"github.com/moodledb/moodledb/xmldb"
)

// severalCases are changes of which something else follows, or that stand in
// each other's way.
func severalCases() []driftCase {
	return []driftCase{
		{
			name: "column of two indexes missing", want: one("error column-missing {t} two"),
			my: []string{"ALTER TABLE {t} DROP INDEX {ix:two,three}", "ALTER TABLE {t} DROP COLUMN two"}, pg: alter("DROP COLUMN two"),
		},
		{name: "column of an index missing", want: one("error column-missing {t} label"), my: alter("DROP COLUMN label"), pg: alter("DROP COLUMN label")},
		{name: "id missing", want: one("error column-missing {t} id"), my: alter("DROP COLUMN id"), pg: alter("DROP COLUMN id")},
		{name: "text for an id", want: one("error column-type {t} id"), my: alter("MODIFY id varchar(30) NOT NULL")},
		{
			name: "renamed table", want: []string{"error table-missing {t}", "warning table-extra {p}other"},
			my: one("RENAME TABLE {t} TO {p}other"), pg: alter("RENAME TO {p}other"),
		},
		{
			name: "sequence of another table", want: one("warning sequence-name {t} {p}config_id_seq"),
			pg: alter("ALTER id SET DEFAULT nextval('{p}config_id_seq')"),
		},
		{
			name: "renamed json", want: []string{"error column-missing {t} note", "warning column-extra {t} remark"},
			mariadb: []string{"ALTER TABLE {t} MODIFY note json", "ALTER TABLE {t} RENAME COLUMN note TO remark"},
		},
		{
			name: "versions of another engine", want: []string{"error table-engine {t}", "warning table-versioned {t}"},
			mariadb: []string{"ALTER TABLE {t} ENGINE=Aria", "ALTER TABLE {t} ADD SYSTEM VERSIONING"},
		},
		{
			name: "primary key and partial index", want: []string{"error primary-key-different {t} {pk}", "error index-partial {t} {ix:code}"},
			pg: []string{
				"ALTER TABLE {t} DROP CONSTRAINT {pk}", "ALTER TABLE {t} ADD CONSTRAINT {pk} PRIMARY KEY (id, one)",
				"DROP INDEX {ix:code}", "CREATE UNIQUE INDEX {ix:code} ON {t} (code) WHERE big > 0",
			},
		},
		{
			name: "type, default and NULL of a column", want: []string{"error column-type {t} big", "warning column-nullable {t} big"},
			my: alter("MODIFY big varchar(20) DEFAULT 'x'"), pg: alter("ALTER big DROP DEFAULT, ALTER big TYPE varchar(20), ALTER big SET DEFAULT 'x', ALTER big DROP NOT NULL"),
		},
		{
			name: "index of a column whose type is another one", want: []string{"error column-type-unknown {t} maybe"},
			my: alter("MODIFY maybe datetime"), pg: alter("ALTER maybe TYPE uuid USING NULL"),
		},
		{
			name: "as pgloader would make it", want: []string{"error column-type-unknown {t} flag", "warning column-not-varchar {t} name", "error column-default-missing {t} name"},
			pg: []string{
				"ALTER TABLE {t} ALTER flag DROP DEFAULT", "ALTER TABLE {t} ALTER flag TYPE boolean USING flag <> 0", "ALTER TABLE {t} ALTER name TYPE text, ALTER name DROP DEFAULT",
				"ALTER TABLE {t} RENAME CONSTRAINT {pk} TO idx_16389_primary", "ALTER INDEX {ix:label} RENAME TO idx_16389_label",
			},
		},
	}
}

// TestSeveralChanges makes the changes of a case at once, and expects that
// what is found is what was done, and that it can be undone.
func TestSeveralChanges(t *testing.T) {
	t.Parallel()
	for _, flavour := range flavours() {
		t.Run(flavour, func(t *testing.T) {
			t.Parallel()
			each(t, xmldb.Moodle, flavour, severalCases(), func(t *testing.T, w *workbench, c driftCase) {
				result := w.compare(t)
				expectChanges(t, c.want, result)
				w.repair(t, result)
				if left := w.compare(t).Changes; len(left) > 0 {
					t.Errorf("after the fixes there are still: %q\n%s", lines(left), strings.Join(script(result), ";\n"))
				}
			})
		})
	}
}
