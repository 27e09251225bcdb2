package recheck

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/moodledb/moodledb/schema"
)

// plainText takes text as it is.
func plainText(v any) ([]byte, error) {
	switch v := v.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	}
	return nil, refuse("the driver gives %T where text was expected", v)
}

// plainBytes takes bytes as they are.
func plainBytes(v any) (any, error) { return plainText(v) }

// yearText prints a YEAR: the year zero has four digits.
func yearText(v any) ([]byte, error) {
	n, ok := v.(int64)
	if !ok {
		return nil, refuse("the driver gives %T for a YEAR", v)
	}
	return fmt.Appendf(nil, "%04d", n), nil
}

// shortestFloat prints a FLOAT with the digits that it needs.
func shortestFloat(v any) ([]byte, error) {
	f, ok := v.(float32)
	if !ok {
		return nil, refuse("the driver gives %T for a FLOAT", v)
	}
	return strconv.AppendFloat(nil, float64(f), 'g', -1, 32), nil
}

// textOfWhole prints whole numbers, those of a ZEROFILL column with the zeros before them.
func textOfWhole(src, dst schema.Type) turn {
	return textOf(func(v any) ([]byte, error) {
		digits, err := decimalText(v)
		if src.Zerofill && len(digits) < src.Width {
			digits = strings.Repeat("0", src.Width-len(digits)) + digits
		}
		return []byte(digits), err
	})(src, dst)
}

// zerofillWithoutWidth is why some numbers are not read again as text.
func zerofillWithoutWidth(src, _ schema.Type) string {
	if src.Zerofill && src.Width == 0 {
		return "how many zeros the server prints before the numbers (ZEROFILL) is not known"
	}
	return ""
}

// zerofilled is why decimals of a ZEROFILL column are not read again as text.
func zerofilled(src, _ schema.Type) string {
	if src.Zerofill {
		return "the zeros that the server prints before the numbers (ZEROFILL) are not sent in its binary protocol"
	}
	return ""
}

// textOf makes text of what read returns: UTF-8 without zero bytes, and no longer than the type allows.
func textOf(read func(v any) ([]byte, error)) func(src, dst schema.Type) turn {
	return func(src, dst schema.Type) turn {
		limit := int64(math.MaxInt64)
		switch {
		case dst.Name == "character" && dst.Raw != "bpchar":
			limit = max(dst.Length, 1)
		case dst.Name == "character varying" && dst.Length > 0:
			limit = dst.Length
		}
		blanks := dst.Name != "character" || src.Name == "char" && src.Length <= limit
		return func(v any) (any, error) {
			t, err := read(v)
			switch {
			case err != nil:
				return nil, err
			case bytes.IndexByte(t, 0) >= 0:
				return nil, refuse("there is a zero byte in the text")
			case !utf8.Valid(t):
				return nil, refuse("the text is no UTF-8")
			case int64(len(t)) > limit && int64(utf8.RuneCount(t)) > limit:
				return nil, refuse("the text has %d characters, %d are allowed", utf8.RuneCount(t), limit)
			case !blanks && bytes.HasSuffix(t, []byte(" ")):
				return nil, refuse("the text ends in blanks, which mean nothing in type character")
			}
			return t, nil
		}
	}
}
