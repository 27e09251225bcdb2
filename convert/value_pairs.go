package convert

import (
	"math"
	"strings"
	"sync"

	"github.com/moodledb/moodledb/schema"
)

// sourceKind groups the types of MySQL and MariaDB by how the text protocol prints them.
type sourceKind int

const (
	kindInt sourceKind = iota
	kindYear
	kindDecimal
	kindFloat
	kindDouble
	kindText
	kindJSON
	kindBinary
	kindGeometry
	kindBit
	kindDate
	kindDatetime
	kindTimestamp
	kindTime
	kindUUID
	kindInet
)

// kindOf classifies the bare name of a type; false when it is unknown.
func kindOf(name string) (sourceKind, bool) {
	switch name {
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint":
		return kindInt, true
	case "year":
		return kindYear, true
	case "decimal", "numeric":
		return kindDecimal, true
	case "float":
		return kindFloat, true
	case "double", "real":
		return kindDouble, true
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		return kindText, true
	case "json":
		return kindJSON, true
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector":
		return kindBinary, true
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
		"geometrycollection", "geomcollection":
		return kindGeometry, true
	case "bit":
		return kindBit, true
	case "date":
		return kindDate, true
	case "datetime":
		return kindDatetime, true
	case "timestamp":
		return kindTimestamp, true
	case "time":
		return kindTime, true
	case "uuid":
		return kindUUID, true
	case "inet4", "inet6":
		return kindInet, true
	}
	return 0, false
}

// exactFloat selects FLOAT, and DOUBLE(M,D), as a plain DOUBLE. The text
// protocol prints six digits of a FLOAT and D decimals of a DOUBLE(M,D), but
// the shortest text that reads back as the same DOUBLE. The product with one
// keeps every bit; the sum with zero would lose the sign of minus zero.
const exactFloat = "%s*1e0"

// pairing says how every source kind in from becomes every PostgreSQL type in to.
type pairing struct {
	to   []string
	from []sourceKind
	rule func(src, dst schema.Type) ValueRule
	// fits, when not nil, narrows the pairing further.
	fits func(src, dst schema.Type) bool
}

// encoded is the rule of pairings whose encoder depends on neither type.
func encoded(e Encoder) func(src, dst schema.Type) ValueRule {
	return func(_, _ schema.Type) ValueRule { return ValueRule{Encode: e} }
}

// floated is encoded for sources that must be selected by [exactFloat].
func floated(e Encoder) func(src, dst schema.Type) ValueRule {
	return func(_, _ schema.Type) ValueRule { return ValueRule{Encode: e, Select: exactFloat} }
}

// rawBytes passes bytes through.
func rawBytes(_, _ schema.Type) ValueRule { return ValueRule{Raw: true} }

// rawText passes text through, and limits it where the source allows more
// characters than the target.
func rawText(src, dst schema.Type) ValueRule {
	rule := ValueRule{Raw: true, Text: true}
	if dst.Length > 0 && (src.Length == 0 || src.Length > dst.Length || !isCharacter(src.Name)) {
		rule.MaxChars = dst.Length
	}
	return rule
}

// isCharacter reports whether Length of the MySQL type counts characters that
// it may hold; it does not for TEXT types, where it is bytes, nor for numbers.
func isCharacter(name string) bool { return name == "char" || name == "varchar" }

// numericInto and the like read the parameters of the target.
func numericInto(parse func(precision, scale int) Encoder, sel string) func(src, dst schema.Type) ValueRule {
	return func(_, dst schema.Type) ValueRule {
		return ValueRule{Encode: parse(dst.Precision, dst.Scale), Select: sel}
	}
}

func fractionInto(encode func(digits int) Encoder) func(src, dst schema.Type) ValueRule {
	return func(_, dst schema.Type) ValueRule { return ValueRule{Encode: encode(fractionDigits(dst))} }
}

// pairings is the table of what fits what. What is not in it does not fit.
var pairings = sync.OnceValue(allPairings)

