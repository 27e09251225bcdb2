package mysql

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// parseType reads a type as the catalogs print it, such as
// "decimal(10,5) unsigned" or "enum('a','b')". A name that is not known is
// kept as it is: whoever has to convert the type decides what to say about it.
func parseType(raw string) (schema.Type, error) {
	t := schema.Type{Raw: raw}
	// MariaDB says there that a column is compressed, which readers never notice.
	text := cutVersionComments(raw)
	end := strings.IndexAny(text, " (")
	if end < 0 {
		end = len(text)
	}
	t.Name = strings.ToLower(text[:end])
	if t.Name == "" {
		return schema.Type{}, fmt.Errorf("type %q has no name", raw)
	}
	if t.Name == "geomcollection" { // MySQL 8's word
		t.Name = "geometrycollection"
	}
	rest := strings.TrimSpace(text[end:])
	if strings.HasPrefix(rest, "(") {
		args, after, err := parseTypeArgs(rest[1:])
		if err != nil {
			return schema.Type{}, fmt.Errorf("type %q: %w", raw, err)
		}
		if err := applyTypeArgs(&t, args); err != nil {
			return schema.Type{}, fmt.Errorf("type %q: %w", raw, err)
		}
		rest = after
	}
	for _, word := range strings.Fields(rest) {
		switch strings.ToLower(word) {
		case "unsigned":
			t.Unsigned = true
		case "zerofill":
			t.Zerofill = true
		case "signed":
		default:
			return schema.Type{}, fmt.Errorf("type %q: unknown word %q", raw, word)
		}
	}
	return t, nil
}

// compressed is what MariaDB's catalogs add to the type of a compressed column.
const compressed = "/*M!100301 COMPRESSED*/"

// cutVersionComments drops comments, such as /*M!100301 COMPRESSED*/.
func cutVersionComments(text string) string {
	for {
		start := strings.Index(text, "/*")
		if start < 0 {
			return text
		}
		end := strings.Index(text[start:], "*/")
		if end < 0 {
			return text
		}
		text = text[:start] + text[start+end+2:]
	}
}

// typeArg is one argument of a type: a number, or a quoted member.
type typeArg struct {
	text   string
	quoted bool
}

// parseTypeArgs reads the arguments behind "(" and returns what follows ")".
func parseTypeArgs(text string) (args []typeArg, rest string, err error) {
	for {
		text = strings.TrimLeft(text, " ")
		var arg typeArg
		if value, after, ok := unquote(text); ok {
			arg, text = typeArg{value, true}, after
		} else {
			end := strings.IndexAny(text, ",)")
			if end < 0 {
				return nil, "", fmt.Errorf(`"(" without ")"`)
			}
			arg, text = typeArg{strings.TrimSpace(text[:end]), false}, text[end:]
		}
		args = append(args, arg)
		text = strings.TrimLeft(text, " ")
		switch {
		case strings.HasPrefix(text, ","):
			text = text[1:]
		case strings.HasPrefix(text, ")"):
			return args, text[1:], nil
		default:
			return nil, "", fmt.Errorf(`"(" without ")"`)
		}
	}
}

// applyTypeArgs gives the arguments their meaning, which depends on the type.
func applyTypeArgs(t *schema.Type, args []typeArg) error {
	if args[0].quoted {
		for _, a := range args {
			t.Values = append(t.Values, a.text)
		}
		return nil
	}
	var n [2]int64
	if len(args) > len(n) {
		return fmt.Errorf("%d arguments", len(args))
	}
	for i, a := range args {
		v, err := strconv.ParseInt(a.text, 10, 64)
		if err != nil {
			return fmt.Errorf("argument %q is no number", a.text)
		}
		n[i] = v
	}
	switch t.Name {
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint":
		t.Width = int(n[0])
	case "year":
		// MariaDB says year(4), MySQL says year; there is no other.
	case "decimal", "numeric", "float", "double", "real":
		t.Precision, t.Scale = int(n[0]), int(n[1])
	case "time", "datetime", "timestamp":
		t.Precision = int(n[0])
	default:
		t.Length = n[0]
	}
	return nil
}

// typeSQL spells a type for DDL.
func typeSQL(t schema.Type) string {
	var b strings.Builder
	b.WriteString(t.Name)
	switch {
	case len(t.Values) > 0:
		quoted := make([]string, len(t.Values))
		for i, v := range t.Values {
			quoted[i] = QuoteString(v)
		}
		fmt.Fprintf(&b, "(%s)", strings.Join(quoted, ","))
	case t.Length > 0:
		fmt.Fprintf(&b, "(%d)", t.Length)
	case t.Width > 0:
		fmt.Fprintf(&b, "(%d)", t.Width)
	case t.Precision > 0 && isTemporal(t.Name):
		fmt.Fprintf(&b, "(%d)", t.Precision)
	case t.Precision > 0:
		fmt.Fprintf(&b, "(%d,%d)", t.Precision, t.Scale)
	}
	if t.Unsigned {
		b.WriteString(" unsigned")
	}
	if t.Zerofill {
		b.WriteString(" zerofill")
	}
	if strings.HasSuffix(t.Raw, compressed) {
		b.WriteString(" " + compressed)
	}
	return b.String()
}

// isTemporal reports whether the argument of a type counts fractional digits of a second.
func isTemporal(name string) bool { return name == "time" || name == "datetime" || name == "timestamp" }

// isNumeric reports whether the default of a type stands without quotes.
func isNumeric(name string) bool {
	switch name {
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint",
		"decimal", "numeric", "float", "double", "real", "year":
		return true
	default:
		return false
	}
}

// isLOB reports whether a type takes a default only as an expression in MySQL.
func isLOB(name string) bool {
	switch name {
	case "tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob", "json",
		"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection":
		return true
	default:
		return false
	}
}
