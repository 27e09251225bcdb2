package verify_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/verify"
)

// compare compares tables of which each side has the rows given.
func compare(t testing.TB, expected, found verify.Side, o verify.Options, tables ...verify.Table) []verify.TableResult {
	t.Helper()
	results, err := verify.Compare(t.Context(), expected, found, tables, o)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func in(rows []row) memory { return memory{tables: map[string][]row{"user": rows}} }

// keysOf are the keys of differences.
func keysOf(r *verify.TableResult) (keys []string) {
	for _, d := range r.Differences {
		keys = append(keys, string(d.Kind)+" "+d.Key[0].Value.Text)
	}
	return keys
}

// TestDifferencesInOrder: those with the lowest keys are listed, whatever the memory, the jobs and the order of rows.
func TestDifferencesInOrder(t *testing.T) {
	expected := someUsers(1000)
	found := someUsers(1000)
	for i := range found {
		if i >= 7 {
			found[i][2] = []byte("elsewhere")
		}
	}
	found = append(slices.Delete(found, 1, 2), user(-3, "negative", ""), user(2000, "late", ""))
	for _, o := range []verify.Options{
		{MaxDifferences: 4}, {MaxDifferences: 4, Memory: 1}, {MaxDifferences: 4, Memory: 50000, Jobs: 4},
	} {
		for _, table := range []verify.Table{users(), users(ranges(5, 9, 300, 1500)...)} {
			r := compare(t, in(expected), memory{found2(found), 1}, o, table)[0]
			if r.State != verify.Different || r.Missing != 1 || r.Extra != 2 || r.Changed != 993 || r.DifferentParts != len(table.Parts) {
				t.Errorf("%+v: %+v", o, r)
			}
			if diff := cmp.Diff([]string{"extra -3", "missing 2", "changed 8", "changed 9"}, keysOf(&r)); diff != "" {
				t.Errorf("%+v: %s", o, diff)
			}
			want := verify.Difference{
				Kind: verify.ChangedRow, Times: 1,
				Key: []verify.NamedValue{{Column: "id", Value: verify.Value{Text: "8", Size: 8}}},
				Columns: []verify.ColumnDifference{{
					Column: "email", Expected: &verify.Value{Text: `"u8@example.org"`, Size: 14}, Found: &verify.Value{Text: `"elsewhere"`, Size: 9},
				}},
			}
			if diff := cmp.Diff(want, r.Differences[2]); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func found2(rows []row) map[string][]row { return map[string][]row{"user": rows} }

// TestNoneListed: a negative number lists none and counts all.
func TestNoneListed(t *testing.T) {
	r := compare(t, in(someUsers(10)), in(someUsers(3)), verify.Options{MaxDifferences: -1}, users())[0]
	if r.State != verify.Different || r.Missing != 7 || len(r.Differences) != 0 {
		t.Errorf("%+v", r)
	}
	r = compare(t, in(someUsers(100)), in(nil), verify.Options{}, users())[0]
	if r.Missing != 100 || len(r.Differences) != 20 {
		t.Errorf("%d of %d listed", len(r.Differences), r.Missing)
	}
}

// failing is a side that fails for one table.
type failing struct {
	memory
	table string
	// after is how many times it still works.
	after *atomic.Int64
	err   error
	// waits has it wait for the end of ctx instead.
	waits bool
}

func (f failing) Stream(ctx context.Context, t *verify.Table, p verify.Part, w io.Writer) error {
	if t.Name != f.table || f.after.Add(-1) >= 0 {
		return f.memory.Stream(ctx, t, p, w)
	}
	if f.waits {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.err
}

func times(n int64) *atomic.Int64 {
	var a atomic.Int64
	a.Store(n)
	return &a
}

// TestProblems: a side that fails makes the table unknown, and says which side; other tables go on.
func TestProblems(t *testing.T) {
	other := users()
	other.Name = "other"
	side := memory{map[string][]row{"user": someUsers(50), "other": someUsers(50)}, 0}
	damaged := memory{map[string][]row{"user": someUsers(49), "other": someUsers(50)}, 0}
	broken := errors.New("the connection is gone")
	for name, c := range map[string]struct {
		expected, found verify.Side
		parts           []verify.Part
		state           verify.State
		problem         string
		missing         int64
	}{
		"expected side": {
			expected: failing{side, "user", times(0), broken, false}, found: side,
			state: verify.Unknown, problem: "the expected side: the connection is gone",
		},
		"found side": {
			expected: side, found: failing{side, "user", times(0), broken, false},
			state: verify.Unknown, problem: "the found side: the connection is gone",
		},
		"the other side waits": {
			expected: failing{side, "user", times(0), nil, true}, found: failing{side, "user", times(0), broken, false},
			state: verify.Unknown, problem: "the found side: the connection is gone",
		},
		"a part": {
			expected: side, found: failing{side, "user", times(1), broken, false}, parts: ranges(10, 20),
			state: verify.Unknown, problem: "the rows from 10 to below 20: the found side: the connection is gone",
		},
		"the last part": {
			expected: side, found: failing{side, "user", times(2), broken, false}, parts: ranges(10, 20),
			state: verify.Unknown, problem: "the rows from 20: the found side",
		},
		"the first part": {
			expected: side, found: failing{side, "user", times(0), broken, false}, parts: ranges(10),
			state: verify.Unknown, problem: "the rows below 10: the found side",
		},
		"the search": {
			expected: side, found: failing{damaged, "user", times(1), broken, false},
			state: verify.Different, problem: "the two sides differ here, but it was not found where: the found side: the connection is gone",
		},
		"the listing": {
			expected: side, found: failing{damaged, "user", times(2), broken, false},
			state: verify.Different, problem: "read the rows that differ: the found side: the connection is gone", missing: 1,
		},
		"a difference before it": {
			expected: failing{side, "user", times(4), broken, false}, found: memory{found2(someUsers(50)[1:]), 0}, parts: ranges(10, 20, 30),
			state: verify.Different, problem: "from 30: the expected side: the connection is gone", missing: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := c.found
			if m, ok := found.(memory); ok {
				m.tables["other"] = someUsers(50)
			}
			results := compare(t, c.expected, found, verify.Options{Jobs: 1}, users(c.parts...), other)
			if len(results) != 2 || results[0].Name != "other" || results[0].State != verify.Same {
				t.Fatalf("%+v", results)
			}
			r := results[1]
			if r.State != c.state || !strings.Contains(r.Problem, c.problem) || r.Missing != c.missing {
				t.Errorf("%+v", r)
			}
		})
	}
}

// changing is a side without a snapshot: its rows change after some readings.
type changing struct {
	before, after memory
	left          *atomic.Int64
}

func (c changing) Stream(ctx context.Context, t *verify.Table, p verify.Part, w io.Writer) error {
	if c.left.Add(-1) >= 0 {
		return c.before.Stream(ctx, t, p, w)
	}
	return c.after.Stream(ctx, t, p, w)
}

// TestRowsChange: rows that change while they are read are neither same nor different.
func TestRowsChange(t *testing.T) {
	expected := in(someUsers(1000))
	before, after := someUsers(1000), someUsers(1000)
	for i := range before {
		before[i][1], after[i][1] = []byte("before"), []byte("after")
	}
	for _, memory := range []int64{0, 1} {
		for n := range int64(5) {
			r := compare(t, expected, changing{in(before), in(after), times(n)}, verify.Options{Memory: memory}, users())[0]
			// One reading for the sums, one or two for the search, one for the list.
			readings := int64(3)
			if memory > 0 {
				readings = 23
			}
			if want := verify.Unknown; n > 0 && n < readings {
				if r.State != want || r.DifferentParts != 0 || !strings.Contains(r.Problem, "the found side: the rows changed while they were read") {
					t.Errorf("after %d readings: %+v", n, r)
				}
			} else if r.State != verify.Different || r.Changed != 1000 || r.Problem != "" {
				t.Errorf("after %d readings: %+v", n, r)
			}
		}
	}
}

// TestContextEnds: the end of the context ends everything, and the tables that were done are told.
func TestContextEnds(t *testing.T) {
	other := users()
	other.Name, other.Bytes = "other", 1 // it comes first
	side := memory{map[string][]row{"user": someUsers(50), "other": someUsers(50)}, 0}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := verify.Options{Jobs: 1, Events: func(e verify.Event) {
		if c, ok := e.(verify.TableStarted); ok && c.Table == "user" {
			cancel()
		}
	}}
	results, err := verify.Compare(ctx, side, failing{side, "user", times(0), nil, true}, []verify.Table{users(), other}, o)
	if !errors.Is(err, context.Canceled) || len(results) != 1 || results[0].Name != "other" {
		t.Errorf("%v, %+v", err, results)
	}
	if results, err = verify.Compare(ctx, side, side, []verify.Table{users()}, verify.Options{}); !errors.Is(err, context.Canceled) || len(results) != 0 {
		t.Errorf("%v, %+v", err, results)
	}
}

// TestWrongTables: tables that cannot be told apart, and tables without parts, are errors.
func TestWrongTables(t *testing.T) {
	for _, tables := range [][]verify.Table{{users(), users()}, {{Name: "user"}}} {
		if _, err := verify.Compare(t.Context(), in(nil), in(nil), tables, verify.Options{}); err == nil || !strings.Contains(err.Error(), `"user"`) {
			t.Errorf("error %v", err)
		}
	}
}

// TestEvents: tables come by the size of their parts, and every byte is told of once.
func TestEvents(t *testing.T) {
	sides := memory{map[string][]row{}, 0}
	var tables []verify.Table
	for i, bytes := range []int64{10, 3000, 200} {
		table := users()
		table.Name = "t" + strconv.Itoa(i)
		table.Bytes = bytes
		if i == 1 {
			table.Parts = ranges(5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)
		}
		sides.tables[table.Name] = someUsers(30)
		tables = append(tables, table)
	}
	found := memory{map[string][]row{"t0": someUsers(30), "t1": someUsers(29), "t2": someUsers(30)}, 0}
	var order []string
	read, compared := map[string]int64{}, map[string]int64{}
	var differ []string
	compare(t, sides, found, verify.Options{Events: func(e verify.Event) {
		switch e := e.(type) {
		case verify.TableStarted:
			order = append(order, e.Table)
		case verify.RowsRead:
			read[e.Table] += e.Bytes
		case verify.PartCompared:
			compared[e.Table] += e.Bytes
			if !e.Same {
				differ = append(differ, e.Table)
			}
		case verify.Searching:
			order = append(order, "search "+e.Table)
		case verify.TableCompared:
			if e.Result.Bytes != compared[e.Result.Name] || e.Result.Bytes != read[e.Result.Name] || e.Result.Bytes == 0 {
				t.Errorf("%+v: %d read, %d compared", e.Result, read[e.Result.Name], compared[e.Result.Name])
			}
		}
	}, Jobs: 1}, tables...)
	if diff := cmp.Diff([]string{"t2", "t1", "search t1", "t0"}, order); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"t1"}, differ); diff != "" {
		t.Error(diff)
	}
}

// huge is a side with two rows, one with a field of 100 MB.
type huge struct{ last byte }

const hugeSize = 100 << 20

func (h huge) Stream(_ context.Context, _ *verify.Table, _ verify.Part, w io.Writer) error {
	small := appendRow([]byte(header), user(1, "small", ""))
	start := binary.BigEndian.AppendUint16(small, 3)
	start = binary.BigEndian.AppendUint32(start, 8)
	start = append(start, number(2)...)
	start = binary.BigEndian.AppendUint32(start, hugeSize)
	if _, err := w.Write(start); err != nil {
		return err
	}
	piece := make([]byte, 64<<10)
	for i := range hugeSize / len(piece) {
		if i == hugeSize/len(piece)-1 {
			piece[len(piece)-1] = h.last
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	_, err := w.Write([]byte{0, 0, 0, 0, 0xFF, 0xFF})
	return err
}

// TestHugeFields: a field of 100 MB passes through, and a difference in its last byte is found.
func TestHugeFields(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := compare(t, huge{0}, huge{1}, verify.Options{Memory: 1 << 20}, users())[0]
	runtime.ReadMemStats(&after)
	if r.Changed != 1 || len(r.Differences) != 1 || r.Differences[0].Columns[0].Column != "username" || r.Differences[0].Columns[0].Expected.Size != hugeSize {
		t.Errorf("%+v", r)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
		t.Errorf("%d bytes were allocated", took)
	}
	table := users()
	d, err := verify.FindRows(t.Context(), huge{0}, huge{1}, &table, verify.Part{}, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var picked sizeWriter
	if err := d.WriteExpected(t.Context(), &picked); err != nil || picked < hugeSize {
		t.Errorf("%d bytes were picked: %v", picked, err)
	}
	if runtime.ReadMemStats(&before); before.TotalAlloc-after.TotalAlloc > 24<<20 {
		t.Errorf("%d bytes were allocated to pick a row", before.TotalAlloc-after.TotalAlloc)
	}
}

// sizeWriter counts bytes.
type sizeWriter int64

func (s *sizeWriter) Write(p []byte) (int, error) {
	*s += sizeWriter(len(p))
	return len(p), nil
}

// counting is a side with so many rows, made as they are sent.
type counting struct{ rows, changed int }

func (c counting) Stream(_ context.Context, _ *verify.Table, _ verify.Part, w io.Writer) error {
	buf := []byte(header)
	mail := []byte("nobody@example.org")
	for i := range c.rows {
		buf = binary.BigEndian.AppendUint16(buf, 3)
		buf = binary.BigEndian.AppendUint32(buf, 8)
		buf = binary.BigEndian.AppendUint64(buf, uint64(i))
		at := len(buf)
		buf = strconv.AppendInt(append(buf, 0, 0, 0, 0), int64(i), 10)
		if i < c.changed {
			buf = append(buf, 'x')
		}
		binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(mail)))
		if buf = append(buf, mail...); len(buf) > 32<<10 {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err := w.Write(append(buf, 0xFF, 0xFF))
	return err
}

// TestMemory: the search keeps within its bound when every row differs.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads millions of rows")
	}
	const rows, bound = 300_000, 2 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	var peak uint64
	sample := func(verify.Event) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	}
	runtime.GC()
	sample(nil)
	base := peak
	done := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				sample(nil)
				time.Sleep(time.Millisecond)
			}
		}
	}()
	r := compare(t, counting{rows, 0}, counting{rows, rows}, verify.Options{Memory: bound, Jobs: 1}, users())[0]
	close(stop)
	<-done
	if r.Changed != rows || r.Missing+r.Extra != 0 || len(r.Differences) != 20 || r.Differences[19].Key[0].Value.Text != "19" {
		t.Errorf("%+v", r)
	}
	// What is garbage counts too, until it is collected, and the buffers of both sides.
	if peak-base > 2*bound+(1<<20) {
		t.Errorf("%d KiB held above %d KiB", (peak-base)>>10, base>>10)
	}
}

