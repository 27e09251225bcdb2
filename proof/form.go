package proof

import "github.com/moodledb/moodledb/verify"

// Form is how the rows of a table were compared: what must be known to compute
// the fingerprint of one side again without the other.
type Form struct {
	// Table is the name in results.
	Table string
	// Expected and Found are the table's names on the two sides.
	Expected, Found string
	// Columns are those that were compared, in the order of the fields.
	Columns []FormColumn
	// Parts are the ranges that were compared; none when all rows were.
	Parts []verify.Part
}

// FormColumn is a column of a [Form]. What one side sends follows from its own
// column and Type alone.
type FormColumn struct {
	// Expected and Found are the column's names on the two sides.
	Expected, Found string
	// Type is the type in which values are compared, as PostgreSQL's DDL spells it.
	Type string
	// Key marks the columns of the key by which rows were paired.
	Key bool
}
