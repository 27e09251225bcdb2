package mysql

import "strings"

// Select returns the statement that reads rows of a table of the current
// database. Expressions are SQL, one for each column; orderBy are column names,
// none for the order in which the server finds the rows. In the order of the
// primary key InnoDB reads its clustered index, without sorting.
func Select(table string, expressions, orderBy []string) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	b.WriteString(strings.Join(expressions, ", "))
	b.WriteString(" FROM ")
	b.WriteString(QuoteIdent(table))
	for i, c := range orderBy {
		if i == 0 {
			b.WriteString(" ORDER BY ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(QuoteIdent(c))
	}
	return b.String()
}
