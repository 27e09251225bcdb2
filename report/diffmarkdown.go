package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
)

const (
	// markdownLimit is the longest comment that GitHub takes, in characters; bytes are more.
	markdownLimit = 65536
	// markdownReserve is kept for the sentence about what is not shown.
	markdownReserve = 512
	// cellLimit bounds each text, so that one long expression does not push out the rest.
	cellLimit = 300
)

// markdownReport writes differences for a comment of a pull request. Where they
// are too many, the worst are shown.
type markdownReport struct {
	b strings.Builder
	// left is how many bytes there is room for.
	left int
}

func diffMarkdown(w io.Writer, r *drift.Result, opts DiffOptions) error {
	m := &markdownReport{left: markdownLimit - markdownReserve}
	m.head(r)
	hidden := m.groups(groups(r.Changes))
	m.notices(r.Notices)
	if opts.Verbose {
		m.ignored(r)
		m.known(r.Known)
	}
	m.hints(hintsOf(r.Changes))
	if hidden > 0 {
		fmt.Fprintf(&m.b, "\n**%s not shown here**, since there is no room; `moodledb diff` lists all of them, as text or with `--format html` or `--format json`.\n",
			pluralDifferences(hidden))
	}
	return flush(w, &m.b)
}

func pluralDifferences(n int) string {
	if n == 1 {
		return "1 difference is"
	}
	return countText(int64(n)) + " differences are"
}

// add writes a text when there is room for it.
func (m *markdownReport) add(text string) bool {
	if len(text) > m.left {
		return false
	}
	m.left -= len(text)
	m.b.WriteString(text)
	return true
}

func (m *markdownReport) head(r *drift.Result) {
	n := count(r)
	title := n.found()
	if title == "No differences" {
		title = "no differences"
	}
	m.add("## moodledb diff: " + title + "\n\n")
	for _, f := range diffFacts(r) {
		if f.name == "prefix" {
			f.value = markdownCode(f.value)
		} else {
			f.value = markdownText(f.value)
		}
		if f.value != "" {
			m.add(fmt.Sprintf("- %s: %s\n", f.name, f.value))
		}
	}
	if rest := n.rest(); rest != "" {
		m.add("- besides: " + rest + "\n")
	}
	if v := verdict(r); v != "" {
		m.add("\n" + v + "\n")
	}
}

// groups writes a table for each component, and returns how many rows there was no room for.
func (m *markdownReport) groups(all []group) int {
	lines, hidden := m.choose(all)
	for i, g := range all {
		if len(lines[i]) > 0 {
			m.b.WriteString(markdownGroup(g.title) + strings.Join(lines[i], ""))
		}
	}
	return hidden
}

// choose makes the rows that there is room for, the worst first, in the order of
// the groups. A third of the room is left for what comes after them.
func (m *markdownReport) choose(all []group) (lines [][]string, hidden int) {
	made, shown := make([][]string, len(all)), make([][]bool, len(all))
	severities := make([][]diff.Severity, len(all))
	for i, g := range all {
		for _, t := range g.tables {
			for _, row := range t.rows {
				made[i] = append(made[i], markdownRow(row))
				severities[i] = append(severities[i], row.severity)
			}
		}
		shown[i] = make([]bool, len(made[i]))
	}
	room := m.left * 2 / 3
	started := make([]bool, len(all))
	for _, s := range diff.Severities() {
		for i := range all {
			for j, line := range made[i] {
				need := len(line)
				if !started[i] {
					need += len(markdownGroup(all[i].title))
				}
				if severities[i][j] != s || need > room {
					continue
				}
				room -= need
				m.left -= need
				started[i], shown[i][j] = true, true
			}
		}
	}
	lines = make([][]string, len(all))
	for i := range made {
		for j, line := range made[i] {
			if shown[i][j] {
				lines[i] = append(lines[i], line)
			} else {
				hidden++
			}
		}
	}
	return lines, hidden
}

func markdownGroup(title string) string {
	return "\n### " + markdownText(title) + "\n\n| severity | table | object | difference | code |\n| --- | --- | --- | --- | --- |\n"
}

