package convert

import (
	"encoding/binary"
	"math"
	"strconv"
)

// maxFloatText is the longest text that is tried as a floating-point number;
// MySQL prints at most 24 characters, and a longer literal is no number of an application.
const maxFloatText = 400

// parseFloat reads a decimal number with optional exponent. Names such as
// "inf", underscores and hexadecimal digits are no numbers here.
func parseFloat(src []byte, bits int, target string) (float64, *ValueError) {
	if len(src) == 0 || len(src) > maxFloatText {
		return 0, fault(BadSyntax, src, target, "")
	}
	for _, c := range src {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, fault(BadSyntax, src, target, "")
		}
	}
	// ParseFloat does not keep its argument, so a short text is converted on the stack.
	v, err := strconv.ParseFloat(string(src), bits)
	if err == nil {
		return v, nil
	}
	if math.IsInf(v, 0) {
		return 0, fault(OutOfRange, src, target, "")
	}
	return 0, fault(BadSyntax, src, target, "")
}

// encodeFloat8 makes a double precision of the text of a DOUBLE, which is the
// shortest one that reads back as the same bits.
func encodeFloat8(dst, src []byte) ([]byte, error) {
	v, err := parseFloat(src, 64, "double precision")
	if err != nil {
		return dst, err
	}
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(v)), nil
}

// encodeFloat4 makes a real of a FLOAT that was selected as a DOUBLE; the
// detour is exact, so anything that is not is an error.
func encodeFloat4(dst, src []byte) ([]byte, error) {
	v, err := parseFloat(src, 64, "real")
	if err != nil {
		return dst, err
	}
	f := float32(v)
	if float64(f) != v {
		return dst, fault(NotExact, src, "real", "")
	}
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(f)), nil
}

// decimalFloat8 makes a double precision of decimal text. It is exact in the
// sense that the shortest text of the result is the same decimal number, which
// holds for every number of up to 15 digits.
func decimalFloat8(dst, src []byte) ([]byte, error) {
	v, err := parseFloat(src, 64, "double precision")
	if err != nil {
		return dst, err
	}
	if !readsBack(v, 64, src) {
		return dst, fault(NotExact, src, "double precision", "")
	}
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(v)), nil
}

// decimalFloat4 is decimalFloat8 for real, where up to 6 digits always fit.
func decimalFloat4(dst, src []byte) ([]byte, error) {
	v, err := parseFloat(src, 32, "real")
	if err != nil {
		return dst, err
	}
	if !readsBack(v, 32, src) {
		return dst, fault(NotExact, src, "real", "")
	}
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(v))), nil
}

// intFloat8 makes a double precision of an integer that it can hold exactly.
func intFloat8(dst, src []byte) ([]byte, error) {
	v, err := exactIntFloat(src, 64, "double precision")
	if err != nil {
		return dst, err
	}
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(v)), nil
}

// intFloat4 makes a real of an integer that it can hold exactly.
func intFloat4(dst, src []byte) ([]byte, error) {
	v, err := exactIntFloat(src, 32, "real")
	if err != nil {
		return dst, err
	}
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(v))), nil
}

func exactIntFloat(src []byte, bits int, target string) (float64, *ValueError) {
	magnitude, negative, ok, over := parseInt(src)
	if !ok {
		return 0, fault(BadSyntax, src, target, "")
	}
	v := float64(magnitude)
	if bits == 32 {
		v = float64(float32(magnitude))
	}
	// 2^64 itself would wrap around when converted back.
	if over || v >= 1<<64 || uint64(v) != magnitude {
		return 0, fault(NotExact, src, target, "")
	}
	if negative {
		v = -v
	}
	return v, nil
}

// wholeFloat makes an integer of size bytes of a DOUBLE without a fraction.
func wholeFloat(size int) Encoder {
	return func(dst, src []byte) ([]byte, error) {
		v, err := parseFloat(src, 64, intName(size))
		if err != nil {
			return dst, err
		}
		// Both bounds are exact as DOUBLE; the upper one is excluded.
		if v < math.MinInt64 || v >= -math.MinInt64 {
			return dst, fault(OutOfRange, src, intName(size), "")
		}
		if v != math.Trunc(v) || (v == 0 && math.Signbit(v)) {
			return dst, fault(NotExact, src, intName(size), "")
		}
		out, fits := appendInt(dst, int64(v), size)
		if !fits {
			return dst, fault(OutOfRange, src, intName(size), "")
		}
		return out, nil
	}
}

// floatText prints a FLOAT, selected as a DOUBLE, with the fewest digits that
// read back as the same FLOAT.
func floatText(limit int64) Encoder {
	return func(dst, src []byte) ([]byte, error) {
		v, err := parseFloat(src, 64, "text")
		if err != nil {
			return dst, err
		}
		f := float32(v)
		if float64(f) != v {
			return dst, fault(NotExact, src, "text", "")
		}
		start := len(dst)
		dst = strconv.AppendFloat(dst, v, 'g', -1, 32)
		if limit > 0 && int64(len(dst)-start) > limit {
			return dst[:start], fault(TooLong, src, "character varying", "")
		}
		return dst, nil
	}
}

// readsBack reports whether the shortest text of v is the decimal number src.
func readsBack(v float64, bits int, src []byte) bool {
	var short [32]byte
	return sameDecimal(strconv.AppendFloat(short[:0], v, 'e', -1, bits), src)
}

// sameDecimal reports whether two decimal literals are the same number.
func sameDecimal(a, b []byte) bool {
	x, y := scanDecimal(a), scanDecimal(b)
	if x.count == 0 || y.count == 0 {
		return x.count == y.count
	}
	if x.negative != y.negative || x.point != y.point || x.count != y.count {
		return false
	}
	i, j := x.first, y.first
	for range x.count {
		for a[i] == '.' {
			i++
		}
		for b[j] == '.' {
			j++
		}
		if a[i] != b[j] {
			return false
		}
		i++
		j++
	}
	return true
}

// scanned is where the significant digits of a decimal literal lie.
type scanned struct {
	negative bool
	// first is the index of the first digit that is not zero; count is how many
	// digits there are from it to the last one that is not zero.
	first, count int
	// point is the place of the decimal point relative to the first significant
	// digit, with the exponent taken in.
	point int
}

// scanDecimal measures a literal that a float parser accepted.
func scanDecimal(s []byte) scanned {
	var r scanned
	seen, fraction := 0, false
	i := 0
	for ; i < len(s) && s[i] != 'e' && s[i] != 'E'; i++ {
		switch c := s[i]; {
		case c == '-':
			r.negative = true
		case c == '.':
			fraction = true
		case c >= '0' && c <= '9':
			if c != '0' && seen == 0 {
				r.first, seen = i, 1
			} else if seen > 0 {
				seen++
			}
			if c != '0' {
				r.count = seen
			}
			switch {
			case !fraction && seen > 0:
				r.point++
			case fraction && seen == 0:
				r.point--
			}
		}
	}
	if i < len(s) {
		exponent, sign := 0, 1
		for _, c := range s[i+1:] {
			switch {
			case c == '-':
				sign = -1
			case c >= '0' && c <= '9' && exponent < 1<<20:
				exponent = exponent*10 + int(c-'0')
			}
		}
		r.point += sign * exponent
	}
	return r
}
