package convert

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// column computes the column of a field; false when no server could create it.
func (d *declarer) column(x *xmldb.Table, f *xmldb.Field, t *schema.Table) (schema.Column, bool) {
	c := schema.Column{
		Name: f.Name, NotNull: f.NotNull || isKeyColumn(x, f.Name),
		AllowedValues: f.AllowedValues, Origin: originAt(x, f.Line),
	}
	var ok bool
	if d.opts.Engine == schema.Postgres {
		c.Type, ok = postgresType(f)
	} else {
		c.Type, ok = mysqlType(f)
	}
	if !ok {
		d.refuse("field-type", x, f.Name, f.Line, "field %q has the type %q, for which no server has a type", f.Name, f.Type)
		return c, false
	}
	if d.opts.Engine.IsMySQL() && (f.Type == xmldb.Char || f.Type == xmldb.Text) {
		c.Charset, c.Collation = d.opts.Charset, d.opts.Collation
	}
	if f.Sequence && f.Type == xmldb.Int {
		d.serial(&c, f, t.Name)
		return c, true
	}
	c.Default, ok = d.defaultOf(f, c.Type)
	if !ok {
		d.refuse("field-default", x, f.Name, f.Line, "field %q of type %s has the default %q, which is no number: no server takes it",
			f.Name, f.Type, *f.Default)
	}
	return c, ok
}

// serial makes c count by itself. The generators say only the name and the
// pseudo-type on PostgreSQL: SERIAL up to nine digits, else BIGSERIAL. That is
// wider than the type of a plain field with less than five digits.
func (d *declarer) serial(c *schema.Column, f *xmldb.Field, table string) {
	c.AutoIncrement = true
	c.NotNull = true
	if d.opts.Engine != schema.Postgres {
		return
	}
	c.Type = plainType("bigint")
	if f.Length <= 9 {
		c.Type = plainType("integer")
	}
	c.Sequence = SequenceName(table, f.Name)
	c.SequenceOwned = true
}

// plainType is a type without length or digits.
func plainType(name string) schema.Type { return schema.Type{Name: name, Raw: name} }

// lengthType is a type with a length.
func lengthType(name string, length int64) schema.Type {
	return schema.Type{Name: name, Length: length, Raw: fmt.Sprintf("%s(%d)", name, length)}
}

// numericType is PostgreSQL's numeric, as format_type prints it.
func numericType(precision, scale int) schema.Type {
	return schema.Type{
		Name: "numeric", Precision: precision, Scale: scale,
		Raw: fmt.Sprintf("numeric(%d,%d)", precision, scale),
	}
}

// postgresType is getTypeSQL of Moodle's generator for PostgreSQL.
func postgresType(f *xmldb.Field) (schema.Type, bool) {
	switch f.Type {
	case xmldb.Int:
		switch n := intLength(f); {
		case n > 9:
			return plainType("bigint"), true
		case n > 4:
			return plainType("integer"), true
		default:
			return plainType("smallint"), true
		}
	case xmldb.Number:
		if f.Length == 0 {
			return plainType("numeric"), true
		}
		return numericType(f.Length, f.Decimals), true
	case xmldb.Float:
		if isSingle(f) {
			return plainType("real"), true
		}
		return plainType("double precision"), true
	case xmldb.Char:
		return lengthType("character varying", charLength(f)), true
	case xmldb.Text:
		return plainType("text"), true
	case xmldb.Binary:
		return plainType("bytea"), true
	case xmldb.Datetime:
		return plainType("timestamp without time zone"), true
	}
	return schema.Type{}, false
}

