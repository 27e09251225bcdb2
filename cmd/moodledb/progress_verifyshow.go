package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/verify"
)

// verifyProgress shows the events of a comparison.
type verifyProgress interface {
	handle(proof.Event)
	// close ends the show of a comparison that ended with err.
	close(err error)
}

// newVerifyProgress shows progress in the way that was asked for, as newProgress does.
func newVerifyProgress(kind string, w io.Writer, tr *verifyTracker) verifyProgress {
	if kind == progressAuto && isTerminal(w) {
		kind = progressBar
	}
	switch kind {
	case progressBar:
		return &verifyBars{w: w, tr: tr, tables: map[string]*mpb.Bar{}, sizes: map[string]int64{}}
	case progressJSON:
		l := &verifyJSONLines{w: w, tr: tr}
		l.stop = every(time.Second, l.tick)
		return l
	case progressNone:
		return verifyQuiet{tr}
	default:
		l := &verifyLines{w: w, tr: tr}
		l.stop = every(time.Second, l.tick)
		return l
	}
}

// verifyQuiet shows nothing; the tracker still knows.
type verifyQuiet struct{ tr *verifyTracker }

func (q verifyQuiet) handle(e proof.Event) { q.tr.handle(e) }
func (q verifyQuiet) close(error)          {}

// verifyLine is what is said about an event; empty when nothing is.
func verifyLine(e proof.Event) string {
	switch e := e.(type) {
	case proof.Step:
		return e.Name + " ..."
	case proof.Notice:
		return "notice: " + e.Message
	case proof.Planned:
		return fmt.Sprintf("comparing %s, about %s rows, %s", english.Plural(e.Tables, "table", ""), humanize.Comma(e.Rows), sizeText(e.Bytes))
	case proof.Rows:
		if e, ok := e.Event.(verify.TableCompared); ok {
			return comparedLine(&e.Result)
		}
	}
	return ""
}

// comparedLine tells of a table that is large, or not the same.
func comparedLine(r *verify.TableResult) string {
	switch {
	case r.State == verify.Same && r.Bytes < largeTable:
		return ""
	case r.State == verify.Same:
		return fmt.Sprintf("  same: %s, %s rows, %s", r.Name, humanize.Comma(r.Expected.Rows), sizeText(r.Bytes))
	case r.State == verify.Different:
		return fmt.Sprintf("  DIFFERENT: %s: rows missing %d, extra %d, changed %d", r.Name, r.Missing, r.Extra, r.Changed)
	default:
		return fmt.Sprintf("  could not tell: %s", r.Name)
	}
}

// verifyLines writes plain lines: one for each step and each table that is
// large or not the same, and the state now and then.
type verifyLines struct {
	tr   *verifyTracker
	stop func()

	mu   sync.Mutex
	w    io.Writer
	last time.Time
}

// tick writes the state when it is time for it, as that of lines does.
func (l *verifyLines) tick() {
	p := l.tr.progress()
	pause := min(max(p.Elapsed/20, 5*time.Second), time.Minute)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.tr.now()
	if p.Elapsed < pause || len(p.Working) == 0 || now.Sub(l.last) < pause {
		return
	}
	l.last = now
	fmt.Fprintf(l.w, "  %3.0f%%  %d/%d tables  %s rows  %s  %s rows/s  %s/s  %s\n", percent(p.Fraction), p.Done, p.Tables,
		humanize.Comma(p.Rows), sizeText(p.Bytes), humanize.Comma(int64(p.RowRate)), sizeText(int64(p.ByteRate)), etaText(&p))
}

func (l *verifyLines) handle(e proof.Event) {
	l.tr.handle(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if line := l.tr.line(e); line != "" {
		fmt.Fprintln(l.w, report.Printable(line))
	}
}

func (l *verifyLines) close(error) { l.stop() }

// verifyJSONLines writes each event, and the state once a second, as a line of JSON.
type verifyJSONLines struct {
	tr   *verifyTracker
	stop func()

	mu sync.Mutex
	w  io.Writer
}

// An error of writing is passed over, as in lines: whoever has closed the other
// end does not want to know, and the comparison goes on.
func (l *verifyJSONLines) handle(e proof.Event) {
	l.tr.handle(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = report.VerifyEventLine(l.w, l.tr.now(), e)
}

// tick writes the state once there is work.
func (l *verifyJSONLines) tick() {
	p := l.tr.progress()
	if p.Elapsed == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = report.ProgressLine(l.w, l.tr.now(), &p)
}

func (l *verifyJSONLines) close(err error) {
	l.stop()
	l.tick()
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = report.EndedLine(l.w, l.tr.now(), err)
}

// verifyBars draws a bar for the whole, and one for each large table that is being compared.
type verifyBars struct {
	w    io.Writer
	tr   *verifyTracker
	stop func()

	mu     sync.Mutex
	pool   *mpb.Progress
	total  *mpb.Bar
	tables map[string]*mpb.Bar
	sizes  map[string]int64
	text   string
}

// start draws the bar of the whole, once there is work.
func (b *verifyBars) start() {
	if b.pool != nil {
		return
	}
	options := []mpb.ContainerOption{mpb.WithOutput(b.w), mpb.WithRefreshRate(200 * time.Millisecond), mpb.WithAutoRefresh()}
	if isTerminal(b.w) {
		options = append(options, mpb.WithWidth(20))
	}
	b.pool = mpb.New(options...)
	b.total = b.pool.New(barScale, mpb.BarStyle(), mpb.BarPriority(1<<20), named("total"),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + b.lastText() })))
	b.stop = every(500*time.Millisecond, b.tick)
}

// lastText is asked by the goroutine that draws, which must never wait for one
// that waits for it: so it takes the lock for nothing but the text.
func (b *verifyBars) lastText() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text
}

// tick draws the whole anew.
func (b *verifyBars) tick() {
	p := b.tr.progress()
	text := barText(&p)
	b.mu.Lock()
	b.text = text
	b.mu.Unlock()
	b.total.SetCurrent(min(int64(p.Fraction*barScale), barScale-1))
}

func (b *verifyBars) handle(e proof.Event) {
	b.tr.handle(e)
	if line := b.tr.line(e); line != "" {
		b.say(report.Printable(line))
	}
	rows, ok := e.(proof.Rows)
	if !ok {
		return
	}
	switch e := rows.Event.(type) {
	case verify.TableStarted:
		b.start()
		if e.Bytes >= largeTable {
			b.sizes[e.Table] = e.Bytes
			b.tables[e.Table] = b.pool.New(e.Bytes, mpb.BarStyle(), mpb.BarRemoveOnComplete(), named(e.Table),
				mpb.AppendDecorators(decor.CountersKibiByte(" % .1f / % .1f")))
		}
	case verify.RowsRead:
		if bar := b.tables[e.Table]; bar != nil {
			bar.SetCurrent(min(bar.Current()+e.Bytes, b.sizes[e.Table]-1))
		}
	case verify.TableCompared:
		drop(b.tables, e.Result.Name)
	}
}

// say writes a line above the bars.
func (b *verifyBars) say(line string) {
	if b.pool == nil {
		fmt.Fprintln(b.w, line)
		return
	}
	// The pool is closed between writes only by close.
	_, _ = io.WriteString(b.pool, line+"\n")
}

func (b *verifyBars) close(err error) {
	if b.pool == nil {
		return
	}
	b.stop()
	b.tick()
	for name := range b.tables {
		drop(b.tables, name)
	}
	if err == nil {
		b.total.SetCurrent(barScale)
	} else {
		b.total.Abort(false)
	}
	b.pool.Wait()
	b.pool = nil
}
