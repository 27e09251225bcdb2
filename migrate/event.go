package migrate

import "time"

// Event is something that happened while a plan ran. Events are sent one at a
// time, never at once from two goroutines.
type Event interface{ event() }

// StepStarted tells that a step of the run began.
type StepStarted struct {
	// Name is a short phrase, such as "create tables".
	Name string
}

// StepDone tells that a step ended well.
type StepDone struct {
	Name    string
	Elapsed time.Duration
	// Detail is a fact worth knowing, such as how the snapshot was obtained; may be empty.
	Detail string
}

// TableStarted tells that copying a table began.
type TableStarted struct {
	Table string
	// Rows and Bytes are the source's estimates.
	Rows  int64
	Bytes int64
}

// TableProgress tells how far copying a table is. Counts are totals for the table so far.
type TableProgress struct {
	Table string
	Rows  int64
	Bytes int64
}

// TableCopied tells that all rows of a table are in the target.
type TableCopied struct {
	Table   string
	Rows    int64
	Bytes   int64
	Elapsed time.Duration
}

// IndexBuilt tells that a key or index was made.
type IndexBuilt struct {
	Table   string
	Name    string
	Elapsed time.Duration
}

// TableDone tells that a table is complete: rows, keys, indexes, sequences and statistics.
type TableDone struct {
	Table string
}

// Notice is something that the user should know now.
type Notice struct {
	Message string
}

func (StepStarted) event()   {}
func (StepDone) event()      {}
func (TableStarted) event()  {}
func (TableProgress) event() {}
func (TableCopied) event()   {}
func (IndexBuilt) event()    {}
func (TableDone) event()     {}
func (Notice) event()        {}
