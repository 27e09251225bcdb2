package convert_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
)

func typed(name string) schema.Type { return schema.Type{Name: name, Raw: name} }

func TestDefaults(t *testing.T) {
	bit8 := schema.Type{Name: "bit", Length: 8}
	none := schema.Default{}
	for _, tc := range []struct {
		name    string
		typ     schema.Type
		in      schema.Default
		want    schema.Default
		dropped bool
	}{
		{"none", typed("int"), none, none, false},
		{"number", typed("int"), schema.Literal("-5"), schema.Literal("-5"), false},
		{"zerofill", typed("int"), schema.Literal("00042"), schema.Literal("42"), false},
		{"number that is none", typed("int"), schema.Literal("abc"), none, true},
		{"decimal", typed("decimal"), schema.Literal("1.50000"), schema.Literal("1.50000"), false},
		{"exponent", typed("double"), schema.Literal("1e300"), schema.Literal("1e300"), false},
		{"hexadecimal float", typed("double"), schema.Literal("0x1p4"), none, true},
		{"bits", bit8, schema.Literal("101"), schema.Literal("00000101"), false},
		{"bits as DDL spells them", bit8, schema.Literal("b'101'"), schema.Literal("00000101"), false},
		{"bits of zero", bit8, schema.Literal("0"), schema.Literal("00000000"), false},
		{"too many bits", bit8, schema.Literal("111111111"), none, true},
		{"text", typed("varchar"), schema.Literal(`it's \ "x"`), schema.Literal(`it's \ "x"`), false},
		{"empty text", typed("char"), schema.Literal(""), schema.Literal(""), false},
		{"text with a zero byte", typed("char"), schema.Literal("a\x00"), none, true},
		{"bytes", typed("varbinary"), schema.Literal("a\x00\xff"), schema.Literal(`\x6100ff`), false},
		{"bytes filled up", schema.Type{Name: "binary", Length: 4}, schema.Literal("ab"), schema.Literal(`\x61620000`), false},
		{"date", typed("date"), schema.Literal("2024-02-29"), schema.Literal("2024-02-29"), false},
		{"zero date", typed("datetime"), schema.Literal("0000-00-00 00:00:00"), none, true},
		{"day that is none", typed("date"), schema.Literal("2023-02-29"), none, true},
		{"instant", typed("timestamp"), schema.Literal("2024-02-29 12:00:00"), schema.Literal("2024-02-29 12:00:00+00"), false},
		{"time", typed("time"), schema.Literal("-838:59:59"), schema.Literal("-838:59:59"), false},
		{"year", typed("year"), schema.Literal("0000"), schema.Literal("0"), false},

		{"now", typed("datetime"), schema.Expression("current_timestamp()"), schema.Expression("CURRENT_TIMESTAMP(0)"), false},
		{"now with digits", typed("timestamp"), schema.Expression("CURRENT_TIMESTAMP(3)"), schema.Expression("CURRENT_TIMESTAMP(3)"), false},
		{"now in a text", typed("varchar"), schema.Expression("now()"), none, true},
		{"now in a date", typed("date"), schema.Expression("now()"), schema.Expression("CURRENT_DATE"), false},
		{"today", typed("date"), schema.Expression("(curdate())"), schema.Expression("CURRENT_DATE"), false},
		{"null", typed("text"), schema.Expression("NULL"), none, false},
		{"uuid in a text", schema.Type{Name: "char", Length: 36}, schema.Expression("uuid()"), schema.Expression("(gen_random_uuid())::text"), false},
		{"uuid in a short text", schema.Type{Name: "char", Length: 35}, schema.Expression("uuid()"), none, true},
		{"uuid", typed("uuid"), schema.Expression("uuid()"), schema.Expression("gen_random_uuid()"), false},
		{"seconds", typed("bigint"), schema.Expression("unix_timestamp()"), schema.Expression("floor(EXTRACT(epoch FROM CURRENT_TIMESTAMP))"), false},
		{"seconds in a smallint", typed("smallint"), schema.Expression("unix_timestamp()"), none, true},
		{"empty array", typed("json"), schema.Expression("json_array()"), schema.Literal("[]"), false},
		{"empty object", typed("longtext"), schema.Expression("json_object()"), schema.Literal("{}"), false},
		{"random", typed("double"), schema.Expression("rand()"), schema.Expression("random()"), false},
		{"true", typed("tinyint"), schema.Expression("true"), schema.Literal("1"), false},
		{"false", typed("bigint"), schema.Expression("false"), schema.Literal("0"), false},
		{"constant in parentheses", typed("int"), schema.Expression("((-3))"), schema.Literal("-3"), false},
		{"string", typed("text"), schema.Expression("('it''s')"), schema.Literal("it's"), false},
		{"string of the catalog", typed("text"), schema.Expression(`_utf8mb4\'abc\'`), schema.Literal("abc"), false},
		{"string with a backslash", typed("text"), schema.Expression(`'a\nb'`), none, true},
		{"two strings", typed("text"), schema.Expression("'a' 'b'"), none, true},
		{"sum", typed("int"), schema.Expression("(1) + (2)"), none, true},
		{"function", typed("varchar"), schema.Expression("concat('a','b')"), none, true},
		{"unknown kind", typed("int"), schema.Default{Kind: "other", Text: "1"}, none, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, findings := convert.LiveColumn(schema.Column{Name: "c", Type: tc.typ, Default: tc.in})
			if diff := cmp.Diff(tc.want, out.Default); diff != "" {
				t.Errorf("default (-want +got):\n%s", diff)
			}
			if dropped := strings.Contains(strings.Join(codes(findings), " "), convert.CodeDefaultDropped); dropped != tc.dropped {
				t.Errorf("findings: %v", codes(findings))
			}
		})
	}
}

