package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/moodledb/moodledb/migrate"
)

// progress shows the events of a run.
type progress interface {
	handle(migrate.Event)
	// close ends the show of a run that ended with err.
	close(err error)
}

// The values of --progress.
const (
	progressAuto  = "auto"
	progressBar   = "bar"
	progressPlain = "plain"
	progressJSON  = "json"
	progressNone  = "none"
)

func checkProgress(kind string) error {
	kinds := []string{progressAuto, progressBar, progressPlain, progressJSON, progressNone}
	if slices.Contains(kinds, kind) {
		return nil
	}
	last := len(kinds) - 1
	return usageError{fmt.Errorf("--progress is %s or %s, not %q", strings.Join(kinds[:last], ", "), kinds[last], kind)}
}

// newProgress shows progress in the way that was asked for. By itself it draws
// bars on a terminal and writes plain lines elsewhere.
func newProgress(kind string, w io.Writer, tr *tracker) progress {
	if kind == progressAuto && isTerminal(w) {
		kind = progressBar
	}
	switch kind {
	case progressBar:
		return newBars(w, tr)
	case progressJSON:
		return newJSONLines(w, tr)
	case progressNone:
		return quiet{tr}
	default:
		return newLines(w, tr)
	}
}

// quiet shows nothing; the tracker still knows.
type quiet struct{ tr *tracker }

func (q quiet) handle(e migrate.Event) { q.tr.handle(e) }
func (q quiet) close(error)            {}

// largeTable is the size from which a table gets a line or a bar of its own, in bytes.
const largeTable = 8 << 20

// every calls f now and then, until the function that it returns is called and
// f does not run any more.
func every(pause time.Duration, f func()) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(pause)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				f()
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
