package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// PostgreSQL allows an entry of a btree index btreeLimit bytes, a third of a
// page. With maxEntry bytes of values there is room for their headers.
const (
	btreeLimit = 2704
	maxEntry   = 2600
)

// charBytes is the longest character of UTF-8.
const charBytes = 4

// indexes converts the indexes of the source table t to indexes of out, but for
// those for which covered, when not nil, returns true.
func (c *converter) indexes(t, out *schema.Table, covered func(*schema.Index) bool) {
	for i := range t.Indexes {
		x := &t.Indexes[i]
		if covered != nil && covered(x) {
			continue
		}
		if x.Primary && out.PrimaryKey() != nil {
			// A table has one primary key, and the declared one is it.
			unique := *x
			unique.Primary, unique.Unique = false, true
			x = &unique
		}
		converted, ok := c.index(t, out, x)
		if !ok {
			continue
		}
		if twin := slices.IndexFunc(out.Indexes, func(y schema.Index) bool { return sameIndex(&converted, &y) }); twin >= 0 {
			c.find(Finding{
				Code: CodeIndexDuplicate, Severity: Info, Table: t.Name, Index: x.Name,
				Message: fmt.Sprintf("index %q is the same as %q, and left out", x.Name, out.Indexes[twin].Name),
			})
			continue
		}
		converted.Name = c.indexName(t, x, &converted)
		if converted.Primary {
			for _, name := range converted.Columns() {
				out.Column(name).NotNull = true
			}
		}
		out.Indexes = append(out.Indexes, converted)
	}
}

// sameIndex reports whether two indexes of PostgreSQL are the same but for their names.
func sameIndex(a, b *schema.Index) bool {
	return a.Primary == b.Primary && a.Unique == b.Unique && a.Method == b.Method && a.Where == b.Where && slices.Equal(a.Parts, b.Parts)
}

// index converts one index, without its name; false when PostgreSQL can have none such.
func (c *converter) index(t, out *schema.Table, x *schema.Index) (schema.Index, bool) {
	skip := func(format string, args ...any) (schema.Index, bool) {
		f := Finding{
			Code: CodeIndexSkipped, Severity: Warning, Table: t.Name, Index: x.Name,
			Message: fmt.Sprintf("index %q is left out: ", x.Name) + fmt.Sprintf(format, args...),
			Hint:    "make one on PostgreSQL if the site needs it",
		}
		if x.Unique {
			f.Message += "; its uniqueness is no longer enforced"
		}
		c.find(f)
		return schema.Index{}, false
	}
	switch x.Method {
	case "", "btree", "hash", "fulltext":
	case "spatial", "rtree", "vector":
		return skip("PostgreSQL itself has no %s index", x.Method)
	default:
		c.find(Finding{
			Code: CodeUnknownIndexMethod, Severity: Error, Table: t.Name, Index: x.Name,
			Message: fmt.Sprintf("index %q has the type %q, for which there is no rule", x.Name, x.Method),
			Hint:    "drop the index at the source, or exclude the table",
		})
		return schema.Index{}, false
	}
	for _, p := range x.Parts {
		if p.Column == "" {
			return skip("it is on the expression %s", p.Expression)
		}
		if t.Column(p.Column) == nil || out.Column(p.Column) == nil {
			return skip("column %q is not part of the converted table", p.Column)
		}
	}
	if x.Invisible {
		c.find(Finding{
			Code: CodeIndexInvisible, Severity: Info, Table: t.Name, Index: x.Name,
			Message: fmt.Sprintf("index %q is invisible to the source's planner; on PostgreSQL it is an ordinary index", x.Name),
		})
	}
	if x.Method == "fulltext" {
		return c.textIndex(t, out, x, skip)
	}
	return c.btreeIndex(t, out, x), true
}

// textIndex makes a text search index of a FULLTEXT one. The configuration
// "simple" changes no word, as MySQL does not.
func (c *converter) textIndex(t, out *schema.Table, x *schema.Index, skip func(string, ...any) (schema.Index, bool)) (schema.Index, bool) {
	texts := make([]string, len(x.Parts))
	for i, p := range x.Parts {
		column := out.Column(p.Column)
		texts[i] = quoteIdent(column.Name)
		switch column.Type.Name {
		case "text":
		case "character varying", "json":
			texts[i] = "(" + texts[i] + ")::text"
		default:
			return skip("column %q becomes %s, which holds no words", p.Column, column.Type.Name)
		}
	}
	all := texts[0]
	if len(texts) > 1 {
		for i := range texts {
			texts[i] = "COALESCE(" + texts[i] + ", ''::text)"
		}
		all = "(" + strings.Join(texts, " || ' '::text || ") + ")"
	}
	c.find(Finding{
		Code: CodeIndexFullText, Severity: Warning, Table: t.Name, Index: x.Name,
		Message: fmt.Sprintf("full-text index %q becomes a GIN index on to_tsvector, which other queries use than MATCH ... AGAINST, "+
			"and which refuses a text of more than 1 MB of distinct words", x.Name),
	})
	return schema.Index{Method: "gin", Parts: []schema.IndexPart{{Expression: textVector("simple", all)}}}, true
}