func markdownRow(row diffRow) string {
	text := markdownText(row.message)
	if row.expected != "" && row.found != "" {
		text += "<br>expected " + markdownCode(row.expected) + ", found " + markdownCode(row.found)
	} else if d := row.detail(); d != "" {
		text += "<br>" + markdownText(d)
	}
	if row.place != "" {
		text += "<br>" + markdownCode(row.place)
	}
	if row.hint != "" {
		text += "<br>" + markdownText(row.hint)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | `%s` |\n", row.severity, markdownCode(row.table), markdownCode(row.object), text, row.code)
}

// hints explains the codes; [markdownReport.add] leaves out what there is no room for.
func (m *markdownReport) hints(specs []diff.Spec) {
	var lines []string
	for _, s := range specs {
		lines = append(lines, fmt.Sprintf("- [`%s`](%s): %s\n", s.Code, docsURL(s.Code), markdownText(s.Hint)))
	}
	m.details("What to do", lines)
}

func (m *markdownReport) notices(notices []drift.Notice) {
	var lines []string
	for _, n := range notices {
		line := fmt.Sprintf("- %s: ", n.Severity)
		if n.File != "" {
			line += markdownCode(noticePlace(n)) + ": "
		}
		line += fmt.Sprintf("%s (`%s`)", markdownText(n.Message), n.Code)
		if n.Hint != "" {
			line += "; " + markdownText(n.Hint)
		}
		lines = append(lines, line+"\n")
	}
	if len(lines) > 0 && m.add("\n### Notices\n\n") {
		m.lines(lines)
	}
}

func (m *markdownReport) ignored(r *drift.Result) {
	var lines []string
	for _, x := range r.Ignored {
		lines = append(lines, fmt.Sprintf("- %s (`%s`): %s, %s\n", markdownText(oneText(x.Change)), x.Change.Code,
			markdownText(x.Rule.Reason), markdownCode(fmt.Sprintf("%s:%d", x.Rule.File, x.Rule.Line))))
	}
	m.details("Ignored by rules", lines)
}

func (m *markdownReport) known(changes []diff.Change) {
	var lines []string
	for _, c := range changes {
		lines = append(lines, fmt.Sprintf("- %s (`%s`)\n", markdownText(oneText(c)), c.Code))
	}
	m.details("Known by the baseline", lines)
}

// details writes a list that is folded up at first.
func (m *markdownReport) details(title string, lines []string) {
	const end = "\n</details>\n"
	if len(lines) == 0 || !m.add("\n<details><summary>"+title+"</summary>\n\n") {
		return
	}
	m.left -= len(end)
	m.lines(lines)
	m.b.WriteString(end)
}

// lines writes what there is room for, and how many lines are left out.
func (m *markdownReport) lines(lines []string) {
	const more = "- … and %d more\n"
	m.left -= len(more) + 8 // digits of the number
	for i, line := range lines {
		if !m.add(line) {
			fmt.Fprintf(&m.b, more, len(lines)-i)
			return
		}
	}
	m.left += len(more) + 8
}

// markdownCode shows a name as code. In code nothing has a meaning but backticks, and
// the bars and backslashes of tables; names with those are HTML.
func markdownCode(s string) string {
	s = clip(printable(s), cellLimit)
	switch {
	case strings.TrimSpace(s) == "":
		return s
	case !strings.ContainsAny(s, "`|\\") && s == strings.TrimSpace(s):
		return "`" + s + "`"
	default:
		return "<code>" + markdownText(s) + "</code>"
	}
}

// markdownText makes text of s: letters, digits, blanks and harmless signs stay,
// all else becomes an HTML entity, which Markdown never takes for markup. Code hosts
// find mentions of people and of issues in the finished page, so a blank of no width follows those signs.
func markdownText(s string) string {
	var b strings.Builder
	runes := []rune(clip(printable(s), cellLimit))
	for i, r := range runes {
		switch {
		case r >= 0x80 || isWord(byte(r)) && r != '_' || strings.ContainsRune(" ,;/()'\"=%?", r):
			b.WriteRune(r)
		case r == '_' && i > 0 && i < len(runes)-1 && isLetter(runes[i-1]) && isLetter(runes[i+1]):
			b.WriteRune(r) // inside of a word it has no meaning
		case (r == '-' || r == '.' || r == ':') && i > 0 && isLetter(runes[i-1]) && !beginsLink(runes[:i], runes[i:]):
			b.WriteRune(r)
		case r == '@' && i > 0 && isLetter(runes[i-1]):
			b.WriteString("&#64;") // an address, and nobody's name
		case r == '@' || r == '#':
			fmt.Fprintf(&b, "&#%d;&#8203;", r)
		default:
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

func isLetter(r rune) bool { return r < 0x80 && r != '_' && isWord(byte(r)) }

// beginsLink reports whether a sign makes a link of the text around it: www. and http:.
func beginsLink(before, rest []rune) bool {
	return rest[0] == '.' && strings.HasSuffix(strings.ToLower(string(before)), "www") || len(rest) > 1 && rest[0] == ':' && rest[1] == '/'
}

// clip cuts a long text.
func clip(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return string(runes[:limit-1]) + "…"
}
