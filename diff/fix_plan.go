package diff

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/moodledb/moodledb/schema"
)

// fixRounds bounds how often [Repair] looks at what its own fixes bring about.
// A fix of a fix of a fix has not been seen.
const fixRounds = 3

// Repair puts together the fixes of changes. The dialect's function plan makes
// fixes for some changes of the schema now, and changes now as they will change the database.
//
// Fixes have consequences: an index over a column that was missing is missing
// once the column is there, and an index that stood in for a primary key is one
// too many beside it. So what the fixes leave behind is compared again, and what
// is new there is planned as well. What the first comparison found, but changes do
// not hold, was accepted by somebody and is left alone.
func Repair(
	want, have *schema.Schema, changes []Change, opts Options, plan func(now *schema.Schema, changes []Change) []Fix,
) []Fix {
	now := copySchema(have)
	known := map[string]bool{}
	for _, c := range Schemas(want, have, opts) {
		known[fixKey(c)] = true
	}
	for _, c := range changes {
		known[fixKey(c)] = true
	}
	var fixes []Fix
	for range fixRounds {
		fixes = append(fixes, plan(&now, changes)...)
		now.Sort()
		changes = nil
		for _, c := range Schemas(want, &now, opts) {
			if key := fixKey(c); !known[key] {
				known[key] = true
				changes = append(changes, c)
			}
		}
		if len(changes) == 0 {
			break
		}
	}
	slices.SortStableFunc(fixes, func(a, b Fix) int { return cmp.Compare(a.Stage, b.Stage) })
	for i := range fixes {
		f := &fixes[i]
		f.Note = oneLine(f.Note)
		slices.Sort(f.Codes)
		f.Codes = slices.Compact(f.Codes)
	}
	return fixes
}

// fixKey tells changes apart.
func fixKey(c Change) string {
	return strings.Join([]string{string(c.Code), c.Table, c.Object, c.Want, c.Have}, "\x00")
}

// oneLine keeps a note on the line of its comment, whatever the names in it hold.
func oneLine(note string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, note)
}

// copySchema copies what fixes change.
func copySchema(s *schema.Schema) schema.Schema {
	c := *s
	c.Tables, c.Views, c.Sequences = slices.Clone(s.Tables), slices.Clone(s.Views), slices.Clone(s.Sequences)
	for i := range c.Tables {
		t := &c.Tables[i]
		t.Columns, t.Indexes, t.ForeignKeys = slices.Clone(t.Columns), slices.Clone(t.Indexes), slices.Clone(t.ForeignKeys)
		t.Checks, t.Triggers = slices.Clone(t.Checks), slices.Clone(t.Triggers)
		for j := range t.Indexes {
			t.Indexes[j].Parts = slices.Clone(t.Indexes[j].Parts)
		}
		for j := range t.ForeignKeys {
			t.ForeignKeys[j].Columns = slices.Clone(t.ForeignKeys[j].Columns)
			t.ForeignKeys[j].RefColumns = slices.Clone(t.ForeignKeys[j].RefColumns)
		}
	}
	return c
}

// FixedColumn is the found column have with that of the expected column want
// which the codes are about: what was accepted stays. Where the type becomes one of
// another kind, the default and the collation come with it.
func FixedColumn(want, have schema.Column, codes []Code) schema.Column {
	fixed := have
	for _, code := range codes {
		switch code {
		case ColumnRenamed:
			fixed.Name = want.Name
		case ColumnNullable, ColumnNotNull:
			fixed.NotNull = want.NotNull
		case ColumnDefault, ColumnDefaultMissing, ColumnDefaultExtra:
			fixed.Default = want.Default
		case ColumnOnUpdate:
			fixed.OnUpdate = want.OnUpdate
		case ColumnInvisible:
			fixed.Invisible = want.Invisible
		case ColumnCharset, ColumnCollation:
			fixed.Charset, fixed.Collation = want.Charset, want.Collation
		case ColumnGenerated:
			fixed.Generated, fixed.Expression = want.Generated, want.Expression
			fixed.Default, fixed.NotNull, fixed.Type = want.Default, want.NotNull, want.Type
			fixed.AutoIncrement = want.AutoIncrement
		case ColumnAutoIncrementMissing, ColumnAutoIncrementExtra, ColumnIdentity:
			fixed.AutoIncrement, fixed.Identity = want.AutoIncrement, ""
			fixed.Sequence, fixed.SequenceOwned = want.Sequence, want.SequenceOwned
			fixed.Default = want.Default
			if want.AutoIncrement {
				fixed.NotNull = true
			}
		case ColumnUnsigned:
			fixed.Type.Unsigned, fixed.Type.Zerofill = want.Type.Unsigned, want.Type.Zerofill
		default: // of the type, which follows
		}
	}
	if slices.ContainsFunc(codes, isTypeCode) {
		fixed.Type = want.Type
	}
	fixType(&fixed, &want, &have)
	return fixed
}

// isTypeCode reports whether a code is about the type of a column, and not only about its sign.
func isTypeCode(code Code) bool {
	switch code {
	case ColumnType, ColumnTypeUnknown, ColumnIntegerNarrow, ColumnIntegerWide, ColumnLengthShort, ColumnLengthLong,
		ColumnNotVarchar, ColumnTextSmall, ColumnDecimalNarrow, ColumnDecimalWide, ColumnFloating:
		return true
	default:
		return false
	}
}

// fixType makes what hangs on the type fit the new one.
func fixType(fixed, want, have *schema.Column) {
	if fixed.Type.Name == have.Type.Name && fixed.Type.Scale == have.Type.Scale && fixed.Generated == have.Generated {
		return
	}
	if fixed.Type.Name != have.Type.Name {
		fixed.OnUpdate = want.OnUpdate
		if want.Collation == "" || have.Collation == "" {
			fixed.Charset, fixed.Collation = want.Charset, want.Collation
		}
	}
	if !fixed.AutoIncrement {
		fixed.Default = want.Default
	}
}
