package copy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/fingerprint"
)

// The defaults of [Options], and the least that one buffer may be.
const (
	defaultBuffer  = 256 << 10
	defaultBuffers = 4
	minBuffer      = 4 << 10
)

// progressEvery is the least time between two calls of Options.Progress.
const progressEvery = 200 * time.Millisecond

// maxColumns is PostgreSQL's limit of columns in a table.
const maxColumns = 1600

// withDefaults fills what the caller left open.
func (o Options) withDefaults() Options {
	if o.Buffer == 0 {
		o.Buffer = defaultBuffer
	}
	o.Buffer = max(o.Buffer, minBuffer)
	if o.Buffers == 0 {
		o.Buffers = defaultBuffers
	}
	// One is being filled while another one is sent.
	o.Buffers = max(o.Buffers, 2)
	return o
}

// Table copies one table. Rows are decoded and encoded in one goroutine and sent
// in another; the first error stops both, nothing of the table is stored then,
// and both connections can be used again unless they themselves failed or ctx
// ended. An error that lies in a row is a [*RowError]. With a [Policy] it can be
// a [*RetryError], which is no failure.
func Table(ctx context.Context, src Source, dst Target, job Job, opts Options) (Result, error) {
	opts = opts.withDefaults()
	if err := job.check(); err != nil {
		return Result{}, fmt.Errorf("table %q: %w", job.Table, err)
	}
	g := newGuard(job)
	result, err := transfer(ctx, src, dst, job, opts, g)
	if err == nil {
		result.Touched, err = g.done()
		if err == nil {
			return result, nil
		}
	}
	refused, ok := refusal(err)
	switch {
	case isRow(err):
	case ok && ctx.Err() == nil:
		err = job.refuse(ctx, src, refused, g)
	default:
		err = fmt.Errorf("table %q: %w", job.Table, said(err))
	}
	if lost := g.discard(); lost != nil {
		return Result{}, errors.Join(err, lost)
	}
	return Result{}, err
}

// check refuses a job that could not give a valid COPY.
func (job Job) check() error {
	if len(job.Columns) == 0 || len(job.Columns) > maxColumns {
		return fmt.Errorf("a copy of %d columns is not possible", len(job.Columns))
	}
	for _, c := range job.Columns {
		if c.Rule.Raw == (c.Rule.Encode != nil) {
			return fmt.Errorf("column %q has no rule for its values", c.Source)
		}
	}
	return job.Policy.check()
}

// transfer runs the two goroutines and says which of two errors was the first.
func transfer(ctx context.Context, src Source, dst Target, job Job, opts Options, g *guard) (Result, error) {
	rows, err := src.Query(ctx, job.Query)
	if err != nil {
		return Result{}, err
	}
	p := newPipe(ctx.Done(), opts)
	if !opts.Unsummed {
		p.sum = fingerprint.NewStream(job.Fingerprint())
	}
	var (
		group              errgroup.Group
		sent               *writer
		stored             int64
		readErr, storedErr error
	)
	group.Go(func() error {
		sent = newWriter(job, p, opts.Progress)
		sent.guard = g
		readErr = sent.all(rows)
		p.finish(readErr)
		return nil
	})
	group.Go(func() error {
		if p.begin() {
			stored, storedErr = dst.CopyFrom(ctx, job.CopySQL, p)
		}
		// The driver may leave a goroutine that still reads; let it end, and the writer too.
		p.stop()
		return nil
	})
	// Both always return nil: which error counts is decided below.
	_ = group.Wait()
	closeErr := rows.Close()

	switch {
	case ctx.Err() != nil && (readErr != nil || storedErr != nil):
		return Result{}, context.Cause(ctx)
	case storedErr != nil && errors.Is(storedErr, errUnsummed):
		return Result{}, fmt.Errorf("sum up the rows: %w", p.sumErr)
	case readErr != nil && !errors.Is(readErr, errStopped):
		return Result{}, readErr
	case storedErr != nil:
		return Result{}, storedErr
	case readErr != nil:
		return Result{}, errors.New("PostgreSQL ended the copy before all rows were sent")
	case closeErr != nil:
		return Result{}, closeErr
	case stored != sent.rows:
		return Result{}, fmt.Errorf("%d rows were sent but PostgreSQL stored %d: look for a trigger or a rule on the table", sent.rows, stored)
	}
	sum, err := p.summed(stored)
	if err != nil {
		return Result{}, err
	}
	if opts.Progress != nil {
		opts.Progress(sent.rows, sent.bytes)
	}
	return Result{Rows: stored, Bytes: sent.bytes, Sum: sum}, nil
}

