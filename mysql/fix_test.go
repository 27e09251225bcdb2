package mysql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// fixColumn makes a column of a type as the catalogs print it.
func fixColumn(t *testing.T, name, kind string, change ...func(*schema.Column)) schema.Column {
	t.Helper()
	parsed, err := parseType(kind)
	if err != nil {
		t.Fatal(err)
	}
	c := schema.Column{Name: name, Type: parsed}
	if familyOf(parsed) == texts {
		c.Charset, c.Collation = "utf8mb4", "utf8mb4_unicode_ci"
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func notNull(c *schema.Column) { c.NotNull = true }

func counts(c *schema.Column) { c.NotNull, c.AutoIncrement = true, true }

func defaultTo(text string) func(*schema.Column) {
	return func(c *schema.Column) { c.Default = schema.Literal(text) }
}

// fixIndex makes an index on columns; its name says whether it is unique or the primary key.
func fixIndex(name string, columns ...string) schema.Index {
	x := schema.Index{Name: name, Method: "btree", Primary: name == "PRIMARY"}
	x.Unique = x.Primary || strings.HasSuffix(name, "uix")
	for _, c := range columns {
		x.Parts = append(x.Parts, schema.IndexPart{Column: c})
	}
	return x
}

func fixTable(columns []schema.Column, indexes ...schema.Index) schema.Table {
	return schema.Table{
		Name: "mdl_a", StorageEngine: "InnoDB", RowFormat: "Dynamic", Charset: "utf8mb4", Collation: "utf8mb4_unicode_ci",
		Columns: columns, Indexes: indexes,
	}
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
	id := fixColumn(t, "id", "bigint", counts)
	key := fixIndex("PRIMARY", "id")
	column := func(name, kind string, change ...func(*schema.Column)) schema.Column {
		return fixColumn(t, name, kind, change...)
	}
	tests := []struct {
		name       string
		want, have schema.Table
		// accept are codes that somebody accepted.
		accept []diff.Code
		fixes  []string
	}{
		{
			name: "columns of one stage are one statement",
			want: fixTable([]schema.Column{id, column("a", "bigint", notNull, defaultTo("0")), column("b", "varchar(255)", notNull, defaultTo(""))}, key),
			have: fixTable([]schema.Column{id, column("a", "int", notNull), column("b", "varchar(100)", notNull, defaultTo(""))}, key),
			fixes: []string{
				"1 column-default-missing column-integer-narrow column-length-short",
				"ALTER TABLE `mdl_a`\n  MODIFY COLUMN `a` bigint NOT NULL DEFAULT 0,\n" +
					"  MODIFY COLUMN `b` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT ''",
			},
		},
		{
			name:   "what was accepted stays",
			want:   fixTable([]schema.Column{id, column("a", "int", notNull, defaultTo("0"))}, key),
			have:   fixTable([]schema.Column{id, column("a", "bigint", defaultTo("1"), func(c *schema.Column) { c.Comment = "mine" })}, key),
			accept: []diff.Code{diff.ColumnIntegerWide, diff.ColumnNullable},
			fixes:  []string{"1 column-default", "ALTER TABLE `mdl_a` MODIFY COLUMN `a` bigint DEFAULT 0 COMMENT 'mine'"},
		},
		{
			name: "a rounded value is lost",
			want: fixTable([]schema.Column{id, column("a", "decimal(10,2)")}, key),
			have: fixTable([]schema.Column{id, column("a", "decimal(10,5)")}, key),
			fixes: []string{
				"5 column-decimal-narrow ! -- a: digits behind the point are rounded away",
				"ALTER TABLE `mdl_a` MODIFY COLUMN `a` decimal(10,2)",
			},
		},
		{
			name: "NULL becomes the default",
			want: fixTable([]schema.Column{id, column("a", "int", notNull, defaultTo("0"))}, key),
			have: fixTable([]schema.Column{id, column("a", "int", defaultTo("0"))}, key),
			fixes: []string{
				"3 column-nullable -- a: NULL becomes the default",
				"UPDATE `mdl_a` SET `a` = 0 WHERE `a` IS NULL",
				"ALTER TABLE `mdl_a` MODIFY COLUMN `a` int NOT NULL DEFAULT 0",
			},
		},
		{
			name: "a column that counts comes with its key",
			want: fixTable([]schema.Column{id}, key),
			have: fixTable([]schema.Column{column("id", "bigint", notNull)}),
			fixes: []string{
				"3 column-auto-increment-missing primary-key-missing -- it fails on duplicates: SELECT `id`, COUNT(*) FROM `mdl_a` GROUP BY `id` HAVING COUNT(*) > 1",
				"ALTER TABLE `mdl_a`\n  MODIFY COLUMN `id` bigint NOT NULL AUTO_INCREMENT,\n  ADD PRIMARY KEY (`id`)",
			},
		},
		{
			name: "a missing column with its index",
			want: fixTable([]schema.Column{id, column("a", "int", notNull), column("b", "int")}, key, fixIndex("mdl_a_ab_ix", "a", "b")),
			have: fixTable([]schema.Column{id, column("b", "int")}, key, fixIndex("mdl_a_ab_ix", "b")),
			fixes: []string{
				"0 column-missing -- a: rows that are there get 0 or an empty text", "ALTER TABLE `mdl_a` ADD COLUMN `a` int NOT NULL",
				"2 index-missing", "ALTER TABLE `mdl_a` ADD KEY `mdl_a_ab2_ix` (`a`,`b`)",
				"4 index-extra", "ALTER TABLE `mdl_a` DROP INDEX `mdl_a_ab_ix`",
			},
		},
		{
			name: "an index keeps a good name",
			want: fixTable([]schema.Column{id, column("a", "int")}, key, fixIndex("mdl_a_a_ix", "a")),
			have: fixTable([]schema.Column{id, column("a", "int")}, key, schema.Index{
				Name: "mdl_a_a7_ix", Method: "btree", Parts: []schema.IndexPart{{Column: "a", Descending: true}},
			}),
			fixes: []string{"2 index-descending", "ALTER TABLE `mdl_a`\n  DROP INDEX `mdl_a_a7_ix`,\n  ADD KEY `mdl_a_a7_ix` (`a`)"},
		},
		{
			name: "a unique index gets a name of its own",
			want: fixTable([]schema.Column{id, column("a", "int")}, key, fixIndex("mdl_a_a_uix", "a")),
			have: fixTable([]schema.Column{id, column("a", "int")}, key, fixIndex("mdl_a_a_ix", "a")),
			fixes: []string{
				"3 index-uniqueness-lost -- it fails on duplicates: SELECT `a`, COUNT(*) FROM `mdl_a` GROUP BY `a` HAVING COUNT(*) > 1",
				"ALTER TABLE `mdl_a`\n  DROP INDEX `mdl_a_a_ix`,\n  ADD UNIQUE KEY `mdl_a_a_uix` (`a`)",
			},
		},
		{
			name: "a hostile name stays in its place",
			want: fixTable([]schema.Column{id}, key),
			have: fixTable([]schema.Column{id, column("x`; DROP TABLE y; --\n", "int", notNull)}, key),
			fixes: []string{
				"5 column-extra ! -- the values of the columns are lost",
				"ALTER TABLE `mdl_a` DROP COLUMN `x``; DROP TABLE y; --\n`",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := schema.Schema{Engine: schema.MySQL, Tables: []schema.Table{tt.want}}
			have := schema.Schema{Engine: schema.MySQL, Version: "8.4.0", Tables: []schema.Table{tt.have}}
			if d := cmp.Diff(tt.fixes, spell(Fixes(&want, &have, accepting(&want, &have, tt.accept), FixOptions{Prefix: "mdl_"}))); d != "" {
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

func TestConversion(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     diff.Stage
	}{
		{"int", "bigint", diff.StageWiden},
		{"int unsigned", "bigint", diff.StageWiden},
		{"bigint unsigned", "bigint", diff.StageNarrow},
		{"bigint", "int", diff.StageNarrow},
		{"tinyint unsigned", "tinyint", diff.StageNarrow},
		{"bit(1)", "tinyint", diff.StageNarrow},
		{"decimal(5,0)", "bigint", diff.StageNarrow},
		{"decimal(5,2)", "bigint", diff.StageDestroy},
		{"datetime", "bigint", diff.StageDestroy},
		{"enum('1')", "int", diff.StageDestroy},
		{"varchar(10)", "int", diff.StageDestroy},
		{"int", "decimal(10,0)", diff.StageWiden},
		{"int", "decimal(10,5)", diff.StageNarrow},
		{"decimal(8,5)", "decimal(10,5)", diff.StageWiden},
		{"decimal(12,5)", "decimal(10,5)", diff.StageNarrow},
		{"double", "decimal(10,5)", diff.StageDestroy},
		{"float", "double", diff.StageWiden},
		{"double", "float", diff.StageDestroy},
		{"varchar(10)", "varchar(20)", diff.StageWiden},
		{"text", "varchar(255)", diff.StageNarrow},
		{"json", "longtext", diff.StageWiden},
		{"enum('a')", "varchar(255)", diff.StageNarrow},
		{"varbinary(20)", "varchar(20)", diff.StageNarrow},
		{"bit(8)", "varchar(20)", diff.StageDestroy},
		{"geometry", "longtext", diff.StageDestroy},
		{"blob", "longblob", diff.StageWiden},
		{"longblob", "blob", diff.StageNarrow},
		{"date", "datetime", diff.StageNarrow},
		{"datetime(6)", "datetime", diff.StageDestroy},
	} {
		from, err := parseType(tt.from)
		if err != nil {
			t.Fatal(err)
		}
		to, err := parseType(tt.to)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := conversion(from, to); got != tt.want {
			t.Errorf("%s to %s: stage %d, want %d", tt.from, tt.to, got, tt.want)
		}
	}
}
