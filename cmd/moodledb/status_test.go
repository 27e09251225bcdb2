package main

import (
	"testing"

	"github.com/moodledb/moodledb/migrate"
)

func TestRedraw(t *testing.T) {
	for _, tc := range []struct {
		name, text            string
		before, columns, rows int
		want                  string
		drawn                 int
	}{
		{"the first time", "a\nb\n", 0, 80, 24, "\r\x1b[Ja\nb\n", 2},
		{"over what was there", "a\n", 3, 80, 24, "\x1b[3A\r\x1b[Ja\n", 1},
		{"lines that are too long", "abcdef\nö\n", 0, 4, 24, "\r\x1b[Jabc…\nö\n", 2},
		{"too many lines", "a\nb\nc\nd\n", 0, 80, 3, "\r\x1b[Ja\nb\n", 2},
		{"a size that is not known", "a\nb\n", 0, 0, 0, "\r\x1b[Ja\nb\n", 2},
		{"no line break at the end", "a", 0, 80, 24, "\r\x1b[Ja\n", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, drawn := redraw(tc.text, tc.before, tc.columns, tc.rows)
			if got != tc.want || drawn != tc.drawn {
				t.Errorf("%q, %d lines, want %q, %d", got, drawn, tc.want, tc.drawn)
			}
		})
	}
}

func TestWhichRunIsToldInFull(t *testing.T) {
	run := func(id int64, state migrate.RunState) migrate.RunStatus {
		return migrate.RunStatus{ID: id, State: state}
	}
	for _, tc := range []struct {
		name            string
		runs            []migrate.RunStatus
		id              int64
		detail, watched int64
	}{
		{"the only one", []migrate.RunStatus{run(3, migrate.RunDone)}, 0, 3, 3},
		{"the unfinished one", []migrate.RunStatus{run(3, migrate.RunDone), run(2, migrate.RunStopped), run(1, migrate.RunDone)}, 0, 2, 2},
		{"two unfinished ones", []migrate.RunStatus{run(3, migrate.RunInterrupted), run(2, migrate.RunRunning)}, 0, 0, 3},
		{"all are done", []migrate.RunStatus{run(3, migrate.RunDone), run(2, migrate.RunDone)}, 0, 0, 3},
		{"the one that is named", []migrate.RunStatus{run(3, migrate.RunRunning), run(2, migrate.RunDone)}, 2, 2, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := detail(tc.runs, tc.id); got != tc.detail {
				t.Errorf("run %d is told of in full, want %d", got, tc.detail)
			}
			if got := watched(tc.runs); got != tc.watched {
				t.Errorf("run %d is watched, want %d", got, tc.watched)
			}
		})
	}
	if got := detail(nil, 0); got != 0 {
		t.Errorf("of no runs, %d is told of", got)
	}
}
