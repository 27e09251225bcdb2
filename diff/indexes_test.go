package diff

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// forumTable is a table with one index of each sort that install.xml can declare.
func forumTable(engine schema.Engine) schema.Table {
	varchar, bigint, text := "character varying", "bigint", "text"
	if engine.IsMySQL() {
		varchar, text = "varchar", "longtext"
	}
	at := func(line int) schema.Origin {
		return schema.Origin{Component: "mod_forum", File: "mod/forum/db/install.xml", Line: line}
	}
	column := func(name, typ string, length int64, notNull bool) schema.Column {
		return schema.Column{Name: name, Type: schema.Type{Name: typ, Length: length}, NotNull: notNull, Origin: at(5)}
	}
	index := func(name string, unique bool, line int, columns ...string) schema.Index {
		x := schema.Index{Name: name, Unique: unique, Method: "btree", Origin: at(line)}
		for _, c := range columns {
			x.Parts = append(x.Parts, schema.IndexPart{Column: c})
		}
		return x
	}
	t := schema.Table{
		Name: "mdl_forum", Origin: at(2),
		Columns: []schema.Column{
			column("id", bigint, 0, true), column("course", bigint, 0, true), column("user", bigint, 0, true),
			column("name", varchar, 100, true), column("path", varchar, 255, false), column("intro", text, 0, false),
		},
		Indexes: []schema.Index{
			index("pk", true, 10, "id"), index("cou_ix", false, 11, "course"), index("couuse_uix", true, 12, "course", "user"),
			index("usenam_ix", false, 13, "user", "name"), index("pat_uix", true, 14, "path"),
		},
	}
	t.Indexes[0].Primary = true
	if engine == schema.Postgres {
		nam := index("nam_ix", false, 15, "name")
		pattern := index("nam_ix_pattern", false, 15, "name")
		pattern.Parts[0].OpClass = "varchar_pattern_ops"
		words := index("words", false, 2, "")
		words.Method = "gin"
		words.Parts[0] = schema.IndexPart{Expression: "to_tsvector('simple'::regconfig, intro)"}
		t.Indexes = append(t.Indexes, nam, pattern, words)
	} else {
		words := index("words", false, 2, "name", "intro")
		words.Method = "fulltext"
		t.Indexes = append(t.Indexes, words)
	}
	return t
}

// clone copies a table, so that the copy can be changed.
func clone(t schema.Table) *schema.Table {
	t.Columns = slices.Clone(t.Columns)
	t.Indexes = slices.Clone(t.Indexes)
	for i := range t.Indexes {
		t.Indexes[i].Parts = slices.Clone(t.Indexes[i].Parts)
	}
	t.ForeignKeys = slices.Clone(t.ForeignKeys)
	t.Checks = slices.Clone(t.Checks)
	t.Triggers = slices.Clone(t.Triggers)
	return &t
}

// named finds an index of a table.
func named(t *schema.Table, name string) *schema.Index {
	for i := range t.Indexes {
		if t.Indexes[i].Name == name {
			return &t.Indexes[i]
		}
	}
	panic("no index " + name)
}

func drop(t *schema.Table, names ...string) {
	t.Indexes = slices.DeleteFunc(t.Indexes, func(x schema.Index) bool { return slices.Contains(names, x.Name) })
}

func dropColumn(t *schema.Table, name string) {
	t.Columns = slices.DeleteFunc(t.Columns, func(c schema.Column) bool { return c.Name == name })
}

func addIndex(t *schema.Table, x schema.Index, columns ...string) {
	if x.Method == "" {
		x.Method = "btree"
	}
	for _, c := range columns {
		x.Parts = append(x.Parts, schema.IndexPart{Column: c})
	}
	t.Indexes = append(t.Indexes, x)
}

func addColumn(t *schema.Table, name string) {
	t.Columns = append(t.Columns, schema.Column{Name: name, Type: schema.Type{Name: "bigint"}})
}

// lines spells changes as code, object and severity.
func lines(changes []Change) []string {
	Sort(changes)
	var out []string
	for _, c := range changes {
		out = append(out, fmt.Sprintf("%s %s %s", c.Code, c.Object, c.Severity))
	}
	return out
}

