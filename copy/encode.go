package copy

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"
)

// Encode writes the rows of a job to w, in the form in which [Table] sends them
// to PostgreSQL: a complete COPY BINARY, also when there is no row. The job needs no
// CopySQL; its Policy is not applied. An error of w is returned as it is, and
// ends the reading; an error that lies in a row is a [*RowError]. What PostgreSQL
// itself would refuse, such as a zero byte in a text, is passed on.
//
// Memory is bounded as that of Table. Result has no Sum: who wants one can let w be a fingerprint.Stream.
func Encode(ctx context.Context, src Source, job Job, w io.Writer, opts Options) (Result, error) {
	opts = opts.withDefaults()
	job.Policy, job.Repair = Policy{}, nil
	if err := job.check(); err != nil {
		return Result{}, fmt.Errorf("table %q: %w", job.Table, err)
	}
	rows, err := src.Query(ctx, job.Query)
	if err != nil {
		return Result{}, fmt.Errorf("table %q: %w", job.Table, err)
	}
	p := newPipe(ctx.Done(), opts)
	var (
		group   errgroup.Group
		encoded *writer
		readErr error
	)
	group.Go(func() error {
		encoded = newWriter(job, p, opts.Progress)
		readErr = encoded.all(rows)
		p.finish(readErr)
		return nil
	})
	writeErr := p.writeTo(w)
	p.stop()
	// It always returns nil: which error counts is decided below.
	_ = group.Wait()
	closeErr := rows.Close()
	switch {
	case ctx.Err() != nil && (readErr != nil || writeErr != nil):
		return Result{}, fmt.Errorf("table %q: %w", job.Table, context.Cause(ctx))
	case readErr != nil && !errors.Is(readErr, errStopped):
		if isRow(readErr) {
			return Result{}, readErr
		}
		return Result{}, fmt.Errorf("table %q: %w", job.Table, readErr)
	case writeErr != nil:
		return Result{}, writeErr
	case closeErr != nil:
		return Result{}, fmt.Errorf("table %q: %w", job.Table, closeErr)
	}
	if opts.Progress != nil {
		opts.Progress(encoded.rows, encoded.bytes)
	}
	return Result{Rows: encoded.rows, Bytes: encoded.bytes}, nil
}

// writeTo hands the buffers to w until the stream ends. Its error is that of w,
// or says that the stream has ended in an error.
func (p *pipe) writeTo(w io.Writer) error {
	for {
		b, err := p.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		n, err := w.Write(b)
		if err == nil && n < len(b) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return err
		}
	}
}
