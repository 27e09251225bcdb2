package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/moodledb/moodledb/migrate"
)

// fact is one line of the head of a report.
type fact struct{ name, value string }

// writeFacts aligns names and values; facts without a value are left out.
func writeFacts(b *strings.Builder, facts []fact) {
	width := 0
	for _, f := range facts {
		if f.value != "" {
			width = max(width, len(f.name))
		}
	}
	for _, f := range facts {
		if f.value != "" {
			fmt.Fprintf(b, "%-*s  %s\n", width, f.name, printable(f.value))
		}
	}
}

// heading opens a section.
func heading(b *strings.Builder, title string) { fmt.Fprintf(b, "\n%s\n", title) }

// newTable makes a table without borders. The columns named in numbers are aligned to the right.
func newTable(columns []string, numbers ...string) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.Options{SeparateHeader: true, SeparateFooter: true}
	style.Format.Header, style.Format.Footer = text.FormatDefault, text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Box.MiddleHorizontal = "-"
	t.SetStyle(style)
	// Lines keep no blanks at their ends.
	t.SuppressTrailingSpaces()
	header := make(table.Row, len(columns))
	for i, c := range columns {
		header[i] = c
	}
	t.AppendHeader(header)
	configs := make([]table.ColumnConfig, len(numbers))
	for i, n := range numbers {
		configs[i] = table.ColumnConfig{Name: n, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight}
	}
	t.SetColumnConfigs(configs)
	return t
}

func endpointText(e migrate.Endpoint) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s at %s", e.Engine, e.Version, e.Address))
}

func countText(n int64) string { return humanize.Comma(n) }

// sizeText writes bytes in binary units.
func sizeText(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

// timeText writes a time with as many digits as it deserves.
func timeText(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	default:
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
}

// plural writes a count and its noun; the noun takes an s.
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return countText(n) + " " + noun + "s"
}

func writeLeftOut(b *strings.Builder, left []migrate.LeftOut) {
	if len(left) == 0 {
		return
	}
	heading(b, "Left out")
	t := newTable([]string{"name", "kind", "reason"})
	for _, l := range left {
		t.AppendRow(table.Row{printable(l.Name), l.Kind, printable(l.Reason)})
	}
	b.WriteString(t.Render() + "\n")
}

func writeFindings(b *strings.Builder, findings []migrate.Finding) {
	if len(findings) == 0 {
		return
	}
	heading(b, "Findings")
	for _, f := range findings {
		writeFinding(b, f)
	}
}
