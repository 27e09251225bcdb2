package convert_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// siteOf is a site with one install.xml of the tables given.
func siteOf(product xmldb.Product, branch int, tables ...xmldb.Table) *xmldb.Site {
	for i := range tables {
		tables[i].Component, tables[i].File, tables[i].Line = "core", "lib/db/install.xml", 10*(i+1)
	}
	return &xmldb.Site{
		Product: product, Branch: branch, Limits: xmldb.LimitsFor(product, branch),
		Files: []xmldb.File{{Path: "lib/db/install.xml", Component: "core", Tables: tables}},
	}
}

// withID is a table with the usual id, and the fields given.
func withID(name string, fields ...xmldb.Field) xmldb.Table {
	id := xmldb.Field{Name: "id", Type: xmldb.Int, Length: 10, NotNull: true, Sequence: true}
	return xmldb.Table{
		Name: name, Fields: append([]xmldb.Field{id}, fields...),
		Keys: []xmldb.Key{{Name: "primary", Type: xmldb.Primary, Fields: []string{"id"}}},
	}
}

func value(s string) *string { return &s }

func TestDeclaredFields(t *testing.T) {
	for _, tc := range []struct {
		name     string
		field    xmldb.Field
		postgres string // type, default, NOT NULL
		mysql    string
	}{
		{"int without length", xmldb.Field{Type: xmldb.Int}, "bigint", "bigint(10)"},
		{"int 1", xmldb.Field{Type: xmldb.Int, Length: 1}, "smallint", "tinyint(1)"},
		{"int 2", xmldb.Field{Type: xmldb.Int, Length: 2}, "smallint", "tinyint(2)"},
		{"int 3", xmldb.Field{Type: xmldb.Int, Length: 3}, "smallint", "smallint(3)"},
		{"int 4", xmldb.Field{Type: xmldb.Int, Length: 4}, "smallint", "smallint(4)"},
		{"int 5", xmldb.Field{Type: xmldb.Int, Length: 5}, "integer", "mediumint(5)"},
		{"int 6", xmldb.Field{Type: xmldb.Int, Length: 6}, "integer", "mediumint(6)"},
		{"int 7", xmldb.Field{Type: xmldb.Int, Length: 7}, "integer", "int(7)"},
		{"int 9", xmldb.Field{Type: xmldb.Int, Length: 9}, "integer", "int(9)"},
		{"int 10", xmldb.Field{Type: xmldb.Int, Length: 10, NotNull: true, Default: value("0")}, "bigint 0 NOT NULL", "bigint(10) 0 NOT NULL"},
		{"int 20, negative default", xmldb.Field{Type: xmldb.Int, Length: 20, Default: value("-01")}, "bigint -1", "bigint(20) -1"},
		{"number", xmldb.Field{Type: xmldb.Number, Length: 10, Decimals: 5, Default: value("0")}, "numeric(10,5) 0", "decimal(10,5) 0.00000"},
		{"number, default with digits", xmldb.Field{Type: xmldb.Number, Length: 10, Decimals: 2, Default: value("+.125")}, "numeric(10,2) 0.125", "decimal(10,2) 0.13"},
		{"number without decimals", xmldb.Field{Type: xmldb.Number, Length: 10}, "numeric(10,0)", "decimal(10,0)"},
		{"number without length", xmldb.Field{Type: xmldb.Number}, "numeric", "decimal(10,0)"},
		{"float", xmldb.Field{Type: xmldb.Float, Default: value("1.50")}, "double precision 1.50", "double 1.5"},
		{"float 11,4", xmldb.Field{Type: xmldb.Float, Length: 11, Decimals: 4, HasDecimals: true, Default: value("0")}, "real 0", "float(11,4) 0.0000"},
		{"float 20,6", xmldb.Field{Type: xmldb.Float, Length: 20, Decimals: 6, HasDecimals: true}, "double precision", "double(20,6)"},
		{"float with length alone", xmldb.Field{Type: xmldb.Float, Length: 20}, "double precision", "double(20,0)"},
		{"char", xmldb.Field{Type: xmldb.Char, Length: 100}, "character varying(100)", "varchar(100)"},
		{"char without length", xmldb.Field{Type: xmldb.Char}, "character varying(255)", "varchar(255)"},
		{"char not null without default", xmldb.Field{Type: xmldb.Char, Length: 5, NotNull: true}, "character varying(5) '' NOT NULL", "varchar(5) '' NOT NULL"},
		{"char with default", xmldb.Field{Type: xmldb.Char, Length: 5, Default: value("a'b")}, "character varying(5) 'a'b'", "varchar(5) 'a'b'"},
		{"char with empty default", xmldb.Field{Type: xmldb.Char, Length: 5, Default: value("")}, "character varying(5) ''", "varchar(5) ''"},
		{"text", xmldb.Field{Type: xmldb.Text, NotNull: true}, "text NOT NULL", "longtext NOT NULL"},
		{"binary", xmldb.Field{Type: xmldb.Binary}, "bytea", "longblob"},
		{"datetime", xmldb.Field{Type: xmldb.Datetime}, "timestamp without time zone", "datetime"},
		{"small sequence", xmldb.Field{Type: xmldb.Int, Length: 4, Sequence: true}, "integer serial NOT NULL", "smallint(4) serial NOT NULL"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.field.Name = "f"
			site := siteOf(xmldb.Moodle, 405, xmldb.Table{
				Name: "t", Fields: []xmldb.Field{{Name: "id", Type: xmldb.Int, Length: 10}, tc.field},
				Keys: []xmldb.Key{{Name: "primary", Type: xmldb.Primary, Fields: []string{"id"}}},
			})
			for engine, want := range map[schema.Engine]string{schema.Postgres: tc.postgres, schema.MySQL: tc.mysql} {
				s, findings := convert.Declared(site, convert.DeclaredOptions{Engine: engine, Prefix: "m_"})
				if len(findings) > 0 {
					t.Fatalf("%s: %v", engine, findings)
				}
				if id := s.Tables[0].Columns[0]; !id.NotNull {
					t.Errorf("%s: a column of the primary key may be NULL", engine)
				}
				if got := spell(&s.Tables[0].Columns[1]); got != want {
					t.Errorf("%s: %s, want %s", engine, got, want)
				}
			}
		})
	}
}

