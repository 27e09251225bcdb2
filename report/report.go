// Package report renders plans, results, differences and comparisons of
// contents: as text for people, as JSON for programs, and differences in what CI
// systems, code hosts, browsers and SQL clients read. It writes certificates of comparisons, and reads them back.
//
// The JSON is a contract, described in docs/json.md: each document names its
// version in the field "schema", fields are added and never renamed or given
// another meaning, and nothing but this package writes it. The text is for
// reading and may change at any time.
//
// Names come from databases, where anybody may have made them: whatever they
// hold, they stay data in every format.
//
// The package judges nothing and asks no server: what it prints was computed
// by packages migrate, drift and proof.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/moodledb/moodledb/migrate"
)

// Format is a form of output.
type Format string

// The forms of output. Those after JSON are for differences only, see [DiffFormats].
const (
	Text     Format = "text"
	JSON     Format = "json"
	JUnit    Format = "junit"
	SARIF    Format = "sarif"
	GitHub   Format = "github"
	GitLab   Format = "gitlab"
	Markdown Format = "markdown"
	HTML     Format = "html"
	SQL      Format = "sql"
)

// Formats lists the names that [ParseFormat] knows: those of plans and results.
func Formats() []Format { return []Format{Text, JSON} }

// ParseFormat reads the name of a format.
func ParseFormat(name string) (Format, error) {
	for _, f := range Formats() {
		if name == string(f) {
			return f, nil
		}
	}
	return "", fmt.Errorf("%q is no output format: use text or json", name)
}

// Plan writes everything that p will do: what stands in its way first, then
// the tables with their estimates, then every statement in the order in which it runs.
func Plan(w io.Writer, p *migrate.Plan, format Format) error {
	switch format {
	case Text:
		return planText(w, p)
	case JSON:
		return writeJSON(w, planDocument(p))
	default:
		return fmt.Errorf("write plan: %q is no output format", format)
	}
}

// Result writes what a run did, table by table and in sum.
func Result(w io.Writer, r *migrate.Result, format Format) error {
	switch format {
	case Text:
		return resultText(w, r)
	case JSON:
		return writeJSON(w, resultDocument(r))
	default:
		return fmt.Errorf("write result: %q is no output format", format)
	}
}

func writeJSON(w io.Writer, document any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(document); err != nil {
		return err
	}
	_, err := io.WriteString(w, escapeJSON(b.String()))
	return err
}

// escapeJSON writes as \u what the encoder leaves as it is, but a terminal
// obeys. Outside of strings JSON has no such characters.
func escapeJSON(s string) string {
	unsafe := func(r rune) bool { return r != '\n' && unprintable(r) }
	if !strings.ContainsFunc(s, unsafe) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unsafe(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
