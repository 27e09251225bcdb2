package xmldb

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// fieldType returns the type that a value of TYPE means.
func fieldType(s string) (FieldType, bool) {
	switch t := FieldType(strings.ToLower(s)); t {
	case Int, Number, Float, Char, Text, Binary, Datetime:
		return t, true
	}
	return "", false
}

// readField reads one FIELD; its size as written is for the rules of creation.
func (r *fileReader) readField(e *etree.Element, table string) (Field, fieldSize) {
	f := Field{Line: r.tree.line(e)}
	at := place{line: f.Line, table: table}
	f.Name = r.required(e, at, "NAME")
	at.object = f.Name
	if v, ok := attribute(e, "TYPE"); !ok {
		r.refuse("attribute-missing", at, "field %q has no attribute TYPE", f.Name)
	} else if f.Type, ok = fieldType(v); !ok {
		r.refuse("field-type", at, "the type %q of field %q is none of int, number, float, char, text, binary, datetime", v, f.Name)
	}
	size := r.readSize(e, at, &f)
	f.NotNull, _ = r.boolean(e, at, "NOTNULL")
	f.Sequence, _ = r.boolean(e, at, "SEQUENCE")
	r.readDefault(e, at, &f)
	r.readAllowedValues(e, at, &f)
	f.Comment, _ = attribute(e, "COMMENT")
	return f, size
}

// fieldSize is LENGTH and DECIMALS as written, for the rules of creation that
// look at the text and not at the number.
type fieldSize struct {
	length, decimals       string
	hasLength, hasDecimals bool
}

// readSize applies the reader's rules to LENGTH and DECIMALS.
func (r *fileReader) readSize(e *etree.Element, at place, f *Field) fieldSize {
	var s fieldSize
	s.length, s.hasLength = attribute(e, "LENGTH")
	s.decimals, s.hasDecimals = attribute(e, "DECIMALS")
	length, numeric := phpInteger(s.length)
	switch f.Type {
	case Int, Number, Char:
		if s.hasLength && !numeric {
			r.refuse("field-length", at, "the length %q of field %q is not an integer", s.length, f.Name)
		} else if s.length == "0" {
			r.refuse("field-length", at, "the length of field %q is 0", f.Name)
		}
		f.Length = length
	case Float:
		f.Length = length
	default:
		// Left over from old versions in text fields (LENGTH="small"); ignored.
	}
	r.readDecimals(at, f, s)
	return s
}

func (r *fileReader) readDecimals(at place, f *Field, s fieldSize) {
	if f.Type != Number && f.Type != Float {
		if s.hasDecimals && f.Type != "" {
			r.refuse("field-decimals", at, "field %q is a %s and has DECIMALS", f.Name, f.Type)
		}
		return
	}
	if !s.hasDecimals {
		// A number without decimals has 0; a float without them has none.
		f.HasDecimals = f.Type == Number
		return
	}
	n, ok := phpInteger(s.decimals)
	switch {
	case !ok:
		r.refuse("field-decimals", at, "the decimals %q of field %q are not an integer", s.decimals, f.Name)
	case !s.hasLength || f.Length <= n:
		r.refuse("field-decimals", at, "field %q has %d decimals and must have a greater length, not %q", f.Name, n, s.length)
	}
	f.Decimals, f.HasDecimals = n, ok
}

// readDefault applies the two repairs of Moodle's setDefault.
func (r *fileReader) readDefault(e *etree.Element, at place, f *Field) {
	v, ok := attribute(e, "DEFAULT")
	switch {
	case !ok:
	case f.Type == Char && f.NotNull && v == "":
		// Not worth a finding: Moodle emits DEFAULT '' for such a field anyway.
	case f.Type == Text || f.Type == Binary:
		r.add(Info, "default-dropped", at, "remove DEFAULT",
			"field %q is a %s, which cannot have a default; Moodle drops the default %q", f.Name, f.Type, v)
	default:
		f.Default = &v
	}
}

func (r *fileReader) readAllowedValues(e *etree.Element, at place, f *Field) {
	v, ok := attribute(e, "ALLOWED_VALUES")
	switch {
	case !ok:
	case !r.dialect.allowedValues:
		r.foreignAttribute(at, "ALLOWED_VALUES", "field", f.Name)
	case v == "":
		r.refuse("allowed-values", at, "ALLOWED_VALUES of field %q is empty", f.Name)
	case f.Type != Char && f.Type != Int && f.Type != "":
		r.refuse("allowed-values", at, "field %q is a %s; only char and int can have ALLOWED_VALUES", f.Name, f.Type)
	default:
		f.AllowedValues = splitList(v)
	}
}

// foreignAttribute reports an attribute of Totara that this site ignores.
func (r *fileReader) foreignAttribute(at place, attr, what, name string) {
	reader := "Moodle"
	if r.product == Totara {
		reader = "Totara before 13"
	}
	r.add(Info, "totara-only", at, "nothing to do", "%s ignores %s of %s %q, which is of Totara 13 and later", reader, attr, what, name)
}

// splitList splits a comma-separated list as the reader does: empty entries stay.
func splitList(s string) []string {
	parts := strings.Split(s, ",")
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
	}
	return parts
}

var phpNumber10 = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

// isNumeric is PHP's is_numeric for a trimmed string.
func isNumeric(s string) bool { return phpNumber10.MatchString(s) }

// phpInteger reads what PHP takes for an integral number: also "10.0" and "1e1".
func phpInteger(s string) (int, bool) {
	if !isNumeric(s) {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != math.Trunc(v) || math.Abs(v) > 1<<31 {
		return 0, false
	}
	return int(v), true
}

// isNumber is Moodle's is_number: an integer as PHP itself would print it.
func isNumber(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == s
}
