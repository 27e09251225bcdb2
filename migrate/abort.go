package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/moodledb/moodledb/postgres"
)

// AbortOptions are the user's choices for [PlanAbort].
type AbortOptions struct {
	// Run is the number of the run; 0 takes the only unfinished one.
	Run int64
	// Forget removes only the records of the run, and leaves what it has loaded;
	// it is the only thing that can be done with a finished run.
	Forget bool
}

// AbortPlan is what cleaning up a run will do.
type AbortPlan struct {
	Run RunStatus
	// Schema is the staging schema that is dropped; empty when none is.
	Schema string
	// Drop and Empty are the tables of the schema Run.Load that are dropped and emptied.
	Drop, Empty []string
	// Rebuild is the number of keys and indexes that are made again.
	Rebuild int
	// Notes say what is left as it is, and why.
	Notes []string
}

// OnlyRecords reports whether nothing but the records of the run is removed.
func (p *AbortPlan) OnlyRecords() bool {
	return p.Schema == "" && len(p.Drop)+len(p.Empty)+p.Rebuild == 0
}

// ErrNoRun is wrapped when the ledger has no such run.
var ErrNoRun = errors.New("there is no such run")

// ErrRunning is wrapped when a living moodledb works on the run, or in its schema.
var ErrRunning = errors.New("it is being worked on")

// PlanAbort looks what there is to clean up after a run, and whether that may
// be done. It writes nothing.
func PlanAbort(ctx context.Context, target *postgres.DB, opts AbortOptions) (*AbortPlan, error) {
	return planAbort(ctx, target, opts, "")
}

// planAbort is [PlanAbort] for one that holds the schema own, or none when it is empty.
func planAbort(ctx context.Context, target *postgres.DB, opts AbortOptions, own string) (*AbortPlan, error) {
	runs, err := status(ctx, target, own)
	if err != nil {
		return nil, err
	}
	run, err := chooseRun(runs, opts)
	if err != nil {
		return nil, err
	}
	access, err := target.LedgerAccess(ctx)
	if err != nil {
		return nil, err
	}
	if !access.Owned {
		return nil, fmt.Errorf("the ledger of runs belongs to the role %q: connect as that role, or let an administrator run: GRANT %s TO %s",
			access.Owner, postgres.QuoteIdent(access.Owner), postgres.QuoteIdent(target.Server().User))
	}
	p := &AbortPlan{Run: *run}
	if opts.Forget {
		return p, p.forget(runs)
	}
	return p, p.look(ctx, target, runs, own)
}

// chooseRun finds the run that is meant.
func chooseRun(runs []RunStatus, opts AbortOptions) (*RunStatus, error) {
	var found []*RunStatus
	for i := range runs {
		if r := &runs[i]; opts.Run == r.ID || opts.Run == 0 && r.Unfinished() {
			found = append(found, r)
		}
	}
	switch {
	case len(found) == 0 && opts.Run != 0:
		return nil, fmt.Errorf("run %d: %w; 'moodledb status' lists the runs", opts.Run, ErrNoRun)
	case len(found) == 0 && len(runs) == 0:
		return nil, fmt.Errorf("%w: the target has no record of any", ErrNoRun)
	case len(found) == 0:
		return nil, fmt.Errorf("%w: all runs have ended well; name one with --run and give --forget to remove its records", ErrNoRun)
	case len(found) > 1:
		ids := ""
		for _, r := range found {
			ids += fmt.Sprintf(" %d", r.ID)
		}
		return nil, usagef("several runs are unfinished:%s; name one with --run", ids)
	}
	r := found[0]
	if !r.Unfinished() && !opts.Forget {
		return nil, usagef("run %d has ended well, and there is nothing to clean up; give --forget to remove its records from the ledger", r.ID)
	}
	return r, nil
}

// forget allows to remove the records of a run that nobody works on. Those of
// a finished run protect what it has loaded from the clean-up of an earlier one.
func (p *AbortPlan) forget(runs []RunStatus) error {
	if p.Run.State == RunRunning {
		return p.running()
	}
	for i := range runs {
		if r := &runs[i]; r.ID < p.Run.ID && r.Unfinished() && r.Mode != Staged && (r.Load == p.Run.Load || r.Load == p.Run.Publish) {
			return fmt.Errorf("run %d into the same schema is unfinished: abort that one first; its clean-up must know of run %d", r.ID, p.Run.ID)
		}
	}
	if p.Run.Unfinished() {
		p.Notes = append(p.Notes, fmt.Sprintf("what the run has loaded into schema %s stays there, and it cannot be resumed any more", p.Run.Load))
	}
	return nil
}

func (p *AbortPlan) running() error {
	return fmt.Errorf("run %d: %w by another moodledb, since %s: end that one first (Ctrl-C), or wait",
		p.Run.ID, ErrRunning, p.Run.Resumed.UTC().Format("2006-01-02 15:04:05 UTC"))
}

