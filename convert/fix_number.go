package convert

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
)

// clampInt is the least or the greatest integer of size bytes, as the source would send it.
func (r *ValueRule) clampInt(size int, negative bool) []byte {
	limit := int64(math.MaxInt64) >> (64 - 8*size)
	if r.ends.source == kindBit {
		return binary.BigEndian.AppendUint64(nil, uint64(limit))
	}
	if negative {
		return printInt(-limit - 1)
	}
	if _, floating := r.ends.floating(); floating && size == 8 {
		// The greatest bigint is no DOUBLE; this is the greatest number that is both.
		return strconv.AppendFloat(nil, math.Nextafter(1<<63, 0), 'f', 0, 64)
	}
	return printInt(limit)
}

// clampNumeric is the greatest number of numeric(p,s): p nines, s of them after
// the point. Of a floating-point number it is the greatest one that is not above it.
func (r *ValueRule) clampNumeric(negative bool) []byte {
	precision, scale := r.ends.target.Precision, r.ends.target.Scale
	if precision <= 0 {
		return nil
	}
	number := placePoint(bytes.Repeat([]byte{'9'}, precision), scale)
	if r.ends.source == kindBit {
		// Bits have no digits after the point; that they are out of range says that they can hold this.
		whole, _, _ := bytes.Cut(number, []byte{'.'})
		v, _, _, _ := parseInt(whole)
		return binary.BigEndian.AppendUint64(nil, v)
	}
	bits, floating := r.ends.floating()
	if !floating {
		return signed(negative, number)
	}
	v, err := strconv.ParseFloat(string(number), bits)
	// The nearest float may be above; the next one below is not.
	for range 2 {
		text := strconv.AppendFloat(nil, v, 'g', -1, 64)
		if _, fault := r.Encode(nil, text); err == nil && fault == nil {
			return signed(negative, text)
		}
		if bits == 32 {
			v = float64(math.Nextafter32(float32(v), 0))
		} else {
			v = math.Nextafter(v, 0)
		}
	}
	return nil
}

// placePoint reads digits as a number with scale digits after the point; below
// zero, as many zeros follow.
func placePoint(digits []byte, scale int) []byte {
	if scale <= 0 {
		return append(digits, bytes.Repeat([]byte{'0'}, -scale)...)
	}
	for len(digits) <= scale {
		digits = append([]byte{'0'}, digits...)
	}
	at := len(digits) - scale
	return append(append(append([]byte{}, digits[:at]...), '.'), digits[at:]...)
}

// roundDecimal rounds a decimal literal to scale digits after the point, away
// from zero when two numbers are equally near; nil when it is none.
func roundDecimal(value []byte, scale int) []byte {
	whole, fraction, negative, ok := splitDecimal(value)
	if !ok {
		return nil
	}
	digits := append(append([]byte{'0'}, whole...), fraction...)
	keep := 1 + len(whole) + scale
	if keep < 0 {
		return []byte("0")
	}
	for len(digits) <= keep {
		digits = append(digits, '0')
	}
	up := digits[keep] >= '5'
	digits = digits[:keep]
	// The zero in front takes the last carry.
	for i := keep - 1; up && i >= 0; i-- {
		if up = digits[i] == '9'; up {
			digits[i] = '0'
			continue
		}
		digits[i]++
	}
	zero := len(bytes.Trim(digits, "0")) == 0
	number := bytes.TrimLeft(placePoint(digits, scale), "0")
	if len(number) == 0 || number[0] == '.' {
		number = append([]byte{'0'}, number...)
	}
	return signed(negative && !zero, number)
}

// roundFloat rounds a floating-point number to an integer.
func roundFloat(value []byte) []byte {
	v, err := parseFloat(value, 64, "")
	if err != nil {
		return nil
	}
	// Adding zero takes the sign of minus zero away.
	return strconv.AppendFloat(nil, math.Round(v)+0, 'f', 0, 64)
}

// roundNumeric rounds a floating-point number to the digits of numeric(p,s). A
// FLOAT (of 32 bits) is first read as the shortest number that means it.
func (r *ValueRule) roundNumeric(value []byte, bits int) []byte {
	v, fault := parseFloat(value, 64, "")
	if fault != nil {
		return nil
	}
	text := strconv.AppendFloat(nil, v, 'f', -1, bits)
	if r.ends.target.Precision > 0 {
		if text = roundDecimal(text, r.ends.target.Scale); text == nil {
			return nil
		}
	}
	v, err := strconv.ParseFloat(string(text), bits)
	if err != nil {
		return nil
	}
	return strconv.AppendFloat(nil, v, 'g', -1, 64)
}

// nearestFloat is the floating-point number of that many bits that is nearest, as
// the source would send it: integers without exponent.
func (r *ValueRule) nearestFloat(value []byte, bits int) []byte {
	v, fault := parseFloat(value, bits, "")
	if fault != nil {
		return r.clampFloat(fault, value, bits)
	}
	switch source := r.ends.source; {
	case source == kindInt, source == kindYear:
		// 2^64 is more than the encoder reads.
		if math.Abs(v) >= 1<<64 {
			v = math.Copysign(belowTwo64(bits), v)
		}
		return strconv.AppendFloat(nil, v, 'f', 0, 64)
	case source == kindFloat:
		return strconv.AppendFloat(nil, v, 'g', -1, 64)
	}
	return strconv.AppendFloat(nil, v, 'g', -1, bits)
}

// clampFloat takes the greatest FLOAT for a number that no FLOAT is near to.
func (r *ValueRule) clampFloat(fault *ValueError, value []byte, bits int) []byte {
	if fault.Kind != OutOfRange || bits != 32 {
		return nil
	}
	return signed(value[0] == '-', strconv.AppendFloat(nil, math.MaxFloat32, 'g', -1, 64))
}

// belowTwo64 is the greatest floating-point number below 2^64.
func belowTwo64(bits int) float64 {
	if bits == 32 {
		return float64(math.Nextafter32(1<<64, 0))
	}
	return math.Nextafter(1<<64, 0)
}
