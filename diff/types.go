package diff

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// family is a sort of types whose values are of one nature.
type family string

// The families. What is none of them is a type that Moodle knows nothing of.
const (
	integers  family = "integer"
	varchars  family = "varchar"
	chars     family = "char"
	texts     family = "text"
	bytesets  family = "binary"
	decimals  family = "decimal"
	floats    family = "floating point"
	lists     family = "list"
	temporals family = "date and time"
	bits      family = "bit or boolean"
	others    family = "other"
)

// character reports whether values of the family are text.
func (f family) character() bool { return f == varchars || f == chars || f == texts || f == lists }

// numeric reports whether values of the family are numbers.
func (f family) numeric() bool { return f == integers || f == decimals || f == floats }

// typeRule says what a type is. Size is what a value can have at most: bits of
// integers and of the digits of floating point numbers, bytes of texts.
type typeRule struct {
	name   string
	family family
	size   int64
}

const (
	noLimit = math.MaxInt64
	long    = 1<<32 - 1 // bytes of MySQL's LONGTEXT and LONGBLOB
)

// mysqlTypes are the types of MySQL and MariaDB that are not of the family others.
func mysqlTypes() []typeRule {
	return []typeRule{
		{"tinyint", integers, 8},
		{"smallint", integers, 16},
		{"mediumint", integers, 24},
		{"int", integers, 32},
		{"integer", integers, 32},
		{"bigint", integers, 64},
		{"varchar", varchars, 0},
		{"char", chars, 0},
		{"tinytext", texts, 1<<8 - 1},
		{"text", texts, 1<<16 - 1},
		{"mediumtext", texts, 1<<24 - 1},
		{"longtext", texts, long},
		{"binary", bytesets, 0},
		{"varbinary", bytesets, 0},
		{"tinyblob", bytesets, 1<<8 - 1},
		{"blob", bytesets, 1<<16 - 1},
		{"mediumblob", bytesets, 1<<24 - 1},
		{"longblob", bytesets, long},
		{"decimal", decimals, 0},
		{"numeric", decimals, 0},
		{"float", floats, 24},
		{"double", floats, 53},
		{"enum", lists, 0},
		{"set", lists, 0},
		{"date", temporals, 0},
		{"time", temporals, 0},
		{"datetime", temporals, 0},
		{"timestamp", temporals, 0},
		{"year", temporals, 0},
		{"bit", bits, 0},
	}
}

// postgresTypes are the types of PostgreSQL that are not of the family others.
func postgresTypes() []typeRule {
	return []typeRule{
		{"smallint", integers, 16},
		{"integer", integers, 32},
		{"bigint", integers, 64},
		{"character varying", varchars, 0},
		{"character", chars, 0},
		{"text", texts, noLimit},
		{"bytea", bytesets, noLimit},
		{"numeric", decimals, 0},
		{"real", floats, 24},
		{"double precision", floats, 53},
		{"date", temporals, 0},
		{"time without time zone", temporals, 0},
		{"time with time zone", temporals, 0},
		{"timestamp without time zone", temporals, 0},
		{"timestamp with time zone", temporals, 0},
		{"interval", temporals, 0},
		{"boolean", bits, 0},
		{"bit", bits, 0},
		{"bit varying", bits, 0},
	}
}

// rules returns the rules of types by their names.
func rules(engine schema.Engine) map[string]typeRule {
	list := postgresTypes()
	if engine.IsMySQL() {
		list = mysqlTypes()
	}
	byName := make(map[string]typeRule, len(list))
	for _, r := range list {
		byName[r.name] = r
	}
	return byName
}

// ruleOf is the rule of a type; of an unknown one it is of the family others.
func (d *differ) ruleOf(t schema.Type) typeRule {
	r, ok := d.types[t.Name]
	if !ok {
		return typeRule{name: t.Name, family: others}
	}
	if r.size == 0 && (r.family == bytesets || r.family == varchars || r.family == chars) {
		// Only PostgreSQL's varchar does without a length.
		if r.size = t.Length; r.size == 0 && !d.have.Engine.IsMySQL() {
			r.size = noLimit
		}
	}
	return r
}

