package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// A conversion says how the values of a column become those of another type.
type conversion struct {
	// using is the expression of ALTER TABLE's USING; empty for PostgreSQL's own.
	using string
	stage diff.Stage
	note  string
}

// The kinds of types that convert in the same way.
func isWhole(t schema.Type) bool {
	return slices.Contains([]string{"smallint", "integer", "bigint"}, t.Name)
}

func isReal(t schema.Type) bool { return t.Name == "real" || t.Name == "double precision" }

func isDecimal(t schema.Type) bool { return t.Name == "numeric" || t.Name == "decimal" }

func isLetters(t schema.Type) bool {
	return slices.Contains([]string{"character varying", "character", "text", "name", "citext"}, t.Name)
}

func isMoment(t schema.Type) bool {
	return t.Name == "date" || strings.HasPrefix(t.Name, "timestamp ") || t.Name == "timestamp"
}

func isTime(t schema.Type) bool {
	return isMoment(t) || strings.HasPrefix(t.Name, "time") || t.Name == "interval"
}

// convertColumn says how a column (quoted) changes its type. PostgreSQL's own
// conversions round numbers in silence; these fail instead, and name the value.
func convertColumn(column string, from, to schema.Type) conversion {
	switch {
	case typeSQL(from) == typeSQL(to):
		return conversion{stage: diff.StageWiden}
	case isWhole(to), isDecimal(to), isReal(to):
		return toNumber(column, from, to)
	case isLetters(to):
		return toLetters(column, from, to)
	case to.Name == "bytea" && from.Name != "bytea":
		return conversion{
			using: "pg_catalog.convert_to(" + column + "::text, 'UTF8')", stage: diff.StageNarrow,
			note: "values become the bytes of their text",
		}
	case isMoment(to) && isMoment(from):
		return conversion{stage: diff.StageNarrow, note: "times change with the time zone of the session, or lose what the type does not hold"}
	case isTime(to) && (isWhole(from) || isDecimal(from) || isReal(from)):
		return conversion{
			using: "pg_catalog.to_timestamp(" + column + "::double precision) AT TIME ZONE 'UTC'", stage: diff.StageDestroy,
			note: "numbers are taken for Unix times",
		}
	}
	return conversion{
		using: column + "::text::" + typeSQL(to), stage: diff.StageNarrow,
		note: "it fails on values that the type does not know",
	}
}

const outOfRange = "it fails on values that do not fit"

// exact is an expression that gives value where condition holds, and else an
// error that names the value.
func exact(condition, value, column string) string {
	return fmt.Sprintf("CASE WHEN %s THEN %s ELSE ('not exact: ' || %s::text)::numeric END", condition, value, column)
}

func toNumber(column string, from, to schema.Type) conversion {
	c := conversion{stage: diff.StageNarrow, note: outOfRange}
	// The number as a person reads it: 0.1 of a double is 0.1, and not what lies behind.
	number := column + "::text::numeric"
	switch {
	case isWhole(from) && (isWhole(to) || isDecimal(to)):
		if wholeDigits(to) >= wholeDigits(from) {
			return conversion{stage: diff.StageWiden}
		}
		return c
	case isTime(from):
		return conversion{
			using: "extract(epoch FROM " + column + ")", stage: diff.StageDestroy,
			note: "times become Unix times, those without a time zone as of UTC; fractions of a second are rounded away",
		}
	case from.Name == "boolean":
		c.using, c.note = column+"::integer", ""
		return c
	case from.Name == "bit":
		c.using = column + "::bigint"
		return c
	case from.Name == "money":
		number = column + "::numeric"
	case isDecimal(from) && isDecimal(to):
		return toDecimal(column, from, to)
	case isReal(from) && to.Name == "double precision":
		return conversion{stage: diff.StageWiden}
	}
	switch {
	case isWhole(to):
		c.using, c.note = exact("pg_catalog.trunc("+number+") = "+number, number, column), "it fails on values that are no whole numbers"
	case isDecimal(to) && to.Precision == 0:
		c.using = number
	case isDecimal(to):
		c.using = exact(rounded(number, to.Scale)+" = "+number, number, column)
		c.note = fmt.Sprintf("it fails on values with more than %d digits behind the point", to.Scale)
	default:
		c.using = exact(column+"::text::"+to.Name+"::text::numeric = "+number, number, column)
		c.note = "it fails on values of more digits than " + to.Name + " keeps"
	}
	return c
}

func rounded(number string, scale int) string {
	return "pg_catalog.round(" + number + ", " + strconv.Itoa(scale) + ")"
}

// toDecimal changes the digits of a decimal.
func toDecimal(column string, from, to schema.Type) conversion {
	switch {
	case to.Precision == 0:
		return conversion{stage: diff.StageWiden}
	case from.Precision == 0 || from.Scale > to.Scale:
		return conversion{
			using: exact(rounded(column, to.Scale)+" = "+column, column, column), stage: diff.StageNarrow,
			note: fmt.Sprintf("it fails on values with more than %d digits behind the point", to.Scale),
		}
	case wholeDigits(from) > wholeDigits(to):
		return conversion{stage: diff.StageNarrow, note: outOfRange}
	}
	return conversion{stage: diff.StageWiden}
}

// wholeDigits is the number of digits before the point that a type holds, or needs.
func wholeDigits(t schema.Type) int {
	switch {
	case t.Name == "smallint":
		return 5
	case t.Name == "integer":
		return 10
	case t.Name == "bigint":
		return 19
	case t.Precision == 0:
		return 1000
	}
	return t.Precision - t.Scale
}

// toLetters makes text of anything. An assignment to varchar(n) fails on what is
// too long, where a cast would cut it.
func toLetters(column string, from, to schema.Type) conversion {
	c := conversion{using: column + "::text", stage: diff.StageNarrow, note: "it fails on values that are too long"}
	switch {
	case isLetters(from) && from.Name != "character" && from.Name != "citext" && fitsLength(from, to):
		return conversion{stage: diff.StageWiden}
	case isLetters(from) && to.Length == 0:
		c.note = ""
	case isLetters(from):
	case from.Name == "bytea":
		c.using, c.note = "pg_catalog.convert_from("+column+", 'UTF8')", "it fails on bytes that are no text in UTF-8, and on values that are too long"
	default:
		c.note = "values become their text; " + c.note
	}
	return c
}

// fitsLength reports whether every text of one type is one of the other.
func fitsLength(from, to schema.Type) bool {
	return to.Length == 0 || from.Length > 0 && from.Length <= to.Length
}
