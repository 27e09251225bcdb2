package samplesite

import (
	"fmt"
	"strconv"
	"strings"
)

// number is a numeric literal that is written as it stands, so that no digit
// of a decimal is lost on the way through a float.
type number string

// expression is SQL that is written as it stands. It makes values larger than the file itself.
type expression string

// literal writes v in a form that MySQL and MariaDB read alike whatever the
// client's character set: text escaped in one line of utf8mb4, bytes as hex.
func literal(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "NULL", nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'e', -1, 64), nil
	case string:
		return quote(v), nil
	case []byte:
		if len(v) == 0 {
			return "''", nil
		}
		return fmt.Sprintf("0x%X", v), nil
	case number:
		return string(v), nil
	case expression:
		return string(v), nil
	default:
		return "", fmt.Errorf("no literal for a value of type %T", v)
	}
}

// quote makes a string literal without any line break in it, so that a line
// that ends in a semicolon always ends a statement.
func quote(s string) string {
	return "'" + strings.NewReplacer(
		"\\", `\\`, "'", `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x1a", `\Z`,
	).Replace(s) + "'"
}

// quoteIdent quotes a name.
func quoteIdent(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}
