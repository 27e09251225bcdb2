package report

import "time"

// Progress is how far a run is.
type Progress struct {
	// Run is its number in the target's ledger; 0 while it has none.
	Run     int64
	Resumed bool
	// Step is what the run is at, such as "copy rows and build indexes".
	Step    string
	Elapsed time.Duration
	// Fraction is between 0 and 1: bytes that are copied, and what index builds and
	// reading back cost in bytes, of those that are expected.
	Fraction float64
	// Left is the time that the rest will take at the speed of late; LeftKnown
	// is false while nothing can be said.
	Left      time.Duration
	LeftKnown bool
	// Tables are to be copied, Copied of them are in the target, Done of them have
	// their keys and indexes too, and Verified of them were read back besides.
	Tables, Copied, Done, Verified int
	// Verify is set when tables are read back.
	Verify bool
	// ReadBytes are the bytes of rows that this attempt has read back.
	ReadBytes int64
	// Rows and Bytes are in the target, those of earlier attempts included.
	Rows, Bytes                 int64
	ExpectedRows, ExpectedBytes int64
	// Indexes are to be built, Built of them are.
	Indexes, Built int
	// SentRows and SentBytes are what this attempt has copied; what is copied
	// anew counts again.
	SentRows, SentBytes int64
	// RowRate and ByteRate are what it copied a second of late.
	RowRate, ByteRate    float64
	Retries, ReadersLost int
	// Working are the tables that are being copied or built, the largest first.
	Working []WorkingTable
}

// WorkingTable is a table that is being copied or read back, or whose keys and indexes are being built.
type WorkingTable struct {
	Table                       string
	Rows, Bytes                 int64
	ExpectedRows, ExpectedBytes int64
	// Copied is set when all rows are in the target.
	Copied bool
	// Reading is set when it is being read back.
	Reading bool
	// Building are the keys and indexes that are being built, in the order of their names.
	Building []string
}

// Printable makes characters visible that would steer the reader's terminal.
func Printable(s string) string { return printable(s) }