// codes lists the codes of findings.
func codes(findings []convert.Finding) []string {
	var list []string
	for _, f := range findings {
		list = append(list, f.Code)
	}
	return list
}

func TestAttributes(t *testing.T) {
	for _, tc := range []struct {
		name     string
		in, want schema.Column
		codes    []string
	}{
		{
			name: "comment and NOT NULL stay, character set and collation go",
			in:   schema.Column{Type: schema.Type{Name: "varchar", Length: 5}, NotNull: true, Comment: "why", Charset: "latin1", Collation: "latin1_bin"},
			want: schema.Column{Type: schema.Type{Name: "character varying", Length: 5, Raw: "character varying(5)"}, NotNull: true, Comment: "why"},
		},
		{
			name: "counting columns are not null and have no default",
			in:   schema.Column{Type: schema.Type{Name: "int", Unsigned: true}, AutoIncrement: true, Default: schema.Literal("0")},
			want: schema.Column{Type: typed("bigint"), AutoIncrement: true, NotNull: true},
		},
		{
			name:  "a generated column holds its values and may stay empty",
			in:    schema.Column{Type: typed("int"), NotNull: true, Generated: schema.GeneratedVirtual, Expression: "a + 1"},
			want:  schema.Column{Type: typed("integer")},
			codes: []string{convert.CodeGeneratedColumn},
		},
		{
			name:  "what PostgreSQL has not is said",
			in:    schema.Column{Type: schema.Type{Name: "int", Unsigned: true, Zerofill: true}, Invisible: true, OnUpdate: "CURRENT_TIMESTAMP"},
			want:  schema.Column{Type: typed("bigint")},
			codes: []string{convert.CodeOnUpdateDropped, convert.CodeZerofill, convert.CodeInvisibleColumn},
		},
		{
			name:  "unsigned and set",
			in:    schema.Column{Type: schema.Type{Name: "set", Unsigned: true}},
			want:  schema.Column{Type: typed("text")},
			codes: []string{convert.CodeUnsigned, convert.CodeSetMembers},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, findings := convert.LiveColumn(tc.in)
			if diff := cmp.Diff(tc.want, out); diff != "" {
				t.Errorf("column (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.codes, codes(findings)); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
		})
	}
}

// indexed is a table with columns of all kinds and one index.
func indexed(x schema.Index) schema.Table {
	return schema.Table{
		Name: "mdl_t",
		Columns: []schema.Column{
			{Name: "id", Type: typed("int")},
			{Name: "Short", Type: schema.Type{Name: "varchar", Length: 100}},
			{Name: "long", Type: schema.Type{Name: "varchar", Length: 700}},
			{Name: "text", Type: typed("text")},
			{Name: "blob", Type: typed("blob")},
			{Name: "bin", Type: schema.Type{Name: "varbinary", Length: 50}},
			{Name: "json", Type: typed("json")},
			{Name: "set", Type: schema.Type{Name: "set", Values: []string{"a", "b"}}},
		},
		Indexes: []schema.Index{x},
	}
}

func on(parts ...schema.IndexPart) []schema.IndexPart { return parts }

func column(name string) schema.IndexPart { return schema.IndexPart{Column: name} }

func prefix(name string, n int64) schema.IndexPart { return schema.IndexPart{Column: name, Prefix: n} }

func expression(text string) schema.IndexPart { return schema.IndexPart{Expression: text} }

func TestIndexes(t *testing.T) {
	for _, tc := range []struct {
		name     string
		in       schema.Index
		want     schema.Index // Name empty: the name is not looked at
		none     bool
		codes    []string
		severity convert.Severity
	}{
		{
			name: "plain", in: schema.Index{Name: "a", Method: "btree", Parts: on(column("short"), column("id"))},
			want: schema.Index{Name: "a", Method: "btree", Parts: on(column("Short"), column("id"))},
		},
		{
			name: "unique hash of a MEMORY table", in: schema.Index{Name: "a", Unique: true, Method: "hash", Parts: on(column("id"))},
			want: schema.Index{Name: "a", Unique: true, Method: "btree", Parts: on(column("id"))},
		},
		{
			name: "descending", in: schema.Index{Name: "a", Method: "btree", Parts: on(schema.IndexPart{Column: "id", Descending: true})},
			want: schema.Index{Name: "a", Method: "btree", Parts: on(schema.IndexPart{Column: "id", Descending: true, NullsFirst: true})},
		},
		{
			name: "primary key", in: schema.Index{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: on(schema.IndexPart{Column: "id", Descending: true})},
			want: schema.Index{Name: "mdl_t_id_pk", Primary: true, Unique: true, Constraint: true, Method: "btree", Parts: on(column("id"))},
		},
		{
			name: "beginning of a short column", in: schema.Index{Name: "a", Method: "btree", Parts: on(prefix("Short", 10))},
			want: schema.Index{Name: "a", Method: "btree", Parts: on(column("Short"))},
		},
		{
			name: "the whole column as a prefix", in: schema.Index{Name: "a", Unique: true, Method: "btree", Parts: on(prefix("Short", 100))},
			want: schema.Index{Name: "a", Unique: true, Method: "btree", Parts: on(column("Short"))},
		},
		{
			name: "unique beginning", in: schema.Index{Name: "a", Unique: true, Method: "btree", Parts: on(prefix("Short", 10), column("id"))},
			want:  schema.Index{Name: "a", Unique: true, Method: "btree", Parts: on(expression(`"left"(("Short")::text, 10)`), column("id"))},
			codes: []string{convert.CodeIndexPrefix},
		},
		{
			name: "beginning of a text", in: schema.Index{Name: "a", Method: "btree", Parts: on(prefix("text", 700))},
			want:  schema.Index{Name: "a", Method: "btree", Parts: on(expression(`"left"(("text")::text, 650)`))},
			codes: []string{convert.CodeIndexPrefix},
		},
		{
			name: "unique beginning of a text that may not fit", in: schema.Index{Name: "a", Unique: true, Method: "btree", Parts: on(prefix("text", 700))},
			want:  schema.Index{Name: "a", Unique: true, Method: "btree", Parts: on(expression(`"left"(("text")::text, 700)`))},
			codes: []string{convert.CodeIndexPrefix, convert.CodeIndexLong},
		},
		{
			name: "beginning of a blob", in: schema.Index{Name: "a", Method: "btree", Parts: on(prefix("blob", 20))},
			want:  schema.Index{Name: "a", Method: "btree", Parts: on(expression(`substring("blob" from 1 for 20)`))},
			codes: []string{convert.CodeIndexPrefix},
		},
		{
			name: "whole varbinary", in: schema.Index{Name: "a", Method: "btree", Parts: on(column("bin"), column("set"))},
			want: schema.Index{Name: "a", Method: "btree", Parts: on(column("bin"), column("set"))},
		},
		{
			name: "column that may not fit", in: schema.Index{Name: "a", Method: "btree", Parts: on(column("long"))},
			want:  schema.Index{Name: "a", Method: "btree", Parts: on(column("long"))},
			codes: []string{convert.CodeIndexLong},
		},
		{
			name: "unique text of MariaDB", in: schema.Index{Name: "a", Unique: true, Method: "hash", Parts: on(column("text"))},
			want:  schema.Index{Name: "a", Unique: true, Method: "btree", Parts: on(expression(`md5(("text")::text)`))},
			codes: []string{convert.CodeIndexPrefix},
		},
		{
			name: "unique blob of MariaDB", in: schema.Index{Name: "a", Unique: true, Method: "hash", Parts: on(column("blob"))},
			want:  schema.Index{Name: "a", Unique: true, Method: "btree", Parts: on(expression(`md5("blob")`))},
			codes: []string{convert.CodeIndexPrefix},
		},
		{
			name: "primary key on the beginning of a text", in: schema.Index{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: on(prefix("text", 20))},
			want:  schema.Index{Name: "mdl_t_tex_uix", Unique: true, Method: "btree", Parts: on(expression(`"left"(("text")::text, 20)`))},
			codes: []string{convert.CodeIndexPrefix, convert.CodeKeyReplaced},
		},
		{
			name: "full text", in: schema.Index{Name: "a", Method: "fulltext", Parts: on(column("text"))},
			want:  schema.Index{Name: "a", Method: "gin", Parts: on(expression(`to_tsvector('simple'::regconfig, "text")`))},
			codes: []string{convert.CodeIndexFullText},
		},
		{
			name: "full text of several columns", in: schema.Index{Name: "a", Method: "fulltext", Parts: on(column("text"), column("Short"))},
			want:  schema.Index{Name: "a", Method: "gin", Parts: on(expression(`to_tsvector('simple'::regconfig, (COALESCE("text", ''::text) || ' '::text || COALESCE(("Short")::text, ''::text)))`))},
			codes: []string{convert.CodeIndexFullText},
		},
		{
			name: "full text of what is no text", in: schema.Index{Name: "a", Method: "fulltext", Parts: on(column("blob"))},
			none: true, codes: []string{convert.CodeIndexSkipped}, severity: convert.Warning,
		},
		{
			name: "invisible", in: schema.Index{Name: "a", Method: "btree", Invisible: true, Parts: on(column("id"))},
			want:  schema.Index{Name: "a", Method: "btree", Parts: on(column("id"))},
			codes: []string{convert.CodeIndexInvisible},
		},
		{
			name: "spatial", in: schema.Index{Name: "a", Method: "spatial", Parts: on(column("id"))},
			none: true, codes: []string{convert.CodeIndexSkipped}, severity: convert.Warning,
		},
		{
			name: "functional", in: schema.Index{Name: "a", Method: "btree", Unique: true, Parts: on(expression("lower(`short`)"))},
			none: true, codes: []string{convert.CodeIndexSkipped}, severity: convert.Warning,
		},
		{
			name: "on a column that is not there", in: schema.Index{Name: "a", Method: "btree", Parts: on(column("gone"))},
			none: true, codes: []string{convert.CodeIndexSkipped}, severity: convert.Warning,
		},
		{
			name: "unknown method", in: schema.Index{Name: "a", Method: "quantum", Parts: on(column("id"))},
			none: true, codes: []string{convert.CodeUnknownIndexMethod}, severity: convert.Error,
		},
		{
			name: "name too long", in: schema.Index{Name: strings.Repeat("n", 64), Method: "btree", Parts: on(column("id"), column("Short"))},
			want:  schema.Index{Name: "mdl_t_idsho_ix", Method: "btree", Parts: on(column("id"), column("Short"))},
			codes: []string{convert.CodeIndexRenamed},
		},
		{
			name: "name taken", in: schema.Index{Name: "taken", Unique: true, Method: "btree", Parts: on(column("id"))},
			want:  schema.Index{Name: "mdl_t_id_uix", Unique: true, Method: "btree", Parts: on(column("id"))},
			codes: []string{convert.CodeIndexRenamed},
		},
		{
			name: "name of the table itself", in: schema.Index{Name: "mdl_t", Method: "btree", Parts: on(column("id"))},
			want:  schema.Index{Name: "mdl_t_id_ix", Method: "btree", Parts: on(column("id"))},
			codes: []string{convert.CodeIndexRenamed},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			taken := func(name string) bool { return name == "taken" }
			out, findings := convert.Live(indexed(tc.in), convert.LiveOptions{Prefix: "mdl_", Taken: taken})
			var indexFindings []convert.Finding
			for _, f := range findings {
				if f.Index != "" {
					indexFindings = append(indexFindings, f)
				}
			}
			if diff := cmp.Diff(tc.codes, codes(indexFindings)); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
			if tc.none {
				if len(out.Indexes) > 0 {
					t.Errorf("an index was made: %+v", out.Indexes)
				}
				if indexFindings[0].Severity != tc.severity {
					t.Errorf("severity %s, want %s", indexFindings[0].Severity, tc.severity)
				}
				return
			}
			if diff := cmp.Diff([]schema.Index{tc.want}, out.Indexes); diff != "" {
				t.Errorf("index (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLiveTable(t *testing.T) {
	in := schema.Table{
		Name: "mdl_Old-Copy 2", Comment: "a copy", Partitioned: true, SystemVersioned: true, StorageEngine: "MyISAM", Rows: 7,
		Columns: []schema.Column{
			{Name: "Id", Type: typed("int"), NotNull: true, AutoIncrement: true},
			{Name: "état", Type: schema.Type{Name: "enum", Values: []string{"it's", "no"}}},
		},
		Indexes: []schema.Index{
			{Name: "état", Method: "btree", Parts: on(column("état"))},
			{Name: "again", Method: "btree", Parts: on(column("état"))},
			{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: on(column("Id"))},
		},
		Checks: []schema.Check{
			{Name: "positive", Expression: "`Id` > 0"},
			{Name: "json", Expression: "json_valid(`x`)"},
			{Name: "off", Expression: "1", NotEnforced: true},
		},
	}
	got, findings := convert.Live(in, convert.LiveOptions{Prefix: "mdl_"})
	want := schema.Table{
		Name: "mdl_Old-Copy 2", Comment: "a copy", Rows: -1, Bytes: -1,
		Columns: []schema.Column{
			{Name: "Id", Type: typed("integer"), NotNull: true, AutoIncrement: true, Sequence: "mdl_Old-Copy 2_Id_seq", SequenceOwned: true},
			{Name: "état", Type: schema.Type{Name: "character varying", Length: 4, Raw: "character varying(4)"}},
		},
		Indexes: []schema.Index{
			{Name: "mdl_oldc_id_pk", Primary: true, Unique: true, Constraint: true, Method: "btree", Parts: on(column("Id"))},
			{Name: "état", Method: "btree", Parts: on(column("état"))},
		},
		Checks: []schema.Check{{Name: "mdl_Old-Copy 2_état_check", Expression: `"état" IN ('it''s', 'no', '')`}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	wantCodes := []string{convert.CodeHistory, convert.CodePartitioned, convert.CodeCheckDropped, convert.CodeCheckDropped, convert.CodeIndexDuplicate}
	if diff := cmp.Diff(wantCodes, codes(findings)); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

func TestLiveTableThatCannotBe(t *testing.T) {
	wide := schema.Table{Name: "mdl_wide"}
	for range 1601 {
		wide.Columns = append(wide.Columns, schema.Column{Name: "c", Type: typed("int")})
	}
	one := []schema.Column{{Name: "c", Type: typed("int")}}
	for _, tc := range []struct {
		name string
		in   schema.Table
		want string
	}{
		{"long name", schema.Table{Name: strings.Repeat("ä", 32), Columns: one}, convert.CodeNameTooLong},
		{"broken name", schema.Table{Name: "mdl_\xff", Columns: one}, convert.CodeNameBroken},
		{"long column", schema.Table{Name: "mdl_t", Columns: []schema.Column{{Name: strings.Repeat("ä", 32), Type: typed("int")}}}, convert.CodeNameTooLong},
		{"too many columns", wide, convert.CodeTooManyColumns},
		{"no columns", schema.Table{Name: "mdl_t"}, convert.CodeNoColumns},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, findings := convert.Live(tc.in, convert.LiveOptions{Prefix: "mdl_"})
			if diff := cmp.Diff([]string{tc.want}, codes(findings)); diff != "" || !convert.HasErrors(findings) {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
		})
	}
}
