package postgres

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// newType makes a type of its bare name and its full spelling, both as
// format_type prints them: "numeric" and "numeric(10,5)". Types whose modifiers
// are not lengths or digits keep them in Raw only.
func newType(name, raw string) schema.Type {
	t := schema.Type{Name: name, Raw: raw}
	args := modifiers(raw)
	switch name {
	case "character varying", "character", "bit", "bit varying":
		if len(args) == 1 {
			t.Length = int64(args[0])
		}
	case "numeric":
		if len(args) > 0 {
			t.Precision = args[0]
		}
		if len(args) > 1 {
			t.Scale = args[1]
		}
	case "timestamp without time zone", "timestamp with time zone",
		"time without time zone", "time with time zone", "interval":
		if len(args) == 1 {
			t.Precision = args[0]
		}
	}
	return t
}

// modifiers returns the numbers in the parentheses of a type.
func modifiers(raw string) []int {
	_, rest, ok := strings.Cut(raw, "(")
	if !ok {
		return nil
	}
	inner, _, ok := strings.Cut(rest, ")")
	if !ok {
		return nil
	}
	var args []int
	for _, part := range strings.Split(inner, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil
		}
		args = append(args, n)
	}
	return args
}

// typeSQL spells a type. Raw wins where it says the same as the parts do,
// since it alone tells timestamp(0) from timestamp, or interval day from interval.
func typeSQL(t schema.Type) string {
	if t.Raw != "" && sameType(newType(t.Name, t.Raw), t) && bareName(t.Raw) == t.Name {
		return t.Raw
	}
	switch t.Name {
	case "character varying", "varchar", "character", "char", "bit", "bit varying":
		if t.Length > 0 {
			return t.Name + "(" + strconv.FormatInt(t.Length, 10) + ")"
		}
		return t.Name
	case "numeric", "decimal":
		if t.Precision > 0 {
			return t.Name + "(" + strconv.Itoa(t.Precision) + "," + strconv.Itoa(t.Scale) + ")"
		}
		return t.Name
	case "timestamp", "timestamp without time zone", "timestamp with time zone",
		"time", "time without time zone", "time with time zone", "interval":
		if t.Precision > 0 {
			word, rest, _ := strings.Cut(t.Name, " ")
			return strings.TrimSpace(word + "(" + strconv.Itoa(t.Precision) + ") " + rest)
		}
		return t.Name
	}
	// A name with modifiers that only Raw holds, such as geometry(Point,4326).
	if t.Raw != "" && bareName(t.Raw) == t.Name {
		return t.Raw
	}
	return t.Name
}

func sameType(a, b schema.Type) bool {
	return a.Length == b.Length && a.Precision == b.Precision && a.Scale == b.Scale
}

var parenthesised = regexp.MustCompile(`\s*\([^)]*\)`)

// bareName takes the modifiers out of a spelled type. PostgreSQL spells
// character and bit without a length in their own ways, since the bare words
// would mean a length of 1.
func bareName(raw string) string {
	bare := parenthesised.ReplaceAllString(raw, "")
	switch {
	case bare == "bpchar":
		return "character"
	case bare == `"bit"`:
		return "bit"
	case strings.HasPrefix(bare, "interval "):
		return "interval"
	}
	return bare
}

// isNumber matches what PostgreSQL's grammar takes as a number, with a sign.
var isNumber = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

// isNumeric reports whether a literal of the type is written without quotes.
func isNumeric(typeName string) bool {
	switch typeName {
	case "smallint", "integer", "bigint", "numeric", "decimal", "real", "double precision":
		return true
	}
	return false
}

// literalSQL spells the value text of a type as a constant.
func literalSQL(text string, t schema.Type) string {
	if isNumeric(t.Name) && isNumber.MatchString(text) {
		return text
	}
	return QuoteLiteral(text)
}

// parseDefault normalises the expression of a column default, as pg_get_expr
// prints it, for a column of type t. Constants become their value: the cast
// that PostgreSQL prints behind them says nothing that the column's type does
// not say. DEFAULT NULL is no default.
func parseDefault(expr string, t schema.Type) schema.Default {
	value, cast, isConst := parseConstant(expr)
	switch {
	case expr == "" || isConst && value == nil:
		return schema.Default{}
	case !isConst || cast != "" && !fits(cast, t):
		return schema.Expression(expr)
	}
	return schema.Literal(*value)
}

// fits reports whether a constant that is cast to the type cast is a plain
// value for a column of type t. PostgreSQL stores a negative number as
// '-1'::integer whatever the column's numeric type is.
func fits(cast string, t schema.Type) bool {
	cast = strings.Trim(bareName(cast), `"`)
	name := strings.Trim(bareName(t.Name), `"`)
	return cast == name || isNumeric(cast) && isNumeric(name) || isText(cast) && isText(name)
}

// isText reports whether a constant of the type keeps every character.
func isText(typeName string) bool { return typeName == "text" || typeName == "character varying" }

// parseConstant reads a constant with an optional cast behind it: 5, -5, true,
// NULL, 'text', 'text'::type, (5)::type, B'101'::"bit". The value of NULL is nil.
func parseConstant(expr string) (value *string, cast string, ok bool) {
	body := expr
	if i := castAt(expr); i >= 0 {
		body, cast = expr[:i], expr[i+2:]
		if strings.ContainsAny(cast, ":'") {
			return nil, "", false
		}
	}
	if inner, found := strings.CutPrefix(body, "("); found && strings.HasSuffix(inner, ")") {
		body = inner[:len(inner)-1]
		if !isNumber.MatchString(strings.ReplaceAll(body, " ", "")) {
			return nil, "", false
		}
	}
	switch number := strings.TrimPrefix(strings.ReplaceAll(body, "- ", "-"), "+"); {
	case body == "NULL":
		return nil, cast, true
	case body == "true" || body == "false":
		return &body, cast, true
	case isNumber.MatchString(number):
		return &number, cast, true
	}
	body = strings.TrimPrefix(body, "B")
	text, found := unquote(body)
	if !found {
		return nil, "", false
	}
	return &text, cast, true
}

// castAt returns where the first :: outside of quotes begins, or -1.
func castAt(expr string) int {
	quoted := false
	for i := 0; i+1 < len(expr); i++ {
		switch {
		case expr[i] == '\'':
			quoted = !quoted
		case !quoted && expr[i] == ':' && expr[i+1] == ':':
			return i
		}
	}
	return -1
}

// unquote reads a whole string constant as PostgreSQL prints it with
// standard_conforming_strings on: quotes are doubled, backslashes are plain.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	inner := s[1 : len(s)-1]
	text := strings.ReplaceAll(inner, "''", "'")
	// A lone quote inside means that this is not one constant.
	if strings.Count(inner, "'") != 2*strings.Count(text, "'") {
		return "", false
	}
	return text, true
}
