package report_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/report"
)

// Names come from databases: they must not steer a terminal, forge a line or
// become markup, code or statements.
func TestHostileNamesStayData(t *testing.T) {
	for _, format := range report.DiffFormats() {
		t.Run(string(format), func(t *testing.T) {
			for _, width := range []int{0, 80} {
				out := written(t, hostileResult(), report.DiffOptions{Format: format, Verbose: true, CodePrefix: hostile, Width: width})
				if !utf8.ValidString(out) {
					t.Error("is not UTF-8")
				}
				for _, bad := range []string{"\x1b", "\r", "\x00", "\x7f", "\u0085", "\u202e", "\u2028"} {
					if strings.Contains(out, bad) {
						t.Errorf("has %q", bad)
					}
				}
				for line := range strings.Lines(out) {
					if strings.HasPrefix(strings.TrimSpace(line), "::error::forged") {
						t.Errorf("has a forged line: %q", line)
					}
				}
			}
		})
	}
}

func TestHostileNamesInHTML(t *testing.T) {
	out := written(t, hostileResult(), report.DiffOptions{Format: report.HTML})
	if n := strings.Count(out, "<script>"); n != 1 {
		t.Errorf("%d scripts, want 1", n)
	}
	if strings.Contains(out, "alert(1)<") || strings.Contains(out, "ZgotmplZ") || strings.Contains(out, "<!-- ]]>") {
		t.Error("a name became markup")
	}
}

// A page may be opened where there is no network, and must not tell anybody that it was.
func TestHTMLAsksForNothing(t *testing.T) {
	out := written(t, driftedResult(), report.DiffOptions{Format: report.HTML})
	if m := regexp.MustCompile(`(?i)(src=|<link|@import|url\(|fetch\(|XMLHttp)[^\n]*`).FindString(out); m != "" {
		t.Errorf("asks for something: %s", m)
	}
}

func TestHostileNamesInMarkdown(t *testing.T) {
	out := written(t, hostileResult(), report.DiffOptions{Format: report.Markdown, Verbose: true})
	for i, line := range strings.Split(out, "\n") {
		for _, bad := range []string{"<script", "<!--", "](http://evil", " @user", " #1", "**b**", "</td"} {
			if strings.Contains(line, bad) {
				t.Errorf("line %d has %s: %s", i+1, bad, line)
			}
		}
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| ---") && strings.Count(line, "|") != 6 {
			t.Errorf("line %d has other columns: %s", i+1, line)
		}
	}
}

func TestHostileNamesInGitHubCommands(t *testing.T) {
	out := written(t, hostileResult(), report.DiffOptions{Format: report.GitHub})
	command := regexp.MustCompile(`^::(error|warning|notice) (file=[^,:\r\n]+,line=\d+,)?title=[a-z-]+::[^\r\n]*$`)
	for _, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		if strings.Contains(line, "::") && !command.MatchString(line) {
			t.Errorf("no command: %s", line)
		}
	}
}

func TestHostileNamesInSQL(t *testing.T) {
	out := written(t, hostileResult(), report.DiffOptions{Format: report.SQL})
	for i, line := range strings.Split(out, "\n") {
		switch {
		case line == "", line == "--", strings.HasPrefix(line, "-- "), strings.HasPrefix(line, "SET "):
		default:
			t.Errorf("line %d is no comment: %q", i+1, line)
		}
	}
}

