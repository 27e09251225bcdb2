package migrate

import (
	"slices"
	"sync"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// tableState is the running state of one table.
type tableState struct {
	plan *Table

	mu sync.Mutex
	// state is how far the table is, as far as the ledger is known to have it.
	state postgres.TableState
	// committed is what is in the target, and sum its fingerprint; under way, by
	// stream, what is being sent.
	committed count
	sum       fingerprint.Sum
	underWay  map[int]count
	// chunks are the parts that are not copied yet; divided tells that there are, or were, any.
	chunks  []postgres.ChunkRecord
	divided bool
	// left is the number of chunks that are not committed.
	left int
	// started is set when the first part is being copied.
	started bool
	// pending is the number of building tasks that are not done.
	pending int
	built   map[string]bool
	// read is how far the table is read back.
	read reading
	// landedChunks are the parts that are committed.
	landedChunks []postgres.ChunkRecord
	// again is what is read again of the table, in this attempt.
	again again
	// sourceRows is what the source has counted in the snapshot, once counted is set.
	sourceRows int64
	counted    bool
	result     TableResult
}

// count is an amount of rows, and of their bytes as they are sent.
type count struct{ rows, bytes int64 }

func newTableState(t *Table) *tableState {
	return &tableState{
		plan: t, state: postgres.TableWaiting, underWay: map[int]count{}, built: map[string]bool{},
		result: TableResult{Name: t.Target, Declared: t.Declared, Reason: t.Reason},
	}
}

// progress notes what a stream has sent, and returns the table's total.
func (s *tableState) progress(stream int, rows, bytes int64) TableProgress {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay[stream] = count{rows, bytes}
	return s.total()
}

// total is what is committed or on its way; under mu.
func (s *tableState) total() TableProgress {
	p := TableProgress{Table: s.plan.Target, Rows: s.committed.rows, Bytes: s.committed.bytes}
	for _, c := range s.underWay {
		p.Rows += c.rows
		p.Bytes += c.bytes
	}
	return p
}

// dropped notes that what a stream has sent is not committed.
func (s *tableState) dropped(stream int) TableProgress {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.underWay, stream)
	return s.total()
}

// landed notes that what a stream has sent is committed; last is set when it
// was the last part of the table.
func (s *tableState) landed(stream int, done postgres.Copied, chunk *postgres.ChunkRecord) (last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.underWay, stream)
	s.committed.rows += done.Rows
	s.committed.bytes += done.Bytes
	s.sum.Merge(done.Sum)
	s.result.CopyTime += done.Elapsed
	s.result.Changed += done.Changed
	s.result.Rejected += done.Rejected
	if chunk != nil {
		part := *chunk
		part.Done, part.Rows, part.Sum, part.Changed, part.Rejected = true, done.Rows, done.Sum, done.Changed, done.Rejected
		s.landedChunks = append(s.landedChunks, part)
		s.left--
		if s.left > 0 {
			return false
		}
	}
	s.state = postgres.TableCopied
	s.result.Copied = s.plan.Copy
	s.result.Rows, s.result.Bytes = s.committed.rows, s.committed.bytes
	return true
}

// perRow is the number of bytes of a row as seen so far; 0 when none was.
func (s *tableState) perRow() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.total()
	if p.Rows == 0 {
		return 0
	}
	return float64(p.Bytes) / float64(p.Rows)
}