// btreeIndex converts an ordinary index. A part that PostgreSQL could not index
// as a column becomes an expression on its beginning, or its MD5.
func (c *converter) btreeIndex(t, out *schema.Table, x *schema.Index) schema.Index {
	converted := schema.Index{Primary: x.Primary, Unique: x.Unique || x.Primary, Constraint: x.Primary, Method: "btree"}
	width, long := int64(0), false
	var shortened []string
	for _, p := range x.Parts {
		source, target := t.Column(p.Column), out.Column(p.Column)
		part := schema.IndexPart{Column: target.Name, Descending: p.Descending, NullsFirst: p.Descending}
		size := maxBytes(target.Type, source.Type)
		switch {
		case p.Prefix == 0 || source.Type.Length > 0 && p.Prefix >= source.Type.Length:
			if size == unbounded && x.Unique {
				// MariaDB keeps long values unique by a hash of its own.
				part.Column, part.Expression, size = "", digest(target), 36
				shortened = append(shortened, target.Name)
			}
			long = long || size == unbounded
		case !converted.Unique && size <= maxEntry:
			// The whole column serves every query that its beginning does.
		default:
			part.Column = ""
			part.Expression, size = beginning(target, p.Prefix, converted.Unique)
			shortened = append(shortened, target.Name)
		}
		width += min(size, maxEntry+1)
		converted.Parts = append(converted.Parts, part)
	}
	c.tellAboutLength(t, x, shortened, long || width > maxEntry)
	if converted.Primary {
		c.primary(t, x, &converted, len(shortened) > 0)
	}
	return converted
}

// digest is the expression of a value's MD5.
func digest(column *schema.Column) string {
	if column.Type.Name == "bytea" {
		return "md5(" + quoteIdent(column.Name) + ")"
	}
	return "md5((" + quoteIdent(column.Name) + ")::text)"
}

// beginning is the expression of the first n characters, or bytes, and what they
// need at most. An index that is not unique may be on less than the source's, so
// that its entries fit.
func beginning(column *schema.Column, n int64, unique bool) (text string, size int64) {
	format, unit := `"left"((%s)::text, %d)`, int64(charBytes)
	if column.Type.Name == "bytea" {
		format, unit = "substring(%s from 1 for %d)", 1
	}
	if !unique {
		n = min(n, maxEntry/unit)
	}
	return fmt.Sprintf(format, quoteIdent(column.Name), n), n * unit
}

// tellAboutLength records what becomes of an index on long values.
func (c *converter) tellAboutLength(t *schema.Table, x *schema.Index, shortened []string, long bool) {
	if len(shortened) > 0 {
		c.find(Finding{
			Code: CodeIndexPrefix, Severity: Warning, Table: t.Name, Index: x.Name,
			Message: fmt.Sprintf("index %q is on the beginning of %s, or on values of any length: PostgreSQL indexes an expression instead, "+
				"and only queries with the same expression use it", x.Name, strings.Join(shortened, ", ")),
		})
	}
	if long {
		c.find(Finding{
			Code: CodeIndexLong, Severity: Warning, Table: t.Name, Index: x.Name,
			Message: fmt.Sprintf("index %q may hold values that are too long together: PostgreSQL refuses an entry of more than %d bytes",
				x.Name, btreeLimit),
			Hint: "look for rows whose indexed values have more bytes than that; if there are some, drop the index at the source",
		})
	}
}

// primary finishes a primary key, which has neither an order nor expressions.
func (c *converter) primary(t *schema.Table, x, converted *schema.Index, expressions bool) {
	if expressions {
		converted.Primary, converted.Constraint = false, false
		c.find(Finding{
			Code: CodeKeyReplaced, Severity: Warning, Table: t.Name, Index: x.Name,
			Message: "the primary key is on the beginning of a long column, which PostgreSQL cannot have; it becomes a unique index",
		})
		return
	}
	for i := range converted.Parts {
		converted.Parts[i].Descending, converted.Parts[i].NullsFirst = false, false
	}
}

// unbounded is the size of a type without limit.
const unbounded = int64(1) << 40

// maxBytes is the most that a value of a converted column needs in an index.
func maxBytes(target, source schema.Type) int64 {
	switch target.Name {
	case "character varying":
		return target.Length * charBytes
	case "bytea":
		if source.Length > 0 && (source.Name == "binary" || source.Name == "varbinary") {
			return source.Length
		}
		return unbounded
	case "text", "json":
		if len(source.Values) > 0 {
			return (longest(source.Values) + 1) * int64(len(source.Values)) * charBytes
		}
		return unbounded
	case "numeric":
		return int64(target.Precision)/2 + 16
	}
	return 24
}

// indexName keeps the name that the source gave where it is free in the whole
// schema, and makes one as Moodle does otherwise.
func (c *converter) indexName(t *schema.Table, x, converted *schema.Index) string {
	const unnamed = "PRIMARY"
	if x.Name != unnamed && x.Name != "" && len(x.Name) <= maxIdentifier && c.names.take(x.Name) {
		return x.Name
	}
	suffix := "ix"
	switch {
	case converted.Primary:
		suffix = "pk"
	case converted.Unique:
		suffix = "uix"
	case converted.Method == "gin":
		suffix = "fts"
	}
	fields := x.Columns()
	for i := range fields {
		fields[i] = nameCore(fields[i])
	}
	name := c.namer.Name(nameCore(strings.TrimPrefix(t.Name, c.prefix)), fields, suffix)
	c.names.take(name)
	if x.Name != unnamed {
		c.find(Finding{
			Code: CodeIndexRenamed, Severity: Info, Table: t.Name, Index: x.Name,
			Message: fmt.Sprintf("index %q is called %q: names of indexes are unique in the whole schema of PostgreSQL, and %d bytes long at most",
				x.Name, name, maxIdentifier),
		})
	}
	return name
}

// nameCore is what Moodle's naming may take from a name that Moodle did not give.
func nameCore(name string) string {
	core := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, name)
	if core == "" {
		return "x"
	}
	return core
}
