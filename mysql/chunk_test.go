package mysql

import (
	"database/sql"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

// keyTable is a table of InnoDB with a column of each kind and the indexes.
func keyTable(indexes ...schema.Index) *schema.Table {
	column := func(name, kind string) schema.Column {
		return schema.Column{Name: name, NotNull: true, Type: schema.Type{Name: kind}}
	}
	t := schema.Table{Name: "t", StorageEngine: "InnoDB", Indexes: indexes, Columns: []schema.Column{
		column("id", "bigint"), column("a", "int"), column("b", "varchar"), column("f", "double"), column("e", "enum"), column("y", "year"),
	}}
	t.Columns = append(t.Columns,
		schema.Column{Name: "n", Type: schema.Type{Name: "int"}},
		schema.Column{Name: "v", NotNull: true, Type: schema.Type{Name: "int"}, Generated: schema.GeneratedVirtual},
		schema.Column{Name: "s", NotNull: true, Type: schema.Type{Name: "int"}, Generated: schema.GeneratedStored},
	)
	return &t
}

// keyIndex is a unique index of columns; "PRIMARY" names the primary key.
func keyIndex(name string, columns ...string) schema.Index {
	x := schema.Index{Name: name, Primary: name == "PRIMARY", Unique: true, Method: "btree"}
	for _, c := range columns {
		x.Parts = append(x.Parts, schema.IndexPart{Column: c})
	}
	return x
}

// with changes an index.
func with(x schema.Index, change func(*schema.Index)) schema.Index {
	change(&x)
	return x
}

func TestChunkKeyOf(t *testing.T) {
	for _, tc := range []struct {
		name  string
		table *schema.Table
		index string // empty when there is no key
		parts int
	}{
		{"primary key", keyTable(keyIndex("PRIMARY", "id"), keyIndex("u", "a")), "PRIMARY", 1},
		{"two columns, of another case", keyTable(keyIndex("PRIMARY", "ID", "b")), "PRIMARY", 2},
		{"the second is a float", keyTable(keyIndex("PRIMARY", "id", "f", "a")), "PRIMARY", 1},
		{"a float", keyTable(keyIndex("PRIMARY", "f", "id")), "", 0},
		{"an enum", keyTable(keyIndex("PRIMARY", "e")), "", 0},
		{"a year, of which 1 to 99 mean others", keyTable(keyIndex("PRIMARY", "y")), "", 0},
		{"stored", keyTable(keyIndex("PRIMARY", "s")), "PRIMARY", 1},
		{"only a unique index", keyTable(keyIndex("u", "a", "id"), keyIndex("nulls", "n")), "u", 2},
		{"two unique indexes, one of which orders the rows", keyTable(keyIndex("u", "a"), keyIndex("w", "id")), "", 0},
		{"two, and one cannot be split", keyTable(keyIndex("u", "a"), keyIndex("w", "f")), "", 0},
		{"NULLs", keyTable(keyIndex("u", "n")), "", 0},
		{"virtual", keyTable(keyIndex("u", "v")), "", 0},
		{"a beginning", keyTable(with(keyIndex("PRIMARY", "b"), func(x *schema.Index) { x.Parts[0].Prefix = 9 }), keyIndex("u", "id")), "", 0},
		{"descending", keyTable(with(keyIndex("PRIMARY", "id", "a"), func(x *schema.Index) { x.Parts[1].Descending = true })), "", 0},
		{"an expression", keyTable(with(keyIndex("u", ""), func(x *schema.Index) { x.Parts[0].Expression = "a + 1" })), "", 0},
		{"a hash", keyTable(with(keyIndex("u", "a"), func(x *schema.Index) { x.Method = "hash" })), "", 0},
		{"ignored", keyTable(with(keyIndex("u", "a"), func(x *schema.Index) { x.Invisible = true })), "", 0},
		{"not unique", keyTable(with(keyIndex("k", "a"), func(x *schema.Index) { x.Unique = false })), "", 0},
		{"no index", keyTable(), "", 0},
		{"another engine", func() *schema.Table {
			t := keyTable(keyIndex("PRIMARY", "id"))
			t.StorageEngine = "Aria"
			return t
		}(), "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key, ok := ChunkKeyOf(tc.table)
			if ok != (tc.index != "") || key.Index != tc.index && ok || len(key.parts) != tc.parts && ok {
				t.Errorf("%t, index %q, %d parts", ok, key.Index, len(key.parts))
			}
		})
	}
}

