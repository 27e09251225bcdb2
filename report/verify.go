package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
)

// VerifyOptions say how to write the outcome of a comparison of contents. The zero value writes text.
type VerifyOptions struct {
	// Format is one of [VerifyFormats]; empty for text.
	Format Format
	// Mask hides values. Those of keys are shown, since rows are found by them, and so is what is NULL.
	Mask bool
}

// VerifyFormats lists the names that [ParseVerifyFormat] knows.
func VerifyFormats() []Format { return []Format{Text, JSON, HTML} }

// ParseVerifyFormat reads the name of a format for comparisons of contents.
func ParseVerifyFormat(name string) (Format, error) {
	for _, f := range VerifyFormats() {
		if name == string(f) {
			return f, nil
		}
	}
	return "", fmt.Errorf("%q is no output format: use text, json or html", name)
}

// Verify writes what a comparison of two databases showed.
func Verify(w io.Writer, r *proof.Result, opts VerifyOptions) error {
	if opts.Mask {
		r = withoutValues(r)
	}
	switch opts.Format {
	case Text, "":
		return verifyText(w, r, opts)
	case JSON:
		return writeJSON(w, verifyDocument(r, opts.Mask))
	case HTML:
		return writeVerifyPage(w, verifyPageOf(r, opts.Mask))
	default:
		return fmt.Errorf("write comparison: %q is no output format", opts.Format)
	}
}

// withoutValues is a result of which no problem quotes a value of a row.
func withoutValues(r *proof.Result) *proof.Result {
	out := *r
	out.Tables = slices.Clone(r.Tables)
	for i := range out.Tables {
		if t := &out.Tables[i]; t.Masked != "" {
			t.Problem = t.Masked
		}
	}
	out.Repaired = slices.Clone(r.Repaired)
	for i := range out.Repaired {
		if t := &out.Repaired[i]; t.Masked != "" {
			t.Problem = t.Masked
		}
	}
	return &out
}

// tally are the numbers of a comparison of contents.
type tally struct {
	same, different, unknown      int
	expectedRows, foundRows       int64
	bytes                         int64
	missing, extra, changed       int64
	objectsDifferent              int
	objectsUnknown                int
	leftDifferent, leftUnknown    int
	listed                        int64
	expectedProblem, foundProblem bool
}

func tallyOf(r *proof.Result) tally {
	var n tally
	for i := range r.Tables {
		t := &r.Tables[i]
		switch t.State {
		case verify.Same:
			n.same++
		case verify.Different:
			n.different++
		default:
			n.unknown++
		}
		n.expectedRows += t.Expected.Rows
		n.foundRows += t.Found.Rows
		n.bytes += t.Bytes
		n.missing += t.Missing
		n.extra += t.Extra
		n.changed += t.Changed
		n.listed += listedRows(t)
	}
	for _, o := range r.Objects {
		countState(o.State, &n.objectsDifferent, &n.objectsUnknown)
	}
	for _, l := range r.Left {
		countState(l.Counts, &n.leftDifferent, &n.leftUnknown)
	}
	n.expectedProblem, n.foundProblem = !r.Expected.Consistent, !r.Found.Consistent
	return n
}

func countState(s verify.State, different, unknown *int) {
	switch s {
	case verify.Same:
	case verify.Different:
		*different++
	default:
		*unknown++
	}
}

// listedRows is how many differing rows a result has in full.
func listedRows(t *verify.TableResult) int64 {
	var n int64
	for i := range t.Differences {
		n += max(t.Differences[i].Times, 1)
	}
	return n
}

// differing says which rows differ, such as "2 rows missing, 1 row changed"; empty when none was found.
func differing(missing, extra, changed int64) string {
	var parts []string
	for _, p := range []struct {
		n    int64
		word string
	}{{missing, "missing"}, {extra, "extra"}, {changed, "changed"}} {
		if p.n > 0 {
			parts = append(parts, plural(p.n, "row")+" "+p.word)
		}
	}
	return strings.Join(parts, ", ")
}

// stateTitle is the outcome in one or three words.
func stateTitle(s verify.State) string {
	switch s {
	case verify.Same:
		return "Same"
	case verify.Different:
		return "Different"
	default:
		return "Could not tell"
	}
}

// verifyVerdict is the outcome in one sentence.
func verifyVerdict(r *proof.Result) string {
	return stateTitle(r.State) + ": " + strings.Join(verdictParts(r), "; ") + "."
}

func verdictParts(r *proof.Result) []string {
	n := tallyOf(r)
	var parts []string
	add := func(count int, one, many string) {
		switch {
		case count == 1:
			parts = append(parts, "1 "+one)
		case count > 1:
			parts = append(parts, countText(int64(count))+" "+many)
		}
	}
	if n.different > 0 {
		of := fmt.Sprintf("%s of %s", countText(int64(n.different)), plural(int64(len(r.Tables)), "table"))
		if n.different == 1 {
			of += " differs"
		} else {
			of += " differ"
		}
		if rows := differing(n.missing, n.extra, n.changed); rows != "" {
			of += " (" + rows + ")"
		}
		parts = append(parts, of)
	}
	add(n.leftDifferent, "table or column is on one side only", "tables or columns are on one side only")
	add(n.objectsDifferent, "object is not right", "objects are not right")
	add(n.unknown, "table could not be compared", "tables could not be compared")
	add(n.leftUnknown, "table or column cannot be compared", "tables or columns cannot be compared")
	add(n.objectsUnknown, "object could not be judged", "objects could not be judged")
	switch {
	case len(parts) > 0:
	case r.State == verify.Same && len(r.Tables) > 0:
		parts = append(parts, "every row that was compared is on both sides, and equal")
	default:
		parts = append(parts, "nothing was compared")
	}
	return parts
}

