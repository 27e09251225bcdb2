package mysql

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/moodledb/moodledb/schema"
)

// keyKind says how the values of a key's column are ordered and spelt.
type keyKind int

// The kinds of columns that bounds are made of. Others, such as floating-point
// numbers, of which no literal is exact, and enums, whose order is not that of
// their texts, are not split.
const (
	keyNumber keyKind = iota + 1 // integers and decimals
	keyTime                      // dates, with a time or without
	keyText
	keyBinary
)

// keyColumn is a column that bounds can be made of.
type keyColumn struct {
	name string
	kind keyKind
	// scale is the number of digits behind the point of a decimal, or of fractions of a second.
	scale int
	// layout is how package time spells a time of the column.
	layout string
	// epoch says that times begin in 1970, but for the zero time. Servers disagree
	// on how others compare with such a column.
	epoch bool
}

// newKeyColumn returns how bounds are made of a column; ok is false when they cannot be.
func newKeyColumn(c *schema.Column) (k keyColumn, ok bool) {
	k.name = c.Name
	switch c.Type.Name {
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint":
		k.kind = keyNumber
	case "decimal", "numeric":
		k.kind, k.scale = keyNumber, c.Type.Scale
	case "date":
		k.kind, k.layout = keyTime, time.DateOnly
	case "datetime", "timestamp":
		k.kind, k.layout, k.scale = keyTime, time.DateTime, c.Type.Precision
		k.epoch = c.Type.Name == "timestamp"
	case "char", "varchar":
		k.kind = keyText
	case "binary", "varbinary":
		k.kind = keyBinary
	default:
		return keyColumn{}, false
	}
	return k, true
}

// keyValue is the value that a row has in a column of a key.
type keyValue struct {
	// literal is the value as SQL: exact, and of the column's own character set,
	// so that the column's collation compares and its index serves.
	literal string
	// number is where a number or a time lies on a line of whole numbers.
	number *big.Int
	// text is a text in UTF-8, or the bytes of a binary.
	text string
	// charset and collation are those of a text, as this server names them.
	charset, collation string
}

// expressions select a value of the column, for [keyColumn.value].
func (k keyColumn) expressions() []string {
	name := QuoteIdent(k.name)
	switch k.kind {
	case keyText:
		return []string{
			"HEX(" + name + ")", "HEX(CONVERT(" + name + " USING utf8mb4))",
			"CHARSET(" + name + ")", "COLLATION(" + name + ")",
		}
	case keyBinary:
		return []string{"HEX(" + name + ")"}
	default:
		return []string{name}
	}
}

// value reads what the expressions returned.
func (k keyColumn) value(fields []string) (keyValue, error) {
	switch k.kind {
	case keyNumber:
		n, ok := new(big.Int).SetString(strings.Replace(fields[0], ".", "", 1), 10)
		if !ok {
			return keyValue{}, fmt.Errorf("column %q: %q is no number", k.name, fields[0])
		}
		return keyValue{literal: decimalText(n, k.scale), number: n}, nil
	case keyTime:
		n, err := timeNumber(fields[0], k.scale)
		if err != nil {
			return keyValue{}, fmt.Errorf("column %q: %w", k.name, err)
		}
		if k.epoch && n.Sign() < 0 {
			n.SetInt64(0)
		}
		return keyValue{literal: "'" + fields[0] + "'", number: n}, nil
	case keyText:
		text, err := hex.DecodeString(fields[1])
		if err != nil {
			return keyValue{}, fmt.Errorf("column %q: %w", k.name, err)
		}
		return keyValue{
			literal: "_" + fields[2] + " X'" + fields[0] + "'", text: string(text),
			charset: fields[2], collation: fields[3],
		}, nil
	case keyBinary:
		text, err := hex.DecodeString(fields[0])
		if err != nil {
			return keyValue{}, fmt.Errorf("column %q: %w", k.name, err)
		}
		return keyValue{literal: "X'" + fields[0] + "'", text: string(text)}, nil
	default:
		return keyValue{}, fmt.Errorf("column %q has a kind that no bounds are made of", k.name)
	}
}

// candidates returns expressions of places where the values from low to high may
// be divided, the best guess first. The last one is high itself, so that there is progress
// whatever the order is. Guesses may be wrong: only the server knows the
// order of texts.
func (k keyColumn) candidates(low, high keyValue, letters *alphabet) []string {
	guesses := make([]string, 0, 3)
	switch k.kind {
	case keyNumber:
		guesses = append(guesses, decimalText(middle(low.number, high.number), k.scale))
	case keyTime:
		guesses = append(guesses, "'"+timeText(middle(low.number, high.number), k.scale, k.layout)+"'")
	case keyText:
		for _, text := range letters.between(low.text, high.text) {
			guesses = append(guesses, textExpression(text, high.charset, high.collation))
		}
	case keyBinary:
		guesses = append(guesses, "X'"+hex.EncodeToString(middleBytes(low.text, high.text))+"'")
	}
	return append(guesses, high.literal)
}

// textExpression spells a text of UTF-8 as a constant of another character set and of a collation.
func textExpression(text, charset, collation string) string {
	return "CONVERT(_utf8mb4 X'" + hex.EncodeToString([]byte(text)) + "' USING " + charset + ") COLLATE " + collation
}

// middle is the number in the middle between two, and above the lower one.
func middle(low, high *big.Int) *big.Int {
	n := new(big.Int).Add(low, high)
	n.Add(n, big.NewInt(1))
	return n.Rsh(n, 1)
}

// decimalText spells a number with scale digits behind the point.
func decimalText(n *big.Int, scale int) string {
	if scale == 0 {
		return n.String()
	}
	digits := new(big.Int).Abs(n).String()
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	text := digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	if n.Sign() < 0 {
		return "-" + text
	}
	return text
}

// window is the number of bytes behind what two binaries begin with that are looked at.
const window = 8

// middleBytes returns bytes in the middle between low and high.
func middleBytes(low, high string) []byte {
	same := 0
	for same < min(len(low), len(high)) && low[same] == high[same] {
		same++
	}
	n := middle(windowNumber(low[same:]), windowNumber(high[same:]))
	out := make([]byte, same+window)
	copy(out, low[:same])
	n.FillBytes(out[same:])
	return out
}

// windowNumber reads the first bytes as a number.
func windowNumber(text string) *big.Int {
	var b [window]byte
	copy(b[:], text)
	return new(big.Int).SetBytes(b[:])
}