func TestChunkKeyWhere(t *testing.T) {
	key, ok := ChunkKeyOf(keyTable(keyIndex("PRIMARY", "id", "a", "b")))
	if !ok {
		t.Fatal("no key")
	}
	for _, tc := range []struct {
		name         string
		lower, upper Bound
		want         string
	}{
		{"everything", nil, nil, ""},
		{"from", Bound{"1"}, nil, "`id` >= 1"},
		{"to", nil, Bound{"-7"}, "`id` < -7"},
		{"between", Bound{"1"}, Bound{"7"}, "`id` >= 1 AND `id` < 7"},
		{"two columns", Bound{"1", "2"}, nil, "(`id` > 1 OR (`id` = 1 AND `a` >= 2))"},
		{
			"three columns", nil,
			Bound{"1", "2", "_latin1 X'61'"},
			"(`id` < 1 OR (`id` = 1 AND (`a` < 2 OR (`a` = 2 AND `b` < _latin1 X'61'))))",
		},
		{"unlike lengths", Bound{"1"}, Bound{"1", "2"}, "`id` >= 1 AND (`id` < 1 OR (`id` = 1 AND `a` < 2))"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := Range{Lower: tc.lower, Upper: tc.upper}
			want := Selection{Where: tc.want, Index: "PRIMARY", OrderBy: []string{"id", "a", "b"}}
			if diff := cmp.Diff(want, key.Selection(r)); diff != "" {
				t.Error(diff)
			}
			if err := key.Fits(r); err != nil {
				t.Error(err)
			}
		})
	}
	if err := key.Fits(Range{Upper: Bound{"1", "2", "3", "4"}}); err == nil {
		t.Error("four columns fit a key of three")
	}
}

func TestKeyColumnValue(t *testing.T) {
	for _, tc := range []struct {
		name    string
		column  keyColumn
		fields  []string
		literal string
		number  string
	}{
		{"integer", keyColumn{kind: keyNumber}, []string{"-9223372036854775808"}, "-9223372036854775808", "-9223372036854775808"},
		{"zerofill", keyColumn{kind: keyNumber}, []string{"00000000042"}, "42", "42"},
		{"unsigned", keyColumn{kind: keyNumber}, []string{"18446744073709551615"}, "18446744073709551615", "18446744073709551615"},
		{"decimal", keyColumn{kind: keyNumber, scale: 3}, []string{"-0.050"}, "-0.050", "-50"},
		{"large decimal", keyColumn{kind: keyNumber, scale: 1}, []string{"12345678901234567890123.4"}, "12345678901234567890123.4", "123456789012345678901234"},
		{"date", keyColumn{kind: keyTime, layout: time.DateOnly}, []string{"1970-01-02"}, "'1970-01-02'", "86400"},
		{"month of zero", keyColumn{kind: keyTime, layout: time.DateOnly}, []string{"1970-00-00"}, "'1970-00-00'", "0"},
		{"zero date", keyColumn{kind: keyTime, layout: time.DateOnly}, []string{"0000-00-00"}, "'0000-00-00'", "-62167219200"},
		{"fraction", keyColumn{kind: keyTime, layout: time.DateTime, scale: 2}, []string{"1970-01-01 00:01:00.05"}, "'1970-01-01 00:01:00.05'", "6005"},
		{"zero timestamp", keyColumn{kind: keyTime, layout: time.DateTime, epoch: true}, []string{"0000-00-00 00:00:00"}, "'0000-00-00 00:00:00'", "0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := tc.column.value(tc.fields)
			if err != nil || v.literal != tc.literal || v.number.String() != tc.number {
				t.Errorf("%+v, %v", v, err)
			}
		})
	}
	for _, tc := range []struct {
		column keyColumn
		fields []string
	}{
		{keyColumn{kind: keyNumber}, []string{""}},
		{keyColumn{kind: keyTime}, []string{"yesterday"}},
		{keyColumn{kind: keyTime}, []string{"2020-01-01 00:00:00:00"}},
		{keyColumn{kind: keyTime, scale: 1}, []string{"2020-01-01 00:00:00.25"}},
		{keyColumn{kind: keyBinary}, []string{"0"}},
		{keyColumn{kind: keyText}, []string{"61", "6", "latin1", "latin1_bin"}},
		{keyColumn{}, []string{"1"}},
	} {
		if v, err := tc.column.value(tc.fields); err == nil {
			t.Errorf("%q is read as %v", tc.fields, v)
		}
	}
}

