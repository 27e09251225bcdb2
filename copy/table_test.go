package copy_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/schema"
)

// table is a source held in memory. Rows with a field longer than largeFrom are walked.
type table struct {
	rows      [][]any // string or nil
	largeFrom int
	err       error // instead of the end
	queries   []string
	open      int
}

func (s *table) Query(_ context.Context, query string) (copy.Rows, error) {
	s.queries = append(s.queries, query)
	s.open++
	return &cursor{table: s}, nil
}

// cursor walks a table.
type cursor struct {
	table *table
	next  int
	row   []any
	field int
	rest  *strings.Reader
}

func (c *cursor) Next() ([][]byte, bool, error) {
	if c.next == len(c.table.rows) {
		if c.table.err != nil {
			return nil, false, c.table.err
		}
		return nil, false, io.EOF
	}
	c.row, c.field = c.table.rows[c.next], 0
	c.next++
	fields := make([][]byte, len(c.row))
	for i, v := range c.row {
		if s, ok := v.(string); ok {
			if c.table.largeFrom > 0 && len(s) >= c.table.largeFrom {
				return nil, true, nil
			}
			fields[i] = append([]byte{}, s...)
		}
	}
	return fields, false, nil
}

func (c *cursor) NextField() (int64, bool, error) {
	if c.field == len(c.row) {
		return 0, false, io.EOF
	}
	v := c.row[c.field]
	c.field++
	s, ok := v.(string)
	c.rest = strings.NewReader(s)
	return int64(len(s)), !ok, nil
}

func (c *cursor) Read(p []byte) (int, error) { return c.rest.Read(p[:min(len(p), 1000)]) }
func (c *cursor) Close() error               { c.table.open--; return nil }

// server is a target that keeps what it is sent.
type server struct {
	got     bytes.Buffer
	sql     string
	refuse  *pgconn.PgError // after refuseAt bytes
	after   int
	calls   int
	noCount bool
	lag     time.Duration
}

