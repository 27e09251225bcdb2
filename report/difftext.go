package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
)

// The layout of a difference: longer objects and messages push what follows to
// the right on their own line only.
const (
	rowIndent     = "    "
	severityWidth = len("warning")
	maxObject     = 36
	maxMessage    = 64
	// minMessage is the least width to wrap to; in a terminal as narrow as that, lines are cut by it.
	minMessage = 24
)

// textReport writes differences as text.
type textReport struct {
	b    strings.Builder
	opts DiffOptions
}

func diffText(w io.Writer, r *drift.Result, opts DiffOptions) error {
	t := &textReport{opts: opts}
	writeFacts(&t.b, diffFacts(r))
	t.groups(groups(r.Changes))
	t.hints(hintsOf(r.Changes))
	if opts.Verbose {
		t.ignored(r)
		t.known(r.Known)
	}
	t.notices(r.Notices)
	t.end(r)
	_, err := io.WriteString(w, withoutCommands(t.b.String()))
	return err
}

// withoutCommands breaks what the runner of GitHub's actions would take for a
// command in the log of a job: "::" at the beginning of a line, "##[" anywhere.
func withoutCommands(out string) string {
	if strings.Contains(out, "##[") {
		out = strings.ReplaceAll(out, "##[", "##\ufffd[")
	}
	if !strings.Contains(out, "::") {
		return out
	}
	var b strings.Builder
	for line := range strings.Lines(out) {
		if rest := strings.TrimLeft(line, " "); strings.HasPrefix(rest, "::") {
			line = line[:len(line)-len(rest)] + "\ufffd" + rest
		}
		b.WriteString(line)
	}
	return b.String()
}

func (t *textReport) groups(all []group) {
	for _, g := range all {
		heading(&t.b, t.bold(printable(g.title)))
		width := columnWidths(g)
		for _, table := range g.tables {
			fmt.Fprintf(&t.b, "  %s\n", printable(table.name))
			for _, row := range table.rows {
				t.row(row, width)
			}
		}
	}
}

// widths are those of the columns of a group.
type widths struct{ object, message, code int }

func columnWidths(g group) widths {
	var w widths
	for _, table := range g.tables {
		for _, row := range table.rows {
			w.object = max(w.object, min(textWidth(row.object), maxObject))
			w.message = max(w.message, min(textWidth(row.message), maxMessage))
			w.code = max(w.code, len(row.code)+len("[]"))
		}
	}
	return w
}

func (t *textReport) row(row diffRow, w widths) {
	before := len(rowIndent) + severityWidth + 2 + w.object + 2
	full := 0
	if t.opts.Width > 0 {
		full = max(minMessage, t.opts.Width-before)
		w.message = min(w.message, max(minMessage, full-w.code-2))
	}
	lines := []string{printable(row.message)}
	if t.opts.Width > 0 {
		lines = wrap(lines[0], w.message)
	}
	severity := t.severity(row.severity, pad(string(row.severity), severityWidth))
	fmt.Fprintf(&t.b, "%s%s  %s  %s  %s\n", rowIndent, severity, pad(printable(row.object), w.object), pad(lines[0], w.message), t.faint("["+string(row.code)+"]"))
	blank := strings.Repeat(" ", before)
	for _, line := range lines[1:] {
		fmt.Fprintf(&t.b, "%s%s\n", blank, line)
	}
	for _, line := range below(row) {
		for _, part := range wrap(printable(line), full) {
			fmt.Fprintf(&t.b, "%s%s\n", blank, part)
		}
	}
}

// below are the lines under a difference.
func below(row diffRow) []string {
	var lines []string
	detail := row.detail()
	switch {
	case detail != "" && row.place != "":
		lines = append(lines, detail+"; "+row.place)
	case detail != "" || row.place != "":
		lines = append(lines, detail+row.place)
	}
	if row.hint != "" {
		lines = append(lines, "hint: "+strings.ReplaceAll(row.hint, "\n", " "))
	}
	return lines
}

