// Package diff compares two schemas: what a database should look like with
// what it does look like.
//
// The two are of the same engine; where they were not, convert has made one
// out of the other. Objects are matched by what they are, never by their names:
// names of indexes and keys depend on the history of a site. What makes no
// difference to Moodle is no difference here: the display width of integers,
// names of indexes and keys, the order of columns, comments.
//
// The package asks no server and prints nothing.
package diff

import (
	"cmp"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// Severity says how much a change matters.
type Severity string

// The severities.
const (
	// Error: the application or an upgrade will break, or data can be lost.
	Error Severity = "error"
	// Warning: behaviour or performance differs.
	Warning Severity = "warning"
	// Info: to be known, without consequences.
	Info Severity = "info"
)

// Severities lists all severities, the worst first.
func Severities() []Severity { return []Severity{Error, Warning, Info} }

// AtLeast reports whether s is as bad as limit, or worse.
func (s Severity) AtLeast(limit Severity) bool {
	return slices.Index(Severities(), s) <= slices.Index(Severities(), limit)
}

// Kind is the sort of object that a change is about.
type Kind string

// The kinds of objects.
const (
	KindTable      Kind = "table"
	KindView       Kind = "view"
	KindColumn     Kind = "column"
	KindPrimaryKey Kind = "primary-key"
	KindIndex      Kind = "index"
	KindForeignKey Kind = "foreign-key"
	KindCheck      Kind = "check"
	KindTrigger    Kind = "trigger"
	KindSequence   Kind = "sequence"
	// KindDefinition is an install.xml file, or an object in it.
	KindDefinition Kind = "definition"
	// KindSource is what the schema was read from: a statement of a dump, rights at a server.
	KindSource Kind = "source"
)

// Change is one difference between the expected and the found schema.
type Change struct {
	// Code is permanent; see [Codes].
	Code     Code
	Severity Severity
	Kind     Kind
	// Table is the full name of the table, as found, or as expected when there is none.
	Table string
	// Short is Table without the site's prefix; Table itself where it has another one.
	Short string
	// Object is the name of the column, index or other object of the table, as
	// found, or as expected when it is missing; empty for the table itself.
	Object string
	// Columns are those of a key or an index.
	Columns []string
	// Message is one sentence without a full stop, Expected and Found are short
	// phrases such as "varchar(255)" and "none". Either may be empty.
	Message  string
	Expected string
	Found    string
	// Hint says what to do.
	Hint string
	// Origin is where the object is declared, or its table; empty when neither is.
	Origin schema.Origin
	// Want and Have are the names of the object in the expected and the found
	// schema, for those who look it up there; empty where there is none.
	Want, Have string
}

// Options say what is known besides the two schemas. The zero value compares
// two live schemas of which nothing is known.
type Options struct {
	// Prefix is that of the site's tables. Tables of another prefix are reported
	// as such and not looked at.
	Prefix string
	// Declared says that the expected schema comes from install.xml files.
	Declared bool
	// Product chooses what installers make outside of install.xml.
	Product xmldb.Product
	// Installed has the components that the database says are installed, with
	// their versions; nil when that is not known. See InstalledComponents of mysql and postgres.
	Installed map[string]string
	// OnDisk are the components whose code is there; nil when that is not known.
	OnDisk []string
	// Deprecated are tables, without prefix, of plugins that the code has but whose
	// type this version no longer installs. A site that was upgraded may have them.
	Deprecated []string
	// Unread are tables of which the found schema may not hold all, since their
	// statement in a dump could not be read. Nothing is said about them.
	Unread []string
	// Owner is the role that should own the tables; empty for the owner of the
	// table config, or of most tables where there is none. PostgreSQL only.
	Owner string
}

// Schemas compares want, which is expected, with have, which was found, and
// returns the changes in the order of tables and objects.
func Schemas(want, have *schema.Schema, opts Options) []Change {
	d := newDiffer(want, have, opts)
	d.tables()
	d.views()
	d.sequences()
	Sort(d.changes)
	return d.changes
}

// Sort orders changes by component, table, kind and object.
func Sort(changes []Change) {
	slices.SortStableFunc(changes, func(a, b Change) int {
		return cmp.Or(
			strings.Compare(a.Origin.Component, b.Origin.Component),
			strings.Compare(a.Short, b.Short),
			cmp.Compare(kindRank(a.Kind), kindRank(b.Kind)),
			strings.Compare(a.Object, b.Object),
			strings.Compare(string(a.Code), string(b.Code)),
			cmp.Compare(a.Origin.Line, b.Origin.Line),
			strings.Compare(a.Message, b.Message),
		)
	})
}

func kindRank(k Kind) int {
	return slices.Index([]Kind{
		KindSource, KindDefinition, KindTable, KindView, KindColumn, KindSequence,
		KindPrimaryKey, KindIndex, KindForeignKey, KindCheck, KindTrigger,
	}, k)
}

// Worst returns the worst severity among changes; empty when there are none.
func Worst(changes []Change) Severity {
	for _, s := range Severities() {
		if slices.ContainsFunc(changes, func(c Change) bool { return c.Severity == s }) {
			return s
		}
	}
	return ""
}

// Complete fills in what a change has of its code: kind, severity, message and
// hint, unless they are set; Short is made of Table.
func Complete(c Change) Change {
	spec := SpecOf(c.Code)
	if c.Kind == "" {
		c.Kind = spec.Kind
	}
	if c.Severity == "" {
		c.Severity = spec.Severity
	}
	if c.Hint == "" {
		c.Hint = spec.Hint
	}
	if c.Message == "" {
		c.Message = spec.Title
	}
	if c.Short == "" {
		c.Short = c.Table
	}
	return c
}
