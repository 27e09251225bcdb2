package proof

import (
	"time"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/verify"
)

// Rereading is what came out when databases of an earlier [Result] were read again.
type Rereading struct {
	// Past is the earlier result; its tables have the fingerprints that were expected.
	Past    *Result
	Started time.Time
	Elapsed time.Duration
	// Tool is the version of moodledb.
	Tool string
	// State is the worst of all sides; Same when none was read.
	State verify.State
	// Sides are those that were read.
	Sides []RereadSide
}

// RereadSide is one side that was read again.
type RereadSide struct {
	Side Side
	// End is the database as it is now.
	End   End
	State verify.State
	// Tables are those of the earlier result, by name.
	Tables  []RereadTable
	Notices []string
}

// RereadTable is a table that was read again.
type RereadTable struct {
	Table string
	State verify.State
	// Problem says why it could not be told.
	Problem string
	// Then is the earlier fingerprint, Now the one of today.
	Then, Now fingerprint.Sum
	Bytes     int64
}

// worse returns the outcome of two together: different before unknown before same.
func worse(a, b verify.State) verify.State {
	switch {
	case a == verify.Different || b == verify.Different:
		return verify.Different
	case a == verify.Same && b == verify.Same:
		return verify.Same
	default:
		return verify.Unknown
	}
}
