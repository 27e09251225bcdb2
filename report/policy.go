package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
)

func policyDocument(p copy.Policy) policyJSON {
	doc := policyJSON{Mode: string(p.Mode), Rules: map[string]string{}}
	if doc.Mode == "" {
		doc.Mode = string(convert.StopOnBad)
	}
	for kind, rule := range p.Fixes {
		doc.Rules[string(kind)] = string(rule)
	}
	return doc
}

func resumeDocument(r *migrate.Resumption) resumeJSON {
	if r == nil {
		return resumeJSON{}
	}
	return resumeJSON{Run: r.Run, Attempts: r.Attempts, Started: r.Started.UTC().Format(time.RFC3339), Frozen: r.Frozen}
}

func chunkDocument(c migrate.Chunk) chunkJSON {
	return chunkJSON{Lower: list(c.Lower, same), Upper: list(c.Upper, same), Where: c.Where, Rows: c.Rows, Bytes: c.Bytes}
}

func valueDocument(c postgres.ValueChange) changeJSON {
	return changeJSON{
		Table: c.Table, Key: c.Key, Column: c.Column, Kind: c.Kind, Rule: c.Rule,
		Before: shown(c.Before, c.BeforeSize), After: shown(c.After, c.AfterSize),
	}
}

// shown quotes the beginning of a value, or is NULL.
func shown(value []byte, size int64) string {
	if value == nil {
		return "NULL"
	}
	text := convert.Printable(value)
	if size > int64(len(value)) {
		text = fmt.Sprintf("%s (%d bytes)", convert.Printable(value[:min(len(value), 60)]), size)
	}
	return text
}

func rejectDocument(r postgres.RejectedRow) rejectJSON {
	return rejectJSON{Table: r.Table, Key: r.Key, Column: r.Column, Kind: r.Kind, Reason: r.Reason}
}

// policyText says what is done about values that PostgreSQL cannot hold.
func policyText(p copy.Policy) string {
	doc := policyDocument(p)
	var rules []string
	for kind, rule := range doc.Rules {
		rules = append(rules, kind+"="+rule)
	}
	slices.Sort(rules)
	switch convert.BadValueMode(doc.Mode) {
	case convert.FixBad:
		doc.Mode = "made storable, and listed"
	case convert.QuarantineBad:
		doc.Mode = "their rows set aside, and listed"
	case convert.StopOnBad:
		doc.Mode = "the run stops"
	}
	if len(rules) > 0 {
		doc.Mode += "; " + strings.Join(rules, ", ")
	}
	return doc.Mode
}

// mostListed is how many changed values a text report lists; JSON has more, the target all.
const mostListed = 100

// writeTouched lists what a policy did.
func writeTouched(b *strings.Builder, r *migrate.Result) {
	if r.Changed > 0 {
		heading(b, fmt.Sprintf("Values changed, by the rules that were given: %s", countText(r.Changed)))
		t := newTable([]string{"table", "row", "column", "kind", "rule", "before", "after"})
		for _, c := range r.Changes[:min(mostListed, len(r.Changes))] {
			doc := valueDocument(c)
			t.AppendRow(table.Row{printable(c.Table), printable(c.Key), printable(c.Column), c.Kind, c.Rule, doc.Before, doc.After})
		}
		b.WriteString(t.Render() + "\n")
		more(b, r.Changed, "value_change", r.Run)
	}
	if r.Rejected > 0 {
		heading(b, fmt.Sprintf("Rows set aside: %s", countText(r.Rejected)))
		t := newTable([]string{"table", "row", "column", "kind", "reason"})
		for _, x := range r.Rejects[:min(mostListed, len(r.Rejects))] {
			t.AppendRow(table.Row{printable(x.Table), printable(x.Key), printable(x.Column), x.Kind, printable(x.Reason)})
		}
		b.WriteString(t.Render() + "\n")
		more(b, r.Rejected, "rejected_row", r.Run)
	}
}

// more says where the whole list is.
func more(b *strings.Builder, all int64, ledger string, run int64) {
	if all > mostListed {
		fmt.Fprintf(b, "… and %s more: ", countText(all-mostListed))
	} else {
		b.WriteString("With the whole values: ")
	}
	fmt.Fprintf(b, "SELECT * FROM moodledb.%s WHERE run = %d\n", ledger, run)
}
