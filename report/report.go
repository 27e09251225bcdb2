// Package report renders plans and results as text for people and as JSON for
// programs.
//
// The JSON is a contract, described in docs/json.md: each document names its
// version in the field "schema", fields are added and never renamed or given
// another meaning, and nothing but this package writes it. The text is for
// reading and may change at any time.
//
// The package judges nothing and asks no server: what it prints was computed
// by package migrate.
package report

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/moodledb/moodledb/migrate"
)

// Format is a form of output.
type Format string

// The forms of output.
const (
	Text Format = "text"
	JSON Format = "json"
)

// Formats lists the names that [ParseFormat] knows.
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
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(document)
}
