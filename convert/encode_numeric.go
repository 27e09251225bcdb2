package convert

import (
	"encoding/binary"
	"strconv"
)

// PostgreSQL's limits of numeric without precision: digits before and after the point.
const (
	maxNumericWhole    = 131072
	maxNumericFraction = 16383
)

// numericNegative is the sign word of a negative numeric.
const numericNegative = 0x4000

// encodeNumeric makes a numeric(precision, scale) of decimal text; precision 0
// means a numeric without limits, which keeps the digits as written.
//
// The binary form is a count of base-10000 digits, the weight of the first, the
// sign, the display scale, and the digits without zeros at either end.
// PostgreSQL would round to the scale, so a digit that it would drop is an error.
func encodeNumeric(precision, scale int) Encoder {
	return func(dst, src []byte) ([]byte, error) { return appendNumeric(dst, src, src, precision, scale) }
}

// appendNumeric encodes the decimal literal text; shown is what errors show.
func appendNumeric(dst, text, shown []byte, precision, scale int) ([]byte, error) {
	whole, fraction, negative, ok := splitDecimal(text)
	if !ok {
		return dst, fault(BadSyntax, shown, "numeric", "")
	}
	for len(whole) > 0 && whole[0] == '0' {
		whole = whole[1:]
	}
	display := len(fraction)
	for len(fraction) > 0 && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if precision > 0 {
		if len(fraction) > max(scale, 0) || trailingZeros(whole, fraction) < -scale {
			return dst, fault(NotExact, shown, numericName(precision, scale), "")
		}
		if significantBefore(whole, fraction) > precision-scale {
			return dst, fault(OutOfRange, shown, numericName(precision, scale), "")
		}
		display = max(scale, 0)
	}
	if len(whole) > maxNumericWhole || display > maxNumericFraction {
		return dst, fault(OutOfRange, shown, "numeric", "")
	}
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	weight := (len(whole)+3)/4 - 1
	dst, weight = appendDigits(dst, whole, fraction, weight)
	// Zeros at the end are dropped; the fraction has none, but whole numbers may.
	for len(dst) > start+8 && dst[len(dst)-1] == 0 && dst[len(dst)-2] == 0 {
		dst = dst[:len(dst)-2]
	}
	count := (len(dst) - start - 8) / 2
	if count == 0 {
		weight, negative = 0, false
	}
	head := dst[start:]
	binary.BigEndian.PutUint16(head[0:], uint16(count))
	binary.BigEndian.PutUint16(head[2:], uint16(int16(weight)))
	if negative {
		binary.BigEndian.PutUint16(head[4:], numericNegative)
	}
	binary.BigEndian.PutUint16(head[6:], uint16(display))
	return dst, nil
}

// appendDigits appends the base-10000 digits from the first that is not zero,
// and returns the weight of that one. whole has no zeros in front.
func appendDigits(dst, whole, fraction []byte, weight int) ([]byte, int) {
	if len(whole) > 0 {
		for i := (len(whole)-1)%4 + 1; len(whole) > 0; i = 4 {
			var d uint16
			for _, c := range whole[:i] {
				d = d*10 + uint16(c-'0')
			}
			dst = binary.BigEndian.AppendUint16(dst, d)
			whole = whole[i:]
		}
	}
	leading := weight < 0
	for len(fraction) > 0 {
		var d uint16
		n := min(4, len(fraction))
		for _, c := range fraction[:n] {
			d = d*10 + uint16(c-'0')
		}
		for range 4 - n {
			d *= 10
		}
		fraction = fraction[n:]
		if leading && d == 0 {
			weight--
			continue
		}
		leading = false
		dst = binary.BigEndian.AppendUint16(dst, d)
	}
	return dst, weight
}

// splitDecimal takes a decimal literal without exponent apart. At least one digit must be there.
func splitDecimal(s []byte) (whole, fraction []byte, negative, ok bool) {
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		s = s[1:]
	}
	whole = s
	for i, c := range s {
		if c-'0' <= 9 {
			continue
		}
		if c != '.' || len(whole) < len(s) {
			return nil, nil, false, false
		}
		whole, fraction = s[:i], s[i+1:]
	}
	return whole, fraction, negative, len(whole)+len(fraction) > 0
}

// significantBefore is how many digits the number has before the point; for a
// number below 0.1 it is negative, as numeric(2,4) needs it.
func significantBefore(whole, fraction []byte) int {
	if len(whole) > 0 {
		return len(whole)
	}
	for i, c := range fraction {
		if c != '0' {
			return -i
		}
	}
	// Zero fits everything.
	return -maxNumericFraction
}

// trailingZeros is how many zeros end the whole part, for a scale below zero.
func trailingZeros(whole, fraction []byte) int {
	if len(fraction) > 0 {
		return 0
	}
	for i := range whole {
		if whole[len(whole)-1-i] != '0' {
			return i
		}
	}
	return maxNumericWhole
}

// numericName spells numeric with its parameters.
func numericName(precision, scale int) string {
	return "numeric(" + strconv.Itoa(precision) + "," + strconv.Itoa(scale) + ")"
}

// doubleNumeric makes a numeric of a DOUBLE: the shortest decimal number that
// reads back as the same bits.
func doubleNumeric(precision, scale int) Encoder { return shortestNumeric(precision, scale, 64) }

// floatNumeric makes a numeric of a FLOAT selected as a DOUBLE: the shortest
// decimal number that reads back as the same FLOAT.
func floatNumeric(precision, scale int) Encoder { return shortestNumeric(precision, scale, 32) }

func shortestNumeric(precision, scale, bits int) Encoder {
	return func(dst, src []byte) ([]byte, error) {
		v, err := parseFloat(src, 64, "numeric")
		if err != nil {
			return dst, err
		}
		if bits == 32 && float64(float32(v)) != v {
			return dst, fault(NotExact, src, "numeric", "")
		}
		// A DOUBLE has at most 309 digits before the point or 340 after it.
		var text [400]byte
		return appendNumeric(dst, strconv.AppendFloat(text[:0], v, 'f', -1, bits), src, precision, scale)
	}
}

// bitNumeric makes a numeric of a BIT, read as an unsigned number.
func bitNumeric(precision, scale int) Encoder {
	return func(dst, src []byte) ([]byte, error) {
		v, ok := bitValue(src)
		if !ok {
			return dst, faultHex(BadSyntax, src, "numeric", "")
		}
		var text [20]byte
		return appendNumeric(dst, strconv.AppendUint(text[:0], v, 10), src, precision, scale)
	}
}
