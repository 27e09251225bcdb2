package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
)

// maxValue is how many characters of a value a line of text shows.
const maxValue = 60

func verifyText(w io.Writer, r *proof.Result, opts VerifyOptions) error {
	var b strings.Builder
	b.WriteString(printable(verifyVerdict(r)) + "\n\n")
	writeFacts(&b, verifyFacts(r))
	writeRepaired(&b, r.Repaired)
	writeDifferent(&b, r, opts)
	writeUnknown(&b, r)
	writeObjects(&b, r.Objects)
	writeNotCompared(&b, r.Left)
	writeLegal(&b, r.Legal)
	writeList(&b, "Notices", r.Notices)
	if opts.Mask && len(r.Tables) > 0 {
		writeList(&b, "Masked", []string{"Values are hidden, but for those of keys, by which rows are found, and for what is NULL."})
	}
	writeList(&b, "What to do", verifyHints(r))
	_, err := io.WriteString(w, withoutCommands(b.String()))
	return err
}

func writeList(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	heading(b, title)
	for _, line := range lines {
		fmt.Fprintf(b, "  %s\n", printable(line))
	}
}

// writeRepaired lists the tables that were repaired before.
func writeRepaired(b *strings.Builder, repaired []proof.RepairedTable) {
	if len(repaired) == 0 {
		return
	}
	heading(b, "Repaired before this comparison")
	t := newTable([]string{"table", "inserted", "deleted", "updated", "problem"}, "inserted", "deleted", "updated")
	for _, x := range repaired {
		t.AppendRow(table.Row{printable(x.Table), countText(x.Inserted), countText(x.Deleted), countText(x.Updated), oneLine(x.Problem)})
	}
	b.WriteString(t.Render() + "\n")
}

// writeDifferent lists the tables that differ, and then the rows of each.
func writeDifferent(b *strings.Builder, r *proof.Result, opts VerifyOptions) {
	t := newTable([]string{"table", "missing", "extra", "changed", "rows expected", "rows found", "parts that differ"},
		"missing", "extra", "changed", "rows expected", "rows found", "parts that differ")
	found := false
	for i := range r.Tables {
		if x := &r.Tables[i]; x.State == verify.Different {
			found = true
			t.AppendRow(table.Row{
				printable(x.Name), countText(x.Missing), countText(x.Extra), countText(x.Changed),
				countText(x.Expected.Rows), countText(x.Found.Rows), ofAll(x.DifferentParts, x.Parts),
			})
		}
	}
	if !found {
		return
	}
	heading(b, "Tables that differ")
	b.WriteString(t.Render() + "\n")
	for i := range r.Tables {
		if r.Tables[i].State == verify.Different {
			writeDifferences(b, &r.Tables[i], opts)
		}
	}
}

// writeDifferences lists the rows of a table that differ.
func writeDifferences(b *strings.Builder, x *verify.TableResult, opts VerifyOptions) {
	title := printable(x.Name)
	if rows := differing(x.Missing, x.Extra, x.Changed); rows != "" {
		title += ": " + rows
	}
	heading(b, title)
	if len(x.Differences) > 0 {
		t := newTable([]string{"row", "key", "column", "expected", "found"})
		for i := range x.Differences {
			appendDifference(t, &x.Differences[i], opts.Mask)
		}
		b.WriteString(t.Render() + "\n")
	}
	if rest := x.Missing + x.Extra + x.Changed - listedRows(x); rest > 0 && len(x.Differences) > 0 {
		fmt.Fprintf(b, "… and %s\n", plural(rest, "more row"))
	}
	if x.Problem != "" {
		fmt.Fprintf(b, "note: %s\n", oneLine(x.Problem))
	}
}

// appendDifference adds the lines of one row. A row of one side only takes a
// single line, for a row may have a hundred columns.
func appendDifference(t table.Writer, d *verify.Difference, mask bool) {
	kind := string(d.Kind)
	if d.Times > 1 {
		kind += fmt.Sprintf(", %s times", countText(d.Times))
	}
	key := keyText(d.Key)
	if d.Kind != verify.ChangedRow {
		expected, found := "", ""
		if d.Kind == verify.MissingRow {
			expected = rowValues(d, mask)
		} else {
			found = rowValues(d, mask)
		}
		t.AppendRow(table.Row{kind, key, "", expected, found})
		return
	}
	for i := range d.Columns {
		c := &d.Columns[i]
		expected, found := sideBySide(shownValue(c.Expected, mask), shownValue(c.Found, mask))
		if note := furtherOn(c, mask); note != "" {
			found += " " + note
		}
		t.AppendRow(table.Row{kind, key, printable(c.Column), expected, found})
		kind, key = "", ""
	}
}

