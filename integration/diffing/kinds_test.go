//go:build integration

package diffing

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/xmldb"
)

// products are those whose cases are run.
func products() []xmldb.Product { return []xmldb.Product{xmldb.Moodle, xmldb.Totara} }

// read reads the database as the command does. The schema is named, since cases change the search path.
func (w *workbench) read(t *testing.T) *drift.Side {
	t.Helper()
	opts := drift.ReadOptions{}
	if !w.server.Engine.IsMySQL() {
		opts.Schema = "public"
	}
	side, err := drift.ReadServer(t.Context(), rig.Parse(t, w.url), opts)
	if err != nil {
		t.Fatal(err)
	}
	return side
}

// compare compares the database with the code. What is wrong with the code, as
// a table without primary key is, is no case's matter.
func (w *workbench) compare(t *testing.T) *drift.Result {
	t.Helper()
	result, err := drift.Declared(w.site, w.read(t), drift.Options{Fixes: true, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	result.Changes = slices.DeleteFunc(result.Changes, func(c diff.Change) bool { return c.Kind == diff.KindDefinition })
	return result
}

// lines spells changes as cases do.
func lines(changes []diff.Change) []string {
	var out []string
	for _, c := range changes {
		table := c.Table
		if table == "" {
			table = "-"
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", c.Severity, c.Code, table, c.Object)))
	}
	slices.Sort(out)
	return out
}

// expectChanges fails the test when other changes were found than wanted.
func expectChanges(t *testing.T, want []string, result *drift.Result) {
	t.Helper()
	want = slices.Sorted(slices.Values(want))
	if d := cmp.Diff(want, lines(result.Changes)); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
		for _, c := range result.Changes {
			t.Logf("%+v", c)
		}
	}
}

// prepareServer makes what cases need of a whole server.
func prepareServer(t *testing.T, w *workbench) {
	t.Helper()
	if !w.server.Engine.IsMySQL() {
		w.server.Role(t, "someone_else", w.url)
	}
}

// benches makes a database for each sort of table that cases spoil, with one such table.
func benches(t *testing.T, product xmldb.Product, flavour string, cases []driftCase) map[string]*workbench {
	t.Helper()
	all := map[string]*workbench{}
	for _, c := range cases {
		sort := c.tableSort()
		if all[sort] == nil && len(c.statements(flavour)) > 0 {
			all[sort] = newWorkbench(t, flavour, driftCode(t, product, [][2]string{{sort, sort}}))
			prepareServer(t, all[sort])
		}
	}
	return all
}

// each runs test for each case that a flavour can have, in a database in which
// that change was made and no other.
func each(t *testing.T, product xmldb.Product, flavour string, cases []driftCase, test func(t *testing.T, w *workbench, c driftCase)) {
	t.Helper()
	all := benches(t, product, flavour, cases)
	for _, c := range cases {
		statements := c.statements(flavour)
		if len(statements) == 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			sort := c.tableSort()
			at := place{workbench: all[sort], table: "mdl_" + sort}
			at.reset(t, at.fillAll(t, statements)...)
			c.want = at.fillAll(t, c.want)
			test(t, at.workbench, c)
		})
	}
}

// TestEveryKind makes one change at a time, and expects that one to be found
// and, once the statements that undo it were run, nothing.
func TestEveryKind(t *testing.T) {
	t.Parallel()
	for _, product := range products() {
		for _, flavour := range flavours() {
			t.Run(string(product)+"/"+flavour, func(t *testing.T) {
				t.Parallel()
				each(t, product, flavour, driftCases(product), func(t *testing.T, w *workbench, c driftCase) {
					result := w.compare(t)
					expectChanges(t, c.want, result)
					w.repair(t, result)
					if again := w.compare(t); !c.manual && len(again.Changes) > 0 {
						t.Errorf("after the fixes there are still: %q\n%s", lines(again.Changes), strings.Join(script(result), ";\n"))
					}
				})
			})
		}
	}
}