// compareTables runs the comparison of keys of two tables.
func compareTables(engine schema.Engine, want, have *schema.Table, opts Options, prepare func(*differ)) []Change {
	opts.Prefix, opts.Declared = "mdl_", true
	w := &schema.Schema{Engine: engine, Tables: []schema.Table{*want}}
	h := &schema.Schema{Engine: engine, Version: "8.0.36", Tables: []schema.Table{*have}}
	if engine == schema.MariaDB {
		h.Version = "10.11.6-MariaDB"
	}
	d := newDiffer(w, h, opts)
	if prepare != nil {
		prepare(d)
	}
	d.keysAndIndexes(&w.Tables[0], &h.Tables[0])
	return d.changes
}

type tableCase struct {
	name   string
	engine schema.Engine // empty for all
	change func(have *schema.Table)
	want   []string
}

// runTables runs cases that each change a copy of the table, on all engines or one.
func runTables(t *testing.T, cases []tableCase, table func(schema.Engine) schema.Table) {
	t.Helper()
	for _, tc := range cases {
		for _, engine := range []schema.Engine{schema.Postgres, schema.MySQL, schema.MariaDB} {
			if tc.engine != "" && tc.engine != engine {
				continue
			}
			t.Run(tc.name+"/"+string(engine), func(t *testing.T) {
				want := table(engine)
				have := clone(want)
				tc.change(have)
				changes := compareTables(engine, &want, have, Options{}, nil)
				if d := cmp.Diff(tc.want, lines(changes)); d != "" {
					t.Errorf("changes (-want +got):\n%s", d)
				}
				for _, c := range changes {
					if c.Table != "mdl_forum" || c.Short != "forum" || c.Origin.Component != "mod_forum" || c.Expected == "" || c.Found == "" {
						t.Errorf("incomplete change %+v", c)
					}
				}
			})
		}
	}
}

