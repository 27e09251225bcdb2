package xmldb

import (
	"slices"

	"github.com/moodledb/moodledb/schema"
)

// TableNames are the names of the objects that the installer creates with one
// table, all with the site's prefix. An empty name means that there is no such
// object, or, for a primary key of MySQL and MariaDB, that it has no name.
type TableNames struct {
	// Table is without prefix.
	Table string
	// PrimaryKey is the name of the primary key.
	PrimaryKey string
	// Indexes has the name of the index of each entry of Table.Indexes; Patterns
	// that of the second index, with varchar_pattern_ops, of PostgreSQL.
	Indexes  []string
	Patterns []string
	// Keys has, for each entry of Table.Keys, the name of the index that Moodle
	// creates in its place: unique for unique and foreign-unique keys, plain for
	// foreign keys. ForeignKeys has the names of Totara's enforced constraints.
	Keys        []string
	ForeignKeys []string
	// Checks has, for each entry of Table.Fields, the name of the check of ALLOWED_VALUES.
	Checks []string
}

// Names runs the installer's naming over all tables of the site, in install
// order, on an empty database of the given engine with that prefix. The result
// has one entry per table, in the order of [Site.Tables].
//
// Names depend on their order, so they must be taken from a run over the whole
// site, also when only some of the tables matter.
func (s *Site) Names(engine schema.Engine, prefix string) []TableNames {
	n := s.NewNamer(prefix, nil)
	var all []TableNames
	for _, f := range s.Files {
		start := len(all)
		for i := range f.Tables {
			all = append(all, n.Table(&f.Tables[i], engine))
		}
		// Deferred keys are created by db/install.php, which runs after the tables.
		for i := range f.Tables {
			n.Deferred(&f.Tables[i], &all[start+i])
		}
	}
	return all
}

// Table names everything that the installer creates with t, in its order:
// primary key, indexes, then an index for each other key. Deferred keys get no
// name; see [Namer.Deferred].
func (n *Namer) Table(t *Table, engine schema.Engine) TableNames {
	names := TableNames{
		Table:   t.Name,
		Indexes: make([]string, len(t.Indexes)), Patterns: make([]string, len(t.Indexes)),
		Keys: make([]string, len(t.Keys)), ForeignKeys: make([]string, len(t.Keys)),
		Checks: make([]string, len(t.Fields)),
	}
	for i, f := range t.Fields {
		if len(f.AllowedValues) > 0 {
			names.Checks[i] = n.CheckName(t.Name, f.Name)
		}
	}
	named := engine == schema.Postgres // a primary key of MySQL has no name
	for _, k := range t.Keys {
		if k.Type == Primary && named {
			names.PrimaryKey = n.Name(t.Name, k.Fields, "pk")
		}
	}
	for i, x := range t.Indexes {
		names.Indexes[i] = n.Name(t.Name, x.Fields, x.suffix())
		if named && len(x.Fields) == 1 && slices.Contains(x.Hints, "varchar_pattern_ops") {
			names.Patterns[i] = names.Indexes[i] + "_pattern"
		}
	}
	for i, k := range t.Keys {
		switch {
		case k.Type == Primary && named && n.naming.primaryTwice:
			n.Name(t.Name, k.Fields, "pk")
		case !k.DeferredInstall:
			n.key(t, i, &names)
		}
	}
	return names
}

// Deferred names the keys that Totara's db/install.php adds after all tables
// of its install.xml have been created.
func (n *Namer) Deferred(t *Table, names *TableNames) {
	for i, k := range t.Keys {
		if k.DeferredInstall {
			n.key(t, i, names)
		}
	}
}

// key names the index, and the constraint, of a key that is not primary.
func (n *Namer) key(t *Table, i int, names *TableNames) {
	k := t.Keys[i]
	switch k.Type {
	case Primary:
		return
	case Unique, ForeignUnique:
		names.Keys[i] = n.Name(t.Name, k.Fields, "uix")
	case Foreign:
		names.Keys[i] = n.Name(t.Name, k.Fields, "ix")
	}
	if k.Enforced() {
		names.ForeignKeys[i] = n.ForeignKeyName(t.Name, k.Fields)
	}
}

// FullText reports whether x is a full-text index of Totara.
func (x Index) FullText() bool { return slices.Contains(x.Hints, "full_text_search") }

func (x Index) suffix() string {
	switch {
	case x.FullText():
		return "fts"
	case x.Unique:
		return "uix"
	}
	return "ix"
}