// scopeText says what was asked to be compared.
func scopeText(s proof.Scope) string {
	text := "all rows"
	sampled := s.Sample > 0 && s.Sample < 100
	if sampled {
		text = fmt.Sprintf("a sample: %s%% of the parts, at least one of each table (seed %d)", percentNumber(s.Sample), s.Seed)
	}
	switch {
	case s.SinceID > 0 && sampled:
		text += fmt.Sprintf(", ids from %d on", s.SinceID)
	case s.SinceID > 0:
		text = fmt.Sprintf("rows with ids from %d on", s.SinceID)
	}
	if len(s.Include) > 0 {
		text += ", of the tables " + strings.Join(s.Include, ", ")
	}
	if len(s.Exclude) > 0 {
		text += ", without " + strings.Join(s.Exclude, ", ")
	}
	return text
}

func percentNumber(p float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", p), "0"), ".")
}

// proofEnd says what one side was.
func proofEnd(e proof.End) string {
	text := strings.TrimSpace(string(e.Engine) + " " + e.Version)
	if e.Address != "" {
		text += " at " + e.Address
	}
	if e.Schema != "" {
		text += ", schema " + e.Schema
	}
	return text
}

// asOf says which moment of a side was read, and how that is known.
func asOf(e proof.End) string {
	text := "one moment"
	if !e.Consistent {
		text = "NOT PROVEN to be one moment"
	}
	if e.Position != "" {
		text = e.Position + ", " + text
	}
	if e.How != "" {
		text += ": " + e.How
	}
	return text
}

// verifyFacts are the head of a report.
func verifyFacts(r *proof.Result) []fact {
	n := tallyOf(r)
	rows := plural(n.expectedRows, "row")
	if n.expectedRows != n.foundRows {
		rows = fmt.Sprintf("%s expected and %s found", plural(n.expectedRows, "row"), countText(n.foundRows))
	}
	return []fact{
		{"expected", proofEnd(r.Expected)},
		{"as of", asOf(r.Expected)},
		{"found", proofEnd(r.Found)},
		{"as of", asOf(r.Found)},
		{"prefix", r.Prefix},
		{"scope", scopeText(r.Scope)},
		{"compared", fmt.Sprintf("%s, %s, %s", plural(int64(len(r.Tables)), "table"), rows, sizeText(n.bytes))},
		{"time", timeText(r.Elapsed) + rates(n.expectedRows, n.bytes, r.Elapsed)},
	}
}

// verifyHints say what to do next, the most urgent first.
func verifyHints(r *proof.Result) []string {
	n := tallyOf(r)
	var hints []string
	if n.missing+n.extra+n.changed > 0 {
		if n.expectedProblem || n.foundProblem {
			hints = append(hints, "A side was not shown to be read at one moment: what was written meanwhile shows as a difference. Close the site and compare again.")
		}
		if !r.Found.Engine.IsMySQL() {
			hints = append(hints, "'moodledb verify --repair' with the same flags asks, then copies exactly the differing rows again, and compares them again.")
		}
		if rest := n.missing + n.extra + n.changed - n.listed; rest > 0 {
			hints = append(hints, fmt.Sprintf("%s are counted and not listed: --max-differences lists more of each table.", plural(rest, "differing row")))
		}
	}
	if n.unknown+n.leftUnknown+n.objectsUnknown > 0 {
		hints = append(hints, "What could not be compared may be the same or not: see the reasons, and compare again with --tables.")
	}
	if r.Scope.Sample > 0 && r.Scope.Sample < 100 {
		hints = append(hints, "A sample says nothing about rows outside of it: compare without --sample to be sure.")
	}
	return hints
}

// leftLine is a line about what was not compared. Tables that were left out for
// the same reason, which is right, share one: patterns may leave out hundreds.
type leftLine struct{ table, column, side, state, reason string }

func leftLines(left []proof.LeftOut) []leftLine {
	const named = 3
	var lines []leftLine
	at := map[string]int{}
	names := map[string][]string{}
	for _, l := range left {
		i, shared := at[l.Reason]
		if fold := l.Counts == verify.Same && l.Column == ""; !fold || !shared {
			lines = append(lines, leftLine{l.Table, l.Column, string(l.Side), string(l.Counts), l.Reason})
			if fold {
				at[l.Reason], names[l.Reason] = len(lines)-1, []string{l.Table}
			}
			continue
		}
		if lines[i].side != string(l.Side) {
			lines[i].side = string(proof.BothSides)
		}
		if !slices.Contains(names[l.Reason], l.Table) {
			names[l.Reason] = append(names[l.Reason], l.Table)
		}
		all := names[l.Reason]
		lines[i].table = strings.Join(all[:min(named, len(all))], ", ")
		if more := len(all) - named; more > 0 {
			lines[i].table += fmt.Sprintf(" and %s more", countText(int64(more)))
		}
	}
	return lines
}