// restore takes over what the ledger has of the table.
func (s *tableState) restore(t postgres.TableRecord, chunks []postgres.ChunkRecord, builds []postgres.BuildRecord) {
	s.state, s.committed, s.sum = t.State, count{t.Rows, t.Bytes}, t.Sum
	s.chunks, s.landedChunks, s.divided, s.left = nil, nil, len(chunks) > 0, 0
	s.underWay, s.built, s.pending, s.read = map[int]count{}, map[string]bool{}, 0, reading{}
	s.result = TableResult{
		Name: s.plan.Target, Declared: s.plan.Declared, Reason: s.plan.Reason,
		CopyTime: t.CopyTime, NextValue: t.NextValue, Changed: t.Changed, Rejected: t.Rejected,
		Verified: t.State == postgres.TableVerified, VerifyTime: t.VerifyTime,
	}
	for _, c := range chunks {
		if c.Done {
			s.landedChunks = append(s.landedChunks, c)
		}
		switch {
		case !c.Done:
			s.chunks = append(s.chunks, c)
			s.left++
		case s.state == postgres.TableWaiting:
			s.committed.rows += c.Rows
			s.committed.bytes += c.Bytes
			s.sum.Merge(c.Sum)
			s.result.CopyTime += c.CopyTime
			s.result.Changed += c.Changed
			s.result.Rejected += c.Rejected
		}
	}
	for _, b := range builds {
		if slices.Contains(s.plan.Constraints, b.Name) {
			continue // see constrain
		}
		s.built[b.Name] = true
		s.result.IndexTime += b.Elapsed
	}
	for _, x := range s.plan.After {
		if s.built[x.Name] || s.built[indexOf(x)] {
			s.result.Indexes++
		}
	}
	if s.state != postgres.TableWaiting {
		s.result.Copied = s.plan.Copy
		s.result.Rows, s.result.Bytes = s.committed.rows, s.committed.bytes
	}
}

// resumed tells what there is of the table already.
func (s *tableState) resumed() TableResumed {
	return TableResumed{
		Table: s.plan.Target, Rows: s.committed.rows, Bytes: s.committed.bytes, Indexes: s.result.Indexes,
		Copied:   s.plan.Copy && s.state != postgres.TableWaiting,
		Done:     s.state == postgres.TableDone || s.state == postgres.TableVerified,
		Verified: s.state == postgres.TableVerified,
	}
}

// has reports whether a key or index is built.
func (s *tableState) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.built[name]
}

// unbuilt are the keys and indexes that are missing.
func (s *tableState) unbuilt() []Build {
	var out []Build
	for _, b := range s.plan.After {
		if !s.built[b.Name] {
			out = append(out, b)
		}
	}
	return out
}

// unit is what one transaction brings into the target: a part of a table, a
// table, or several small ones.
type unit struct {
	tables []*tableState
	// chunk is the part of the one table; nil for whole tables.
	chunk *postgres.ChunkRecord
	// locked says that the rows are read by the reader that holds the table locked.
	locked bool
}

// tinyTable is the estimated size up to which a table is copied together with
// others, and its keys and indexes built at once, in bytes: round trips and
// commits would cost more than the rows.
const tinyTable = 512 << 10

// The most that one unit of small tables holds: bytes by estimate, and tables,
// since each takes locks for itself, its indexes and its sequence.
const (
	tinyBytes  = 4 << 20
	tinyTables = 48
)

// freezeFrom is the estimated size from which a table is emptied and loaded
// frozen in one transaction, in bytes: below it, emptying costs more than it saves.
const freezeFrom = 1 << 20

// units divides what is left to copy into transactions, large tables first.
func units(states []*tableState, locked bool) []unit {
	var out []unit
	var batch unit
	var size int64
	flush := func() {
		if len(batch.tables) > 0 {
			out = append(out, batch)
		}
		batch, size = unit{}, 0
	}
	for _, s := range states {
		t := s.plan
		switch {
		case s.state != postgres.TableWaiting:
		case t.NoTransactions && locked && t.Copy:
			// First of all, so that their writers wait no longer than they must.
			out = append([]unit{{tables: []*tableState{s}, locked: true}}, out...)
		case s.divided:
			for i := range s.chunks {
				out = append(out, unit{tables: []*tableState{s}, chunk: &s.chunks[i]})
			}
		case t.Copy && t.Bytes > tinyTable:
			out = append(out, unit{tables: []*tableState{s}})
		default:
			if size+t.Bytes > tinyBytes || len(batch.tables) == tinyTables {
				flush()
			}
			batch.tables = append(batch.tables, s)
			size += t.Bytes
		}
	}
	flush()
	return out
}

// small reports whether the unit builds keys and indexes too, in its own transaction.
func (u unit) small() bool {
	return u.chunk == nil && !u.locked && (len(u.tables) > 1 || !u.tables[0].plan.Copy || u.tables[0].plan.Bytes <= tinyTable)
}

// query is the statement that reads the rows of a unit's table.
func (u unit) query(t *Table) string {
	if u.chunk == nil {
		return t.Query
	}
	return t.rangeQuery(mysql.Range{Lower: u.chunk.Lower, Upper: u.chunk.Upper})
}
