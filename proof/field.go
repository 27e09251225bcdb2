package proof

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// field is how one side gives a column in the type in which it is compared. It
// follows from the column and that type alone.
type field struct {
	column string
	// expression is SQL of the side's dialect.
	expression string
	// rule encodes what MySQL or MariaDB send.
	rule convert.ValueRule
}

// fieldOf makes the field of a column for an engine.
func fieldOf(engine schema.Engine, c *schema.Column, typ string) (field, error) {
	if engine.IsMySQL() {
		return mysqlField(c, typ)
	}
	return postgresField(c, typ), nil
}

// mysqlField makes the field of a column of MySQL or MariaDB. Values that the
// type cannot hold are no errors: see [unfit].
func mysqlField(c *schema.Column, typ string) (field, error) {
	target := schema.Column{Name: c.Name, Type: parseType(typ)}
	source := *c
	if kind(c.Type.Name) == kindOther && typ == "text" {
		source.Type = schema.Type{Name: "longtext"} // as it is printed
	}
	rule, err := convert.Value(source, target)
	if err != nil {
		return field{}, err
	}
	rule.MaxChars = 0
	if rule.Encode != nil {
		rule.Encode = unfit(rule.Encode)
	}
	return field{column: c.Name, expression: rule.Expression(mysql.QuoteIdent(c.Name)), rule: rule}, nil
}

// postgresField makes the field of a column of PostgreSQL.
func postgresField(c *schema.Column, typ string) field {
	expression := postgres.QuoteIdent(c.Name)
	if name := parseType(typ).Name; plainName(c.Type) != plainName(schema.Type{Name: name}) {
		// By way of the smallest of them, since there is no cast to all.
		if c.Type.Name == "boolean" {
			expression += "::integer"
		}
		expression += "::" + typ
	}
	return field{column: c.Name, expression: expression}
}

// unfitMark begins the field of a value that the type in which it is compared
// cannot hold. It is longer than every value of a fixed size, is no UTF-8, and
// begins no value of any other type that is encoded: no field of PostgreSQL's equals it.
const unfitMark = "\xff\xff\xff\xffno value of the type:"

// unfit makes an encoder give values that it refuses as what they are, behind
// a mark, so that they are differences with a key like others.
func unfit(encode convert.Encoder) convert.Encoder {
	return func(dst, src []byte) ([]byte, error) {
		at := len(dst)
		out, err := encode(dst, src)
		if err == nil {
			return out, nil
		}
		out = append(append(out[:at], unfitMark...), src...)
		// A zero date is the same one whatever the number of its digits.
		if bytes.HasPrefix(src, []byte("0000-00-00")) {
			out = append(out[:at+len(unfitMark)], "0000-00-00"...)
		}
		return out, nil
	}
}

// canonOf is what stands between the fields of a type and their hashes.
func canonOf(typ string) fingerprint.Canon {
	if typ == "numeric" {
		return canonicalNumeric
	}
	return convert.Canonical(parseType(typ))
}

// canonicalNumeric leaves out how many digits are shown behind the point, so that 1.5 is
// 1.50: a numeric without a fixed scale keeps that, and the value does not depend on it.
func canonicalNumeric(dst, value []byte) ([]byte, error) {
	const head = 8
	dst = append(dst, value...)
	if len(value) >= head && len(value) == head+2*int(binary.BigEndian.Uint16(value)) {
		scale := dst[len(dst)-len(value)+6:]
		scale[0], scale[1] = 0, 0
	}
	return dst, nil
}

// render returns a [verify.Column.Render] that also shows values that the type cannot hold.
func render(typ string) func(start []byte, size int64) string {
	plain := verify.Render(typ)
	return func(start []byte, size int64) string {
		if rest, ok := strings.CutPrefix(string(start), unfitMark); ok {
			return convert.PrintableStart([]byte(rest), size-int64(len(unfitMark))) + " (no value of " + typ + ")"
		}
		return plain(start, size)
	}
}
