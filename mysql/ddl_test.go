package mysql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

func TestCreateTable(t *testing.T) {
	table := schema.Table{
		Name: "mdl_it`em", Comment: "it's \\", StorageEngine: "InnoDB", Charset: "utf8mb4", Collation: "utf8mb4_unicode_ci",
		RowFormat: "Compressed", AutoIncrement: 7, SystemVersioned: true,
		Columns: []schema.Column{
			{Name: "id", Type: schema.Type{Name: "bigint", Width: 10}, NotNull: true, AutoIncrement: true},
			{Name: "n", Type: schema.Type{Name: "decimal", Precision: 10, Scale: 5}, NotNull: true, Default: schema.Literal("0.00000")},
			{Name: "odd", Type: schema.Type{Name: "int"}, Default: schema.Literal("1; DROP TABLE x")},
			{Name: "name", Type: schema.Type{Name: "varchar", Length: 255}, NotNull: true, Default: schema.Literal(""), Charset: "utf8mb4", Collation: "utf8mb4_unicode_ci"},
			{Name: "code", Type: schema.Type{Name: "varchar", Length: 5}, Charset: "latin1", Collation: "latin1_bin", Comment: "c"},
			{Name: "doc", Type: schema.Type{Name: "longtext"}, Default: schema.Literal("it's"), Charset: "utf8mb4", Collation: "utf8mb4_bin"},
			{Name: "kind", Type: schema.Type{Name: "enum", Values: []string{"a'b", `c\`}}, Default: schema.Literal("a'b")},
			{Name: "flags", Type: schema.Type{Name: "bit", Length: 3}, Default: schema.Literal("101")},
			{Name: "made", Type: schema.Type{Name: "timestamp", Precision: 3}, Default: schema.Expression("CURRENT_TIMESTAMP(3)"), OnUpdate: "CURRENT_TIMESTAMP(3)"},
			{Name: "uid", Type: schema.Type{Name: "char", Length: 36}, Default: schema.Expression("uuid()"), Invisible: true},
			{Name: "twice", Type: schema.Type{Name: "int"}, Generated: schema.GeneratedStored, Expression: "`n` * 2"},
		},
		Indexes: []schema.Index{
			{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: []schema.IndexPart{{Column: "id"}}},
			{Name: "a_uix", Unique: true, Method: "btree", Parts: []schema.IndexPart{{Column: "name"}, {Column: "n", Descending: true}}},
			{Name: "b_ix", Method: "btree", Parts: []schema.IndexPart{{Column: "doc", Prefix: 10}}, Invisible: true, Comment: "it's"},
			{Name: "c_ix", Method: "btree", Parts: []schema.IndexPart{{Expression: "lower(`name`)"}}},
			{Name: "d_ix", Method: "hash", Parts: []schema.IndexPart{{Column: "code"}}},
			{Name: "e_fts", Method: "fulltext", Parts: []schema.IndexPart{{Column: "doc"}}},
		},
		ForeignKeys: []schema.ForeignKey{
			{Name: "f_fk", Columns: []string{"n", "odd"}, RefTable: "other", RefColumns: []string{"a", "b"}, OnDelete: "cascade", OnUpdate: "restrict"},
			{Name: "g_fk", Columns: []string{"n"}, RefTable: "`db`.`t`", RefColumns: []string{"a"}, OnUpdate: "set null"},
		},
		Checks: []schema.Check{{Name: "h", Expression: "`n` > 1"}, {Name: "i", Expression: "`n` > 2", NotEnforced: true}},
	}
	want := "CREATE TABLE `mdl_it``em` (\n" +
		"  `id` bigint(10) NOT NULL AUTO_INCREMENT,\n" +
		"  `n` decimal(10,5) NOT NULL DEFAULT 0.00000,\n" +
		"  `odd` int DEFAULT '1; DROP TABLE x',\n" +
		"  `name` varchar(255) NOT NULL DEFAULT '',\n" +
		"  `code` varchar(5) CHARACTER SET latin1 COLLATE latin1_bin COMMENT 'c',\n" +
		"  `doc` longtext COLLATE utf8mb4_bin DEFAULT ('it''s'),\n" +
		"  `kind` enum('a''b','c\\\\') DEFAULT 'a''b',\n" +
		"  `flags` bit(3) DEFAULT b'101',\n" +
		"  `made` timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),\n" +
		"  `uid` char(36) DEFAULT (uuid()) INVISIBLE,\n" +
		"  `twice` int GENERATED ALWAYS AS (`n` * 2) STORED,\n" +
		"  PRIMARY KEY (`id`),\n" +
		"  UNIQUE KEY `a_uix` (`name`,`n` DESC),\n" +
		"  KEY `b_ix` (`doc`(10)) COMMENT 'it''s' /*!80000 INVISIBLE */ /*M!100600 IGNORED */,\n" +
		"  KEY `c_ix` ((lower(`name`))),\n" +
		"  KEY `d_ix` (`code`) USING HASH,\n" +
		"  FULLTEXT KEY `e_fts` (`doc`),\n" +
		"  CONSTRAINT `f_fk` FOREIGN KEY (`n`,`odd`) REFERENCES `other` (`a`,`b`) ON DELETE CASCADE,\n" +
		"  CONSTRAINT `g_fk` FOREIGN KEY (`n`) REFERENCES `db`.`t` (`a`) ON UPDATE SET NULL,\n" +
		"  CONSTRAINT `h` CHECK (`n` > 1),\n" +
		"  CONSTRAINT `i` CHECK (`n` > 2) /*!80016 NOT ENFORCED */\n" +
		") ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci ROW_FORMAT=Compressed COMMENT='it''s \\\\'" +
		" /*M!100300 WITH SYSTEM VERSIONING */"
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(mysql.CreateTable(table), "\n")); diff != "" {
		t.Errorf("DDL differs (-want +got):\n%s", diff)
	}
}

func ExampleCreateTable() {
	fmt.Println(mysql.CreateTable(schema.Table{
		Name: "mdl_tag",
		Columns: []schema.Column{
			{Name: "id", Type: schema.Type{Name: "bigint"}, NotNull: true, AutoIncrement: true},
			{Name: "name", Type: schema.Type{Name: "varchar", Length: 255}, NotNull: true, Default: schema.Literal("")},
		},
		Indexes: []schema.Index{{Name: "PRIMARY", Primary: true, Unique: true, Parts: []schema.IndexPart{{Column: "id"}}}},
	}))
	// Output:
	// CREATE TABLE `mdl_tag` (
	//   `id` bigint NOT NULL AUTO_INCREMENT,
	//   `name` varchar(255) NOT NULL DEFAULT '',
	//   PRIMARY KEY (`id`)
	// )
}
