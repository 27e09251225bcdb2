package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// ValueRule says how the values of one column travel: from the bytes of MySQL's
// text protocol to a field of PostgreSQL's COPY ... (FORMAT binary).
//
// A rule either passes bytes through (Raw) or encodes them (Encode); never both.
type ValueRule struct {
	// Name tells the rule apart in plans and tests, such as "int to smallint".
	Name string
	// Select is how the column is selected: empty for the column itself, else
	// a format with one %s for the quoted column. See [ValueRule.Expression].
	Select string
	// Encode makes the field's bytes; nil when Raw.
	Encode Encoder
	// Raw says that the source's bytes are the field's bytes, after Prefix.
	Raw bool
	// Prefix precedes the bytes of a Raw field: jsonb's version byte.
	Prefix []byte
	// MaxChars limits the characters of a Raw field; 0 for no limit. It is set
	// only where the source allows more than the target: PostgreSQL cuts off
	// trailing blanks that do not fit varchar(n) instead of refusing them.
	MaxChars int64
	// Text says that the field must be UTF-8 without zero bytes. PostgreSQL checks
	// that; the hot path does not.
	Text bool
	// NotNull is set when the target forbids NULL and the source does not.
	NotNull bool
	// Target is the target's type as DDL spells it, for messages.
	Target string
	// ends is what Fix needs to know; set by Value.
	ends ends
}

// Expression returns what to SELECT for the column, whose name is given quoted.
func (r ValueRule) Expression(quoted string) string {
	if r.Select == "" {
		return quoted
	}
	return fmt.Sprintf(r.Select, quoted)
}

// Encoder appends the binary form of src, without its length, to dst. It
// appends no more than len(src)+[MaxGrowth] bytes, keeps neither slice, and
// allocates nothing unless it fails. Its error is a [*ValueError].
type Encoder func(dst, src []byte) ([]byte, error)

// MaxGrowth bounds how much longer than its source an encoded field may be.
// The longest such growth is a DOUBLE of 309 digits in a numeric.
const MaxGrowth = 192

// MaxEncoded is the longest source value that an [Encoder] is given: no value
// that fits one of the encoded types is longer. Raw fields have no such limit.
const MaxEncoded = 1 << 20

// Value returns the rule that carries values of the MySQL or MariaDB column
// src into the PostgreSQL column dst. The error names both types when no value
// of the one can be a value of the other without a decision that only a person can take.
func Value(src, dst schema.Column) (ValueRule, error) {
	kind, ok := kindOf(src.Type.Name)
	if !ok {
		return ValueRule{}, fmt.Errorf("column %q: unknown source type %q", src.Name, typeText(src.Type))
	}
	known := false
	for _, p := range pairings() {
		if !slices.Contains(p.to, dst.Type.Name) {
			continue
		}
		known = true
		if !slices.Contains(p.from, kind) {
			continue
		}
		if p.fits != nil && !p.fits(src.Type, dst.Type) {
			continue
		}
		rule := p.rule(src.Type, dst.Type)
		rule.Name = fmt.Sprintf("%s to %s", src.Type.Name, dst.Type.Name)
		rule.Target = typeText(dst.Type)
		rule.NotNull = dst.NotNull && !src.NotNull
		rule.ends = ends{source: kind, bits: bitLength(src.Type, 1), target: dst.Type, notNull: dst.NotNull}
		return rule, nil
	}
	if !known {
		return ValueRule{}, fmt.Errorf("column %q: unknown target type %q", dst.Name, typeText(dst.Type))
	}
	return ValueRule{}, fmt.Errorf("column %q: values of type %s do not fit type %s", src.Name, typeText(src.Type), typeText(dst.Type))
}

// typeText spells a type for people.
func typeText(t schema.Type) string {
	if t.Raw != "" {
		return t.Raw
	}
	switch {
	case t.Length > 0:
		return fmt.Sprintf("%s(%d)", t.Name, t.Length)
	case t.Precision > 0:
		return fmt.Sprintf("%s(%d,%d)", t.Name, t.Precision, t.Scale)
	}
	return t.Name
}

// ErrorKind classifies why a value cannot be carried over.
type ErrorKind string

// The kinds of [ValueError].
const (
	// OutOfRange: the target type has no such value.
	OutOfRange ErrorKind = "out-of-range"
	// NotExact: the target type would round the value.
	NotExact ErrorKind = "not-exact"
	// ZeroDate: a date with year, month or day zero.
	ZeroDate ErrorKind = "zero-date"
	// BadDate: a day or a time that no calendar or clock has.
	BadDate ErrorKind = "bad-date"
	// BadSyntax: the text is no literal of the target type.
	BadSyntax ErrorKind = "bad-syntax"
	// TooLong: more characters, bits or bytes than the target type allows.
	TooLong ErrorKind = "too-long"
	// NullValue: NULL where the target column is NOT NULL.
	NullValue ErrorKind = "null"
	// NulByte: a zero byte in text.
	NulByte ErrorKind = "nul-byte"
	// InvalidUTF8: bytes that are not UTF-8 in text.
	InvalidUTF8 ErrorKind = "invalid-utf8"
)