func TestOneChangeOfAnIndexIsOneChange(t *testing.T) {
	pg, my := schema.Postgres, schema.MySQL
	runTables(t, []tableCase{
		{"primary key missing", "", func(h *schema.Table) { drop(h, "pk") }, []string{"primary-key-missing pk error"}},
		{"primary key is a unique index", "", func(h *schema.Table) { named(h, "pk").Primary = false }, []string{"primary-key-missing pk error"}},
		{"primary key is a plain index", "", func(h *schema.Table) {
			named(h, "pk").Primary, named(h, "pk").Unique = false, false
		}, []string{"primary-key-missing pk error"}},
		{"primary key on another column", "", func(h *schema.Table) { named(h, "pk").Parts[0].Column = "course" }, []string{"primary-key-different pk error"}},
		{"primary key on more columns", "", func(h *schema.Table) {
			named(h, "pk").Parts = append(named(h, "pk").Parts, schema.IndexPart{Column: "user"})
		}, []string{"primary-key-different pk error"}},
		{"primary key is deferrable", pg, func(h *schema.Table) { named(h, "pk").Deferrable = true }, []string{"index-deferrable pk warning"}},
		{"index missing", "", func(h *schema.Table) { drop(h, "cou_ix") }, []string{"index-missing cou_ix warning"}},
		{"unique index missing", "", func(h *schema.Table) { drop(h, "couuse_uix") }, []string{"index-missing couuse_uix error"}},
		{"text search index missing", "", func(h *schema.Table) { drop(h, "words") }, []string{"index-missing words warning"}},
		{"index extra", "", func(h *schema.Table) { addIndex(h, schema.Index{Name: "x"}, "name", "user") }, []string{"index-extra x warning"}},
		{"unique index extra", "", func(h *schema.Table) { addIndex(h, schema.Index{Name: "x", Unique: true}, "user", "course") }, []string{"index-extra x error"}},
		{"unique index beside the plain one", "", func(h *schema.Table) { addIndex(h, schema.Index{Name: "x", Unique: true}, "course") }, []string{"index-extra x error"}},
		{"index doubled", "", func(h *schema.Table) { addIndex(h, schema.Index{Name: "x"}, "course") }, []string{"index-duplicate x warning"}},
		{"index doubled under an earlier name", "", func(h *schema.Table) { addIndex(h, schema.Index{Name: "a"}, "course") }, []string{"index-duplicate a warning"}},
		{"plain index beside a unique one", "", func(h *schema.Table) { addIndex(h, schema.Index{Name: "x"}, "course", "user") }, []string{"index-duplicate x warning"}},
		{"plain index beside the primary key", "", func(h *schema.Table) { addIndex(h, schema.Index{Name: "x"}, "id") }, []string{"index-duplicate x warning"}},
		{"unique index beside the primary key", "", func(h *schema.Table) { addIndex(h, schema.Index{Name: "x", Unique: true}, "id") }, []string{"index-duplicate x warning"}},
		{"uniqueness lost", "", func(h *schema.Table) { named(h, "couuse_uix").Unique = false }, []string{"index-uniqueness-lost couuse_uix error"}},
		{"uniqueness added", "", func(h *schema.Table) { named(h, "cou_ix").Unique = true }, []string{"index-uniqueness-added cou_ix error"}},
		{"column order", "", func(h *schema.Table) { slices.Reverse(named(h, "usenam_ix").Parts) }, []string{"index-column-order usenam_ix warning"}},
		{"prefix", my, func(h *schema.Table) { named(h, "usenam_ix").Parts[1].Prefix = 20 }, []string{"index-prefix usenam_ix warning"}},
		{"prefix of a unique index", my, func(h *schema.Table) { named(h, "pat_uix").Parts[0].Prefix = 191 }, []string{"index-prefix pat_uix error"}},
		{"partial", pg, func(h *schema.Table) { named(h, "cou_ix").Where = "(course > 1)" }, []string{"index-partial cou_ix warning"}},
		{"partial unique index", pg, func(h *schema.Table) { named(h, "couuse_uix").Where = "(course > 1)" }, []string{"index-partial couuse_uix error"}},
		{"expression", "", func(h *schema.Table) {
			named(h, "usenam_ix").Parts[1] = schema.IndexPart{Expression: "lower((name)::text)"}
		}, []string{"index-expression usenam_ix warning"}},
		{"expression of a unique index", "", func(h *schema.Table) {
			named(h, "pat_uix").Parts[0] = schema.IndexPart{Expression: "lower(path)"}
		}, []string{"index-expression pat_uix error"}},
		{"text search of another language", pg, func(h *schema.Table) {
			named(h, "words").Parts[0].Expression = "to_tsvector('english'::regconfig, intro)"
		}, []string{"index-expression words warning"}},
		{"include", pg, func(h *schema.Table) { named(h, "cou_ix").Include = []string{"name"} }, []string{"index-include cou_ix warning"}},
		{"operator class", pg, func(h *schema.Table) { named(h, "usenam_ix").Parts[1].OpClass = "varchar_pattern_ops" }, []string{"index-operator-class usenam_ix warning"}},
		{"both have the operator class of patterns", pg, func(h *schema.Table) { named(h, "nam_ix").Parts[0].OpClass = "text_pattern_ops" }, []string{"index-operator-class nam_ix warning"}},
		{"pattern index missing", pg, func(h *schema.Table) { drop(h, "nam_ix_pattern") }, []string{"index-pattern-missing nam_ix_pattern warning"}},
		{"only the pattern index is left", pg, func(h *schema.Table) { drop(h, "nam_ix") }, []string{"index-missing nam_ix warning"}},
		{"method", pg, func(h *schema.Table) { named(h, "cou_ix").Method = "hash" }, []string{"index-method cou_ix warning"}},
		{"method with an operator class of its own", pg, func(h *schema.Table) {
			named(h, "nam_ix").Method, named(h, "nam_ix").Parts[0].OpClass = "gin", "gin_trgm_ops"
		}, []string{"index-method nam_ix warning"}},
		{"full text instead of an index", my, func(h *schema.Table) {
			drop(h, "usenam_ix", "words")
			addIndex(h, schema.Index{Name: "words", Method: "fulltext"}, "intro", "name")
			addIndex(h, schema.Index{Name: "usenam_ix", Method: "fulltext"}, "user", "name")
		}, []string{"index-method usenam_ix warning"}},
		{"full text extra", my, func(h *schema.Table) { addIndex(h, schema.Index{Name: "x", Method: "fulltext"}, "name") }, []string{"index-extra x warning"}},
		{"descending", "", func(h *schema.Table) {
			named(h, "usenam_ix").Parts[1].Descending, named(h, "usenam_ix").Parts[1].NullsFirst = true, true
		}, []string{"index-descending usenam_ix warning"}},
		{"nulls first", pg, func(h *schema.Table) { named(h, "usenam_ix").Parts[0].NullsFirst = true }, []string{"index-descending usenam_ix warning"}},
		{"collation", pg, func(h *schema.Table) { named(h, "usenam_ix").Parts[1].Collation = "C" }, []string{"index-collation usenam_ix warning"}},
		{"nulls not distinct", pg, func(h *schema.Table) { named(h, "pat_uix").NullsNotDistinct = true }, []string{"index-nulls pat_uix error"}},
		{"invisible", my, func(h *schema.Table) { named(h, "cou_ix").Invisible = true }, []string{"index-invisible cou_ix warning"}},
		{"invalid", pg, func(h *schema.Table) { named(h, "couuse_uix").Invalid = true }, []string{"index-invalid couuse_uix error"}},
		{"invalid copy", pg, func(h *schema.Table) { addIndex(h, schema.Index{Name: "cou_ix_ccnew", Invalid: true}, "course") }, []string{"index-invalid cou_ix_ccnew error"}},
		{"deferrable", pg, func(h *schema.Table) {
			named(h, "couuse_uix").Constraint, named(h, "couuse_uix").Deferrable = true, true
		}, []string{"index-deferrable couuse_uix warning"}},
		{"exclusion", pg, func(h *schema.Table) {
			addIndex(h, schema.Index{Name: "x", Method: "gist", Exclusion: true}, "course")
		}, []string{"exclusion-extra x error"}},
		{"exclusion like an expected index", pg, func(h *schema.Table) {
			addIndex(h, schema.Index{Name: "x", Exclusion: true}, "course")
		}, []string{"exclusion-extra x error"}},
		{"index on an expression extra", "", func(h *schema.Table) {
			addIndex(h, schema.Index{Name: "x", Parts: []schema.IndexPart{{Expression: "lower(name)"}}})
		}, []string{"index-extra x warning"}},
		{"index on a declared and an extra column", "", func(h *schema.Table) {
			addColumn(h, "extra")
			addIndex(h, schema.Index{Name: "x"}, "extra", "course")
		}, []string{"index-extra x warning"}},
	}, forumTable)
}

