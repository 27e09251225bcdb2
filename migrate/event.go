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

// RunStarted tells under which number the target's ledger has the run.
type RunStarted struct {
	ID int64
	// Resumed is set when the run goes on from an earlier attempt.
	Resumed bool
}

// TableResumed tells what earlier attempts have copied of a table; it comes
// before anything is copied. Later counts of the table include it.
type TableResumed struct {
	Table string
	Rows  int64
	Bytes int64
	// Indexes is the number of keys and indexes that are built.
	Indexes int
	// Copied is set when no rows of the table are missing, Done when nothing is.
	Copied bool
	Done   bool
	// Verified is set when what was sent was read back, too.
	Verified bool
}

// TableStarted tells that copying a table began, or began anew: then progress
// falls back to what is committed.
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

// IndexStarted tells that a key or index is being made.
type IndexStarted struct {
	Table string
	Name  string
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

// VerifyProgress tells how far reading a table back is. Counts are totals for the table so far.
type VerifyProgress struct {
	Table string
	Rows  int64
	Bytes int64
}

// TableVerified tells that all rows of a table were read back, and are what was sent.
type TableVerified struct {
	Table string
	Rows  int64
	Bytes int64
	// Elapsed is the time of all sessions together.
	Elapsed time.Duration
}

// TableReadAgain tells that a sample of a table was read again at the source by
// another client, and encoded by other code to what was sent.
type TableReadAgain struct {
	Table string
	Rows  int64
	Bytes int64
}

// Retrying tells that something went wrong that may pass, and is tried again after Wait.
type Retrying struct {
	// What is a short phrase, such as `table "mdl_log"`.
	What string
	Err  error
	Wait time.Duration
}

// ReaderLost tells that the connection of a reader of the source was lost.
type ReaderLost struct {
	// What is what it was copying: a short phrase, such as `table "mdl_log"`.
	What string
	Err  error
}

// Notice is something that the user should know now.
type Notice struct {
	Message string
}

func (ReaderLost) event()     {}
func (RunStarted) event()     {}
func (TableResumed) event()   {}
func (IndexStarted) event()   {}
func (Retrying) event()       {}
func (StepStarted) event()    {}
func (StepDone) event()       {}
func (TableStarted) event()   {}
func (TableProgress) event()  {}
func (TableCopied) event()    {}
func (IndexBuilt) event()     {}
func (TableDone) event()      {}
func (VerifyProgress) event() {}
func (TableVerified) event()  {}
func (TableReadAgain) event() {}
func (Notice) event()         {}
