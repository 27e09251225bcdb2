package verify_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/moodledb/moodledb/verify"
)

// upper is a canonical form in which case does not matter.
func upper(dst, field []byte) ([]byte, error) { return append(dst, bytes.ToUpper(field)...), nil }

// drawTable draws a table's columns and its key: none, a bigint, a text, or both.
func drawTable(t *rapid.T) verify.Table {
	table := verify.Table{Name: "t", Parts: []verify.Part{{}}}
	for i, typ := range []string{"bigint", "text", "text", "text"} {
		table.Columns = append(table.Columns, verify.Column{Name: fmt.Sprintf("c%d", i), Type: typ})
	}
	switch rapid.SampledFrom([]string{"none", "bigint", "parts", "text", "both"}).Draw(t, "key") {
	case "bigint":
		table.Columns[0].Key = true
	case "parts":
		table.Columns[0].Key = true
		table.Parts = ranges(-1, 3, 20)
	case "text":
		table.Columns[1].Key = true
	case "both":
		table.Columns[0].Key, table.Columns[1].Key = true, true
	}
	for i := 1; i < len(table.Columns); i++ {
		if rapid.Bool().Draw(t, "canon") {
			table.Columns[i].Canon = upper
		}
	}
	return table
}

// drawRow draws a row of few possible values, so that rows and keys are often alike.
func drawRow(t *rapid.T) row {
	text := rapid.SampledFrom([][]byte{nil, {}, []byte("a"), []byte("A"), []byte("a "), []byte("b")})
	r := row{number(rapid.Int64Range(-5, 40).Draw(t, "id"))}
	if rapid.IntRange(0, 30).Draw(t, "null id") == 0 {
		r[0] = nil
	}
	for range 3 {
		r = append(r, text.Draw(t, "text"))
	}
	return r
}

// damage changes rows in some of the ways in which copies go wrong.
func damage(t *rapid.T, rows []row) []row {
	out := slices.Clone(rows)
	for range rapid.IntRange(0, 6).Draw(t, "faults") {
		fresh := drawRow(t)
		if len(out) < 2 {
			out = append(out, fresh)
			continue
		}
		i, j := rapid.IntRange(0, len(out)-1).Draw(t, "i"), rapid.IntRange(0, len(out)-1).Draw(t, "j")
		k := rapid.IntRange(0, 3).Draw(t, "k")
		switch rapid.SampledFrom([]string{"cell", "swap", "remove", "double", "add", "add twice", "column"}).Draw(t, "fault") {
		case "cell":
			out[i] = slices.Clone(out[i])
			out[i][k] = fresh[k]
		case "swap":
			out[i], out[j] = slices.Clone(out[i]), slices.Clone(out[j])
			out[i][k], out[j][k] = out[j][k], out[i][k]
		case "remove":
			out = slices.Delete(out, i, i+1)
		case "double":
			out = append(out, out[i])
		case "add":
			out = append(out, fresh)
		case "add twice": // an exclusive or would not notice
			out = append(out, fresh, fresh)
		case "column":
			for n := range out {
				out[n] = slices.Clone(out[n])
				out[n][1+k%3] = append([]byte("x"), out[n][1+k%3]...)
			}
		}
	}
	return out
}

// naive is what a comparison must say.
type naive struct {
	missing, extra, changed int64
	// list has the differences as text; ambiguous says that rows could be paired in several ways.
	list      []string
	ambiguous bool
}

// text makes one text of the fields for which use is true, in canonical form.
func text(table *verify.Table, r row, use func(c *verify.Column) bool) string {
	var b strings.Builder
	for i := range table.Columns {
		c := &table.Columns[i]
		if !use(c) {
			continue
		}
		switch {
		case r[i] == nil:
			b.WriteString("NULL,")
		case c.Canon != nil:
			fmt.Fprintf(&b, "%q,", bytes.ToUpper(r[i]))
		default:
			fmt.Fprintf(&b, "%q,", r[i])
		}
	}
	return b.String()
}

// compareNaively compares all rows with maps.
func compareNaively(table *verify.Table, expected, found []row) naive {
	keyed := slices.ContainsFunc(table.Columns, func(c verify.Column) bool { return c.Key })
	whole := func(*verify.Column) bool { return true }
	key := func(c *verify.Column) bool { return c.Key || !keyed }
	rows := map[string]map[string]int64{}
	samples := map[string]row{}
	for side, list := range [][]row{expected, found} {
		for _, r := range list {
			k, w := text(table, r, key), text(table, r, whole)
			if rows[k] == nil {
				rows[k] = map[string]int64{}
			}
			rows[k][w] += int64(1 - 2*side)
			samples[w] = r
		}
	}
	var n naive
	for _, of := range rows {
		var left [2][]string
		var times [2]int64
		for w, by := range of {
			if by > 0 {
				left[0], times[0] = append(left[0], w), times[0]+by
			} else if by < 0 {
				left[1], times[1] = append(left[1], w), times[1]-by
			}
		}
		changed := min(times[0], times[1])
		n.changed += changed
		n.missing += times[0] - changed
		n.extra += times[1] - changed
		if len(left[0]) > 1 || len(left[1]) > 1 || changed > 0 && times[0] != times[1] {
			n.ambiguous = true
			continue
		}
		if len(left[0])+len(left[1]) > 0 {
			n.list = append(n.list, describe(table, keyed, samples, left, max(times[0], times[1])))
		}
	}
	slices.Sort(n.list)
	return n
}

