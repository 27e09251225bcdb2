package migrate

import (
	"time"

	"github.com/moodledb/moodledb/postgres"
)

// work is what copying, building and reading back cost, in bytes of rows: see [BuildWork].
type work struct{ copy, build, verify int64 }

func (w work) plus(x work) work {
	return work{w.copy + x.copy, w.build + x.build, w.verify + x.verify}
}

func (w work) minus(x work) work {
	return work{w.copy - x.copy, w.build - x.build, w.verify - x.verify}
}

func (w work) all() int64 { return w.copy + w.build + w.verify }

// tally has the parts of a run by table.
type tally struct {
	chunks   map[string][]postgres.ChunkRecord
	builds   map[string][]postgres.BuildRecord
	sessions map[string][]postgres.Activity
	// copies and built are how fast one session has copied and built, workers
	// the number of sessions at work now, without those that wait for a lock.
	copies, built speed
	workers       int
	// verifies says that tables are read back; reads is how fast one session has done that.
	verifies bool
	reads    speed
	// others are sessions at work on what the server does not name.
	others []postgres.Activity
}

// speed is work and the time that it took, of all sessions together.
type speed struct {
	work int64
	took time.Duration
}

func (s *speed) add(work int64, took time.Duration) {
	if took > 0 {
		s.work += work
		s.took += took
	}
}

// perSecond is the speed of one session; 0 when nothing is known.
func (s speed) perSecond() float64 {
	if s.took <= 0 {
		return 0
	}
	return float64(s.work) / s.took.Seconds()
}

const (
	// tellingBuild is the least work of an index build that tells a speed; that of a small one is all overhead.
	tellingBuild = 4 << 20
	// firstBuildSpeed is taken while no build has told, in bytes of work a second:
	// measured on 2 cores, with one session a build.
	firstBuildSpeed = 100 << 20
)

func newTally(have postgres.RunContents) *tally {
	s := &tally{
		chunks: map[string][]postgres.ChunkRecord{}, builds: map[string][]postgres.BuildRecord{},
		sessions: map[string][]postgres.Activity{},
	}
	rows, waiting := map[string]int64{}, map[string]bool{}
	for i := range have.Tables {
		t := &have.Tables[i]
		rows[t.Table], waiting[t.Table] = t.EstimatedRows, t.State == postgres.TableWaiting
		if !waiting[t.Table] {
			s.copies.add(t.Bytes, t.CopyTime)
		}
		s.reads.add(VerifyWork(t.Bytes), t.VerifyTime)
	}
	for _, c := range have.Chunks {
		s.chunks[c.Table] = append(s.chunks[c.Table], c)
		if c.Done && waiting[c.Table] {
			s.copies.add(c.Bytes, c.CopyTime)
		}
	}
	for _, b := range have.Builds {
		s.builds[b.Table] = append(s.builds[b.Table], b)
		if one := BuildWork(rows[b.Table]); one >= tellingBuild {
			s.built.add(one, b.Elapsed)
		}
	}
	return s
}

// see takes in what sessions are doing in the schema that is loaded.
func (s *tally) see(schemaName string, sessions []postgres.Activity) {
	for _, a := range sessions {
		if a.Kind == postgres.ActivityOther {
			s.others = append(s.others, a)
		}
		if a.Schema != schemaName {
			continue
		}
		if len(a.BlockedBy) == 0 {
			s.workers++
		}
		s.sessions[a.Table] = append(s.sessions[a.Table], a)
		switch a.Kind {
		case postgres.ActivityCopy:
			s.copies.add(a.Bytes, a.Since)
		case postgres.ActivityRead:
			s.reads.add(VerifyWork(a.Bytes), a.Since)
		case postgres.ActivityIndex, postgres.ActivityOther:
		}
	}
}

