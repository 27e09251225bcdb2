package proof

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
	"github.com/moodledb/moodledb/xmldb"
)

// The codes of differences beyond rows. They are permanent. What package diff
// finds too has the code that it has there; see [diff.Codes].
const (
	// CodeSequenceBelow: the next id is not above those that the expected side has given out.
	CodeSequenceBelow = "sequence-below-source"
	// CodeIDsUnread: ids or positions of sequences could not be read.
	CodeIDsUnread = "ids-unread"
	// CodeOwnerOther: an object belongs to another role than the others, or that role cannot use the schema.
	CodeOwnerOther = "owner-other"
	// CodeConstraintNotValid: rows that were there before the constraint were never looked at.
	CodeConstraintNotValid = "constraint-not-valid"
	// CodeNullInNotNull: there are NULLs in a column that is NOT NULL, or should be.
	CodeNullInNotNull = "null-in-not-null"
	// CodeTriggerMissing: the expected side has a trigger or rule that the other has not.
	CodeTriggerMissing = "trigger-missing"
	// CodeTriggerDisabled: a trigger, a rule, or what enforces a constraint, does not run.
	CodeTriggerDisabled = "trigger-disabled"
	// CodeSchemaDiffers: the schemas differ in what touches no value. It counts as same.
	CodeSchemaDiffers = "schema-differs"
)

// objectSide is one of the two databases, as what is beyond its rows is looked
// at. One of mysql and postgres is set.
type objectSide struct {
	// schema is what Inspect gave, prefix that of the site's tables.
	schema   *schema.Schema
	prefix   string
	mysql    *mysql.DB
	postgres *postgres.DB
}

// objectLook is the state of one look at what is beyond rows.
type objectLook struct {
	expected, found objectSide
	// pairs are the names of the found tables by those of the expected ones.
	pairs map[string]string
	// crossed says that the sides are of two kinds of engines, so that the
	// expected one is compared as what a migration makes of it.
	crossed bool
	// blind says that nothing but the source tells what a migration makes.
	blind bool
	// behind are the tables whose next id is taken already.
	behind map[string]bool
	// nullable are columns that should be NOT NULL and are not, by table.
	nullable map[string][]string
	out      []ObjectDifference
}

