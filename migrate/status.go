package migrate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moodledb/moodledb/postgres"
)

// RunState is what has become of a run.
type RunState string

// The states of a run.
const (
	// RunRunning: a living moodledb works on it.
	RunRunning RunState = "running"
	// RunInterrupted: nobody works on it, and it has not ended: it was killed.
	RunInterrupted RunState = "interrupted"
	// RunStopped: it ended with the error in Problem, and can be resumed.
	RunStopped RunState = "stopped"
	// RunDone: it ended well.
	RunDone RunState = "done"
)

// RunStatus is how far a run is, as the target's ledger and the sessions there tell it.
type RunStatus struct {
	ID    int64
	State RunState
	// Preparing is set while the place that is loaded is being made, so that nothing is loaded yet.
	Preparing bool
	Mode      Mode
	// Tool is the version of moodledb.
	Tool string
	// Source is the database that is loaded from, without a password.
	Source string
	Prefix string
	// Load is the schema that is loaded into, Publish the one that it becomes.
	Load, Publish string
	Owner         string
	Attempts      int
	Problem       string
	Started       time.Time
	// Resumed is when the last attempt began; Ended is zero while the run has not ended.
	Resumed, Ended time.Time
	Snapshot       Snapshot
	// Verify says whether what arrived is read back before the run ends.
	Verify VerifyMode
	// Tables counts those that are copied; Others those that are only made.
	Tables TableCounts
	Others int
	// Rows and Bytes are in the target, with what running copies have sent.
	Rows, Bytes                 int64
	ExpectedRows, ExpectedBytes int64
	// Indexes are the keys and indexes to build, Built those that are built.
	Indexes, Built int
	// Chunks are the parts of divided tables, ChunksDone those that are copied.
	Chunks, ChunksDone int
	// Changed and Rejected count values and rows that a policy has touched.
	Changed, Rejected int64
	// Fraction is the part of the work that is done, between 0 and 1.
	Fraction float64
	// Left is the time that the rest will take, by the speed of each session and
	// their number now; LeftKnown is false when nothing can be said.
	Left      time.Duration
	LeftKnown bool
	// Working are the tables in work, the largest first: those that sessions are
	// busy with, and those that are begun and not complete.
	Working []TableStatus
	// Sessions are sessions of moodledb that run a statement of which the server
	// does not say what it is about, such as one that waits for a lock.
	Sessions []postgres.Activity
	// Hidden counts sessions whose work the connected role may not see.
	Hidden int
}

// TableCounts counts the tables that are copied: all of them, those whose rows
// are in the target, those with their keys and indexes too, and those that were read back besides.
type TableCounts struct{ All, Copied, Done, Verified int }

// TableStatus is how far a table is.
type TableStatus struct {
	Table string
	// Copied is set when all of its rows are in the target, Done when its keys and
	// indexes are built too, and Verified when it was read back besides.
	Copied, Done, Verified      bool
	Rows, Bytes                 int64
	ExpectedRows, ExpectedBytes int64
	Indexes, Built              int
	Chunks, ChunksDone          int
	Changed, Rejected           int64
	// Sessions are busy with the table.
	Sessions []postgres.Activity
}

// Unfinished reports whether the run can be resumed or must be cleaned up.
func (s *RunStatus) Unfinished() bool { return s.State != RunDone }

// ErrStandby is returned for a replica, which does not know who works on the primary.
var ErrStandby = errors.New("the target is a standby (replica), where nobody can tell whether a run is alive: ask the primary server")

// Status tells of the runs in the target's ledger, the last one first; none
// when it has no ledger. It only reads.
func Status(ctx context.Context, target *postgres.DB) ([]RunStatus, error) {
	return status(ctx, target, "")
}

