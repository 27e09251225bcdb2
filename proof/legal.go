package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/convert"
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

// maxTouched bounds how many values and rows that a policy has touched are
// read; a migration of more is no copy any more.
const maxTouched = 10_000

// ledger is what the last migration into the side found has recorded.
type ledger struct {
	run postgres.RunRecord
	// tables are those of the run, by their names in the target.
	tables map[string]postgres.TableRecord
	// changes and rejects are by the table's name at the source, then by key.
	changes map[string]map[string][]postgres.ValueChange
	rejects map[string]map[string]bool
	// most is how many rows of one table a policy has touched.
	most int
}

// readLedger reads the ledger of the side found, where there is one.
func (r *run) readLedger(ctx context.Context) (*ledger, error) {
	if r.found.postgres == nil {
		return nil, nil
	}
	l, changes, rejects, err := r.found.lastRun(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.notice("what the migration recorded could not be read, so that values which it changed by a policy count as differences: %v", err)
		return nil, nil
	}
	if l == nil {
		return nil, nil
	}
	for _, c := range changes {
		if l.changes[c.Table] == nil {
			l.changes[c.Table] = map[string][]postgres.ValueChange{}
		}
		l.changes[c.Table][c.Key] = append(l.changes[c.Table][c.Key], c)
		l.most = max(l.most, len(l.changes[c.Table])+len(l.rejects[c.Table]))
	}
	for _, x := range rejects {
		if l.rejects[x.Table] == nil {
			l.rejects[x.Table] = map[string]bool{}
		}
		l.rejects[x.Table][x.Key] = true
		l.most = max(l.most, len(l.changes[x.Table])+len(l.rejects[x.Table]))
	}
	if len(changes) == maxTouched || len(rejects) == maxTouched {
		r.notice("the migration's policy touched more than %d values or rows; those beyond that count as differences", maxTouched)
	}
	return l, nil
}