func TestWhatIsNoDifferenceOfIndexes(t *testing.T) {
	pg, my := schema.Postgres, schema.MySQL
	runTables(t, []tableCase{
		{"nothing", "", func(*schema.Table) {}, nil},
		{"names", "", func(h *schema.Table) {
			for i := range h.Indexes {
				h.Indexes[i].Name = fmt.Sprintf("z%d", 9-i)
			}
		}, nil},
		{"order of the list, comments", "", func(h *schema.Table) {
			slices.Reverse(h.Indexes)
			h.Indexes[0].Comment = "for a report"
		}, nil},
		{"unique constraint", pg, func(h *schema.Table) { named(h, "couuse_uix").Constraint = true }, nil},
		{"no method is btree", "", func(h *schema.Table) { named(h, "cou_ix").Method = "" }, nil},
		{"prefix of the whole column", my, func(h *schema.Table) { named(h, "usenam_ix").Parts[1].Prefix = 100 }, nil},
		{"case of names", my, func(h *schema.Table) {
			named(h, "usenam_ix").Parts[1].Column = "Name"
			h.Columns[3].Name = "NAME"
		}, nil},
		{"nulls are equal where none can be", pg, func(h *schema.Table) { named(h, "couuse_uix").NullsNotDistinct = true }, nil},
		{"nulls are equal where they may be", pg, func(h *schema.Table) { named(h, "cou_ix").NullsNotDistinct = true }, nil},
		{"operator class of text", pg, func(h *schema.Table) { named(h, "nam_ix_pattern").Parts[0].OpClass = "text_pattern_ops" }, nil},
		{"text search of a varchar", pg, func(h *schema.Table) {
			named(h, "words").Parts[0].Expression = "to_tsvector('simple'::regconfig, (intro)::text)"
		}, nil},
		{"index on extra columns", "", func(h *schema.Table) {
			addColumn(h, "extra")
			addIndex(h, schema.Index{Name: "x", Unique: true}, "extra")
			addIndex(h, schema.Index{Name: "y", Parts: []schema.IndexPart{{Expression: "abs(extra)"}}})
		}, nil},
		{"missing column, its indexes dropped", pg, func(h *schema.Table) {
			dropColumn(h, "user")
			drop(h, "couuse_uix", "usenam_ix")
		}, nil},
		{"missing column, its indexes shortened", my, func(h *schema.Table) {
			dropColumn(h, "user")
			named(h, "couuse_uix").Parts = named(h, "couuse_uix").Parts[:1]
			named(h, "usenam_ix").Parts = named(h, "usenam_ix").Parts[1:]
		}, nil},
		{"missing column with text search", "", func(h *schema.Table) {
			dropColumn(h, "intro")
			drop(h, "words")
		}, nil},
		{"missing column of the primary key", "", func(h *schema.Table) {
			dropColumn(h, "id")
			drop(h, "pk")
		}, nil},
		{"another column in place of a missing one", "", func(h *schema.Table) {
			dropColumn(h, "user")
			addColumn(h, "person")
			for _, name := range []string{"couuse_uix", "usenam_ix"} {
				for i := range named(h, name).Parts {
					if p := &named(h, name).Parts[i]; p.Column == "user" {
						p.Column = "person"
					}
				}
			}
		}, nil},
	}, forumTable)
}

