package mysql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// maxName is the length of a name, in characters.
const maxName = 64

// fixNames gives names to new objects: as Moodle would, and such as nothing has.
type fixNames struct {
	prefix string
	namer  *xmldb.Namer
	// indexes are the names taken in each table, constraints those taken in the
	// database; all in lower case.
	indexes     map[string]map[string]bool
	constraints map[string]bool
}

func newFixNames(opts FixOptions) *fixNames {
	n := &fixNames{prefix: opts.Prefix, indexes: map[string]map[string]bool{}, constraints: map[string]bool{}}
	inUse := func(name, _, table string) bool { return n.indexTaken(n.prefix+table, name) }
	if opts.Site != nil {
		n.namer = opts.Site.NewNamer(opts.Prefix, inUse)
	} else {
		n.namer = xmldb.NewNamer(opts.Prefix, xmldb.Moodle, inUse)
	}
	return n
}

// seed takes the names of a schema. A name that was taken once is never given again.
func (n *fixNames) seed(s *schema.Schema) {
	for i := range s.Tables {
		t := &s.Tables[i]
		for _, x := range t.Indexes {
			n.takeIndex(t.Name, x.Name)
		}
		for _, fk := range t.ForeignKeys {
			n.constraints[strings.ToLower(fk.Name)] = true
		}
		for _, c := range t.Checks {
			n.constraints[strings.ToLower(c.Name)] = true
		}
	}
}

func (n *fixNames) takeIndex(table, name string) {
	table = strings.ToLower(table)
	if n.indexes[table] == nil {
		n.indexes[table] = map[string]bool{}
	}
	n.indexes[table][strings.ToLower(name)] = true
}

func (n *fixNames) indexTaken(table, name string) bool {
	return n.indexes[strings.ToLower(table)][strings.ToLower(name)]
}

// freeIndex gives a name back, for an index that is made again in the statement that drops it.
func (n *fixNames) freeIndex(table, name string) {
	delete(n.indexes[strings.ToLower(table)], strings.ToLower(name))
}

// index names a new index: as expected if that name is free.
func (n *fixNames) index(table string, x *schema.Index) string {
	name := x.Name
	if name == "" || n.indexTaken(table, name) || strings.EqualFold(name, "PRIMARY") {
		name = n.namer.Name(strings.TrimPrefix(table, n.prefix), x.Columns(), suffix(x))
	}
	n.takeIndex(table, name)
	return name
}

// suffix is how Moodle ends the name of an index.
func suffix(x *schema.Index) string {
	switch {
	case x.Method == "fulltext":
		return "fts"
	case x.Unique:
		return "uix"
	}
	return "ix"
}

// constraint names a new constraint: as expected if that name is free.
func (n *fixNames) constraint(wanted string) string {
	name := wanted
	for i := 2; n.constraints[strings.ToLower(name)]; i++ {
		digits := strconv.Itoa(i)
		name = head(wanted, maxName-len(digits)) + digits
	}
	n.constraints[strings.ToLower(name)] = true
	return name
}

// head is the first n characters of s.
func head(s string, n int) string {
	runes := []rune(s)
	return string(runes[:min(n, len(runes))])
}

// freeColumn is a name that no column of t has.
func freeColumn(t *schema.Table, base string) string {
	name := head(base, maxName)
	for i := 2; slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return strings.EqualFold(c.Name, name) }); i++ {
		digits := strconv.Itoa(i)
		name = head(base, maxName-len(digits)) + digits
	}
	return name
}
