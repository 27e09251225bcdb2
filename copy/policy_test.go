package copy_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/schema"
)

// policyJob copies id bigint (key), n smallint NOT NULL, d date, name varchar(5) NOT NULL, body text, j jsonb.
func policyJob(t testing.TB, policy copy.Policy) copy.Job {
	t.Helper()
	of := func(name string, length int64, notNull bool) schema.Column {
		return schema.Column{Type: schema.Type{Name: name, Length: length}, NotNull: notNull}
	}
	j := copy.Job{
		Table: "mdl_t", Query: "SELECT", CopySQL: "COPY mdl_t", KeyOrdered: true, Policy: policy,
		Columns: []copy.Column{
			column(t, "id", of("bigint", 0, true), of("bigint", 0, true)),
			column(t, "n", of("decimal", 0, false), of("smallint", 0, true)),
			column(t, "d", of("date", 0, false), of("date", 0, false)),
			column(t, "name", of("longtext", 0, true), of("character varying", 5, true)),
			column(t, "body", of("longblob", 0, false), of("text", 0, false)),
			column(t, "j", of("longtext", 0, false), of("jsonb", 0, false)),
		},
	}
	j.Columns[0].Key = true
	return j
}

// nothing is a row that fits, and on to which others are made.
func nothing(id int) []any { return []any{fmt.Sprint(id), "1", "2024-02-29", "ok", "text", `{"a": 1}`} }

// with changes values of a row.
func with(row []any, changes ...any) []any {
	row = slices.Clone(row)
	for i := 0; i < len(changes); i += 2 {
		row[changes[i].(int)] = changes[i+1]
	}
	return row
}

// badBytes is PostgreSQL's answer to bytes that are no text.
func badBytes() *pgconn.PgError {
	return &pgconn.PgError{Severity: "ERROR", Code: "22021", Message: `invalid byte sequence for encoding "UTF8"`, Where: "COPY mdl_t, line 1, column body"}
}

// outcome is what a copy under a policy left behind.
type outcome struct {
	rows    [][]any
	changes []string // key column kind rule before after
	rejects [][]any  // key, column, kind, reason, then the fields
}

// run copies a table as a caller does: again as long as it is told to.
func run(t testing.TB, src *table, j copy.Job, refusals []*pgconn.PgError, opts copy.Options) (outcome, error) {
	t.Helper()
	for {
		dst := &server{}
		if len(refusals) > 0 {
			// A server refuses what it was sent, not what will come.
			dst.refuse, dst.after, refusals = refusals[0], 100, refusals[1:]
		}
		result, err := copy.Table(context.Background(), src, dst, j, opts)
		var again *copy.RetryError
		if errors.As(err, &again) {
			j.Repair = again.Repair
			continue
		}
		if err != nil {
			return outcome{}, err
		}
		o := outcome{rows: decoded(t, &dst.got)}
		if result.Rows != int64(len(o.rows)) {
			t.Fatalf("%d rows told, %d sent", result.Rows, len(o.rows))
		}
		if result.Touched != nil {
			o.lists(t, result.Touched)
		}
		return o, nil
	}
}

