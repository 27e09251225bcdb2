package recheck

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/moodledb/moodledb/schema"
)

// text returns the bytes of a value as a string.
func text(v any) (string, error) {
	switch v := v.(type) {
	case []byte:
		return string(v), nil
	case string:
		return v, nil
	}
	return "", refuse("the driver gives %T where text was expected", v)
}

// wholeValue takes a whole number as it is. One that needs 64 bits without a sign comes as text.
func wholeValue(v any) (any, error) {
	if n, ok := v.(int64); ok {
		return n, nil
	}
	return wholeOfText(v)
}

// wholeOfText reads decimal digits.
func wholeOfText(v any) (any, error) {
	s, err := text(v)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil, refuse("%q is no whole number of 64 bits", s)
	}
	return n, nil
}

// wholeOfDecimal leaves it to pgx to refuse a fraction.
func wholeOfDecimal(v any) (any, error) {
	s, err := text(v)
	if err != nil {
		return nil, err
	}
	return scanNumeric(s)
}

// bits reads a BIT, which comes as big-endian bytes.
func bits(v any) (*big.Int, error) {
	b, ok := v.([]byte)
	if !ok || len(b) == 0 || len(b) > 8 {
		return nil, refuse("the driver gives %T of %d bytes for a BIT", v, len(b))
	}
	return new(big.Int).SetBytes(b), nil
}

// wholeOfBits reads a BIT as a number.
func wholeOfBits(v any) (any, error) {
	n, err := bits(v)
	if err != nil {
		return nil, err
	}
	return n.Uint64(), nil
}

// asFloat takes both widths.
func asFloat(v any) (float64, error) {
	switch v := v.(type) {
	case float32:
		return float64(v), nil
	case float64:
		return v, nil
	}
	return 0, refuse("the driver gives %T where a floating-point number was expected", v)
}

// float8OfFloat widens a FLOAT, which is exact.
func float8OfFloat(v any) (any, error) { return asFloat(v) }

// wholeOfFloat takes a number without a fraction, and not minus zero.
func wholeOfFloat(v any) (any, error) {
	f, err := asFloat(v)
	if err != nil {
		return nil, err
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, refuse("%g is no whole number", f)
	}
	n, accuracy := big.NewFloat(f).Int(nil)
	if accuracy != big.Exact || !n.IsInt64() || f == 0 && math.Signbit(f) {
		return nil, refuse("%g is no whole number of 64 bits", f)
	}
	return n.Int64(), nil
}

// boolOfWhole takes 0 and 1.
func boolOfWhole(v any) (any, error) {
	switch v {
	case int64(0):
		return false, nil
	case int64(1):
		return true, nil
	}
	return nil, refuse("%v is neither 0 nor 1", v)
}

// boolOfBits takes 0 and 1.
func boolOfBits(v any) (any, error) {
	n, err := bits(v)
	if err != nil {
		return nil, err
	}
	if !n.IsUint64() || n.Uint64() > 1 {
		return nil, refuse("%s is neither 0 nor 1", n)
	}
	return n.Uint64() == 1, nil
}

// sized returns a float64 or float32, as pgx encodes the two.
func sized(f float64, size int) any {
	if size == 32 {
		return float32(f)
	}
	return f
}

// floatOfWhole takes whole numbers that the type holds exactly.
func floatOfWhole(size int) turn {
	return func(v any) (any, error) {
		s, err := decimalText(v)
		if err != nil {
			return nil, err
		}
		want, ok := new(big.Int).SetString(s, 10)
		if !ok {
			return nil, refuse("%q is no whole number", s)
		}
		f, err := strconv.ParseFloat(s, size)
		if err != nil {
			return nil, refuse("%s is out of range", s)
		}
		if got, accuracy := big.NewFloat(f).Int(nil); accuracy != big.Exact || got.Cmp(want) != 0 {
			return nil, refuse("%s would be rounded", s)
		}
		return sized(f, size), nil
	}
}

// floatOfText takes decimal numbers that are the shortest text of what becomes of them.
func floatOfText(size int) turn {
	return func(v any) (any, error) {
		s, err := text(v)
		if err != nil {
			return nil, err
		}
		return exactFloat(s, size)
	}
}

// float4OfDouble takes what a real prints as the DOUBLE is printed.
func float4OfDouble(v any) (any, error) {
	f, err := asFloat(v)
	if err != nil {
		return nil, err
	}
	return exactFloat(strconv.FormatFloat(f, 'g', -1, 64), 32)
}

