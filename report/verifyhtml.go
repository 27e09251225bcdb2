package report

import (
	_ "embed" // the page is a file, so that editors know what it is
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
)

//go:embed verifypage.html
var verifyPageText string

// verifyPage is what the page shows. All texts are printable; the template escapes them.
type verifyPage struct {
	// Title is the outcome, Class its colour.
	Title, Class, Verdict string
	Facts                 []pageFact
	Same, Different       int
	Unknown               int
	Masked                bool
	Repaired              []pageRepaired
	Differing             []pageTable
	Unclear               []pageProblem
	Objects               []pageObject
	Left                  []pageLeft
	Legal                 []pageLegal
	Notices, Hints        []string
	All                   []pageSums
	Made, ProjectURL      string
	// Digest is that of the certificate; empty when the page is none.
	Digest string
}

type pageTable struct {
	Name, Summary, Rest, Problem string
	Rows                         []pageDifference
}

// pageDifference is one line; Span is the number of lines that its row and key go over, 0 below the first.
type pageDifference struct {
	Kind, Key, Column, Expected, Found string
	Span                               int
}

type pageRepaired struct{ Table, Inserted, Deleted, Updated, Problem string }

type pageProblem struct{ Table, Problem string }

type pageObject struct{ State, Place, Message, Code, Hint string }

type pageLeft struct{ Table, Column, Side, State, Reason string }

type pageLegal struct{ Table, Kind, Rows, Message string }

// pageSums is a table with its fingerprints.
type pageSums struct {
	Name, State, Rows, FoundRows, Hash, FoundHash, Bytes string
	Columns, Ranges                                      []string
	// Known is set where rows differ, and that is right.
	Known bool
}

func writeVerifyPage(w io.Writer, p verifyPage) error {
	page, err := template.New("verify").Parse(verifyPageText)
	if err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	var b strings.Builder
	if err := page.Execute(&b, p); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return flush(w, &b)
}

func verifyPageOf(r *proof.Result, mask bool) verifyPage {
	n := tallyOf(r)
	p := verifyPage{
		Title: stateTitle(r.State), Class: string(r.State), Verdict: printable(verifyVerdict(r)), Masked: mask, ProjectURL: projectURL,
		Same: n.same, Different: n.different, Unknown: n.unknown,
		Notices: list(r.Notices, printable), Hints: list(verifyHints(r), printable),
		Objects: list(r.Objects, func(o proof.ObjectDifference) pageObject {
			return pageObject{string(o.State), strings.TrimSuffix(objectPlace(&o), ": "), printable(o.Message), printable(o.Code), printable(o.Hint)}
		}),
		Left: list(leftLines(r.Left), func(l leftLine) pageLeft {
			return pageLeft{printable(l.table), printable(l.column), l.side, l.state, printable(l.reason)}
		}),
		Legal: list(r.Legal, func(l proof.Legal) pageLegal {
			return pageLegal{printable(l.Table), printable(l.Kind), rowsOrNone(l.Rows), printable(l.Message)}
		}),
	}
	p.Repaired = list(r.Repaired, func(t proof.RepairedTable) pageRepaired {
		return pageRepaired{printable(t.Table), countText(t.Inserted), countText(t.Deleted), countText(t.Updated), oneLine(t.Problem)}
	})
	if !r.Started.IsZero() {
		p.Made = printable(strings.TrimSpace(fmt.Sprintf("%s, in %s, by moodledb %s", r.Started.UTC().Format(time.RFC3339), timeText(r.Elapsed), r.Tool)))
	}
	for _, f := range verifyFacts(r) {
		if f.value != "" {
			p.Facts = append(p.Facts, pageFact{f.name, printable(f.value)})
		}
	}
	forms := map[string]proof.Form{}
	for _, f := range r.Forms {
		forms[f.Table] = f
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		p.All = append(p.All, pageSumsOf(t, forms[t.Name]))
		switch t.State {
		case verify.Same:
		case verify.Different:
			p.Differing = append(p.Differing, pageTableOf(t, mask))
		default:
			p.Unclear = append(p.Unclear, pageProblem{printable(t.Name), oneLine(t.Problem)})
		}
	}
	return p
}

func rowsOrNone(n int64) string {
	if n == 0 {
		return ""
	}
	return countText(n)
}

func pageSumsOf(t *verify.TableResult, f proof.Form) pageSums {
	s := pageSums{
		Name: printable(t.Name), State: string(t.State), Known: t.State == verify.Same && t.Expected != t.Found, Rows: countText(t.Expected.Rows), FoundRows: countText(t.Found.Rows),
		Hash: t.Expected.Hash.String(), FoundHash: t.Found.Hash.String(), Bytes: sizeText(t.Bytes),
	}
	for _, c := range f.Columns {
		name := c.Expected
		if c.Found != c.Expected {
			name += " → " + c.Found
		}
		name += " " + c.Type
		if c.Key {
			name += ", key"
		}
		s.Columns = append(s.Columns, printable(name))
	}
	for _, part := range f.Parts {
		s.Ranges = append(s.Ranges, printable(rangeText(part)))
	}
	return s
}

// rangeText names a part of a table by its key.
func rangeText(p verify.Part) string {
	switch {
	case p.Lower == "" && p.Upper == "":
		return "all"
	case p.Lower == "":
		return "below " + p.Upper
	case p.Upper == "":
		return "from " + p.Lower + " on"
	default:
		return "from " + p.Lower + " to below " + p.Upper
	}
}

func pageTableOf(t *verify.TableResult, mask bool) pageTable {
	p := pageTable{Name: printable(t.Name), Summary: differing(t.Missing, t.Extra, t.Changed), Problem: oneLine(t.Problem)}
	if rest := t.Missing + t.Extra + t.Changed - listedRows(t); rest > 0 && len(t.Differences) > 0 {
		p.Rest = "… and " + plural(rest, "more row")
	}
	for i := range t.Differences {
		p.Rows = append(p.Rows, pageRowsOf(&t.Differences[i], mask)...)
	}
	return p
}

// pageRowsOf are the lines of one differing row, one for each column.
func pageRowsOf(d *verify.Difference, mask bool) []pageDifference {
	kind := string(d.Kind)
	if d.Times > 1 {
		kind += fmt.Sprintf(", %s times", countText(d.Times))
	}
	first := pageDifference{Kind: kind, Key: keyText(d.Key), Span: max(len(d.Columns), 1)}
	if len(d.Columns) == 0 {
		return []pageDifference{first}
	}
	lines := make([]pageDifference, len(d.Columns))
	lines[0] = first
	for i := range d.Columns {
		c := &d.Columns[i]
		lines[i].Column = printable(c.Column)
		lines[i].Expected, lines[i].Found = shownValue(c.Expected, mask), shownValue(c.Found, mask)
		if note := furtherOn(c, mask); note != "" {
			lines[i].Found += " " + note
		}
	}
	return lines
}
