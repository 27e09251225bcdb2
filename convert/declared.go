package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// DeclaredOptions say for which server and site [Declared] computes.
type DeclaredOptions struct {
	Engine schema.Engine
	// Prefix precedes the name of every table and object, such as "mdl_".
	Prefix string
	// Only, when not nil, chooses the tables of the result. The names of objects
	// do not depend on it: they are those of an installation of all tables.
	Only func(table xmldb.Table) bool

	// Charset, Collation and RowFormat are those of the tables of MySQL and
	// MariaDB. Moodle asks the server, or its dboptions, for them; empty means
	// what an installation on a server of today gets: the charset of Collation or
	// utf8mb4, utf8mb4_unicode_ci, and Compressed for Moodle or Dynamic for Totara.
	Charset   string
	Collation string
	RowFormat string

	// FullTextLanguage is Totara's dboption ftslanguage: the text search
	// configuration of full-text indexes on PostgreSQL (empty: english), the
	// collation of their columns on MySQL and MariaDB (empty: Collation).
	FullTextLanguage string
}

// Declared computes the schema that the site's own installer makes on the
// engine: its types, defaults, comments, keys, indexes and their names. Findings
// are about what the installer could not create; such objects are left out.
//
// The result holds what a catalog would show, not what the installer wrote.
// MySQL and MariaDB pad the default of a number to its scale, and both kinds of
// server make the columns of a primary key NOT NULL.
//
// Moodle cuts comments of tables after 250 bytes on PostgreSQL and 60 on MySQL
// and MariaDB. Where that would cut a character in two, PostgreSQL would refuse
// the comment, so the cut is made before that character.
//
// The one thing that comes from a db/install.php and not from an install.xml
// are the text search indexes of search_simpledb, which are part of the result.
func Declared(site *xmldb.Site, opts DeclaredOptions) (schema.Schema, []xmldb.Finding) {
	s := schema.Schema{Engine: opts.Engine}
	if opts.Engine != schema.Postgres && !opts.Engine.IsMySQL() {
		return s, []xmldb.Finding{{
			Code: "engine-unknown", Severity: xmldb.Error,
			Message: fmt.Sprintf("there is no declared schema for the engine %q", opts.Engine),
		}}
	}
	d := declarer{opts: opts.withDefaults(site.Product), product: site.Product, tables: map[string]bool{}}
	if opts.Engine.IsMySQL() {
		s.Charset, s.Collation = d.opts.Charset, d.opts.Collation
	}
	tables := site.Tables()
	for i := range tables {
		d.tables[tables[i].Name] = true
	}
	names := site.Names(opts.Engine, opts.Prefix)
	for i := range tables {
		if opts.Only != nil && !opts.Only(tables[i]) {
			continue
		}
		if t, ok := d.table(&tables[i], &names[i]); ok {
			s.Tables = append(s.Tables, t)
		}
	}
	s.Sequences = sequencesOf(s.Tables)
	s.Sort()
	return s, d.findings
}

// withDefaults fills in what is decided for the caller.
func (o DeclaredOptions) withDefaults(product xmldb.Product) DeclaredOptions {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	// The name of a collation begins with its charset, but for MariaDB's newest (uca1400_ai_ci).
	if charset, _, _ := strings.Cut(o.Collation, "_"); charset != "uca1400" {
		set(&o.Charset, charset)
	}
	set(&o.Charset, "utf8mb4")
	set(&o.Collation, o.Charset+"_unicode_ci")
	if product == xmldb.Moodle {
		set(&o.RowFormat, "Compressed")
	}
	if o.Engine == schema.Postgres {
		set(&o.FullTextLanguage, "english")
	} else {
		set(&o.FullTextLanguage, o.Collation)
	}
	return o
}

// declarer computes the tables of one site.
type declarer struct {
	opts     DeclaredOptions
	product  xmldb.Product
	tables   map[string]bool // all names without prefix, also of those not asked for
	findings []xmldb.Finding
}

