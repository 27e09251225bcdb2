package report

import (
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
)

// counts are the numbers of a comparison.
type counts struct {
	errors, warnings, infos, tables, ignored, known, gone int
}

func count(r *drift.Result) counts {
	n := counts{ignored: len(r.Ignored), known: len(r.Known), gone: r.Gone}
	tables := map[string]bool{}
	for _, c := range r.Changes {
		switch c.Severity {
		case diff.Error:
			n.errors++
		case diff.Warning:
			n.warnings++
		default:
			n.infos++
		}
		if c.Table != "" {
			tables[c.Table] = true
		}
	}
	n.tables = len(tables)
	return n
}

// found says what was found, such as "3 errors and 1 warning in 2 tables"; "No differences" when it was nothing.
func (n counts) found() string {
	var parts []string
	if n.errors > 0 {
		parts = append(parts, plural(int64(n.errors), "error"))
	}
	if n.warnings > 0 {
		parts = append(parts, plural(int64(n.warnings), "warning"))
	}
	if n.infos > 0 {
		parts = append(parts, countText(int64(n.infos))+" info")
	}
	if len(parts) == 0 {
		return "No differences"
	}
	text := strings.Join(parts, ", ")
	if n.tables > 0 {
		text += " in " + plural(int64(n.tables), "table")
	}
	return text
}

// rest says what rules and the baseline took out.
func (n counts) rest() string {
	var parts []string
	if n.ignored > 0 {
		parts = append(parts, countText(int64(n.ignored))+" ignored by rules")
	}
	if n.known > 0 {
		parts = append(parts, countText(int64(n.known))+" known by the baseline")
	}
	if n.gone > 0 {
		parts = append(parts, countText(int64(n.gone))+" of the baseline gone")
	}
	return strings.Join(parts, "; ")
}

// summary is all numbers in one line, without a full stop.
func (n counts) summary() string {
	if rest := n.rest(); rest != "" {
		return n.found() + "; " + rest
	}
	return n.found()
}

// verdict says why the comparison failed; empty when it did not.
func verdict(r *drift.Result) string {
	switch {
	case !r.Failed:
		return ""
	case r.FailOn == diff.Error:
		return "Failed: there are errors."
	case r.FailOn == "":
		return "Failed."
	default:
		return fmt.Sprintf("Failed: there are differences of the severity %s or worse.", r.FailOn)
	}
}

// endText says what one side of the comparison was.
func endText(e drift.End, r *drift.Result) string {
	switch e.Kind {
	case drift.Code:
		text := "the code"
		if r.Product != "" {
			text = strings.TrimSpace(r.Product+" "+r.Release) + ", the code"
		}
		if e.File != "" {
			text += " in " + e.File
		}
		return text
	case drift.Dump:
		text := "the dump " + e.File
		if e.Engine != "" {
			text += " of " + strings.TrimSpace(string(e.Engine)+" "+e.Version)
		}
		return text
	default:
		text := strings.TrimSpace(string(e.Engine) + " " + e.Version)
		if e.Address != "" {
			text += " at " + e.Address
		}
		if e.Database != "" && !strings.HasSuffix(e.Address, "/"+e.Database) {
			text += ", database " + e.Database
		}
		if e.Schema != "" {
			text += ", schema " + e.Schema
		}
		return text
	}
}

// diffFacts are the head of a report.
func diffFacts(r *drift.Result) []fact {
	facts := []fact{{"expected", endText(r.Expected, r)}, {"found", endText(r.Found, r)}}
	if r.Product != "" && r.Expected.Kind != drift.Code && r.Found.Kind != drift.Code {
		facts = append(facts, fact{"site", strings.TrimSpace(r.Product + " " + r.Release)})
	}
	return append(facts, fact{"prefix", r.Prefix}, fact{"compared", plural(int64(r.Tables), "table")})
}
