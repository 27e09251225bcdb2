package migrate

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/recheck"
)

// DefaultSample is the default of Options.Sample, in percent. Of every table at
// least one part is read again, so that this counts for the largest ones only.
const DefaultSample = 1

// again is what was read again of a table by the other client.
type again struct {
	// begun is set once somebody does it; done when it was done.
	begun, done bool
	rows, bytes int64
	// notes say what was left out, and why.
	notes []string
}

// readAgain lets the other client read a sample of one table, when no rows are
// left to copy, and compares what other code makes of it with what was sent.
// It reports whether there may be more to do for the stream. One stream does so at a time: there
// is one session for it. What cannot be read ends no run: the result says so.
func (c *stream) readAgain(ctx context.Context) (more bool, err error) {
	s := c.toReadAgain()
	if s == nil {
		return false, nil
	}
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.rereads = false
	}()
	for _, rows := range s.sample(c.run.plan.Sample, c.run.id) {
		table := recheck.Copied{Source: &s.plan.source, Target: &s.plan.target, Job: s.plan.job()}
		got, err := recheck.Table(ctx, c.run.check.Conn(), source{c.reader}, &table, rows, c.run.rereading())
		if err != nil {
			return c.notReadAgain(ctx, s, err)
		}
		s.wasReadAgain(&got)
	}
	s.mu.Lock()
	s.again.done = true
	e := TableReadAgain{Table: s.plan.Target, Rows: s.again.rows, Bytes: s.again.bytes}
	s.mu.Unlock()
	c.run.send(e)
	return true, nil
}

// rereading bounds the memory of reading again: most of it is for rows of the driver.
func (r *run) rereading() recheck.Options {
	return recheck.Options{MaxRow: min(r.plan.Memory/128, 4<<20), Memory: min(r.plan.Memory/16, 16<<20)}
}

// toReadAgain takes a table that is copied; nil when there is none, or another stream is at it.
func (o *round) toReadAgain() *tableState {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended != nil || o.rereads || o.run.check == nil {
		return nil
	}
	for _, s := range o.states {
		if s.readable() {
			s.mu.Lock()
			s.again = again{begun: true}
			s.mu.Unlock()
			o.rereads = true
			return s
		}
	}
	return nil
}

// readable reports whether rows of the table can be read again now, and were not yet.
func (s *tableState) readable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	empty := s.counted && s.sourceRows == 0
	return s.plan.Copy && !s.plan.NoTransactions && s.state != postgres.TableWaiting && !s.again.begun && !empty
}

// unread reports whether a table was left that could be read again.
func (o *round) unread() bool {
	return o.run.check != nil && slices.ContainsFunc(o.states, (*tableState).readable)
}

// sample chooses what is read again of a table: so many percent of its rows,
// and at least a part that is worth it. The same run chooses the same parts.
func (s *tableState) sample(percent float64, run int64) []recheck.Rows {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.plan
	if !s.divided {
		rows := recheck.Rows{Sum: &s.sum, Touched: s.result.Changed+s.result.Rejected > 0}
		if t.KeyOrdered {
			rows.Selection.OrderBy = t.source.PrimaryKey().Columns()
		}
		if rows.First = recheck.First(s.committed.rows, s.committed.bytes); rows.First > 0 {
			rows.First = max(rows.First, share(s.committed.rows, percent))
		}
		if rows.First >= s.committed.rows {
			rows.First = 0
		}
		return []recheck.Rows{rows}
	}
	chunks := slices.DeleteFunc(slices.Clone(s.landedChunks), func(c postgres.ChunkRecord) bool { return c.Rows == 0 })
	if len(chunks) == 0 {
		chunks = s.landedChunks
	}
	name := fnv.New64()
	_, _ = name.Write([]byte(t.Target)) // hashes do not fail
	random := rand.New(rand.NewPCG(uint64(run), name.Sum64()))
	random.Shuffle(len(chunks), func(i, j int) { chunks[i], chunks[j] = chunks[j], chunks[i] })
	var out []recheck.Rows
	for i := range chunks[:max(1, share(int64(len(chunks)), percent))] {
		c := &chunks[i]
		out = append(out, recheck.Rows{
			Selection: t.key.Selection(mysql.Range{Lower: c.Lower, Upper: c.Upper}), Sum: &c.Sum, Touched: c.Changed+c.Rejected > 0,
		})
	}
	return out
}

// share is so many percent of n, and not less.
func share(n int64, percent float64) int64 {
	return min(n, int64(math.Ceil(float64(n)*percent/100)))
}

// wasReadAgain takes in what was read again, and found to be equal.
func (s *tableState) wasReadAgain(got *recheck.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again.rows += got.Rows
	s.again.bytes += got.Bytes
	note := func(text string) {
		if !slices.Contains(s.again.notes, text) {
			s.again.notes = append(s.again.notes, text)
		}
	}
	if got.Skipped != "" {
		note("not read again: " + got.Skipped)
	}
	for _, x := range got.LeftOut {
		note(fmt.Sprintf("column %q not read again: %s", x.Column, x.Reason))
	}
	if got.Large > 0 {
		note(english.Plural(int(got.Large), "row", "") + " not read again: too large for --memory")
	}
	if got.Aside > 0 {
		note(english.Plural(int(got.Aside), "row", "") + " not read again: a policy dealt with what they hold")
	}
}

// notReadAgain deals with an error: rows that differ end the run; when a
// connection is lost another takes its place, as far as there is one.
func (c *stream) notReadAgain(ctx context.Context, s *tableState, err error) (more bool, _ error) {
	var mismatch *recheck.MismatchError
	if errors.As(err, &mismatch) {
		return false, &rereadError{mismatch}
	}
	if ctx.Err() != nil {
		return false, err
	}
	if lost := c.run.check.Lost(ctx); lost != nil {
		c.run.noCheck(fmt.Sprintf("the connection for it was lost (%v)", lost))
		return false, nil
	}
	if c.reader.Lost(ctx) == nil {
		s.mu.Lock()
		s.again.notes = append(s.again.notes, fmt.Sprintf("not read again: %v", err))
		s.mu.Unlock()
		c.run.send(Notice{Message: fmt.Sprintf("table %q could not be read again: %v", s.plan.Target, err)})
		return true, nil
	}
	s.mu.Lock()
	s.again = again{}
	s.mu.Unlock()
	return c.replaced(ctx, "reading again", err)
}

// noCheck gives reading again up.
func (r *run) noCheck(why string) {
	r.mu.Lock()
	r.check, r.uncheckedWhy = nil, why
	r.mu.Unlock()
	r.send(Notice{Message: "no rows are read again by another client from here on: " + why})
}

// rereadError is [ErrDifferent], by the words of package recheck.
type rereadError struct{ mismatch *recheck.MismatchError }

func (e *rereadError) Error() string { return e.mismatch.Error() }

// Unwrap returns both.
func (e *rereadError) Unwrap() []error { return []error{e.mismatch, ErrDifferent} }

// note is what was not read again; empty when nothing was left out.
func (a *again) note() string { return strings.Join(a.notes, "; ") }
