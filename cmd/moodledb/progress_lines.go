package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/report"
)

// lines writes plain lines: one a step, one for each large table, and the state now and then.
type lines struct {
	tr   *tracker
	stop func()

	mu   sync.Mutex
	w    io.Writer
	last time.Time
	// resumed is set while the tables that earlier attempts have copied are told.
	resumed bool
}

func newLines(w io.Writer, tr *tracker) *lines {
	l := &lines{w: w, tr: tr}
	l.stop = every(time.Second, l.tick)
	return l
}

// linePause is the time between two lines of the state: five seconds at first, a minute in a long run.
func linePause(elapsed time.Duration) time.Duration {
	return min(max(elapsed/20, 5*time.Second), time.Minute)
}

// tick writes the state when it is time for it.
func (l *lines) tick() {
	p := l.tr.progress()
	pause := linePause(p.Elapsed)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.tr.now()
	if p.Elapsed < pause || len(p.Working) == 0 || now.Sub(l.last) < pause {
		return
	}
	l.last = now
	fmt.Fprintln(l.w, " ", progressLine(&p))
}

func (l *lines) handle(e migrate.Event) {
	l.tr.handle(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tellResumed(e)
	if line := eventLine(e); line != "" {
		fmt.Fprintln(l.w, report.Printable(line))
	}
}

// tellResumed says, once all is known, where the run goes on.
func (l *lines) tellResumed(e migrate.Event) {
	_, more := e.(migrate.TableResumed)
	if l.resumed && !more {
		p := l.tr.progress()
		fmt.Fprintln(l.w, resumedLine(&p))
	}
	l.resumed = more
}

func (l *lines) close(error) { l.stop() }

// eventLine is what is said about an event; empty when nothing is.
func eventLine(e migrate.Event) string {
	switch e := e.(type) {
	case migrate.RunStarted:
		if e.Resumed {
			return fmt.Sprintf("run %d goes on", e.ID)
		}
		return fmt.Sprintf("run %d", e.ID)
	case migrate.StepStarted:
		return e.Name + " ..."
	case migrate.StepDone:
		return stepLine(e)
	case migrate.Notice:
		return "notice: " + e.Message
	case migrate.Retrying:
		return fmt.Sprintf("notice: %s is tried again in %s: %v", e.What, e.Wait.Round(time.Millisecond), e.Err)
	case migrate.TableCopied:
		if e.Bytes >= largeTable {
			return fmt.Sprintf("  copied %s: %s rows, %s in %s", e.Table, humanize.Comma(e.Rows),
				humanize.IBytes(uint64(e.Bytes)), e.Elapsed.Round(time.Millisecond))
		}
	case migrate.TableVerified:
		if e.Bytes >= largeTable {
			return fmt.Sprintf("  verified %s: %s rows, %s in %s", e.Table, humanize.Comma(e.Rows),
				humanize.IBytes(uint64(e.Bytes)), e.Elapsed.Round(time.Millisecond))
		}
	case migrate.IndexBuilt:
		if e.Elapsed >= largeBuild {
			return fmt.Sprintf("  built %s of %s in %s", e.Name, e.Table, e.Elapsed.Round(time.Millisecond))
		}
	}
	return ""
}

// largeBuild is the time from which an index build gets a line of its own.
const largeBuild = 5 * time.Second

func stepLine(e migrate.StepDone) string {
	s := fmt.Sprintf("%s: %s", e.Name, e.Elapsed.Round(time.Millisecond))
	if e.Detail != "" {
		s += " (" + e.Detail + ")"
	}
	return s
}

func resumedLine(p *report.Progress) string {
	return fmt.Sprintf("  already there: %d of %d tables, %s rows, %s, %d of %d indexes (%.0f%%)", p.Copied, p.Tables,
		humanize.Comma(p.Rows), sizeText(p.Bytes), p.Built, p.Indexes, percent(p.Fraction))
}

// progressLine is the state in one line.
func progressLine(p *report.Progress) string {
	return fmt.Sprintf("%3.0f%%  %d/%d tables  %d/%d indexes%s  %s rows  %s  %s rows/s  %s/s  %s",
		percent(p.Fraction), p.Copied, p.Tables, p.Built, p.Indexes, verifiedText(p), humanize.Comma(p.Rows), sizeText(p.Bytes),
		humanize.Comma(int64(p.RowRate)), sizeText(int64(p.ByteRate)), etaText(p))
}

// verifiedText is how many tables are read back; empty when none is to be.
func verifiedText(p *report.Progress) string {
	if !p.Verify {
		return ""
	}
	return fmt.Sprintf("  %d/%d verified", p.Verified, p.Tables)
}

func etaText(p *report.Progress) string {
	if !p.LeftKnown {
		return "ETA --"
	}
	return "ETA " + leftText(p.Left)
}

// leftText writes a forecast no more exactly than it is.
func leftText(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return d.Round(time.Second).String()
	}
}

// percent does not say 100 before the end.
func percent(fraction float64) float64 {
	if fraction < 1 {
		return min(100*fraction, 99)
	}
	return 100
}

func sizeText(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }
