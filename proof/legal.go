package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// The kinds of [Legal].
const (
	LegalChanged   = "changed-by-policy"
	LegalRejected  = "rejected-by-policy"
	LegalSkipped   = "data-skipped"
	LegalRendering = "rendering"
	LegalBeyond    = "beyond-snapshot"
)

// ledger is what the last migration into the side found has recorded. What its policy
// did to single rows is asked for where rows differ: see explain.
type ledger struct {
	run postgres.RunRecord
	// tables are those of the run, by their names in the target.
	tables map[string]postgres.TableRecord
}

// readLedger reads the ledger of the side found, where there is one.
func (r *run) readLedger(ctx context.Context) (*ledger, error) {
	if r.found.postgres == nil {
		return nil, nil
	}
	l, err := r.found.lastRun(ctx)
	if err == nil || ctx.Err() != nil {
		return l, ctx.Err()
	}
	r.notice("what the migration recorded could not be read, so that values which it changed by a policy count as differences: %v", err)
	return nil, nil
}

// lastRun reads the last migration into the schema that ended well; nil when there is none.
func (db *database) lastRun(ctx context.Context) (*ledger, error) {
	runs, err := db.postgres.Runs(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(runs, func(x postgres.RunRecord) bool {
		return x.State == postgres.RunDone && (x.Publish == db.schema.Name || x.Load == db.schema.Name)
	})
	if i < 0 {
		return nil, nil
	}
	l := &ledger{run: runs[i], tables: map[string]postgres.TableRecord{}}
	contents, err := db.postgres.RunContents(ctx, l.run.ID)
	if err != nil {
		return nil, err
	}
	for _, t := range contents.Tables {
		l.tables[t.Table] = t
	}
	return l, nil
}

// skipped takes out the tables whose rows the migration was told to leave, and that are still empty.
func (r *run) skipped(ctx context.Context, l *ledger) error {
	if l == nil {
		return nil
	}
	var kept []*pair
	for _, p := range r.pairs {
		record, ok := l.tables[p.found.table.Name]
		if !ok || record.Copies {
			kept = append(kept, p)
			continue
		}
		filled, err := r.found.filled(ctx, p.found.table.Name)
		if err != nil {
			return err
		}
		if filled {
			kept = append(kept, p)
			continue
		}
		message := fmt.Sprintf("migration %d made the table without its rows", l.run.ID)
		r.left = append(r.left, LeftOut{Table: p.Name, Side: BothSides, Reason: message + ", as it was told", Counts: verify.Same})
		r.legal = append(r.legal, Legal{Table: p.Name, Kind: LegalSkipped, Rows: max(p.expected.table.Rows, 0), Message: message})
	}
	r.pairs = kept
	return nil
}

// excuse takes the differences out that a policy has made: rows that it has set
// aside, and values that were changed, where what is found is still what it made of them.
func (r *run) excuse(ctx context.Context, l *ledger, results []verify.TableResult) error {
	for i := range results {
		t := &results[i]
		j := slices.IndexFunc(r.pairs, func(p *pair) bool { return p.Name == t.Name })
		if j < 0 || t.State != verify.Different || len(t.Differing) == 0 || !l.touched(r.pairs[j]) {
			continue
		}
		r.step("look up what the migration changed in table " + t.Name)
		if err := r.excuseTable(ctx, l, r.pairs[j], t, r.sides[1]); err != nil {
			return err
		}
	}
	return nil
}

// listed is how many differences of a table are listed.
func (o *Options) listed() int {
	switch {
	case o.MaxDifferences == 0:
		return 20
	case o.MaxDifferences < 0:
		return 0
	}
	return o.MaxDifferences
}

// excuseTable looks at all rows of a table that differ, and leaves those that a policy explains. The
// error is that of ctx.
func (r *run) excuseTable(ctx context.Context, l *ledger, p *pair, t *verify.TableResult, found verify.Side) error {
	rest := verify.TableResult{Problem: t.Problem}
	var sum explained
	for _, part := range t.Differing {
		x, err := r.excusePart(ctx, l, p, part, found, &rest)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if t.Problem == "" {
				err = fmt.Errorf("which of the rows that differ migration %d changed or set aside could not be told, so that all of them count: %w", l.run.ID, err)
				t.Problem, t.Masked = err.Error(), masked(err)
			}
			return nil
		}
		sum.changed, sum.rejected = sum.changed+x.changed, sum.rejected+x.rejected
	}
	t.Missing, t.Extra, t.Changed, t.Differences = rest.Missing, rest.Extra, rest.Changed, rest.Differences
	t.Differing, t.DifferingFound, t.DifferentParts = rest.Differing, rest.DifferingFound, len(rest.Differing)
	if t.DifferentParts == 0 {
		if t.State = verify.Same; t.Problem != "" {
			t.State = verify.Unknown
		}
	}
	r.explains(l, t.Name, sum)
	return nil
}