func allPairings() []pairing {
	textual := []sourceKind{
		kindText, kindJSON, kindInt, kindYear, kindDecimal, kindBinary,
		kindDate, kindDatetime, kindTimestamp, kindTime, kindUUID, kindInet,
	}
	digits := []sourceKind{kindInt, kindYear, kindText}
	return []pairing{
		{to: []string{"smallint"}, from: digits, rule: encoded(encodeInt2)},
		{to: []string{"smallint"}, from: []sourceKind{kindDecimal}, rule: encoded(wholeDecimal(encodeInt2))},
		{to: []string{"smallint"}, from: []sourceKind{kindBit}, rule: encoded(bitInt(2))},
		{to: []string{"smallint"}, from: []sourceKind{kindFloat, kindDouble}, rule: floated(wholeFloat(2))},
		{to: []string{"integer"}, from: digits, rule: encoded(encodeInt4)},
		{to: []string{"integer"}, from: []sourceKind{kindDecimal}, rule: encoded(wholeDecimal(encodeInt4))},
		{to: []string{"integer"}, from: []sourceKind{kindBit}, rule: encoded(bitInt(4))},
		{to: []string{"integer"}, from: []sourceKind{kindFloat, kindDouble}, rule: floated(wholeFloat(4))},
		{to: []string{"bigint"}, from: digits, rule: encoded(encodeInt8)},
		{to: []string{"bigint"}, from: []sourceKind{kindDecimal}, rule: encoded(wholeDecimal(encodeInt8))},
		{to: []string{"bigint"}, from: []sourceKind{kindBit}, rule: encoded(bitInt(8))},
		{to: []string{"bigint"}, from: []sourceKind{kindFloat, kindDouble}, rule: floated(wholeFloat(8))},
		{to: []string{"boolean"}, from: []sourceKind{kindInt}, rule: encoded(encodeBool)},
		{to: []string{"boolean"}, from: []sourceKind{kindBit}, rule: encoded(bitBool)},

		{to: []string{"double precision"}, from: []sourceKind{kindFloat, kindDouble}, rule: floated(encodeFloat8)},
		{to: []string{"double precision"}, from: []sourceKind{kindInt, kindYear}, rule: encoded(intFloat8)},
		{to: []string{"double precision"}, from: []sourceKind{kindDecimal, kindText}, rule: encoded(decimalFloat8)},
		{to: []string{"real"}, from: []sourceKind{kindFloat}, rule: floated(encodeFloat4)},
		{to: []string{"real"}, from: []sourceKind{kindDouble}, rule: floated(decimalFloat4)},
		{to: []string{"real"}, from: []sourceKind{kindInt, kindYear}, rule: encoded(intFloat4)},
		{to: []string{"real"}, from: []sourceKind{kindDecimal, kindText}, rule: encoded(decimalFloat4)},

		{to: []string{"numeric"}, from: []sourceKind{kindDecimal, kindInt, kindYear, kindText}, rule: numericInto(encodeNumeric, "")},
		{to: []string{"numeric"}, from: []sourceKind{kindDouble}, rule: numericInto(doubleNumeric, exactFloat)},
		{to: []string{"numeric"}, from: []sourceKind{kindFloat}, rule: numericInto(floatNumeric, exactFloat)},
		{to: []string{"numeric"}, from: []sourceKind{kindBit}, rule: numericInto(bitNumeric, "")},

		{to: []string{"text", "character varying"}, from: textual, rule: rawText},
		{to: []string{"text", "character varying"}, from: []sourceKind{kindDouble}, rule: rawDouble},
		{to: []string{"text", "character varying"}, from: []sourceKind{kindFloat}, rule: floatInto},
		{to: []string{"character"}, from: textual, rule: blankPadded},
		{to: []string{"json"}, from: []sourceKind{kindJSON, kindText}, rule: rawJSON},
		{to: []string{"jsonb"}, from: []sourceKind{kindJSON, kindText}, rule: versioned},
		{to: []string{"bytea"}, from: []sourceKind{kindBinary, kindGeometry, kindBit, kindText, kindJSON}, rule: rawBytes},

		{to: []string{"date"}, from: []sourceKind{kindDate, kindDatetime, kindTimestamp, kindText}, rule: encoded(encodeDate)},
		{
			to:   []string{"timestamp without time zone"},
			from: []sourceKind{kindDate, kindDatetime, kindTimestamp, kindText}, rule: fractionInto(encodeTimestamp),
		},
		// A DATETIME says no zone, so it does not fit; a TIMESTAMP is an
		// instant, and arrives in UTC because the session's zone is +00:00.
		{to: []string{"timestamp with time zone"}, from: []sourceKind{kindTimestamp}, rule: fractionInto(encodeTimestamp)},
		{to: []string{"time without time zone"}, from: []sourceKind{kindTime, kindText}, rule: fractionInto(encodeTime)},
		{to: []string{"interval"}, from: []sourceKind{kindTime}, rule: fractionInto(encodeInterval), fits: allFields},

		{to: []string{"uuid"}, from: []sourceKind{kindUUID, kindText}, rule: encoded(encodeUUID)},
		{to: []string{"uuid"}, from: []sourceKind{kindBinary}, rule: encoded(rawUUID)},
		{to: []string{"inet"}, from: []sourceKind{kindInet, kindText}, rule: encoded(encodeInet)},
		{to: []string{"bit"}, from: []sourceKind{kindBit}, rule: bitInto("bit"), fits: sameBits},
		{to: []string{"bit varying"}, from: []sourceKind{kindBit}, rule: bitInto("bit varying"), fits: enoughBits},
	}
}

