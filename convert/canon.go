package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/schema"
)

// Canonical returns what stands between a field of COPY BINARY of the type and
// its hash; nil for the many types of which equal values have equal bytes.
//
// PostgreSQL pads character(n) with blanks, and gives the padded text back. It
// takes jsonb apart: blanks go, keys are sorted and of equal keys the last is
// kept, escapes become characters, numbers become decimals.
//
// A jsonb is held in memory as a whole, several times over.
func Canonical(t schema.Type) fingerprint.Canon {
	switch t.Name {
	case "character":
		return canonicalCharacter
	case "jsonb":
		return canonicalJSONB
	}
	return nil
}

// Canon is that of the rule's target: see [Canonical].
func (r *ValueRule) Canon() fingerprint.Canon { return Canonical(r.ends.target) }

// canonicalCharacter leaves the blanks at the end out.
func canonicalCharacter(dst, field []byte) ([]byte, error) {
	return append(dst, bytes.TrimRight(field, " ")...), nil
}

// canonicalJSONB writes what the field's JSON means. What is no JSON stays as it
// is: to refuse it is for PostgreSQL, whose error tells more.
func canonicalJSONB(dst, field []byte) ([]byte, error) {
	if len(field) == 0 || field[0] != jsonbVersion {
		return append(dst, field...), nil
	}
	d := json.NewDecoder(bytes.NewReader(field[1:]))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return append(dst, field...), nil //nolint:nilerr // see above
	}
	return appendJSON(append(dst, jsonbVersion), v)
}

// jsonbVersion begins the binary form of a jsonb.
const jsonbVersion = 1

// appendJSON writes a value in the one way in which this file writes it.
func appendJSON(dst []byte, v any) (_ []byte, err error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case json.Number:
		return appendNumber(dst, v.String()), nil
	case string:
		return strconv.AppendQuote(dst, v), nil
	case []any:
		dst = append(dst, '[')
		for _, e := range v {
			if dst, err = appendJSON(dst, e); err != nil {
				return dst, err
			}
			dst = append(dst, ',')
		}
		return append(dst, ']'), nil
	case map[string]any:
		dst = append(dst, '{')
		for _, key := range slices.Sorted(maps.Keys(v)) {
			dst = append(strconv.AppendQuote(dst, key), ':')
			if dst, err = appendJSON(dst, v[key]); err != nil {
				return dst, err
			}
			dst = append(dst, ',')
		}
		return append(dst, '}'), nil
	}
	return dst, fmt.Errorf("a JSON value came as %T: this is a fault in moodledb", v)
}

// appendNumber writes a number by its digits and the place of its point, so that 100, 1e2
// and 100.0 are one: jsonb's numbers are numeric, where they are equal.
func appendNumber(dst []byte, number string) []byte {
	number, negative := strings.CutPrefix(number, "-")
	mantissa, power, _ := strings.Cut(strings.ToLower(number), "e")
	// What has more digits than an int PostgreSQL refuses.
	exponent, _ := strconv.Atoi(power)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	short := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(short)
	if short == "" {
		return append(dst, '0')
	}
	if negative {
		dst = append(dst, '-')
	}
	dst = append(append(dst, short...), 'e')
	return strconv.AppendInt(dst, int64(exponent), 10)
}
