package xmldb

import (
	"regexp"
	"slices"
	"strings"
)

// definition judges one table by the rules of creation: Moodle's
// validateDefinition and getCreateTableSQL, and what the servers themselves
// would refuse of the statement that comes out.
type definition struct {
	r *fileReader
	t *Table
	// sizes are LENGTH and DECIMALS of each field as written.
	sizes []fieldSize
	// ok: Moodle could create the table.
	ok bool
}

// strictName is what a table or column must be called.
var strictName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (d *definition) fail(code string, line int, object, format string, args ...any) {
	d.ok = false
	d.r.add(Error, code, place{line: line, table: d.t.Name, object: object}, uncreatableHint, format, args...)
}

// check judges a table that Moodle's reader accepts.
func (d *definition) check() {
	limits := d.r.limits
	if len(d.t.Name) > limits.TableName {
		d.fail("table-name-length", d.t.Line, "", "the table name %q has %d characters; the limit is %d",
			d.t.Name, len(d.t.Name), limits.TableName)
	}
	if !strictName.MatchString(d.t.Name) {
		d.fail("table-name", d.t.Line, "", "the table name %q must begin with a small letter and have only small letters, digits and underscores", d.t.Name)
	}
	for i, f := range d.t.Fields {
		d.field(f, d.sizes[i])
	}
	d.sequence()
	seen := map[string]string{}
	for _, x := range d.t.Indexes {
		if d.fullText(x) {
			continue
		}
		d.columns("index", x.Name, x.Line, x.Fields, true)
		d.repeated(seen, "index", x.Name, x.Line, x.Fields, x.Unique)
	}
	for _, k := range d.t.Keys {
		d.columns("key", k.Name, k.Line, k.Fields, k.Type != Primary)
		if k.Type != Primary {
			d.repeated(seen, "key", k.Name, k.Line, k.Fields, k.Type != Foreign)
		}
		if k.Type.IsForeign() && len(k.RefFields) != len(k.Fields) {
			d.referenceCount(k)
		}
	}
}

// field applies validateDefinition of a field.
func (d *definition) field(f Field, size fieldSize) {
	limits := d.r.limits
	if len(f.Name) > limits.ColumnName {
		d.fail("field-name-length", f.Line, f.Name, "the field name %q has %d characters; the limit is %d", f.Name, len(f.Name), limits.ColumnName)
	}
	if !strictName.MatchString(f.Name) {
		d.fail("field-name", f.Line, f.Name, "the field name %q must begin with a small letter and have only small letters, digits and underscores", f.Name)
	}
	switch f.Type {
	case Int:
		d.length(f, size, limits.Int)
		if f.Default != nil && !isNumber(*f.Default) {
			d.defaultValue(f, "an integer")
		}
	case Number:
		d.length(f, size, d.numberLimit(f))
		if f.Decimals < 0 {
			d.fail("field-decimals", f.Line, f.Name, "field %q has %d decimals", f.Name, f.Decimals)
		}
		if whole := f.Length - f.Decimals; whole > limits.Int {
			d.fail("number-whole", f.Line, f.Name, "field %q has %d digits before the point; the limit is %d", f.Name, whole, limits.Int)
		}
		d.numericDefault(f)
	case Float:
		// Without a length a float is as wide as the server makes it.
		if size.length != "" && size.length != "0" {
			d.length(f, size, limits.Float)
		}
		d.numericDefault(f)
	case Char:
		if size.hasLength && (!isNumber(size.length) || f.Length <= 0 || f.Length > limits.Char) {
			d.fail("field-length", f.Line, f.Name, "the length %q of char field %q must be from 1 to %d", size.length, f.Name, limits.Char)
		}
	case Datetime:
		if f.Default != nil && *f.Default == "" {
			d.defaultValue(f, "a point in time")
		}
	case Text, Binary, "":
	}
}

func (d *definition) length(f Field, size fieldSize, limit int) {
	if !isNumber(size.length) || f.Length <= 0 || f.Length > limit {
		d.fail("field-length", f.Line, f.Name, "the length %q of %s field %q must be from 1 to %d", size.length, f.Type, f.Name, limit)
	}
}

// numberLimit knows the one column that Moodle let be wider than its limit of 20.
func (d *definition) numberLimit(f Field) int {
	if d.r.limits.Number == 20 && d.t.Name == "question_numerical_units" && f.Name == "multiplier" {
		return 40
	}
	return d.r.limits.Number
}

func (d *definition) numericDefault(f Field) {
	if f.Default != nil && !isNumeric(*f.Default) {
		d.defaultValue(f, "a number")
	}
}

// defaultValue reports a default that does not fit. Moodle's own check lets
// an empty one through, but then the statement ends with a bare DEFAULT.
func (d *definition) defaultValue(f Field, want string) {
	d.fail("default-value", f.Line, f.Name, "the default %q of %s field %q is not %s", *f.Default, f.Type, f.Name, want)
}

