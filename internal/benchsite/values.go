package benchsite

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// maker chooses the values of a column by the column's name and type.
type maker struct {
	corpus *corpus
	table  string // without the prefix
	opts   Data
}

// nulls is the percentage of NULL in a column that takes it.
const nulls = 30

// value returns what makes the values of a column.
func (m maker) value(c *schema.Column, unique part) (value, error) {
	if unique != noPart {
		return uniqueValue(c, unique)
	}
	if v := m.special(c.Name); v != nil {
		return v, nil
	}
	v, err := m.plain(c)
	if err != nil || c.NotNull {
		return v, err
	}
	return func(b []byte, r *row) []byte {
		if r.r.chance(nulls) {
			return append(b, null...)
		}
		return v(b, r)
	}, nil
}

// plain returns the values of a column that has no rule of its own.
func (m maker) plain(c *schema.Column) (value, error) {
	switch name := c.Type.Name; name {
	case "tinyint":
		return smallInt(70, 5), nil
	case "smallint":
		return smallInt(60, 900), nil
	case "mediumint":
		return smallInt(40, 90000), nil
	case "int", "bigint":
		return wideInt(c.Name), nil
	case "decimal":
		return decimal(c.Type.Precision-c.Type.Scale, c.Type.Scale), nil
	case "float", "double":
		return decimal(3, 4), nil
	case "char", "varchar":
		return m.varchar(c), nil
	case "tinytext", "text", "mediumtext", "longtext":
		return m.text(c.Name), nil
	case "tinyblob", "blob", "mediumblob", "longblob":
		return blob(512, 4096), nil
	case "date":
		return func(b []byte, r *row) []byte {
			return fmt.Appendf(b, "2024-%02d-%02d", 1+r.r.below(12), 1+r.r.below(28))
		}, nil
	case "datetime", "timestamp":
		return func(b []byte, r *row) []byte {
			return fmt.Appendf(b, "2024-%02d-%02d %02d:%02d:%02d", 1+r.r.below(12), 1+r.r.below(28), 4+r.r.below(20), r.r.below(60), r.r.below(60))
		}, nil
	default:
		return nil, fmt.Errorf("the benchmark has no values for the type %q", name)
	}
}

// smallInt is a flag or a small number: zero in some percent of the rows.
func smallInt(zero, below int64) value {
	return func(b []byte, r *row) []byte {
		if r.r.chance(zero) {
			return append(b, '0')
		}
		return strconv.AppendInt(b, r.r.skewed(below), 10)
	}
}

// firstSecond is the time stamp of the first row, 2023-01-02 03:04:05 UTC.
const firstSecond = 1672628645

// wideInt is a time stamp, a reference or a number, by the column's name.
func wideInt(name string) value {
	switch {
	case strings.Contains(name, "time") || strings.Contains(name, "date") || name == "created" || strings.HasSuffix(name, "access"):
		return func(b []byte, r *row) []byte { return strconv.AppendInt(b, firstSecond+r.n*7+r.r.below(600), 10) }
	case strings.HasSuffix(name, "id") || isReference(name):
		return func(b []byte, r *row) []byte { return strconv.AppendInt(b, 1+r.r.skewed(50000), 10) }
	default:
		return smallInt(50, 1000)
	}
}

// isReference knows the names of Moodle's columns that refer to a row without saying so.
func isReference(name string) bool {
	switch name {
	case "course", "user", "discussion", "parent", "context", "question", "quiz", "forum", "assignment", "submission", "grader", "category", "instance", "module", "section", "usermodified", "loggeduser":
		return true
	default:
		return false
	}
}

// decimal is a number such as 78.50000: at most two digits after the point are not zero.
func decimal(whole, scale int) value {
	below := power10(int64(max(min(whole, 3), 0)))
	return func(b []byte, r *row) []byte {
		b = strconv.AppendInt(b, r.r.below(below), 10)
		if scale == 0 {
			return b
		}
		b = append(b, '.')
		for i := range scale {
			if i < 2 {
				b = append(b, '0'+byte(r.r.below(10)))
			} else {
				b = append(b, '0')
			}
		}
		return b
	}
}

