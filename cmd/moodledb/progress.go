package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/moodledb/moodledb/migrate"
)

// progress shows the events of a run.
type progress interface {
	handle(migrate.Event)
	close()
}

// newProgress draws bars on a terminal and writes plain lines elsewhere.
func newProgress(w io.Writer, plan *migrate.Plan) progress {
	tr := newTracker(plan, time.Now)
	if isTerminal(w) {
		return newBars(w, tr)
	}
	return &lines{w: w, tr: tr, every: 5 * time.Second}
}

// tracker adds up events. Its fraction is by bytes: a table that is done counts
// with the bytes that were expected of it, so that a wrong estimate of one
// table does not spoil the total.
type tracker struct {
	now      func() time.Time
	started  time.Time
	expected map[string]int64
	running  map[string]migrate.TableProgress
	total    int64
	done     int64
	tables   int
	copied   int
	complete int
	rows     int64
	bytes    int64
}

func newTracker(plan *migrate.Plan, now func() time.Time) *tracker {
	tr := &tracker{now: now, expected: map[string]int64{}, running: map[string]migrate.TableProgress{}}
	for i := range plan.Tables {
		t := &plan.Tables[i]
		if !t.Copy {
			continue
		}
		tr.tables++
		weight := max(t.Bytes, 1)
		tr.expected[t.Target] = weight
		tr.total += weight
	}
	return tr
}

func (tr *tracker) handle(e migrate.Event) {
	switch e := e.(type) {
	case migrate.TableStarted:
		if tr.started.IsZero() {
			tr.started = tr.now()
		}
		tr.running[e.Table] = migrate.TableProgress{Table: e.Table}
	case migrate.TableProgress:
		before := tr.running[e.Table]
		tr.rows += e.Rows - before.Rows
		tr.bytes += e.Bytes - before.Bytes
		tr.running[e.Table] = e
	case migrate.TableCopied:
		before := tr.running[e.Table]
		tr.rows += e.Rows - before.Rows
		tr.bytes += e.Bytes - before.Bytes
		delete(tr.running, e.Table)
		tr.copied++
		tr.done += tr.expected[e.Table]
	case migrate.TableDone:
		tr.complete++
	}
}

// fraction is between 0 and 1.
func (tr *tracker) fraction() float64 {
	if tr.total == 0 {
		return 1
	}
	sum := tr.done
	for name, p := range tr.running {
		sum += min(p.Bytes, tr.expected[name])
	}
	return float64(sum) / float64(tr.total)
}

func (tr *tracker) elapsed() time.Duration {
	if tr.started.IsZero() {
		return 0
	}
	return tr.now().Sub(tr.started)
}

// rates are rows and bytes a second since the first table began.
func (tr *tracker) rates() (rows, bytes float64) {
	s := tr.elapsed().Seconds()
	if s < 0.001 {
		return 0, 0
	}
	return float64(tr.rows) / s, float64(tr.bytes) / s
}

// eta guesses the time left, by bytes; ok is false while nothing can be said.
func (tr *tracker) eta() (left time.Duration, ok bool) {
	f := tr.fraction()
	if f < 0.001 || tr.elapsed() < time.Second {
		return 0, false
	}
	return time.Duration(float64(tr.elapsed()) * (1 - f) / f).Round(time.Second), true
}

// line is the state in one line.
func (tr *tracker) line() string {
	rows, bytes := tr.rates()
	eta := "ETA --"
	if left, ok := tr.eta(); ok {
		eta = "ETA " + left.String()
	}
	return fmt.Sprintf("%3.0f%%  %d/%d tables  %s rows  %s  %s rows/s  %s/s  %s",
		100*tr.fraction(), tr.copied, tr.tables, humanize.Comma(tr.rows), humanize.IBytes(uint64(max(tr.bytes, 0))),
		humanize.Comma(int64(rows)), humanize.IBytes(uint64(bytes)), eta)
}

// lines writes plain lines: one a step, one for each large table, and the state now and then.
type lines struct {
	w     io.Writer
	tr    *tracker
	every time.Duration
	last  time.Time
}

// largeTable is the size from which a table gets a line or a bar of its own, in bytes.
const largeTable = 8 << 20

