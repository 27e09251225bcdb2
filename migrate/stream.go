package migrate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// source adapts a reader to what package copy asks for.
type source struct{ reader *mysql.Reader }

func (s source) Query(ctx context.Context, query string) (copy.Rows, error) {
	return s.reader.Query(ctx, query)
}

// stream copies units with one reader of the source and one session of the target.
type stream struct {
	*round
	number int
	reader *mysql.Reader
	conn   *postgres.Conn
}

// stream copies with a reader until there is nothing to do. An error ends the run.
func (o *round) stream(ctx context.Context, number int, reader *mysql.Reader) error {
	conn, err := o.run.target.Acquire(ctx)
	if err != nil {
		if o.lost(ctx, nil, err) {
			return nil
		}
		return err
	}
	defer conn.Release()
	c := &stream{round: o, number: number, reader: reader, conn: conn}
	holds := number == 0 && o.run.locked != nil
	for {
		u, ok := c.next(holds)
		if holds && !u.locked && !o.over() {
			// All of them are copied.
			if err := c.countLocked(ctx, o.locked); err != nil {
				return err
			}
			o.run.unlock()
			holds = false
		}
		if !ok {
			more, err := c.count(ctx)
			if !more && err == nil {
				more, err = c.readAgain(ctx)
			}
			if !more || err != nil {
				return err
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		u, err = c.divide(ctx, u)
		if err == nil {
			err = c.copyUnit(ctx, u)
		}
		switch {
		case err == nil:
		case errors.Is(err, errStreamOver):
			c.putBack(u)
			return nil
		case o.lost(ctx, conn, err), postgres.IsLost(err) && c.ledgerLost(ctx, err):
			return nil
		default:
			return err
		}
	}
}

// ledgerLost ends the round when an error of [postgres.IsLost] does not come of the source.
func (c *stream) ledgerLost(ctx context.Context, err error) bool {
	if ctx.Err() != nil || c.reader.Lost(ctx) != nil {
		return false
	}
	c.end(err)
	return true
}

// divide splits a part of a table that has turned out to be larger than it was
// taken for, and puts all but the first piece back.
func (c *stream) divide(ctx context.Context, u unit) (unit, error) {
	if u.chunk == nil {
		return u, nil
	}
	s := u.tables[0]
	size := int64(s.perRow() * float64(u.chunk.EstimatedRows))
	if size < 2*c.run.plan.Chunk {
		return u, nil
	}
	whole := mysql.Range{Lower: u.chunk.Lower, Upper: u.chunk.Upper, Rows: u.chunk.EstimatedRows, Bytes: size}
	ranges, err := c.run.source.SplitRange(ctx, &s.plan.source, whole, int(size/c.run.plan.Chunk))
	if err != nil || len(ranges) < 2 {
		return u, err
	}
	records := make([]postgres.ChunkRecord, len(ranges))
	for i, p := range ranges {
		records[i] = postgres.ChunkRecord{
			Table: s.plan.Target, Lower: p.Lower, Upper: p.Upper, EstimatedRows: p.Rows, EstimatedBytes: p.Bytes,
		}
	}
	if records, err = c.run.target.ReplaceChunk(ctx, c.run.id, *u.chunk, records); err != nil {
		return u, err
	}
	pieces := make([]unit, len(records))
	for i := range records {
		pieces[i] = unit{tables: u.tables, chunk: &records[i]}
	}
	s.mu.Lock()
	s.left += len(pieces) - 1
	s.mu.Unlock()
	c.putBack(pieces[1:]...)
	return pieces[0], nil
}

// errStreamOver ends a stream whose reader is lost, while others go on.
var errStreamOver = errors.New("the reader is lost")

// copyUnit brings a unit into the target, and tries again what may pass: a
// deadlock, a lock, a reader in whose place a spare one steps, values that a
// policy deals with.
func (c *stream) copyUnit(ctx context.Context, u unit) error {
	var wait *patience
	repairs := map[*tableState]*copy.Repair{}
	for {
		c.start(u)
		done, next, err := c.attempt(ctx, u, repairs)
		if err == nil {
			// From here on nothing of the unit may be copied again.
			return c.land(ctx, u, done, next)
		}
		for _, s := range u.tables {
			c.run.send(s.dropped(c.number))
		}
		var failed *tableError
		var retry *copy.RetryError
		switch {
		case ctx.Err() != nil, c.conn.Lost():
			return err
		case errors.As(err, &retry) && errors.As(err, &failed):
			repairs[failed.state] = retry.Repair
		case postgres.Transient(err) && !postgres.IsLost(err):
			if wait == nil {
				wait = c.run.patience()
			}
			if !wait.again(ctx, u.String(), err) {
				return err
			}
		default:
			if err := c.replace(ctx, u.String(), u.locked, err); err != nil {
				return err
			}
		}
	}
}

// tableError is an error of one of a unit's tables.
type tableError struct {
	state *tableState
	err   error
}

func (e *tableError) Error() string { return e.err.Error() }
func (e *tableError) Unwrap() error { return e.err }

// start tells that tables are being copied.
func (c *stream) start(u unit) {
	for _, s := range u.tables {
		s.mu.Lock()
		first := !s.started
		s.started = true
		s.mu.Unlock()
		if t := s.plan; first && t.Copy {
			c.run.send(TableStarted{Table: t.Target, Rows: t.Rows, Bytes: t.Bytes})
		}
	}
}

// String names the unit.
func (u unit) String() string {
	if len(u.tables) == 1 {
		return fmt.Sprintf("table %q", u.tables[0].plan.Target)
	}
	return fmt.Sprintf("%d small tables from %q on", len(u.tables), u.tables[0].plan.Target)
}

// replace puts a spare reader of the same moment in the place of one that is
// lost: nothing of a transaction that did not end is kept. The error of what a
// reader did that lives is returned as it is.
func (c *stream) replace(ctx context.Context, what string, locked bool, err error) error {
	reader := c.reader
	if locked {
		reader = c.run.locked
	}
	lost := reader.Lost(ctx)
	if lost == nil || ctx.Err() != nil {
		return err
	}
	if locked {
		return fmt.Errorf("%w: the connection that held the table locked was lost, so it may have been written to: start again", err)
	}
	c.run.send(ReaderLost{What: what, Err: lost})
	next, others := c.run.spare(c.number)
	switch {
	case next != nil:
		c.reader = next
		c.run.send(Notice{Message: fmt.Sprintf("%s is started anew: its connection to the source was lost (%s), and a spare one that sees the same moment takes its place", what, lost)})
		return nil
	case others > 0:
		c.run.send(Notice{Message: fmt.Sprintf("%s is left to the %s that see the same moment: its connection to the source was lost (%s)", what, english.Plural(others, "connection", ""), lost)})
		return errStreamOver
	}
	return fmt.Errorf("%w: %w: the last connection to the source that sees the moment that is copied was lost (%w)", err, ErrSnapshotLost, lost)
}

// attempt copies a unit in one transaction, together with what the ledger says
// of it. It returns what was copied and, of small tables, the next values of their sequences.
func (c *stream) attempt(ctx context.Context, u unit, repairs map[*tableState]*copy.Repair) (done []postgres.Copied, next []int64, err error) {
	done = make([]postgres.Copied, len(u.tables))
	err = c.conn.Transact(ctx, func() (err error) {
		if u.locked {
			// Once the table is unlocked, no reader sees this moment of it again.
			if err := c.conn.Exec(ctx, postgres.CommitDurably); err != nil {
				return err
			}
		}
		for i, s := range u.tables {
			if !s.plan.Copy {
				continue
			}
			if done[i], err = c.copyTable(ctx, u, s, repairs[s]); err != nil {
				return &tableError{state: s, err: err}
			}
		}
		if u.chunk != nil {
			return c.conn.ChunkDone(ctx, u.chunk.ID, done[0])
		}
		if u.small() {
			next, err = c.complete(ctx, u, done)
			return err
		}
		return c.conn.Exec(ctx, postgres.RecordCopied(c.run.id, u.tables[0].plan.Target, done[0]))
	})
	return done, next, err
}

// land notes that a unit is committed.
func (c *stream) land(ctx context.Context, u unit, done []postgres.Copied, next []int64) error {
	c.committed()
	for i, s := range u.tables {
		if err := c.landed(ctx, u, s, done[i], next, i); err != nil {
			return err
		}
	}
	if u.small() {
		c.check(u.tables...)
	}
	return nil
}

// landed notes that a table of a committed unit is in the target.
func (c *stream) landed(ctx context.Context, u unit, s *tableState, done postgres.Copied, next []int64, i int) error {
	t := s.plan
	last := s.landed(c.number, done, u.chunk)
	if !last {
		return nil
	}
	if u.chunk != nil {
		if err := c.run.chunksCopied(ctx, c.conn, s); err != nil {
			return err
		}
	}
	if t.Copy {
		c.run.send(TableCopied{Table: t.Target, Rows: s.result.Rows, Bytes: s.result.Bytes, Elapsed: s.result.CopyTime})
	}
	if !u.small() {
		c.build(s)
		return nil
	}
	s.mu.Lock()
	s.state = postgres.TableDone
	s.result.NextValue = next[i]
	s.result.Indexes = len(t.After)
	s.mu.Unlock()
	for _, b := range t.After {
		c.run.send(IndexBuilt{Table: t.Target, Name: b.Name})
	}
	c.run.send(TableDone{Table: t.Target})
	return nil
}

// copyTable copies the rows of one table of a unit, and what a policy did to them.
func (c *stream) copyTable(ctx context.Context, u unit, s *tableState, repair *copy.Repair) (postgres.Copied, error) {
	began := time.Now()
	t := s.plan
	job := t.job()
	job.Query, job.Policy, job.Repair = u.query(t), c.run.plan.Policy, repair
	if u.freezes() {
		if err := c.conn.Exec(ctx, postgres.TruncateTables(c.run.plan.Load, []string{t.Target})); err != nil {
			return postgres.Copied{}, fmt.Errorf("table %q: %w", t.Target, hinted(err))
		}
		job.CopySQL = t.freezeSQL
	}
	opts := c.run.copyOptions()
	if u.small() {
		opts.Buffer = smallBuffer
	}
	opts.Progress = func(rows, bytes int64) { c.run.send(s.progress(c.number, rows, bytes)) }
	reader := c.reader
	if u.locked {
		reader = c.run.locked
	}
	got, err := copy.Table(ctx, source{reader}, c.conn, job, opts)
	if err != nil {
		return postgres.Copied{}, copyError(err)
	}
	done := postgres.Copied{Rows: got.Rows, Bytes: got.Bytes, Sum: got.Sum}
	if got.Touched != nil {
		done.Changed, done.Rejected = got.Touched.Changed, got.Touched.Rejected
		if err := c.touched(ctx, got.Touched); err != nil {
			return done, fmt.Errorf("table %q: record the values that the policy changed: %w", t.Target, err)
		}
	}
	done.Elapsed = time.Since(began)
	return done, nil
}

// touched stores what a policy did, in the open transaction.
func (c *stream) touched(ctx context.Context, touched *copy.Touched) error {
	var err error
	if touched.Changed > 0 {
		_, err = c.conn.CopyFrom(ctx, postgres.CopyValueChanges, touched.Changes(c.run.id))
	}
	if err == nil && touched.Rejected > 0 {
		_, err = c.conn.CopyFrom(ctx, postgres.CopyRejectedRows, touched.Rejects(c.run.id))
	}
	return errors.Join(err, touched.Close())
}

// freezes reports whether the table is emptied and loaded frozen in one transaction.
func (u unit) freezes() bool {
	return u.chunk == nil && len(u.tables) == 1 && u.tables[0].plan.freezeSQL != ""
}

// job is the plan of t in the words of package copy.
func (t *Table) job() copy.Job {
	job := copy.Job{Table: t.Source, Query: t.Query, CopySQL: t.CopySQL, KeyOrdered: t.KeyOrdered}
	for _, c := range t.Columns {
		job.Columns = append(job.Columns, copy.Column{Source: c.Source, Target: c.Target, Rule: c.rule, Key: c.Key})
	}
	return job
}

// smallBuffer is the size of a buffer for small tables, in bytes: most of them
// would leave a larger one empty.
const smallBuffer = 64 << 10

// copyOptions divides the memory among the streams. A quarter of the bound is
// for buffers of rows; the rest is for what the runtime, the drivers and the
// plan itself need.
func (r *run) copyOptions() copy.Options {
	const buffers = 4
	size := r.plan.Memory / 4 / int64(r.plan.Jobs) / buffers
	return copy.Options{Buffer: int(min(max(size, 64<<10), 256<<10)), Buffers: buffers, Unsummed: !r.plan.verifies()}
}

// copyError adds a hint to an error of package copy, unless a row is at fault:
// that error says itself what to do. All of them name the table.
func copyError(err error) error {
	var row *copy.RowError
	if errors.As(err, &row) {
		return err
	}
	return hinted(err)
}
