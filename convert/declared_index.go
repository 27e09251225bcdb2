package convert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// keys adds the primary key, the indexes, and what the other keys become: a
// unique key is a unique index and not a constraint, a foreign key a plain
// index, and only Totara's keys with an action are foreign keys as well.
func (d *declarer) keys(x *xmldb.Table, names *xmldb.TableNames, t *schema.Table) {
	postgres := d.opts.Engine == schema.Postgres
	for i := range x.Keys {
		k := &x.Keys[i]
		at := originAt(x, k.Line)
		if k.Type == xmldb.Primary {
			key := btree("PRIMARY", true, k.Fields, at)
			key.Primary = true
			if postgres {
				key.Name, key.Constraint = names.PrimaryKey, true
			}
			t.Indexes = append(t.Indexes, key)
			continue
		}
		if names.Keys[i] != "" {
			t.Indexes = append(t.Indexes, btree(names.Keys[i], k.Type != xmldb.Foreign, k.Fields, at))
		}
		if names.ForeignKeys[i] != "" {
			d.foreignKey(x, k, names.ForeignKeys[i], t)
		}
	}
	for i := range x.Indexes {
		in := &x.Indexes[i]
		at := originAt(x, in.Line)
		if in.FullText() {
			d.fullText(in, names.Indexes[i], at, t)
			continue
		}
		t.Indexes = append(t.Indexes, btree(names.Indexes[i], in.Unique, in.Fields, at))
		if names.Patterns[i] != "" {
			pattern := btree(names.Patterns[i], false, in.Fields, at)
			pattern.Parts[0].OpClass = "varchar_pattern_ops"
			t.Indexes = append(t.Indexes, pattern)
		}
	}
}

// btree is an ordinary index on columns.
func btree(name string, unique bool, columns []string, at schema.Origin) schema.Index {
	x := schema.Index{Name: name, Unique: unique, Method: "btree", Origin: at}
	for _, c := range columns {
		x.Parts = append(x.Parts, schema.IndexPart{Column: c})
	}
	return x
}

// foreignKey adds a foreign key that Totara's database enforces. Its generator
// takes RESTRICT for the action that is not said.
func (d *declarer) foreignKey(x *xmldb.Table, k *xmldb.Key, name string, t *schema.Table) {
	fk := schema.ForeignKey{
		Name: name, Columns: k.Fields, RefTable: d.opts.Prefix + k.RefTable, RefColumns: k.RefFields,
		Origin: originAt(x, k.Line),
	}
	var okDelete, okUpdate bool
	fk.OnDelete, okDelete = totaraAction(k.OnDelete)
	fk.OnUpdate, okUpdate = totaraAction(k.OnUpdate)
	switch {
	case !okDelete || !okUpdate:
		d.refuse("key-action", x, k.Name, k.Line, "key %q has an action that is none of restrict, cascade and setnull", k.Name)
	case !d.tables[k.RefTable]:
		d.refuse("key-reference", x, k.Name, k.Line, "key %q refers to table %q, which no install.xml of the site declares", k.Name, k.RefTable)
	default:
		t.ForeignKeys = append(t.ForeignKeys, fk)
	}
}

func totaraAction(action string) (string, bool) {
	switch strings.ToLower(action) {
	case "", "restrict":
		return "restrict", true
	case "cascade":
		return "cascade", true
	case "setnull":
		return "set null", true
	}
	return "", false
}

// checks adds the CHECK constraints of Totara's ALLOWED_VALUES.
func (d *declarer) checks(x *xmldb.Table, names *xmldb.TableNames, t *schema.Table) {
	for i := range x.Fields {
		f := &x.Fields[i]
		if names.Checks[i] == "" || f.Type != xmldb.Char && f.Type != xmldb.Int {
			continue
		}
		values := make([]string, len(f.AllowedValues))
		for j, v := range f.AllowedValues {
			if f.Type == xmldb.Int {
				values[j] = strconv.FormatInt(intValue(v), 10)
			} else {
				// The generator takes quotes out of the values.
				values[j] = "'" + strings.ReplaceAll(v, "'", "") + "'"
			}
		}
		expression := fmt.Sprintf("%s IN (%s)", f.Name, strings.Join(values, ","))
		if !f.NotNull {
			expression += fmt.Sprintf(" OR %s IS NULL", f.Name)
		}
		t.Checks = append(t.Checks, schema.Check{
			Name: clip(names.Checks[i], d.nameLimit()), Expression: expression, Origin: originAt(x, f.Line),
		})
	}
}

// intValue is PHP's intval of an allowed value: the number that the text begins with.
func intValue(text string) int64 {
	text = strings.TrimSpace(text)
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || end == 0 && (text[0] == '-' || text[0] == '+')) {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// fullText adds a full-text index of Totara. On MySQL and MariaDB its generator
// also changes the column, to the collation of the search; that statement says
// no NOT NULL, so the column loses it.
func (d *declarer) fullText(in *xmldb.Index, name string, at schema.Origin, t *schema.Table) {
	x := btree(name, false, in.Fields[:1], at)
	if d.opts.Engine == schema.Postgres {
		x.Method = "gin"
		x.Parts = []schema.IndexPart{{Expression: textVector(d.opts.FullTextLanguage, in.Fields[0])}}
		t.Indexes = append(t.Indexes, x)
		return
	}
	x.Method = "fulltext"
	t.Indexes = append(t.Indexes, x)
	if c := t.Column(in.Fields[0]); c != nil {
		c.Type = plainType("longtext")
		c.Charset, _, _ = strings.Cut(d.opts.FullTextLanguage, "_")
		c.Collation = d.opts.FullTextLanguage
		c.NotNull = false
		c.Default = schema.Default{}
	}
}

// textVector is the expression of a text search index, as pg_get_expr prints
// it. The column stands as it is: callers quote what needs quotes.
func textVector(config, column string) string {
	return fmt.Sprintf("to_tsvector(%s::regconfig, %s)", quoteLiteral(config), column)
}

// simpledb is the table of Moodle's database search engine, without prefix.
const simpledb = "search_simpledb_index"

// textSearch adds the indexes that search/engine/simpledb/db/install.php makes
// by hand, in every version of Moodle that has the plugin (3.4 and later): four
// on PostgreSQL, whose names begin with the table's less its last word, and one on
// MySQL and MariaDB.
func (d *declarer) textSearch(x *xmldb.Table, t *schema.Table) {
	if x.Name != simpledb || d.product != xmldb.Moodle {
		return
	}
	columns := []string{"title", "content", "description1", "description2"}
	columns = slices.DeleteFunc(columns, func(c string) bool { return t.Column(c) == nil })
	if len(columns) == 0 {
		return
	}
	at := originAt(x, x.Line)
	if d.opts.Engine.IsMySQL() {
		index := btree(t.Name+"_index", false, columns, at)
		index.Method = "fulltext"
		t.Indexes = append(t.Indexes, index)
		return
	}
	for _, c := range columns {
		t.Indexes = append(t.Indexes, schema.Index{
			Name: strings.TrimSuffix(t.Name, "index") + c, Method: "gin", Origin: at,
			Parts: []schema.IndexPart{{Expression: textVector("simple", c)}},
		})
	}
}
