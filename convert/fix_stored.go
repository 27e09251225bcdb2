package convert

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// StoredText is the text that PostgreSQL's cast to text gives for an encoded
// field of the target's type. Types that no fix makes values of stay as they are.
func (r *ValueRule) StoredText(field []byte) []byte {
	switch name := r.ends.target.Name; {
	case name == "boolean" && len(field) == 1:
		return strconv.AppendBool(nil, field[0] != 0)
	case name == "smallint" && len(field) == 2:
		return printInt(int64(int16(binary.BigEndian.Uint16(field))))
	case name == "integer" && len(field) == 4, name == "date" && len(field) == 4:
		v := int64(int32(binary.BigEndian.Uint32(field)))
		if name == "date" {
			return civil(v*day).AppendFormat(nil, "2006-01-02")
		}
		return printInt(v)
	case name == "numeric" && len(field) >= 8:
		return printNumeric(field)
	case name == "real" && len(field) == 4:
		return printFloat(float64(math.Float32frombits(binary.BigEndian.Uint32(field))), 32, 6)
	case strings.HasPrefix(name, "bit") && len(field) >= 4:
		return printBits(field)
	case name == "interval" && len(field) == 16:
		return printSpan(int64(binary.BigEndian.Uint64(field)))
	case len(field) == 8:
		return r.stored8(int64(binary.BigEndian.Uint64(field)), field)
	}
	return field
}

// stored8 is StoredText of the types of eight bytes.
func (r *ValueRule) stored8(v int64, field []byte) []byte {
	switch r.ends.target.Name {
	case "bigint":
		return printInt(v)
	case "double precision":
		return printFloat(math.Float64frombits(uint64(v)), 64, 15)
	case "time without time zone":
		return printSpan(v)
	case "timestamp without time zone":
		return []byte(printTimestamp(v))
	case "timestamp with time zone":
		return []byte(printTimestamp(v) + "+00")
	}
	return field
}

// printFloat prints as PostgreSQL does: the shortest digits, with an exponent
// from so many digits before the point on, or more than four zeros after it.
func printFloat(v float64, bits, most int) []byte {
	text := strconv.AppendFloat(nil, v, 'e', -1, bits)
	_, exponent, _ := strings.Cut(string(text), "e")
	if n, err := strconv.Atoi(exponent); err == nil && n >= -4 && n < most {
		return strconv.AppendFloat(nil, v, 'f', -1, bits)
	}
	return text
}

// printNumeric prints the digits of a numeric, in groups of four.
func printNumeric(field []byte) []byte {
	count, weight := int(binary.BigEndian.Uint16(field)), int(int16(binary.BigEndian.Uint16(field[2:])))
	sign, scale := binary.BigEndian.Uint16(field[4:]), int(binary.BigEndian.Uint16(field[6:]))
	group := func(i int) uint16 {
		if i < 0 || i >= count {
			return 0
		}
		return binary.BigEndian.Uint16(field[8+2*i:])
	}
	var text []byte
	if sign == numericNegative {
		text = append(text, '-')
	}
	text = strconv.AppendUint(text, uint64(group(min(0, weight))), 10)
	for i := 1; i <= weight; i++ {
		text = fmt.Appendf(text, "%04d", group(i))
	}
	if scale == 0 {
		return text
	}
	text = append(text, '.')
	end := len(text) + scale
	for i := weight + 1; len(text) < end; i++ {
		text = fmt.Appendf(text, "%04d", group(i))
	}
	return text[:end]
}

// printBits prints a bit string from the left.
func printBits(field []byte) []byte {
	n := int(binary.BigEndian.Uint32(field))
	text := make([]byte, 0, n)
	for i := range min(n, 8*(len(field)-4)) {
		text = append(text, '0'+field[4+i/8]>>(7-i%8)&1)
	}
	return text
}