func TestSeveralChangesOfOneIndex(t *testing.T) {
	runTables(t, []tableCase{
		{"unique, partial and included", schema.Postgres, func(h *schema.Table) {
			x := named(h, "cou_ix")
			x.Unique, x.Where, x.Include = true, "course > 1", []string{"user"}
		}, []string{"index-include cou_ix warning", "index-partial cou_ix warning", "index-uniqueness-added cou_ix error"}},
		{"order and uniqueness", "", func(h *schema.Table) {
			slices.Reverse(named(h, "couuse_uix").Parts)
			named(h, "couuse_uix").Unique = false
		}, []string{"index-column-order couuse_uix warning", "index-uniqueness-lost couuse_uix error"}},
		{"the closest is taken", "", func(h *schema.Table) {
			drop(h, "usenam_ix")
			addIndex(h, schema.Index{Name: "b_descending"}, "user", "name")
			named(h, "b_descending").Parts[0].Descending, named(h, "b_descending").Parts[0].NullsFirst = true, true
			addIndex(h, schema.Index{Name: "a_reversed"}, "name", "user")
		}, []string{"index-extra a_reversed warning", "index-descending b_descending warning"}},
		{"a unique index became a second plain one", "", func(h *schema.Table) {
			addIndex(h, schema.Index{Name: "x"}, "course", "user")
			named(h, "couuse_uix").Unique = false
		}, []string{"index-uniqueness-lost couuse_uix error", "index-extra x warning"}},
	}, forumTable)
}

func TestIndexesThatAreDeclaredTwice(t *testing.T) {
	twice := func(engine schema.Engine) schema.Table {
		table := forumTable(engine)
		addIndex(&table, schema.Index{Name: "cou2_ix", Origin: schema.Origin{Component: "mod_forum", File: "x", Line: 20}}, "course")
		addIndex(&table, schema.Index{Name: "couuse_ix", Origin: schema.Origin{Component: "mod_forum", File: "x", Line: 21}}, "course", "user")
		return table
	}
	runTables(t, []tableCase{
		{"both are there", "", func(*schema.Table) {}, nil},
		{"an upgrade made one", "", func(h *schema.Table) { drop(h, "cou2_ix") }, nil},
		{"an upgrade made the unique one", "", func(h *schema.Table) { drop(h, "couuse_ix") }, nil},
		{"none is there", "", func(h *schema.Table) { drop(h, "cou_ix", "cou2_ix") }, []string{"index-missing cou_ix warning"}},
		{"a third", "", func(h *schema.Table) { addIndex(h, schema.Index{Name: "a"}, "course") }, []string{"index-duplicate a warning"}},
		{"one is not unique", "", func(h *schema.Table) { named(h, "couuse_uix").Unique = false }, []string{"index-uniqueness-lost couuse_uix error"}},
		{"one of two is invisible", schema.MySQL, func(h *schema.Table) { named(h, "cou2_ix").Invisible = true }, []string{"index-invisible cou2_ix warning"}},
	}, twice)
}