// describe writes a difference as [told] does.
func describe(table *verify.Table, keyed bool, samples map[string]row, left [2][]string, times int64) string {
	var both [2]row
	for side := range left {
		if len(left[side]) > 0 {
			both[side] = samples[left[side][0]]
		}
	}
	of, kind := both[0], verify.MissingRow
	switch {
	case of == nil:
		of, kind = both[1], verify.ExtraRow
	case both[1] != nil:
		kind = verify.ChangedRow
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d key %s:", kind, times, text(table, of, func(c *verify.Column) bool { return c.Key }))
	for i := range table.Columns {
		c := &table.Columns[i]
		this := func(o *verify.Column) bool { return o == c }
		if kind == verify.ChangedRow && text(table, both[0], this) == text(table, both[1], this) || c.Key {
			continue
		}
		fmt.Fprintf(&b, " %s", c.Name)
		for _, r := range both {
			if r != nil {
				b.WriteString(" " + text(table, r, this))
			}
		}
	}
	return b.String()
}

// told writes the differences of a result, with values in canonical form.
func told(table *verify.Table, result *verify.TableResult) []string {
	canon := func(name string) bool {
		return slices.ContainsFunc(table.Columns, func(c verify.Column) bool { return c.Name == name && c.Canon != nil })
	}
	value := func(name string, v verify.Value) string {
		if v.Null {
			return "NULL,"
		}
		if canon(name) {
			return strings.ToUpper(v.Text) + ","
		}
		return v.Text + ","
	}
	var out []string
	for _, d := range result.Differences {
		var b strings.Builder
		fmt.Fprintf(&b, "%s %d key ", d.Kind, d.Times)
		for _, k := range d.Key {
			b.WriteString(value(k.Column, k.Value))
		}
		b.WriteString(":")
		for _, c := range d.Columns {
			fmt.Fprintf(&b, " %s", c.Column)
			for _, v := range []*verify.Value{c.Expected, c.Found} {
				if v != nil {
					b.WriteString(" " + value(c.Column, *v))
				}
			}
		}
		out = append(out, b.String())
	}
	slices.Sort(out)
	return out
}

// TestCompareIsRight: whatever differs, in tables of every kind of key, with
// however little memory, is found as a comparison with maps finds it.
func TestCompareIsRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := drawTable(t)
		var expected []row
		for range rapid.SampledFrom([]int{0, 1, 5, 60}).Draw(t, "rows") {
			expected = append(expected, drawRow(t))
		}
		found := damage(t, expected)
		// 1 byte means as little as can be: 16 buckets, and 16 rows in memory.
		o := verify.Options{
			Jobs: rapid.IntRange(1, 3).Draw(t, "jobs"), MaxDifferences: 1000,
			Memory: rapid.SampledFrom([]int64{1, 5000, 1 << 20}).Draw(t, "memory"),
		}
		seed := rapid.Uint64Range(0, 3).Draw(t, "seed")
		results, err := verify.Compare(t.Context(), memory{map[string][]row{"t": expected}, 0}, memory{map[string][]row{"t": found}, seed}, []verify.Table{table}, o)
		if err != nil || len(results) != 1 {
			t.Fatalf("%d results, error %v", len(results), err)
		}
		r, want := results[0], compareNaively(&table, expected, found)
		if r.Problem != "" {
			t.Fatal(r.Problem)
		}
		if r.Missing != want.missing || r.Extra != want.extra || r.Changed != want.changed {
			t.Errorf("%d missing, %d extra, %d changed, not %d, %d, %d", r.Missing, r.Extra, r.Changed, want.missing, want.extra, want.changed)
		}
		if r.Expected.Rows != int64(len(expected)) || r.Found.Rows != int64(len(found)) || r.Parts != len(table.Parts) {
			t.Errorf("%d and %d rows in %d parts", r.Expected.Rows, r.Found.Rows, r.Parts)
		}
		differs := want.missing+want.extra+want.changed > 0
		if (r.State == verify.Different) != differs || (r.DifferentParts > 0) != differs {
			t.Errorf("%s, %d parts differ", r.State, r.DifferentParts)
		}
		if got := told(&table, &r); !want.ambiguous && !slices.Equal(got, want.list) {
			t.Errorf("differences:\n%s\nnot:\n%s", strings.Join(got, "\n"), strings.Join(want.list, "\n"))
		}
	})
}