func (l *lines) handle(e migrate.Event) {
	l.tr.handle(e)
	switch e := e.(type) {
	case migrate.StepStarted:
		fmt.Fprintf(l.w, "%s ...\n", e.Name)
	case migrate.StepDone:
		fmt.Fprintln(l.w, stepLine(e))
	case migrate.Notice:
		fmt.Fprintln(l.w, "notice:", e.Message)
	case migrate.TableCopied:
		if e.Bytes >= largeTable {
			fmt.Fprintf(l.w, "  copied %s: %s rows, %s in %s\n", e.Table, humanize.Comma(e.Rows),
				humanize.IBytes(uint64(e.Bytes)), e.Elapsed.Round(time.Millisecond))
		}
	case migrate.TableProgress:
		if l.tr.now().Sub(l.last) >= l.every && l.tr.elapsed() >= l.every {
			l.last = l.tr.now()
			fmt.Fprintln(l.w, " ", l.tr.line())
		}
	}
}

func (l *lines) close() {}

func stepLine(e migrate.StepDone) string {
	s := fmt.Sprintf("%s: %s", e.Name, e.Elapsed.Round(time.Millisecond))
	if e.Detail != "" {
		s += " (" + e.Detail + ")"
	}
	return s
}

// bars draws a bar for the whole and one for each large table being copied.
type bars struct {
	w      io.Writer
	tr     *tracker
	pool   *mpb.Progress
	total  *mpb.Bar
	tables map[string]*mpb.Bar
	state  *barState
}

func newBars(w io.Writer, tr *tracker) *bars {
	return &bars{w: w, tr: tr, tables: map[string]*mpb.Bar{}, state: &barState{}}
}

const barScale = 10000

func (b *bars) start() {
	if b.pool != nil {
		return
	}
	b.pool = mpb.New(mpb.WithOutput(b.w), mpb.WithRefreshRate(200*time.Millisecond), mpb.WithWidth(24))
	b.total = b.pool.New(barScale, mpb.BarStyle(), mpb.BarPriority(1<<20),
		mpb.PrependDecorators(decor.Name("total", decor.WC{W: 32, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return b.state.get() })))
}

func (b *bars) handle(e migrate.Event) {
	b.tr.handle(e)
	switch e := e.(type) {
	case migrate.StepStarted:
		b.say(e.Name + " ...")
	case migrate.StepDone:
		b.say(stepLine(e))
	case migrate.Notice:
		b.say("notice: " + e.Message)
	case migrate.TableStarted:
		b.start()
		if bar := b.tables[e.Table]; bar != nil {
			bar.Abort(true) // the table is started anew
		}
		if e.Bytes >= largeTable {
			b.tables[e.Table] = b.pool.New(e.Bytes, mpb.BarStyle(), mpb.BarRemoveOnComplete(),
				mpb.PrependDecorators(decor.Name(clip(e.Table, 31), decor.WC{W: 32, C: decor.DindentRight})),
				mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f")))
		}
	case migrate.TableProgress:
		if bar := b.tables[e.Table]; bar != nil {
			bar.SetCurrent(min(e.Bytes, b.tr.expected[e.Table]-1))
		}
	case migrate.TableCopied:
		if bar := b.tables[e.Table]; bar != nil {
			bar.Abort(true) // drops it: a total that was given cannot be lowered
			delete(b.tables, e.Table)
		}
	}
	if b.total != nil {
		b.state.set(b.tr.line())
		b.total.SetCurrent(int64(b.tr.fraction() * barScale))
	}
}

// say writes a line above the bars.
func (b *bars) say(line string) {
	if b.pool == nil {
		fmt.Fprintln(b.w, line)
		return
	}
	// The pool is closed between writes only by close.
	_, _ = io.WriteString(b.pool, line+"\n")
}

func (b *bars) close() {
	if b.pool == nil {
		return
	}
	for _, bar := range b.tables {
		bar.Abort(true)
	}
	if !b.total.Completed() {
		b.total.Abort(false)
	}
	b.pool.Wait()
	b.pool = nil
}

// clip shortens s to n characters.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimSpace(string(r[:n-1])) + "…"
}