// spell prints a column's type, default and NOT NULL.
func spell(c *schema.Column) string {
	text := c.Type.Raw
	switch {
	case c.AutoIncrement:
		text += " serial"
	case c.Default.Kind == schema.LiteralDefault && strings.Contains(c.Type.Name, "char"):
		text += " '" + c.Default.Text + "'"
	case c.Default.Kind == schema.LiteralDefault:
		text += " " + c.Default.Text
	}
	if c.NotNull {
		text += " NOT NULL"
	}
	return text
}

func TestDeclaredRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		site   *xmldb.Site
		engine schema.Engine
		code   string
		tables int
	}{
		{"an unknown engine", siteOf(xmldb.Moodle, 405, withID("t")), "oracle", "engine-unknown", 0},
		{"an unknown type", siteOf(xmldb.Moodle, 405, withID("t", xmldb.Field{Name: "f", Type: "timestamp"})), schema.Postgres, "field-type", 0},
		{"a default that is no number", siteOf(xmldb.Moodle, 405, withID("t", xmldb.Field{Name: "f", Type: xmldb.Int, Default: value("")})), schema.MySQL, "field-default", 0},
		{"the default of a datetime", siteOf(xmldb.Moodle, 405, withID("t", xmldb.Field{Name: "f", Type: xmldb.Datetime, Default: value("0")})), schema.MySQL, "field-default", 0},
		{"a name that is too long with the prefix", siteOf(xmldb.Moodle, 405, withID(strings.Repeat("t", 62))), schema.Postgres, "table-name", 0},
		{"a reference to nowhere", siteOf(xmldb.Totara, 1300, referring("gone", "cascade")), schema.Postgres, "key-reference", 1},
		{"an unknown action", siteOf(xmldb.Totara, 1300, referring("t", "explode")), schema.Postgres, "key-action", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, findings := convert.Declared(tc.site, convert.DeclaredOptions{Engine: tc.engine, Prefix: "m_"})
			if len(findings) != 1 || findings[0].Code != tc.code || findings[0].Severity != xmldb.Error {
				t.Errorf("findings: %v, want %s", findings, tc.code)
			}
			if len(s.Tables) != tc.tables {
				t.Errorf("%d tables, want %d", len(s.Tables), tc.tables)
			}
		})
	}
}

// referring is a table t with an enforced key to another table.
func referring(to, onDelete string) xmldb.Table {
	t := withID("t", xmldb.Field{Name: "ref", Type: xmldb.Int, Length: 10})
	t.Keys = append(t.Keys, xmldb.Key{Name: "k", Type: xmldb.Foreign, Fields: []string{"ref"}, RefTable: to, RefFields: []string{"id"}, OnDelete: onDelete, Line: 7})
	return t
}

