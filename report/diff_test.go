package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/ignore"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/schema"
)

// written renders a result.
func written(t *testing.T, r *drift.Result, opts report.DiffOptions) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.Diff(&out, r, opts); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func extension(f report.Format) string {
	switch f {
	case report.Text, report.GitHub:
		return string(f) + ".txt"
	case report.JUnit:
		return "junit.xml"
	case report.GitLab:
		return "gitlab.json"
	case report.Markdown:
		return "md"
	default:
		return string(f)
	}
}

func TestDiff(t *testing.T) {
	for _, format := range report.DiffFormats() {
		for _, tc := range []struct {
			name   string
			result *drift.Result
		}{{"diff", driftedResult()}, {"diff-empty", sameResult()}} {
			name := tc.name + "." + extension(format)
			t.Run(name, func(t *testing.T) {
				opts := report.DiffOptions{Format: format, Verbose: true, CodePrefix: "./site/"}
				out := written(t, tc.result, opts)
				golden(t, name, out)
				if !strings.HasSuffix(out, "\n") {
					t.Error("does not end with a line break")
				}
				if format == report.JSON && strings.Contains(out, "null") {
					t.Error("has null: lists are never null, and fields are never missing")
				}
				if again := written(t, tc.result, opts); again != out {
					t.Error("is another one the second time")
				}
			})
		}
	}
}

func TestDiffTextForATerminal(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts report.DiffOptions
	}{
		{"diff-color.text.txt", report.DiffOptions{Color: true}},
		{"diff-narrow.text.txt", report.DiffOptions{Width: 100}},
	} {
		t.Run(tc.name, func(t *testing.T) { golden(t, tc.name, written(t, driftedResult(), tc.opts)) })
	}
}

func TestDiffTextHasNoBlanksAtTheEnd(t *testing.T) {
	for _, opts := range []report.DiffOptions{{}, {Width: 60}, {Verbose: true}} {
		for i, line := range strings.Split(written(t, driftedResult(), opts), "\n") {
			if strings.HasSuffix(line, " ") || strings.ContainsAny(line, "\x1b\t\r") {
				t.Errorf("%+v, line %d: %q", opts, i+1, line)
			}
		}
	}
}

func TestDiffSQLOnPostgres(t *testing.T) {
	r := sameResult()
	r.Changes = completed(
		diff.Change{Code: diff.ColumnMissing, Table: "mdl_user", Short: "user", Object: "lang", Origin: declaredIn("core", "lib/db/install.xml", 3)},
		diff.Change{Code: diff.SourceStatementUnread, Table: "mdl_a", Message: "a statement could not be read: no"},
	)
	fixes := []diff.Fix{
		{Codes: []diff.Code{diff.SequenceExtra}, Stage: diff.StageDestroy, Statements: []string{`DROP SEQUENCE "public"."old"`}},
		{
			Table: "mdl_user", Codes: []diff.Code{diff.ColumnMissing}, Stage: diff.StageAdd,
			Statements: []string{"ALTER TABLE \"public\".\"mdl_user\"\n\tADD COLUMN \"lang\" varchar(30)", `COMMENT ON TABLE "public"."mdl_user" IS 'a;b'`},
		},
	}
	var out bytes.Buffer
	if err := report.DiffSQL(&out, r, fixes, schema.Postgres); err != nil {
		t.Fatal(err)
	}
	golden(t, "diff-postgres.sql", out.String())
}

func TestParseDiffFormat(t *testing.T) {
	for _, f := range report.DiffFormats() {
		if got, err := report.ParseDiffFormat(string(f)); err != nil || got != f {
			t.Errorf("ParseDiffFormat(%q) = %q, %v", f, got, err)
		}
	}
	for _, name := range []string{"", "JSON", "yaml"} {
		if _, err := report.ParseDiffFormat(name); err == nil || !strings.Contains(err.Error(), "html or sql") {
			t.Errorf("ParseDiffFormat(%q): %v", name, err)
		}
	}
}

func TestDiffOfAnUnknownFormat(t *testing.T) {
	if err := report.Diff(&bytes.Buffer{}, sameResult(), report.DiffOptions{Format: "yaml"}); err == nil {
		t.Error("is accepted")
	}
}

func TestDiffReturnsWriteErrors(t *testing.T) {
	for _, format := range report.DiffFormats() {
		for _, r := range []*drift.Result{driftedResult(), sameResult()} {
			if err := report.Diff(brokenPipe{}, r, report.DiffOptions{Format: format}); !errors.Is(err, errBroken) {
				t.Errorf("as %s: %v", format, err)
			}
		}
	}
}