// table is how far a table is.
func (s *tally) table(t *postgres.TableRecord) TableStatus {
	ts := TableStatus{
		Table: t.Table, Copied: t.Copies && t.State != postgres.TableWaiting, Rows: t.Rows, Bytes: t.Bytes,
		Indexes: t.Indexes, Built: min(len(s.builds[t.Table]), t.Indexes), Chunks: len(s.chunks[t.Table]),
		Changed: t.Changed, Rejected: t.Rejected, Sessions: s.sessions[t.Table],
		Verified: t.State == postgres.TableVerified,
	}
	ts.Done = ts.Verified || t.State == postgres.TableDone
	if t.Copies {
		ts.ExpectedRows, ts.ExpectedBytes = t.EstimatedRows, t.EstimatedBytes
	}
	if ts.Done {
		ts.Built = t.Indexes // those of small tables are not recorded one by one
	}
	for _, c := range s.chunks[t.Table] {
		if !c.Done {
			continue
		}
		ts.ChunksDone++
		if t.State == postgres.TableWaiting { // else they are summed up in the table
			ts.Rows += c.Rows
			ts.Bytes += c.Bytes
			ts.Changed += c.Changed
			ts.Rejected += c.Rejected
		}
	}
	if t.State == postgres.TableWaiting {
		for _, a := range ts.Sessions {
			if a.Kind == postgres.ActivityCopy {
				ts.Rows += a.Rows
				ts.Bytes += a.Bytes
			}
		}
	}
	return ts
}

// work is what is done of a table, and all of it. A table that is copied counts
// with what was expected of it, as it does while the run shows its progress.
func (s *tally) work(t *postgres.TableRecord, ts *TableStatus) (done, all work) {
	if !t.Copies {
		return work{}, work{}
	}
	if s.verifies {
		all.verify = VerifyWork(t.EstimatedBytes)
	}
	if ts.Verified {
		done.verify = all.verify
	}
	one := BuildWork(t.EstimatedRows)
	all.copy, all.build = CopyWork(t.EstimatedBytes), int64(t.Indexes)*one
	done.copy, done.build = min(ts.Bytes, all.copy), int64(ts.Built)*one
	if ts.Copied {
		done.copy = all.copy
	}
	for _, a := range ts.Sessions {
		done.build += int64(float64(one) * buildFraction(&a))
		if a.Kind == postgres.ActivityRead {
			done.verify += VerifyWork(a.Bytes)
		}
	}
	done.build, done.verify = min(done.build, all.build), min(done.verify, all.verify)
	return done, all
}

// buildFraction is how far an index build is: about half of it is reading the
// table, as PostgreSQL counts in blocks; the rest is sorting, of which it says
// nothing, and writing, which it counts in rows.
func buildFraction(a *postgres.Activity) float64 {
	if a.Kind != postgres.ActivityIndex || a.Total <= 0 {
		return 0
	}
	part := min(float64(a.Done)/float64(a.Total), 1)
	switch a.Phase {
	case "building index: scanning table":
		return 0.5 * part
	case "building index: loading tuples in tree":
		return 0.6 + 0.4*part
	default:
		return 0.5
	}
}

// left forecasts how long the rest takes; of hidden sessions nobody knows whether they work.
func (s *tally) left(rest work, hidden int) (time.Duration, bool) {
	copies, builds, reads := s.copies.perSecond(), s.built.perSecond(), s.reads.perSecond()
	if builds == 0 {
		builds = firstBuildSpeed
	}
	if reads == 0 {
		reads = copies // as it is weighed
	}
	switch {
	case rest.all() <= 0:
		return 0, true
	case s.workers == 0 || hidden > 0, rest.copy > 0 && copies < 1, rest.verify > 0 && reads < 1:
		return 0, false
	}
	var seconds float64
	if rest.copy > 0 {
		seconds = float64(rest.copy) / copies
	}
	if rest.verify > 0 {
		seconds += float64(rest.verify) / reads
	}
	seconds = (seconds + float64(rest.build)/builds) / float64(s.workers)
	// A forecast of more than ten years is none.
	const most = 10 * 365 * 24 * time.Hour
	if seconds > most.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}
