package migrate

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// chunk is a part from one bound to another; empty is an open end.
func chunk(lower, upper string) postgres.ChunkRecord {
	c := postgres.ChunkRecord{Table: "mdl_t"}
	if lower != "" {
		c.Lower = strings.Split(lower, " ")
	}
	if upper != "" {
		c.Upper = strings.Split(upper, " ")
	}
	return c
}

func TestCovered(t *testing.T) {
	bigint := schema.Type{Name: "bigint", Raw: "bigint(20)"}
	keyed := schema.Table{
		Name: "mdl_t", StorageEngine: "InnoDB",
		Columns: []schema.Column{{Name: "a", Type: bigint, NotNull: true}, {Name: "b", Type: bigint, NotNull: true}},
		Indexes: []schema.Index{{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: []schema.IndexPart{{Column: "a"}, {Column: "b"}}}},
	}
	for _, tc := range []struct {
		name   string
		chunks []postgres.ChunkRecord
		want   string // in the error; empty for none
	}{
		{"not divided", nil, ""},
		{"one part", []postgres.ChunkRecord{chunk("", "")}, ""},
		{"in any order", []postgres.ChunkRecord{chunk("5", ""), chunk("", "-3"), chunk("-3", "5")}, ""},
		{"keys of several columns", []postgres.ChunkRecord{chunk("", "1 7"), chunk("1 7", "1 9"), chunk("1 9", "")}, ""},
		{"the first is missing", []postgres.ChunkRecord{chunk("1", "5"), chunk("5", "")}, "a gap at an open end"},
		{"the last is missing", []postgres.ChunkRecord{chunk("", "1"), chunk("1", "5")}, "do not reach the end"},
		{"one in between is missing", []postgres.ChunkRecord{chunk("", "1"), chunk("5", "")}, "a gap at (1)"},
		{"one comes twice", []postgres.ChunkRecord{chunk("", "1"), chunk("1", ""), chunk("1", "")}, "overlap"},
		{"one within another", []postgres.ChunkRecord{chunk("", "9"), chunk("2", "5"), chunk("9", "")}, "overlap"},
		{"a circle", []postgres.ChunkRecord{chunk("", "1"), chunk("1", "2"), chunk("2", "1")}, "do not reach the end"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			table := &Table{Target: "mdl_t"}
			var ok bool
			if table.key, ok = mysql.ChunkKeyOf(&keyed); !ok {
				t.Fatal("the table cannot be divided")
			}
			err := table.covered(tc.chunks)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// state is the state of a table of a plan.
func state(name string, size int64, with ...func(*tableState)) *tableState {
	s := newTableState(&Table{Target: name, Bytes: size, Copy: true})
	for _, f := range with {
		f(s)
	}
	return s
}

func TestUnits(t *testing.T) {
	const kib, mib = 1 << 10, 1 << 20
	inParts := func(n int) func(*tableState) {
		return func(s *tableState) { s.divided, s.chunks, s.left = true, make([]postgres.ChunkRecord, n), n }
	}
	done := func(s *tableState) { s.state = postgres.TableDone }
	copied := func(s *tableState) { s.state = postgres.TableCopied }
	noTransactions := func(s *tableState) { s.plan.NoTransactions = true }
	created := func(s *tableState) { s.plan.Copy = false }
	var many []*tableState
	for i := range tinyTables + 2 {
		many = append(many, state(fmt.Sprint("t", i), 0))
	}
	for _, tc := range []struct {
		name   string
		states []*tableState
		locked bool
		want   []string
	}{
		{"nothing", nil, false, nil},
		{"all is there", []*tableState{state("a", mib, done), state("b", 0, copied)}, false, nil},
		{
			"in parts, whole, together",
			[]*tableState{state("a", 9*mib, inParts(2)), state("b", mib), state("c", kib), state("d", 99*mib, created), state("e", 0)},
			false,
			[]string{"part of a", "part of a", "b", "small c", "small d", "small e"},
		},
		{"only the parts that are missing", []*tableState{state("a", 9*mib, inParts(0)), state("b", 9*mib, inParts(1))}, false, []string{"part of b"}},
		{"small ones up to a size", []*tableState{state("a", 400*kib), state("b", 500*kib)}, false, []string{"small a b"}},
		{
			"and a number", many, false,
			[]string{"small t0 … (48 tables)", "small t48 t49"},
		},
		{"a small one alone", []*tableState{state("a", kib)}, false, []string{"small a"}},
		{
			"locked ones first",
			[]*tableState{state("a", 9*mib), state("b", kib, noTransactions), state("c", kib)},
			true,
			[]string{"locked b", "a", "small c"},
		},
		{"without a lock as others", []*tableState{state("b", mib, noTransactions), state("c", kib)}, false, []string{"b", "small c"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, spell(units(tc.states, tc.locked))); diff != "" {
				t.Errorf("units (-want +got):\n%s", diff)
			}
		})
	}
}

// spell tells of units in words.
func spell(list []unit) []string {
	var out []string
	for _, u := range list {
		names := ""
		for _, s := range u.tables {
			names += " " + s.plan.Target
		}
		if len(u.tables) > 5 {
			names = fmt.Sprintf(" %s … (%d tables)", u.tables[0].plan.Target, len(u.tables))
		}
		switch {
		case u.chunk != nil:
			names = "part of" + names
		case u.locked:
			names = "locked" + names
		case u.small():
			names = "small" + names
		}
		out = append(out, strings.TrimSpace(names))
	}
	return out
}

// TestNext: what is held locked comes first, and only for the one that holds it.
func TestNext(t *testing.T) {
	a, b, c := unit{tables: []*tableState{state("a", 0)}}, unit{tables: []*tableState{state("b", 0)}, locked: true}, unit{tables: []*tableState{state("c", 0)}}
	o := &round{queue: []unit{b, c}}
	o.putBack(a)
	var got []string
	for _, holds := range []bool{false, true, true, false} {
		name := "none"
		if u, ok := o.next(holds); ok {
			name = u.tables[0].plan.Target
		}
		got = append(got, name)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "none"}, got); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
	o.putBack(a)
	o.end(errors.New("the target is gone"))
	if _, ok := o.next(true); ok || !o.over() {
		t.Error("a round that has ended gives work")
	}
}

// TestRestore: what the ledger has is the same as what was counted while it was made.
func TestRestore(t *testing.T) {
	s := state("mdl_t", 9<<20)
	s.plan.After = []Build{{Name: "pk"}, {Name: "ix"}}
	s.plan.Constraints = []string{"ALTER TABLE …"}
	first := chunk("", "5")
	first.Done, first.Rows, first.Bytes, first.Changed, first.Rejected = true, 10, 100, 2, 1
	s.restore(postgres.TableRecord{Table: "mdl_t", State: postgres.TableWaiting}, []postgres.ChunkRecord{first, chunk("5", "9"), chunk("9", "")}, nil)
	if s.left != 2 || len(s.chunks) != 2 || s.committed != (count{10, 100}) || s.result.Changed != 2 || s.result.Rejected != 1 || s.result.Copied {
		t.Errorf("%d of 3 parts are left, %+v committed, result %+v", s.left, s.committed, s.result)
	}
	s.progress(1, 3, 30)
	if got := s.progress(2, 4, 40); got.Rows != 17 || got.Bytes != 170 {
		t.Errorf("progress %+v", got)
	}
	if got := s.dropped(2); got.Rows != 13 {
		t.Errorf("progress after what one stream sent is gone: %+v", got)
	}
	second, last := chunk("5", "9"), chunk("9", "")
	if s.landed(1, postgres.Copied{Rows: 3, Bytes: 30, Changed: 1}, &second) {
		t.Error("the table is said to be copied, and one part is missing")
	}
	if !s.landed(2, postgres.Copied{Rows: 4, Bytes: 40}, &last) || s.result.Rows != 17 || s.result.Changed != 3 || !s.result.Copied {
		t.Errorf("after the last part: result %+v", s.result)
	}
	if n := len(s.landedChunks); n != 3 || s.landedChunks[1].Rows != 3 || !s.landedChunks[2].Done {
		t.Errorf("the parts are %+v", s.landedChunks)
	}

	s.restore(postgres.TableRecord{Table: "mdl_t", State: postgres.TableDone, Rows: 17, Bytes: 170, Changed: 3, Rejected: 1, NextValue: 18}, []postgres.ChunkRecord{first},
		[]postgres.BuildRecord{{Table: "mdl_t", Name: "pk"}, {Table: "mdl_t", Name: "ix"}, {Table: "mdl_t", Name: "ALTER TABLE …"}})
	want := TableResumed{Table: "mdl_t", Rows: 17, Bytes: 170, Indexes: 2, Copied: true, Done: true}
	if diff := cmp.Diff(want, s.resumed()); diff != "" {
		t.Errorf("resumed (-want +got):\n%s", diff)
	}
	if s.result.Indexes != 2 || s.result.Rows != 17 || s.result.Changed != 3 || s.result.NextValue != 18 || len(s.unbuilt()) != 0 {
		t.Errorf("result %+v", s.result)
	}
}
