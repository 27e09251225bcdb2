package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/migrate"
)

func TestTracker(t *testing.T) {
	plan := &migrate.Plan{Tables: []migrate.Table{
		{Target: "big", Copy: true, Bytes: 900},
		{Target: "small", Copy: true, Bytes: 100},
		{Target: "skipped", Bytes: 5000},
	}}
	now := time.Unix(1000, 0)
	tr := newTracker(plan, func() time.Time { return now })
	if _, ok := tr.eta(); ok {
		t.Error("an ETA before anything was copied")
	}
	tr.handle(migrate.TableStarted{Table: "big"})
	tr.handle(migrate.TableStarted{Table: "small"})
	now = now.Add(10 * time.Second)
	tr.handle(migrate.TableProgress{Table: "big", Rows: 10, Bytes: 300})
	tr.handle(migrate.TableProgress{Table: "big", Rows: 15, Bytes: 400})
	if got := tr.fraction(); got != 0.4 {
		t.Errorf("fraction %v, want 0.4", got)
	}
	if left, ok := tr.eta(); !ok || left != 15*time.Second {
		t.Errorf("ETA %v %v, want 15s", left, ok)
	}
	// The estimate was wrong: the table is three times as large, and done.
	tr.handle(migrate.TableCopied{Table: "big", Rows: 100, Bytes: 2700})
	if got := tr.fraction(); got != 0.9 {
		t.Errorf("fraction %v, want 0.9", got)
	}
	tr.handle(migrate.TableCopied{Table: "small", Rows: 1, Bytes: 10})
	if got := tr.fraction(); got != 1 {
		t.Errorf("fraction %v, want 1", got)
	}
	if rows, bytes := tr.rates(); rows != 10.1 || bytes != 271 {
		t.Errorf("%v rows/s and %v bytes/s, want 10.1 and 271", rows, bytes)
	}
	const want = "100%  2/2 tables  101 rows  2.6 KiB  10 rows/s  271 B/s  ETA 0s"
	if got := tr.line(); got != want {
		t.Errorf("line %q\nwant %q", got, want)
	}
}

// TestLines: where no terminal is, progress is plain lines without control characters.
func TestLines(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	p := &lines{w: &out, every: 5 * time.Second, tr: newTracker(&migrate.Plan{Tables: []migrate.Table{
		{Target: "mdl_log", Copy: true, Bytes: 20 << 20},
	}}, func() time.Time { return now })}
	p.handle(migrate.StepStarted{Name: "copy rows"})
	p.handle(migrate.TableStarted{Table: "mdl_log"})
	now = now.Add(6 * time.Second)
	p.handle(migrate.TableProgress{Table: "mdl_log", Rows: 1000, Bytes: 10 << 20})
	now = now.Add(time.Second)
	p.handle(migrate.TableProgress{Table: "mdl_log", Rows: 1100, Bytes: 11 << 20})
	p.handle(migrate.TableCopied{Table: "mdl_log", Rows: 2000, Bytes: 20 << 20, Elapsed: 7 * time.Second})
	p.handle(migrate.Notice{Message: "be careful"})
	p.handle(migrate.StepDone{Name: "copy rows", Elapsed: 7 * time.Second, Detail: "all of them"})
	p.close()
	const want = `copy rows ...
   50%  0/1 tables  1,000 rows  10 MiB  166 rows/s  1.7 MiB/s  ETA 6s
  copied mdl_log: 2,000 rows, 20 MiB in 7s
notice: be careful
copy rows: 7s (all of them)
`
	if got := out.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if strings.ContainsAny(out.String(), "\r\x1b") {
		t.Error("control characters in plain lines")
	}
}
