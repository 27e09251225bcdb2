package mysql

// GrantSelect is the statement that lets an account, as [Access] names it, read a table of the
// database; the whole database when table is empty.
func (db *DB) GrantSelect(account, table string) string {
	what := "*"
	if table != "" {
		what = QuoteIdent(table)
	}
	return grantTo("SELECT ON "+QuoteIdent(db.dsn.Database)+"."+what, account)
}
