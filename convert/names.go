package convert

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxIdentifier is the length of a name in PostgreSQL, in bytes. The server
// cuts off longer ones with no more than a notice.
const maxIdentifier = 63

// maxColumns is the number of columns that a table of PostgreSQL may have.
const maxColumns = 1600

// SequenceName returns the name that PostgreSQL gives to the sequence of a
// serial column: table_column_seq, where the longer of the two names loses
// bytes until all fits.
func SequenceName(table, column string) string { return objectName(table, column, "seq") }

// objectName is PostgreSQL's makeObjectName. An empty column is left out.
func objectName(table, column, label string) string {
	room := maxIdentifier - len(label) - 1
	if column != "" {
		room--
	}
	t, c := len(table), len(column)
	for t+c > room {
		if t > c {
			t--
		} else {
			c--
		}
	}
	name := clip(table, t)
	if column != "" {
		name += "_" + clip(column, c)
	}
	return name + "_" + label
}

// clip cuts s to at most n bytes, and never within a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// namespace holds the names of one schema. Tables, views, indexes and
// sequences of PostgreSQL share it.
type namespace struct {
	used  map[string]bool
	taken func(name string) bool // nil when nothing else is taken
}

// newNamespace makes an empty namespace; taken, when not nil, reports names that are taken already.
func newNamespace(taken func(name string) bool) *namespace {
	return &namespace{used: map[string]bool{}, taken: taken}
}

// has reports whether name is taken.
func (ns *namespace) has(name string) bool {
	return ns.used[name] || ns.taken != nil && ns.taken(name)
}

// take reserves name and reports whether it was free.
func (ns *namespace) take(name string) bool {
	if ns.has(name) {
		return false
	}
	ns.used[name] = true
	return true
}

// object reserves the name that PostgreSQL would choose: objectName, with a
// number behind the label when it is taken.
func (ns *namespace) object(table, column, label string) string {
	for n := 0; ; n++ {
		numbered := label
		if n > 0 {
			numbered = fmt.Sprintf("%s%d", label, n)
		}
		if name := objectName(table, column, numbered); ns.take(name) {
			return name
		}
	}
}

// quoteIdent quotes a name for an expression of PostgreSQL.
func quoteIdent(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// quoteLiteral quotes text for an expression of PostgreSQL, where
// standard_conforming_strings is on.
func quoteLiteral(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
