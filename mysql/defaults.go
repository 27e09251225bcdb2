package mysql

import (
	"database/sql"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/moodledb/moodledb/schema"
)

// parseDefault reads COLUMN_DEFAULT. MariaDB writes what DDL would say: a quoted
// text, a number, an expression or NULL. MySQL writes the bare value, and says in
// EXTRA when it is an expression.
func parseDefault(engine schema.Engine, t schema.Type, text sql.NullString, extra string) schema.Default {
	if !text.Valid {
		return schema.Default{}
	}
	s := text.String
	if bits, ok := bitLiteral(s); ok && t.Name == "bit" {
		return schema.Literal(bits)
	}
	if engine == schema.MariaDB {
		if s == "NULL" {
			return schema.Default{}
		}
		return parseDefaultSQL(t, s)
	}
	switch {
	case strings.Contains(strings.ToUpper(extra), "DEFAULT_GENERATED"):
		return parseDefaultSQL(t, unescapeCatalog(s))
	case isTemporal(t.Name) && strings.HasPrefix(strings.ToUpper(s), "CURRENT_TIMESTAMP"):
		return schema.Expression(normalExpression(s)) // MySQL 5.7 says nothing in EXTRA
	case t.Name == "binary" || t.Name == "varbinary":
		// MySQL 8 prints bytes in hexadecimal, and cuts them at the first NUL.
		if digits, ok := strings.CutPrefix(s, "0x"); ok {
			s = decodeHex(digits, s)
		}
	}
	return schema.Literal(normalLiteral(t, s))
}

// parseDefaultSQL tells a literal from an expression.
func parseDefaultSQL(t schema.Type, s string) schema.Default {
	s = normalExpression(s)
	if t.Name == "binary" || t.Name == "varbinary" {
		if digits, ok := strings.CutPrefix(s, "x'"); ok && strings.HasSuffix(digits, "'") { // MariaDB 11
			return schema.Literal(normalLiteral(t, decodeHex(strings.TrimSuffix(digits, "'"), s)))
		}
	}
	if value, rest, ok := unquote(s); ok && rest == "" {
		return schema.Literal(normalLiteral(t, value))
	}
	if isNumber(s) {
		return schema.Literal(normalLiteral(t, s))
	}
	return schema.Expression(s)
}

// decodeHex decodes hexadecimal digits; what is none stays as it was written.
func decodeHex(digits, written string) string {
	b, err := hex.DecodeString(digits)
	if err != nil {
		return written
	}
	return string(b)
}

var numberLiteral = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

// isNumber reports whether s is a number literal.
func isNumber(s string) bool { return numberLiteral.MatchString(s) }

// bitLiteral reads b'101'.
func bitLiteral(s string) (bits string, ok bool) {
	if !strings.HasPrefix(s, "b'") || !strings.HasSuffix(s, "'") || len(s) < 3 {
		return "", false
	}
	return s[2 : len(s)-1], true
}

// normalLiteral spells a value the same on both servers: without the zeros of
// ZEROFILL, and without the padding of BINARY.
func normalLiteral(t schema.Type, s string) string {
	switch t.Name {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		if !isNumber(s) {
			return s
		}
		digits := strings.TrimLeft(strings.TrimPrefix(s, "-"), "0")
		switch {
		case digits == "":
			return "0"
		case strings.HasPrefix(s, "-"):
			return "-" + digits
		default:
			return digits
		}
	case "binary":
		return strings.TrimRight(s, "\x00")
	default:
		return s
	}
}

// unescapeCatalog undoes what MySQL's catalogs do to expressions: each byte of
// a character beyond ASCII is a character of its own, and quotes and backslashes
// have a backslash in front.
func unescapeCatalog(s string) string {
	s = joinBytes(s)
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			b.WriteByte(unescapeByte(s[i]))
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// joinBytes makes UTF-8 of a text whose characters are the bytes of UTF-8. Any
// other text stays as it is.
func joinBytes(s string) string {
	joined := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return s
		}
		joined = append(joined, byte(r))
	}
	if !utf8.Valid(joined) {
		return s
	}
	return string(joined)
}

// normalExpression spells an expression the same on both servers as far as
// that needs no parser: MySQL's character set introducers and outer parentheses
// go, and the present time has one name.
func normalExpression(s string) string {
	s = cutIntroducers(strings.TrimSpace(s))
	for strings.HasPrefix(s, "(") && closingParen(s) == len(s)-1 {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	lower := strings.ToLower(s)
	for _, name := range []string{"current_timestamp", "now", "localtime", "localtimestamp"} {
		rest, ok := strings.CutPrefix(lower, name)
		if !ok {
			continue
		}
		digits := strings.TrimSuffix(strings.TrimPrefix(rest, "("), ")")
		switch {
		case rest == "" && name != "now", rest == "()":
			return "CURRENT_TIMESTAMP"
		case rest == "("+digits+")" && strings.Trim(digits, "0123456") == "":
			return "CURRENT_TIMESTAMP(" + digits + ")"
		}
	}
	return s
}

// cutIntroducers drops _utf8mb4 in front of string literals. MySQL adds it to
// every literal that it stores; it says what the connection's character set says anyway.
func cutIntroducers(s string) string {
	const introducer = "_utf8mb4'"
	if !strings.Contains(s, introducer) {
		return s
	}
	var b strings.Builder
	for s != "" {
		n := quotedLength(s)
		switch {
		case n > 0:
			b.WriteString(s[:n])
			s = s[n:]
		case strings.HasPrefix(s, introducer):
			s = s[len(introducer)-1:]
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return b.String()
}

// quotedLength returns the length of the string literal or quoted identifier at the start of s; 0 when there is none.
func quotedLength(s string) int {
	quote := s[0]
	if quote != '\'' && quote != '"' && quote != '`' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quote != '`':
			i++
		case s[i] == quote && i+1 < len(s) && s[i+1] == quote:
			i++
		case s[i] == quote:
			return i + 1
		}
	}
	return len(s)
}

// closingParen returns the position of the parenthesis that closes the one at the start of s; -1 when none does.
func closingParen(s string) int {
	level := 0
	for i := 0; i < len(s); i++ {
		if n := quotedLength(s[i:]); n > 0 {
			i += n - 1
			continue
		}
		switch s[i] {
		case '(':
			level++
		case ')':
			level--
			if level == 0 {
				return i
			}
		}
	}
	return -1
}