// objects looks at what rows do not show: sequences, defaults, keys, indexes,
// constraints, triggers, owners. pairs are the names of the tables that are
// compared: the found ones by the expected ones. A site, which may be nil, tells
// what a migration makes of MySQL's tables. The sides' schemas are not changed.
func objects(ctx context.Context, expected, found objectSide, pairs map[string]string, site *xmldb.Site) ([]ObjectDifference, error) {
	l := &objectLook{
		expected: expected, found: found, pairs: pairs, behind: map[string]bool{}, nullable: map[string][]string{},
		crossed: expected.schema.Engine.IsMySQL() != found.schema.Engine.IsMySQL(),
	}
	l.blind = l.crossed && site == nil
	l.cut()
	if err := l.readHighest(ctx); err != nil {
		return nil, err
	}
	if err := l.compareSchemas(site); err != nil {
		return nil, err
	}
	l.counters()
	l.triggers()
	for _, look := range []func(context.Context) error{l.flaws, l.nulls, l.owners} {
		if err := look(ctx); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(l.out, func(a, b ObjectDifference) int {
		return cmp.Or(strings.Compare(a.Table, b.Table), strings.Compare(a.Code, b.Code), strings.Compare(a.Object, b.Object))
	})
	return l.out, nil
}

func (l *objectLook) add(d ObjectDifference) {
	if d.State == "" {
		d.State = verify.Different
	}
	l.out = append(l.out, d)
}

// cut leaves the tables that are compared, and their sequences, in copies of
// the schemas. Where names differ in case, both sides get the found one's.
func (l *objectLook) cut() {
	names := map[string]string{}
	kept := map[string]string{}
	for from, to := range l.pairs {
		kept[to], names[from] = to, from
		renamed := l.expected.prefix + strings.TrimPrefix(to, l.found.prefix)
		if renamed != from && strings.EqualFold(renamed, from) {
			names[from] = renamed
		}
	}
	l.expected.schema, l.found.schema = cutSchema(l.expected.schema, names), cutSchema(l.found.schema, kept)
	pairs := map[string]string{}
	for from, to := range l.pairs {
		pairs[names[from]] = to
	}
	l.pairs = pairs
}

// cutSchema copies the tables that names has, under the names that it gives them.
func cutSchema(s *schema.Schema, names map[string]string) *schema.Schema {
	c := *s
	c.Tables, c.Sequences, c.Views, c.Elsewhere = nil, nil, nil, nil
	used := map[string]bool{}
	for i := range s.Tables {
		t := s.Tables[i]
		name, ok := names[t.Name]
		if !ok {
			continue
		}
		t.Name = name
		t.Columns = slices.Clone(t.Columns)
		for _, column := range t.Columns {
			used[column.Sequence] = true
		}
		t.ForeignKeys = slices.Clone(t.ForeignKeys)
		for j := range t.ForeignKeys {
			if to, ok := names[t.ForeignKeys[j].RefTable]; ok {
				t.ForeignKeys[j].RefTable = to
			}
		}
		c.Tables = append(c.Tables, t)
	}
	for _, q := range s.Sequences {
		if name, ok := names[q.OwnedByTable]; ok || used[q.Name] {
			if ok {
				q.OwnedByTable = name
			}
			c.Sequences = append(c.Sequences, q)
		}
	}
	c.Sort()
	return &c
}

// compareSchemas has package diff compare definitions: its rules are those of
// 'moodledb diff' too.
func (l *objectLook) compareSchemas(site *xmldb.Site) error {
	expected := &drift.Side{Schema: *l.expected.schema, Prefix: l.expected.prefix}
	found := &drift.Side{Schema: *l.found.schema, Prefix: l.found.prefix}
	// There are no statements for MySQL that make of it what PostgreSQL has.
	fixes := !l.crossed || l.expected.schema.Engine.IsMySQL()
	r, err := drift.Between(site, expected, found, drift.Options{Fixes: fixes})
	if err != nil {
		return fmt.Errorf("compare the two schemas: %w", err)
	}
	ours := map[string]bool{}
	for _, to := range l.pairs {
		ours[to] = true
	}
	rest := map[diff.Code]int{}
	for _, c := range r.Changes {
		if !ours[c.Table] {
			continue
		}
		switch l.treatment(c.Code) {
		case treatCount:
			if c.Code == diff.SequenceBehind {
				l.behind[c.Table] = true
			}
			d := ObjectDifference{
				Code: string(c.Code), Table: c.Table, Object: c.Object, Message: changeText(c), Hint: remedy(c, r.Fixes),
			}
			if l.blind && c.Code == diff.ColumnDefault {
				d.Message += "; right if install.xml declares it so, which a migration follows"
			}
			l.add(d)
		case treatNulls:
			l.nullable[c.Table] = append(l.nullable[c.Table], c.Object)
			rest[c.Code]++
		case treatSum:
			rest[c.Code]++
		case treatElsewhere:
		}
	}
	l.sum(rest)
	return nil
}

// sum tells in one line what differs and touches no value.
func (l *objectLook) sum(rest map[diff.Code]int) {
	var codes []string
	total := 0
	for code, n := range rest {
		codes, total = append(codes, fmt.Sprintf("%s %d", code, n)), total+n
	}
	if total == 0 {
		return
	}
	slices.Sort(codes)
	what := "another way that touches"
	if total > 1 {
		what = fmt.Sprintf("%d other ways that touch", total)
	}
	l.add(ObjectDifference{
		Code: CodeSchemaDiffers, State: verify.Same,
		Message: fmt.Sprintf("the schemas differ in %s no value: %s", what, strings.Join(codes, ", ")),
		Hint:    "'moodledb diff' with the same --from and --to shows them",
	})
}

// treatment is what becomes of a change that package diff finds.
type treatment int

const (
	// treatSum: the change is told in one line with others, and is no difference here.
	treatSum treatment = iota
	// treatCount: the change is a difference.
	treatCount
	// treatNulls: the NULLs in the column that the change is about are counted.
	treatNulls
	// treatElsewhere: the change is told by another look, or with the rows.
	treatElsewhere
)

// treatment says what becomes of a change. Where the sides are of different
// kinds of engines, what the target has beyond the source, and an index that it has in another way, may
// well be declared by the code: a migration makes what install.xml says.
func (l *objectLook) treatment(code diff.Code) treatment {
	switch code {
	case diff.SequenceMissing, diff.SequenceName, diff.SequenceNotOwned, diff.SequenceOptions, diff.SequenceBehind,
		diff.ColumnAutoIncrementMissing, diff.ColumnIdentity, diff.ColumnDefault, diff.ColumnDefaultMissing,
		diff.PrimaryKeyMissing, diff.PrimaryKeyDifferent, diff.IndexMissing, diff.IndexUniquenessLost,
		diff.ForeignKeyMissing, diff.ForeignKeyDifferent, diff.CheckMissing, diff.CheckDifferent, diff.TriggerExtra:
		return treatCount
	case diff.IndexUniquenessAdded, diff.IndexColumnOrder, diff.IndexPrefix, diff.IndexPartial, diff.IndexExpression,
		diff.IndexInclude, diff.IndexOperatorClass, diff.IndexMethod, diff.IndexDescending, diff.IndexCollation,
		diff.IndexNulls, diff.IndexInvisible, diff.IndexDeferrable, diff.IndexPatternMissing:
		if !l.blind {
			return treatCount
		}
		return treatSum
	case diff.ColumnDefaultExtra, diff.ColumnAutoIncrementExtra, diff.ForeignKeyExtra, diff.CheckExtra, diff.ExclusionExtra:
		if !l.crossed {
			return treatCount
		}
		return treatSum
	case diff.ColumnNullable:
		return treatNulls
	case diff.TableMissing, diff.TableIsView, diff.ColumnMissing, diff.ColumnExtra, diff.ColumnRenamed,
		diff.TableOwner, diff.TableRowSecurity, diff.IndexInvalid:
		return treatElsewhere
	default:
		return treatSum
	}
}

// changeText is what a change says, with what was expected and found where it does not say that.
func changeText(c diff.Change) string {
	if c.Expected == "" && c.Found == "" || strings.Contains(c.Message, c.Found) && c.Found != "" {
		return c.Message
	}
	return fmt.Sprintf("%s: expected %s, found %s", c.Message, orNothing(c.Expected), orNothing(c.Found))
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// remedy is what can be pasted to undo a change: the statements of the fix that
// names its object, or else words.
func remedy(c diff.Change, fixes []diff.Fix) string {
	var best *diff.Fix
	for i := range fixes {
		f := &fixes[i]
		if f.Table != c.Table || f.Destructive || len(f.Statements) == 0 || !slices.Contains(f.Codes, c.Code) {
			continue
		}
		names := slices.ContainsFunc(f.Statements, func(s string) bool {
			return c.Object != "" && strings.Contains(s, c.Object) || c.Want != "" && strings.Contains(s, c.Want)
		})
		if names {
			best = f
			break
		}
		if best == nil {
			best = f
		}
	}
	if best == nil {
		return c.Hint
	}
	return oneLine(strings.Join(best.Statements, "; "))
}

// oneLine puts a statement on one line.
func oneLine(statement string) string { return strings.Join(strings.Fields(statement), " ") }