// keyText names a row by its key.
func keyText(key []verify.NamedValue) string {
	if len(key) == 0 {
		return "(no key)"
	}
	parts := make([]string, len(key))
	for i := range key {
		parts[i] = printable(key[i].Column + "=" + shownValue(&key[i].Value, false))
	}
	return strings.Join(parts, ", ")
}

// rowValues is the beginning of a row that one side has.
func rowValues(d *verify.Difference, mask bool) string {
	if mask {
		return "(hidden)"
	}
	var parts []string
	for i := range d.Columns {
		v := d.Columns[i].Expected
		if v == nil {
			v = d.Columns[i].Found
		}
		parts = append(parts, d.Columns[i].Column+"="+shownValue(v, false))
	}
	return clipped([]rune(printable(strings.Join(parts, ", "))))
}

// shownValue is a value for people.
func shownValue(v *verify.Value, mask bool) string {
	switch {
	case v == nil:
		return "(no row)"
	case v.Null:
		return "NULL"
	case mask:
		return fmt.Sprintf("(hidden, %s)", plural(v.Size, "byte"))
	default:
		return printable(v.Text)
	}
}

// furtherOn says that two values differ behind what is shown of them; else it is empty.
func furtherOn(c *verify.ColumnDifference, mask bool) string {
	if mask || c.Expected == nil || c.Found == nil || c.Expected.Null || c.Found.Null || c.Expected.Text != c.Found.Text {
		return ""
	}
	return "(differs further on)"
}

// sideBySide shortens two values to what fits a line, so that the place where they differ is shown.
func sideBySide(expected, found string) (shownExpected, shownFound string) {
	a, b := []rune(expected), []rune(found)
	if len(a) <= maxValue && len(b) <= maxValue {
		return expected, found
	}
	same := 0
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	const before = 12
	if same > maxValue/2 && same < max(len(a), len(b)) {
		cut := same - before
		a, b = append([]rune("…"), a[cut:]...), append([]rune("…"), b[cut:]...)
	}
	return clipped(a), clipped(b)
}

func clipped(r []rune) string {
	if len(r) <= maxValue {
		return string(r)
	}
	return string(r[:maxValue-1]) + "…"
}

func oneLine(s string) string { return printable(strings.ReplaceAll(s, "\n", "; ")) }

// writeUnknown lists the tables that could not be compared.
func writeUnknown(b *strings.Builder, r *proof.Result) {
	t := newTable([]string{"table", "why"})
	found := false
	for i := range r.Tables {
		switch x := &r.Tables[i]; x.State {
		case verify.Same, verify.Different:
		default:
			found = true
			t.AppendRow(table.Row{printable(x.Name), oneLine(x.Problem)})
		}
	}
	if found {
		heading(b, "Could not be compared")
		b.WriteString(t.Render() + "\n")
	}
}

// writeObjects lists what is not right beyond rows.
func writeObjects(b *strings.Builder, objects []proof.ObjectDifference) {
	if len(objects) == 0 {
		return
	}
	heading(b, "Beyond rows")
	for i := range objects {
		o := &objects[i]
		fmt.Fprintf(b, "  %s: %s%s [%s]\n", o.State, objectPlace(o), printable(o.Message), printable(o.Code))
		for line := range strings.Lines(o.Hint) {
			fmt.Fprintf(b, "    %s\n", printable(strings.TrimRight(line, "\r\n")))
		}
	}
}

// objectPlace names the object that a line is about.
func objectPlace(o *proof.ObjectDifference) string {
	switch {
	case o.Table != "" && o.Object != "" && o.Table != o.Object:
		return printable(o.Table+"."+o.Object) + ": "
	case o.Table+o.Object == "":
		return ""
	case o.Table != "":
		return printable(o.Table) + ": "
	default:
		return printable(o.Object) + ": "
	}
}

// writeNotCompared lists tables and columns that were left out.
func writeNotCompared(b *strings.Builder, left []proof.LeftOut) {
	if len(left) == 0 {
		return
	}
	heading(b, "Not compared")
	t := newTable([]string{"table", "column", "side", "counts as", "why"})
	for _, l := range leftLines(left) {
		t.AppendRow(table.Row{printable(l.table), printable(l.column), l.side, l.state, printable(l.reason)})
	}
	b.WriteString(t.Render() + "\n")
}

// writeLegal lists differences that are known and right.
func writeLegal(b *strings.Builder, legal []proof.Legal) {
	if len(legal) == 0 {
		return
	}
	heading(b, "Known and right")
	t := newTable([]string{"table", "kind", "rows", "what"}, "rows")
	for _, l := range legal {
		t.AppendRow(table.Row{printable(l.Table), printable(l.Kind), rowsOrNone(l.Rows), printable(l.Message)})
	}
	b.WriteString(t.Render() + "\n")
}
