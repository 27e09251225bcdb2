package configphp

import (
	"strconv"
	"strings"
)

// value is what an expression is worth: string, int64, bool, nil, *array,
// object, missing or unknown.
type value any

// unknown is a value that cannot be computed without running PHP.
type unknown struct {
	line int
	why  string
}

// missing is what getenv and $_ENV give for a variable that is not set. PHP
// has false or null there; moodledb keeps the name, for the message.
type missing struct {
	line int
	name string
	null bool // $_ENV[...] is null then, getenv(...) is false
}

// unknown turns m into a value whose reason is that the variable is not set.
func (m missing) unknown() unknown {
	return unknown{m.line, "the environment variable " + m.name + " is not set"}
}

// object is an object of known properties: new stdClass, or an array cast to one.
type object struct{ properties *array }

// array is a PHP array; integer keys are kept as their decimal text.
type array struct {
	values map[string]value
	next   int64
}

// newArray makes an empty array.
func newArray() *array { return &array{values: map[string]value{}} }

// set assigns one element.
func (a *array) set(key string, v value) {
	a.values[key] = v
	if n, err := strconv.ParseInt(key, 10, 64); err == nil && n >= a.next && strconv.FormatInt(n, 10) == key {
		a.next = n + 1
	}
}

// push appends one element.
func (a *array) push(v value) { a.set(strconv.FormatInt(a.next, 10), v) }

// clone copies a and the arrays within: PHP assigns arrays by value.
func (a *array) clone() *array {
	out := &array{values: make(map[string]value, len(a.values)), next: a.next}
	for k, v := range a.values {
		if inner, ok := v.(*array); ok {
			v = inner.clone()
		}
		out.values[k] = v
	}
	return out
}

// plain turns a into nested maps; elements that are unknown are left out.
func (a *array) plain() map[string]any {
	out := make(map[string]any, len(a.values))
	for k, v := range a.values {
		switch v := v.(type) {
		case *array:
			out[k] = v.plain()
		case nil, string, int64, bool:
			out[k] = v
		}
	}
	return out
}

// why returns the reason for which v is no plain value, and the line; ok is false when it is one.
func why(v value) (u unknown, ok bool) {
	switch v := v.(type) {
	case unknown:
		return v, true
	case missing:
		return v.unknown(), true
	default:
		return unknown{}, false
	}
}

// truth is PHP's conversion to bool; ok is false when it is unknown.
func truth(v value) (t, ok bool) {
	switch v := v.(type) {
	case nil, missing:
		return false, true
	case bool:
		return v, true
	case int64:
		return v != 0, true
	case string:
		return v != "" && v != "0", true
	case *array:
		return len(v.values) > 0, true
	case object:
		return true, true
	default:
		return false, false
	}
}

// text is PHP's conversion to string; ok is false when there is none without a warning.
func text(v value) (s string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case bool:
		if v {
			return "1", true
		}
		return "", true
	case int64:
		return strconv.FormatInt(v, 10), true
	case string:
		return v, true
	default:
		return "", false
	}
}

// keyOf is PHP's conversion of an array key.
func keyOf(v value) (string, bool) {
	if b, ok := v.(bool); ok && !b {
		return "0", true
	}
	return text(v)
}

// parseInt reads an integer literal in any of PHP's notations.
func parseInt(literal string) (int64, bool) {
	digits := strings.ReplaceAll(literal, "_", "")
	n, err := strconv.ParseInt(digits, 0, 64)
	return n, err == nil
}
