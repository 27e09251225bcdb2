package postgres

import (
	"regexp"
	"strings"
)

// MaxIdentifier is the greatest length of an identifier in bytes. PostgreSQL
// cuts longer ones off, with no more than a notice.
const MaxIdentifier = 63

// QuoteIdent quotes name as an identifier. It quotes always, so that neither
// case nor a reserved word of some later version matters.
func QuoteIdent(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteLiteral quotes s as a string constant. A text with a backslash gets the
// E” form, which means the same whatever standard_conforming_strings says.
// PostgreSQL has no way to write a NUL character; a text that holds one is
// refused by the server.
func QuoteLiteral(s string) string {
	quoted := `'` + strings.ReplaceAll(s, `'`, `''`) + `'`
	if strings.Contains(s, `\`) {
		return `E` + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// qualify quotes an object of a schema; an empty schemaName leaves the object
// to the search_path.
func qualify(schemaName, name string) string {
	if schemaName == "" {
		return QuoteIdent(name)
	}
	return QuoteIdent(schemaName) + "." + QuoteIdent(name)
}

// quoteIdents quotes each name and joins them with commas.
func quoteIdents(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = QuoteIdent(n)
	}
	return strings.Join(quoted, ", ")
}

// qualified matches a name that Inspect has already qualified and quoted,
// because it lies in another schema.
var qualified = regexp.MustCompile(`^"([^"]|"")+"\."([^"]|"")+"$`)

// quoteMaybeQualified quotes the name of a collation, an operator class or a
// referenced table, unless it is in the form "schema"."name" already.
func quoteMaybeQualified(schemaName, name string) string {
	if qualified.MatchString(name) {
		return name
	}
	return qualify(schemaName, name)
}

// regclass spells a relation as a constant that PostgreSQL resolves by name.
func regclass(schemaName, name string) string {
	return QuoteLiteral(qualify(schemaName, name)) + "::pg_catalog.regclass"
}
