package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/verify"
)

// listedDifferences is how many rows that differ an error lists.
const listedDifferences = 5

// explain looks for the rows of a table that are not what was sent, by reading
// it once more at both ends, and adds them to the error. When it cannot, the error stays as it is.
func (r *run) explain(ctx context.Context, states []*tableState, e *MismatchError) {
	at := slices.IndexFunc(states, func(s *tableState) bool { return s.plan.Target == e.Table })
	s := states[at]
	// What a policy has changed would be found, too.
	if ctx.Err() != nil || s.result.Changed+s.result.Rejected > 0 || s.plan.NoTransactions {
		return
	}
	reader := r.living(ctx)
	if reader == nil {
		return
	}
	r.send(Notice{Message: fmt.Sprintf("table %q is not what was sent: looking for the rows", e.Table)})
	conn, err := r.target.Acquire(ctx)
	if err != nil {
		return
	}
	defer conn.Release()
	t := s.comparable()
	results, err := verify.Compare(ctx, sentSide{r, s.plan, reader}, foundSide{r, s.plan, conn}, []verify.Table{t},
		verify.Options{Jobs: 1, MaxDifferences: listedDifferences, Memory: r.plan.Memory / 8})
	if err == nil && results[0].State == verify.Different {
		e.Result = &results[0]
	}
}

// living is a reader of the moment that is copied, if one is left: those that
// were at work when the run ended were cut off.
func (r *run) living(ctx context.Context) *mysql.Reader {
	r.mu.Lock()
	all := slices.Concat(r.sources.spares, r.sources.readers)
	r.mu.Unlock()
	for _, x := range all {
		if x != nil && x.Lost(ctx) == nil {
			return x
		}
	}
	return nil
}

// comparable is the table in the words of package verify.
func (s *tableState) comparable() verify.Table {
	t := s.plan
	out := verify.Table{Name: t.Target, Parts: t.keyParts(s.landedChunks), Rows: s.committed.rows, Bytes: s.committed.bytes}
	for i, c := range t.Columns {
		typ := t.target.Column(c.Target).Type.Raw
		out.Columns = append(out.Columns, verify.Column{
			Name: c.Target, Type: typ, Key: c.Key, Canon: t.Columns[i].rule.Canon(), Render: verify.Render(typ),
		})
	}
	return out
}

// keyParts are the chunks of a table whose key is a whole number, which both
// ends order alike; else there is one part.
func (t *Table) keyParts(chunks []postgres.ChunkRecord) []verify.Part {
	var parts []verify.Part
	number := func(bound []string) (string, bool) {
		if bound == nil {
			return "", true
		}
		_, err := strconv.ParseInt(bound[0], 10, 64)
		return bound[0], len(bound) == 1 && err == nil
	}
	for _, c := range chunks {
		lower, ok1 := number(c.Lower)
		upper, ok2 := number(c.Upper)
		if !ok1 || !ok2 {
			return []verify.Part{{}}
		}
		parts = append(parts, verify.Part{Lower: lower, Upper: upper, Rows: c.Rows, Bytes: c.Bytes})
	}
	if len(parts) == 0 {
		return []verify.Part{{}}
	}
	return parts
}

// sentSide is the source, as the copy reads it.
type sentSide struct {
	run    *run
	table  *Table
	reader *mysql.Reader
}

// Stream implements [verify.Side].
func (s sentSide) Stream(ctx context.Context, _ *verify.Table, p verify.Part, w io.Writer) error {
	job := s.table.job()
	if p.Lower != "" || p.Upper != "" {
		job.Query = s.table.rangeQuery(mysql.Range{Lower: bounded(p.Lower), Upper: bounded(p.Upper)})
	}
	_, err := copy.Encode(ctx, source{s.reader}, job, w, s.run.copyOptions())
	return err
}

func bounded(bound string) []string {
	if bound == "" {
		return nil
	}
	return []string{bound}
}

// foundSide is the target.
type foundSide struct {
	run   *run
	table *Table
	conn  *postgres.Conn
}

// Stream implements [verify.Side].
func (s foundSide) Stream(ctx context.Context, _ *verify.Table, p verify.Part, w io.Writer) error {
	t, load := s.table, s.run.plan.Load
	statement := check{}.statement(load, t)
	if p.Lower != "" || p.Upper != "" {
		at := slices.IndexFunc(t.Columns, func(c Column) bool { return strings.EqualFold(c.Source, t.key.Columns[0]) })
		if at < 0 {
			return errors.New("the key that the table is divided by is not copied")
		}
		statement = postgres.ReadBackRange(load, t.Target, t.targetColumns(), t.Columns[at].Target, p.Lower, p.Upper)
	}
	return s.conn.CopyTo(ctx, statement, w)
}

// differenceText lists rows that differ, the first of all.
func differenceText(x *verify.TableResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d changed, %d missing, %d extra", x.Changed, x.Missing, x.Extra)
	for i := range x.Differences {
		d := &x.Differences[i]
		var key []string
		for _, k := range d.Key {
			key = append(key, k.Column+"="+k.Value.Text)
		}
		name := "a row"
		if len(key) > 0 {
			name = "the row with " + strings.Join(key, " AND ")
		}
		switch d.Kind {
		case verify.MissingRow:
			fmt.Fprintf(&b, "; %s is missing", name)
		case verify.ExtraRow:
			fmt.Fprintf(&b, "; %s was not sent", name)
		case verify.ChangedRow:
			fmt.Fprintf(&b, "; %s", name)
			for _, c := range d.Columns {
				fmt.Fprintf(&b, ", column %q: %s was sent, and %s is there", c.Column, valueText(c.Expected), valueText(c.Found))
			}
		}
	}
	if rest := x.Changed + x.Missing + x.Extra - int64(len(x.Differences)); rest > 0 {
		fmt.Fprintf(&b, "; and %d more", rest)
	}
	return b.String()
}

func valueText(v *verify.Value) string {
	if v == nil || v.Null {
		return "NULL"
	}
	return v.Text
}
