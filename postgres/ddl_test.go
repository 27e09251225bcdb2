package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

func column(name, typ string, notNull bool, d schema.Default) schema.Column {
	return schema.Column{Name: name, Type: newType(strings.Split(typ, "(")[0], typ), NotNull: notNull, Default: d}
}

func TestCreateTable(t *testing.T) {
	serial := func(sequence string, owned, notNull bool) schema.Table {
		return schema.Table{Name: "mdl_t", Columns: []schema.Column{{
			Name: "id", Type: newType("bigint", "bigint"), NotNull: notNull,
			AutoIncrement: true, Sequence: sequence, SequenceOwned: owned,
		}}}
	}
	tests := []struct {
		name  string
		table schema.Table
		want  string
	}{
		{
			name: "columns as Moodle has them",
			table: schema.Table{Name: "mdl_t", Columns: []schema.Column{
				column("name", "character varying(255)", true, schema.Literal("")),
				column("n", "bigint", true, schema.Literal("-1")),
				column("text", "text", false, schema.Default{}),
			}},
			want: `CREATE TABLE "s"."mdl_t" (
    "name" character varying(255) NOT NULL DEFAULT '',
    "n" bigint NOT NULL DEFAULT -1,
    "text" text
)`,
		},
		{"a serial column", serial("mdl_t_id_seq", true, true), "CREATE TABLE \"s\".\"mdl_t\" (\n    \"id\" bigserial\n)"},
		{"a serial column without a name for its sequence", serial("", false, true), "CREATE TABLE \"s\".\"mdl_t\" (\n    \"id\" bigserial\n)"},
		{
			"a sequence of another name", serial("other", true, true),
			`CREATE SEQUENCE "s"."other";
CREATE TABLE "s"."mdl_t" (
    "id" bigint NOT NULL DEFAULT nextval('"s"."other"'::pg_catalog.regclass)
);
ALTER SEQUENCE "s"."other" OWNED BY "s"."mdl_t"."id"`,
		},
		{
			"a sequence that is not owned", serial("mdl_t_id_seq", false, true),
			`CREATE SEQUENCE IF NOT EXISTS "s"."mdl_t_id_seq";
CREATE TABLE "s"."mdl_t" (
    "id" bigint NOT NULL DEFAULT nextval('"s"."mdl_t_id_seq"'::pg_catalog.regclass)
)`,
		},
		{
			"a sequence on a column that may be null", serial("", false, false),
			`CREATE SEQUENCE "s"."mdl_t_id_seq";
CREATE TABLE "s"."mdl_t" (
    "id" bigint DEFAULT nextval('"s"."mdl_t_id_seq"'::pg_catalog.regclass)
);
ALTER SEQUENCE "s"."mdl_t_id_seq" OWNED BY "s"."mdl_t"."id"`,
		},
		{
			"a virtual column",
			schema.Table{Name: "t", Columns: []schema.Column{{
				Name: "v", Type: newType("bigint", "bigint"), Generated: schema.GeneratedVirtual, Expression: "(a + 1)",
			}}},
			"CREATE TABLE \"s\".\"t\" (\n    \"v\" bigint GENERATED ALWAYS AS (a + 1) VIRTUAL\n)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, CreateTable("s", tt.table)); diff != "" {
				t.Errorf("CreateTable (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCreateIndex(t *testing.T) {
	tests := []struct {
		name  string
		index schema.Index
		want  string
	}{
		{
			"primary key",
			schema.Index{Name: "t_pk", Primary: true, Unique: true, Constraint: true, Parts: []schema.IndexPart{{Column: "id"}}},
			`ALTER TABLE "s"."t" ADD CONSTRAINT "t_pk" PRIMARY KEY ("id")`,
		},
		{
			"unique constraint",
			schema.Index{Name: "t_uk", Unique: true, Constraint: true, NullsNotDistinct: true, Parts: []schema.IndexPart{{Column: "a"}, {Column: "b"}}, Include: []string{"c"}},
			`ALTER TABLE "s"."t" ADD CONSTRAINT "t_uk" UNIQUE NULLS NOT DISTINCT ("a", "b") INCLUDE ("c")`,
		},
		{
			"unique index",
			schema.Index{Name: "t_uix", Unique: true, Parts: []schema.IndexPart{{Column: "a"}}},
			`CREATE UNIQUE INDEX "t_uix" ON "s"."t" USING btree ("a")`,
		},
		{
			"pattern index",
			schema.Index{Name: "t_ix_pattern", Method: "btree", Parts: []schema.IndexPart{{Column: "path", OpClass: "varchar_pattern_ops"}}},
			`CREATE INDEX "t_ix_pattern" ON "s"."t" USING btree ("path" "varchar_pattern_ops")`,
		},
		{
			"full text",
			schema.Index{Name: "t_gin", Method: "gin", Parts: []schema.IndexPart{{Expression: "to_tsvector('simple'::regconfig, title)"}}},
			`CREATE INDEX "t_gin" ON "s"."t" USING gin ((to_tsvector('simple'::regconfig, title)))`,
		},
		{
			"order, include and predicate",
			schema.Index{
				Name: "t_ix", Method: "btree", Include: []string{"x"}, Where: "(a > 0)", NullsNotDistinct: true,
				Parts: []schema.IndexPart{
					{Column: "a", Descending: true, NullsFirst: true},
					{Column: "b", Descending: true},
					{Column: "c", NullsFirst: true, Collation: "C"},
					{Column: "d", OpClass: `"public"."gin_trgm_ops"`},
				},
			},
			`CREATE INDEX "t_ix" ON "s"."t" USING btree ("a" DESC, "b" DESC NULLS LAST, "c" COLLATE "C" NULLS FIRST, "d" "public"."gin_trgm_ops") INCLUDE ("x") NULLS NOT DISTINCT WHERE (a > 0)`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := CreateIndex("s", "t", tt.index); got != tt.want {
				t.Errorf("CreateIndex:\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestConstraintsAndOthers(t *testing.T) {
	fk := schema.ForeignKey{Name: "f", Columns: []string{"a", "b"}, RefTable: "r", RefColumns: []string{"x", "y"}, OnDelete: "cascade", OnUpdate: "no action"}
	for _, tt := range []struct{ got, want string }{
		{AddForeignKey("s", "t", fk), `ALTER TABLE "s"."t" ADD CONSTRAINT "f" FOREIGN KEY ("a", "b") REFERENCES "s"."r" ("x", "y") ON DELETE CASCADE`},
		{AddCheck("s", "t", schema.Check{Name: "c", Expression: "((a)::text = ')')"}), `ALTER TABLE "s"."t" ADD CONSTRAINT "c" CHECK ((a)::text = ')')`},
		{AddCheck("s", "t", schema.Check{Name: "c", Expression: "a > 1", NotEnforced: true}), `ALTER TABLE "s"."t" ADD CONSTRAINT "c" CHECK (a > 1) NOT ENFORCED`},
		{CommentTable("", "t", "it's"), `COMMENT ON TABLE "t" IS 'it''s'`},
		{CommentTable("s", "t", ""), `COMMENT ON TABLE "s"."t" IS NULL`},
		{CopyStatement("s", "t", []string{"a", `b"c`}), `COPY "s"."t" ("a", "b""c") FROM STDIN (FORMAT binary)`},
		{SetSequence("s", "t_id_seq", 42), `SELECT pg_catalog.setval('"s"."t_id_seq"'::pg_catalog.regclass, 42, false)`},
		{TruncateTables("s", []string{"a", "b"}), `TRUNCATE TABLE "s"."a", "s"."b"`},
		{GrantOnSchema("s", Grant{Privilege: "USAGE", Grantable: true}), `GRANT USAGE ON SCHEMA "s" TO PUBLIC WITH GRANT OPTION`},
	} {
		if tt.got != tt.want {
			t.Errorf("got  %s\nwant %s", tt.got, tt.want)
		}
	}
}

func TestStripParens(t *testing.T) {
	for in, want := range map[string]string{
		"(a)": "a", "((a + b))": "a + b", "(a) + (b)": "(a) + (b)", "f(a)": "f(a)",
		"(a = ')')": "a = ')'", `("a)" = 'it''s)')`: `"a)" = 'it''s)'`, "(": "(", "()": "", "(a": "(a",
	} {
		if got := stripParens(in); got != want {
			t.Errorf("stripParens(%q) = %q, want %q", in, got, want)
		}
	}
}

func ExampleScript() {
	site := schema.Schema{Engine: schema.Postgres, Tables: []schema.Table{{
		Name:    "mdl_config",
		Comment: "Moodle configuration variables",
		Columns: []schema.Column{
			{Name: "id", Type: schema.Type{Name: "bigint"}, NotNull: true, AutoIncrement: true},
			{Name: "name", Type: schema.Type{Name: "character varying", Length: 255}, NotNull: true, Default: schema.Literal("")},
		},
		Indexes: []schema.Index{
			{Name: "mdl_conf_id_pk", Primary: true, Unique: true, Parts: []schema.IndexPart{{Column: "id"}}},
			{Name: "mdl_conf_nam_uix", Unique: true, Parts: []schema.IndexPart{{Column: "name"}}},
		},
	}}}
	fmt.Print(Script(Statements("", &site)))
	// Output:
	// CREATE TABLE "mdl_config" (
	//     "id" bigserial,
	//     "name" character varying(255) NOT NULL DEFAULT ''
	// );
	//
	// COMMENT ON TABLE "mdl_config" IS 'Moodle configuration variables';
	//
	// ALTER TABLE "mdl_config" ADD CONSTRAINT "mdl_conf_id_pk" PRIMARY KEY ("id");
	//
	// CREATE UNIQUE INDEX "mdl_conf_nam_uix" ON "mdl_config" USING btree ("name");
}
