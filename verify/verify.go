package verify

import (
	"context"
	"io"

	"github.com/moodledb/moodledb/fingerprint"
)

// Side reads one of the two databases, at one moment. It is used by several
// goroutines at once.
type Side interface {
	// Stream writes the rows of one part of a table to w, in the form of COPY
	// (FORMAT binary), with the table's columns in their order. The order of
	// rows does not matter. A part that differs is read several times, and has
	// the same rows each time. An error of w is returned as it is. When ctx ends, Stream returns.
	Stream(ctx context.Context, t *Table, p Part, w io.Writer) error
}

// Table is a table of both sides.
type Table struct {
	// Name is unique; it is how the sides, messages and results name the table.
	Name string
	// Columns are those that are compared. Both sides give the fields in the same form.
	Columns []Column
	// Parts cover all rows that are to be compared, without gap or overlap. There
	// is at least one, or else Divide is set.
	Parts []Part
	// Pieces, when both sides have some, cover the same rows, as each side divides
	// them for itself: its rows are summed up by them, which is faster than by parts that both
	// must have. Parts are compared only where the sums differ.
	Pieces [2][]Part
	// Divide returns the parts, when there are none: it is called for a table with
	// pieces whose sums differ.
	Divide func(ctx context.Context) ([]Part, error)
	// Rows and Bytes are estimates; 0 when there is none.
	Rows, Bytes int64
}

// Column is a column of a [Table].
type Column struct {
	Name string
	// Type is the type in which it is compared, as PostgreSQL's DDL spells it.
	Type string
	// Key marks the columns of the key by which rows are paired, such as the primary key.
	Key bool
	// Canon is set where values that are equal may have different bytes.
	Canon fingerprint.Canon
	// Render returns a value for people. It is given the field's bytes, or, when they are more
	// than are kept, how they begin; size is how many there are.
	Render func(start []byte, size int64) string
	// Piece, when set, returns a piece out of the middle of a value for people, so
	// that of two long values the place where they part is shown: see [RenderPiece].
	Piece func(piece []byte) string
}

// Part is a range of a table by its key, which is then one column of whole
// numbers: the rows with Lower <= key < Upper. An empty bound is an open end.
type Part struct {
	Lower, Upper string
	// Own, of one of Table.Pieces, says which rows it has, in words that only its side
	// understands. Then Lower and Upper are empty.
	Own string
	// Rows and Bytes are estimates.
	Rows, Bytes int64
}

// Options tune [Compare]. The zero value means our own choice.
type Options struct {
	// Jobs is how many parts of each side are read at once; 0 means 2.
	Jobs int
	// MaxDifferences is how many differences are listed for each table; 0 means 20, negative none. All are counted.
	MaxDifferences int
	// Memory bounds what the search for differing rows holds, in bytes, for all jobs together; 0 means 64 MiB.
	// What does not fit goes to a temporary file, 16 bytes for each row that may differ.
	Memory int64
	// Masked words an error of a side without the values of rows that it may quote; nil when it quotes none.
	Masked func(error) string
	// Events, when set, is told what happens, one event at a time; it must return soon.
	Events func(Event)
}

// Event is one of TableStarted, RowsRead, PartCompared, Searching and TableCompared.
type Event interface{ event() }

// TableStarted is sent before the first part of a table is read.
type TableStarted struct {
	Table string
	// Rows and Bytes are estimates, of one side.
	Rows, Bytes int64
}

// RowsRead is sent a few times a second while parts are read for the first
// time: so much more was read of the expected side since the last one.
type RowsRead struct {
	Table       string
	Rows, Bytes int64
}

// PartCompared is sent when both sides of a part are read.
type PartCompared struct {
	Table string
	// Rows and Bytes are what was read of the expected side; RowsRead has told of them already.
	Rows, Bytes int64
	Same        bool
}

// Searching is sent before a part that differs is read again.
type Searching struct{ Table string }

// TableCompared is sent when a table is done.
type TableCompared struct{ Result TableResult }

func (TableStarted) event()  {}
func (RowsRead) event()      {}
func (PartCompared) event()  {}
func (Searching) event()     {}
func (TableCompared) event() {}

// State is the outcome of a comparison.
type State string

// The outcomes of a comparison.
const (
	// Same: every row that was to be compared is there on both sides, and equal.
	Same State = "same"
	// Different: something was seen to differ.
	Different State = "different"
	// Unknown: it could not be told.
	Unknown State = "unknown"
)

// TableResult is what is known of a table.
type TableResult struct {
	Name  string
	State State
	// Problem says why it could not be told. A table that was seen to differ may
	// have one too: then there may be more differences than were found.
	Problem string
	// Masked is Problem without values of rows: see [Options.Masked].
	Masked string
	// Expected and Found are the fingerprints of the rows that were read.
	Expected fingerprint.Sum
	Found    fingerprint.Sum
	// Bytes is how much the expected side sent for them.
	Bytes int64
	// Pieces is in how many pieces each side summed the table up; 0 where it was not.
	Pieces [2]int
	// Parts is the number of parts that were compared; DifferentParts of them differ. A table whose
	// sums were the same is one part.
	Parts          int
	DifferentParts int
	// Differing are the parts that differ, in the table's order; DifferingFound are
	// the fingerprints of the rows that the found side has in each.
	Differing      []Part
	DifferingFound []fingerprint.Sum
	// Missing rows are on the expected side only, Extra ones on the other only;
	// Changed ones have the same key and other values.
	Missing int64
	Extra   int64
	Changed int64
	// Differences are the first of them, in the order of the key where it is one
	// column of whole numbers, else in one that is the same each time.
	Differences []Difference
}

// DifferenceKind tells differences apart.
type DifferenceKind string

// The kinds of differences.
const (
	MissingRow DifferenceKind = "missing"
	ExtraRow   DifferenceKind = "extra"
	ChangedRow DifferenceKind = "changed"
)

// Difference is one row that differs.
type Difference struct {
	Kind DifferenceKind
	// Key are the columns of the key; empty for a table without one.
	Key []NamedValue
	// Columns are those that differ; of a row of one side only, all that are not of the key.
	Columns []ColumnDifference
	// Times is how many rows differ in just this way: more than one where rows
	// are alike, which a table without a key may have.
	Times int64
}

// NamedValue is a column's value.
type NamedValue struct {
	Column string
	Value  Value
}

// ColumnDifference has the two values of a column; nil where the side has no such row.
type ColumnDifference struct {
	Column   string
	Expected *Value
	Found    *Value
}

// Value is a value for people.
type Value struct {
	Null bool
	// Text is the value, shortened when it is long.
	Text string
	// Size is the number of bytes in the form that was compared.
	Size int64
}
