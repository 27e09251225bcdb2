package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/vbauerster/mpb/v8"

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
		return &verifyBars{barPool: barPool{w: w, progress: tr.progress}, tr: tr, tables: map[string]*mpb.Bar{}, sizes: map[string]int64{}}
	case progressJSON:
		return &verifyJSONLines{newJSONStream(w, tr.progress, tr.now), tr}
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
	pause := linePause(p.Elapsed)
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
	*jsonStream
	tr *verifyTracker
}

func (l verifyJSONLines) handle(e proof.Event) {
	l.tr.handle(e)
	l.write(func(w io.Writer) error { return report.VerifyEventLine(w, l.tr.now(), e) })
}

// verifyBars draws a bar for the whole, and one for each large table that is being compared.
type verifyBars struct {
	barPool
	tr     *verifyTracker
	tables map[string]*mpb.Bar
	sizes  map[string]int64
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
			b.tables[e.Table] = b.bar(e.Table, e.Bytes, "")
		}
	case verify.RowsRead:
		if bar := b.tables[e.Table]; bar != nil {
			bar.SetCurrent(min(bar.Current()+e.Bytes, b.sizes[e.Table]-1))
		}
	case verify.TableCompared:
		drop(b.tables, e.Result.Name)
	}
}

func (b *verifyBars) close(err error) {
	b.end(err, func() { dropAll(b.tables) })
}
