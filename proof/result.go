package proof

import (
	"time"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// Result is the outcome of a comparison of two databases.
type Result struct {
	// Expected is the side that is taken as right (--from), Found the other (--to).
	Expected End
	Found    End
	Prefix   string
	Started  time.Time
	Elapsed  time.Duration
	// Tool is the version of moodledb.
	Tool string
	// Scope is what was asked to be compared.
	Scope Scope
	// State is the worst of all tables and objects: different before unknown before same.
	State verify.State
	// Tables are the results, by name.
	Tables []verify.TableResult
	// Forms say how the rows of each table were compared, by name as Tables.
	Forms []Form
	// Left are tables and columns that were not compared, and why.
	Left []LeftOut
	// Objects are what differs beyond rows.
	Objects []ObjectDifference
	// Legal are differences that are known to be right, such as values that a policy has changed.
	Legal []Legal
	// Notices are what a reader should know.
	Notices []string
	// Repaired are the tables of which rows were repaired just before this comparison; see [Repair].
	Repaired []RepairedTable
}

// End is one of the two databases.
type End struct {
	Engine schema.Engine
	// Version is what the server calls itself.
	Version string
	// Address is host, port and database, without user and password.
	Address string
	Schema  string
	// Position is the moment that was read: place in the binary log, GTIDs, or PostgreSQL's LSN and snapshot.
	Position string
	// Consistent says that all readers saw one moment.
	Consistent bool
	How        string
}

// Scope is what was asked to be compared.
type Scope struct {
	Include []string
	Exclude []string
	// Sample is the share of the parts that was compared, in percent; 100 for all.
	Sample float64
	// Seed chose the sample.
	Seed uint64
	// SinceID is the least id that was compared; 0 for all.
	SinceID int64
}

// Side says on which side something is.
type Side string

// The sides.
const (
	ExpectedSide Side = "expected"
	FoundSide    Side = "found"
	BothSides    Side = "both"
)

// LeftOut is a table, or a column of one, that was not compared.
type LeftOut struct {
	Table  string
	Column string
	// Side is where it is.
	Side   Side
	Reason string
	// Counts is what its absence means for the outcome: Same when that is right (left out on request,
	// a view, a table that the migration skipped), Different, or Unknown when its rows cannot be compared.
	Counts verify.State
}

// ObjectDifference is something that is not right beyond rows. What is known
// to be as it should, and is only to be told, has the State Same.
type ObjectDifference struct {
	// Code is permanent. It is one of the Code constants of this package, such as
	// sequence-below-source and owner-other, or one that 'moodledb diff' has too, such as sequence-behind,
	// column-default-missing and index-missing.
	Code    string
	Table   string
	Object  string
	Message string
	Hint    string
	State   verify.State
}

// Legal is a difference that is known and right: it was not counted.
type Legal struct {
	Table string
	// Kind is changed-by-policy, rejected-by-policy, data-skipped, rendering or beyond-snapshot.
	Kind    string
	Rows    int64
	Message string
}