// ValueError is a value that cannot be carried over exactly.
type ValueError struct {
	Kind ErrorKind
	// Value is the value in printable form, shortened.
	Value string
	// Target is the PostgreSQL type.
	Target string
	// Detail says more, such as where in the value the fault is; may be empty.
	Detail string
}

// Error describes the value and why it does not fit.
func (e *ValueError) Error() string {
	var what string
	switch e.Kind {
	case OutOfRange:
		what = "is out of range for " + e.Target
	case NotExact:
		what = "would be rounded by " + e.Target
	case ZeroDate:
		what = "is a zero date, which " + e.Target + " does not have"
	case BadDate:
		what = "does not exist in the calendar of " + e.Target
	case BadSyntax:
		what = "is no value of " + e.Target
	case TooLong:
		what = "is too long for " + e.Target
	case NullValue:
		what = "is not allowed in this column"
	case NulByte:
		what = "holds a zero byte, which " + e.Target + " cannot store"
	case InvalidUTF8:
		what = "is not valid UTF-8, which " + e.Target + " must be"
	default:
		what = fmt.Sprintf("does not fit %s (%s)", e.Target, string(e.Kind))
	}
	s := e.Value + " " + what
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Hint says what to do about the error, for all values of its kind.
func (e *ValueError) Hint() string {
	switch e.Kind {
	case OutOfRange, TooLong:
		return "correct the value in the source, or make the target's column wide enough"
	case NotExact:
		return "round the value in the source, or give the target's column the digits it needs"
	case ZeroDate, BadDate:
		return "set a real date, or NULL, in the source"
	case NullValue:
		return "give the row a value in the source, or allow NULL in the target"
	case NulByte:
		return "remove the zero bytes in the source, for example with REPLACE(column, CHAR(0), '')"
	case InvalidUTF8:
		return "correct the text in the source; its bytes are not in the character set that the column declares"
	case BadSyntax:
		return "correct the value in the source, or give the target's column the type of the source's"
	case Refused:
		return "correct the row in the source"
	}
	return "correct the value in the source"
}

// shownBytes is how much of a value an error shows.
const shownBytes = 64

// Printable renders a value of the source for a message: quoted, with control
// and invalid bytes escaped, and shortened to a few dozen bytes.
func Printable(value []byte) string { return PrintableStart(value, int64(len(value))) }

// PrintableStart is [Printable] of a value of size bytes of which only the
// start is given: all of it, or more than a few dozen bytes.
func PrintableStart(start []byte, size int64) string {
	if size <= shownBytes {
		return fmt.Sprintf("%q", start)
	}
	cut := min(shownBytes, len(start))
	for cut > shownBytes-4 && cut < len(start) && start[cut]&0xC0 == 0x80 {
		cut--
	}
	return fmt.Sprintf("%q... (%d bytes)", start[:cut], size)
}

// fault makes the error of a value.
func fault(kind ErrorKind, value []byte, target, detail string) *ValueError {
	return &ValueError{Kind: kind, Value: Printable(value), Target: target, Detail: detail}
}

// faultHex is fault for values whose bytes are not text.
func faultHex(kind ErrorKind, value []byte, target, detail string) *ValueError {
	shown := value[:min(len(value), shownBytes/2)]
	text := fmt.Sprintf("0x%x", shown)
	if len(shown) < len(value) {
		text += fmt.Sprintf("... (%d bytes)", len(value))
	}
	return &ValueError{Kind: kind, Value: text, Target: target, Detail: detail}
}

// fractionDigits returns how many digits of a second a PostgreSQL type keeps.
// A type without modifier keeps six; Precision alone cannot tell (0) from none.
func fractionDigits(t schema.Type) int {
	if _, rest, ok := strings.Cut(t.Raw, "("); ok {
		digits := 0
		for _, c := range rest {
			if c < '0' || c > '9' {
				break
			}
			digits = digits*10 + int(c-'0')
		}
		return min(digits, 6)
	}
	if t.Precision > 0 {
		return min(t.Precision, 6)
	}
	return 6
}

// lengthDetail says how much too long a text is.
func lengthDetail(chars, limit int64) string {
	return fmt.Sprintf("%d characters, %d allowed", chars, limit)
}
