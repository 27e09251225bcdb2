package convert

import (
	"encoding/binary"
	"math"
)

// parseInt reads an optional sign and digits, as a magnitude. ok is false for
// any other text; over is true when the magnitude has more than 64 bits.
func parseInt(src []byte) (magnitude uint64, negative, ok, over bool) {
	i := 0
	if len(src) > 0 && (src[0] == '-' || src[0] == '+') {
		negative = src[0] == '-'
		i = 1
	}
	if i == len(src) {
		return 0, false, false, false
	}
	for ; i < len(src); i++ {
		c := src[i] - '0'
		if c > 9 {
			return 0, false, false, false
		}
		// Above this the next digit could overflow; 19 digits stay below it.
		if magnitude > (math.MaxUint64-9)/10 {
			high := magnitude > math.MaxUint64/10
			next := magnitude*10 + uint64(c)
			over = over || high || next < magnitude
			magnitude = next
			continue
		}
		magnitude = magnitude*10 + uint64(c)
	}
	return magnitude, negative, true, over
}

// parseShort reads digits that no 64 bits overflow; whatever else is not ok.
func parseShort(src []byte) (n uint64, ok bool) {
	if len(src) == 0 || len(src) > 18 {
		return 0, false
	}
	for _, c := range src {
		c -= '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return n, true
}

// parseSigned reads an integer of at most bits bits.
func parseSigned(src []byte, bits uint, target string) (int64, *ValueError) {
	// Nearly all are short and have no sign.
	if n, ok := parseShort(src); ok && n>>(bits-1) == 0 {
		return int64(n), nil
	}
	magnitude, negative, ok, over := parseInt(src)
	if !ok {
		return 0, fault(BadSyntax, src, target, "")
	}
	limit := uint64(1) << (bits - 1)
	if negative {
		if over || magnitude > limit {
			return 0, fault(OutOfRange, src, target, "")
		}
		return -int64(magnitude), nil
	}
	if over || magnitude >= limit {
		return 0, fault(OutOfRange, src, target, "")
	}
	return int64(magnitude), nil
}

// encodeInt2 makes a smallint of decimal digits.
func encodeInt2(dst, src []byte) ([]byte, error) {
	v, err := parseSigned(src, 16, "smallint")
	if err != nil {
		return dst, err
	}
	return binary.BigEndian.AppendUint16(dst, uint16(v)), nil
}

// encodeInt4 makes an integer of decimal digits.
func encodeInt4(dst, src []byte) ([]byte, error) {
	v, err := parseSigned(src, 32, "integer")
	if err != nil {
		return dst, err
	}
	return binary.BigEndian.AppendUint32(dst, uint32(v)), nil
}

// encodeInt8 makes a bigint of decimal digits.
func encodeInt8(dst, src []byte) ([]byte, error) {
	v, err := parseSigned(src, 64, "bigint")
	if err != nil {
		return dst, err
	}
	return binary.BigEndian.AppendUint64(dst, uint64(v)), nil
}

// appendInt appends v in size bytes; false when it does not fit.
func appendInt(dst []byte, v int64, size int) ([]byte, bool) {
	switch size {
	case 2:
		return binary.BigEndian.AppendUint16(dst, uint16(v)), int64(int16(v)) == v
	case 4:
		return binary.BigEndian.AppendUint32(dst, uint32(v)), int64(int32(v)) == v
	default:
		return binary.BigEndian.AppendUint64(dst, uint64(v)), true
	}
}

// intName is the PostgreSQL type of integers of size bytes.
func intName(size int) string {
	switch size {
	case 2:
		return "smallint"
	case 4:
		return "integer"
	default:
		return "bigint"
	}
}

// wholeDecimal makes an integer of a DECIMAL whose digits after the point are all zero.
func wholeDecimal(encode Encoder) Encoder {
	return func(dst, src []byte) ([]byte, error) {
		whole := src
		for i, c := range src {
			if c != '.' {
				continue
			}
			whole = src[:i]
			for _, f := range src[i+1:] {
				if f != '0' {
					return dst, fault(NotExact, src, "an integer type", "")
				}
			}
			break
		}
		return encode(dst, whole)
	}
}

// bitInt makes an integer of size bytes of a BIT, which comes as big-endian bytes.
func bitInt(size int) Encoder {
	return func(dst, src []byte) ([]byte, error) {
		v, ok := bitValue(src)
		if !ok || v > math.MaxInt64 {
			return dst, faultHex(OutOfRange, src, intName(size), "")
		}
		out, fits := appendInt(dst, int64(v), size)
		if !fits {
			return dst, faultHex(OutOfRange, src, intName(size), "")
		}
		return out, nil
	}
}

// bitValue reads up to eight big-endian bytes.
func bitValue(src []byte) (uint64, bool) {
	if len(src) == 0 || len(src) > 8 {
		return 0, false
	}
	var v uint64
	for _, b := range src {
		v = v<<8 | uint64(b)
	}
	return v, true
}

// encodeBool makes a boolean of 0 or 1. Any other number is an error, since
// TINYINT(1) holds -128 to 127 and applications use that.
func encodeBool(dst, src []byte) ([]byte, error) {
	magnitude, negative, ok, over := parseInt(src)
	switch {
	case !ok:
		return dst, fault(BadSyntax, src, "boolean", "")
	case over || magnitude > 1 || (negative && magnitude != 0):
		return dst, fault(OutOfRange, src, "boolean", "only 0 and 1 are truth values")
	}
	return append(dst, byte(magnitude)), nil
}

// bitBool makes a boolean of a BIT that is 0 or 1.
func bitBool(dst, src []byte) ([]byte, error) {
	v, ok := bitValue(src)
	if !ok || v > 1 {
		return dst, faultHex(OutOfRange, src, "boolean", "only 0 and 1 are truth values")
	}
	return append(dst, byte(v)), nil
}

// encodeBits makes a bit string of width bits of BIT(width), which comes
// right-aligned in big-endian bytes; PostgreSQL keeps bits left-aligned, after their number.
func encodeBits(width int, target string) Encoder {
	size := (width + 7) / 8
	return func(dst, src []byte) ([]byte, error) {
		v, ok := bitValue(src)
		if !ok || len(src) != size || (width < 64 && v>>width != 0) {
			return dst, faultHex(BadSyntax, src, target, "")
		}
		v <<= 8*size - width
		dst = binary.BigEndian.AppendUint32(dst, uint32(width))
		for i := size - 1; i >= 0; i-- {
			dst = append(dst, byte(v>>(8*i)))
		}
		return dst, nil
	}
}
