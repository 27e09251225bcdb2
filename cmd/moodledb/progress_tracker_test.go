package main

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/moodledb/moodledb/migrate"
)

// clock is a clock that only goes when it is told to.
type clock struct{ now time.Time }

func newClock() *clock                   { return &clock{time.Unix(1000, 0)} }
func (c *clock) time() time.Time         { return c.now }
func (c *clock) sleep(d time.Duration)   { c.now = c.now.Add(d) }
func builds(n int) (out []migrate.Build) { return make([]migrate.Build, n) }

// near compares with a tolerance, as a part of what is wanted.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance*math.Abs(want) {
		t.Errorf("%s is %v, want %v (±%v %%)", what, got, want, 100*tolerance)
	}
}

// copyEvenly copies a table at a speed, in steps of half a second.
func copyEvenly(tr *tracker, c *clock, table string, from, to, perSecond int64) {
	for at := from; at < to; {
		at = min(at+perSecond/2, to)
		c.sleep(500 * time.Millisecond)
		tr.handle(migrate.TableProgress{Table: table, Rows: at / 100, Bytes: at})
	}
}

const mib = 1 << 20

func TestTrackerCounts(t *testing.T) {
	c := newClock()
	tr := newTracker(&migrate.Plan{Tables: []migrate.Table{
		{Target: "big", Copy: true, Rows: 9, Bytes: 900},
		{Target: "small", Copy: true, Bytes: 100},
		{Target: "skipped", Bytes: 5000, Rows: 50, After: builds(1)},
	}}, c.time)
	if p := tr.progress(); p.LeftKnown || p.Fraction != 0 || p.Elapsed != 0 || p.Tables != 2 || p.ExpectedBytes != 1000 || p.Indexes != 1 {
		t.Errorf("before the run: %+v", p)
	}
	tr.handle(migrate.RunStarted{ID: 7})
	tr.handle(migrate.StepStarted{Name: "copy"})
	tr.handle(migrate.TableStarted{Table: "big"})
	tr.handle(migrate.TableStarted{Table: "small"})
	c.sleep(10 * time.Second)
	tr.handle(migrate.TableProgress{Table: "big", Rows: 10, Bytes: 300})
	tr.handle(migrate.TableProgress{Table: "big", Rows: 15, Bytes: 400})
	p := tr.progress()
	if p.Fraction != 0.4 || p.Rows != 15 || p.Run != 7 || p.Step != "copy" || len(p.Working) != 2 || p.Working[0].Table != "big" {
		t.Errorf("under way: %+v", p)
	}
	// The estimate was wrong: the table is three times as large, and done.
	tr.handle(migrate.TableCopied{Table: "big", Rows: 100, Bytes: 2700})
	if p := tr.progress(); p.Fraction != 0.9 || p.Copied != 1 || len(p.Working) != 1 {
		t.Errorf("one table is copied: %+v", p)
	}
	tr.handle(migrate.TableCopied{Table: "small", Rows: 1, Bytes: 10})
	tr.handle(migrate.IndexStarted{Table: "skipped", Name: "x"})
	tr.handle(migrate.IndexBuilt{Table: "skipped", Name: "x"})
	tr.handle(migrate.IndexStarted{Table: "big", Name: "a constraint"})
	tr.handle(migrate.IndexBuilt{Table: "big", Name: "a constraint"})
	for _, name := range []string{"big", "small", "skipped"} {
		tr.handle(migrate.TableDone{Table: name})
		tr.handle(migrate.TableDone{Table: name})
	}
	tr.handle(migrate.Retrying{What: "x"})
	tr.handle(migrate.ReaderLost{What: "x"})
	p = tr.progress()
	if p.Fraction != 1 || p.Copied != 2 || p.Done != 2 || p.Built != 1 || p.Rows != 101 || p.Bytes != 2710 ||
		p.SentRows != 101 || p.Retries != 1 || p.ReadersLost != 1 || len(p.Working) != 0 || !p.LeftKnown || p.Left != 0 {
		t.Errorf("at the end: %+v", p)
	}
}