// sequence applies the rules that tie a sequence to the primary key.
func (d *definition) sequence() {
	var primary *Key
	for i := range d.t.Keys {
		k := &d.t.Keys[i]
		if k.Type != Primary {
			continue
		}
		if primary != nil {
			d.fail("primary-duplicate", k.Line, k.Name, "table %q has a second primary key %q; the first is %q in line %d", d.t.Name, k.Name, primary.Name, primary.Line)
			continue
		}
		primary = k
	}
	first := ""
	for _, f := range d.t.Fields {
		switch {
		case !f.Sequence:
			continue
		case first != "":
			d.fail("sequence-duplicate", f.Line, f.Name, "field %q is a second sequence after %q; a table can have one", f.Name, first)
			continue
		}
		first = f.Name
		if f.Type != Int {
			d.fail("sequence-type", f.Line, f.Name, "field %q is a sequence and must be an int, not a %s", f.Name, f.Type)
		}
		if primary == nil || primary.Fields[0] != f.Name {
			d.fail("sequence-key", f.Line, f.Name, "field %q is a sequence and must be the first column of the primary key", f.Name)
		}
	}
	if primary == nil && first == "" {
		d.r.add(Warning, "primary-missing", place{line: d.t.Line, table: d.t.Name},
			"add a KEY of TYPE primary; Moodle creates the table without one", "table %q has no primary key", d.t.Name)
	}
}

// columns checks the fields of a key or index. sized is false for a primary
// key, whose size Moodle does not check.
func (d *definition) columns(what, name string, line int, fields []string, sized bool) {
	total := 0
	for i, n := range fields {
		if slices.Contains(fields[:i], n) {
			d.fail("field-repeated", line, name, "%s %q names field %q twice", what, name, n)
			continue
		}
		f := d.t.field(n)
		if f == nil {
			d.fail("field-unknown", line, name, "%s %q names the field %q, which table %q does not have", what, name, n, d.t.Name)
			continue
		}
		switch f.Type {
		case Text, Binary:
			d.fail("index-lob", line, name, "%s %q is on the %s field %q, which cannot be indexed", what, name, f.Type, n)
		case Char:
			if sized && f.Length > d.r.limits.IndexChars {
				d.fail("index-char-length", line, name, "%s %q is on field %q of %d characters; the limit in an index is %d",
					what, name, n, f.Length, d.r.limits.IndexChars)
			}
			total += f.Length * 3
		case Number:
			total += 12
		case Int, Float, Datetime, "":
			total += 8
		}
	}
	if sized && total > d.r.limits.IndexBytes {
		d.fail("index-length", line, name, "%s %q on (%s) takes %d bytes; the limit is %d",
			what, name, strings.Join(fields, ", "), total, d.r.limits.IndexBytes)
	}
}

// field finds a field by name.
func (t *Table) field(name string) *Field {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i]
		}
	}
	return nil
}

// repeated tells of two definitions that make equal indexes. Moodle creates both.
func (d *definition) repeated(seen map[string]string, what, name string, line int, fields []string, unique bool) {
	kind := "index"
	if unique {
		kind = "unique index"
	}
	key := kind + " (" + strings.Join(fields, ", ") + ")"
	if other, ok := seen[key]; ok {
		d.r.add(Info, "index-duplicate", place{line: line, table: d.t.Name, object: name}, "one of them can be removed",
			"%s %q makes the same %s as %s; Moodle creates both", what, name, key, other)
		return
	}
	seen[key] = what + " " + `"` + name + `"`
}

// fullText judges an index with Totara's hint; it reports whether x is one.
func (d *definition) fullText(x Index) bool {
	if !slices.Contains(x.Hints, "full_text_search") {
		return false
	}
	if !d.r.dialect.fullText {
		return false // just another hint, and then an index on a text field
	}
	fail := func(format string, args ...any) { d.fail("index-fulltext", x.Line, x.Name, format, args...) }
	if len(x.Fields) != 1 {
		fail("the full-text index %q must be on one field, not %d", x.Name, len(x.Fields))
		return true
	}
	if len(x.Hints) != 1 {
		fail("the full-text index %q must have no other hint", x.Name)
	}
	if x.Unique {
		fail("the full-text index %q cannot be unique", x.Name)
	}
	switch f := d.t.field(x.Fields[0]); {
	case f == nil:
		d.fail("field-unknown", x.Line, x.Name, "index %q names the field %q, which table %q does not have", x.Name, x.Fields[0], d.t.Name)
	case f.Type != Text:
		fail("the full-text index %q is on the %s field %q and must be on a text field", x.Name, f.Type, f.Name)
	case f.NotNull:
		fail("the full-text index %q is on field %q, which must allow nulls", x.Name, f.Name)
	}
	return true
}

// referenceCount reports a foreign key whose two sides do not match. Only an
// enforced one makes the server refuse the table.
func (d *definition) referenceCount(k Key) {
	const format = "key %q refers from %d fields to %d fields of table %q"
	if k.Enforced() {
		d.fail("key-reference", k.Line, k.Name, format, k.Name, len(k.Fields), len(k.RefFields), k.RefTable)
		return
	}
	d.r.add(Warning, "key-reference-count", place{line: k.Line, table: d.t.Name, object: k.Name},
		"make FIELDS and REFFIELDS equally long", format, k.Name, len(k.Fields), len(k.RefFields), k.RefTable)
}
