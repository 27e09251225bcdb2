package main

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/report"
)

// tracker adds up events. It may be asked by several goroutines at once.
//
// Work is counted in bytes: those of rows, and what index builds and reading
// back cost in the same unit. A further kind of work gets its own method of
// tableTrack, and its terms in progress and speed.
type tracker struct {
	now func() time.Time

	mu     sync.Mutex
	tables map[string]*tableTrack
	// state has the counts; what can be computed is filled in by progress.
	state   report.Progress
	started time.Time
	// rows and bytes are the speed of copying, builds that of finished index
	// builds, and reads that of reading back, both in work a second.
	rows, bytes, builds, reads rate
	// copiedWork is what was expected of the tables that are copied, and
	// copiedBytes what they turned out to be.
	copiedWork, copiedBytes int64
	// built and buildTime are work and time of the index builds of this attempt
	// that were large enough to tell a speed.
	built     int64
	buildTime time.Duration
}

func newTracker(plan *migrate.Plan, now func() time.Time) *tracker {
	tr := &tracker{now: now, tables: map[string]*tableTrack{}}
	tr.state.Verify = plan.Verify == migrate.VerifyAll
	for i := range plan.Tables {
		t := newTableTrack(&plan.Tables[i], tr.state.Verify)
		tr.tables[t.name] = t
		tr.state.Indexes += t.indexes
		if t.copies {
			tr.state.Tables++
			tr.state.ExpectedRows += t.expectedRows
			tr.state.ExpectedBytes += t.expectedBytes
		}
	}
	return tr
}

func (tr *tracker) handle(e migrate.Event) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	switch e := e.(type) {
	case migrate.RunStarted:
		tr.state.Run, tr.state.Resumed = e.ID, e.Resumed
	case migrate.StepStarted:
		tr.state.Step = e.Name
	case migrate.Retrying:
		tr.state.Retries++
	case migrate.ReaderLost:
		tr.state.ReadersLost++
	default:
		tr.handleTable(e)
	}
}

// handleTable takes in the events that are about one table.
func (tr *tracker) handleTable(e migrate.Event) {
	switch e := e.(type) {
	case migrate.TableResumed:
		tr.resumed(tr.table(e.Table), e)
	case migrate.TableStarted:
		tr.begin()
		tr.table(e.Table).started = true
	case migrate.TableProgress:
		tr.advance(tr.table(e.Table), e.Rows, e.Bytes)
	case migrate.TableCopied:
		tr.copied(tr.table(e.Table), e)
	case migrate.IndexStarted:
		tr.begin()
		tr.table(e.Table).building[e.Name] = tr.now()
	case migrate.IndexBuilt:
		tr.indexBuilt(tr.table(e.Table), e)
	case migrate.TableDone:
		if t := tr.table(e.Table); t.copies && !t.done {
			t.done = true
			tr.state.Done++
		}
	case migrate.VerifyProgress:
		tr.readBack(tr.table(e.Table), e.Bytes)
	case migrate.TableVerified:
		tr.readBack(tr.table(e.Table), e.Bytes)
		tr.markVerified(tr.table(e.Table))
	}
}

// table finds a table; one that the plan does not have counts nothing in the whole.
func (tr *tracker) table(name string) *tableTrack {
	t := tr.tables[name]
	if t == nil {
		t = &tableTrack{name: name, building: map[string]time.Time{}}
		tr.tables[name] = t
	}
	return t
}

// begin starts the clock with the first piece of work.
func (tr *tracker) begin() {
	if !tr.started.IsZero() {
		return
	}
	tr.started = tr.now()
	for _, r := range []*rate{&tr.rows, &tr.bytes, &tr.builds, &tr.reads} {
		r.begin(tr.started)
	}
}

// resumed takes in what earlier attempts have done: it counts for the whole,
// and tells nothing about the speed.
func (tr *tracker) resumed(t *tableTrack, e migrate.TableResumed) {
	tr.state.Rows += e.Rows - t.rows
	tr.state.Bytes += e.Bytes - t.bytes
	t.rows, t.bytes = e.Rows, e.Bytes
	built := min(e.Indexes, t.indexes)
	if e.Done {
		built = t.indexes
	}
	tr.state.Built += built - t.built
	t.built = built
	if (e.Copied || e.Done) && t.copies {
		tr.markCopied(t)
	}
	if e.Done && t.copies && !t.done {
		t.done = true
		tr.state.Done++
	}
	if e.Verified {
		tr.markVerified(t)
	}
}

// readBack sets what was read back of a table. It may begin anew.
func (tr *tracker) readBack(t *tableTrack, bytes int64) {
	tr.begin()
	more := max(bytes-t.read, 0)
	t.read = bytes
	tr.state.ReadBytes += more
	tr.reads.add(tr.now(), float64(migrate.VerifyWork(more)), horizon(tr.elapsed()))
}

func (tr *tracker) markVerified(t *tableTrack) {
	if t.verifies && !t.verified {
		t.verified = true
		tr.state.Verified++
	}
}