// varchar is a short text that fits the column.
func (m maker) varchar(c *schema.Column) value {
	limit := c.Type.Length
	switch {
	case strings.Contains(c.Name, "hash") && limit >= 40:
		return hexDigits(40)
	case c.Name == "ip" || c.Name == "lastip":
		return address
	case strings.Contains(c.Name, "email"):
		return func(b []byte, r *row) []byte {
			b = append(strconv.AppendInt(letters(b, r.r, 7), r.r.below(9999), 10), "@example.org"...)
			return b
		}
	case limit <= 8:
		return func(b []byte, r *row) []byte { return letters(b, r.r, 1+r.r.below(min(limit, 3))) }
	default:
		high := min(limit/2, 80)
		return func(b []byte, r *row) []byte { return cut(b, r.r, m.corpus.plain, r.r.between(min(8, high), high)) }
	}
}

// address is mostly one of IPv4.
func address(b []byte, r *row) []byte {
	if r.r.chance(5) {
		return fmt.Appendf(b, "2001:db8:%x::%x", r.r.below(1<<16), r.r.below(1<<16))
	}
	b = append(b, "10."...)
	b = append(strconv.AppendInt(b, r.r.skewed(256), 10), '.')
	b = append(strconv.AppendInt(b, r.r.below(256), 10), '.')
	return strconv.AppendInt(b, r.r.below(256), 10)
}

// hexDigits is a hash of n digits.
func hexDigits(n int) value {
	return func(b []byte, r *row) []byte {
		bits := uint64(0)
		for i := range n {
			if i%16 == 0 {
				bits = r.r.next()
			}
			b = append(b, "0123456789abcdef"[bits&15])
			bits >>= 4
		}
		return b
	}
}

// text is prose: most of it short, some of several pages. Settings and answers
// are shorter than what people write in an editor.
func (m maker) text(name string) value {
	switch {
	case name == "value" || name == "response" || name == "other" || name == "data":
		return func(b []byte, r *row) []byte {
			if r.r.chance(75) {
				return strconv.AppendInt(b, r.r.below(1000), 10)
			}
			return cut(b, r.r, m.corpus.plain, r.r.between(20, 400))
		}
	default:
		return func(b []byte, r *row) []byte {
			if r.r.chance(1) {
				return cut(b, r.r, m.corpus.html, r.r.between(8<<10, 64<<10))
			}
			return cut(b, r.r, m.corpus.html, r.r.between(32, 8<<10))
		}
	}
}

// blob is bytes that do not compress.
func blob(low, high int64) value {
	return func(b []byte, r *row) []byte {
		return randomBytes(b, r.r, r.r.between(low, high))
	}
}

// randomBytes appends n random bytes, escaped for LOAD DATA.
func randomBytes(b []byte, r *random, n int64) []byte {
	var bits uint64
	for i := range n {
		if i%8 == 0 {
			bits = r.next()
		}
		c := byte(bits)
		bits >>= 8
		switch c {
		case '\\', '\t', '\n':
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return b
}

// uniqueValue is the share of a column in telling rows apart.
func uniqueValue(c *schema.Column, unique part) (value, error) {
	switch unique {
	case slow:
		return func(b []byte, r *row) []byte { return strconv.AppendInt(b, 1+r.n/perSlow, 10) }, nil
	case fast:
		return func(b []byte, r *row) []byte {
			base := int64(mix(uint64(r.n/perSlow)) % 5000)
			return strconv.AppendInt(b, 1+base+r.n%perSlow*131, 10)
		}, nil
	case whole:
	default:
		return nil, fmt.Errorf("unknown share %d in a unique index", unique)
	}
	switch c.Type.Name {
	case "char", "varchar":
		limit := int(c.Type.Length)
		return func(b []byte, r *row) []byte {
			if limit >= 24 {
				b = append(letters(b, r.r, 8), '_')
			}
			return strconv.AppendInt(b, r.n, 36)
		}, nil
	default:
		return func(b []byte, r *row) []byte { return strconv.AppendInt(b, r.n, 10) }, nil
	}
}
