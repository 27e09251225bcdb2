package proof

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// commonType returns the type in which the values of two columns are compared,
// as PostgreSQL's DDL spells it. The error says why there is none.
func commonType(e, f *schema.Column, expected, found schema.Engine) (string, error) {
	switch {
	case expected.IsMySQL() && found.IsMySQL():
		return commonMySQL(e, f)
	case expected.IsMySQL():
		return crossType(e, f)
	case found.IsMySQL():
		return crossType(f, e)
	default:
		return commonPostgres(e, f)
	}
}

// apart is the error of types that no value shares.
func apart(e, f *schema.Column) error {
	return fmt.Errorf("no value of %s can be compared with one of %s", spelled(e), spelled(f))
}

// spelled is a column's type for people.
func spelled(c *schema.Column) string {
	if c.Type.Raw != "" {
		return c.Type.Raw
	}
	return c.Type.Name
}

// crossType is that of PostgreSQL's column, so that values are seen as a
// migration has to make them. What limits the length of texts is left out: a text that is
// too long is a difference, and no error.
func crossType(m, p *schema.Column) (string, error) {
	typ := p.Type.Name
	switch typ {
	case "smallint", "integer", "bigint", "real", "double precision", "boolean", "text", "json", "jsonb", "bytea", "date",
		"timestamp without time zone", "timestamp with time zone", "time without time zone", "interval", "uuid", "inet", "bit varying":
	case "character varying", "name":
		typ = "text"
	case "character":
		typ = "bpchar"
	case "numeric":
		if p.Type.Precision > 0 {
			typ = p.Type.Raw
		}
	case "bit":
		typ = fmt.Sprintf("bit(%d)", max(p.Type.Length, 1))
	default:
		// Such as an enum, or a domain: what it prints.
		typ = "text"
	}
	if _, err := mysqlField(m, typ); err != nil {
		return "", apart(m, p)
	}
	return typ, nil
}

// family groups types of which values can be compared with each other, from
// the narrowest to the widest.
type family []string

// families are those of PostgreSQL.
func families() []family {
	return []family{
		{"smallint", "integer", "bigint", "numeric"},
		{"boolean", "smallint"},
		{"boolean", "integer"},
		{"real", "double precision"},
		{"name", "text"},
		{"date", "timestamp without time zone", "timestamp with time zone"},
		{"json", "jsonb"},
		{"cidr", "inet"},
		{"bit", "bit varying"},
	}
}

// commonPostgres finds a type that holds the values of both columns.
func commonPostgres(e, f *schema.Column) (string, error) {
	a, b := plainName(e.Type), plainName(f.Type)
	if a == b {
		if e.Type.Raw == f.Type.Raw && a == "numeric" && e.Type.Precision > 0 {
			return e.Type.Raw, nil
		}
		if stable(a) {
			return a, nil
		}
		return "text", nil
	}
	for _, members := range families() {
		wider := -1
		for i, name := range members {
			if name == a || name == b {
				if wider >= 0 {
					return members[i], nil
				}
				wider = i
			}
		}
	}
	text := func(name string) bool { return name == "text" || name == "bpchar" }
	switch {
	case text(a) && text(b):
		if a == "bpchar" || b == "bpchar" {
			return "bpchar", nil // blanks at the end mean nothing
		}
		return "text", nil
	case text(a) && textual(b), text(b) && textual(a):
		return "text", nil
	}
	return "", apart(e, f)
}

// plainName is the name of a type without what limits it, and the name of what
// has the same binary form.
func plainName(t schema.Type) string {
	switch {
	case t.Name == "character varying", t.Name == "citext", strings.HasSuffix(t.Name, ".citext"):
		return "text"
	case t.Name == "character":
		return "bpchar"
	}
	return t.Name
}

// textual are types that Moodle, or an administrator, may have turned into a text column.
func textual(name string) bool {
	return name == "json" || name == "xml" || name == "uuid" || name == "inet" || strings.Contains(name, ".")
}

