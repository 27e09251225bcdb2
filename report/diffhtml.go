package report

import (
	_ "embed" // the page is a file, so that editors know what it is
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
)

//go:embed diffpage.html
var diffPage string

// pageData is what the page shows. All texts are printable; the template escapes them.
type pageData struct {
	Title      string
	Facts      []pageFact
	Verdict    string
	Errors     int
	Warnings   int
	Infos      int
	Components []string
	Groups     []pageGroup
	Rest       string
	Hints      []pageHint
	Ignored    []pageIgnored
	Known      []pageRow
	Notices    []pageNotice
	Made       string
	ProjectURL string
}

type pageFact struct{ Name, Value string }

type pageGroup struct {
	Title string
	Rows  []pageRow
}

type pageRow struct {
	Severity, Code, CodeURL, Table, Object, Message string
	// Detail is there where Expected and Found are not both.
	Expected, Found, Detail string
	Place, Hint             string
}

type pageHint struct{ Code, URL, Hint, Why string }

type pageIgnored struct {
	pageRow
	Reason, Rule string
}

type pageNotice struct{ Severity, Code, Place, Message, Hint string }

func diffHTML(w io.Writer, r *drift.Result) error {
	page, err := template.New("diff").Parse(diffPage)
	if err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	var b strings.Builder
	if err := page.Execute(&b, pageOf(r)); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return flush(w, &b)
}

func pageOf(r *drift.Result) pageData {
	n, usual := count(r), usualHints()
	single := func(c diff.Change) pageRow { return rowOf(folded{Change: c}.row(usual)) }
	p := pageData{
		Title: n.found(), Verdict: verdict(r), Rest: n.rest(), ProjectURL: projectURL,
		Errors: n.errors, Warnings: n.warnings, Infos: n.infos,
		Known: list(r.Known, single),
	}
	if !r.Started.IsZero() {
		p.Made = fmt.Sprintf("%s, in %s", r.Started.UTC().Format(time.RFC3339), timeText(r.Elapsed))
	}
	for _, f := range diffFacts(r) {
		if f.value != "" {
			p.Facts = append(p.Facts, pageFact{f.name, printable(f.value)})
		}
	}
	for _, g := range groups(r.Changes) {
		group := pageGroup{Title: printable(g.title)}
		for _, t := range g.tables {
			group.Rows = append(group.Rows, list(t.rows, rowOf)...)
		}
		p.Groups = append(p.Groups, group)
		p.Components = append(p.Components, group.Title)
	}
	for _, s := range codesOf(r.Changes) {
		p.Hints = append(p.Hints, pageHint{Code: string(s.Code), URL: docsURL(s.Code), Hint: s.Hint, Why: s.Why})
	}
	for _, x := range r.Ignored {
		p.Ignored = append(p.Ignored, pageIgnored{
			pageRow: single(x.Change), Reason: printable(x.Rule.Reason),
			Rule: printable(fmt.Sprintf("%s:%d", x.Rule.File, x.Rule.Line)),
		})
	}
	for _, x := range r.Notices {
		p.Notices = append(p.Notices, pageNotice{
			Severity: printable(string(x.Severity)), Code: printable(x.Code), Place: printable(noticePlace(x)),
			Message: printable(x.Message), Hint: printable(x.Hint),
		})
	}
	return p
}

func rowOf(row diffRow) pageRow {
	cells := pageRow{
		Severity: string(row.severity), Code: string(row.code), CodeURL: docsURL(row.code), Table: printable(row.table),
		Object: printable(row.object), Message: printable(row.message), Place: printable(row.place), Hint: printable(row.hint),
	}
	if row.expected != "" && row.found != "" {
		cells.Expected, cells.Found = printable(row.expected), printable(row.found)
	} else {
		cells.Detail = printable(row.detail())
	}
	return cells
}
