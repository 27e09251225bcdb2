package mysql

import "strings"

// Selection says which rows of a table are read, and how.
type Selection struct {
	// Where is the predicate of the rows, such as that of [ChunkKey.Where]; "" for all rows.
	Where string
	// Index is the index that the server must use; "" leaves the choice to it.
	Index string
	// OrderBy are column names, none for the order in which the server finds the rows. In the order
	// of the primary key InnoDB reads its clustered index, without sorting.
	OrderBy []string
}

// Select returns the statement that reads rows of a table of the current
// database. Expressions are SQL, one for each column.
func Select(table string, expressions []string, rows Selection) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	b.WriteString(strings.Join(expressions, ", "))
	b.WriteString(" FROM ")
	b.WriteString(QuoteIdent(table))
	if rows.Index != "" {
		b.WriteString(" FORCE INDEX (" + QuoteIdent(rows.Index) + ")")
	}
	if rows.Where != "" {
		b.WriteString(" WHERE " + rows.Where)
	}
	for i, c := range rows.OrderBy {
		if i == 0 {
			b.WriteString(" ORDER BY ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(QuoteIdent(c))
	}
	return b.String()
}