func decoded(t testing.TB, r io.Reader) [][]any {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// lists reads the lists, twice to see that they can be.
func (o *outcome) lists(t testing.TB, touched *copy.Touched) {
	t.Helper()
	for range 2 {
		o.changes, o.rejects = nil, nil
		for _, r := range decoded(t, touched.Changes(7)) {
			if r[0] != int8(7) || r[1] != "mdl_t" {
				t.Fatalf("run and table: %q", r[:2])
			}
			texts := make([]string, 0, 6)
			for _, v := range r[2:] {
				texts = append(texts, shown(v))
			}
			o.changes = append(o.changes, strings.Join(texts, " | "))
		}
		for _, r := range decoded(t, touched.Rejects(7)) {
			if r[0] != int8(7) || r[1] != "mdl_t" || !cmp.Equal(elements(r[6]), []any{"id", "n", "d", "name", "body", "j"}) {
				t.Fatalf("run, table, columns: %q", r)
			}
			o.rejects = append(o.rejects, append(r[2:6:6], elements(r[7])...))
		}
	}
	if touched.Changed != int64(len(o.changes)) || touched.Rejected != int64(len(o.rejects)) {
		t.Fatalf("told %d and %d", touched.Changed, touched.Rejected)
	}
	if err := touched.Close(); err != nil {
		t.Fatal(err)
	}
}

func shown(v any) string {
	if v == nil {
		return "NULL"
	}
	return fmt.Sprintf("%q", v)
}

// elements reads an array of one dimension.
func elements(field any) []any {
	b := []byte(field.(string))
	n := binary.BigEndian.Uint32(b[12:])
	b = b[20:]
	list := []any{}
	for range n {
		size := int32(binary.BigEndian.Uint32(b))
		b = b[4:]
		if size < 0 {
			list = append(list, nil)
			continue
		}
		list = append(list, string(b[:size]))
		b = b[size:]
	}
	if len(b) > 0 {
		panic("bytes after the array")
	}
	return list
}

// ways are how rows can come: in one buffer, over several, or too large for the reader.
func ways() map[string]struct {
	largeFrom int
	opts      copy.Options
} {
	return map[string]struct {
		largeFrom int
		opts      copy.Options
	}{
		"small":  {0, copy.Options{}},
		"spread": {0, copy.Options{Buffer: 4096, Buffers: 2}},
		"large":  {1, copy.Options{Buffer: 4096}},
	}
}

func TestPolicies(t *testing.T) {
	const n, d, name, body, j = 1, 2, 3, 4, 5
	long := strings.Repeat("ä", 60000)
	fix := copy.Policy{Mode: convert.FixBad}
	quarantine := copy.Policy{Mode: convert.QuarantineBad}
	one := func(kind convert.ErrorKind, rule convert.FixRule) copy.Policy {
		return copy.Policy{Fixes: convert.Fixes{kind: rule}}
	}
	row := nothing(41)
	tests := []struct {
		name    string
		policy  copy.Policy
		row     []any
		bytes   bool // PostgreSQL refuses it first
		stored  []any
		changes []string
		reject  []any // key, column, kind, reason
		err     string
	}{
		{name: "no fault", policy: fix, row: row, stored: row},
		{name: "no fault after a refusal", policy: fix, row: row, bytes: true, stored: row},
		{
			name: "out of range", policy: fix, row: with(row, n, "40000"), stored: with(row, n, "32767"),
			changes: []string{`"id=41" | "n" | "out-of-range" | "clamp" | "40000" | "32767"`},
		},
		{
			name: "one rule without a mode", policy: one(convert.OutOfRange, convert.FixClamp), row: with(row, n, "-40000"), stored: with(row, n, "-32768"),
			changes: []string{`"id=41" | "n" | "out-of-range" | "clamp" | "-40000" | "-32768"`},
		},
		{
			name: "two faults of one value", policy: fix, row: with(row, n, "32767.5"), stored: with(row, n, "32767"),
			changes: []string{`"id=41" | "n" | "not-exact,out-of-range" | "round,clamp" | "32767.5" | "32767"`},
		},
		{
			name: "null", policy: fix, row: with(row, n, nil), stored: with(row, n, "0"),
			changes: []string{`"id=41" | "n" | "null" | "empty" | NULL | "0"`},
		},
		{
			name: "zero date", policy: fix, row: with(row, d, "0000-00-00"), stored: with(row, d, nil),
			changes: []string{`"id=41" | "d" | "zero-date" | "null" | "0000-00-00" | NULL`},
		},
		{
			name: "too long", policy: fix, row: with(row, name, "äöüßéè"), stored: with(row, name, "äöüßé"),
			changes: []string{`"id=41" | "name" | "too-long" | "truncate" | "äöüßéè" | "äöüßé"`},
		},
		{
			name: "far too long", policy: fix, row: with(row, name, long), stored: with(row, name, "äääää"),
			changes: []string{`"id=41" | "name" | "too-long" | "truncate" | ` + shown(long) + ` | "äääää"`},
		},
		{
			name: "nul and invalid", policy: fix, row: with(row, body, "a\x00b\xe9\x00"), bytes: true, stored: with(row, body, "abé"),
			changes: []string{`"id=41" | "body" | "nul-byte,invalid-utf8" | "strip,cp1252" | "a\x00b\xe9\x00" | "abé"`},
		},
		{
			name: "nul at the end of a long text", policy: fix, row: with(row, body, long+"\x00"), bytes: true, stored: with(row, body, long),
			changes: []string{`"id=41" | "body" | "nul-byte" | "strip" | ` + shown(long+"\x00") + ` | ` + shown(long)},
		},
		{
			name: "nul in jsonb", policy: fix, row: with(row, j, "\"\x00\""), bytes: true, stored: with(row, j, `""`),
			changes: []string{`"id=41" | "j" | "nul-byte" | "strip" | "\"\x00\"" | "\"\""`},
		},
		{
			name: "invalid becomes too long", policy: fix, row: with(row, name, "\x80\x81\x82\xf0\x9fab"), bytes: true, stored: with(row, name, "€\uFFFD‚ðŸ"),
			changes: []string{`"id=41" | "name" | "invalid-utf8,too-long" | "cp1252,truncate" | "\x80\x81\x82\xf0\x9fab" | "€�‚ðŸ"`},
		},
		{
			name: "invalid becomes too long, which stops", policy: copy.Policy{Mode: convert.FixBad, Fixes: convert.Fixes{convert.TooLong: convert.FixStop}},
			row: with(row, name, "\x80\x81\x82\xf0\x9fab"), bytes: true,
			err: `table "mdl_t", column "name", row with id=41: "€�‚ðŸab" is too long for character varying(5): 7 characters, 5 allowed; ` +
				`correct the value in the source, or make the target's column wide enough; a rule for values of kind too-long could be: truncate, null, quarantine, which sets the row aside`,
		},
		{
			name: "a text made null", policy: copy.Policy{Mode: convert.FixBad, Fixes: convert.Fixes{convert.NulByte: convert.FixNull}},
			row: with(row, body, "\xff\x00"), bytes: true, stored: with(row, body, nil),
			changes: []string{`"id=41" | "body" | "invalid-utf8,nul-byte" | "cp1252,null" | "\xff\x00" | NULL`},
		},
		{
			name: "several values", policy: fix, row: with(row, n, nil, d, "2023-02-31", name, "abcdef"), stored: with(row, n, "0", d, nil, name, "abcde"),
			changes: []string{
				`"id=41" | "n" | "null" | "empty" | NULL | "0"`, `"id=41" | "d" | "bad-date" | "null" | "2023-02-31" | NULL`,
				`"id=41" | "name" | "too-long" | "truncate" | "abcdef" | "abcde"`,
			},
		},
		{
			name: "the key itself", policy: fix, row: with(row, 0, "9223372036854775808"), stored: with(row, 0, "9223372036854775807"),
			changes: []string{`"id=9223372036854775808" | "id" | "out-of-range" | "clamp" | "9223372036854775808" | "9223372036854775807"`},
		},
		{
			name: "quarantine", policy: quarantine, row: with(row, n, "40000"),
			reject: []any{"id=41", "n", "out-of-range", `"40000" is out of range for smallint`},
		},
		{
			name: "quarantine of several faults", policy: quarantine, row: with(row, n, nil, d, "0000-00-00", body, "a\x00\xff"),
			reject: []any{
				"id=41", "n", "null", `column "n": NULL is not allowed in this column: the target's column is NOT NULL; ` +
					`column "d": "0000-00-00" is a zero date, which date does not have; ` +
					`column "body": "a\x00\xff" holds a zero byte, which text cannot store: at byte 2; ` +
					`column "body": "a\x00\xff" is not valid UTF-8, which text must be: 0xff at byte 3`,
			},
		},
		{
			name: "quarantine of one kind only", policy: copy.Policy{Mode: convert.FixBad, Fixes: convert.Fixes{convert.ZeroDate: convert.FixQuarantine}},
			row:    with(row, n, "40000", d, "0000-00-00"),
			reject: []any{"id=41", "d", "zero-date", `"0000-00-00" is a zero date, which date does not have`},
		},
		{
			name: "quarantine of text", policy: quarantine, row: with(row, body, long+"\x00"), bytes: true,
			reject: []any{"id=41", "body", "nul-byte", `..."ääääääääääää\x00" holds a zero byte, which text cannot store: at byte 120001`},
		},
		{
			name: "stop for one kind", policy: copy.Policy{Mode: convert.QuarantineBad, Fixes: convert.Fixes{convert.ZeroDate: convert.FixStop}},
			row: with(row, n, nil, d, "0000-00-00"),
			err: `table "mdl_t", column "d", row with id=41: "0000-00-00" is a zero date, which date does not have; set a real date, or NULL, in the source; ` +
				`a rule for values of kind zero-date could be: null, epoch, clamp, quarantine, which sets the row aside`,
		},
		{
			name: "a rule that cannot be applied", policy: one(convert.TooLong, convert.FixNull), row: with(row, name, "abcdef"),
			err: `table "mdl_t", column "name", row with id=41: "abcdef" is too long for character varying(5): 6 characters, 5 allowed; ` +
				`correct the value in the source, or make the target's column wide enough; ` +
				`the rule "null" for too-long cannot be applied: the target's column is NOT NULL; a rule for values of kind too-long could be: truncate, quarantine, which sets the row aside`,
		},
		{
			name: "a text that cannot be null", policy: one(convert.NulByte, convert.FixNull), row: with(row, name, "a\x00"), bytes: true,
			err: `table "mdl_t", column "name", row with id=41: "a\x00" holds a zero byte, which character varying(5) cannot store: at byte 2; ` +
				`remove the zero bytes in the source, for example with REPLACE(column, CHAR(0), ''); ` +
				`the rule "null" for nul-byte cannot be applied: the target's column is NOT NULL; a rule for values of kind nul-byte could be: strip, replacement, quarantine, which sets the row aside`,
		},
		{
			name: "quarantine where the other rule cannot be applied", row: with(row, name, "abcdef", d, "0000-00-00"),
			policy: copy.Policy{Mode: convert.QuarantineBad, Fixes: convert.Fixes{convert.TooLong: convert.FixNull}},
			reject: []any{"id=41", "d", "zero-date", `"0000-00-00" is a zero date, which date does not have`},
		},
	}
	for _, test := range tests {
		for way, w := range ways() {
			t.Run(test.name+", "+way, func(t *testing.T) {
				src := &table{rows: [][]any{nothing(1), with(nothing(2), body, strings.Repeat("x", 9000)), test.row, nothing(99)}, largeFrom: w.largeFrom}
				var refusals []*pgconn.PgError
				if test.bytes {
					refusals = append(refusals, badBytes())
				}
				got, err := run(t, src, policyJob(t, test.policy), refusals, w.opts)
				if test.err != "" {
					if err == nil {
						t.Fatal("no error")
					}
					if diff := cmp.Diff(test.err, err.Error()); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				want := [][]any{binaryRow(t, src.rows[0]), binaryRow(t, src.rows[1])}
				if test.stored != nil {
					want = append(want, binaryRow(t, test.stored))
				} else if len(got.rejects) != 1 || !cmp.Equal(got.rejects[0], slices.Concat(test.reject, test.row)) {
					t.Errorf("set aside (-want +got):\n%s", cmp.Diff([][]any{slices.Concat(test.reject, test.row)}, got.rejects))
				}
				want = append(want, binaryRow(t, src.rows[3]))
				if diff := cmp.Diff(want, got.rows); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.changes, got.changes); diff != "" {
					t.Errorf("changes (-want +got):\n%s", diff)
				}
				if src.open != 0 {
					t.Error("a result set is still open")
				}
			})
		}
	}
}

// binaryRow is a row of a policyJob as it is sent.
func binaryRow(t testing.TB, row []any) []any {
	t.Helper()
	out := make([]any, len(row))
	for i, c := range policyJob(t, copy.Policy{}).Columns {
		s, ok := row[i].(string)
		if !ok {
			continue
		}
		if c.Rule.Raw {
			out[i] = string(c.Rule.Prefix) + s
			continue
		}
		field, err := c.Rule.Encode(nil, []byte(s))
		if err != nil {
			t.Fatal(err)
		}
		out[i] = string(field)
	}
	return out
}

func TestPoliciesThatCannotBe(t *testing.T) {
	for want, policy := range map[string]copy.Policy{
		`table "mdl_t": unknown mode "skip" for bad values`:                                                               {Mode: "skip"},
		`table "mdl_t": "strip" is no rule for bad values of kind zero-date: give null, epoch, clamp, quarantine or stop`: {Fixes: convert.Fixes{convert.ZeroDate: convert.FixStrip}},
	} {
		if _, err := run(t, &table{}, policyJob(t, policy), nil, copy.Options{}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestRowsWithoutKeyAreListedByNumber(t *testing.T) {
	j := policyJob(t, copy.Policy{Mode: convert.FixBad})
	j.Columns[0].Key = false
	got, err := run(t, &table{rows: [][]any{nothing(1), with(nothing(2), 1, nil)}}, j, nil, copy.Options{})
	if err != nil || !cmp.Equal(got.changes, []string{`"row number 2 as read" | "n" | "null" | "empty" | NULL | "0"`}) {
		t.Errorf("%v, %v", got.changes, err)
	}
}

func TestLongKeysAreListedWhole(t *testing.T) {
	key := strings.Repeat("schlüssel ", 30)
	j := policyJob(t, copy.Policy{Mode: convert.FixBad})
	j.Columns[4].Key = true
	for way, w := range ways() {
		got, err := run(t, &table{rows: [][]any{with(nothing(1), 1, nil, 4, key)}, largeFrom: w.largeFrom}, j, nil, w.opts)
		if err != nil || !cmp.Equal(got.changes, []string{fmt.Sprintf(`%q | "n" | "null" | "empty" | NULL | "0"`, fmt.Sprintf("id=1 AND body=%q", key))}) {
			t.Errorf("%s: %v, %v", way, got.changes, err)
		}
	}
}

func TestSamples(t *testing.T) {
	long := strings.Repeat("ä", 100)
	policy := copy.Policy{Mode: convert.FixBad, Fixes: convert.Fixes{convert.ZeroDate: convert.FixQuarantine}}
	src := &table{rows: [][]any{
		with(nothing(1), 3, long), with(nothing(2), 1, nil), with(nothing(3), 2, "0000-00-00", 1, nil), with(nothing(4), 2, "2023-02-31"),
	}}
	result, err := copy.Table(t.Context(), src, &server{}, policyJob(t, policy), copy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = result.Touched.Close() }()
	want := []copy.Change{
		{Table: "mdl_t", Key: "id=1", Column: "name", Kind: "too-long", Rule: "truncate", Before: convert.Printable([]byte(long)), After: `"äääää"`},
		{Table: "mdl_t", Key: "id=2", Column: "n", Kind: "null", Rule: "empty", Before: "NULL", After: `"0"`},
	}
	changes, err := result.Touched.Sample(2)
	if diff := cmp.Diff(want, changes); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	rejects, err := result.Touched.SampleRejects(5)
	set := []copy.Reject{{Table: "mdl_t", Key: "id=3", Column: "d", Kind: "zero-date", Reason: `"0000-00-00" is a zero date, which date does not have`}}
	if diff := cmp.Diff(set, rejects); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if changes, err := result.Touched.Sample(100); len(changes) != 3 || err != nil {
		t.Errorf("%v, %v", changes, err)
	}
}
