package mysql

import (
	"fmt"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// family groups types that convert in the same way.
type family string

const (
	integers  family = "integer" // years, which are numbers too, included
	bits      family = "bit"
	decimals  family = "decimal"
	floats    family = "float"
	texts     family = "text"
	lists     family = "list" // enum and set
	bytesOf   family = "bytes"
	times     family = "time"
	documents family = "json"
	// addresses are MariaDB's uuid and inet types, which have one spelling.
	addresses family = "address"
	others    family = "other"
)

func familyOf(t schema.Type) family {
	switch t.Name {
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year":
		return integers
	case "bit":
		return bits
	case "decimal", "numeric":
		return decimals
	case "float", "double", "real":
		return floats
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		return texts
	case "enum", "set":
		return lists
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		return bytesOf
	case "date", "datetime", "timestamp", "time":
		return times
	case "json":
		return documents
	case "uuid", "inet4", "inet6":
		return addresses
	}
	return others
}

// conversion says in which stage ALTER TABLE may turn one type into another, and
// what to look at before. StageDestroy means that the server changes or loses
// values without an error: it rounds, even in strict mode.
func conversion(from, to schema.Type) (diff.Stage, string) {
	switch familyOf(to) {
	case integers:
		return toInteger(from, to)
	case decimals:
		return toDecimal(from, to)
	case floats:
		return toFloat(from, to)
	case texts:
		return toText(from, to)
	case bytesOf:
		return toBytes(from, to)
	case times:
		if familyOf(from) == times && to.Name == "datetime" && from.Name != "time" && from.Precision <= to.Precision {
			return diff.StageNarrow, "timestamps become what the session's time zone shows"
		}
	case lists, documents, addresses:
		if familyOf(from) == texts {
			return diff.StageNarrow, "it fails on values that the type does not know"
		}
	default: // others, and bits: only what is the same
	}
	if typeSQL(from) == typeSQL(to) {
		return diff.StageWiden, ""
	}
	return diff.StageDestroy, fmt.Sprintf("values of %s have no equal as %s", from.Name, to.Name)
}

const outOfRange = "it fails on values that do not fit"

func toInteger(from, to schema.Type) (diff.Stage, string) {
	switch familyOf(from) {
	case integers:
		low, high := integerRange(from)
		least, most := integerRange(to)
		if least <= low && high <= most {
			return diff.StageWiden, ""
		}
		return diff.StageNarrow, outOfRange
	case bits:
		return diff.StageNarrow, outOfRange
	case decimals:
		if from.Scale == 0 {
			return diff.StageNarrow, outOfRange
		}
		return diff.StageDestroy, "digits behind the point are rounded away"
	case floats:
		return diff.StageDestroy, "digits behind the point are rounded away"
	case times:
		return diff.StageDestroy, "dates become numbers such as 20240131235959, which are no Unix times: a new column and UNIX_TIMESTAMP() keep them"
	case lists:
		return diff.StageDestroy, "members become the numbers of their places in the list"
	default:
		return diff.StageDestroy, "values that are no whole numbers are refused or rounded"
	}
}

// integerRange returns the bounds of an integer type as powers of two, the lower
// one with a minus; 0 is the bound of what takes no negative numbers.
func integerRange(t schema.Type) (low, high int) {
	width := map[string]int{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "integer": 32, "bigint": 64, "year": 12}[t.Name]
	if t.Unsigned || t.Name == "year" {
		return 0, width
	}
	return 1 - width, width - 1
}

func toDecimal(from, to schema.Type) (diff.Stage, string) {
	whole := to.Precision - to.Scale
	switch familyOf(from) {
	case integers, bits:
		if _, high := integerRange(from); familyOf(from) == integers && whole >= digitsOf(high) {
			return diff.StageWiden, ""
		}
		return diff.StageNarrow, outOfRange
	case decimals:
		switch {
		case to.Scale < from.Scale:
			return diff.StageDestroy, "digits behind the point are rounded away"
		case to.Unsigned && !from.Unsigned, whole < from.Precision-from.Scale:
			return diff.StageNarrow, outOfRange
		}
		return diff.StageWiden, ""
	case floats:
		return diff.StageDestroy, fmt.Sprintf("values are rounded to %d digits behind the point", to.Scale)
	default:
		return diff.StageDestroy, "values that are no such numbers are refused or rounded"
	}
}

// digitsOf is the number of decimal digits of 2 to the power of n.
func digitsOf(n int) int { return n*30103/100000 + 1 }

// The decimal digits that a float and a double keep.
const exactFloat, exactDouble = 6, 15

func toFloat(from, to schema.Type) (diff.Stage, string) {
	digits := exactDouble
	if to.Name == "float" {
		digits = exactFloat
	}
	const rounded = "numbers of many digits are rounded"
	switch familyOf(from) {
	case integers:
		if _, high := integerRange(from); digitsOf(high) <= digits && to.Precision == 0 {
			return diff.StageWiden, ""
		}
		return diff.StageDestroy, rounded
	case decimals:
		if from.Precision <= digits && (to.Precision == 0 || to.Scale >= from.Scale) {
			return diff.StageNarrow, outOfRange
		}
		return diff.StageDestroy, rounded
	case floats:
		keeps := to.Precision == 0 || from.Precision > 0 && to.Scale >= from.Scale
		if keeps && (to.Name != "float" || from.Name == "float") {
			return diff.StageWiden, ""
		}
		return diff.StageDestroy, rounded
	default:
		return diff.StageDestroy, "values that are no numbers are refused or become 0"
	}
}

func toText(from, to schema.Type) (diff.Stage, string) {
	switch familyOf(from) {
	case texts:
		if textRoom(to) >= textRoom(from) {
			return diff.StageWiden, ""
		}
		return diff.StageNarrow, "it fails on values that are too long"
	case integers, decimals, floats, lists, times, documents, addresses:
		if to.Name == "longtext" {
			return diff.StageWiden, ""
		}
		return diff.StageNarrow, "values become their text; it fails on those that are too long"
	case bytesOf:
		return diff.StageNarrow, "it fails on bytes that are no text in the column's character set"
	default:
		return diff.StageDestroy, fmt.Sprintf("values of %s have no equal as text", from.Name)
	}
}

// textRoom is what a text type holds: characters, or as many bytes as make
// that number of characters in any character set.
func textRoom(t schema.Type) int64 {
	switch t.Name {
	case "char", "varchar":
		return max(t.Length, 1)
	default:
		return byteRoom(t)
	}
}

// byteRoom is what a type without a length holds, in bytes.
func byteRoom(t schema.Type) int64 {
	switch t.Name {
	case "tinytext", "tinyblob":
		return 1<<8 - 1
	case "text", "blob":
		return 1<<16 - 1
	case "mediumtext", "mediumblob":
		return 1<<24 - 1
	case "longtext", "longblob":
		return 1<<32 - 1
	}
	return max(t.Length, 1)
}

func toBytes(from, to schema.Type) (diff.Stage, string) {
	switch familyOf(from) {
	case bytesOf:
		if byteRoom(to) >= byteRoom(from) && to.Name != "binary" {
			return diff.StageWiden, ""
		}
		return diff.StageNarrow, "it fails on values that are too long"
	case texts:
		return diff.StageNarrow, "values become the bytes of their text in the column's character set"
	case integers, decimals, lists, times, documents, addresses:
		return diff.StageNarrow, "values become the bytes of their text"
	default:
		return diff.StageDestroy, fmt.Sprintf("values of %s have no equal as bytes", from.Name)
	}
}