// strange reports whether Moodle does not know a type: its drivers refuse the
// table, or nobody has tried. Of times they know the words at most.
func (d *differ) strange(t schema.Type) bool {
	switch d.ruleOf(t).family {
	case temporals, others:
		return true
	case bits, chars:
		return !d.have.Engine.IsMySQL()
	default:
		return false
	}
}

// modifiers is what stands in the parentheses of a type as the server prints it.
func modifiers(t schema.Type) string {
	_, rest, _ := strings.Cut(t.Raw, "(")
	inside, _, _ := strings.Cut(rest, ")")
	return strings.ToLower(strings.ReplaceAll(inside, " ", ""))
}

// mismatch is one way in which a found type differs from the expected one.
type mismatch struct {
	code     Code
	severity Severity // empty for that of the code
	message  string
}

// compareTypes lists in what have differs from want; nothing when they hold the same values.
func (d *differ) compareTypes(want, have schema.Type) []mismatch {
	w, h := d.ruleOf(want), d.ruleOf(have)
	found, expected := typeText(have), typeText(want)
	if w.family != h.family {
		return []mismatch{d.otherFamily(w, h, want, have)}
	}
	var out []mismatch
	add := func(code Code, format string, args ...any) {
		out = append(out, mismatch{code: code, message: fmt.Sprintf(format, args...)})
	}
	switch w.family {
	case integers:
		switch {
		case h.size < w.size:
			add(ColumnIntegerNarrow, "%s is narrower than the declared %s", found, expected)
		case h.size > w.size:
			add(ColumnIntegerWide, "%s is wider than the declared %s", found, expected)
		}
	case varchars, chars:
		switch {
		case h.size < w.size:
			add(ColumnLengthShort, "%s is shorter than the declared %s", found, expected)
		case h.size > w.size:
			add(ColumnLengthLong, "%s is longer than the declared %s", found, expected)
		}
	case texts, bytesets:
		switch {
		case h.size < w.size:
			add(ColumnTextSmall, "%s holds less than the declared %s", found, expected)
		case h.size > w.size:
			add(ColumnLengthLong, "%s holds more than the declared %s", found, expected)
		case (w.name == "binary") != (h.name == "binary"):
			add(ColumnType, "%s pads values in another way than the declared %s", found, expected)
		}
	case decimals:
		out = compareDecimals(want, have)
	case floats:
		out = compareFloats(w, h, want, have)
	case lists:
		if want.Name != have.Name || !slices.Equal(want.Values, have.Values) {
			add(ColumnType, "%s has other members than the declared %s", found, expected)
		}
	case temporals, bits, others:
		// What stands in the parentheses may say more than the parts: timestamp(0), geometry(Point,4326).
		// The word in front of them is each server's own, as in JSON of MariaDB, which is a longtext.
		if want.Name != have.Name || want.Length != have.Length || want.Precision != have.Precision ||
			want.Name != "year" && modifiers(want) != modifiers(have) {
			add(ColumnType, "%s is another type than the declared %s", found, expected)
		}
	default:
		panic(fmt.Sprintf("diff: no rule for the family %q", w.family))
	}
	if unsigned := have.Unsigned || have.Zerofill; w.family.numeric() && unsigned != (want.Unsigned || want.Zerofill) {
		if unsigned {
			add(ColumnUnsigned, "%s takes no negative numbers", found)
		} else {
			add(ColumnUnsigned, "%s takes negative numbers, the declared %s does not", found, expected)
		}
	}
	return out
}