// TestNoTemporaryDirectory: without room for the search the difference stands, and the problem says what to do.
func TestNoTemporaryDirectory(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/none")
	if runtime.GOOS == "windows" {
		t.Setenv("TMP", os.Getenv("TMPDIR"))
	}
	r := compare(t, in(someUsers(1000)), in(nil), verify.Options{Memory: 1}, users())[0]
	if r.State != verify.Different || !strings.Contains(r.Problem, "name another directory in TMPDIR") {
		t.Errorf("%+v", r)
	}
}

// TestColumnsOfAnotherNumber: rows that do not fit the columns are a problem of the side that sends them.
func TestColumnsOfAnotherNumber(t *testing.T) {
	r := compare(t, in(someUsers(3)), in([]row{{number(1)}}), verify.Options{}, users())[0]
	if r.State != verify.Unknown || r.Problem != "the found side: row 1 has 1 fields where 3 were asked for" {
		t.Errorf("%+v", r)
	}
	table := users()
	table.Columns[1].Canon = func([]byte, []byte) ([]byte, error) { return nil, errors.New("no value") }
	r = compare(t, in(someUsers(3)), in(someUsers(3)), verify.Options{}, table)[0]
	if r.State != verify.Unknown || !strings.HasSuffix(r.Problem, "row 1, field 2: no value") {
		t.Errorf("%+v", r)
	}
}

