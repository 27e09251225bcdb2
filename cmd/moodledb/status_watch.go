package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/report"
)

const (
	// watchPause is the time between two looks.
	watchPause = 2 * time.Second
	// watchPatience is how long a run that seems interrupted is given to come
	// back, and the server to answer again: both happen when PostgreSQL restarts.
	watchPatience = 30 * time.Second
)

// watch looks at a run again and again.
type watch struct {
	t    *terminal
	db   *postgres.DB
	opts report.StatusOptions
	// run is its number; 0 before it is known.
	run int64
	// seen is when the run was last seen running, answered when the server last answered.
	seen, answered time.Time
	// drawn is the number of lines on the terminal that are drawn anew; last is the line that was written last elsewhere.
	drawn int
	last  string
}

// all looks until the run has ended.
func (w *watch) all(ctx context.Context) error {
	for {
		state, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && (w.answered.IsZero() || time.Since(w.answered) > watchPatience):
			return err
		case err != nil:
			fmt.Fprintln(w.t.stderr, "notice: the target does not answer, and is asked again:", err)
			w.drawn = 0
		case state == migrate.RunDone:
			return nil
		case state == migrate.RunRunning:
		case state == migrate.RunInterrupted && time.Since(w.seen) < watchPatience:
			// It may be coming back.
		default:
			return exitError(exitBlocked)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(watchPause):
		}
	}
}

// look shows how far the run is, and returns its state.
func (w *watch) look(ctx context.Context) (migrate.RunState, error) {
	runs, err := migrate.Status(ctx, w.db)
	if err != nil {
		return "", err
	}
	first := w.answered.IsZero()
	w.answered = time.Now()
	if first && len(runs) == 0 {
		return migrate.RunDone, report.Status(w.t.stdout, runs, w.opts)
	}
	if w.run == 0 {
		w.run = watched(runs)
	}
	i := slices.IndexFunc(runs, func(r migrate.RunStatus) bool { return r.ID == w.run })
	switch {
	case i < 0 && first:
		_, err := selectRuns(runs, w.run)
		return "", err
	case i < 0:
		fmt.Fprintf(w.t.stderr, "run %d is not in the ledger any more: it was aborted\n", w.run)
		return migrate.RunStopped, nil
	}
	r := &runs[i]
	if r.State == migrate.RunRunning {
		w.seen = w.answered
	}
	return r.State, w.show(r)
}

// watched is the run to watch by itself: the last one that is unfinished, else the last one.
func watched(runs []migrate.RunStatus) int64 {
	for i := range runs {
		if runs[i].Unfinished() {
			return runs[i].ID
		}
	}
	return runs[0].ID
}

func (w *watch) show(r *migrate.RunStatus) error {
	opts := w.opts
	opts.Detail = r.ID
	switch {
	case opts.Format == report.JSON:
		return report.Status(w.t.stdout, []migrate.RunStatus{*r}, opts)
	case !isTerminal(w.t.stdout):
		return w.line(r)
	}
	columns, rows := w.size()
	opts.Tables = max(3, rows/3)
	var b bytes.Buffer
	if err := report.Status(&b, []migrate.RunStatus{*r}, opts); err != nil {
		return err
	}
	return w.draw(b.String(), columns, rows)
}

// line writes the state when it is another one than the last time.
func (w *watch) line(r *migrate.RunStatus) error {
	var b bytes.Buffer
	if err := report.StatusLine(&b, r); err != nil {
		return err
	}
	if b.String() == w.last {
		return nil
	}
	w.last = b.String()
	_, err := io.WriteString(w.t.stdout, w.last)
	return err
}

// draw puts text in the place of what was drawn before.
func (w *watch) draw(text string, columns, rows int) error {
	out, drawn := redraw(text, w.drawn, columns, rows)
	w.drawn = drawn
	_, err := io.WriteString(w.t.stdout, out)
	return err
}

// redraw is what makes a terminal show text where it showed so many lines
// before, and the number of lines of that. What does not fit is cut off: lines
// that wrap, or scroll away, could not be drawn over.
func redraw(text string, before, columns, rows int) (out string, drawn int) {
	const up, wipe = "\x1b[%dA", "\x1b[J"
	var b strings.Builder
	if before > 0 {
		fmt.Fprintf(&b, up, before)
	}
	b.WriteString("\r" + wipe)
	for line := range strings.Lines(text) {
		if rows > 1 && drawn == rows-1 {
			break
		}
		line = strings.TrimSuffix(line, "\n")
		if columns > 0 {
			line = clip(line, columns)
		}
		b.WriteString(line + "\n")
		drawn++
	}
	return b.String(), drawn
}

// size is that of the terminal; 0 when it is not known.
func (w *watch) size() (columns, rows int) {
	f, ok := w.t.stdout.(*os.File)
	if !ok {
		return 0, 0
	}
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, rows
}