// hints writes what to do, once for each code.
func (t *textReport) hints(specs []diff.Spec) {
	if len(specs) == 0 {
		return
	}
	heading(&t.b, t.bold("What to do"))
	width := 0
	for _, s := range specs {
		width = max(width, len(s.Code))
	}
	full := 0
	if t.opts.Width > 0 {
		full = max(minMessage, t.opts.Width-2-width-2)
	}
	for _, s := range specs {
		for i, line := range wrap(printable(s.Hint), full) {
			code := ""
			if i == 0 {
				code = string(s.Code)
			}
			fmt.Fprintf(&t.b, "  %s  %s\n", pad(code, width), line)
		}
	}
}

func (t *textReport) ignored(r *drift.Result) {
	if len(r.Ignored) == 0 {
		return
	}
	heading(&t.b, t.bold("Ignored by rules"))
	for _, x := range r.Ignored {
		fmt.Fprintf(&t.b, "  %s [%s]\n    %s:%d: %s\n", printable(oneText(x.Change)), x.Change.Code,
			printable(x.Rule.File), x.Rule.Line, printable(x.Rule.Reason))
	}
}

func (t *textReport) known(changes []diff.Change) {
	if len(changes) == 0 {
		return
	}
	heading(&t.b, t.bold("Known by the baseline"))
	for _, c := range changes {
		fmt.Fprintf(&t.b, "  %s [%s]\n", printable(oneText(c)), c.Code)
	}
}

func (t *textReport) notices(notices []drift.Notice) {
	if len(notices) == 0 {
		return
	}
	heading(&t.b, t.bold("Notices"))
	for _, n := range notices {
		place := ""
		if n.File != "" {
			place = printable(noticePlace(n)) + ": "
		}
		fmt.Fprintf(&t.b, "  %s: %s%s [%s]\n", t.severity(n.Severity, string(n.Severity)), place, printable(n.Message), printable(n.Code))
		if n.Hint != "" {
			fmt.Fprintf(&t.b, "    %s\n", printable(n.Hint))
		}
	}
}

func noticePlace(n drift.Notice) string {
	if n.Line > 0 {
		return fmt.Sprintf("%s:%d", n.File, n.Line)
	}
	return n.File
}

func (t *textReport) end(r *drift.Result) {
	fmt.Fprintf(&t.b, "\n%s\n", t.bold(count(r).summary()+"."))
	if v := verdict(r); v != "" {
		t.b.WriteString(v + "\n")
	}
}

// severity colours a text as a severity is coloured.
func (t *textReport) severity(s diff.Severity, text string) string {
	return t.colored(text, severityColors(s))
}

func severityColors(s diff.Severity) text.Colors {
	switch s {
	case diff.Error:
		return text.Colors{text.FgRed, text.Bold}
	case diff.Warning:
		return text.Colors{text.FgYellow}
	default:
		return text.Colors{text.FgCyan}
	}
}

func (t *textReport) bold(s string) string  { return t.colored(s, text.Colors{text.Bold}) }
func (t *textReport) faint(s string) string { return t.colored(s, text.Colors{text.Faint}) }

// colored does not leave it to go-pretty whether there are colours: the caller
// has decided, and go-pretty looks at the environment only.
func (t *textReport) colored(s string, colors text.Colors) string {
	if !t.opts.Color {
		return s
	}
	return text.Escape(s, colors.EscapeSeq())
}

// pad fills up to a width with blanks.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-textWidth(s)))
}

// textWidth is the number of columns that a text takes in a terminal.
func textWidth(s string) int { return text.StringWidthWithoutEscSequences(printable(s)) }

// wrap breaks a line at blanks so that its parts fit a width, where they can; 0 leaves it whole.
func wrap(line string, width int) []string {
	if width <= 0 || textWidth(line) <= width {
		return []string{line}
	}
	var lines []string
	current := ""
	for _, word := range strings.Fields(line) {
		switch {
		case current == "":
			current = word
		case textWidth(current)+1+textWidth(word) <= width:
			current += " " + word
		default:
			lines = append(lines, current)
			current = word
		}
	}
	if current != "" {
		lines = append(lines, current)
	}
	if len(lines) == 0 {
		return []string{""}
	}
	return lines
}
