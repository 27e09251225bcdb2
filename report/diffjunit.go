package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
)

// The elements of a JUnit report, as Jenkins and GitLab read them.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr,omitempty"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	Classname string        `xml:"classname,attr"`
	File      string        `xml:"file,attr,omitempty"`
	Line      string        `xml:"line,attr,omitempty"`
	Time      string        `xml:"time,attr"`
	Failure   *junitOutcome `xml:"failure"`
	Skipped   *junitOutcome `xml:"skipped"`
	SystemOut string        `xml:"system-out,omitempty"`
}

type junitOutcome struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// diffJUnit writes a test suite for each component, and a test case for each
// difference: failed from the severity on that fails the comparison, skipped below it.
// Where nothing differs there is one test that passed.
func diffJUnit(w io.Writer, r *drift.Result) error {
	doc := junitSuites{Name: "moodledb diff", Time: junitTime(r.Elapsed)}
	for _, g := range junitGroups(r) {
		if !r.Started.IsZero() {
			// Not all readers understand a time zone here.
			g.Timestamp = r.Started.UTC().Format("2006-01-02T15:04:05")
		}
		doc.Tests += g.Tests
		doc.Failures += g.Failures
		doc.Skipped += g.Skipped
		doc.Suites = append(doc.Suites, g)
	}
	out, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(out)+"\n")
	return err
}

// junitGroups makes the suites, in the order of all reports.
func junitGroups(r *drift.Result) []junitSuite {
	if len(r.Changes) == 0 {
		return []junitSuite{{Name: "schema", Tests: 1, Time: junitTime(r.Elapsed), Cases: []junitCase{{
			Name: "schema", Classname: "moodledb", Time: junitTime(r.Elapsed), SystemOut: printable(count(r).summary()) + ".",
		}}}}
	}
	usual := usualHints()
	var suites []junitSuite
	for _, part := range byGroup(r.Changes) {
		s := junitSuite{Name: printable(part.title), Time: junitTime(0)}
		seen := map[string]int{}
		for _, c := range part.changes {
			failed := r.FailOn != "" && c.Severity.AtLeast(r.FailOn)
			test := junitTest(c, usual, failed)
			seen[test.Name]++
			test.Name = numberedName(test.Name, seen[test.Name])
			test.Classname = "moodledb." + s.Name
			s.Tests++
			if failed {
				s.Failures++
			} else {
				s.Skipped++
			}
			s.Cases = append(s.Cases, test)
		}
		suites = append(suites, s)
	}
	return suites
}

func junitTest(c diff.Change, usual map[diff.Code]string, failed bool) junitCase {
	row := folded{Change: c}.row(usual)
	name := row.table
	if !isTable(c) {
		name += ", " + row.object
	}
	test := junitCase{Name: printable(name + ": " + string(c.Code)), File: printable(c.Origin.File), Time: junitTime(0)}
	if c.Origin.Line > 0 {
		test.Line = strconv.Itoa(c.Origin.Line)
	}
	if !failed {
		test.Skipped = &junitOutcome{Message: printable(string(c.Severity) + ": " + oneText(c))}
		return test
	}
	lines := []string{string(c.Severity) + ": " + oneText(c)}
	if row.place != "" {
		lines = append(lines, "declared in "+row.place)
	}
	if c.Hint != "" {
		lines = append(lines, "what to do: "+c.Hint)
	}
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	test.Failure = &junitOutcome{Type: string(c.Code), Message: printable(oneText(c)), Text: strings.Join(lines, "\n")}
	return test
}

func junitTime(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// numberedName tells the second and further things of the same name apart.
func numberedName(name string, n int) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, n)
}

// part holds the differences of one group, each for itself.
type part struct {
	title   string
	changes []diff.Change
}

// byGroup divides differences as [groups] does, without folding any.
func byGroup(changes []diff.Change) []part {
	var parts []part
	at := map[string]int{}
	for _, c := range changes {
		title := groupTitle(c)
		i, ok := at[title]
		if !ok {
			i = len(parts)
			at[title] = i
			parts = append(parts, part{title: title})
		}
		parts[i].changes = append(parts[i].changes, c)
	}
	sortTitles(parts, func(p part) string { return p.title })
	return parts
}