// summed is the fingerprint of the rows that were stored; zero when nobody wants to know.
func (p *pipe) summed(stored int64) (fingerprint.Sum, error) {
	if p.sum == nil {
		return fingerprint.Sum{}, nil
	}
	sum := p.sum.Sum()
	if err := p.sum.End(); err != nil {
		return sum, fmt.Errorf("sum up the rows: %w: this is a fault in moodledb", err)
	}
	if sum.Rows != stored {
		return sum, fmt.Errorf("%d rows were stored, but %d were summed up: this is a fault in moodledb", stored, sum.Rows)
	}
	return sum, nil
}

// errStopped ends the writer when nobody reads any more.
var errStopped = errors.New("the target has stopped reading")

// errAborted is what the target is told instead of the real error, which may
// hold a value and does not belong into the log of the target's server.
var errAborted = errors.New("the copy was abandoned because of an error on the source's side")

// pipe hands filled buffers from the writer to the target. There are never more
// than a fixed number of them, so that memory is bounded by bytes.
type pipe struct {
	size    int
	free    chan []byte
	full    chan []byte
	stopped chan struct{}
	// done is closed when the whole run ends; nil for never.
	done <-chan struct{}
	// made counts the buffers that exist; they are made when first needed, since most tables are small.
	made, most int
	// err is set before full is closed.
	err error
	// first is the first buffer, when begin has taken it; current is the one being
	// read, rest what is left of it. Only who reads uses them.
	first, current, rest []byte
	// sum sums up what Read hands out; nil when nobody wants to know. sumErr is its error.
	sum    *fingerprint.Stream
	sumErr error
}

func newPipe(done <-chan struct{}, opts Options) *pipe {
	return &pipe{
		done:    done,
		size:    opts.Buffer,
		most:    opts.Buffers,
		free:    make(chan []byte, opts.Buffers),
		full:    make(chan []byte, opts.Buffers),
		stopped: make(chan struct{}),
	}
}

// buffer returns an empty buffer, waiting for one when all are in use.
func (p *pipe) buffer() ([]byte, error) {
	select {
	case <-p.stopped:
		return nil, errStopped
	case b := <-p.free:
		return b[:0], nil
	default:
	}
	if p.made < p.most {
		p.made++
		return make([]byte, 0, p.size), nil
	}
	select {
	case <-p.stopped:
		return nil, errStopped
	case <-p.done:
		return nil, errStopped
	case b := <-p.free:
		return b[:0], nil
	}
}

// begin waits for the first bytes, and reports whether there is anything to
// send: a stream that ended well without a row is not worth a COPY, and most
// tables of a site are empty.
func (p *pipe) begin() bool {
	select {
	case <-p.done:
		return true
	case first, open := <-p.full:
		if !open {
			return true // it failed before anything was sent
		}
		p.current, p.first = first, first
		return len(first) != len(header)+len(trailer)
	}
}

// send hands a buffer over. It never waits: full has room for all buffers.
func (p *pipe) send(b []byte) { p.full <- b }

// finish ends the stream, with the writer's error if there is one.
func (p *pipe) finish(err error) {
	if err != nil {
		p.err = errAborted
	}
	close(p.full)
}

// stop makes the writer and any further Read fail.
func (p *pipe) stop() { close(p.stopped) }

// Read implements [io.Reader] for the target.
func (p *pipe) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		next, err := p.next()
		if err != nil {
			return 0, err
		}
		if p.rest = next; p.sum != nil {
			// Here are exactly the bytes that the target gets, and many rows at once.
			if _, err := p.sum.Write(next); err != nil {
				p.sumErr = err
				return 0, errUnsummed
			}
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// errUnsummed is what the target is told when what is sent cannot be summed up.
var errUnsummed = errors.New("the rows that are sent cannot be summed up")

// next gives the buffer before back, and returns the next one; after the last, how the stream ended.
func (p *pipe) next() ([]byte, error) {
	if b := p.first; b != nil {
		p.first = nil
		return b, nil
	}
	if p.current != nil {
		p.free <- p.current
		p.current = nil
	}
	select {
	case <-p.stopped:
		return nil, errStopped
	case <-p.done:
		return nil, errStopped
	case next, open := <-p.full:
		if !open {
			return nil, p.end()
		}
		p.current = next
		return next, nil
	}
}

// end is what Read returns after the last buffer.
func (p *pipe) end() error {
	if p.err != nil {
		return p.err
	}
	return io.EOF
}
