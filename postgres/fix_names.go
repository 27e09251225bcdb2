package postgres

import (
	"slices"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// fixNames gives names to new objects: as Moodle would, and such as nothing has.
type fixNames struct {
	prefix string
	namer  *xmldb.Namer
	// taken are the names of all relations and constraints.
	taken map[string]bool
}

func newFixNames(opts FixOptions) *fixNames {
	n := &fixNames{prefix: opts.Prefix, taken: map[string]bool{}}
	inUse := func(name, _, _ string) bool { return n.taken[name] }
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
		n.taken[t.Name] = true
		for _, x := range t.Indexes {
			n.taken[x.Name] = true
		}
		for _, fk := range t.ForeignKeys {
			n.taken[fk.Name] = true
		}
		for _, c := range t.Checks {
			n.taken[c.Name] = true
		}
	}
	for _, v := range s.Views {
		n.taken[v.Name] = true
	}
	for _, q := range s.Sequences {
		n.taken[q.Name] = true
	}
}

// index names a new index: as expected if that name is free.
func (n *fixNames) index(table string, x *schema.Index) string {
	name := x.Name
	if name == "" || n.taken[name] {
		columns := x.Columns()
		for i, p := range x.Parts {
			if p.Column == "" {
				columns[i] = p.Expression
			}
		}
		name = n.namer.Name(strings.TrimPrefix(table, n.prefix), columns, suffix(x))
	}
	n.taken[name] = true
	return name
}

// suffix is how Moodle ends the name of an index.
func suffix(x *schema.Index) string {
	switch {
	case x.Primary:
		return "pk"
	case x.Method == "gin":
		return "fts"
	case x.Unique:
		return "uix"
	}
	return "ix"
}

// other names anything else: as wanted, or with a number behind it.
func (n *fixNames) other(wanted string) string {
	name := wanted
	for i := 2; n.taken[name]; i++ {
		digits := strconv.Itoa(i)
		name = clipName(wanted, MaxIdentifier-len(digits)) + digits
	}
	n.taken[name] = true
	return name
}

// clipName is the beginning of a name, of at most so many bytes and whole characters.
func clipName(name string, most int) string {
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "")
}

// freeColumn is a name that no column of t has.
func freeColumn(t *schema.Table, base string) string {
	name := clipName(base, MaxIdentifier)
	for i := 2; slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return c.Name == name }); i++ {
		digits := strconv.Itoa(i)
		name = clipName(base, MaxIdentifier-len(digits)) + digits
	}
	return name
}
