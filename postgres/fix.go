package postgres

import (
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
	// Schema qualifies the names of all objects; empty leaves them to the search_path.
	Schema string
}

// Fixes returns the statements that undo changes between want, which is
// expected, and have, which was found: the safest first. They are to be run in order.
//
// A statement fails on values that do not fit, and changes none then. What
// cannot be undone by a statement has a fix of StageManual that says why; what is
// not the database's fault, as an error in an install.xml, has none.
//
// The clauses of one column are one ALTER TABLE, and those of a table's columns of one
// stage too, so that the table is written once.
func Fixes(want, have *schema.Schema, changes []diff.Change, opts FixOptions) []diff.Fix {
	f := &fixer{
		want: want, opts: opts, names: newFixNames(opts), owner: siteOwner(have, opts.Prefix),
		types: map[string]diff.Stage{}, destroyed: map[string]bool{}, given: map[string]bool{},
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
	opts       FixOptions
	names      *fixNames
	// owner is the role that new objects go to; empty when that is not known.
	owner string
	fixes []diff.Fix
	// types has the stage in which the type of a column changes, by columnKey.
	types map[string]diff.Stage
	// destroyed are the tables that a destructive fix makes.
	destroyed map[string]bool
	// given are the tables that get another owner.
	given map[string]bool
}

// siteOwner is who owns the site's tables: the table config, or else most of them.
func siteOwner(s *schema.Schema, prefix string) string {
	if t := s.Table(prefix + "config"); t != nil && t.Owner != "" {
		return t.Owner
	}
	count := map[string]int{}
	best := ""
	for i := range s.Tables {
		owner := s.Tables[i].Owner
		if !strings.HasPrefix(s.Tables[i].Name, prefix) || owner == "" {
			continue
		}
		count[owner]++
		if best == "" || count[owner] > count[best] || count[owner] == count[best] && owner < best {
			best = owner
		}
	}
	return best
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
		f.dropConstraints, f.table, f.columns, f.serials, f.keys, f.indexes, f.addConstraints, f.destroy,
	} {
		for _, t := range tables {
			pass(t)
		}
	}
	return f.fixes
}

// tableChanges are the changes of one table.
type tableChanges struct {
	diff.TableChanges
	// keyName is the name of the primary key as it was found.
	keyName string
}

// sides finds the table of changes on both sides; either may be nil. The second
// is valid until a table is added or dropped.
func (f *fixer) sides(t *tableChanges) (want, have *schema.Table) {
	return f.want.Table(t.Table), f.have.Table(t.Table)
}

func findIndex(t *schema.Table, name string) *schema.Index {
	for i := range t.Indexes {
		if name != "" && t.Indexes[i].Name == name {
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

// name spells an object of the schema.
func (f *fixer) name(object string) string { return qualify(f.opts.Schema, object) }

// alter spells ALTER TABLE with clauses.
func (f *fixer) alter(table string, clauses ...string) string {
	separator := " "
	if len(clauses) > 1 {
		separator = "\n  "
	}
	return "ALTER TABLE " + f.name(table) + separator + strings.Join(clauses, ",\n  ")
}

// columnKey is the key of fixer.types.
func columnKey(table, column string) string { return table + "\x00" + column }

// after is the stage in which something on columns of a table can be made that
// belongs to a stage by itself: not before the columns have their types.
func (f *fixer) after(stage diff.Stage, table string, columns ...string) diff.Stage {
	if f.destroyed[table] {
		return diff.StageDestroy
	}
	for _, c := range columns {
		stage = max(stage, f.types[columnKey(table, c)])
	}
	return stage
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// block wraps statements in an anonymous block: all of them are done, or none.
func block(declarations, body string) string {
	tag := "$fix$"
	for strings.Contains(declarations+body, tag) {
		tag = tag[:len(tag)-1] + "x$"
	}
	return "DO " + tag + "\n" + declarations + "BEGIN\n" + body + "END\n" + tag
}
