package main

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/verify"
)

// verifyTracker adds up the events of a comparison. It may be asked by several
// goroutines at once.
type verifyTracker struct {
	now func() time.Time

	mu      sync.Mutex
	tables  map[string]*verifyTrack
	state   report.Progress
	started time.Time
	// rows and bytes are the speed of reading.
	rows, bytes rate
	// done and doneBytes are what was expected of the tables that are compared,
	// and what they turned out to be, in bytes.
	done, doneBytes int64
}

// verifyTrack is a table that is being compared.
type verifyTrack struct {
	name                        string
	expectedRows, expectedBytes int64
	rows, bytes                 int64
	// searched is set once it was said that rows that differ are looked for.
	searched bool
}

func newVerifyTracker(now func() time.Time) *verifyTracker {
	return &verifyTracker{now: now, tables: map[string]*verifyTrack{}}
}

func (tr *verifyTracker) handle(e proof.Event) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	switch e := e.(type) {
	case proof.Step:
		tr.state.Step = e.Name
	case proof.Planned:
		tr.state.Tables, tr.state.ExpectedRows, tr.state.ExpectedBytes = e.Tables, e.Rows, e.Bytes
	case proof.Rows:
		tr.begin()
		tr.handleRows(e.Event)
	}
}

// begin starts the clock with the first row.
func (tr *verifyTracker) begin() {
	if tr.started.IsZero() {
		tr.started = tr.now()
		tr.rows.begin(tr.started)
		tr.bytes.begin(tr.started)
	}
}

func (tr *verifyTracker) handleRows(e verify.Event) {
	switch e := e.(type) {
	case verify.TableStarted:
		tr.tables[e.Table] = &verifyTrack{name: e.Table, expectedRows: e.Rows, expectedBytes: e.Bytes}
	case verify.RowsRead:
		if t := tr.tables[e.Table]; t != nil {
			t.rows, t.bytes = t.rows+e.Rows, t.bytes+e.Bytes
		}
		tr.read(e.Rows, e.Bytes)
	case verify.TableCompared:
		t := tr.tables[e.Result.Name]
		if t == nil {
			return
		}
		delete(tr.tables, e.Result.Name)
		tr.state.Copied++
		tr.state.Done++
		tr.done += t.expectedBytes
		tr.doneBytes += t.bytes
	}
}

// line is what is said about an event; empty when nothing is. That rows are
// looked for is said once of a table, which may differ in a thousand parts.
func (tr *verifyTracker) line(e proof.Event) string {
	rows, _ := e.(proof.Rows)
	search, ok := rows.Event.(verify.Searching)
	if !ok {
		return verifyLine(e)
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	t := tr.tables[search.Table]
	if t == nil || t.searched {
		return ""
	}
	t.searched = true
	return "  " + search.Table + " differs: its rows are looked for ..."
}

// read counts what was read.
func (tr *verifyTracker) read(rows, bytes int64) {
	tr.state.Rows, tr.state.Bytes = tr.state.Rows+rows, tr.state.Bytes+bytes
	tr.state.SentRows, tr.state.SentBytes = tr.state.Rows, tr.state.Bytes
	now, back := tr.now(), horizon(tr.elapsed())
	tr.rows.add(now, float64(rows), back)
	tr.bytes.add(now, float64(bytes), back)
}

func (tr *verifyTracker) elapsed() time.Duration {
	if tr.started.IsZero() {
		return 0
	}
	return tr.now().Sub(tr.started)
}

// progress is how far the comparison is now. A table that is compared counts
// with what was expected of it, so that a wrong estimate of one table does not spoil the whole.
func (tr *verifyTracker) progress() report.Progress {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	now, back := tr.now(), horizon(tr.elapsed())
	p := tr.state
	p.Elapsed = tr.elapsed()
	p.RowRate, _ = tr.rows.perSecond(now, back)
	speed, known := tr.bytes.perSecond(now, back)
	p.ByteRate = speed
	done := tr.done
	for _, t := range tr.tables {
		done += min(t.bytes, t.expectedBytes)
		p.Working = append(p.Working, report.WorkingTable{
			Table: t.name, Rows: t.rows, Bytes: t.bytes, ExpectedRows: t.expectedRows, ExpectedBytes: t.expectedBytes,
		})
	}
	slices.SortFunc(p.Working, func(a, b report.WorkingTable) int {
		return cmp.Or(cmp.Compare(b.ExpectedBytes, a.ExpectedBytes), strings.Compare(a.Table, b.Table))
	})
	switch {
	case p.ExpectedBytes > 0:
		p.Fraction = min(float64(done)/float64(p.ExpectedBytes), 1)
	case p.Tables > 0:
		p.Fraction = float64(p.Done) / float64(p.Tables)
	}
	left := float64(max(p.ExpectedBytes-done, 0)) * tr.scale()
	switch {
	case tr.started.IsZero():
	case p.Tables > 0 && p.Done >= p.Tables:
		p.LeftKnown = true
	case known && speed >= 1 && p.Elapsed >= settled && left < speed*longest.Seconds():
		p.Left, p.LeftKnown = time.Duration(left/speed*float64(time.Second)), true
	}
	return p
}

// longest is the longest forecast that is one.
const longest = 10 * 365 * 24 * time.Hour

// scale is how large tables turn out to be, of what was expected of them; of
// few bytes nothing is concluded. Servers count pages, and comparisons the bytes in them.
func (tr *verifyTracker) scale() float64 {
	const prior = 16 << 20
	return float64(tr.doneBytes+prior) / float64(tr.done+prior)
}