// lastRun reads the last migration into the schema that ended well; nil when there is none.
func (db *database) lastRun(ctx context.Context) (*ledger, []postgres.ValueChange, []postgres.RejectedRow, error) {
	runs, err := db.postgres.Runs(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	i := slices.IndexFunc(runs, func(x postgres.RunRecord) bool {
		return x.State == postgres.RunDone && (x.Publish == db.schema.Name || x.Load == db.schema.Name)
	})
	if i < 0 {
		return nil, nil, nil, nil
	}
	l := &ledger{
		run: runs[i], tables: map[string]postgres.TableRecord{},
		changes: map[string]map[string][]postgres.ValueChange{}, rejects: map[string]map[string]bool{},
	}
	contents, err := db.postgres.RunContents(ctx, l.run.ID)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, t := range contents.Tables {
		l.tables[t.Table] = t
	}
	changes, rejects, err := db.postgres.Touched(ctx, l.run.ID, maxTouched)
	return l, changes, rejects, err
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
func (r *run) excuse(l *ledger, results []verify.TableResult) {
	for i := range results {
		t := &results[i]
		j := slices.IndexFunc(r.pairs, func(p *pair) bool { return p.Name == t.Name })
		if l != nil && j >= 0 && t.State == verify.Different {
			r.excuseTable(l, r.pairs[j], t)
		}
		if most := r.opts.listed(); len(t.Differences) > most {
			t.Differences = t.Differences[:most]
		}
	}
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

func (r *run) excuseTable(l *ledger, p *pair, t *verify.TableResult) {
	var rest []verify.Difference
	var changed, rejected int64
	for _, d := range t.Differences {
		switch l.excuse(p, &d) {
		case LegalRejected:
			rejected++
		case LegalChanged:
			changed++
		default:
			rest = append(rest, d)
		}
	}
	t.Differences, t.Changed, t.Missing = rest, t.Changed-changed, t.Missing-rejected
	if t.Changed+t.Missing+t.Extra == 0 && t.Problem == "" {
		t.State, t.Differing, t.DifferentParts = verify.Same, nil, 0
	}
	if changed > 0 {
		r.legal = append(r.legal, Legal{
			Table: t.Name, Kind: LegalChanged, Rows: changed,
			Message: fmt.Sprintf("migration %d could not store values of %s as they were; what it stored is still there", l.run.ID, plural(changed, "row")),
		})
	}
	if rejected > 0 {
		r.legal = append(r.legal, Legal{
			Table: t.Name, Kind: LegalRejected, Rows: rejected,
			Message: fmt.Sprintf("migration %d set %s aside; they are in the table moodledb.rejected_row", l.run.ID, plural(rejected, "row")),
		})
	}
}

// excuse is the kind of what the policy did to a row that differs; empty where it did nothing that explains it.
func (l *ledger) excuse(p *pair, d *verify.Difference) string {
	key := p.ledgerKey(d)
	switch {
	case d.Kind == verify.MissingRow && l.rejects[p.expected.table.Name][key]:
		return LegalRejected
	case d.Kind == verify.ChangedRow && key != "" && p.changedBy(d, l.changes[p.expected.table.Name][key]):
		return LegalChanged
	}
	return ""
}

// touched reports whether the policy did anything to rows of a table.
func (l *ledger) touched(p *pair) bool {
	return l != nil && len(l.changes[p.expected.table.Name])+len(l.rejects[p.expected.table.Name]) > 0
}

// plural is "1 row" or "2 rows".
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// ledgerKey spells the key of a difference as the ledger does: the source's columns in the target's order.
func (p *pair) ledgerKey(d *verify.Difference) string {
	var parts []string
	for i := range p.found.table.Columns {
		name := p.found.table.Columns[i].Name
		j := slices.IndexFunc(d.Key, func(k verify.NamedValue) bool { return k.Column == name })
		if j < 0 {
			continue
		}
		source := p.expected.table.Column(name)
		if source == nil {
			return ""
		}
		text := d.Key[j].Value.Text
		// The ledger quotes no number, even if it stands in a text.
		if inner := strings.Trim(text, `"`); inner != "" && strings.Trim(inner, "-.0123456789") == "" {
			text = inner
		}
		parts = append(parts, source.Name+"="+text)
	}
	return strings.Join(parts, " AND ")
}

// changedBy reports whether all columns that differ are among the changes, and have the values that these say.
func (p *pair) changedBy(d *verify.Difference, changes []postgres.ValueChange) bool {
	return len(changes) > 0 && !slices.ContainsFunc(d.Columns, func(c verify.ColumnDifference) bool {
		i := slices.IndexFunc(p.Columns, func(x verify.Column) bool { return x.Name == c.Column })
		return !slices.ContainsFunc(changes, func(v postgres.ValueChange) bool {
			return v.Column == c.Column && i >= 0 && shows(c.Expected, v.Before, v.BeforeSize, p.Columns[i].Type) &&
				shows(c.Found, v.After, v.AfterSize, p.Columns[i].Type)
		})
	})
}

// shows reports whether a value that was compared is the one that the ledger
// has as text, of which it gives the start.
func shows(v *verify.Value, start []byte, size int64, typ string) bool {
	if v == nil || v.Null || start == nil {
		return v != nil && v.Null && start == nil
	}
	if v.Text == string(start) || v.Text == convert.PrintableStart(start, size) {
		return true
	}
	f, err := mysqlField(&schema.Column{Name: "value", Type: schema.Type{Name: "longtext"}}, typ)
	if err != nil || f.rule.Encode == nil {
		return false
	}
	bytes, err := f.rule.Encode(nil, start)
	return err == nil && v.Text == render(typ)(bytes, int64(len(bytes)))
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
			r.legal = append(r.legal, Legal{Kind: LegalRendering, Message: fmt.Sprintf("%s (%s)", how, plural(n, "column"))})
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