// excusePart adds what is left of a part to rest.
func (r *run) excusePart(ctx context.Context, l *ledger, p *pair, part verify.Part, found verify.Side, rest *verify.TableResult) (x explained, err error) {
	d, err := verify.FindRows(ctx, r.sides[0], found, &p.Table, part, verify.Options{Memory: r.opts.Memory / 2})
	if err != nil {
		return x, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if x, err = r.explain(ctx, l, p, d); err != nil {
		return x, err
	}
	if d.Missing+d.Extra+d.Changed == 0 {
		return x, nil
	}
	list, err := d.List(ctx, r.opts.listed()-len(rest.Differences))
	rest.Differing, rest.DifferingFound = append(rest.Differing, part), append(rest.DifferingFound, d.Found())
	rest.Missing, rest.Extra, rest.Changed = rest.Missing+d.Missing, rest.Extra+d.Extra, rest.Changed+d.Changed
	rest.Differences = append(rest.Differences, list...)
	return x, err
}

// explains lists what was explained of a table.
func (r *run) explains(l *ledger, table string, x explained) {
	if x.changed > 0 {
		r.legal = append(r.legal, Legal{
			Table: table, Kind: LegalChanged, Rows: x.changed,
			Message: fmt.Sprintf("migration %d could not store values of %s as they were; what it stored is still there", l.run.ID, english.Plural(int(x.changed), "row", "")),
		})
	}
	if x.rejected > 0 {
		r.legal = append(r.legal, Legal{
			Table: table, Kind: LegalRejected, Rows: x.rejected,
			Message: fmt.Sprintf("migration %d set %s aside; they are in the table moodledb.rejected_row", l.run.ID, english.Plural(int(x.rejected), "row", "")),
		})
	}
}

// touched reports whether the policy did anything to rows of a table.
func (l *ledger) touched(p *pair) bool {
	if l == nil {
		return false
	}
	t := l.tables[p.found.table.Name]
	return t.Changed+t.Rejected > 0
}

// beyond states that the expected side has changed since it was migrated, where that can be told.
func (r *run) beyond(l *ledger) {
	side, ok := r.sides[0].(*mysqlSide)
	if !ok || l == nil {
		return
	}
	var then struct{ Mark mysql.Mark }
	if err := json.Unmarshal(l.run.Snapshot, &then); err != nil {
		r.notice("the moment that migration %d copied could not be read: %v", l.run.ID, err)
		return
	}
	if side.snapshot.Mark.Since(then.Mark) == mysql.Changed {
		r.legal = append(r.legal, Legal{
			Kind: LegalBeyond,
			Message: fmt.Sprintf("the expected side was written to after the moment that migration %d copied: what came or changed there since then counts as a difference",
				l.run.ID),
		})
	}
}

// renderings state how values are compared that two engines print in different ways.
func (r *run) renderings() {
	count := map[string]int64{}
	for _, p := range r.pairs {
		for i, c := range p.Columns {
			e, f := p.expected.table.Column(p.expected.fields[i].column), p.found.table.Column(p.found.fields[i].column)
			if e == nil || f == nil {
				continue
			}
			if how := rendering(e, f, c.Type); how != "" {
				count[how]++
			}
		}
	}
	for _, how := range []string{floatRendering, blankRendering, jsonRendering, numericRendering, castRendering} {
		if n := count[how]; n > 0 {
			r.legal = append(r.legal, Legal{Kind: LegalRendering, Message: fmt.Sprintf("%s (%s)", how, english.Plural(int(n), "column", ""))})
		}
	}
}

// The ways in which values count as equal that are not the same bytes.
const (
	floatRendering   = "floating-point numbers are compared by their bits, not by what the servers print of them"
	blankRendering   = "blanks at the end of character(n) mean nothing and are not compared"
	jsonRendering    = "JSON is compared by what it means: blanks and the order of keys are not compared"
	numericRendering = "decimal numbers of different or no fixed scale are compared by value: 1.5 is 1.50"
	castRendering    = "values of two types are compared in a type that holds both"
)

// rendering is the way in which the values of two columns are compared; empty where it is by their bytes.
func rendering(e, f *schema.Column, typ string) string {
	switch {
	case typ == "real" || typ == "double precision":
		return floatRendering
	case typ == "bpchar":
		return blankRendering
	case typ == "jsonb":
		return jsonRendering
	case typ == "numeric":
		return numericRendering
	case e.Type.Name != f.Type.Name && plainName(e.Type) != typ && plainName(f.Type) != typ:
		return castRendering
	}
	return ""
}