// Reading back counts as half of the bytes.
func TestTrackerWeighsVerification(t *testing.T) {
	c := newClock()
	tr := newTracker(&migrate.Plan{Verify: migrate.VerifyAll, Tables: []migrate.Table{
		{Target: "t", Copy: true, Rows: 100, Bytes: 400 * mib},
		{Target: "made", Bytes: 900 * mib},
	}}, c.time)
	check := func(what string, fraction float64, verified int, reading bool) {
		t.Helper()
		p := tr.progress()
		if math.Abs(p.Fraction-fraction) > 1e-9 || p.Verified != verified || len(p.Working) > 0 != reading || reading && !p.Working[0].Reading {
			t.Errorf("%s: %+v", what, p)
		}
	}
	tr.handle(migrate.TableStarted{Table: "t"})
	copyEvenly(tr, c, "t", 0, 400*mib, 10*mib)
	tr.handle(migrate.TableCopied{Table: "t", Rows: 100, Bytes: 400 * mib})
	tr.handle(migrate.TableDone{Table: "t"})
	check("copied", 2.0/3, 0, false)
	for i := range int64(20) {
		c.sleep(time.Second)
		tr.handle(migrate.VerifyProgress{Table: "t", Rows: i, Bytes: (i + 1) * 10 * mib})
	}
	check("half is read back", 5.0/6, 0, true)
	// What is left is 200 MiB, at 10 MiB a second.
	if p := tr.progress(); !p.LeftKnown || p.Left < 15*time.Second || p.Left > 25*time.Second {
		t.Errorf("left: %s", p.Left)
	}
	// The connection was lost: it is read from the start.
	tr.handle(migrate.VerifyProgress{Table: "t", Rows: 1, Bytes: 40 * mib})
	check("anew", 2.0/3+1.0/30, 0, true)
	for range 2 {
		tr.handle(migrate.TableVerified{Table: "t", Rows: 100, Bytes: 400 * mib})
	}
	check("verified", 1, 1, false)
	if p := tr.progress(); p.ReadBytes != 560*mib {
		t.Errorf("%d bytes read", p.ReadBytes)
	}
	resumed := newTracker(&migrate.Plan{Verify: migrate.VerifyAll, Tables: []migrate.Table{{Target: "t", Copy: true, Bytes: 400}}}, c.time)
	resumed.handle(migrate.TableResumed{Table: "t", Rows: 100, Bytes: 400, Copied: true, Done: true, Verified: true})
	if p := resumed.progress(); p.Fraction != 1 || p.Verified != 1 {
		t.Errorf("resumed: %+v", p)
	}
}

// An index counts as 100 bytes a row, whatever the size of the rows.
func TestTrackerWeighsIndexes(t *testing.T) {
	tr := newTracker(&migrate.Plan{Tables: []migrate.Table{
		{Target: "t", Copy: true, Rows: 1000, Bytes: 100_000, After: builds(3)},
	}}, newClock().time)
	want := []float64{0.25, 0.5, 0.75, 1}
	tr.handle(migrate.TableCopied{Table: "t", Rows: 1000, Bytes: 100_000})
	for i, f := range want {
		if got := tr.progress().Fraction; got != f {
			t.Errorf("after %d indexes the fraction is %v, want %v", i, got, f)
		}
		tr.handle(migrate.IndexBuilt{Table: "t", Name: fmt.Sprint(i)})
	}
}

// A table whose size nobody knows, and a site without any: no division by nothing.
func TestTrackerOfNothing(t *testing.T) {
	c := newClock()
	tr := newTracker(&migrate.Plan{Tables: []migrate.Table{{Target: "t", Copy: true, After: builds(2)}}}, c.time)
	tr.handle(migrate.TableStarted{Table: "t"})
	c.sleep(time.Minute)
	if p := tr.progress(); p.Fraction != 0 || p.LeftKnown {
		t.Errorf("%+v", p)
	}
	tr.handle(migrate.TableCopied{Table: "t"})
	if p := tr.progress(); p.Fraction != 1 || !p.LeftKnown || p.Left != 0 {
		t.Errorf("%+v", p)
	}
	if p := newTracker(&migrate.Plan{}, c.time).progress(); p.Fraction != 1 {
		t.Errorf("of no tables: %+v", p)
	}
}

// The forecast follows the speed of late, not that since the start.
func TestTrackerForecastFollowsTheSpeed(t *testing.T) {
	c := newClock()
	tr := newTracker(&migrate.Plan{Tables: []migrate.Table{{Target: "t", Copy: true, Bytes: 1000 * mib}}}, c.time)
	tr.handle(migrate.TableStarted{Table: "t"})
	copyEvenly(tr, c, "t", 0, 200*mib, 10*mib)
	p := tr.progress()
	near(t, "ETA at 10 MiB/s", p.Left.Seconds(), 80, 0.02)
	near(t, "speed", p.ByteRate, 10*mib, 0.02)
	near(t, "rows a second", p.RowRate, 10*mib/100, 0.02)
	// Five times as fast since a minute would be 13 s; since the start it would still be more than 20.
	copyEvenly(tr, c, "t", 200*mib, 800*mib, 50*mib)
	near(t, "ETA at 50 MiB/s", tr.progress().Left.Seconds(), 200.0/50, 0.35)
	near(t, "speed", tr.progress().ByteRate, 50*mib, 0.3)
}

