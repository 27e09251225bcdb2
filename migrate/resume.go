package migrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// StoppedError is the error of a run that ended before it was done, and that
// can be resumed.
type StoppedError struct {
	// Run is its number in the target's ledger.
	Run int64
	Err error
}

// Error says what happened, and how to go on.
func (e *StoppedError) Error() string {
	return fmt.Sprintf("%v\nwhat run %d has loaded is kept: give --resume to go on with it, or remove it with 'moodledb abort'", e.Err, e.Run)
}

// Unwrap returns what the run ended with.
func (e *StoppedError) Unwrap() error { return e.Err }

// ErrSourceChanged is wrapped when a run cannot be resumed as asked, since the
// source was written to.
var ErrSourceChanged = errors.New("the source was written to since the run began")

// unfinished looks for a run into the plan's schema that did not end.
func (m *maker) unfinished(ctx context.Context) (*postgres.RunRecord, error) {
	runs, err := m.target.Runs(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range runs {
		if x.State != postgres.RunDone && x.Load == m.plan.Load {
			return &x, nil
		}
	}
	return nil, nil
}

// planResume looks which run goes on.
func (m *maker) planResume(ctx context.Context) error {
	record, err := m.unfinished(ctx)
	if err != nil {
		return err
	}
	m.earlier = record
	if !m.opts.Resume {
		return nil
	}
	p := m.plan
	if record == nil {
		return usagef("there is no unfinished run that loads into schema %q of %s: leave --resume out; 'moodledb status' lists the runs", p.Load, p.Target.Address)
	}
	p.Resume = &Resumption{
		Run: record.ID, Attempts: record.Attempts, Started: record.Started, Frozen: m.opts.SourceFrozen, record: *record,
	}
	if record.Held {
		m.find(Finding{
			Code: "run-in-use", Severity: Blocker, Object: p.Load,
			Message: fmt.Sprintf("run %d is being worked on by another moodledb", record.ID), Hint: "wait until it has ended",
		})
	}
	if record.Source != p.Source.Address || record.Mode != string(p.Mode) || record.Publish != p.Publish {
		m.find(Finding{
			Code: "resume-other-plan", Severity: Blocker, Object: p.Load,
			Message: fmt.Sprintf("run %d loads from %s into schema %q by mode %s, to become %q", record.ID, record.Source, record.Load, record.Mode, record.Publish),
			Hint:    "give the flags that it was started with, or start over",
		})
	}
	if record.Verify == string(VerifyNone) && p.verifies() && record.State != postgres.RunPreparing {
		m.find(Finding{
			Code: "resume-unverified", Severity: Blocker, Object: p.Load,
			Message: fmt.Sprintf("run %d copies without verification, so that what it has copied has no fingerprints to compare with", record.ID),
			Hint:    "give --verify none, and compare both databases with 'moodledb verify' afterwards; or start over with --replace or --truncate",
		})
	}
	contents, err := m.target.RunContents(ctx, record.ID)
	p.loads = contents.Tables
	return err
}

// orResume adds to a hint that an unfinished run can go on.
func (m *maker) orResume(hint string) string {
	if m.earlier == nil {
		return hint
	}
	return fmt.Sprintf("give --resume to go on with run %d; or %s", m.earlier.ID, hint)
}

// checkResume refuses to go on with a run that was planned otherwise.
func (m *maker) checkResume() {
	p := m.plan
	if p.Resume == nil || p.Resume.record.State == postgres.RunPreparing || p.Blocked() {
		return
	}
	differ := p.sameTables(p.loads)
	if differ == "" && p.digest() == p.Resume.record.Digest {
		return
	}
	f := Finding{
		Code: "resume-other-plan", Severity: Blocker, Object: p.Load,
		Message: fmt.Sprintf("run %d was planned otherwise: the owner or the prefix differs", p.Resume.Run),
		Hint:    "give the flags that it was started with; or start over with --replace or --truncate",
	}
	if differ != "" {
		f.Message = fmt.Sprintf("run %d was planned otherwise for the tables %s: the flags, the code or the source's schema changed", p.Resume.Run, differ)
	}
	m.find(f)
}

// madeBefore reports whether the run that goes on has made a table.
func (p *Plan) madeBefore(name string) bool {
	return slices.ContainsFunc(p.loads, func(t postgres.TableRecord) bool { return t.Table == name && t.Made })
}

// takeSnapshot opens the readers; a source that is full is tried again for a while.
func (r *run) takeSnapshot(ctx context.Context) (*mysql.Snapshot, error) {
	wait := r.patience()
	for {
		snapshot, err := r.source.Snapshot(ctx, r.plan.reading())
		if err == nil || !errors.Is(err, mysql.ErrTooManyConnections) || time.Since(wait.since) > 30*time.Second || !wait.again(ctx, "the source", err) {
			return snapshot, err
		}
	}
}

// goOn decides whether what earlier attempts of the run have loaded is kept:
// it comes from another snapshot, which ended with the connections that saw it.
// When false, everything is copied anew.
func (r *run) goOn() (bool, error) {
	record := r.plan.Resume.record
	var then Snapshot
	if err := json.Unmarshal(record.Snapshot, &then); err != nil {
		return false, fmt.Errorf("read the snapshot of run %d: %w", record.ID, err)
	}
	if record.State == postgres.RunPreparing {
		return false, nil
	}
	since := r.snapshot.Mark.Since(then.Mark)
	frozen := r.plan.Resume.Frozen
	switch {
	case since == mysql.Unchanged:
		r.snapshot.Resumed = "the snapshot of the earlier attempt is lost, but nothing was written at the source since: what it has loaded is kept"
		r.snapshot.Trusted = then.Trusted
	case frozen && since == mysql.Changed:
		return false, fmt.Errorf("%w (transactions then: %s, now: %s): without --source-frozen the resumed run copies everything anew", ErrSourceChanged, then.Mark.GTID, r.snapshot.Mark.GTID)
	case frozen:
		r.snapshot.Resumed = "the snapshot of the earlier attempt is lost; that nothing was written at the source since cannot be shown, and is taken on the user's word"
		r.snapshot.Trusted = true
	default:
		why := "it cannot be shown that nothing was written at the source since"
		if since == mysql.Changed {
			why = "the source was written to since"
		}
		r.send(Notice{Message: "the snapshot of the earlier attempt is lost, and " + why + ": everything is copied anew (--source-frozen keeps what is loaded, when nothing was written)"})
		return false, nil
	}
	r.send(Notice{Message: r.snapshot.Resumed})
	return true, nil
}

// startOver drops what a resumed run has loaded, so that it can be loaded anew.
func (r *run) startOver(ctx context.Context) error {
	p := r.plan
	// An attempt that was killed may have left sessions at work, but no schema.
	if err := r.waitHold(ctx); err != nil && !errors.Is(err, postgres.ErrNoSchema) {
		return err
	}
	// First the ledger: a kill in between must not leave it with more than there is.
	if err := r.target.RestartRun(ctx, r.id, r.attempt(), p.tableRecords()); err != nil {
		return err
	}
	if p.Mode == Staged {
		// Whoever makes the schema anew holds that one.
		defer r.letGo(ctx)
		return r.target.DropSchema(ctx, p.Load)
	}
	var made, loaded []string
	for i := range p.Tables {
		if t := &p.Tables[i]; t.creates {
			made = append(made, t.Target)
		} else {
			loaded = append(loaded, t.Target)
		}
	}
	if err := onTables(ctx, r.target, p.Load, made, postgres.DropTablesIfExist); err != nil {
		return fmt.Errorf("drop the tables that run %d made: %w", r.id, err)
	}
	if p.Mode != DataOnly {
		return nil
	}
	// Tables with foreign keys among them can be emptied only all at once, which
	// may be more than a server has room for. All that is put aside is made again in the end.
	if err := r.target.DropIndexes(ctx, p.Load, loaded); err != nil {
		return err
	}
	if err := onTables(ctx, r.target, p.Load, loaded, postgres.TruncateTables); err != nil {
		return fmt.Errorf("empty the tables that run %d loaded: %w", r.id, err)
	}
	return nil
}
