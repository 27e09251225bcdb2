package convert

import (
	"slices"
	"strconv"

	"github.com/moodledb/moodledb/schema"
)

// ends is what fixing must know of both ends of a column, beyond its rule.
type ends struct {
	source  sourceKind
	bits    int64
	target  schema.Type
	notNull bool
}

// Nullable returns a [*FixError] when NULL cannot be stored in place of a value
// of the given kind.
func (r *ValueRule) Nullable(kind ErrorKind) error {
	if r.ends.notNull || r.NotNull {
		return &FixError{Kind: kind, Rule: FixNull, Reason: "the target's column is NOT NULL"}
	}
	return nil
}

// StoredChars is how many characters the target's column holds; 0 when only
// memory limits it. Unlike MaxChars it is set also where the source's own limit
// is enough, since a fixed text can be longer than the source's.
func (r *ValueRule) StoredChars() int64 {
	switch r.ends.target.Name {
	case "character varying":
		return r.ends.target.Length
	case "character":
		if r.ends.target.Raw == "bpchar" {
			return 0
		}
		return max(r.ends.target.Length, 1)
	}
	return r.MaxChars
}

// Truncates returns how many characters [FixTruncate] keeps, or a [*FixError]
// where a shortened value would be another one, such as a number, or where
// characters are not what is too much.
func (r *ValueRule) Truncates() (int64, error) {
	limit := r.StoredChars()
	switch {
	case limit == 0:
		return 0, &FixError{Kind: TooLong, Rule: FixTruncate, Reason: "it is not a number of characters that limits " + r.Target}
	case r.ends.source != kindText && r.ends.source != kindJSON && r.ends.source != kindBinary:
		return 0, &FixError{Kind: TooLong, Rule: FixTruncate, Reason: "the value is no text at the source, and a part of it would mean something else"}
	}
	return limit, nil
}

// Fix makes a value that the rule's encoder refused storable. The result is
// again a value as the source would send it, nil for NULL; value is nil for NULL.
// The result may still have a fault of another kind: a number that was rounded
// up can be out of range. Its error is a [*FixError].
//
// Faults in text are not for Fix: see [TextFixer] and [ValueRule.Truncates].
func (r *ValueRule) Fix(kind ErrorKind, rule FixRule, value []byte) ([]byte, error) {
	var fixed []byte
	switch rule {
	case FixNull:
		return nil, r.Nullable(kind)
	case FixEpoch:
		if r.dated() {
			fixed = []byte("1970-01-01")
		}
	case FixEmpty:
		fixed = r.empty()
	case FixClamp:
		fixed = r.clamp(value)
	case FixRound:
		fixed = r.round(value)
	default:
		return nil, &FixError{Kind: kind, Rule: rule, Reason: "it is no rule for such values"}
	}
	if fixed == nil {
		return nil, &FixError{Kind: kind, Rule: rule, Reason: "it gives no value of type " + r.Target}
	}
	return fixed, nil
}

// dated reports whether the target's values are days.
func (r *ValueRule) dated() bool {
	switch r.ends.target.Name {
	case "date", "timestamp without time zone", "timestamp with time zone":
		return true
	}
	return false
}

// empty is what stands for no value; nil when nothing does.
func (r *ValueRule) empty() []byte {
	size := 1
	switch r.ends.target.Name {
	case "text", "character varying", "character", "bytea":
		if r.ends.numeric() {
			return []byte("0")
		}
		return []byte{}
	case "time without time zone", "interval":
		return []byte("00:00:00")
	case "bit", "bit varying":
		size = int(r.ends.bits+7) / 8
	case "smallint", "integer", "bigint", "boolean", "double precision", "real", "numeric":
		if r.ends.source != kindBit {
			return []byte("0")
		}
	default:
		return nil
	}
	return make([]byte, size)
}

// numeric reports whether the source's values are numbers in text form.
func (e *ends) numeric() bool {
	return slices.Contains([]sourceKind{kindInt, kindYear, kindDecimal, kindFloat, kindDouble}, e.source)
}

// floating reports whether the source's values are binary floating-point numbers, and their size.
func (e *ends) floating() (bits int, ok bool) {
	if e.source == kindFloat {
		return 32, true
	}
	return 64, e.source == kindDouble
}

// clamp is the nearest value of the target's type; nil when there is none.
func (r *ValueRule) clamp(value []byte) []byte {
	negative := len(value) > 0 && value[0] == '-' && r.ends.source != kindBit
	switch name := r.ends.target.Name; name {
	case "smallint", "integer", "bigint":
		return r.clampInt(intSize(name), negative)
	case "boolean":
		if r.ends.source == kindBit {
			return []byte{1}
		}
		return []byte("1")
	case "double precision":
		return signed(negative, []byte("1.7976931348623157e+308"))
	case "real":
		return signed(negative, []byte("3.4028235e+38"))
	case "numeric":
		return r.clampNumeric(negative)
	case "time without time zone":
		if negative {
			return []byte("00:00:00")
		}
		return []byte("24:00:00")
	}
	if r.dated() {
		return clampDate(value)
	}
	return nil
}

// round is the nearest value of the target's type; nil when there is none.
func (r *ValueRule) round(value []byte) []byte {
	bits, floating := r.ends.floating()
	if r.ends.source == kindBit {
		return nil
	}
	switch name := r.ends.target.Name; name {
	case "smallint", "integer", "bigint":
		if floating {
			return roundFloat(value)
		}
		return roundDecimal(value, 0)
	case "double precision":
		return r.nearestFloat(value, 64)
	case "real":
		return r.nearestFloat(value, 32)
	case "numeric":
		if floating {
			return r.roundNumeric(value, bits)
		}
		return roundDecimal(value, r.ends.target.Scale)
	case "text", "character varying":
		if floating {
			return r.nearestFloat(value, bits)
		}
	case "character":
		for len(value) > 0 && value[len(value)-1] == ' ' {
			value = value[:len(value)-1]
		}
		return append([]byte{}, value...)
	case "date":
		if len(value) >= 10 {
			return append([]byte{}, value[:10]...)
		}
	case "timestamp without time zone", "timestamp with time zone":
		return roundTimestamp(value, fractionUnit(fractionDigits(r.ends.target)))
	case "time without time zone", "interval":
		return roundSpan(value, fractionUnit(fractionDigits(r.ends.target)))
	}
	return nil
}

// signed puts a minus in front of a number.
func signed(negative bool, number []byte) []byte {
	if !negative {
		return number
	}
	return append([]byte{'-'}, number...)
}

// intSize is the number of bytes of an integer type.
func intSize(name string) int {
	switch name {
	case "smallint":
		return 2
	case "integer":
		return 4
	default:
		return 8
	}
}

// printInt is the text of an integer.
func printInt(v int64) []byte { return strconv.AppendInt(nil, v, 10) }