// TestDeclaredTotara has what Totara 13 adds to Moodle's grammar.
func TestDeclaredTotara(t *testing.T) {
	table := withID("course_note",
		xmldb.Field{Name: "courseid", Type: xmldb.Int, Length: 10, NotNull: true},
		xmldb.Field{Name: "kind", Type: xmldb.Char, Length: 10, AllowedValues: []string{"a", "it's"}},
		xmldb.Field{Name: "level", Type: xmldb.Int, Length: 2, NotNull: true, AllowedValues: []string{"0", " 10x"}},
		xmldb.Field{Name: "body", Type: xmldb.Text, NotNull: true})
	table.Keys = append(table.Keys,
		xmldb.Key{Name: "course", Type: xmldb.Foreign, Fields: []string{"courseid"}, RefTable: "course", RefFields: []string{"id"}, OnDelete: "setnull", Line: 12},
		xmldb.Key{Name: "once", Type: xmldb.ForeignUnique, Fields: []string{"courseid", "kind"}, RefTable: "course", RefFields: []string{"id", "kind"}, Line: 13})
	table.Indexes = []xmldb.Index{{Name: "words", Fields: []string{"body"}, Hints: []string{"full_text_search"}, Line: 14}}
	site := siteOf(xmldb.Totara, 1300, table, withID("course"))

	pg, findings := convert.Declared(site, convert.DeclaredOptions{Engine: schema.Postgres, Prefix: "ttr_"})
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	note := pg.Table("ttr_course_note")
	at := func(line int) schema.Origin {
		return schema.Origin{Component: "core", File: "lib/db/install.xml", Line: line}
	}
	wantIndexes := []schema.Index{
		{Name: "ttr_cournote_id_pk", Primary: true, Unique: true, Constraint: true, Method: "btree", Parts: on(column("id")), Origin: at(0)},
		{Name: "ttr_cournote_bod_fts", Method: "gin", Parts: on(expression("to_tsvector('english'::regconfig, body)")), Origin: at(14)},
		{Name: "ttr_cournote_cou_ix", Method: "btree", Parts: on(column("courseid")), Origin: at(12)},
		{Name: "ttr_cournote_coukin_uix", Unique: true, Method: "btree", Parts: on(column("courseid"), column("kind")), Origin: at(13)},
	}
	if diff := cmp.Diff(wantIndexes, note.Indexes); diff != "" {
		t.Errorf("indexes (-want +got):\n%s", diff)
	}
	wantKeys := []schema.ForeignKey{{
		Name: "ttr_course_note_courseid_fk", Columns: []string{"courseid"}, RefTable: "ttr_course", RefColumns: []string{"id"},
		OnDelete: "set null", OnUpdate: "restrict", Origin: at(12),
	}}
	if diff := cmp.Diff(wantKeys, note.ForeignKeys); diff != "" {
		t.Errorf("foreign keys (-want +got):\n%s", diff)
	}
	wantChecks := []schema.Check{
		{Name: "ttr_course_notekind_enum", Expression: "kind IN ('a','its') OR kind IS NULL", Origin: at(0)},
		{Name: "ttr_course_notelevel_enum", Expression: "level IN (0,10)", Origin: at(0)},
	}
	if diff := cmp.Diff(wantChecks, note.Checks); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}

	my, _ := convert.Declared(site, convert.DeclaredOptions{Engine: schema.MySQL, Prefix: "ttr_", FullTextLanguage: "utf8mb4_german2_ci"})
	body := my.Table("ttr_course_note").Column("body")
	want := &schema.Column{
		Name: "body", Type: typed("longtext"), Charset: "utf8mb4", Collation: "utf8mb4_german2_ci", Origin: at(0),
	}
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("column of the full-text index on MySQL (-want +got):\n%s", diff)
	}
	if got := my.Tables[0].RowFormat; got != "Dynamic" {
		t.Errorf("row format %s", got)
	}
}

func TestDeclaredRowFormatOfTotara(t *testing.T) {
	var fields []xmldb.Field
	for _, c := range "abcdefghij" {
		fields = append(fields, xmldb.Field{Name: string(c), Type: xmldb.Text})
	}
	s, _ := convert.Declared(siteOf(xmldb.Totara, 1300, withID("wide", fields...)), convert.DeclaredOptions{Engine: schema.MySQL})
	if got := s.Tables[0].RowFormat; got != "Compressed" {
		t.Errorf("row format of a wide table: %s", got)
	}
}

