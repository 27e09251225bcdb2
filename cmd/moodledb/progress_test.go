package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/migrate"
)

// TestLines: where no terminal is, progress is plain lines without control characters.
func TestLines(t *testing.T) {
	var out bytes.Buffer
	c := newClock()
	p := &lines{w: &out, stop: func() {}, tr: newTracker(&migrate.Plan{Tables: []migrate.Table{
		{Target: "mdl_log", Copy: true, Rows: 2000, Bytes: 20 << 20, After: builds(2)},
	}}, c.time)}
	p.handle(migrate.RunStarted{ID: 4, Resumed: true})
	p.handle(migrate.TableResumed{Table: "mdl_log", Rows: 100, Bytes: 1 << 20})
	p.handle(migrate.StepStarted{Name: "copy rows"})
	p.handle(migrate.TableStarted{Table: "mdl_log"})
	p.tick()
	c.sleep(6 * time.Second)
	p.handle(migrate.TableProgress{Table: "mdl_log", Rows: 1000, Bytes: 10 << 20})
	p.tick()
	c.sleep(time.Second)
	p.handle(migrate.TableProgress{Table: "mdl_log", Rows: 1100, Bytes: 11 << 20})
	p.tick()
	p.handle(migrate.Retrying{What: `table "mdl_log"`, Err: errors.New("lost\x1b[2J"), Wait: 2 * time.Second})
	p.handle(migrate.TableCopied{Table: "mdl_log", Rows: 2000, Bytes: 20 << 20, Elapsed: 7 * time.Second})
	p.handle(migrate.IndexStarted{Table: "mdl_log", Name: "mdl_log_pk"})
	c.sleep(7 * time.Second)
	p.tick()
	p.handle(migrate.IndexBuilt{Table: "mdl_log", Name: "mdl_log_pk", Elapsed: 7 * time.Second})
	p.handle(migrate.Notice{Message: "be careful"})
	p.handle(migrate.StepDone{Name: "copy rows", Elapsed: 7 * time.Second, Detail: "all of them"})
	p.close(nil)
	const want = `run 4 goes on
  already there: 0 of 1 tables, 100 rows, 1.0 MiB, 0 of 2 indexes (5%)
copy rows ...
   49%  0/1 tables  0/2 indexes  1,000 rows  10 MiB  150 rows/s  1.5 MiB/s  ETA 7s
notice: table "mdl_log" is tried again in 2s: lost�[2J
  copied mdl_log: 2,000 rows, 20 MiB in 7s
   99%  1/1 tables  0/2 indexes  2,000 rows  20 MiB  132 rows/s  1.3 MiB/s  ETA 0s
  built mdl_log_pk of mdl_log in 7s
notice: be careful
copy rows: 7s (all of them)
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if strings.ContainsAny(out.String(), "\r\x1b") {
		t.Error("control characters in plain lines")
	}
}

// TestEveryWay: a whole run is shown in each way without a terminal, and what is shown ends with the run.
func TestEveryWay(t *testing.T) {
	plan := &migrate.Plan{Verify: migrate.VerifyAll, Tables: []migrate.Table{{Target: "mdl_log", Copy: true, Rows: 2000, Bytes: 20 << 20, After: builds(1)}}}
	for kind, want := range map[string]string{
		progressAuto: "copied mdl_log", progressPlain: "copied mdl_log", progressBar: "100%", progressJSON: `"event":"ended"`, progressNone: "",
	} {
		t.Run(kind, func(t *testing.T) {
			for _, failure := range []error{nil, errors.New("no space left")} {
				var out bytes.Buffer
				p := newProgress(kind, &out, newTracker(plan, time.Now))
				for _, e := range []migrate.Event{
					migrate.RunStarted{ID: 1},
					migrate.StepStarted{Name: "copy"},
					migrate.TableStarted{Table: "mdl_log", Bytes: 20 << 20},
					migrate.TableProgress{Table: "mdl_log", Rows: 1, Bytes: 1 << 20},
					migrate.TableStarted{Table: "mdl_log", Bytes: 20 << 20},
					migrate.TableProgress{Table: "mdl_log"},
					migrate.ReaderLost{What: "x", Err: io.EOF},
					migrate.Retrying{What: "x", Err: io.EOF},
				} {
					p.handle(e)
				}
				if failure == nil {
					for _, e := range []migrate.Event{
						migrate.TableCopied{Table: "mdl_log", Rows: 2000, Bytes: 20 << 20},
						migrate.IndexStarted{Table: "mdl_log", Name: "x"},
						migrate.IndexBuilt{Table: "mdl_log", Name: "x"},
						migrate.TableDone{Table: "mdl_log"},
						migrate.VerifyProgress{Table: "mdl_log", Rows: 1000, Bytes: 10 << 20},
						migrate.TableVerified{Table: "mdl_log", Rows: 2000, Bytes: 20 << 20},
						migrate.StepDone{Name: "copy"},
					} {
						p.handle(e)
					}
				}
				p.close(failure)
				if failure == nil && (!strings.Contains(out.String(), want) || want == "" && out.Len() > 0) {
					t.Errorf("shown:\n%s", out.String())
				}
				if failure != nil && strings.Contains(out.String(), "100%") {
					t.Errorf("a run that failed is shown as done:\n%s", out.String())
				}
			}
		})
	}
}
