package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// fixIndex makes an index on columns; its name says whether it is unique or the primary key.
func fixIndex(name string, columns ...string) schema.Index {
	x := schema.Index{Name: name, Method: "btree", Primary: strings.HasSuffix(name, "pk")}
	x.Unique, x.Constraint = x.Primary || strings.HasSuffix(name, "uix"), x.Primary
	for _, c := range columns {
		x.Parts = append(x.Parts, schema.IndexPart{Column: c})
	}
	return x
}

// spell prints fixes for comparisons: a line for each, and its statements.
func spell(fixes []diff.Fix) []string {
	var out []string
	for _, f := range fixes {
		codes := make([]string, len(f.Codes))
		for i, c := range f.Codes {
			codes[i] = string(c)
		}
		head := fmt.Sprintf("%d %s", f.Stage, strings.Join(codes, " "))
		if f.Destructive {
			head += " !"
		}
		if f.Note != "" {
			head += " -- " + f.Note
		}
		out = append(append(out, head), f.Statements...)
	}
	return out
}

func TestFixes(t *testing.T) {
	none := schema.Default{}
	zero := schema.Literal("0")
	id := column("id", "bigint", true, none)
	serial := id
	serial.AutoIncrement, serial.Sequence, serial.SequenceOwned = true, "mdl_a_id_seq", true
	identity := serial
	identity.Identity = "always"
	key := fixIndex("mdl_a_id_pk", "id")
	table := func(columns []schema.Column, indexes ...schema.Index) schema.Table {
		return schema.Table{Name: "mdl_a", Owner: "moodle", Columns: columns, Indexes: indexes}
	}
	sequence := schema.Sequence{
		Name: "mdl_a_id_seq", Type: "bigint", Start: 1, Increment: 1, Min: 1, Max: 1<<63 - 1, Last: 41, Called: true,
		OwnedByTable: "mdl_a", OwnedByColumn: "id", Owner: "moodle",
	}
	tests := []struct {
		name       string
		want, have schema.Table
		sequences  []schema.Sequence
		// accept are codes that somebody accepted.
		accept []diff.Code
		fixes  []string
	}{
		{
			name: "columns of one stage are one statement",
			want: table([]schema.Column{id, column("a", "bigint", true, zero), column("b", "character varying(255)", true, schema.Literal(""))}, key),
			have: table([]schema.Column{id, column("a", "integer", true, none), column("b", "character varying(100)", true, schema.Literal(""))}, key),
			fixes: []string{
				"1 column-default-missing column-integer-narrow column-length-short",
				`ALTER TABLE "s"."mdl_a"` + "\n" + `  ALTER COLUMN "a" TYPE bigint,` + "\n" + `  ALTER COLUMN "a" SET DEFAULT 0,` + "\n" +
					`  ALTER COLUMN "b" DROP DEFAULT,` + "\n" + `  ALTER COLUMN "b" TYPE character varying(255),` + "\n" + `  ALTER COLUMN "b" SET DEFAULT ''`,
			},
		},
		{
			name:   "what was accepted stays",
			want:   table([]schema.Column{id, column("a", "integer", true, zero)}, key),
			have:   table([]schema.Column{id, column("a", "bigint", false, schema.Literal("1"))}, key),
			accept: []diff.Code{diff.ColumnIntegerWide, diff.ColumnNullable},
			fixes: []string{
				"1 column-default", `ALTER TABLE "s"."mdl_a"` + "\n" + `  ALTER COLUMN "a" DROP DEFAULT,` + "\n" + `  ALTER COLUMN "a" SET DEFAULT 0`,
			},
		},
		{
			name: "a value is not rounded",
			want: table([]schema.Column{id, column("a", "numeric(10,2)", false, none)}, key),
			have: table([]schema.Column{id, column("a", "numeric(10,5)", false, none)}, key),
			fixes: []string{
				"3 column-decimal-narrow -- a: it fails on values with more than 2 digits behind the point",
				`ALTER TABLE "s"."mdl_a" ALTER COLUMN "a" TYPE numeric(10,2) USING CASE WHEN pg_catalog.round("a", 2) = "a" THEN "a" ELSE ('not exact: ' || "a"::text)::numeric END`,
			},
		},
		{
			name: "NULL becomes the default",
			want: table([]schema.Column{id, column("a", "integer", true, zero)}, key),
			have: table([]schema.Column{id, column("a", "integer", false, zero)}, key),
			fixes: []string{
				"3 column-nullable -- a: NULL becomes the default",
				`UPDATE "s"."mdl_a" SET "a" = '0' WHERE "a" IS NULL`, `ALTER TABLE "s"."mdl_a" ALTER COLUMN "a" SET NOT NULL`,
			},
		},
		{
			name: "an identity keeps its place", want: table([]schema.Column{serial}, key), have: table([]schema.Column{identity}, key),
			sequences: []schema.Sequence{sequence},
			fixes: []string{
				"1 column-identity", `ALTER TABLE "s"."mdl_a" ALTER COLUMN "id" DROP IDENTITY`, `CREATE SEQUENCE "s"."mdl_a_id_seq"`,
				`ALTER SEQUENCE "s"."mdl_a_id_seq" OWNER TO "moodle"`, `ALTER SEQUENCE "s"."mdl_a_id_seq" OWNED BY "s"."mdl_a"."id"`,
				`SELECT pg_catalog.setval('"s"."mdl_a_id_seq"'::pg_catalog.regclass, greatest((SELECT coalesce(max("id"), 0) + 1 FROM "s"."mdl_a"), 42), false)`,
				`ALTER TABLE "s"."mdl_a" ALTER COLUMN "id" SET DEFAULT nextval('"s"."mdl_a_id_seq"'::pg_catalog.regclass)`,
			},
		},
		{
			name: "a missing column with its unique index",
			want: table([]schema.Column{id, column("a", "text", true, none), column("b", "integer", false, none)}, key, fixIndex("mdl_a_ab_uix", "a", "b")),
			have: table([]schema.Column{id, column("b", "integer", false, none)}, key, fixIndex("mdl_a_ab_ix", "b")),
			fixes: []string{
				"0 column-missing -- a: rows that are there get 0 or an empty text",
				`ALTER TABLE "s"."mdl_a" ADD COLUMN "a" text NOT NULL DEFAULT ''`, `ALTER TABLE "s"."mdl_a" ALTER COLUMN "a" DROP DEFAULT`,
				`3 index-missing -- it fails on duplicates: SELECT "a", "b", count(*) FROM "s"."mdl_a" GROUP BY "a", "b" HAVING count(*) > 1`,
				`CREATE UNIQUE INDEX "mdl_a_ab_uix" ON "s"."mdl_a" USING btree ("a", "b")`,
				"4 index-extra", `DROP INDEX "s"."mdl_a_ab_ix"`,
			},
		},
		{
			name: "a unique index is made before the old one goes",
			want: table([]schema.Column{id, column("a", "integer", false, none)}, key, fixIndex("mdl_a_a_uix", "a")),
			have: table([]schema.Column{id, column("a", "integer", false, none)}, key, fixIndex("mdl_a_a_ix", "a")),
			fixes: []string{
				`3 index-uniqueness-lost -- it fails on duplicates: SELECT "a", count(*) FROM "s"."mdl_a" GROUP BY "a" HAVING count(*) > 1`,
				`CREATE UNIQUE INDEX "mdl_a_a_uix" ON "s"."mdl_a" USING btree ("a")`, `DROP INDEX "s"."mdl_a_a_ix"`,
			},
		},
		{
			name: "a hostile name stays in its place",
			want: table([]schema.Column{id}, key),
			have: table([]schema.Column{id, column("x\"; DROP TABLE y; --\n", "integer", false, none)}, key),
			fixes: []string{
				"5 column-extra ! -- the values of the columns are lost", `ALTER TABLE "s"."mdl_a" DROP COLUMN "x""; DROP TABLE y; --` + "\n" + `"`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := schema.Schema{Engine: schema.Postgres, Tables: []schema.Table{tt.want}}
			have := schema.Schema{Engine: schema.Postgres, Tables: []schema.Table{tt.have}, Sequences: tt.sequences}
			got := spell(Fixes(&want, &have, accepting(&want, &have, tt.accept), FixOptions{Prefix: "mdl_", Schema: "s"}))
			if d := cmp.Diff(tt.fixes, got); d != "" {
				t.Errorf("fixes (-want +got):\n%s", d)
			}
		})
	}
}

