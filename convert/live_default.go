package convert

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/moodledb/moodledb/schema"
)

// sameLiteral keeps the text of a default, if PostgreSQL can store it at all.
func sameLiteral(text string, _ schema.Type) (string, bool) {
	return text, utf8.ValidString(text) && !strings.Contains(text, "\x00")
}

// noLiteral is for types that have no literal default.
func noLiteral(string, schema.Type) (string, bool) { return "", false }

// numberLiteral spells a number as PostgreSQL takes it. Zerofill and YEAR print
// zeros before it, and a float may have an exponent.
func numberLiteral(text string, _ schema.Type) (string, bool) {
	if number, ok := numberText(text); ok {
		return number, true
	}
	if _, err := strconv.ParseFloat(text, 64); err != nil || strings.ContainsAny(text, "xXpPiInN_") {
		return "", false
	}
	return text, true
}

// bitLiteral reads bits, as they are or as b'101', and fills them up on the left.
func bitLiteral(text string, t schema.Type) (string, bool) {
	bits := strings.TrimSuffix(strings.TrimPrefix(text, "b'"), "'")
	width := int(bitLength(t, 1))
	if bits = strings.TrimLeft(bits, "0"); strings.Trim(bits, "01") != "" || len(bits) > width {
		return "", false
	}
	return strings.Repeat("0", width-len(bits)) + bits, true
}

// byteLiteral spells bytes as PostgreSQL's hex form; BINARY(n) is filled up with zero bytes.
func byteLiteral(text string, t schema.Type) (string, bool) {
	if t.Name == "binary" && int64(len(text)) < t.Length {
		text += strings.Repeat("\x00", int(t.Length)-len(text))
	}
	return fmt.Sprintf(`\x%x`, text), true
}

// dateLiteral keeps a date that exists: PostgreSQL knows no zero date.
func dateLiteral(text string, t schema.Type) (string, bool) {
	if t.Name == "date" {
		_, err := encodeDate(nil, []byte(text))
		return text, err == nil
	}
	_, err := encodeTimestamp(6)(nil, []byte(text))
	return text, err == nil
}

// instantLiteral adds the zone: sessions at the source are in UTC.
func instantLiteral(text string, t schema.Type) (string, bool) {
	text, ok := dateLiteral(text, t)
	return text + "+00", ok
}

// currentTime matches the ways to say CURRENT_TIMESTAMP, with an optional number of digits.
var currentTime = regexp.MustCompile(`^(?:current_timestamp|now|localtime|localtimestamp)(?:\((\d?)\))?$`)

// quoted matches one string of MySQL with an optional introducer such as _utf8mb4.
var quoted = regexp.MustCompile(`^(?:_[a-z0-9]+ ?)?'((?:[^'\\]|'')*)'$`)

// defaultOf translates the default of a column for its type on PostgreSQL;
// false when there is none that means the same.
func (r *Rule) defaultOf(c *schema.Column, to schema.Type) (schema.Default, bool) {
	switch c.Default.Kind {
	case schema.NoDefault:
		return schema.Default{}, true
	case schema.LiteralDefault:
		text, ok := r.literal(c.Default.Text, c.Type)
		return schema.Literal(text), ok
	case schema.ExpressionDefault:
		return r.expression(strings.TrimSpace(c.Default.Text), c.Type, to)
	}
	return schema.Default{}, false
}

// expression translates the few expressions that applications use.
func (r *Rule) expression(text string, from, to schema.Type) (schema.Default, bool) {
	for strings.HasPrefix(text, "(") && closes(text) == len(text)-1 {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	if strings.HasPrefix(text, "_") {
		// The catalog of MySQL prints a string within an expression as _utf8mb4\'text\'.
		text = strings.ReplaceAll(text, `\'`, `'`)
	}
	word := strings.ToLower(text)
	if word == "null" {
		return schema.Default{}, true
	}
	if m := currentTime.FindStringSubmatch(word); m != nil {
		return currentDefault(m[1], to)
	}
	if m := quoted.FindStringSubmatch(text); m != nil {
		literal, ok := r.literal(strings.ReplaceAll(m[1], "''", "'"), from)
		return schema.Literal(literal), ok
	}
	if _, ok := numberText(word); ok {
		literal, ok := r.literal(text, from)
		return schema.Literal(literal), ok
	}
	character := to.Name == "character varying" || to.Name == "text"
	whole := intBits(to.Name) > 0 || to.Name == "numeric"
	switch word = strings.TrimSuffix(word, "()"); {
	case (word == "curdate" || word == "current_date") && to.Name == "date":
		return schema.Expression("CURRENT_DATE"), true
	case word == "uuid" && to.Name == "uuid":
		return schema.Expression("gen_random_uuid()"), true
	case word == "uuid" && character && (to.Length == 0 || to.Length >= 36):
		return schema.Expression("(gen_random_uuid())::text"), true
	case word == "unix_timestamp" && whole && to.Name != "smallint":
		return schema.Expression("floor(EXTRACT(epoch FROM CURRENT_TIMESTAMP))"), true
	case word == "json_array" && (to.Name == "json" || character):
		return schema.Literal("[]"), true
	case word == "json_object" && (to.Name == "json" || character):
		return schema.Literal("{}"), true
	case word == "rand" && (to.Name == "double precision" || to.Name == "real"):
		return schema.Expression("random()"), true
	case word == "true" && whole:
		return schema.Literal("1"), true
	case word == "false" && whole:
		return schema.Literal("0"), true
	}
	return schema.Default{}, false
}

// currentDefault is CURRENT_TIMESTAMP for a temporal type. The session's zone
// decides what a timestamp without one gets, as at the source.
func currentDefault(digits string, to schema.Type) (schema.Default, bool) {
	switch to.Name {
	case "timestamp without time zone", "timestamp with time zone":
	case "date":
		return schema.Expression("CURRENT_DATE"), true
	default:
		return schema.Default{}, false
	}
	if digits == "" {
		digits = "0"
	}
	return schema.Expression("CURRENT_TIMESTAMP(" + digits + ")"), true
}

// closes returns where the parenthesis that opens text is closed, or -1.
func closes(text string) int {
	depth := 0
	var quote byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