// mysqlType is getTypeSQL of Moodle's generator for MySQL. Names are those of
// the catalogs: NUMERIC is stored as decimal.
func mysqlType(f *xmldb.Field) (schema.Type, bool) {
	switch f.Type {
	case xmldb.Int:
		n := intLength(f)
		name := "tinyint"
		switch {
		case n > 9:
			name = "bigint"
		case n > 6:
			name = "int"
		case n > 4:
			name = "mediumint"
		case n > 2:
			name = "smallint"
		}
		return schema.Type{Name: name, Width: n, Raw: fmt.Sprintf("%s(%d)", name, n)}, true
	case xmldb.Number:
		precision := f.Length
		if precision == 0 {
			precision = 10
		}
		return schema.Type{
			Name: "decimal", Precision: precision, Scale: f.Decimals,
			Raw: fmt.Sprintf("decimal(%d,%d)", precision, f.Decimals),
		}, true
	case xmldb.Float:
		name := "double"
		if isSingle(f) {
			name = "float"
		}
		if f.Length == 0 {
			return plainType(name), true
		}
		return schema.Type{
			Name: name, Precision: f.Length, Scale: f.Decimals,
			Raw: fmt.Sprintf("%s(%d,%d)", name, f.Length, f.Decimals),
		}, true
	case xmldb.Char:
		return lengthType("varchar", charLength(f)), true
	case xmldb.Text:
		return plainType("longtext"), true
	case xmldb.Binary:
		return plainType("longblob"), true
	case xmldb.Datetime:
		return plainType("datetime"), true
	}
	return schema.Type{}, false
}

// intLength is the number of digits of an integer; the generators take 10 for none.
func intLength(f *xmldb.Field) int {
	if f.Length == 0 {
		return 10
	}
	return f.Length
}

// charLength is the length of a char; the generators take 255 for none.
func charLength(f *xmldb.Field) int64 {
	if f.Length == 0 {
		return 255
	}
	return int64(f.Length)
}

// isSingle reports whether a float is one of single precision: one to five decimals.
func isSingle(f *xmldb.Field) bool { return f.Decimals > 0 && f.Decimals < 6 }

// defaultOf is the default that the server stores; false when it takes none such.
func (d *declarer) defaultOf(f *xmldb.Field, t schema.Type) (schema.Default, bool) {
	switch f.Type {
	case xmldb.Text, xmldb.Binary:
		return schema.Default{}, true
	case xmldb.Char:
		switch {
		case f.Default != nil:
			return schema.Literal(*f.Default), true
		case f.NotNull:
			// Both generators force it: "some day this should be out!", says Moodle.
			return schema.Literal(""), true
		}
		return schema.Default{}, true
	case xmldb.Datetime:
		// The generators write the text without quotes, which only a number survives, and no date is one.
		return schema.Default{}, f.Default == nil
	default: // numbers, which follow
	}
	if f.Default == nil {
		return schema.Default{}, true
	}
	number, ok := numberText(*f.Default)
	if !ok {
		return schema.Default{}, false
	}
	if d.opts.Engine.IsMySQL() {
		number = storedNumber(number, t)
	}
	return schema.Literal(number), true
}

var plainNumber = regexp.MustCompile(`^([+-]?)0*([0-9]*)(\.[0-9]*)?$`)

// numberText spells a number as servers print it: without plus, without zeros
// before it, with a digit before the point. The digits behind the point stay,
// since PostgreSQL shows a default as it was written. False when text is none.
func numberText(text string) (string, bool) {
	m := plainNumber.FindStringSubmatch(text)
	if m == nil || !strings.ContainsAny(text, "0123456789") {
		return "", false
	}
	sign, whole, fraction := strings.TrimPrefix(m[1], "+"), m[2], strings.TrimSuffix(m[3], ".")
	if len(m[3]) > 1 {
		fraction = m[3]
	}
	if whole == "" {
		whole = "0"
	}
	if strings.Trim(whole+fraction, "0.") == "" {
		sign = ""
	}
	return sign + whole + fraction, true
}

// storedNumber is how MySQL and MariaDB store a number as the default of a type:
// rounded or padded to its scale, or, for a float without one, as short as can be.
func storedNumber(number string, t schema.Type) string {
	if t.Precision > 0 {
		exact, ok := new(big.Rat).SetString(number)
		if !ok {
			return number
		}
		return exact.FloatString(t.Scale)
	}
	if strings.Contains(number, ".") {
		return strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
	}
	return number
}
