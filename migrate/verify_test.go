package migrate

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/recheck"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// TestComplete: what a table needs depends on whether it is copied, and on what is verified.
func TestComplete(t *testing.T) {
	for _, tc := range []struct {
		mode   VerifyMode
		state  postgres.TableState
		copies bool
		want   bool
	}{
		{VerifyAll, postgres.TableDone, true, false},
		{VerifyAll, postgres.TableDone, false, true},
		{VerifyAll, postgres.TableVerified, true, true},
		{VerifyAll, postgres.TableCopied, true, false},
		{VerifyNone, postgres.TableDone, true, true},
		{VerifyNone, postgres.TableVerified, true, true},
		{VerifyNone, postgres.TableWaiting, true, false},
	} {
		p := &Plan{Verify: tc.mode}
		if got := p.complete(tc.state, tc.copies); got != tc.want {
			t.Errorf("verify %s, %s, copies %v: complete %v", tc.mode, tc.state, tc.copies, got)
		}
	}
}

// TestChecks: what is to be read back is handed out once, small tables together.
func TestChecks(t *testing.T) {
	done := func(s *tableState) { s.state, s.committed.bytes = postgres.TableDone, s.plan.Bytes }
	var states []*tableState
	for i := range 100 {
		states = append(states, state(fmt.Sprintf("small%d", i), 100, done))
	}
	made := state("made", 0, done)
	made.plan.Copy = false
	states = append(states, state("large", 9<<20, done), made, state("waits", 1<<20), state("read", 1<<20, func(s *tableState) { s.state = postgres.TableVerified }))
	o := &round{run: &run{plan: &Plan{Verify: VerifyAll}}, states: states}
	o.changed.L = &o.mu
	o.checkAll()
	var sizes []int
	for _, c := range o.checks {
		sizes = append(sizes, len(c.states))
	}
	if diff := cmp.Diff([]int{1, 48, 48, 4}, sizes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	o.run.plan.Verify, o.checks = VerifyNone, nil
	o.checkAll()
	if len(o.checks) > 0 {
		t.Errorf("%d checks though none are wanted", len(o.checks))
	}
}

// TestMiscounted: the two numbers are compared as soon as both are known.
func TestMiscounted(t *testing.T) {
	s := state("mdl_t", 0)
	s.plan.Source = "mdl_T"
	if err := counted([]*tableState{s}, []int64{5}); err != nil {
		t.Errorf("counted before it is copied: %v", err)
	}
	s.result.Copied, s.committed.rows, s.result.Rejected = true, 4, 1
	if err := s.miscounted(); err != nil {
		t.Errorf("4 copied and 1 set aside of 5: %v", err)
	}
	s.committed.rows = 5
	err := s.miscounted()
	if !errors.Is(err, ErrDifferent) {
		t.Fatalf("5 copied and 1 set aside of 5: %v", err)
	}
	const want = `table "mdl_T": what arrived is not what the source has: the source counts 5 rows, and 5 were copied and 1 set aside. Nothing is published. ` +
		`Start over; when it comes again, look whether the source reads the table as a whole: CHECK TABLE finds a damaged index`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

// TestCountable: who counts what.
func TestCountable(t *testing.T) {
	with := func(name string, bytes int64, change func(*tableState)) *tableState {
		return state(name, bytes, change)
	}
	states := []*tableState{
		state("a", 1), state("big", 100<<20), state("b", 1),
		with("locked", 1, func(s *tableState) { s.plan.NoTransactions = true }),
		with("counted", 1, func(s *tableState) { s.counted = true }),
		with("made", 1, func(s *tableState) { s.plan.Copy = false }),
	}
	names := func(list []*tableState) (out string) {
		for _, s := range list {
			out += " " + s.plan.Target
		}
		return out
	}
	r := &run{plan: &Plan{Verify: VerifyAll}, locked: &mysql.Reader{}}
	pieces, locked := r.countable(states)
	if len(pieces) != 2 || names(pieces[0]) != " big" || names(pieces[1]) != " a b" || names(locked) != " locked" {
		t.Errorf("%d pieces, locked %s", len(pieces), names(locked))
	}
	r.locked = nil
	if _, locked = r.countable(states); len(locked) > 0 {
		t.Errorf("%s are locked, and nobody holds them", names(locked))
	}
	r.plan.Verify = VerifyNone
	if pieces, _ = r.countable(states); len(pieces) > 0 {
		t.Error("rows are counted though nothing is verified")
	}
}

// TestSample: at least one part of each table, and no more than are there.
func TestSample(t *testing.T) {
	keyed := schema.Table{
		Name: "mdl_t", StorageEngine: "InnoDB", Columns: []schema.Column{{Name: "id", Type: schema.Type{Name: "bigint", Raw: "bigint(20)"}, NotNull: true}},
		Indexes: []schema.Index{{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: []schema.IndexPart{{Column: "id"}}}},
	}
	s := state("mdl_t", 0)
	s.plan.source, s.plan.KeyOrdered = keyed, true
	s.plan.key, _ = mysql.ChunkKeyOf(&keyed)
	s.committed, s.sum = count{1_000_000, 100 << 20}, fingerprint.Sum{Rows: 1_000_000}
	for percent, want := range map[float64]int64{1: recheck.First(1_000_000, 100<<20), 50: 500_000, 100: 0} {
		got := s.sample(percent, 1)
		if len(got) != 1 || got[0].First != want || *got[0].Sum != s.sum || len(got[0].Selection.OrderBy) != 1 {
			t.Errorf("%v %% of an undivided table: %+v", percent, got)
		}
	}
	s.divided = true
	for i := range 10 {
		c := chunk(fmt.Sprint(i), fmt.Sprint(i+1))
		c.Rows, c.Sum.Rows = int64(i), int64(i) // the first is empty
		s.landedChunks = append(s.landedChunks, c)
	}
	for percent, want := range map[float64]int{0.001: 1, 10: 1, 12: 2, 100: 9} {
		got := s.sample(percent, 1)
		if len(got) != want {
			t.Errorf("%v %% of 9 parts are %d", percent, len(got))
		}
		for _, rows := range got {
			if rows.Sum.Rows == 0 || rows.Selection.Where == "" || rows.First != 0 {
				t.Errorf("%v %%: %+v", percent, rows)
			}
		}
		if diff := cmp.Diff(got, s.sample(percent, 1)); diff != "" {
			t.Errorf("the same run chooses others:\n%s", diff)
		}
	}
	s.landedChunks = s.landedChunks[:1]
	if got := s.sample(1, 1); len(got) != 1 {
		t.Errorf("of a table whose parts are empty: %+v", got)
	}
}

// TestKeyParts: parts of whole numbers are found at both ends, others are not.
func TestKeyParts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		chunks []postgres.ChunkRecord
		want   []verify.Part
	}{
		{"none", nil, []verify.Part{{}}},
		{"numbers", []postgres.ChunkRecord{chunk("", "-5"), chunk("-5", "7"), chunk("7", "")}, []verify.Part{{Upper: "-5"}, {Lower: "-5", Upper: "7"}, {Lower: "7"}}},
		{"text", []postgres.ChunkRecord{chunk("", "X'61'"), chunk("X'61'", "")}, []verify.Part{{}}},
		{"two columns", []postgres.ChunkRecord{chunk("", "1 2"), chunk("1 2", "")}, []verify.Part{{}}},
	} {
		if diff := cmp.Diff(tc.want, (&Table{}).keyParts(tc.chunks)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

// TestMismatchError says what is there, and names the rows when they are known.
func TestMismatchError(t *testing.T) {
	e := &MismatchError{Table: "mdl_t", Schema: "load", Sent: fingerprint.Sum{Rows: 3}, Found: fingerprint.Sum{Rows: 2}}
	if got := e.Error(); !strings.Contains(got, `table "mdl_t"`) || !strings.Contains(got, "3 rows were sent, and 2 are there (") || !errors.Is(e, ErrDifferent) {
		t.Error(got)
	}
	text := func(s string) *verify.Value { return &verify.Value{Text: s} }
	e.Found.Rows = 3
	e.Result = &verify.TableResult{
		Changed: 4, Missing: 1, Extra: 1,
		Differences: []verify.Difference{
			{Kind: verify.ChangedRow, Key: []verify.NamedValue{{Column: "id", Value: *text("1")}}, Columns: []verify.ColumnDifference{{Column: "a", Expected: text(`"x"`), Found: &verify.Value{Null: true}}}},
			{Kind: verify.MissingRow, Key: []verify.NamedValue{{Column: "a", Value: *text("2")}, {Column: "b", Value: *text(`"c"`)}}},
			{Kind: verify.ExtraRow},
		},
	}
	const want = `as many are there, but at least one is another: 4 changed, 1 missing, 1 extra; the row with id=1, column "a": "x" was sent, and NULL is there; ` +
		`the row with a=2 AND b="c" is missing; a row was not sent; and 3 more (fingerprints 3:`
	if got := e.Error(); !strings.Contains(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
