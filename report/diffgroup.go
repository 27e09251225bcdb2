package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
)

// group holds the differences of one component, as people read them.
type group struct {
	title  string
	tables []groupTable
	// at has the index of a table by its name.
	at map[string]int
}

// groupTable holds the differences of one table.
type groupTable struct {
	name string
	rows []diffRow
}

// diffRow is one line of a report: a difference, or several that are alike.
// Its texts may hold anything; each format makes them safe.
type diffRow struct {
	severity diff.Severity
	code     diff.Code
	// table and object say what it is about; object names the kind where a kind is not plain.
	table, object string
	message       string
	// expected and found are empty where the message says them already.
	expected, found string
	// place is file:line of the declaration.
	place string
	// hint is set where it is not the usual one of the code.
	hint string
}

// The titles of groups that are no components.
const (
	titleSource     = "the comparison itself"
	titleUndeclared = "not declared"
)

// groups puts differences in the order in which they are read: what went wrong
// with the comparison, the core, the plugins by name, and what nothing declares.
func groups(changes []diff.Change) []group {
	usual := usualHints()
	at := map[string]int{}
	var all []group
	for _, c := range foldOtherPrefixes(changes) {
		title := groupTitle(c.Change)
		i, ok := at[title]
		if !ok {
			i = len(all)
			at[title] = i
			all = append(all, group{title: title, at: map[string]int{}})
		}
		all[i].add(c.row(usual))
	}
	sortTitles(all, func(g group) string { return g.title })
	return all
}

// add puts a row to those of its table.
func (g *group) add(row diffRow) {
	i, ok := g.at[row.table]
	if !ok {
		i = len(g.tables)
		g.at[row.table] = i
		g.tables = append(g.tables, groupTable{name: row.table})
	}
	g.tables[i].rows = append(g.tables[i].rows, row)
}

// sortTitles sorts groups by rank and title.
func sortTitles[T any](all []T, title func(T) string) {
	slices.SortStableFunc(all, func(a, b T) int {
		return cmp.Or(titleRank(title(a))-titleRank(title(b)), strings.Compare(title(a), title(b)))
	})
}

func groupTitle(c diff.Change) string {
	switch {
	case c.Kind == diff.KindSource:
		return titleSource
	case c.Origin.Component == "":
		return titleUndeclared
	default:
		return c.Origin.Component
	}
}

func titleRank(title string) int {
	if i := slices.Index([]string{titleSource, "core"}, title); i >= 0 {
		return i
	}
	if title == titleUndeclared {
		return 3
	}
	return 2
}

// usualHints are the hints of the codes.
func usualHints() map[diff.Code]string {
	hints := map[diff.Code]string{}
	for _, s := range diff.Codes() {
		hints[s.Code] = s.Hint
	}
	return hints
}

// folded is a difference that may stand for others.
type folded struct {
	diff.Change
	// prefix and tables are set where it stands for all tables of another prefix.
	prefix string
	tables []string
}

// foldOtherPrefixes makes one entry of all tables that seem to have the same
// other prefix: another application in the same database is one thing to know.
func foldOtherPrefixes(changes []diff.Change) []folded {
	var out []folded
	at := map[string]int{}
	for _, c := range changes {
		if c.Code != diff.TableOtherPrefix {
			out = append(out, folded{Change: c})
			continue
		}
		prefix := guessPrefix(c.Table)
		key := c.Origin.Component + "\x00" + prefix
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, folded{Change: c, prefix: prefix})
		}
		out[i].tables = append(out[i].tables, c.Table)
	}
	return out
}

// guessPrefix is the name up to its first underscore; empty when there is none.
func guessPrefix(table string) string {
	if i := strings.Index(table, "_"); i > 0 {
		return table[:i+1]
	}
	return ""
}

// foldedNames is how many names stand for the tables of another prefix.
const foldedNames = 3

func (f folded) row(usual map[diff.Code]string) diffRow {
	c := f.Change
	if len(f.tables) > 1 {
		return diffRow{
			severity: c.Severity, code: c.Code, table: f.foldedTitle(), object: kindText(c.Kind), message: f.foldedMessage(),
			hint: specificHint(c, usual),
		}
	}
	row := diffRow{
		severity: c.Severity, code: c.Code, table: tableText(c), object: objectText(c), message: c.Message,
		place: changePlace(c), hint: specificHint(c, usual),
	}
	row.expected, row.found = unsaid(c)
	return row
}

// text is all that it stands for, in one sentence.
func (f folded) text() string {
	if len(f.tables) > 1 {
		return f.foldedMessage()
	}
	return oneText(f.Change)
}

func (f folded) foldedTitle() string {
	if f.prefix == "" {
		return "tables without a prefix"
	}
	return f.prefix + "*"
}

func (f folded) foldedMessage() string {
	names := strings.Join(f.tables[:min(foldedNames, len(f.tables))], ", ")
	if len(f.tables) > foldedNames {
		names += ", …"
	}
	if f.prefix == "" {
		return fmt.Sprintf("%d tables without a prefix: %s", len(f.tables), names)
	}
	return fmt.Sprintf("%d tables of the prefix %s: %s", len(f.tables), f.prefix, names)
}