// status is [Status] for one that holds a schema itself, and so knows that
// nobody else works in there.
func status(ctx context.Context, target *postgres.DB, own string) ([]RunStatus, error) {
	access, err := target.LedgerAccess(ctx)
	if err != nil || !access.Exists {
		return nil, err
	}
	if target.Server().Standby {
		return nil, ErrStandby
	}
	records, err := target.Runs(ctx)
	if err != nil {
		return nil, err
	}
	for i := range records {
		records[i].Held = records[i].Held && records[i].Load != own
	}
	activities, err := target.Activities(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]RunStatus, len(records))
	for i, r := range records {
		contents, err := target.RunContents(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		if out[i], err = runStatus(records, r, contents, activities); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// runState judges what has become of a run. That a schema is held tells of the
// last run into it only: an earlier one into the same schema is not what runs.
func runState(all []postgres.RunRecord, r postgres.RunRecord) RunState {
	newest := !slices.ContainsFunc(all, func(x postgres.RunRecord) bool {
		return x.Load == r.Load && x.State != postgres.RunDone && x.Resumed.After(r.Resumed)
	})
	switch {
	case r.State == postgres.RunDone:
		return RunDone
	case r.Held && newest:
		return RunRunning
	case r.State == postgres.RunStopped && !r.Ended.IsZero():
		return RunStopped
	default:
		return RunInterrupted
	}
}

// runStatus adds up what is known of a run.
func runStatus(all []postgres.RunRecord, r postgres.RunRecord, have postgres.RunContents, now postgres.Activities) (RunStatus, error) {
	s := RunStatus{
		ID: r.ID, State: runState(all, r), Mode: Mode(r.Mode), Tool: r.Tool, Source: r.Source, Prefix: r.Prefix,
		Load: r.Load, Publish: r.Publish, Owner: r.Owner, Attempts: r.Attempts, Problem: r.Problem,
		Started: r.Started, Resumed: r.Resumed, Ended: r.Ended, Verify: VerifyMode(r.Verify),
	}
	s.Preparing = s.State != RunDone && r.State == postgres.RunPreparing
	if err := json.Unmarshal(r.Snapshot, &s.Snapshot); err != nil {
		return s, fmt.Errorf("read the snapshot of run %d: %w", r.ID, err)
	}
	sum := newTally(have)
	sum.verifies = s.Verify != VerifyNone
	if s.State == RunRunning {
		sum.see(r.Load, now.Sessions)
		s.Hidden, s.Sessions = now.Hidden, sum.others
	}
	var done, total, left work
	for i := range have.Tables {
		t := &have.Tables[i]
		ts := sum.table(t)
		s.add(t, &ts)
		d, all := sum.work(t, &ts)
		done, total = done.plus(d), total.plus(all)
		left = left.plus(all.minus(d))
		if s.State != RunDone && ts.inWork(t) {
			s.Working = append(s.Working, ts)
		}
	}
	slices.SortFunc(s.Working, func(a, b TableStatus) int {
		return cmp.Or(cmp.Compare(len(b.Sessions), len(a.Sessions)), cmp.Compare(b.ExpectedBytes, a.ExpectedBytes), strings.Compare(a.Table, b.Table))
	})
	s.Fraction = 1
	if all := total.all(); s.State != RunDone && all > 0 {
		s.Fraction = float64(done.all()) / float64(all)
	}
	if s.State == RunRunning && !s.Preparing {
		s.Left, s.LeftKnown = sum.left(left, s.Hidden)
	}
	return s, nil
}

// add counts a table in.
func (s *RunStatus) add(t *postgres.TableRecord, ts *TableStatus) {
	if t.Copies {
		s.Tables.All++
		if ts.Copied {
			s.Tables.Copied++
		}
		if ts.Done {
			s.Tables.Done++
		}
		if ts.Verified {
			s.Tables.Verified++
		}
	} else {
		s.Others++
	}
	s.Rows += ts.Rows
	s.Bytes += ts.Bytes
	s.ExpectedRows += ts.ExpectedRows
	s.ExpectedBytes += ts.ExpectedBytes
	s.Indexes += ts.Indexes
	s.Built += ts.Built
	s.Chunks += ts.Chunks
	s.ChunksDone += ts.ChunksDone
	s.Changed += ts.Changed
	s.Rejected += ts.Rejected
}

// inWork reports whether a table is begun and not complete.
func (ts *TableStatus) inWork(t *postgres.TableRecord) bool {
	return len(ts.Sessions) > 0 || t.State == postgres.TableCopied || t.State == postgres.TableWaiting && ts.ChunksDone > 0
}