// accepting returns the changes but for those that somebody accepted.
func accepting(want, have *schema.Schema, codes []diff.Code) []diff.Change {
	var changes []diff.Change
	for _, c := range diff.Schemas(want, have, diff.Options{Prefix: "mdl_"}) {
		accepted := false
		for _, code := range codes {
			accepted = accepted || c.Code == code
		}
		if !accepted {
			changes = append(changes, c)
		}
	}
	return changes
}

func TestConvertColumn(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		stage    diff.Stage
		using    string
	}{
		{"integer", "bigint", diff.StageWiden, ""},
		{"bigint", "integer", diff.StageNarrow, ""},
		{"boolean", "smallint", diff.StageNarrow, `"c"::integer`},
		{"numeric(10,2)", "numeric(12,2)", diff.StageWiden, ""},
		{"numeric(12,2)", "numeric(10,2)", diff.StageNarrow, ""},
		{"real", "double precision", diff.StageWiden, ""},
		{"double precision", "bigint", diff.StageNarrow, `CASE WHEN pg_catalog.trunc("c"::text::numeric) = "c"::text::numeric THEN "c"::text::numeric ELSE ('not exact: ' || "c"::text)::numeric END`},
		{"date", "bigint", diff.StageDestroy, `extract(epoch FROM "c")`},
		{"text", "character varying(255)", diff.StageNarrow, `"c"::text`},
		{"character varying(10)", "character varying(20)", diff.StageWiden, ""},
		{"character varying(10)", "text", diff.StageWiden, ""},
		{"jsonb", "text", diff.StageNarrow, `"c"::text`},
		{"bytea", "text", diff.StageNarrow, `pg_catalog.convert_from("c", 'UTF8')`},
		{"text", "bytea", diff.StageNarrow, `pg_catalog.convert_to("c"::text, 'UTF8')`},
		{"uuid", "integer", diff.StageNarrow, `CASE WHEN pg_catalog.trunc("c"::text::numeric) = "c"::text::numeric THEN "c"::text::numeric ELSE ('not exact: ' || "c"::text)::numeric END`},
		{"text", "jsonb", diff.StageNarrow, `"c"::text::jsonb`},
	} {
		from, to := column("c", tt.from, false, schema.Default{}).Type, column("c", tt.to, false, schema.Default{}).Type
		if got := convertColumn(`"c"`, from, to); got.stage != tt.stage || got.using != tt.using {
			t.Errorf("%s to %s: stage %d using %s, want %d using %s", tt.from, tt.to, got.stage, got.using, tt.stage, tt.using)
		}
	}
}

func TestBlockChoosesATagThatIsNotInIt(t *testing.T) {
	if got, want := block("", "  x $fix$ y;\n"), "DO $fixx$\nBEGIN\n  x $fix$ y;\nEND\n$fixx$"; got != want {
		t.Errorf("block: %s, want %s", got, want)
	}
}