// TestDoubledRows: in a table without key many rows may be alike, and are counted.
func TestDoubledRows(t *testing.T) {
	table := users()
	table.Columns[0].Key = false
	same := user(math.MaxInt64, "same", "")
	expected, found := slices.Repeat([]row{same}, 3000), slices.Repeat([]row{same}, 2990)
	for _, memory := range []int64{0, 1} {
		r := compare(t, in(expected), in(found), verify.Options{Memory: memory}, table)[0]
		if r.Missing != 10 || len(r.Differences) != 1 || r.Differences[0].Times != 10 || r.Differences[0].Key != nil || len(r.Differences[0].Columns) != 3 {
			t.Errorf("%+v", r)
		}
		if got := fmt.Sprint(r.Differences[0].Columns[0].Expected.Text, r.Differences[0].Columns[0].Found); got != "9223372036854775807<nil>" {
			t.Error(got)
		}
	}
}

// TestDoubledKeys: rows of a key that should be unique are paired as far as they go.
func TestDoubledKeys(t *testing.T) {
	was, is := user(1, "was", ""), user(1, "is", "")
	r := compare(t, in(append(slices.Repeat([]row{was}, 3), user(2, "same", ""))), in(append(slices.Repeat([]row{is}, 5), user(2, "same", ""))), verify.Options{}, users())[0]
	var got []string
	for _, d := range r.Differences {
		got = append(got, fmt.Sprint(d.Kind, " ", d.Times, " ", d.Key[0].Value.Text))
	}
	if diff := cmp.Diff([]string{"changed 3 1", "extra 2 1"}, got); diff != "" || r.Changed != 3 || r.Extra != 2 {
		t.Errorf("%+v: %s", r, diff)
	}
}
