package xmldb

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity says how much a finding matters.
type Severity string

// The severities. An Error means that Moodle would not load or not create the
// object; a Warning that it would, but that something is wrong all the same.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Finding is something wrong with the declared schema.
type Finding struct {
	// Code is permanent, such as "xml-syntax" or "field-name".
	Code     string
	Severity Severity
	// File is relative to the site's root; Line is 1-based, 0 when the whole file is meant.
	File      string
	Line      int
	Component string
	Table     string
	// Object is the field, key or index.
	Object  string
	Message string
	Hint    string
}

// String prints a finding on one line, as compilers do.
func (f Finding) String() string {
	place := f.File
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	s := fmt.Sprintf("%s: %s: %s [%s]", place, f.Severity, f.Message, f.Code)
	if f.Hint != "" {
		s += "; " + f.Hint
	}
	return s
}

// sortFindings orders by file and line, and keeps findings of one place in the
// order in which they were made.
func sortFindings(all []Finding) {
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}