// rawDouble passes the text of a DOUBLE through.
func rawDouble(src, dst schema.Type) ValueRule {
	rule := rawText(src, dst)
	rule.Select = exactFloat
	return rule
}

// floatInto prints a FLOAT with the digits that it needs.
func floatInto(_, dst schema.Type) ValueRule {
	return ValueRule{Encode: floatText(dst.Length), Select: exactFloat}
}

// rawJSON passes text through, as json keeps it.
func rawJSON(_, _ schema.Type) ValueRule { return ValueRule{Raw: true, Text: true} }

// versioned is raw for jsonb, whose binary form starts with the version 1.
func versioned(_, _ schema.Type) ValueRule {
	return ValueRule{Raw: true, Text: true, Prefix: []byte{1}}
}

// blankPadded carries text into character(n), where trailing blanks mean
// nothing: CHAR has the same semantics, other types must have none to lose.
func blankPadded(src, dst schema.Type) ValueRule {
	limit := max(dst.Length, 1)
	if dst.Raw == "bpchar" {
		limit = math.MaxInt64 // the only spelling without a length
	}
	if src.Name == "char" && src.Length <= limit {
		return ValueRule{Raw: true, Text: true}
	}
	return ValueRule{Encode: unpadded(limit), Text: true}
}

// bitLength is the number of bits of a BIT, bit or bit varying; without a length it is fallback.
func bitLength(t schema.Type, fallback int64) int64 {
	if t.Length == 0 {
		return fallback
	}
	return t.Length
}

// sameBits reports whether bit(n) has exactly the source's bits. Adding or
// taking some away has no one right way: numbers grow on the left, bit strings on the right.
func sameBits(src, dst schema.Type) bool {
	// Quoted, the word has no length at all.
	return dst.Raw == `"bit"` || bitLength(src, 1) == bitLength(dst, 1)
}

// allFields reports whether an interval keeps all its fields; "interval day"
// and the like would drop hours, minutes and seconds.
func allFields(_, dst schema.Type) bool {
	return dst.Raw == "" || dst.Raw == "interval" || strings.HasPrefix(dst.Raw, "interval(")
}

// enoughBits reports whether bit varying(n) holds the source's bits.
func enoughBits(src, dst schema.Type) bool { return bitLength(src, 1) <= bitLength(dst, 64) }

// bitInto carries BIT(n) into n bits of the named target.
func bitInto(target string) func(src, dst schema.Type) ValueRule {
	return func(src, _ schema.Type) ValueRule {
		return ValueRule{Encode: encodeBits(int(bitLength(src, 1)), target)}
	}
}
