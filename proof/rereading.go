package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/verify"
)

// read reads both sides at the same time, each by as many parts at once as there are jobs.
func (again *rereading) read(ctx context.Context) error {
	var planned Planned
	for _, s := range again.sides {
		planned.Tables += len(s.pairs)
		for _, p := range s.pairs {
			planned.Rows, planned.Bytes = planned.Rows+p.Rows, planned.Bytes+p.Bytes
		}
	}
	again.tell(planned)
	var g errgroup.Group
	for _, s := range again.sides {
		g.Go(func() error { return again.readSide(ctx, s) })
	}
	return g.Wait()
}

// readSide reads the tables of a side, the largest first.
func (again *rereading) readSide(ctx context.Context, s *rereadSide) error {
	slices.SortStableFunc(s.pairs, func(a, b *pair) int { return cmp.Compare(b.Bytes, a.Bytes) })
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(again.opts.Jobs)
	for _, p := range s.pairs {
		left := len(p.Parts)
		for i, part := range p.Parts {
			g.Go(func() error {
				if i == 0 {
					again.event(verify.TableStarted{Table: s.name(p), Rows: p.Rows, Bytes: p.Bytes})
				}
				sum, bytes, err := again.part(ctx, s, p, part)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				again.mu.Lock()
				defer again.mu.Unlock()
				left--
				s.add(p.Name, sum, bytes, err)
				if left == 0 {
					again.compared(s, p)
				}
				return nil
			})
		}
	}
	return g.Wait()
}

// add counts a part in.
func (s *rereadSide) add(table string, sum fingerprint.Sum, bytes int64, err error) {
	t := s.of(table)
	t.Now.Merge(sum)
	t.Bytes += bytes
	if err != nil {
		s.fail(table, err)
	}
}

// compared ends a table.
func (again *rereading) compared(s *rereadSide, p *pair) {
	t := s.of(p.Name)
	if t.State == verify.Same && t.Then != t.Now {
		t.State = verify.Different
	}
	again.tell(Rows{verify.TableCompared{Result: verify.TableResult{
		Name: s.name(p), State: t.State, Problem: t.Problem, Expected: t.Then, Found: t.Now, Bytes: t.Bytes,
	}}})
}

// name tells the table of one side from that of the other, in events.
func (s *rereadSide) name(p *pair) string { return fmt.Sprintf("%s (%s)", p.Name, s.db.side) }

func (again *rereading) event(e verify.Event) {
	again.mu.Lock()
	defer again.mu.Unlock()
	again.tell(Rows{e})
}

// part reads a part and sums it up, once more when what it was read with is lost.
func (again *rereading) part(ctx context.Context, s *rereadSide, p *pair, part verify.Part) (fingerprint.Sum, int64, error) {
	tell := func(rows, bytes int64) { again.event(verify.RowsRead{Table: s.name(p), Rows: rows, Bytes: bytes}) }
	stream, err := again.stream(ctx, s, p, part, tell)
	var lost *verify.AgainError
	if errors.As(err, &lost) && ctx.Err() == nil {
		stream, err = again.stream(ctx, s, p, part, func(int64, int64) {}) // nothing of what came before counts
	}
	return stream.Sum(), stream.Bytes(), err
}

// stream streams a part.
func (again *rereading) stream(ctx context.Context, s *rereadSide, p *pair, part verify.Part, tell func(rows, bytes int64)) (*fingerprint.Stream, error) {
	columns := make([]fingerprint.Column, len(p.Columns))
	for i, c := range p.Columns {
		columns[i].Canon = c.Canon
	}
	stream := fingerprint.NewStream(columns)
	told := &teller{w: stream, stream: stream, last: time.Now(), tell: tell}
	err := again.side(s.db.side).Stream(ctx, &p.Table, part, told)
	if err == nil {
		err = stream.End()
	}
	told.flush()
	return stream, err
}

// teller tells a few times a second how much has passed.
type teller struct {
	w           io.Writer
	stream      *fingerprint.Stream
	last        time.Time
	rows, bytes int64
	tell        func(rows, bytes int64)
}

func (t *teller) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	if time.Since(t.last) > 250*time.Millisecond {
		t.flush()
	}
	return n, err
}

func (t *teller) flush() {
	t.last = time.Now()
	rows, bytes := t.stream.Sum().Rows, t.stream.Bytes()
	if rows > t.rows || bytes > t.bytes {
		t.tell(rows-t.rows, bytes-t.bytes)
	}
	t.rows, t.bytes = rows, bytes
}