// A name with a line break is a legal one: its statement runs as it is, and
// is a comment on all of its lines where it loses something.
func TestLineBreaksInStatements(t *testing.T) {
	r := driftedResult()
	r.Found.Engine = "postgres"
	r.Fixes = []diff.Fix{
		{Table: "a\nb", Codes: []diff.Code{diff.TableExtra}, Statements: []string{"ALTER TABLE \"a\nb\" X"}},
		{Table: "a\nb", Codes: []diff.Code{diff.TableExtra}, Statements: []string{"DROP TABLE \"a\nb\"", "DROP TABLE c"}, Destructive: true},
	}
	out := written(t, r, report.DiffOptions{Format: report.SQL})
	for _, want := range []string{"\nALTER TABLE \"a\nb\" X;\n", "\n-- DROP TABLE \"a\n-- b\";\n-- DROP TABLE c;\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestJUnitIsWellFormed(t *testing.T) {
	for _, r := range []*drift.Result{driftedResult(), sameResult(), hostileResult(), manyResult()} {
		out := written(t, r, report.DiffOptions{Format: report.JUnit})
		var tests, failures, skipped int
		names := map[string]bool{}
		dec := xml.NewDecoder(strings.NewReader(out))
		for {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			start, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			switch start.Name.Local {
			case "testcase":
				tests++
				name := attribute(start, "classname") + " " + attribute(start, "name")
				if names[name] {
					t.Errorf("two tests have the name %q", name)
				}
				names[name] = true
			case "failure":
				failures++
			case "skipped":
				skipped++
			}
		}
		var root struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Skipped  int `xml:"skipped,attr"`
		}
		if err := xml.Unmarshal([]byte(out), &root); err != nil {
			t.Fatal(err)
		}
		if root.Tests != tests || root.Failures != failures || root.Skipped != skipped {
			t.Errorf("says %+v, has %d tests, %d failures, %d skipped", root, tests, failures, skipped)
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// The schema is the one that OASIS publishes with the errata of SARIF 2.1.0.
func TestSARIFFollowsItsSchema(t *testing.T) {
	file, err := os.Open("testdata/diff-sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	const name = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(name, document); err != nil {
		t.Fatal(err)
	}
	sarif, err := compiler.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*drift.Result{driftedResult(), sameResult(), hostileResult(), manyResult(), {}} {
		for _, opts := range []report.DiffOptions{{}, {Verbose: true, CodePrefix: hostile}, {CodePrefix: "/srv/a b:c"}} {
			opts.Format = report.SARIF
			out := written(t, r, opts)
			instance, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if err := sarif.Validate(instance); err != nil {
				t.Errorf("%+v: %v", opts, err)
			}
			if got := instance.(map[string]any)["$schema"]; got != name {
				t.Errorf("$schema is %v", got)
			}
		}
	}
}

// GitHub refuses a report of which one result has no file, and GitLab one
// whose issues have the same fingerprint.
func TestEveryEntryHasAFileAndAFingerprint(t *testing.T) {
	r := driftedResult()
	r.Changes = append(r.Changes, r.Changes...)
	var issues []struct {
		Fingerprint string
		Location    struct {
			Path  string
			Lines struct{ Begin int }
		}
	}
	if err := json.Unmarshal([]byte(written(t, r, report.DiffOptions{Format: report.GitLab})), &issues); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, issue := range issues {
		if issue.Location.Path == "" || issue.Location.Lines.Begin < 1 || issue.Fingerprint == "" || seen[issue.Fingerprint] {
			t.Errorf("issue %+v", issue)
		}
		seen[issue.Fingerprint] = true
	}
	if len(issues) != len(r.Changes) {
		t.Errorf("%d issues of %d differences", len(issues), len(r.Changes))
	}
	out := written(t, r, report.DiffOptions{Format: report.SARIF})
	if results, files := strings.Count(out, `"ruleId"`), strings.Count(out, `"startLine"`); results > files {
		t.Errorf("%d results, %d places", results, files)
	}
}

func TestMarkdownFitsIntoAComment(t *testing.T) {
	const limit = 65536
	hostile := hostileResult()
	hostile.Prefix = strings.Repeat("|", 100_000)
	hostile.Changes[0].Expected = strings.Repeat("@", 100_000)
	many := manyResult()
	for _, r := range []*drift.Result{many, hostile, driftedResult()} {
		for _, verbose := range []bool{false, true} {
			r.Known = manyResult().Changes
			out := written(t, r, report.DiffOptions{Format: report.Markdown, Verbose: verbose})
			if len(out) > limit {
				t.Errorf("%d bytes", len(out))
			}
			if open, closed := strings.Count(out, "<details>"), strings.Count(out, "</details>"); open != closed {
				t.Errorf("%d details, %d of them closed", open, closed)
			}
		}
	}
	out := written(t, many, report.DiffOptions{Format: report.Markdown})
	if n := strings.Count(out, "| error | "); n != 20 {
		t.Errorf("%d errors are shown, want all 20", n)
	}
	shown := strings.Count(out, "| warning | ")
	if shown < 100 || !strings.Contains(out, "differences are not shown here") {
		t.Errorf("%d warnings are shown", shown)
	}
}