// stable reports whether equal values of a built-in type have the same binary
// form on every server. Others, such as enums, or those that hold numbers of objects, are compared as they are printed.
func stable(name string) bool {
	element, _ := strings.CutSuffix(name, "[]")
	switch element {
	case "smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "text", "bpchar", "bytea", "name",
		"date", "timestamp without time zone", "timestamp with time zone", "time without time zone", "time with time zone", "interval",
		"uuid", "inet", "cidr", "macaddr", "macaddr8", "bit", "bit varying", "json", "jsonb", "point", "lseg", "box", "path", "polygon", "line", "circle":
		return element == name || element != "bpchar" && element != "jsonb" && element != "numeric"
	}
	return false
}

// commonMySQL finds a type of PostgreSQL that holds the values of both columns.
func commonMySQL(e, f *schema.Column) (string, error) {
	a, b := kind(e.Type.Name), kind(f.Type.Name)
	if a > b {
		a, b = b, a
	}
	switch {
	case a == kindWhole && b == kindWhole:
		if big(e.Type) || big(f.Type) {
			return "numeric(20,0)", nil
		}
		return "bigint", nil
	case a == kindDecimal && b == kindDecimal && e.Type.Precision > 0 && e.Type.Precision == f.Type.Precision && e.Type.Scale == f.Type.Scale:
		return fmt.Sprintf("numeric(%d,%d)", e.Type.Precision, e.Type.Scale), nil
	case a <= kindBits && b <= kindBits:
		return "numeric", nil
	case a <= kindDecimal && b == kindFloat, a == kindFloat && b == kindFloat:
		return "double precision", nil
	case a <= kindText && b == kindText:
		return "text", nil
	case a == kindText && b == kindJSON, a == kindJSON && b == kindJSON:
		return "jsonb", nil
	case a == kindBinary && b == kindBinary, a == kindText && b == kindBinary:
		return "bytea", nil
	case a == kindDay && b == kindDay:
		return "date", nil
	case a == kindDay && b == kindMoment, a == kindMoment && b == kindMoment:
		return "timestamp without time zone", nil
	case a == kindClock && b == kindClock:
		return "interval", nil
	case a == kindText && b == kindOther, a == kindOther && b == kindOther && e.Type.Name == f.Type.Name:
		return "text", nil
	}
	return "", apart(e, f)
}

// The kinds of types of MySQL and MariaDB. The order is used by commonMySQL.
const (
	kindWhole = iota
	kindDecimal
	kindBits
	kindFloat
	kindText
	kindJSON
	kindBinary
	kindDay
	kindMoment
	kindClock
	kindOther
)

// kind classifies a type of MySQL or MariaDB; what is not known is like other
// types, which are compared with themselves alone, as they are printed.
func kind(name string) int {
	switch name {
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year":
		return kindWhole
	case "decimal", "numeric":
		return kindDecimal
	case "bit":
		return kindBits
	case "float", "double", "real":
		return kindFloat
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		return kindText
	case "json":
		return kindJSON
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector", "geometry", "point", "linestring", "polygon",
		"multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return kindBinary
	case "date":
		return kindDay
	case "datetime", "timestamp":
		return kindMoment
	case "time":
		return kindClock
	}
	return kindOther
}

// big reports whether an integer may be above the greatest bigint.
func big(t schema.Type) bool { return t.Name == "bigint" && (t.Unsigned || t.Zerofill) }

// parseType takes a type apart that commonType has spelled.
func parseType(typ string) schema.Type {
	name, rest, _ := strings.Cut(typ, "(")
	t := schema.Type{Name: name, Raw: typ}
	args := strings.Split(strings.TrimSuffix(rest, ")"), ",")
	number := func(i int) int {
		if i >= len(args) {
			return 0
		}
		n, _ := strconv.Atoi(args[i]) // none is 0
		return n
	}
	switch name {
	case "bpchar":
		t.Name = "character"
	case "numeric":
		t.Precision, t.Scale = number(0), number(1)
	case "bit":
		t.Length = int64(number(0))
	}
	return t
}