func (s *server) CopyFrom(ctx context.Context, sql string, r io.Reader) (int64, error) {
	s.sql = sql
	s.calls++
	buf := make([]byte, 1000)
	for {
		if s.refuse != nil && s.got.Len() >= s.after {
			return 0, s.refuse
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		time.Sleep(s.lag)
		n, err := r.Read(buf)
		s.got.Write(buf[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			// This is what a server answers to CopyFail.
			return 0, &pgconn.PgError{Code: "57014", Message: "COPY from stdin failed: " + err.Error()}
		}
	}
	rows, err := decode(s.got.Bytes())
	if s.noCount {
		return 0, err
	}
	return int64(len(rows)), err
}

// decode parses a COPY BINARY stream; nil is NULL.
func decode(b []byte) ([][]any, error) {
	const head = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	b, ok := bytes.CutPrefix(b, []byte(head))
	if !ok {
		return nil, errors.New("no header")
	}
	var rows [][]any
	for {
		if len(b) < 2 {
			return nil, errors.New("no trailer")
		}
		n := int16(binary.BigEndian.Uint16(b))
		b = b[2:]
		if n == -1 {
			if len(b) > 0 {
				return nil, errors.New("bytes after the trailer")
			}
			return rows, nil
		}
		row := make([]any, n)
		for i := range row {
			size := int32(binary.BigEndian.Uint32(b))
			b = b[4:]
			if size >= 0 {
				row[i] = string(b[:size])
				b = b[size:]
			}
		}
		rows = append(rows, row)
	}
}

// column makes a column of a job.
func column(t testing.TB, name string, src, dst schema.Column) copy.Column {
	t.Helper()
	rule, err := convert.Value(src, dst)
	if err != nil {
		t.Fatal(err)
	}
	return copy.Column{Source: name, Target: name, Rule: rule}
}

// job copies id bigint (key), n smallint NOT NULL, body text.
func job(t testing.TB) copy.Job {
	t.Helper()
	of := func(name string) schema.Column { return schema.Column{Type: schema.Type{Name: name}} }
	notNull := of("smallint")
	notNull.NotNull = true
	j := copy.Job{
		Table: "mdl_t", Query: "SELECT", CopySQL: "COPY mdl_t", KeyOrdered: true,
		Columns: []copy.Column{
			column(t, "id", of("bigint"), of("bigint")),
			column(t, "n", of("int"), notNull),
			column(t, "body", of("longtext"), of("text")),
		},
	}
	j.Columns[0].Key = true
	return j
}

// int8 and int2 are the binary forms.
func int8(v int64) string { return string(binary.BigEndian.AppendUint64(nil, uint64(v))) }
func int2(v int16) string { return string(binary.BigEndian.AppendUint16(nil, uint16(v))) }

func TestTableCopies(t *testing.T) {
	medium, long := strings.Repeat("m", 5000), strings.Repeat("0123456789", 20000)
	rows := [][]any{{"1", "-7", "a"}, {"2", "0", nil}, {nil, "5", ""}}
	want := [][]any{{int8(1), int2(-7), "a"}, {int8(2), int2(0), nil}, {nil, int2(5), ""}}
	for i := range 300 {
		body := []string{"x", medium, medium[:4060], long}[i%4]
		rows = append(rows, []any{fmt.Sprint(i), "1", body})
		want = append(want, []any{int8(int64(i)), int2(1), body})
	}
	for _, opts := range []copy.Options{{}, {Buffer: 4 << 10}, {Buffer: 1 << 20, Buffers: 1}, {Buffer: 5000, Buffers: 2}} {
		for _, largeFrom := range []int{0, 1, 5000, 100000} {
			t.Run(fmt.Sprintf("%d x %d, large from %d", opts.Buffers, opts.Buffer, largeFrom), func(t *testing.T) {
				src, dst := &table{rows: rows, largeFrom: largeFrom}, &server{}
				var last copy.Result
				opts.Progress = func(rows, bytes int64) { last = copy.Result{Rows: rows, Bytes: bytes} }
				result, err := copy.Table(t.Context(), src, dst, job(t), opts)
				if err != nil {
					t.Fatal(err)
				}
				got, err := decode(dst.got.Bytes())
				if err != nil {
					t.Fatal(err)
				}
				if !cmp.Equal(want, got) {
					t.Error("the rows came wrong")
				}
				expect := copy.Result{Rows: int64(len(rows)), Bytes: int64(dst.got.Len())}
				if sum := result.Sum; sum.Rows != expect.Rows {
					t.Errorf("the sum is %s", sum)
				}
				result.Sum = fingerprint.Sum{}
				if result != expect || last != expect {
					t.Errorf("result %+v, last progress %+v, want %+v", result, last, expect)
				}
				if dst.sql != "COPY mdl_t" || src.open != 0 {
					t.Errorf("ran %q, left %d result sets open", dst.sql, src.open)
				}
			})
		}
	}
}

func TestEmptyTable(t *testing.T) {
	result, err := copy.Table(t.Context(), &table{}, &server{}, job(t), copy.Options{})
	if err != nil || result != (copy.Result{Bytes: 21}) {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestRowErrors(t *testing.T) {
	long := strings.Repeat("x", 9000)
	limited := func(j *copy.Job) { j.Columns[2].Rule.MaxChars = 8; j.Columns[2].Rule.Target = "character varying(8)" }
	tests := []struct {
		name   string
		change func(*copy.Job)
		row    []any
		want   string
	}{
		{
			"out of range", nil,
			[]any{"41", "40000", "a"},
			`table "mdl_t", column "n", row with id=41: "40000" is out of range for smallint; ` +
				`correct the value in the source, or make the target's column wide enough`,
		},
		{
			"null", nil,
			[]any{"41", nil, "a"},
			`table "mdl_t", column "n", row with id=41: NULL is not allowed in this column: the target's column is NOT NULL; ` +
				`give the row a value in the source, or allow NULL in the target`,
		},
		{
			"too long", limited,
			[]any{"41", "1", "123456789"},
			`table "mdl_t", column "body", row with id=41: "123456789" is too long for character varying(8): 9 characters, 8 allowed; ` +
				`correct the value in the source, or make the target's column wide enough`,
		},
		{
			"much too long", limited,
			[]any{"41", "1", strings.Repeat(long, 10)},
			`table "mdl_t", column "body", row with id=41: "` + long[:64] + `"... (90000 bytes) is too long for character varying(8): 90000 characters, 8 allowed; ` +
				`correct the value in the source, or make the target's column wide enough`,
		},
		{
			"key after the fault", func(j *copy.Job) { j.Columns[0].Key = false; j.Columns[2].Key = true },
			[]any{"x", "1", "it's"},
			`table "mdl_t", column "id", row with body="it's": "x" is no value of bigint; ` +
				`correct the value in the source, or give the target's column the type of the source's`,
		},
		{
			"no key", func(j *copy.Job) { j.Columns[0].Key = false },
			[]any{"1", "x", "a"},
			`table "mdl_t", column "n", row number 3 as read: "x" is no value of smallint; ` +
				`correct the value in the source, or give the target's column the type of the source's`,
		},
	}
	for _, test := range tests {
		for _, largeFrom := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, large from %d", test.name, largeFrom), func(t *testing.T) {
				j := job(t)
				if test.change != nil {
					test.change(&j)
				}
				src := &table{rows: [][]any{{"1", "1", "a"}, {"2", "2", nil}, test.row, {"99", "1", "b"}}, largeFrom: largeFrom}
				_, err := copy.Table(t.Context(), src, &server{}, j, copy.Options{Buffer: 4096})
				var row *copy.RowError
				if !errors.As(err, &row) || row.Row != 3 || row.Table != "mdl_t" {
					t.Fatalf("got %v", err)
				}
				want := test.want
				if test.name == "much too long" && largeFrom > 0 {
					// A streamed value is refused when the limit is passed, not counted.
					want = strings.Replace(want, "90000 characters, 8 allowed", "more than 8 characters", 1)
				}
				if diff := cmp.Diff(want, err.Error()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if src.open != 0 {
					t.Error("the result set is still open")
				}
			})
		}
	}
}

func TestRefusedRows(t *testing.T) {
	big := strings.Repeat("ä", 50000)
	refused := func(code, where string) *pgconn.PgError {
		return &pgconn.PgError{Severity: "ERROR", Code: code, Message: "no", Where: where}
	}
	tests := []struct {
		name    string
		row     []any
		refuse  *pgconn.PgError
		ordered bool
		want    string
	}{
		{
			"nul",
			[]any{"41", "1", "ab\x00c"},
			refused("22021", "COPY mdl_t, line 3, column body"), true,
			`table "mdl_t", column "body", row with id=41: "ab\x00c" holds a zero byte, which text cannot store: at byte 3; ` +
				`remove the zero bytes in the source, for example with REPLACE(column, CHAR(0), '')`,
		},
		{
			"nul deep in a long text",
			[]any{"41", "1", big + "\x00"},
			refused("22021", "COPY mdl_t, line 3, column body"), true,
			`table "mdl_t", column "body", row with id=41: ..."ääääääääääää\x00" holds a zero byte, which text cannot store: at byte 100001; ` +
				`remove the zero bytes in the source, for example with REPLACE(column, CHAR(0), '')`,
		},
		{
			"invalid text without an order",
			[]any{"41", "1", "caf\xe9"},
			refused("22021", "COPY mdl_t, Zeile 3, Spalte body"), false,
			`table "mdl_t", column "body", row with id=41: "caf\xe9" is not valid UTF-8, which text must be: 0xe9 at byte 4; ` +
				`correct the text in the source; its bytes are not in the character set that the column declares`,
		},
		{
			"another name in the target",
			[]any{"41", "1", "caf\xe9"},
			refused("22021", "COPY MDL_T, line 3, column body"), false,
			`table "mdl_t", column "body", row with id=41: "caf\xe9" is not valid UTF-8, which text must be: 0xe9 at byte 4; ` +
				`correct the text in the source; its bytes are not in the character set that the column declares`,
		},
		{
			"column not named",
			[]any{"41", "1", "caf\xe9"},
			refused("22021", "COPY mdl_t, line 3"), true,
			`table "mdl_t", column "body", row with id=41: "caf\xe9" is not valid UTF-8, which text must be: 0xe9 at byte 4; ` +
				`correct the text in the source; its bytes are not in the character set that the column declares`,
		},
		{
			"a constraint",
			[]any{"41", "1", "a"},
			refused("23505", "COPY mdl_t, line 3"), true,
			`table "mdl_t", row with id=41: PostgreSQL: ERROR: no (SQLSTATE 23505)`,
		},
		{
			"a constraint without an order",
			[]any{"41", "1", "a"},
			refused("23505", "COPY mdl_t, line 3"), false,
			`table "mdl_t", row number 3 as read: PostgreSQL: ERROR: no (SQLSTATE 23505) (the table has no key to read it by, so the row cannot be named for sure)`,
		},
		{
			"a type with a context of its own",
			[]any{"41", "1", "a"},
			refused("22P02", "JSON data, line 1: \nCOPY mdl_t, line 3, column body"), true,
			`table "mdl_t", column "body", row with id=41: PostgreSQL: ERROR: no (SQLSTATE 22P02)`,
		},
		{
			"a row that is gone",
			[]any{"41", "1", "a"},
			refused("23505", "COPY mdl_t, line 5"), true,
			`table "mdl_t", row number 5 as read: PostgreSQL: ERROR: no (SQLSTATE 23505) (the row could not be looked up again: the source has fewer rows now)`,
		},
		{
			"no place",
			[]any{"41", "1", "a"},
			refused("23505", "something else"), true,
			`table "mdl_t": PostgreSQL: ERROR: no (SQLSTATE 23505)`,
		},
		{
			"not about a row",
			[]any{"41", "1", "a"},
			refused("53100", "COPY mdl_t, line 3"), true,
			`table "mdl_t": PostgreSQL: ERROR: no (SQLSTATE 53100)`,
		},
	}
	for _, test := range tests {
		for _, largeFrom := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, large from %d", test.name, largeFrom), func(t *testing.T) {
				j := job(t)
				j.KeyOrdered = test.ordered
				src := &table{rows: [][]any{{"1", "1", "a"}, {"2", "2", nil}, test.row, {"99", "1", "b"}}, largeFrom: largeFrom}
				_, err := copy.Table(t.Context(), src, &server{refuse: test.refuse}, j, copy.Options{Buffer: 4096})
				if err == nil {
					t.Fatal("no error")
				}
				if diff := cmp.Diff(test.want, err.Error()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				var fromServer *pgconn.PgError
				var value *convert.ValueError
				if !errors.As(err, &fromServer) && !errors.As(err, &value) {
					t.Error("the cause is not in the error's chain")
				}
				if src.open != 0 {
					t.Error("a result set is still open")
				}
			})
		}
	}
}

