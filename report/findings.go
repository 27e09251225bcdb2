package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/xmldb"
)

// Findings writes the findings of a plan that a person should see before it
// runs: all blockers and warnings, and how many remarks there are besides. It
// writes nothing when there are none.
func Findings(w io.Writer, p *migrate.Plan) error {
	var b strings.Builder
	remarks := 0
	for _, f := range p.Findings {
		if f.Severity == migrate.Info {
			remarks++
			continue
		}
		writeFinding(&b, f)
	}
	switch {
	case remarks == 1:
		b.WriteString("There is one remark besides; 'moodledb plan' prints it.\n")
	case remarks > 1:
		fmt.Fprintf(&b, "There are %d remarks besides; 'moodledb plan' prints them.\n", remarks)
	}
	return flush(w, &b)
}

// SiteFindings writes what is wrong with the install.xml files of a site.
func SiteFindings(w io.Writer, findings []xmldb.Finding) error {
	var b strings.Builder
	for _, f := range findings {
		writeFinding(&b, migrate.Finding{
			Code: f.Code, Severity: migrate.Severity(f.Severity), Component: f.Component, File: f.File, Line: f.Line,
			Table: f.Table, Object: f.Object, Message: f.Message, Hint: f.Hint,
		})
	}
	return flush(w, &b)
}

// writeFinding writes one finding in a form that editors can follow: severity,
// place, message, code; the hint stands below.
func writeFinding(b *strings.Builder, f migrate.Finding) {
	fmt.Fprintf(b, "%s: ", f.Severity)
	if place := findingPlace(f); place != "" {
		fmt.Fprintf(b, "%s: ", place)
	}
	fmt.Fprintf(b, "%s [%s]\n", printable(f.Message), f.Code)
	for line := range strings.Lines(f.Hint) {
		fmt.Fprintf(b, "  %s\n", printable(strings.TrimRight(line, "\r\n")))
	}
}

// findingPlace is file:line where a finding has one, else table.object.
func findingPlace(f migrate.Finding) string {
	switch {
	case f.File != "" && f.Line > 0:
		return printable(fmt.Sprintf("%s:%d", f.File, f.Line))
	case f.File != "":
		return printable(f.File)
	case f.Table != "" && f.Object != "":
		return printable(f.Table + "." + f.Object)
	default:
		return printable(f.Table + f.Object)
	}
}

// printable makes control characters visible: names come from a database, and
// must not be able to steer the reader's terminal or to forge a line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return '\ufffd'
		}
		return r
	}, s)
}

// unprintable reports whether a character steers a terminal, ends a line or turns the direction of writing.
func unprintable(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' ||
		r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// flush writes everything at once.
func flush(w io.Writer, b *strings.Builder) error {
	if b.Len() == 0 {
		return nil
	}
	_, err := io.WriteString(w, b.String())
	return err
}