func TestDeclaredComments(t *testing.T) {
	for _, tc := range []struct {
		name, comment, postgres, mysql string
	}{
		{"short", "all of it", "all of it", "all of it"},
		{"cut", strings.Repeat("x", 300), strings.Repeat("x", 250), strings.Repeat("x", 60)},
		{"cut within a character", "x" + strings.Repeat("é", 200), "x" + strings.Repeat("é", 124), "x" + strings.Repeat("é", 29)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			table := withID("t")
			table.Comment = tc.comment
			for engine, want := range map[schema.Engine]string{schema.Postgres: tc.postgres, schema.MariaDB: tc.mysql} {
				s, _ := convert.Declared(siteOf(xmldb.Moodle, 405, table), convert.DeclaredOptions{Engine: engine})
				if got := s.Tables[0].Comment; got != want {
					t.Errorf("%s: %q, want %q", engine, got, want)
				}
			}
		})
	}
}

// TestDeclaredOnlyKeepsNames demands that a table's objects have the same names
// whether the other tables are asked for or not.
func TestDeclaredOnlyKeepsNames(t *testing.T) {
	site := siteOf(xmldb.Moodle, 405, withID("tool_one"), withID("tool_onex"))
	only := func(table xmldb.Table) bool { return table.Name == "tool_onex" }
	all, _ := convert.Declared(site, convert.DeclaredOptions{Engine: schema.Postgres, Prefix: "mdl_"})
	some, _ := convert.Declared(site, convert.DeclaredOptions{Engine: schema.Postgres, Prefix: "mdl_", Only: only})
	if len(some.Tables) != 1 {
		t.Fatalf("%d tables", len(some.Tables))
	}
	if diff := cmp.Diff(all.Tables[1], some.Tables[0]); diff != "" {
		t.Errorf("table (-all +only):\n%s", diff)
	}
	if got := some.Tables[0].Indexes[0].Name; got != "mdl_toolonex_id_pk" {
		t.Errorf("primary key %s", got)
	}
}

func TestDeclaredOptions(t *testing.T) {
	for _, tc := range []struct {
		collation, charset string
	}{
		{"", "utf8mb4"}, {"utf8_general_ci", "utf8"}, {"utf8mb4_0900_ai_ci", "utf8mb4"}, {"uca1400_ai_ci", "utf8mb4"},
	} {
		t.Run(tc.collation, func(t *testing.T) {
			site := siteOf(xmldb.Moodle, 405, withID("t", xmldb.Field{Name: "c", Type: xmldb.Char, Length: 5}))
			s, _ := convert.Declared(site, convert.DeclaredOptions{Engine: schema.MySQL, Collation: tc.collation})
			collation := tc.collation
			if collation == "" {
				collation = "utf8mb4_unicode_ci"
			}
			c := s.Tables[0].Columns[1]
			if c.Charset != tc.charset || c.Collation != collation || s.Charset != tc.charset || s.Tables[0].Collation != collation {
				t.Errorf("column %s %s, schema %s, table %s", c.Charset, c.Collation, s.Charset, s.Tables[0].Collation)
			}
		})
	}
}

func TestSearchIndexesAreMadeForMoodleAlone(t *testing.T) {
	table := withID("search_simpledb_index", xmldb.Field{Name: "title", Type: xmldb.Text}, xmldb.Field{Name: "content", Type: xmldb.Text})
	names := func(product xmldb.Product, engine schema.Engine) []string {
		s, _ := convert.Declared(siteOf(product, 0, table), convert.DeclaredOptions{Engine: engine, Prefix: "mdl_"})
		var list []string
		for _, x := range s.Tables[0].Indexes {
			list = append(list, x.Name+" "+x.Method)
		}
		return list
	}
	if diff := cmp.Diff([]string{"mdl_searsimpinde_id_pk btree", "mdl_search_simpledb_content gin", "mdl_search_simpledb_title gin"},
		names(xmldb.Moodle, schema.Postgres)); diff != "" {
		t.Errorf("on PostgreSQL (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"PRIMARY btree", "mdl_search_simpledb_index_index fulltext"}, names(xmldb.Moodle, schema.MariaDB)); diff != "" {
		t.Errorf("on MariaDB (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"PRIMARY btree"}, names(xmldb.Totara, schema.MariaDB)); diff != "" {
		t.Errorf("in Totara (-want +got):\n%s", diff)
	}
}