func TestSourceFails(t *testing.T) {
	lost := errors.New("connection lost")
	dst := &server{}
	_, err := copy.Table(t.Context(), &table{rows: [][]any{{"1", "1", "a"}}, err: lost}, dst, job(t), copy.Options{})
	if !errors.Is(err, lost) || err.Error() != `table "mdl_t": read row 2: connection lost` {
		t.Errorf("got %v", err)
	}
	if _, err := decode(dst.got.Bytes()); err == nil {
		t.Error("the target got a complete stream")
	}
}

func TestTargetFails(t *testing.T) {
	// Far more rows than there are buffers: the writer must not wait for ever.
	src := &table{}
	for range 100000 {
		src.rows = append(src.rows, []any{"1", "1", "some text"})
	}
	gone := &pgconn.PgError{Severity: "FATAL", Code: "57P01", Message: "terminating", Hint: "try again"}
	_, err := copy.Table(t.Context(), src, &server{refuse: gone, after: 50000}, job(t), copy.Options{Buffer: 4096})
	if !errors.Is(err, gone) || !strings.Contains(err.Error(), "try again") {
		t.Errorf("got %v", err)
	}
}

func TestCancel(t *testing.T) {
	src := &table{}
	for range 100000 {
		src.rows = append(src.rows, []any{"1", "1", "some text"})
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	time.AfterFunc(20*time.Millisecond, func() { cancel(stop) })
	_, err := copy.Table(ctx, src, &server{lag: time.Millisecond}, job(t), copy.Options{Buffer: 4096})
	if !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if src.open != 0 {
		t.Error("the result set is still open")
	}
}

func TestLostRows(t *testing.T) {
	_, err := copy.Table(t.Context(), &table{rows: [][]any{{"1", "1", "a"}}}, &server{noCount: true}, job(t), copy.Options{})
	if err == nil || !strings.Contains(err.Error(), "1 rows were sent but PostgreSQL stored 0") {
		t.Errorf("got %v", err)
	}
}

func TestJobsThatCannotBe(t *testing.T) {
	for _, test := range []struct {
		name string
		job  copy.Job
		want string
	}{
		{"no columns", copy.Job{Table: "t"}, `table "t": a copy of 0 columns is not possible`},
		{"no rule", copy.Job{Table: "t", Columns: []copy.Column{{Source: "a"}}}, `table "t": column "a" has no rule for its values`},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := &table{}
			if _, err := copy.Table(t.Context(), src, &server{}, test.job, copy.Options{}); err == nil || err.Error() != test.want || len(src.queries) > 0 {
				t.Errorf("got %v, asked %v", err, src.queries)
			}
		})
	}
}