// look finds what the run has made and loaded.
func (p *AbortPlan) look(ctx context.Context, target *postgres.DB, runs []RunStatus, own string) error {
	if p.Run.State == RunRunning {
		return p.running()
	}
	if i := slices.IndexFunc(runs, func(r RunStatus) bool { return r.ID > p.Run.ID && (r.Load == p.Run.Load || r.Publish == p.Run.Load) }); i >= 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("run %d came into schema %s after it, and what is there is that run's", runs[i].ID, p.Run.Load))
		return nil
	}
	state, err := target.SchemaState(ctx, p.Run.Load)
	switch {
	case err != nil:
		return err
	case state.Held && p.Run.Load != own:
		return p.held(ctx, target)
	case !state.Exists:
		p.Notes = append(p.Notes, fmt.Sprintf("the schema %s is gone already", p.Run.Load))
		return nil
	case p.Run.Mode != Staged:
		return p.lookInto(ctx, target)
	case state.Staging == nil:
		return fmt.Errorf("the schema %q is not marked as a staging schema of moodledb: someone else has made it, or has put it to use; give --forget to remove the records of run %d and leave the schema",
			p.Run.Load, p.Run.ID)
	case !state.Owned:
		return fmt.Errorf("the staging schema %q belongs to the role %q, and %q may not drop it: connect as %q, or let an administrator run: GRANT %s TO %s", p.Run.Load,
			state.Owner, target.Server().User, state.Owner, postgres.QuoteIdent(state.Owner), postgres.QuoteIdent(target.Server().User))
	}
	p.Schema = p.Run.Load
	return nil
}

// held names the session that works in the schema.
func (p *AbortPlan) held(ctx context.Context, target *postgres.DB) error {
	h, ok, err := target.Holder(ctx, p.Run.Load)
	if err != nil {
		return err
	}
	who := ""
	if ok {
		who = fmt.Sprintf(" (session %d", h.PID)
		if h.Client != "" {
			who += " from " + h.Client
		}
		who += ")"
	}
	return fmt.Errorf("another run of moodledb%s works in schema %q: %w; end that one first, or wait", who, p.Run.Load, ErrRunning)
}

// lookInto finds what the run has made and loaded in a schema that was there before it.
func (p *AbortPlan) lookInto(ctx context.Context, target *postgres.DB) error {
	have, err := target.RunContents(ctx, p.Run.ID)
	if err != nil {
		return err
	}
	there, err := target.TableNames(ctx, p.Run.Load)
	if err != nil {
		return err
	}
	// A run that begins anew, from another moment, first forgets and then drops
	// what it has loaded: when it was killed between the two, the rows are its own.
	anew := p.Run.Preparing && p.Run.Attempts > 1
	known := map[string]bool{}
	for _, c := range have.Chunks {
		known[c.Table] = known[c.Table] || c.Done
	}
	var made, unloaded, loaded []string
	for i := range have.Tables {
		t := &have.Tables[i]
		if !slices.Contains(there, t.Table) {
			continue
		}
		own := t.Copies && (anew || known[t.Table] || t.State != postgres.TableWaiting)
		switch {
		case t.Made && own:
			made = append(made, t.Table)
		case t.Made:
			made, unloaded = append(made, t.Table), append(unloaded, t.Table)
		case own:
			loaded = append(loaded, t.Table)
		}
	}
	// No row comes into a table without the ledger's knowledge, so others are not the run's.
	foreign, err := target.Filled(ctx, p.Run.Load, unloaded)
	if err != nil {
		return hinted(err)
	}
	if len(foreign) > 0 {
		return fmt.Errorf("table %q in schema %q (and %d more) holds rows that run %d has not loaded: someone else has; move them away, or give --forget to remove only the records of the run",
			foreign[0], p.Run.Load, len(foreign)-1, p.Run.ID)
	}
	p.Drop = made
	if p.Empty, err = target.Filled(ctx, p.Run.Load, loaded); err != nil {
		return hinted(err)
	}
	if p.Run.Mode == DataOnly {
		journal, err := target.Journal(ctx, p.Run.Load)
		if err != nil {
			return err
		}
		p.Rebuild = len(journal)
	}
	return nil
}

// Abort cleans up after the run that p is about: it takes back what the run has
// loaded, and removes its records. It looks anew what there is, and refuses when
// that is more than p says, since the user has agreed to p. Killed meanwhile, it
// can be planned and done again. Events, which may be nil, get its steps.
func Abort(ctx context.Context, target *postgres.DB, p *AbortPlan, opts AbortOptions, events func(Event)) error {
	if events == nil {
		events = func(Event) {}
	}
	hold, err := target.HoldSchema(ctx, p.Run.Load)
	own := p.Run.Load
	switch {
	case errors.Is(err, postgres.ErrHeld):
		return p.held(ctx, target)
	case errors.Is(err, postgres.ErrNoSchema):
		own = "" // nothing is there that anyone could work in
	case err != nil:
		return err
	default:
		defer hold.Release(ctx)
	}
	opts.Run = p.Run.ID
	now, err := planAbort(ctx, target, opts, own)
	if err != nil {
		return err
	}
	if now.Schema != p.Schema || len(now.Drop) > len(p.Drop) || len(now.Empty) > len(p.Empty) {
		return fmt.Errorf("what run %d has left changed in the meantime: try again", p.Run.ID)
	}
	a := &aborting{run: run{target: target, events: events}, plan: now}
	return a.all(ctx)
}
