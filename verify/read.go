package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/fingerprint"
)

// sideName names the sides in messages.
func sideName(side int) string {
	if side == 0 {
		return "the expected side"
	}
	return "the found side"
}

// streams sum up the rows of both sides.
type streams [2]*fingerprint.Stream

// newStreams makes streams of a table's rows.
func newStreams(t *Table) streams { return streams{newStream(t), newStream(t)} }

func newStream(t *Table) *fingerprint.Stream {
	columns := make([]fingerprint.Column, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = fingerprint.Column{Key: c.Key, Canon: c.Canon}
	}
	return fingerprint.NewStream(columns)
}

func (s streams) sums() [2]fingerprint.Sum {
	return [2]fingerprint.Sum{s[0].Sum(), s[1].Sum()}
}

// read streams a part of both sides at once. The error is that of the side
// that failed first, which ends the other one too.
func (c *comparison) read(ctx context.Context, t *Table, p *Part, into streams, tell bool) error {
	g, ctx := errgroup.WithContext(ctx)
	for side, stream := range into {
		g.Go(func() error {
			if err := c.readInto(ctx, t, side, p, stream, tell && side == 0); err != nil {
				return fmt.Errorf("%s: %w", sideName(side), err)
			}
			return nil
		})
	}
	return g.Wait()
}

// readInto streams a part of one side, and tells how far it is when that is wanted.
func (c *comparison) readInto(ctx context.Context, t *Table, side int, p *Part, stream *fingerprint.Stream, tell bool) error {
	m := &meter{stream: stream}
	if tell {
		m.tell = func(rows, bytes int64) { c.tell(RowsRead{t.Name, rows, bytes}) }
	}
	err := c.sides[side].Stream(ctx, t, *p, m)
	if err == nil {
		err = stream.End()
	}
	if err == nil {
		m.flush()
	}
	return err
}

// readWhole reads a part of both sides into streams that begin makes. When a side has
// lost what it read with, both are read once more from the start, into streams
// made anew: nothing of what came before counts.
func (c *comparison) readWhole(ctx context.Context, t *Table, p *Part, begin func() streams, tell bool) (streams, error) {
	into := begin()
	err := c.read(ctx, t, p, into, tell)
	if !isAgain(err) || ctx.Err() != nil {
		return into, err
	}
	into = begin()
	return into, lostTwice(ctx, c.read(ctx, t, p, into, false))
}

// lostTwice says what to do when the second reading has broken off as well.
func lostTwice(ctx context.Context, err error) error {
	if isAgain(err) && ctx.Err() == nil {
		return fmt.Errorf("%w; it was lost for the second time here: compare again when the connection holds", err)
	}
	return err
}

// readAgain is readWhole for rows that were read before.
func (c *comparison) readAgain(ctx context.Context, t *Table, p *Part, begin func() streams, sums [2]fingerprint.Sum) error {
	into, err := c.readWhole(ctx, t, p, begin, false)
	if err != nil {
		return err
	}
	for side, stream := range into {
		if stream.Sum() != sums[side] {
			return &unstableError{side}
		}
	}
	return nil
}

// unstableError says that a side has not the rows that it had a moment ago.
type unstableError struct{ side int }

func (e *unstableError) Error() string {
	return sideName(e.side) + ": the rows changed while they were read; compare again while nobody writes, or with a snapshot"
}

// isUnstable reports whether an error is an [unstableError].
func isUnstable(err error) bool {
	var e *unstableError
	return errors.As(err, &e)
}

// meter tells of what goes into a stream.
type meter struct {
	stream *fingerprint.Stream
	tell   func(rows, bytes int64)
	// rows and bytes were told already, at last.
	rows, bytes int64
	last        time.Time
}

// What lies between two events: the clock is looked at only after so many bytes.
const (
	meterBytes = 1 << 20
	meterPause = 200 * time.Millisecond
)

// Write passes on.
func (m *meter) Write(p []byte) (int, error) {
	n, err := m.stream.Write(p)
	if m.tell != nil && m.stream.Bytes()-m.bytes >= meterBytes {
		if now := time.Now(); now.Sub(m.last) >= meterPause {
			m.last = now
			m.flush()
		}
	}
	return n, err
}

// flush tells what was not told.
func (m *meter) flush() {
	rows, bytes := m.stream.Sum().Rows, m.stream.Bytes()
	if m.tell != nil && bytes > m.bytes {
		m.tell(rows-m.rows, bytes-m.bytes)
	}
	m.rows, m.bytes = rows, bytes
}
