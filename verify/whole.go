package verify

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/fingerprint"
)

// hasPieces reports whether the table can be summed up as a whole.
func (t *Table) hasPieces() bool { return len(t.Pieces[0]) > 0 && len(t.Pieces[1]) > 0 }

// whole sums up the tables that have pieces. Each side goes at its own pace:
// neither waits for the other, as it does within a part. Those whose sums are the same are done then, and
// those that could not be read.
func (c *comparison) whole(ctx context.Context, runs []*tableRun) error {
	var some []*tableRun
	for _, r := range runs {
		if r.table.hasPieces() {
			r.summed, r.open = true, len(r.table.Pieces[0])+len(r.table.Pieces[1])
			r.list = r.table.Pieces[0] // for the order alone
			some = append(some, r)
		}
	}
	ordered := inOrder(some)
	both, ctx := errgroup.WithContext(ctx)
	for side := range c.sides {
		both.Go(func() error {
			g, ctx := errgroup.WithContext(ctx)
			g.SetLimit(c.o.Jobs)
			for _, r := range ordered {
				for i := range r.table.Pieces[side] {
					if ctx.Err() != nil {
						break
					}
					g.Go(func() error { return c.piece(ctx, r, side, &r.table.Pieces[side][i]) })
				}
			}
			return g.Wait()
		})
	}
	return both.Wait()
}

// piece sums up a piece of one side. The error is that of ctx.
func (c *comparison) piece(ctx context.Context, r *tableRun, side int, p *Part) error {
	if c.begin(r) {
		stream, err := c.readPiece(ctx, r.table, side, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.mu.Lock()
		switch {
		case err == nil:
			r.sums[side].Merge(stream.Sum())
			if side == 0 {
				r.bytes += stream.Bytes()
			}
		case r.problem == nil:
			r.problem = problem(len(r.table.Pieces[side]), p, fmt.Errorf("%s: %w", sideName(side), err))
		}
		r.mu.Unlock()
	}
	r.mu.Lock()
	r.open--
	last := r.open == 0
	r.mu.Unlock()
	if last {
		c.endWhole(r)
	}
	return nil
}

// readPiece streams a piece, and once more when what it was read with is lost.
func (c *comparison) readPiece(ctx context.Context, t *Table, side int, p *Part) (*fingerprint.Stream, error) {
	stream := newStream(t)
	err := c.readInto(ctx, t, side, p, stream, side == 0)
	if isAgain(err) && ctx.Err() == nil {
		stream = newStream(t) // nothing of what came before counts
		err = lostTwice(ctx, c.readInto(ctx, t, side, p, stream, false))
	}
	return stream, err
}

// endWhole ends a table of which nothing more must be known, once all pieces are summed up.
func (c *comparison) endWhole(r *tableRun) {
	same := r.sums[0] == r.sums[1]
	if r.problem == nil {
		c.tell(PartCompared{Table: r.table.Name, Rows: r.sums[0].Rows, Bytes: r.bytes, Same: same})
		if !same {
			return
		}
	}
	r.done = true
	r.result = TableResult{Name: r.table.Name, State: Same, Pieces: r.pieces(), Expected: r.sums[0], Found: r.sums[1], Bytes: r.bytes, Parts: 1}
	if r.problem != nil {
		r.result = TableResult{Name: r.table.Name, State: Unknown, Pieces: r.pieces()}
		r.result.Problem, r.result.Masked = c.worded(r.problem)
	}
	c.tell(TableCompared{r.result})
}

// pieces is how many there are on either side.
func (r *tableRun) pieces() [2]int {
	if !r.summed {
		return [2]int{}
	}
	return [2]int{len(r.table.Pieces[0]), len(r.table.Pieces[1])}
}

// judgeSums holds what the parts have given against the sums of the whole table, which differ.
func (r *tableRun) judgeSums(out *TableResult) {
	if !r.summed {
		return
	}
	read := [2]fingerprint.Sum{out.Expected, out.Found}
	for side := range read {
		if r.problem == nil && read[side] != r.sums[side] {
			r.problem = &unstableError{side}
			return
		}
	}
	if slices.ContainsFunc(r.parts, func(p partResult) bool { return p.unstable }) {
		return
	}
	// It was seen to differ, also where the parts could not be read.
	out.State = Different
	if len(r.parts) == 0 {
		out.Expected, out.Found, out.Bytes = r.sums[0], r.sums[1], r.bytes
	}
}