// advance sets what is in the target of a table. When that is less than
// before, since a part of it is copied anew, nothing of what was sent is taken back.
func (tr *tracker) advance(t *tableTrack, rows, bytes int64) {
	moreRows, moreBytes := rows-t.rows, bytes-t.bytes
	t.rows, t.bytes = rows, bytes
	tr.state.Rows += moreRows
	tr.state.Bytes += moreBytes
	tr.state.SentRows += max(moreRows, 0)
	tr.state.SentBytes += max(moreBytes, 0)
	now, back := tr.now(), horizon(tr.elapsed())
	tr.rows.add(now, float64(max(moreRows, 0)), back)
	tr.bytes.add(now, float64(max(moreBytes, 0)), back)
}

func (tr *tracker) copied(t *tableTrack, e migrate.TableCopied) {
	tr.begin()
	tr.advance(t, e.Rows, e.Bytes)
	tr.markCopied(t)
}

func (tr *tracker) markCopied(t *tableTrack) {
	if t.copied {
		return
	}
	t.copied = true
	tr.state.Copied++
	tr.copiedWork += migrate.CopyWork(t.expectedBytes)
	tr.copiedBytes += t.bytes
}

func (tr *tracker) indexBuilt(t *tableTrack, e migrate.IndexBuilt) {
	tr.begin()
	delete(t.building, e.Name)
	if t.built >= t.indexes {
		return // a constraint, which was not counted
	}
	t.built++
	tr.state.Built++
	one := t.indexWork()
	tr.builds.addSpread(tr.now(), float64(one), e.Elapsed, horizon(tr.elapsed()))
	if one >= tellingBuild && e.Elapsed > 0 {
		tr.built += one
		tr.buildTime += e.Elapsed
	}
}

const (
	// tellingBuild is the least work of an index build that tells how fast
	// builds are: that of a small one is all overhead.
	tellingBuild = 4 << 20
	// firstBuildSpeed is taken as long as no build has told, in bytes of work a
	// second: measured on 2 cores, with one session a build.
	firstBuildSpeed = 100 << 20
)

// buildSpeed is the work that one session does a second when it builds an index.
func (tr *tracker) buildSpeed() float64 {
	if tr.buildTime <= 0 {
		return firstBuildSpeed
	}
	return float64(tr.built) / tr.buildTime.Seconds()
}

// speed is the work that was done a second of late, of all kinds together. A
// build that is under way counts as one that will soon be done, or, when it
// takes longer than others, as one that is done now.
func (tr *tracker) speed(now time.Time) (float64, bool) {
	back := horizon(tr.elapsed())
	copies, ok := tr.bytes.perSecond(now, back)
	builds, _ := tr.builds.perSecond(now, back)
	reads, _ := tr.reads.perSecond(now, back)
	for _, t := range tr.tables {
		one := float64(t.indexWork())
		for _, since := range t.building {
			if took := now.Sub(since); took > 0 {
				builds += min(tr.buildSpeed(), one/took.Seconds()) * mass(took, back) / mass(tr.elapsed(), back)
			}
		}
	}
	return copies + builds + reads, ok
}

// progress is how far the run is now.
func (tr *tracker) progress() report.Progress {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	now, back := tr.now(), horizon(tr.elapsed())
	p := tr.state
	p.Elapsed = tr.elapsed()
	p.RowRate, _ = tr.rows.perSecond(now, back)
	p.ByteRate, _ = tr.bytes.perSecond(now, back)
	var copyDone, copyTotal, buildDone, buildTotal, readDone, readTotal int64
	for _, t := range tr.tables {
		done, total := t.copyWork()
		copyDone, copyTotal = copyDone+done, copyTotal+total
		done, total = t.buildWork(now, tr.buildSpeed())
		buildDone, buildTotal = buildDone+done, buildTotal+total
		done, total = t.verifyWork()
		readDone, readTotal = readDone+done, readTotal+total
		if t.isWorking() {
			p.Working = append(p.Working, t.working())
		}
	}
	slices.SortFunc(p.Working, func(a, b report.WorkingTable) int {
		return cmp.Or(cmp.Compare(b.ExpectedBytes, a.ExpectedBytes), strings.Compare(a.Table, b.Table))
	})
	p.Fraction = 1
	if total := copyTotal + buildTotal + readTotal; total > 0 {
		p.Fraction = float64(copyDone+buildDone+readDone) / float64(total)
	}
	left := float64(copyTotal-copyDone+readTotal-readDone)*tr.scale() + float64(buildTotal-buildDone)
	p.Left, p.LeftKnown = tr.left(now, left)
	return p
}

// scale is how large tables turn out to be, of what was expected of them; of
// few bytes nothing is concluded.
func (tr *tracker) scale() float64 {
	const prior = 16 << 20
	return float64(tr.copiedBytes+prior) / float64(tr.copiedWork+prior)
}

// settled is the time after which a speed is worth a forecast.
const settled = 2 * time.Second

// left forecasts how long the work that is left takes.
func (tr *tracker) left(now time.Time, work float64) (time.Duration, bool) {
	speed, ok := tr.speed(now)
	switch {
	case tr.started.IsZero():
		return 0, false
	case work <= 0:
		return 0, true
	case !ok || speed < 1 || tr.elapsed() < settled:
		return 0, false
	}
	// A forecast of more than ten years is none.
	const most = 10 * 365 * 24 * time.Hour
	seconds := work / speed
	if seconds > most.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}

func (tr *tracker) elapsed() time.Duration {
	if tr.started.IsZero() {
		return 0
	}
	return tr.now().Sub(tr.started)
}