func TestRenamedColumnOfIndexes(t *testing.T) {
	for _, engine := range []schema.Engine{schema.Postgres, schema.MySQL} {
		want := forumTable(engine)
		have := clone(want)
		for i := range have.Columns {
			have.Columns[i].Name = strings.ReplaceAll(have.Columns[i].Name, "intro", "description")
			have.Columns[i].Name = strings.ReplaceAll(have.Columns[i].Name, "user", "owner")
		}
		for i := range have.Indexes {
			for j := range have.Indexes[i].Parts {
				p := &have.Indexes[i].Parts[j]
				p.Column = strings.NewReplacer("user", "owner", "intro", "description").Replace(p.Column)
				p.Expression = strings.ReplaceAll(p.Expression, "intro", "description")
			}
		}
		changes := compareTables(engine, &want, have, Options{}, func(d *differ) {
			d.renamed = map[string]map[string]string{"mdl_forum": {"user": "owner", "intro": "description"}}
		})
		if len(changes) != 0 {
			t.Errorf("%s: unexpected changes %v", engine, lines(changes))
		}
	}
}

func TestPrimaryKeyWhereNoneIsExpected(t *testing.T) {
	want := forumTable(schema.Postgres)
	drop(&want, "pk")
	have := clone(want)
	addIndex(have, schema.Index{Name: "x", Primary: true, Unique: true}, "id")
	if d := cmp.Diff([]string{"primary-key-extra x warning"}, lines(compareTables(schema.Postgres, &want, have, Options{}, nil))); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	have = clone(want)
	named(have, "couuse_uix").Primary = true
	if d := cmp.Diff([]string{"primary-key-extra couuse_uix warning"}, lines(compareTables(schema.Postgres, &want, have, Options{}, nil))); d != "" {
		t.Errorf("unique index became the key: changes (-want +got):\n%s", d)
	}
}

func TestLanguageOfTheTextSearchIsTheChoiceOfATotaraSite(t *testing.T) {
	want := forumTable(schema.Postgres)
	have := clone(want)
	named(have, "words").Parts[0].Expression = "to_tsvector('german'::regconfig, intro)"
	if changes := compareTables(schema.Postgres, &want, have, Options{Product: xmldb.Totara}, nil); len(changes) != 0 {
		t.Errorf("unexpected changes %v", lines(changes))
	}
}

func TestIndexesWithoutPartsAreNoCrash(t *testing.T) {
	for _, engine := range []schema.Engine{schema.Postgres, schema.MySQL} {
		want := forumTable(engine)
		have := clone(want)
		for i := range have.Indexes {
			have.Indexes[i].Parts = nil
		}
		have.ForeignKeys = []schema.ForeignKey{{Name: "x"}}
		have.Checks = []schema.Check{{Name: "x"}}
		compareTables(engine, &want, have, Options{}, nil)
		compareTables(engine, have, &want, Options{}, nil)
	}
}

func TestTextOfAnIndex(t *testing.T) {
	x := schema.Index{
		Unique: true, Method: "gist", Include: []string{"d"}, Where: "a > 1", NullsNotDistinct: true,
		Parts: []schema.IndexPart{{Column: "a", Prefix: 10, Descending: true}, {Expression: "lower(b)", OpClass: "text_pattern_ops", Collation: "C"}, {Column: "c", NullsFirst: true}},
	}
	want := "unique gist (a(10) DESC, lower(b) COLLATE C text_pattern_ops, c NULLS FIRST) INCLUDE (d) NULLS NOT DISTINCT WHERE a > 1"
	if got := indexText(&x); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnreadTablesAreNotCompared(t *testing.T) {
	want := forumTable(schema.Postgres)
	have := clone(want)
	have.Indexes = nil
	if changes := compareTables(schema.Postgres, &want, have, Options{Unread: []string{"mdl_forum"}}, nil); len(changes) != 0 {
		t.Errorf("unexpected changes %v", lines(changes))
	}
}
