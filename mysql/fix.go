package mysql

import (
	"slices"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// FixOptions say what [Fixes] must know besides the schemas.
type FixOptions struct {
	// Prefix is that of the site's tables.
	Prefix string
	// Site knows how the site's version names objects; nil when two databases are compared.
	Site *xmldb.Site
}

// Fixes returns the statements that undo changes between want, which is
// expected, and have, which was found: the safest first. They are to be run in order, on
// one connection with the sql_mode STRICT_ALL_TABLES, so that a value that
// does not fit ends in an error, and NO_AUTO_VALUE_ON_ZERO, so that a row with the id 0 keeps it.
//
// What cannot be undone by a statement has a fix of StageManual that says why; what
// is not the database's fault, as an error in an install.xml, has none.
//
// MySQL and MariaDB rebuild a table for most changes of its columns, so those of
// one stage are one ALTER TABLE.
func Fixes(want, have *schema.Schema, changes []diff.Change, opts FixOptions) []diff.Fix {
	f := &fixer{
		want: want, engine: have.Engine, opts: opts, names: newFixNames(opts),
		types: map[string]diff.Stage{}, destroyed: map[string]bool{}, aside: map[string]*setAsideKey{},
	}
	compare := diff.Options{Prefix: opts.Prefix, Declared: opts.Site != nil}
	if opts.Site != nil {
		compare.Product = opts.Site.Product
	}
	return diff.Repair(want, have, changes, compare, f.plan)
}

// fixer makes fixes.
type fixer struct {
	// want is expected; have is what was found, as the fixes so far change it.
	want, have *schema.Schema
	engine     schema.Engine
	opts       FixOptions
	names      *fixNames
	fixes      []diff.Fix
	// types has the stage in which the type of a column changes, by columnKey.
	types map[string]diff.Stage
	// destroyed are the tables that a destructive fix makes.
	destroyed map[string]bool
	// aside are the foreign keys that are dropped while columns change, in order.
	aside      map[string]*setAsideKey
	asideOrder []string
}

// plan makes the fixes of changes, and makes them in now.
func (f *fixer) plan(now *schema.Schema, changes []diff.Change) []diff.Fix {
	f.have, f.fixes = now, nil
	f.names.seed(now)
	var tables []*tableChanges
	for _, t := range diff.ByTable(changes) {
		tables = append(tables, &tableChanges{TableChanges: t})
	}
	for _, pass := range []func(*tableChanges){
		// Constraints go before what they may stand in the way of.
		f.dropConstraints, f.table, f.columns, f.keys, f.indexes, f.addConstraints, f.destroy,
	} {
		for _, t := range tables {
			pass(t)
		}
	}
	f.restoreForeignKeys()
	return f.fixes
}

// tableChanges are the changes of one table.
type tableChanges struct {
	diff.TableChanges
	// keyClauses must be in the statement that makes the primary key.
	keyClauses []string
	keyCodes   []diff.Code
}

// sides finds the table of changes on both sides; either may be nil. The second
// is valid until a table is added or dropped.
func (f *fixer) sides(t *tableChanges) (want, have *schema.Table) {
	return findTable(f.want, t.Table), findTable(f.have, t.Table)
}

// findTable finds a table by its name, rather by the exact one.
func findTable(s *schema.Schema, name string) *schema.Table {
	if t := s.Table(name); t != nil {
		return t
	}
	for i := range s.Tables {
		if strings.EqualFold(s.Tables[i].Name, name) {
			return &s.Tables[i]
		}
	}
	return nil
}

func findIndex(t *schema.Table, name string) *schema.Index {
	for i := range t.Indexes {
		if strings.EqualFold(t.Indexes[i].Name, name) {
			return &t.Indexes[i]
		}
	}
	return nil
}

// add keeps a fix. What is in the last stages is destructive.
func (f *fixer) add(fix diff.Fix) {
	fix.Destructive = fix.Destructive || fix.Stage == diff.StageDestroy
	f.fixes = append(f.fixes, fix)
}

// alter spells ALTER TABLE with clauses.
func (f *fixer) alter(table string, clauses ...string) string {
	separator := " "
	if len(clauses) > 1 {
		separator = "\n  "
	}
	return "ALTER TABLE " + QuoteIdent(table) + separator + strings.Join(clauses, ",\n  ")
}

// columnKey is the key of fixer.types.
func columnKey(table, column string) string {
	return strings.ToLower(table) + "\x00" + strings.ToLower(column)
}

// after is the stage in which something on columns of a table can be made that
// belongs to a stage by itself: not before the columns have their types.
func (f *fixer) after(stage diff.Stage, table string, columns ...string) diff.Stage {
	if f.destroyed[strings.ToLower(table)] {
		return diff.StageDestroy
	}
	for _, c := range columns {
		stage = max(stage, f.types[columnKey(table, c)])
	}
	return stage
}

// destroy is the pass for what loses data or code.
func (f *fixer) destroy(t *tableChanges) {
	t.Each(func(c diff.Change) {
		f.add(diff.Fix{
			Table: t.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageDestroy,
			Statements: []string{"DROP TRIGGER " + QuoteIdent(c.FoundName())},
			Note:       "nothing keeps a copy of the trigger: keep what SHOW CREATE TRIGGER prints",
		})
		if have := findTable(f.have, t.Table); have != nil {
			have.Triggers = slices.DeleteFunc(have.Triggers, func(x schema.Trigger) bool { return x.Name == c.FoundName() })
		}
	}, diff.TriggerExtra)
	t.Each(func(c diff.Change) { f.dropView(c) }, diff.ViewExtra)
	f.dropColumns(t)
	t.Each(func(c diff.Change) { f.dropTable(c) }, diff.TableExtra, diff.TableLeftover, diff.TableTemporary)
	t.Each(func(c diff.Change) {
		name := c.FoundName()
		f.add(diff.Fix{
			Table: t.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageDestroy,
			Statements: []string{"DROP SEQUENCE IF EXISTS " + QuoteIdent(name)},
			Note:       "the sequence forgets what it has given out",
		})
		f.have.Sequences = slices.DeleteFunc(f.have.Sequences, func(s schema.Sequence) bool { return s.Name == name })
	}, diff.SequenceExtra)
}
