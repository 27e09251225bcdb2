package migrate

import (
	"time"

	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// Result says what a run did.
type Result struct {
	Mode   Mode
	Source Endpoint
	Target Endpoint
	Prefix string
	Schema string
	Owner  string
	// Run is the number of the run in the target's ledger; Attempts counts how
	// often it was started or resumed. Started and Elapsed are those of the last attempt.
	Run      int64
	Attempts int
	Started  time.Time
	Elapsed  time.Duration
	// Tables are in the order of their names.
	Tables []TableResult
	// Changed and Rejected count the values that the policy changed, and the rows
	// that it set aside. Changes and Rejects list the first of them; all are in
	// the target, in moodledb.value_change and moodledb.rejected_row.
	Changed  int64
	Rejected int64
	Changes  []postgres.ValueChange
	Rejects  []postgres.RejectedRow
	// Policy is what was done about values that PostgreSQL cannot hold.
	Policy copy.Policy
	// Verify says whether what arrived was read back.
	Verify VerifyMode
	// Sample is the share of each table that was read again by another client, in
	// percent; 0 for none. UncheckedWhy says why it was not, though it was wanted.
	Sample       float64
	UncheckedWhy string
	// Indexes counts the keys and indexes that were built.
	Indexes int
	// Snapshot says how one moment of the source was read by all readers.
	Snapshot Snapshot
	// Kept is the schema that what was there before has been renamed to; empty when nothing was.
	Kept string
	// LeftOut and Findings are those of the plan, and what the run added.
	LeftOut  []LeftOut
	Findings []Finding
}

// Snapshot tells which moment of the source was copied.
type Snapshot struct {
	Mode mysql.SnapshotMode
	// Method is the way by which the moment was had.
	Method mysql.SnapshotMethod
	// Consistent is set when it is proven that all readers saw the same moment.
	Consistent bool
	// How says how that was proven, or why it could not be.
	How string
	// Position is the binary log position of the moment, and GTID the set of
	// transactions that it holds; empty when they could not be read.
	Position string
	GTID     string
	// Mark tells the moment apart from others.
	Mark mysql.Mark
	// Resumed says why what an earlier attempt had loaded, from another snapshot,
	// was kept; empty when nothing was. Trusted is set when the user's word was all there was for it.
	Resumed string
	Trusted bool
	// LockedFor is how long writers of the source were held back for it; 0 when nothing was locked.
	LockedFor time.Duration
	Readers   int
	// Spares are the further readers that stood by; Lost counts the readers
	// whose connection was lost and whose place a spare one took.
	Spares int
	Lost   int
	// Tables are the source's tables without transactions that were locked, and
	// TablesLockedFor how long; Unlocked are those that were read without.
	Tables          []string
	TablesLockedFor time.Duration
	Unlocked        []string
}

// TableResult says what happened to one table.
type TableResult struct {
	Name     string
	Declared bool
	// Copied is false for a table that was only created; Reason says why.
	Copied bool
	Reason string
	Rows   int64
	// Bytes is the size of the rows as they were sent to the target.
	Bytes   int64
	Indexes int
	// CopyTime and IndexTime are the seconds spent, which overlap with those of other tables.
	CopyTime  time.Duration
	IndexTime time.Duration
	// Changed and Rejected count the values that a policy changed, and the rows that it set aside.
	Changed  int64
	Rejected int64
	// Verified is set when the rows were read back and are what was sent, which took VerifyTime.
	Verified   bool
	VerifyTime time.Duration
	// Counted is set when the source has counted its rows in the snapshot: they are Rows and Rejected.
	Counted bool
	// ReadAgain is the number of rows that another client has read again, and other
	// code has encoded to the same; ReadAgainNote says what was left out.
	ReadAgain     int64
	ReadAgainNote string
	// Sum is the fingerprint of the rows as they were sent.
	Sum fingerprint.Sum
	// NextValue is the next value of the table's sequence; 0 when it has none.
	NextValue int64
}

// Verified is what of a run was read back, and is what was sent.
type Verified struct {
	Tables int
	Rows   int64
	// Bytes are those of the rows as they were sent.
	Bytes int64
	// Time is that of all sessions together.
	Time time.Duration
	// Counted is the number of tables whose rows the source has counted, too.
	Counted int
	// Again counts the tables of which rows were read again, and AgainRows those rows.
	Again     int
	AgainRows int64
}

// Verified sums up what was verified.
func (r *Result) Verified() Verified {
	var v Verified
	for _, t := range r.Tables {
		if t.Counted {
			v.Counted++
		}
		if t.ReadAgain > 0 {
			v.Again++
			v.AgainRows += t.ReadAgain
		}
		if t.Verified {
			v.Tables++
			v.Rows += t.Rows
			v.Bytes += t.Bytes
			v.Time += t.VerifyTime
		}
	}
	return v
}

// Totals sums tables that were copied, rows and bytes.
func (r *Result) Totals() (tables int, rows, bytes int64) {
	for _, t := range r.Tables {
		if t.Copied {
			tables++
		}
		rows += t.Rows
		bytes += t.Bytes
	}
	return tables, rows, bytes
}
