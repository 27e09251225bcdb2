package main

import (
	"io"
	"sync"
	"time"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/report"
)

// jsonLines writes each event, and the state once a second, as a line of JSON.
type jsonLines struct {
	tr   *tracker
	stop func()

	mu sync.Mutex
	w  io.Writer
}

func newJSONLines(w io.Writer, tr *tracker) *jsonLines {
	l := &jsonLines{w: w, tr: tr}
	l.stop = every(time.Second, l.tick)
	return l
}

// An error of writing is passed over here as it is in lines: whoever has
// closed the other end does not want to know, and the run goes on.
func (l *jsonLines) handle(e migrate.Event) {
	l.tr.handle(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = report.EventLine(l.w, l.tr.now(), e)
}

// tick writes the state once there is work.
func (l *jsonLines) tick() {
	p := l.tr.progress()
	if p.Elapsed == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = report.ProgressLine(l.w, l.tr.now(), &p)
}

func (l *jsonLines) close(err error) {
	l.stop()
	l.tick()
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = report.EndedLine(l.w, l.tr.now(), err)
}
