package copy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/schema"
)

// mixed are rows of every size.
func mixed() *table {
	src := &table{largeFrom: 100000}
	for i := range 300 {
		body := []string{"x", strings.Repeat("m", 5000), "", strings.Repeat("0123456789", 20000)}[i%4]
		src.rows = append(src.rows, []any{fmt.Sprint(i), "1", body})
	}
	return src
}

// TestEncodeIsWhatTableSends: the same bytes, and the sum of them.
func TestEncodeIsWhatTableSends(t *testing.T) {
	for _, src := range []*table{mixed(), {}} {
		var sent server
		result, err := copy.Table(t.Context(), src, &sent, job(t), copy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		encoded, err := copy.Encode(t.Context(), src, job(t), &out, copy.Options{Buffer: 5000})
		if err != nil {
			t.Fatal(err)
		}
		if want := (copy.Result{Rows: int64(len(src.rows)), Bytes: int64(out.Len())}); encoded != want {
			t.Errorf("result %+v, want %+v", encoded, want)
		}
		// An empty table is not worth a COPY, but a complete stream all the same.
		if len(src.rows) > 0 && !bytes.Equal(out.Bytes(), sent.got.Bytes()) {
			t.Error("the bytes differ")
		}
		s := fingerprint.NewStream(job(t).Fingerprint())
		if _, err := s.Write(out.Bytes()); err != nil || s.End() != nil {
			t.Fatal(err, s.End())
		}
		if s.Sum() != result.Sum || result.Sum.Rows != int64(len(src.rows)) {
			t.Errorf("the sum is %s, want %s", result.Sum, s.Sum())
		}
		if src.open != 0 {
			t.Error("a result set is still open")
		}
	}
}

// TestUnsummed: without a fingerprint the same bytes are sent.
func TestUnsummed(t *testing.T) {
	src := mixed()
	var summed, unsummed server
	want, err := copy.Table(t.Context(), src, &summed, job(t), copy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := copy.Table(t.Context(), src, &unsummed, job(t), copy.Options{Unsummed: true})
	if err != nil {
		t.Fatal(err)
	}
	if want.Sum.Rows == 0 || got.Sum != (fingerprint.Sum{}) || got.Rows != want.Rows || got.Bytes != want.Bytes {
		t.Errorf("%+v, want what is in %+v without the sum", got, want)
	}
	if !bytes.Equal(summed.got.Bytes(), unsummed.got.Bytes()) {
		t.Error("the bytes differ")
	}
}

// TestSumIsOfTheCanonicalForm: what PostgreSQL stores otherwise has the sum of what it stores.
func TestSumIsOfTheCanonicalForm(t *testing.T) {
	of := func(target, value string) fingerprint.Sum {
		j := copy.Job{Table: "t", CopySQL: "COPY t", Columns: []copy.Column{
			column(t, "v", schema.Column{Type: schema.Type{Name: "varchar", Length: 40}}, schema.Column{Type: schema.Type{Name: target, Length: 40}}),
		}}
		result, err := copy.Table(t.Context(), &table{rows: [][]any{{value}}}, &server{}, j, copy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return result.Sum
	}
	if of("jsonb", `{"b":1,"a":2}`) != of("jsonb", `{"a": 2, "b": 1}`) || of("jsonb", `{"b":1}`) == of("jsonb", `{"b":2}`) {
		t.Error("the sum of a jsonb is not that of its meaning")
	}
	if of("text", "a") == of("text", "A") {
		t.Error("case does not count")
	}
}

// failing is a writer that fails after so many bytes.
type failing struct {
	left int
	err  error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, f.err
	}
	return len(p), nil
}

func TestEncodeErrors(t *testing.T) {
	full := errors.New("the writer is full")
	src := mixed()
	if _, err := copy.Encode(t.Context(), src, job(t), &failing{left: 100000, err: full}, copy.Options{Buffer: 4096}); err != full {
		t.Errorf("the writer's error came as %v", err)
	}
	bad := &table{rows: [][]any{{"1", "1", "a"}, {"41", "40000", "a"}}}
	_, err := copy.Encode(t.Context(), bad, job(t), &bytes.Buffer{}, copy.Options{})
	var row *copy.RowError
	if !errors.As(err, &row) || row.Key != "id=41" || row.Kind() != convert.OutOfRange {
		t.Errorf("got %v", err)
	}
	lost := errors.New("connection lost")
	_, err = copy.Encode(t.Context(), &table{rows: [][]any{{"1", "1", "a"}}, err: lost}, job(t), &bytes.Buffer{}, copy.Options{})
	if !errors.Is(err, lost) || err.Error() != `table "mdl_t": read row 2: connection lost` {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	cancel(stop)
	if _, err = copy.Encode(ctx, src, job(t), &bytes.Buffer{}, copy.Options{}); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if src.open+bad.open != 0 {
		t.Error("a result set is still open")
	}
	_, err = copy.Encode(t.Context(), &table{}, copy.Job{Table: "t"}, &bytes.Buffer{}, copy.Options{})
	if diff := cmp.Diff(`table "t": a copy of 0 columns is not possible`, fmt.Sprint(err)); diff != "" {
		t.Error(diff)
	}
}
