package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/verify"
)

// rowsEvent wraps an event of package verify.
func rowsEvent(e verify.Event) proof.Event { return proof.Rows{Event: e} }

// TestVerifyLines: where no terminal is, progress is plain lines without control characters.
func TestVerifyLines(t *testing.T) {
	var out bytes.Buffer
	c := newClock()
	p := &verifyLines{w: &out, stop: func() {}, tr: newVerifyTracker(c.time)}
	p.handle(proof.Step{Name: "read both schemas"})
	p.handle(proof.Notice{Message: "be careful\x1b[2J"})
	p.handle(proof.Planned{Tables: 3, Rows: 40_000, Bytes: 41 << 20})
	p.handle(rowsEvent(verify.TableStarted{Table: "log", Rows: 40_000, Bytes: 40 << 20}))
	p.tick()
	c.sleep(6 * time.Second)
	p.handle(rowsEvent(verify.RowsRead{Table: "log", Rows: 20_000, Bytes: 20 << 20}))
	p.tick()
	c.sleep(6 * time.Second)
	p.handle(rowsEvent(verify.RowsRead{Table: "log", Rows: 20_000, Bytes: 19 << 20}))
	p.handle(rowsEvent(verify.PartCompared{Table: "log", Rows: 40_000, Bytes: 39 << 20, Same: true}))
	p.handle(rowsEvent(verify.TableCompared{Result: verify.TableResult{Name: "log", State: verify.Same, Expected: fingerprint.Sum{Rows: 40_000}, Bytes: 39 << 20}}))
	p.handle(rowsEvent(verify.TableStarted{Table: "user", Bytes: 1 << 20}))
	p.handle(rowsEvent(verify.Searching{Table: "user"}))
	p.handle(rowsEvent(verify.Searching{Table: "user"}))
	p.handle(rowsEvent(verify.Searching{Table: "never started"}))
	p.tick()
	p.handle(rowsEvent(verify.TableCompared{Result: verify.TableResult{Name: "user", State: verify.Different, Missing: 2, Extra: 1, Changed: 3}}))
	p.handle(rowsEvent(verify.TableStarted{Table: "x"}))
	p.handle(rowsEvent(verify.TableCompared{Result: verify.TableResult{Name: "x", State: verify.Unknown}}))
	p.close(nil)
	const want = "read both schemas ...\n" +
		"notice: be careful\ufffd[2J\n" +
		"comparing 3 tables, about 40,000 rows, 41 MiB\n" +
		"   49%  0/3 tables  20,000 rows  20 MiB  3,333 rows/s  3.3 MiB/s  ETA 6s\n" +
		"  same: log, 40,000 rows, 39 MiB\n" +
		"  user differs: its rows are looked for ...\n" +
		"   98%  1/3 tables  40,000 rows  39 MiB  3,333 rows/s  3.2 MiB/s  ETA 0s\n" +
		"  DIFFERENT: user: rows missing 2, extra 1, changed 3\n" +
		"  could not tell: x\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// TestVerifyTracker: wrong estimates spoil neither the share that is done nor its end.
func TestVerifyTracker(t *testing.T) {
	c := newClock()
	tr := newVerifyTracker(c.time)
	if p := tr.progress(); p.Fraction != 0 || p.LeftKnown {
		t.Errorf("before the beginning: %+v", p)
	}
	tr.handle(proof.Planned{Tables: 2, Bytes: 100 << 20})
	tr.handle(rowsEvent(verify.TableStarted{Table: "a", Bytes: 50 << 20}))
	tr.handle(rowsEvent(verify.TableStarted{Table: "b", Bytes: 50 << 20}))
	for range 10 {
		c.sleep(time.Second)
		tr.handle(rowsEvent(verify.RowsRead{Table: "a", Rows: 1, Bytes: 20 << 20}))
	}
	if p := tr.progress(); p.Fraction != 0.5 || p.Bytes != 200<<20 || len(p.Working) != 2 {
		t.Errorf("a table of four times the size: %+v", p)
	}
	tr.handle(rowsEvent(verify.TableCompared{Result: verify.TableResult{Name: "a"}}))
	p := tr.progress()
	if p.Fraction != 0.5 || p.Done != 1 || !p.LeftKnown || p.Left < 8*time.Second || p.Left > 11*time.Second {
		t.Errorf("after it: %+v", p)
	}
	tr.handle(rowsEvent(verify.TableCompared{Result: verify.TableResult{Name: "b"}}))
	if p := tr.progress(); p.Fraction != 1 || p.Done != 2 || !p.LeftKnown || p.Left != 0 {
		t.Errorf("at the end: %+v", p)
	}
	tr.handle(rowsEvent(verify.TableCompared{Result: verify.TableResult{Name: "never started"}}))
	tr.handle(rowsEvent(verify.RowsRead{Table: "never started"}))
}

// TestEveryWayToShowAComparison: a comparison is shown in each way without a
// terminal, and what is shown ends with it.
func TestEveryWayToShowAComparison(t *testing.T) {
	for kind, want := range map[string]string{
		progressAuto: "same: log", progressPlain: "same: log", progressBar: "100%", progressJSON: `"event":"table_compared"`, progressNone: "",
	} {
		t.Run(kind, func(t *testing.T) {
			for _, failure := range []error{nil, errors.New("no such host")} {
				var out bytes.Buffer
				p := newVerifyProgress(kind, &out, newVerifyTracker(time.Now))
				for _, e := range []proof.Event{
					proof.Step{Name: "read both schemas"},
					proof.Notice{Message: "x"},
					proof.Planned{Tables: 2, Rows: 2, Bytes: 30 << 20},
					rowsEvent(verify.TableStarted{Table: "log", Rows: 1, Bytes: 20 << 20}),
					rowsEvent(verify.RowsRead{Table: "log", Rows: 1, Bytes: 40 << 20}),
					rowsEvent(verify.TableCompared{Result: verify.TableResult{Name: "log", State: verify.Same, Bytes: 20 << 20}}),
					rowsEvent(verify.TableStarted{Table: "left open", Rows: 1, Bytes: 10 << 20}),
				} {
					p.handle(e)
				}
				if failure == nil {
					p.handle(rowsEvent(verify.TableCompared{Result: verify.TableResult{Name: "left open", State: verify.Same}}))
				}
				p.close(failure)
				if failure == nil && !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
				if kind == progressNone && out.Len() > 0 {
					t.Errorf("says %q", out.String())
				}
				if kind == progressJSON {
					checkJSONLines(t, out.String())
				}
			}
		})
	}
}

func checkJSONLines(t *testing.T, out string) {
	t.Helper()
	for line := range strings.Lines(out) {
		var document struct{ Schema, Event string }
		if err := json.Unmarshal([]byte(line), &document); err != nil || document.Schema != "moodledb.progress/1" || document.Event == "" {
			t.Errorf("line %q: %v", line, err)
		}
	}
	if !strings.Contains(out, `"event":"ended"`) {
		t.Errorf("does not end:\n%s", out)
	}
}

// TestExitCodesOfVerify: a difference and not knowing are never mixed up.
func TestExitCodesOfVerify(t *testing.T) {
	if err := exitOf(verify.Same); err != nil {
		t.Errorf("same: %v", err)
	}
	for state, want := range map[verify.State]exitError{verify.Different: exitBlocked, verify.Unknown: exitFailed} {
		var got exitError
		if err := exitOf(state); !errors.As(err, &got) || got != want {
			t.Errorf("%s: %v, want %d", state, err, want)
		}
	}
	if err := exitOf(""); err == nil || errors.As(err, new(exitError)) {
		t.Errorf("an unknown outcome: %v", err)
	}
}