// exactFloat reads a decimal number, and refuses it when what it becomes is printed as another one.
func exactFloat(s string, size int) (any, error) {
	if s == "" || strings.Trim(s, "0123456789.+-eE") != "" {
		return nil, refuse("%q is no number", s)
	}
	f, err := strconv.ParseFloat(s, size)
	if err != nil {
		return nil, refuse("%s is no number that fits", s)
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
	if f == 0 {
		// The exponent of a zero may be too large to reckon with.
		if strings.ContainsAny(mantissa, "123456789") {
			return nil, refuse("%s would become zero", s)
		}
		return sized(f, size), nil
	}
	want, ok := new(big.Rat).SetString(s)
	got, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, size))
	if !ok || got.Cmp(want) != 0 {
		return nil, refuse("%s would be rounded", s)
	}
	return sized(f, size), nil
}

// decimalText is the text of a whole or decimal number.
func decimalText(v any) (string, error) {
	if n, ok := v.(int64); ok {
		return strconv.FormatInt(n, 10), nil
	}
	return text(v)
}

// shortestText is the shortest decimal number that reads back as the same floating-point number.
func shortestText(v any) (string, error) {
	f, err := asFloat(v)
	if err != nil {
		return "", err
	}
	size := 64
	if _, ok := v.(float32); ok {
		size = 32
	}
	return strconv.FormatFloat(f, 'f', -1, size), nil
}

// bitsText is a BIT as a number.
func bitsText(v any) (string, error) {
	n, err := bits(v)
	if err != nil {
		return "", err
	}
	return n.String(), nil
}

// numericOf makes numeric(precision, scale) of what text returns.
func numericOf(text func(v any) (string, error)) func(src, dst schema.Type) turn {
	return func(_, dst schema.Type) turn {
		limit := power(dst.Precision)
		return func(v any) (any, error) {
			s, err := text(v)
			if err != nil {
				return nil, err
			}
			n, err := scanNumeric(s)
			if err != nil {
				return nil, err
			}
			if dst.Precision > 0 {
				return scaled(n, limit, dst.Scale)
			}
			if -n.Exp > mostFraction {
				return nil, refuse("it has more than %d digits after the point", mostFraction)
			}
			return n, nil
		}
	}
}

// PostgreSQL's limits of the digits of a numeric, before and after the point.
const (
	mostWhole    = 131072
	mostFraction = 16383
)

// scanNumeric lets pgx read a decimal number without exponent. pgx reads more than that.
func scanNumeric(s string) (pgtype.Numeric, error) {
	digits := s
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if digits == "" || digits == "." || strings.Trim(whole+fraction, "0123456789") != "" {
		return pgtype.Numeric{}, refuse("%q is no decimal number", s)
	}
	if len(strings.TrimLeft(whole, "0")) > mostWhole {
		return pgtype.Numeric{}, refuse("it has more than %d digits", mostWhole)
	}
	var n pgtype.Numeric
	if err := n.Scan(strings.TrimPrefix(s, "+")); err != nil {
		return n, refusal(err.Error())
	}
	return n, nil
}

// power is a power of ten.
func power(exponent int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)
}

// scaled gives a number the digits after the point that the type keeps, which
// must be all that it has. As a multiple of the last of them it must be below limit.
func scaled(n pgtype.Numeric, limit *big.Int, scale int) (any, error) {
	units := n.Int
	switch shift := int(n.Exp) + scale; {
	case shift > 0:
		units.Mul(units, power(shift))
	case shift < 0:
		rest := new(big.Int)
		if units.QuoRem(units, power(-shift), rest); rest.Sign() != 0 {
			return nil, refuse("it has more digits than a scale of %d keeps", scale)
		}
	}
	if units.CmpAbs(limit) >= 0 {
		return nil, refuse("it has more digits than the type keeps")
	}
	if scale < 0 {
		units.Mul(units, power(-scale))
		scale = 0
	}
	return pgtype.Numeric{Int: units, Exp: int32(-scale), Valid: true}, nil
}

// shortNumeric takes the digits away that are zero, at both ends of the numeric that
// begins at start: PostgreSQL does so when it receives one. A digit has four decimal ones.
func shortNumeric(out []byte, start int) []byte {
	const head = 8
	field := out[start:]
	weight := int(int16(binary.BigEndian.Uint16(field[2:])))
	digits := field[head:]
	for len(digits) > 0 && digits[len(digits)-1] == 0 && digits[len(digits)-2] == 0 {
		digits = digits[:len(digits)-2]
	}
	for len(digits) > 0 && digits[0] == 0 && digits[1] == 0 {
		digits = digits[2:]
		weight--
	}
	if len(digits) == 0 {
		weight = 0
		binary.BigEndian.PutUint16(field[4:], 0)
	}
	binary.BigEndian.PutUint16(field, uint16(len(digits)/2))
	binary.BigEndian.PutUint16(field[2:], uint16(int16(weight)))
	return append(out[:start+head], digits...)
}
