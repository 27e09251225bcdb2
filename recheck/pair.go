package recheck

import (
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/moodledb/moodledb/schema"
)

// turn makes of a value of the driver, which is not NULL, one that pgx encodes. Its
// error is a refusal: the target has no such value.
type turn func(v any) (any, error)

// pair says how values of some kinds become one type of PostgreSQL.
type pair struct {
	from []kind
	to   []string
	oid  uint32
	// turn makes the function for two types; nil for values that pgx takes as they are.
	turn func(src, dst schema.Type) turn
	// not says why values of the pair cannot be read again by another way; "" when they can.
	not func(src, dst schema.Type) string
}

// always is a turn that depends on neither type.
func always(t turn) func(src, dst schema.Type) turn {
	return func(_, _ schema.Type) turn { return t }
}

// never is the reason of pairs that are left out.
func never(reason string) func(src, dst schema.Type) string {
	return func(_, _ schema.Type) string { return reason }
}

// pairs is the table of what is read again, and of what is not.
func pairs() []pair {
	return slices.Concat(numberPairs(), textPairs(), timePairs(), otherPairs())
}

// numberPairs are those into numbers.
func numberPairs() []pair {
	whole := []kind{wholeKind, yearKind}
	wholePairs := func(to string, oid uint32) []pair {
		into := []string{to}
		return []pair{
			{from: whole, to: into, oid: oid, turn: always(wholeValue)},
			{from: []kind{textKind}, to: into, oid: oid, turn: always(wholeOfText)},
			{from: []kind{decimalKind}, to: into, oid: oid, turn: always(wholeOfDecimal)},
			{from: []kind{bitKind}, to: into, oid: oid, turn: always(wholeOfBits)},
			{from: []kind{floatKind, doubleKind}, to: into, oid: oid, turn: always(wholeOfFloat)},
		}
	}
	list := slices.Concat(wholePairs("smallint", pgtype.Int2OID), wholePairs("integer", pgtype.Int4OID), wholePairs("bigint", pgtype.Int8OID))
	float8, float4, numeric := []string{"double precision"}, []string{"real"}, []string{"numeric"}
	return append(list,
		pair{from: []kind{wholeKind}, to: []string{"boolean"}, oid: pgtype.BoolOID, turn: always(boolOfWhole)},
		pair{from: []kind{bitKind}, to: []string{"boolean"}, oid: pgtype.BoolOID, turn: always(boolOfBits)},

		pair{from: []kind{floatKind, doubleKind}, to: float8, oid: pgtype.Float8OID, turn: always(float8OfFloat)},
		pair{from: whole, to: float8, oid: pgtype.Float8OID, turn: always(floatOfWhole(64))},
		pair{from: []kind{decimalKind, textKind}, to: float8, oid: pgtype.Float8OID, turn: always(floatOfText(64))},
		pair{from: []kind{floatKind}, to: float4, oid: pgtype.Float4OID},
		pair{from: []kind{doubleKind}, to: float4, oid: pgtype.Float4OID, turn: always(float4OfDouble)},
		pair{from: whole, to: float4, oid: pgtype.Float4OID, turn: always(floatOfWhole(32))},
		pair{from: []kind{decimalKind, textKind}, to: float4, oid: pgtype.Float4OID, turn: always(floatOfText(32))},

		pair{from: []kind{wholeKind, yearKind, decimalKind, textKind}, to: numeric, oid: pgtype.NumericOID, turn: numericOf(decimalText)},
		pair{from: []kind{floatKind, doubleKind}, to: numeric, oid: pgtype.NumericOID, turn: numericOf(shortestText)},
		pair{from: []kind{bitKind}, to: numeric, oid: pgtype.NumericOID, turn: numericOf(bitsText)},
	)
}

// textPairs are those into text, JSON and bytes.
func textPairs() []pair {
	texts := []string{"text", "character varying", "character"}
	plain := []kind{textKind, jsonKind, binaryKind, dateKind, datetimeKind, timestampKind, timeKind, uuidKind, inetKind}
	return []pair{
		{from: plain, to: texts, oid: pgtype.TextOID, turn: textOf(plainText)},
		{from: []kind{wholeKind}, to: texts, oid: pgtype.TextOID, turn: textOfWhole, not: zerofillWithoutWidth},
		{from: []kind{yearKind}, to: texts, oid: pgtype.TextOID, turn: textOf(yearText)},
		{from: []kind{decimalKind}, to: texts, oid: pgtype.TextOID, turn: textOf(plainText), not: zerofilled},
		{from: []kind{floatKind}, to: texts[:2], oid: pgtype.TextOID, turn: textOf(shortestFloat)},
		{from: []kind{doubleKind}, to: texts[:2], not: never("the text of a DOUBLE is the server's own spelling of it")},
		{from: []kind{jsonKind, textKind}, to: []string{"json"}, oid: pgtype.JSONOID, turn: textOf(plainText)},
		{from: []kind{jsonKind, textKind}, to: []string{"jsonb"}, oid: pgtype.JSONBOID, turn: textOf(plainText)},
		{from: []kind{binaryKind, geometryKind, bitKind, textKind, jsonKind}, to: []string{"bytea"}, oid: pgtype.ByteaOID, turn: always(plainBytes)},
	}
}

// timePairs are those into days and times.
func timePairs() []pair {
	moments := []kind{dateKind, datetimeKind, timestampKind, textKind}
	return []pair{
		{from: moments, to: []string{"date"}, oid: pgtype.DateOID, turn: always(dateValue)},
		{from: moments, to: []string{"timestamp without time zone"}, oid: pgtype.TimestampOID, turn: timestampInto(func(m moment) any { return m.timestamp() })},
		{from: []kind{timestampKind}, to: []string{"timestamp with time zone"}, oid: pgtype.TimestamptzOID, turn: timestampInto(func(m moment) any { return m.timestamptz() })},
		{from: []kind{timeKind, textKind}, to: []string{"time without time zone"}, oid: pgtype.TimeOID, turn: timeInto},
		{from: []kind{timeKind}, to: []string{"interval"}, oid: pgtype.IntervalOID, turn: intervalInto},
	}
}

// otherPairs are all others.
func otherPairs() []pair {
	return []pair{
		{from: []kind{uuidKind, textKind}, to: []string{"uuid"}, oid: pgtype.UUIDOID, turn: always(uuidOfText)},
		{from: []kind{binaryKind}, to: []string{"uuid"}, oid: pgtype.UUIDOID, turn: always(uuidOfBytes)},
		{from: []kind{inetKind, textKind}, to: []string{"inet"}, oid: pgtype.InetOID, turn: always(inetValue)},
		{from: []kind{bitKind}, to: []string{"bit"}, oid: pgtype.BitOID, turn: bitString},
		{from: []kind{bitKind}, to: []string{"bit varying"}, oid: pgtype.VarbitOID, turn: bitString},
	}
}

// find returns the pair of two types, or why their values are not read again.
func find(src, dst schema.Type) (found pair, reason string) {
	k := kinds()[src.Name]
	for _, p := range pairs() {
		if !slices.Contains(p.from, k) || !slices.Contains(p.to, dst.Name) {
			continue
		}
		if p.not != nil {
			reason = p.not(src, dst)
		}
		return p, reason
	}
	return pair{}, fmt.Sprintf("there is no second way from type %s to type %s", src.Name, dst.Name)
}
