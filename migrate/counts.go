package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// countedAlone is the estimated size from which the rows of a table are counted
// by a query of their own, in bytes: readers share them.
const countedAlone = 8 << 20

// countable divides the tables whose rows the source is still to count into the
// pieces in which it is asked. Of tables without transactions only those are
// counted that are locked, and by the reader that holds them.
func (r *run) countable(states []*tableState) (pieces [][]*tableState, locked []*tableState) {
	var small []*tableState
	for _, s := range states {
		switch t := s.plan; {
		case !r.plan.verifies() || !t.Copy || s.counted:
		case t.NoTransactions && r.locked != nil:
			locked = append(locked, s)
		case t.NoTransactions:
		case t.Bytes >= countedAlone:
			pieces = append(pieces, []*tableState{s})
		default:
			small = append(small, s)
		}
	}
	return slices.AppendSeq(pieces, slices.Chunk(small, tinyTables)), locked
}

// count lets the source count some tables, when no rows are left to copy, which
// may tell that a range of rows was not read, or twice. It reports whether
// there may be more to do for the stream. Rows that cannot be counted end no
// run: the result says so.
func (c *stream) count(ctx context.Context) (more bool, _ error) {
	states := c.toCount()
	if states == nil {
		return false, nil
	}
	counts, err := c.reader.CountRows(ctx, sourceNames(states))
	switch {
	case err == nil:
		return true, counted(states, counts)
	case ctx.Err() != nil:
		return false, err
	case c.reader.Lost(ctx) == nil:
		c.run.uncounted(states, err)
		return true, nil
	}
	c.mu.Lock()
	c.counts = append(c.counts, states)
	c.mu.Unlock()
	return c.replaced(ctx, "the counting of rows", err)
}

// toCount takes a piece of the counting; nil when there is none.
func (o *round) toCount() []*tableState {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended != nil || len(o.counts) == 0 {
		return nil
	}
	states := o.counts[0]
	o.counts = o.counts[1:]
	return states
}

// replaced puts a spare reader in the place of one that was lost after the copy.
// Without one, what is left to do is for other streams, or for nobody: more is false then.
func (c *stream) replaced(ctx context.Context, what string, lost error) (more bool, _ error) {
	err := c.replace(ctx, what, false, lost)
	if err == errStreamOver || errors.Is(err, ErrSnapshotLost) {
		return false, nil
	}
	return err == nil, err
}

// countLocked counts the tables that the reader of the stream's round holds locked, before it lets go.
func (c *stream) countLocked(ctx context.Context, states []*tableState) error {
	if len(states) == 0 {
		return nil
	}
	counts, err := c.run.locked.CountRows(ctx, sourceNames(states))
	if err != nil {
		c.run.uncounted(states, err)
		return nil
	}
	return counted(states, counts)
}

// counted takes in what the source has counted.
func counted(states []*tableState, counts []int64) error {
	for i, s := range states {
		s.mu.Lock()
		s.sourceRows, s.counted = counts[i], true
		s.mu.Unlock()
		if err := s.miscounted(); err != nil {
			return err
		}
	}
	return nil
}

// uncounted tells that tables could not be counted.
func (r *run) uncounted(states []*tableState, err error) {
	r.send(Notice{Message: fmt.Sprintf("the source could not count the rows of %s: %v", unit{tables: states}, err)})
}

func sourceNames(states []*tableState) []string {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = s.plan.Source
	}
	return names
}
