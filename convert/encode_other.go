package convert

import (
	"net/netip"
	"unicode/utf8"
	"unsafe"
)

// unpadded passes text to character(limit). PostgreSQL pads it with blanks,
// which mean nothing there; so blanks at the end would be lost.
func unpadded(limit int64) Encoder {
	return func(dst, src []byte) ([]byte, error) {
		if len(src) > 0 && src[len(src)-1] == ' ' {
			return dst, fault(NotExact, src, "character", "blanks at the end mean nothing there")
		}
		if err := CheckChars(src, limit, "character"); err != nil {
			return dst, err
		}
		return append(dst, src...), nil
	}
}

// CheckChars returns a [*ValueError] when text has more than limit characters.
func CheckChars(text []byte, limit int64, target string) error {
	if int64(len(text)) <= limit || CountChars(text) <= limit {
		return nil
	}
	return &ValueError{
		Kind: TooLong, Value: Printable(text), Target: target,
		Detail: lengthDetail(CountChars(text), limit),
	}
}

// CountChars counts the characters of UTF-8 text; in invalid text, the bytes
// that start one. Counts of consecutive pieces of a text add up.
func CountChars(text []byte) int64 {
	var n int64
	for _, c := range text {
		if c < utf8.RuneSelf || c >= 0xC0 {
			n++
		}
	}
	return n
}

// encodeUUID makes a uuid of its text, with or without hyphens.
func encodeUUID(dst, src []byte) ([]byte, error) {
	start := len(dst)
	switch len(src) {
	case 32:
	case 36:
		if src[8] != '-' || src[13] != '-' || src[18] != '-' || src[23] != '-' {
			return dst, fault(BadSyntax, src, "uuid", "")
		}
	default:
		return dst, fault(BadSyntax, src, "uuid", "")
	}
	var high byte
	half := false
	for i, c := range src {
		if c == '-' && len(src) == 36 && (i == 8 || i == 13 || i == 18 || i == 23) {
			continue
		}
		d, ok := hexDigit(c)
		if !ok {
			return dst[:start], fault(BadSyntax, src, "uuid", "")
		}
		if half {
			dst = append(dst, high<<4|d)
		} else {
			high = d
		}
		half = !half
	}
	return dst, nil
}

// hexDigit is the value of a hexadecimal digit.
func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// rawUUID makes a uuid of BINARY(16).
func rawUUID(dst, src []byte) ([]byte, error) {
	if len(src) != 16 {
		return dst, faultHex(BadSyntax, src, "uuid", "it has not 16 bytes")
	}
	return append(dst, src...), nil
}

// The address families of PostgreSQL's inet, which are its own on every system.
const (
	familyIPv4 = 2
	familyIPv6 = 3
)

// maxInetText is longer than every address without zone and prefix.
const maxInetText = 45

// encodeInet makes an inet of an IPv4 or IPv6 address without zone and prefix
// length, as INET4 and INET6 print it.
func encodeInet(dst, src []byte) ([]byte, error) {
	if len(src) == 0 || len(src) > maxInetText {
		return dst, fault(BadSyntax, src, "inet", "")
	}
	for _, c := range src {
		if _, ok := hexDigit(c); !ok && c != '.' && c != ':' {
			return dst, fault(BadSyntax, src, "inet", "")
		}
	}
	// ParseAddr keeps its argument only in a zone, ruled out above, and in its
	// error, dropped here; string(src) would allocate for every value.
	addr, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(src), len(src)))
	if err != nil {
		return dst, fault(BadSyntax, src, "inet", "")
	}
	if addr.Is4() {
		a := addr.As4()
		return append(append(dst, familyIPv4, 32, 0, 4), a[:]...), nil
	}
	a := addr.As16()
	return append(append(dst, familyIPv6, 128, 0, 16), a[:]...), nil
}
