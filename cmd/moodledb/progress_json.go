package main

import (
	"io"
	"sync"
	"time"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/report"
)

// jsonStream writes lines of JSON: the state once a second, and how the work has ended.
type jsonStream struct {
	// progress says how far the work is, now the time.
	progress func() report.Progress
	now      func() time.Time
	stop     func()

	mu sync.Mutex
	w  io.Writer
}

func newJSONStream(w io.Writer, progress func() report.Progress, now func() time.Time) *jsonStream {
	s := &jsonStream{w: w, progress: progress, now: now}
	s.stop = every(time.Second, s.tick)
	return s
}

// write writes a line. An error of writing is passed over here as it is in lines: whoever has
// closed the other end does not want to know, and the work goes on.
func (s *jsonStream) write(line func(io.Writer) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = line(s.w)
}

// tick writes the state once there is work.
func (s *jsonStream) tick() {
	p := s.progress()
	if p.Elapsed > 0 {
		s.write(func(w io.Writer) error { return report.ProgressLine(w, s.now(), &p) })
	}
}

func (s *jsonStream) close(err error) {
	s.stop()
	s.tick()
	s.write(func(w io.Writer) error { return report.EndedLine(w, s.now(), err) })
}

// jsonLines writes each event of a migration, and what a [jsonStream] writes.
type jsonLines struct {
	*jsonStream
	tr *tracker
}

func newJSONLines(w io.Writer, tr *tracker) *jsonLines {
	return &jsonLines{newJSONStream(w, tr.progress, tr.now), tr}
}

func (l *jsonLines) handle(e migrate.Event) {
	l.tr.handle(e)
	l.write(func(w io.Writer) error { return report.EventLine(w, l.tr.now(), e) })
}