// A result with nothing filled in, and one with codes that this release does
// not know, must not take a report down.
func TestDiffOfOddResults(t *testing.T) {
	for _, r := range []*drift.Result{
		{},
		{Changes: []diff.Change{{}, {Code: "later", Severity: "later", Kind: "later", Table: "a"}}, Failed: true},
		{Changes: []diff.Change{{Code: diff.TableOtherPrefix}, {Code: diff.TableOtherPrefix, Table: "_"}}},
		{Fixes: []diff.Fix{{}, {Stage: 99, Statements: []string{"", ";"}}}, Notices: []drift.Notice{{}}, Ignored: []ignore.Ignored{{}}, Known: []diff.Change{{}}},
	} {
		for _, format := range report.DiffFormats() {
			for _, width := range []int{0, 1, 80} {
				if out := written(t, r, report.DiffOptions{Format: format, Width: width, Verbose: true}); !strings.HasSuffix(out, "\n") {
					t.Errorf("as %s: %q", format, out)
				}
			}
		}
	}
}

func TestSummaries(t *testing.T) {
	known := []diff.Change{{Code: diff.TableExtra}}
	for _, tc := range []struct {
		name string
		r    drift.Result
		want string
	}{
		{"nothing", drift.Result{}, "\nNo differences.\n"},
		{"nothing new", drift.Result{Known: known, Gone: 1}, "\nNo differences; 1 known by the baseline; 1 of the baseline gone.\n"},
		{
			"one",
			drift.Result{Changes: completed(diff.Change{Code: diff.TableMissing, Table: "a"}), FailOn: diff.Error, Failed: true},
			"\n1 error in 1 table.\nFailed: there are errors.\n",
		},
		{
			"several",
			drift.Result{Changes: completed(
				diff.Change{Code: diff.TableExtra, Table: "a"}, diff.Change{Code: diff.TableExtra, Table: "b"}, diff.Change{Code: diff.ViewExtra, Table: "b"},
			), FailOn: diff.Warning, Failed: true, Ignored: make([]ignore.Ignored, 1200)},
			"\n2 warnings, 1 info in 2 tables; 1,200 ignored by rules.\nFailed: there are differences of the severity warning or worse.\n",
		},
		{"not failed", drift.Result{Changes: completed(diff.Change{Code: diff.SourceRightsIncomplete})}, "\n1 error.\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if out := written(t, &tc.r, report.DiffOptions{}); !strings.HasSuffix(out, tc.want) {
				t.Errorf("ends with %q, want %q", out[max(0, len(out)-120):], tc.want)
			}
		})
	}
}

// What code hosts are told are paths of the repository; what stands in the
// reports for people are paths of the code.
func TestFilesInTheRepository(t *testing.T) {
	moodle51 := declaredIn("mod_x", "public/mod/x/db/install.xml", 0)
	dump := diff.Change{Code: diff.SourceStatementUnread, Table: "mdl_a", Origin: schema.Origin{File: "schema/live.sql", Line: 9}}
	for _, tc := range []struct {
		name, prefix string
		change       diff.Change
		more         []diff.Change
		file         string
		line         int
	}{
		{"at the root", "", diff.Change{Code: diff.TableMissing, Origin: declaredIn("mod_x", "mod/x/db/install.xml", 7)}, nil, "mod/x/db/install.xml", 7},
		{"below it", "apps/lms", diff.Change{Code: diff.TableMissing, Origin: declaredIn("mod_x", "mod/x/db/install.xml", 7)}, nil, "apps/lms/mod/x/db/install.xml", 7},
		{"a dump", "apps/lms", dump, nil, "schema/live.sql", 9},
		{"no line", "", diff.Change{Code: diff.TableMissing, Origin: moodle51}, nil, "public/mod/x/db/install.xml", 1},
		{"not declared", "apps/lms", diff.Change{Code: diff.TableExtra, Table: "a"}, nil, "apps/lms/lib/db/install.xml", 1},
		{"not declared in Moodle 5.1", "", diff.Change{Code: diff.TableExtra, Table: "a"}, []diff.Change{{Code: diff.TableMissing, Origin: moodle51}}, "public/lib/db/install.xml", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &drift.Result{Changes: append([]diff.Change{diff.Complete(tc.change)}, tc.more...)}
			opts := report.DiffOptions{CodePrefix: filepath.FromSlash(tc.prefix)}
			for format, want := range map[report.Format]string{
				report.GitLab: fmt.Sprintf("\"path\": %q,\n      \"lines\": {\n        \"begin\": %d\n", tc.file, tc.line),
				report.SARIF:  fmt.Sprintf("\"uri\": %q,", tc.file),
				report.GitHub: fmt.Sprintf(" file=%s,line=%d,", tc.file, tc.line),
			} {
				opts.Format = format
				out := written(t, r, opts)
				if format == report.GitHub && !tc.change.Origin.Declared() {
					want = "::warning title=table-extra::a: " // of the run, not of a file
				}
				if !strings.Contains(out, want) {
					t.Errorf("as %s: no %s in\n%s", format, want, out)
				}
			}
		})
	}
}

func TestSuppressedResultsOnlyWhereAskedFor(t *testing.T) {
	out := written(t, driftedResult(), report.DiffOptions{Format: report.SARIF})
	if strings.Contains(out, "suppressions") || strings.Contains(out, "mdl_local_report_a") {
		t.Error("SARIF has what rules ignore, which GitHub would show")
	}
}