// While nothing comes, the forecast grows.
func TestTrackerForecastGrowsWhileNothingComes(t *testing.T) {
	c := newClock()
	tr := newTracker(&migrate.Plan{Tables: []migrate.Table{{Target: "t", Copy: true, Bytes: 100 * mib}}}, c.time)
	tr.handle(migrate.TableStarted{Table: "t"})
	copyEvenly(tr, c, "t", 0, 50*mib, 10*mib)
	before := tr.progress().Left
	c.sleep(30 * time.Second)
	after := tr.progress()
	if after.Left < 5*before {
		t.Errorf("ETA %v after half a minute without a byte, before it was %v", after.Left, before)
	}
	if after.Elapsed != 35*time.Second {
		t.Errorf("elapsed %v", after.Elapsed)
	}
	c.sleep(1000 * time.Hour)
	if p := tr.progress(); p.LeftKnown {
		t.Errorf("ETA %v after weeks without a byte", p.Left)
	}
}

// What was there before counts for the whole, and tells nothing about the speed.
func TestTrackerResumed(t *testing.T) {
	c := newClock()
	tr := newTracker(&migrate.Plan{Tables: []migrate.Table{
		{Target: "done", Copy: true, Rows: 100, Bytes: 600 * mib, After: builds(2)},
		{Target: "half", Copy: true, Rows: 100, Bytes: 200 * mib},
		{Target: "copied", Copy: true, Bytes: 100 * mib},
		{Target: "none", Copy: true, Bytes: 100 * mib},
	}}, c.time)
	tr.handle(migrate.RunStarted{ID: 3, Resumed: true})
	tr.handle(migrate.TableResumed{Table: "done", Rows: 100, Bytes: 600 * mib, Indexes: 2, Copied: true, Done: true})
	tr.handle(migrate.TableResumed{Table: "half", Rows: 50, Bytes: 100 * mib})
	tr.handle(migrate.TableResumed{Table: "copied", Rows: 1, Bytes: 100 * mib, Copied: true})
	p := tr.progress()
	near(t, "fraction", p.Fraction, 0.8, 0.001)
	if !p.Resumed || p.Copied != 2 || p.Done != 1 || p.Built != 2 || p.Rows != 151 || p.SentBytes != 0 || p.LeftKnown || p.ByteRate != 0 {
		t.Errorf("before anything is copied: %+v", p)
	}
	tr.handle(migrate.TableStarted{Table: "half"})
	copyEvenly(tr, c, "half", 100*mib, 200*mib, 10*mib)
	tr.handle(migrate.TableCopied{Table: "half", Rows: 100, Bytes: 200 * mib})
	p = tr.progress()
	near(t, "ETA", p.Left.Seconds(), 10, 0.02)
	if p.SentBytes != 100*mib {
		t.Errorf("%d bytes sent", p.SentBytes)
	}
}

// A part that is copied anew takes nothing off what was sent, and does not make the speed negative.
func TestTrackerStartedAnew(t *testing.T) {
	c := newClock()
	tr := newTracker(&migrate.Plan{Tables: []migrate.Table{{Target: "t", Copy: true, Bytes: 100 * mib}}}, c.time)
	tr.handle(migrate.TableStarted{Table: "t"})
	copyEvenly(tr, c, "t", 0, 60*mib, 10*mib)
	tr.handle(migrate.Retrying{What: `table "t"`})
	tr.handle(migrate.TableStarted{Table: "t"})
	tr.handle(migrate.TableProgress{Table: "t"})
	if p := tr.progress(); p.Fraction != 0 || p.Bytes != 0 || p.SentBytes != 60*mib {
		t.Errorf("right after: %+v", p)
	}
	copyEvenly(tr, c, "t", 0, 50*mib, 10*mib)
	p := tr.progress()
	near(t, "ETA", p.Left.Seconds(), 5, 0.05)
	near(t, "speed", p.ByteRate, 10*mib, 0.05)
	if p.SentBytes != 110*mib || p.Bytes != 50*mib || p.Fraction != 0.5 {
		t.Errorf("after half of the second try: %+v", p)
	}
}