// specificHint is the hint of a difference when it is not the one of its code.
func specificHint(c diff.Change, usual map[diff.Code]string) string {
	if c.Hint == usual[c.Code] {
		return ""
	}
	return c.Hint
}

// tableText names the table, or the file where there is none.
func tableText(c diff.Change) string {
	switch {
	case c.Table != "":
		return c.Table
	case c.Origin.File != "":
		return c.Origin.File
	default:
		return "database"
	}
}

// objectText says what of the table a difference is about. Columns go by their
// bare names; names of indexes say little, so that their columns stand beside them.
func objectText(c diff.Change) string {
	switch c.Kind {
	case diff.KindColumn:
		return c.Object
	case diff.KindPrimaryKey:
		// MySQL's name of it is always PRIMARY, and others tell nothing.
		return kindText(c.Kind) + columnsText(c.Columns)
	case diff.KindSource, diff.KindDefinition:
		if c.Object != "" {
			return c.Object + columnsText(c.Columns)
		}
		return kindText(c.Kind)
	default:
		text := kindText(c.Kind)
		if c.Object != "" {
			text += " " + c.Object
		}
		return text + columnsText(c.Columns)
	}
}

// kindText is the word for a kind.
func kindText(k diff.Kind) string { return strings.ReplaceAll(string(k), "-", " ") }

// columnsText lists columns in brackets, after a blank; nothing when there are none.
func columnsText(columns []string) string {
	if len(columns) == 0 {
		return ""
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		if names[i] = c; c == "" {
			names[i] = "expression"
		}
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// changePlace is file:line of the declaration; empty when there is none.
func changePlace(c diff.Change) string {
	switch {
	case c.Origin.File == "":
		return ""
	case c.Origin.Line > 0:
		return fmt.Sprintf("%s:%d", c.Origin.File, c.Origin.Line)
	default:
		return c.Origin.File
	}
}

// unsaid returns what was expected and found, as far as the message does not say it.
func unsaid(c diff.Change) (expected, found string) {
	expected, found = c.Expected, c.Found
	columns := strings.TrimSpace(columnsText(c.Columns)) // which stand beside the object
	if says(c.Message, expected) || expected == columns {
		expected = ""
	}
	if says(c.Message, found) || found == columns {
		found = ""
	}
	// What is missing or too many in the whole needs no second word for it.
	if expected == "none" || expected == "a table" {
		expected = ""
	}
	if found == "none" {
		found = ""
	}
	return expected, found
}

// says reports whether a message has the phrase as words of its own.
func says(message, phrase string) bool {
	if phrase == "" {
		return true
	}
	for rest := message; ; {
		before, after, ok := strings.Cut(rest, phrase)
		if !ok {
			return false
		}
		if !endsInWord(before) && !beginsWithWord(after) {
			return true
		}
		rest = after
	}
}

func endsInWord(s string) bool     { return s != "" && isWord(s[len(s)-1]) }
func beginsWithWord(s string) bool { return s != "" && isWord(s[0]) }

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// detail is what was expected and found, in a few words; empty when the message says all.
func (r diffRow) detail() string {
	switch {
	case r.code == diff.DefinitionInvalid && r.found != "":
		return "rule " + r.found // the finding of package xmldb
	case r.expected != "" && r.found != "":
		return fmt.Sprintf("expected %s, found %s", r.expected, r.found)
	case r.expected != "":
		return "expected " + r.expected
	case r.found != "":
		return "found " + r.found
	default:
		return ""
	}
}

// oneText is a difference in one sentence, for formats that have one field for it.
func oneText(c diff.Change) string {
	row := folded{Change: c}.row(nil)
	text := row.table
	if !isTable(c) {
		text += ", " + row.object
	}
	text += ": " + c.Message
	if d := row.detail(); d != "" {
		text += " (" + d + ")"
	}
	return text
}

// isTable reports whether a difference is about a table or view as a whole.
func isTable(c diff.Change) bool {
	return (c.Kind == diff.KindTable || c.Kind == diff.KindView) && c.Object == ""
}

// codesOf lists the codes that occur, in the order of [diff.Codes].
func codesOf(lists ...[]diff.Change) []diff.Spec {
	seen := map[diff.Code]bool{}
	for _, list := range lists {
		for _, c := range list {
			seen[c.Code] = true
		}
	}
	var specs []diff.Spec
	for _, s := range diff.Codes() {
		if seen[s.Code] {
			specs = append(specs, s)
		}
	}
	return specs
}

// hintsOf lists the usual hints of the codes whose differences have no better one.
func hintsOf(changes []diff.Change) []diff.Spec {
	usual := usualHints()
	return codesOf(slices.DeleteFunc(slices.Clone(changes), func(c diff.Change) bool {
		return c.Hint == "" || specificHint(c, usual) != ""
	}))
}

// ignoredChanges are the differences that rules ignore, without their rules.
func ignoredChanges(r *drift.Result) []diff.Change {
	changes := make([]diff.Change, len(r.Ignored))
	for i, x := range r.Ignored {
		changes[i] = x.Change
	}
	return changes
}

// docsURL is where the codes are explained.
func docsURL(code diff.Code) string {
	return "https://github.com/moodledb/moodledb/blob/main/docs/drift.md#" + string(code)
}