// TestEveryCodeHasACase holds the cases complete. What a database cannot have
// is tested elsewhere: TestDefinitions, TestUnreadStatement and TestRights.
func TestEveryCodeHasACase(t *testing.T) {
	var all []driftCase
	for _, product := range products() {
		all = append(all, driftCases(product)...)
	}
	for _, spec := range diff.Codes() {
		if spec.Kind == diff.KindDefinition || spec.Kind == diff.KindSource {
			continue
		}
		if !slices.ContainsFunc(all, func(c driftCase) bool { return strings.Contains(c.want[0]+" ", " "+string(spec.Code)+" ") }) {
			t.Errorf("no case makes a change of the code %s", spec.Code)
		}
	}
}

// TestAllKindsAtOnce makes all changes to one database, each to a table of its
// own, and expects all of them to be found, and only they. The script that the
// command prints undoes them, once what loses data was taken out of its comments.
func TestAllKindsAtOnce(t *testing.T) {
	t.Parallel()
	for _, product := range products() {
		for _, flavour := range flavours() {
			t.Run(string(product)+"/"+flavour, func(t *testing.T) {
				t.Parallel()
				w, cases := allAtOnce(t, product, flavour, func(driftCase) bool { return true })
				var want []string
				for _, c := range cases {
					want = append(want, c.want...)
				}
				result := w.compare(t)
				expectChanges(t, want, result)
				w.server.Load(t, w.url, scriptFile(t, result))
				var left []string
				for _, c := range cases {
					if c.manual {
						left = append(left, c.want...)
					}
				}
				slices.Sort(left)
				if d := cmp.Diff(left, lines(w.compare(t).Changes)); d != "" {
					t.Errorf("after the fixes (-want +got):\n%s", d)
				}
			})
		}
	}
}

// allAtOnce makes a database with the chosen cases of a flavour, and returns
// these with what they want filled in.
func allAtOnce(t *testing.T, product xmldb.Product, flavour string, choose func(driftCase) bool) (*workbench, []driftCase) {
	t.Helper()
	var cases []driftCase
	var tables [][2]string
	for _, c := range driftCases(product) {
		if choose(c) && len(c.statements(flavour)) > 0 {
			tables = append(tables, [2]string{fmt.Sprintf("%s_%03d", c.tableSort(), len(cases)), c.tableSort()})
			cases = append(cases, c)
		}
	}
	w := newWorkbench(t, flavour, driftCode(t, product, tables))
	prepareServer(t, w)
	var statements, last []string
	for i := range cases {
		c := &cases[i]
		at := place{workbench: w, table: "mdl_" + tables[i][0], number: fmt.Sprintf("_%03d", i)}
		list := at.fillAll(t, c.statements(flavour))
		if c.last {
			last = append(last, list...)
		} else {
			statements = append(statements, list...)
		}
		c.want = at.fillAll(t, c.want)
	}
	w.reset(t, append(statements, last...)...)
	return w, cases
}

// repair runs the statements that undo the changes, also those that lose data,
// one after the other on one connection.
func (w *workbench) repair(t *testing.T, result *drift.Result) {
	t.Helper()
	conn, err := w.server.SQL(t, w.url).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range script(result) {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Errorf("fix: %v\n%s", err, s)
		}
	}
}

// scriptFile is the script that the command prints, without what makes a
// comment of statements that lose data.
func scriptFile(t *testing.T, result *drift.Result) string {
	t.Helper()
	var b strings.Builder
	if err := report.Diff(&b, result, report.DiffOptions{Format: report.SQL}); err != nil {
		t.Fatal(err)
	}
	var out []string
	open := false
	for line := range strings.SplitSeq(b.String(), "\n") {
		if text, ok := strings.CutPrefix(line, "-- "); ok && (open || statement.MatchString(text)) {
			open = !strings.HasSuffix(text, ";")
			line = text
		}
		out = append(out, line)
	}
	file := filepath.Join(t.TempDir(), "fix.sql")
	if err := os.WriteFile(file, []byte(strings.Join(out, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// statement is the first line of a statement.
var statement = regexp.MustCompile(`^(ALTER|CREATE|DROP|UPDATE|DELETE|SELECT|DO|SET|TRUNCATE|REINDEX|INSERT|BEGIN) `)

// script are the statements that undo the changes.
func script(result *drift.Result) []string {
	var out []string
	for _, f := range result.Fixes {
		out = append(out, f.Statements...)
	}
	return out
}