// refuse records that the installer could not create an object.
func (d *declarer) refuse(code string, t *xmldb.Table, object string, line int, format string, args ...any) {
	d.findings = append(d.findings, xmldb.Finding{
		Code: code, Severity: xmldb.Error, File: t.File, Line: line, Component: t.Component,
		Table: t.Name, Object: object, Message: fmt.Sprintf(format, args...),
	})
}

// table computes one table; false when the installer could not create it.
func (d *declarer) table(x *xmldb.Table, names *xmldb.TableNames) (schema.Table, bool) {
	t := schema.Table{Name: d.opts.Prefix + x.Name, Rows: -1, Bytes: -1, Origin: originAt(x, x.Line)}
	if limit := d.nameLimit(); len(t.Name) > limit {
		d.refuse("table-name", x, "", x.Line, "the name of table %q with its prefix has %d bytes, %s allows %d",
			t.Name, len(t.Name), d.opts.Engine, limit)
		return t, false
	}
	if d.opts.Engine == schema.Postgres {
		t.Comment = clip(x.Comment, 250)
	} else {
		t.Comment = clip(x.Comment, 60)
		t.StorageEngine = "InnoDB"
		t.Charset, t.Collation = d.opts.Charset, d.opts.Collation
		t.RowFormat = d.rowFormat(x)
	}
	for i := range x.Fields {
		c, ok := d.column(x, &x.Fields[i], &t)
		if !ok {
			return t, false
		}
		t.Columns = append(t.Columns, c)
	}
	d.keys(x, names, &t)
	d.checks(x, names, &t)
	d.textSearch(x, &t)
	return t, true
}

// nameLimit is the length of a name: bytes on PostgreSQL, characters on MySQL,
// where install.xml allows ASCII alone.
func (d *declarer) nameLimit() int {
	if d.opts.Engine == schema.Postgres {
		return maxIdentifier
	}
	return 64
}

// originAt is the origin of an object of t.
func originAt(t *xmldb.Table, line int) schema.Origin {
	return schema.Origin{Component: t.Component, File: t.File, Line: line}
}

// rowFormat is Moodle's choice or, for Totara, that of its generator: Compressed
// for tables whose rows may not fit a page, as its installer estimates them.
func (d *declarer) rowFormat(x *xmldb.Table) string {
	if d.opts.RowFormat != "" {
		return d.opts.RowFormat
	}
	const (
		base     = 1000 // what the estimate adds for the row itself
		stored   = 768  // what a page keeps of a long value
		pageRoom = 8126
	)
	size := base
	for _, f := range x.Fields {
		switch f.Type {
		case xmldb.Text, xmldb.Binary:
			size += stored
		case xmldb.Char:
			size += min(f.Length*3, stored)
		default:
			size += 8
		}
	}
	if size > pageRoom {
		return "Compressed"
	}
	return "Dynamic"
}

// sequencesOf lists the sequences behind the columns of tables, as PostgreSQL makes them for serial columns.
func sequencesOf(tables []schema.Table) []schema.Sequence {
	var all []schema.Sequence
	for i := range tables {
		for _, c := range tables[i].Columns {
			if c.Sequence == "" {
				continue
			}
			all = append(all, schema.Sequence{
				Name: c.Sequence, Type: c.Type.Name, Start: 1, Increment: 1, Min: 1, Max: 1<<(intBits(c.Type.Name)-1) - 1, Last: 1,
				OwnedByTable: tables[i].Name, OwnedByColumn: c.Name,
			})
		}
	}
	return all
}

// intBits is the width of an integer type of PostgreSQL; 0 for other types.
func intBits(typeName string) int {
	switch typeName {
	case "smallint":
		return 16
	case "integer":
		return 32
	case "bigint":
		return 64
	}
	return 0
}

// isKeyColumn reports whether the field is part of the primary key.
func isKeyColumn(t *xmldb.Table, field string) bool {
	return slices.ContainsFunc(t.Keys, func(k xmldb.Key) bool {
		return k.Type == xmldb.Primary && slices.Contains(k.Fields, field)
	})
}