// otherFamily says what it means that a type of another family was found.
func (d *differ) otherFamily(w, h typeRule, want, have schema.Type) mismatch {
	found, expected := typeText(have), typeText(want)
	say := func(code Code, severity Severity, format string) mismatch {
		return mismatch{code, severity, fmt.Sprintf(format, found, expected)}
	}
	switch {
	case d.strange(have) && !(w.family.character() && h.family == chars):
		return say(ColumnTypeUnknown, "", "%s is a type that Moodle does not handle where %s is declared")
	case w.family == varchars && (h.family == chars || h.family == texts):
		// A text counts bytes, of which a character may have four.
		if h.size < w.size || h.family == texts && h.size/4 < w.size {
			return say(ColumnNotVarchar, Error, "%s stands in place of the declared %s, and is shorter")
		}
		return say(ColumnNotVarchar, "", "%s stands in place of the declared %s")
	case w.family == varchars && (h.family == lists || h.family == bytesets):
		return say(ColumnNotVarchar, Error, "%s stands in place of the declared %s, and refuses or compares values in another way")
	case w.family == texts && (h.family == varchars || h.family == chars):
		if h.size == noLimit {
			return say(ColumnType, Warning, "%s stands in place of the declared %s; Moodle takes it for a short text")
		}
		return say(ColumnTextSmall, "", "%s holds less than the declared %s")
	case w.family == decimals && h.family == floats:
		return say(ColumnFloating, Error, "%s is not exact, as the declared %s is")
	case w.family == floats && h.family == decimals:
		if have.Precision == 0 {
			return say(ColumnFloating, Warning, "%s stands in place of the declared %s")
		}
		return say(ColumnFloating, Error, "%s has a fixed number of digits, the declared %s has not")
	default:
		return say(ColumnType, "", "%s stands in place of the declared %s")
	}
}

// compareDecimals compares digits before and after the point. PostgreSQL's
// numeric without precision has as many as a value needs.
func compareDecimals(want, have schema.Type) []mismatch {
	if want.Precision == have.Precision && want.Scale == have.Scale {
		return nil
	}
	digits := func(t schema.Type) (before, after int) {
		switch {
		case t.Precision == 0 && t.Name == "decimal":
			return 10, 0 // MySQL's, where none are given
		case t.Precision == 0:
			return math.MaxInt, math.MaxInt
		}
		return t.Precision - t.Scale, t.Scale
	}
	wantBefore, wantAfter := digits(want)
	haveBefore, haveAfter := digits(have)
	if haveBefore < wantBefore || haveAfter < wantAfter {
		return []mismatch{{ColumnDecimalNarrow, "", fmt.Sprintf("%s has fewer digits than the declared %s", typeText(have), typeText(want))}}
	}
	return []mismatch{{ColumnDecimalWide, "", fmt.Sprintf("%s has more digits than the declared %s", typeText(have), typeText(want))}}
}

// compareFloats compares the digits of floating point types, and the number of
// decimals to which MySQL rounds the values of FLOAT(M,D) and DOUBLE(M,D).
func compareFloats(w, h typeRule, want, have schema.Type) []mismatch {
	found, expected := typeText(have), typeText(want)
	switch {
	case h.size < w.size:
		return []mismatch{{ColumnFloating, Error, fmt.Sprintf("%s has fewer digits than the declared %s", found, expected)}}
	case h.size > w.size:
		return []mismatch{{ColumnFloating, Warning, fmt.Sprintf("%s has more digits than the declared %s", found, expected)}}
	case want.Precision != have.Precision || want.Scale != have.Scale:
		return []mismatch{{ColumnFloating, Warning, fmt.Sprintf("%s rounds in another way than the declared %s", found, expected)}}
	}
	return nil
}

// typeText spells a type for people: shorter than the server does, and without
// what makes no difference.
func typeText(t schema.Type) string {
	name := t.Name
	switch name {
	case "character varying":
		name = "varchar"
	case "character":
		name = "char"
	case "timestamp without time zone":
		name = "timestamp"
	}
	switch {
	case len(t.Values) > 0:
		return shorten(name + "('" + strings.Join(t.Values, "','") + "')")
	case t.Length > 0:
		name += "(" + strconv.FormatInt(t.Length, 10) + ")"
	case t.Name == "character varying":
		name += " without limit"
	case t.Precision > 0 && (t.Scale > 0 || t.Name == "decimal" || t.Name == "numeric"):
		name += fmt.Sprintf("(%d,%d)", t.Precision, t.Scale)
	case t.Precision > 0:
		name += "(" + strconv.Itoa(t.Precision) + ")"
	case !strings.Contains(t.Raw, "(") && len(t.Raw) > len(name) && !t.Unsigned && !t.Zerofill && strings.HasPrefix(t.Raw, name):
		name = t.Raw
	}
	if t.Unsigned {
		name += " unsigned"
	}
	if t.Zerofill {
		name += " zerofill"
	}
	return name
}

// shorten keeps a text to a length that fits a line.
func shorten(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}
