package postgres

import (
	"slices"
	"strings"
)

// build is a key or an index that a statement makes.
type build struct{ schema, table, name string }

// builtOn is the name of what a script builds on a table; empty when that is
// several, of which nobody can tell which one is being built.
func builtOn(script, table string) string {
	all := slices.DeleteFunc(builds(script), func(b build) bool { return b.table != table })
	if len(all) != 1 {
		return ""
	}
	return all[0].name
}

// builds finds the keys and indexes that a script makes, in the words of this
// package's own statements and of pg_get_indexdef. The server shows no more
// than the beginning of a long script.
func builds(script string) []build {
	var all []build
	for at := range script {
		rest := script[at:]
		b, ok := addedKey(rest)
		if !ok {
			b, ok = createdIndex(rest)
		}
		if ok {
			all = append(all, b)
		}
	}
	return all
}

// readFrom finds the table that [ReadBackPart] reads; empty when the server has
// cut its name off, or the statement is another.
func readFrom(statement string) (schemaName, table string) {
	const from = " FROM "
	for rest := statement; ; {
		at := strings.Index(rest, from)
		if at < 0 {
			return "", ""
		}
		rest = rest[at+len(from):]
		s, t, after, ok := qualifiedIdent(rest)
		if ok && (strings.HasPrefix(after, " WHERE ctid ") || strings.HasPrefix(after, ") TO STDOUT")) {
			return s, t
		}
	}
}

// addedKey reads ALTER TABLE schema.table ADD CONSTRAINT name.
func addedKey(s string) (b build, ok bool) {
	rest, ok := strings.CutPrefix(s, "ALTER TABLE ")
	if !ok {
		return b, false
	}
	if b.schema, b.table, rest, ok = qualifiedIdent(rest); !ok {
		return b, false
	}
	if rest, ok = strings.CutPrefix(rest, " ADD CONSTRAINT "); !ok {
		return b, false
	}
	b.name, _, ok = ident(rest)
	return b, ok
}

// createdIndex reads CREATE [UNIQUE] INDEX name ON schema.table.
func createdIndex(s string) (b build, ok bool) {
	rest, ok := strings.CutPrefix(s, "CREATE INDEX ")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "CREATE UNIQUE INDEX "); !ok {
			return b, false
		}
	}
	if b.name, rest, ok = ident(rest); !ok {
		return b, false
	}
	if rest, ok = strings.CutPrefix(rest, " ON "); !ok {
		return b, false
	}
	b.schema, b.table, _, ok = qualifiedIdent(rest)
	return b, ok
}

// qualifiedIdent reads schema.name at the beginning of s.
func qualifiedIdent(s string) (schemaName, name, rest string, ok bool) {
	if schemaName, rest, ok = ident(s); !ok || !strings.HasPrefix(rest, ".") {
		return "", "", "", false
	}
	name, rest, ok = ident(rest[1:])
	return schemaName, name, rest, ok
}

// ident reads an identifier at the beginning of s; false when it does not end.
func ident(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, " .\n\t(;")
		if end <= 0 {
			return "", "", false
		}
		return s[:end], s[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '"':
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == '"':
			b.WriteByte('"')
			i++
		default:
			return b.String(), s[i+1:], true
		}
	}
	return "", "", false
}