// Tables that turn out smaller than expected make the forecast for the others shorter.
func TestTrackerLearnsTheScale(t *testing.T) {
	c := newClock()
	tr := newTracker(&migrate.Plan{Tables: []migrate.Table{
		{Target: "a", Copy: true, Bytes: 2000 * mib}, {Target: "b", Copy: true, Bytes: 2000 * mib},
	}}, c.time)
	tr.handle(migrate.TableStarted{Table: "a"})
	copyEvenly(tr, c, "a", 0, 1000*mib, 20*mib)
	tr.handle(migrate.TableCopied{Table: "a", Rows: 1, Bytes: 1000 * mib})
	p := tr.progress()
	if p.Fraction != 0.5 {
		t.Errorf("fraction %v", p.Fraction)
	}
	near(t, "ETA", p.Left.Seconds(), 50, 0.05)
}

// While one long index is built no event comes: the whole goes on all the
// same, never back and never to the end, and the forecast holds.
func TestTrackerDuringALongBuild(t *testing.T) {
	c := newClock()
	const rows = 100_000_000 // 10 GB of work each
	tr := newTracker(&migrate.Plan{Tables: []migrate.Table{
		{Target: "t", Copy: true, Rows: rows, Bytes: 100 * mib, After: builds(3)},
	}}, c.time)
	tr.handle(migrate.TableCopied{Table: "t", Rows: rows, Bytes: 100 * mib})
	build := func(name string, took time.Duration) {
		tr.handle(migrate.IndexStarted{Table: "t", Name: name})
		last := tr.progress().Fraction
		for since := time.Duration(0); since < took; since += 5 * time.Second {
			c.sleep(5 * time.Second)
			p := tr.progress()
			if p.Fraction < last || p.Fraction >= 1 {
				t.Fatalf("%s after %v: fraction %v after %v", name, since, p.Fraction, last)
			}
			if !slices.Equal(p.Working[0].Building, []string{name}) || !p.Working[0].Copied {
				t.Fatalf("working: %+v", p.Working)
			}
			last = p.Fraction
		}
		tr.handle(migrate.IndexBuilt{Table: "t", Name: name, Elapsed: took})
	}
	build("first", 200*time.Second)
	near(t, "ETA", tr.progress().Left.Seconds(), 400, 0.25)
	build("second", 200*time.Second)
	near(t, "ETA", tr.progress().Left.Seconds(), 200, 0.15)
	tr.handle(migrate.IndexStarted{Table: "t", Name: "third"})
	c.sleep(100 * time.Second)
	near(t, "ETA in the middle", tr.progress().Left.Seconds(), 100, 0.15)
	near(t, "fraction in the middle", tr.progress().Fraction, 2.5/3, 0.02)
	// It takes much longer than the others did.
	c.sleep(2000 * time.Second)
	near(t, "fraction when it is late", tr.progress().Fraction, (2+0.95)/3, 0.02)
}

// The order of events does not bring the sums out of step.
func TestTrackerRepeatedEvents(t *testing.T) {
	tr := newTracker(&migrate.Plan{Tables: []migrate.Table{
		{Target: "t", Copy: true, Rows: 10, Bytes: 10, After: builds(1)},
	}}, newClock().time)
	for range 2 {
		tr.handle(migrate.TableResumed{Table: "t", Rows: 10, Bytes: 10, Indexes: 5, Copied: true})
		tr.handle(migrate.TableCopied{Table: "t", Rows: 10, Bytes: 10})
		tr.handle(migrate.IndexBuilt{Table: "t", Name: "x"})
		tr.handle(migrate.TableDone{Table: "t"})
		tr.handle(migrate.TableProgress{Table: "unknown", Rows: 1, Bytes: 5})
	}
	p := tr.progress()
	if p.Copied != 1 || p.Done != 1 || p.Built != 1 || p.Fraction != 1 || p.Bytes != 15 {
		t.Errorf("%+v", p)
	}
}

func TestRate(t *testing.T) {
	c := newClock()
	var r rate
	if _, ok := r.perSecond(c.time(), time.Second); ok {
		t.Error("a speed of nothing")
	}
	r.begin(c.time())
	r.add(c.time(), 100, 10*time.Second)
	if _, ok := r.perSecond(c.time(), 10*time.Second); ok {
		t.Error("a speed of no time")
	}
	c.sleep(2 * time.Second)
	speed, ok := r.perSecond(c.time(), 10*time.Second)
	if !ok {
		t.Fatal("no speed after two seconds")
	}
	near(t, "speed of the first seconds", speed, 50, 0.001)
	// Many small steps are the same as few large ones.
	for range 10_000 {
		c.sleep(time.Millisecond)
		r.add(c.time(), 1, 10*time.Second)
	}
	speed, _ = r.perSecond(c.time(), 10*time.Second)
	near(t, "speed", speed, 1000, 0.15)
}
