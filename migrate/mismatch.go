package migrate

import (
	"errors"
	"fmt"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/verify"
)

// ErrDifferent is wrapped when the target was shown not to be what it should be:
// a table does not hold what the source holds, or the schema is another than was
// made. That is a result, and no failure to find out.
var ErrDifferent = errors.New("what arrived is not what the source has")

// MismatchError tells of a table in which PostgreSQL has other rows than it was sent.
type MismatchError struct {
	Table  string
	Schema string
	// Sent is the fingerprint of what was sent, and Found that of what was read back.
	Sent  fingerprint.Sum
	Found fingerprint.Sum
	// Result tells the rows apart; nil when they could not be looked for.
	Result *verify.TableResult
}

// Error says how many rows there are, and what to do.
func (e *MismatchError) Error() string {
	found := fmt.Sprintf("%d rows were sent, and %d are there", e.Sent.Rows, e.Found.Rows)
	if e.Sent.Rows == e.Found.Rows {
		found = fmt.Sprintf("%d rows were sent, and as many are there, but at least one is another", e.Sent.Rows)
	}
	if e.Result != nil {
		found += ": " + differenceText(e.Result)
	}
	return fmt.Sprintf("table %q: %v: %s (fingerprints %s and %s). Nothing is published. "+
		"Look for a trigger or a rule on the table, and for who else writes into schema %q",
		e.Table, ErrDifferent, found, e.Sent, e.Found, e.Schema)
}

// Unwrap is [ErrDifferent].
func (e *MismatchError) Unwrap() error { return ErrDifferent }

// CountError tells of a table of which another number of rows was copied than the source has.
type CountError struct {
	// Source is the table's name at the source.
	Source string
	// Counted is what the source counts in the snapshot.
	Counted int64
	// Copied is what was copied, Rejected what a policy has set aside.
	Copied   int64
	Rejected int64
}

// Error says how many rows there are, and what to do.
func (e *CountError) Error() string {
	aside := ""
	if e.Rejected > 0 {
		aside = fmt.Sprintf(" and %d set aside", e.Rejected)
	}
	return fmt.Sprintf("table %q: %v: the source counts %d rows, and %d were copied%s. Nothing is published. "+
		"Start over; when it comes again, look whether the source reads the table as a whole: CHECK TABLE finds a damaged index",
		e.Source, ErrDifferent, e.Counted, e.Copied, aside)
}

// Unwrap is [ErrDifferent].
func (e *CountError) Unwrap() error { return ErrDifferent }

// miscounted compares what was copied of a table with what the source has
// counted; nil as long as either is not known.
func (s *tableState) miscounted() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.counted || !s.result.Copied || s.committed.rows+s.result.Rejected == s.sourceRows {
		return nil
	}
	return &CountError{Source: s.plan.Source, Counted: s.sourceRows, Copied: s.committed.rows, Rejected: s.result.Rejected}
}