func TestCandidates(t *testing.T) {
	binary := func(text string) keyValue { return keyValue{literal: "X'high'", text: text} }
	number := func(n int64) keyValue { return keyValue{literal: "high", number: big.NewInt(n)} }
	for _, tc := range []struct {
		name      string
		column    keyColumn
		low, high keyValue
		want      []string
	}{
		{"numbers", keyColumn{kind: keyNumber}, number(-5), number(10), []string{"3", "high"}},
		{"neighbours", keyColumn{kind: keyNumber}, number(4), number(5), []string{"5", "high"}},
		{"negative neighbours", keyColumn{kind: keyNumber}, number(-5), number(-4), []string{"-4", "high"}},
		{"decimals", keyColumn{kind: keyNumber, scale: 2}, number(-3), number(2), []string{"0.00", "high"}},
		{"dates", keyColumn{kind: keyTime, layout: time.DateOnly}, number(0), number(86400 * 60), []string{"'1970-01-31'", "high"}},
		{"times", keyColumn{kind: keyTime, layout: time.DateTime, scale: 3}, number(-2), number(1), []string{"'1970-01-01 00:00:00.000'", "high"}},
		{"before 1970", keyColumn{kind: keyTime, layout: time.DateTime, scale: 3}, number(-4), number(-2), []string{"'1969-12-31 23:59:59.997'", "high"}},
		{"binaries", keyColumn{kind: keyBinary}, binary("ab\x00"), binary("ab\xff"), []string{"X'61627f80000000000000'", "X'high'"}},
		{"binaries of unlike length", keyColumn{kind: keyBinary}, binary(""), binary("\x01"), []string{"X'0080000000000000'", "X'high'"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.column.candidates(tc.low, tc.high, nil)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// caseless is an alphabet without a difference of case and without the letter ž.
func caseless() *alphabet {
	sample := sampleLetters()
	weights := make([]sql.NullString, len(sample))
	for i, r := range sample {
		weights[i] = sql.NullString{Valid: true, String: string(r)}
		if r >= 'A' && r <= 'Z' {
			weights[i].String = string(r + 'a' - 'A')
		}
		if r == 'ž' {
			weights[i].String = "?"
		}
	}
	return newAlphabet(sample, weights)
}

func TestAlphabet(t *testing.T) {
	a := caseless()
	if !a.same('A', 'a') || a.same('a', 'b') || !a.same('漢', '漢') || a.same('漢', '字') || a.same(-1, 'a') {
		t.Error("letters are not told apart as the weights do")
	}
	if _, ok := a.slots['ž']; ok || !slices.IsSortedFunc(a.letters, func(x, y rune) int { return a.slots[x] - a.slots[y] }) {
		t.Error("the letters are not those that the character set has, in order")
	}
	for _, tc := range []struct {
		name, low, high string
		want            []string
	}{
		{"first letters", "apple", "Egg", []string{"C", "E", "Eg"}},
		{"case alone", "apple", "APPLE", nil},
		{"one beginning", "Apple", "aPPs", []string{"aPPP", "aPPs"}},
		{"neighbours, and then others", "az", "ba", []string{"b", "ba"}},
		{"an accent in front", "E1", "é9x", []string{"È", "é", "é5", "é9"}},
		{"the end of one", "ab", "abé", []string{"abA", "abé"}},
		{"letters that are not known", "\u4e00", "\u4e10", []string{"\u4e08", "\u4e10"}},
		{"surrogates are no letters", "\ud7f0", "\ue000x", []string{"\ue000", "\ue000/", "\ue000x"}},
		{"the other way round", "zebra", "Čapek", []string{"ä", "Č", "Ča"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, a.between(tc.low, tc.high)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
