package mysql_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

// readDump reads a dump that must be readable as a whole.
func readDump(t *testing.T, text string) schema.Schema {
	t.Helper()
	d, err := mysql.ReadDump(strings.NewReader(text), "dump.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range d.Unread {
		t.Errorf("unread: %+v", u)
	}
	return d.Schema
}

// dumpFile returns a file of testdata/dump. They are of one database of each
// server, by its own dump program and with different options.
func dumpFile(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "dump", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// However a database is dumped, it is the same.
func TestReadDumpKnowsTheWaysToDump(t *testing.T) {
	for _, tt := range []struct{ plain, other string }{
		{"mariadb-10.11.sql", "mariadb-10.11-compact.sql"},
		{"mariadb-11.8.sql", "mariadb-11.8-databases.sql"},
		{"mysql-9.7.sql", "mysql-9.7-databases.sql"},
	} {
		t.Run(tt.other, func(t *testing.T) {
			want, got := readDump(t, dumpFile(t, tt.plain)), readDump(t, dumpFile(t, tt.other))
			if len(want.Tables) < 20 || len(want.Views) != 2 {
				t.Errorf("%d tables and %d views", len(want.Tables), len(want.Views))
			}
			if want.Name != "moodle" {
				t.Errorf("name %q", want.Name)
			}
			opts := cmp.Options{cmpopts.IgnoreFields(schema.Schema{}, "Version", "Name", "Charset", "Collation")}
			if diff := cmp.Diff(want, got, opts); diff != "" {
				t.Errorf("the same database (-%s +%s):\n%s", tt.plain, tt.other, diff)
			}
		})
	}
}

// oneTable is a dump of one table with these lines between its parentheses.
func oneTable(engine, lines string) string {
	return "-- Server version\t" + engine + "\nCREATE TABLE `t` (\n" + lines + "\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;\n"
}

const (
	aMariaDB = "10.11.6-MariaDB-log"
	aMySQL   = "8.0.36"
)

func TestReadDumpColumns(t *testing.T) {
	text := func(c schema.Column) schema.Column {
		c.Charset, c.Collation = "utf8mb4", "utf8mb4_bin"
		return c
	}
	varchar := schema.Type{Name: "varchar", Length: 5, Raw: "varchar(5)"}
	integer := schema.Type{Name: "int", Raw: "int"}
	tests := map[string]struct {
		engine, line string
		want         schema.Column
	}{
		"quoted number":        {aMySQL, "`c` int NOT NULL DEFAULT '0'", schema.Column{Type: integer, NotNull: true, Default: schema.Literal("0")}},
		"bare number":          {aMariaDB, "`c` int DEFAULT -7", schema.Column{Type: integer, Default: schema.Literal("-7")}},
		"null":                 {aMariaDB, "`c` int DEFAULT NULL", schema.Column{Type: integer}},
		"text with signs":      {aMySQL, "`c` varchar(5) DEFAULT '),(;'", text(schema.Column{Type: varchar, Default: schema.Literal("),(;")})},
		"empty text":           {aMySQL, "`c` varchar(5) DEFAULT ''", text(schema.Column{Type: varchar, Default: schema.Literal("")})},
		"call":                 {aMariaDB, "`c` varchar(5) DEFAULT uuid()", text(schema.Column{Type: varchar, Default: schema.Expression("uuid()")})},
		"call in parentheses":  {aMySQL, "`c` varchar(5) DEFAULT (uuid())", text(schema.Column{Type: varchar, Default: schema.Expression("uuid()")})},
		"next value":           {aMariaDB, "`c` int DEFAULT nextval(`moodle`.`s`)", schema.Column{Type: integer, Default: schema.Expression("nextval(`moodle`.`s`)")}},
		"introducer":           {aMySQL, "`c` varchar(5) DEFAULT _utf8mb4'x'", text(schema.Column{Type: varchar, Default: schema.Literal("x")})},
		"comment":              {aMySQL, "`c` int COMMENT 'a, ''b'' DEFAULT 5'", schema.Column{Type: integer, Comment: "a, 'b' DEFAULT 5"}},
		"charset only":         {aMySQL, "`c` varchar(5) CHARACTER SET utf8mb4", schema.Column{Type: varchar, Charset: "utf8mb4", Collation: "utf8mb4_0900_ai_ci"}},
		"charset only, before": {"5.7.40", "`c` varchar(5) CHARACTER SET utf8", schema.Column{Type: varchar, Charset: "utf8mb3", Collation: "utf8mb3_general_ci"}},
		"collation only":       {aMySQL, "`c` varchar(5) COLLATE latin2_czech_cs", schema.Column{Type: varchar, Charset: "latin2", Collation: "latin2_czech_cs"}},
		"collation of MariaDB": {aMariaDB, "`c` varchar(5) COLLATE utf8mb4_uca1400_as_cs", schema.Column{Type: varchar, Charset: "utf8mb4", Collation: "utf8mb4_uca1400_as_cs"}},
		"json":                 {aMariaDB, "`c` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`c`))", schema.Column{Type: schema.Type{Name: "json", Raw: "longtext"}}},
		"json of MySQL":        {aMySQL, "`c` json DEFAULT NULL", schema.Column{Type: schema.Type{Name: "json", Raw: "json"}}},
		"uuid":                 {aMariaDB, "`c` uuid NOT NULL", schema.Column{Type: schema.Type{Name: "uuid", Raw: "uuid"}, NotNull: true}},
		"unknown type":         {aMariaDB, "`c` frobnicate(3)", schema.Column{Type: schema.Type{Name: "frobnicate", Length: 3, Raw: "frobnicate(3)"}}},
		"spatial reference":    {aMySQL, "`c` point NOT NULL /*!80003 SRID 4326 */", schema.Column{Type: schema.Type{Name: "point", Raw: "point"}, NotNull: true}},
		"storage":              {aMySQL, "`c` int /*!50606 STORAGE DISK */ /*!50606 COLUMN_FORMAT DYNAMIC */ NOT NULL", schema.Column{Type: integer, NotNull: true}},
		"secondary engine":     {aMySQL, "`c` int DEFAULT NULL /*!99990 800 NOT SECONDARY */", schema.Column{Type: integer}},
		"invisible":            {aMySQL, "`c` int DEFAULT NULL /*!80023 INVISIBLE */", schema.Column{Type: integer, Invisible: true}},
		"of a storage engine":  {aMariaDB, "`c` int DEFAULT NULL `FILTER`='x,)'", schema.Column{Type: integer}},
		"not versioned":        {aMariaDB, "`c` int DEFAULT NULL WITHOUT SYSTEM VERSIONING", schema.Column{Type: integer}},
		"generated": {
			aMySQL, "`c` int GENERATED ALWAYS AS ((`a` + _utf8mb4')')) STORED",
			schema.Column{Type: integer, Generated: schema.GeneratedStored, Expression: "`a` + ')'"},
		},
		"written by hand": {aMySQL, "c INTEGER UNSIGNED default \"3\"", schema.Column{
			Type: schema.Type{Name: "int", Unsigned: true, Raw: "int unsigned"}, Default: schema.Literal("3"),
		}},
		"boolean":  {aMySQL, "c BOOLEAN DEFAULT TRUE", schema.Column{Type: schema.Type{Name: "tinyint", Width: 1, Raw: "tinyint(1)"}, Default: schema.Literal("1")}},
		"decimal":  {aMySQL, "c decimal(7) unsigned", schema.Column{Type: schema.Type{Name: "decimal", Precision: 7, Unsigned: true, Raw: "decimal(7,0) unsigned"}}},
		"word":     {aMySQL, "c CHAR", text(schema.Column{Type: schema.Type{Name: "char", Length: 1, Raw: "char(1)"}})},
		"too late": {aMySQL, "`c` int /* a comment, */ -- another;\n # one more '\n", schema.Column{Type: integer}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := readDump(t, oneTable(tt.engine, tt.line))
			if len(s.Tables) != 1 || len(s.Tables[0].Columns) != 1 {
				t.Fatalf("read %+v", s)
			}
			tt.want.Name = "c"
			got := s.Tables[0].Columns[0]
			if tt.want.Type.Width == 0 {
				got.Type.Width = 0
			}
			if tt.want.Type.Raw == "int unsigned" {
				got.Type.Raw = tt.want.Type.Raw
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("column (-want +got):\n%s", diff)
			}
		})
	}
}

// phpMyAdmin makes bare tables, and adds keys behind the rows.
func TestReadDumpOfPhpMyAdmin(t *testing.T) {
	s := readDump(t, `-- phpMyAdmin SQL Dump
-- Server version: 10.4.32-MariaDB
SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";
--
-- Database: `+"`moodle`"+`
--
CREATE TABLE `+"`t`"+` (
  `+"`id`"+` bigint(10) NOT NULL,
  `+"`p`"+` bigint(10) DEFAULT NULL,
  `+"`name`"+` varchar(255) NOT NULL DEFAULT ''
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci ROW_FORMAT=COMPRESSED;
INSERT INTO `+"`t`"+` (`+"`id`"+`) VALUES (1, 'CREATE TABLE x (a int); \' '';'), (2, "--");
ALTER TABLE `+"`t`"+`
  ADD PRIMARY KEY (`+"`id`"+`),
  ADD UNIQUE KEY `+"`u`"+` (`+"`name`"+`(20) DESC,`+"`p`"+`) USING BTREE COMMENT 'why',
  ADD KEY `+"`p`"+` (`+"`p`"+`);
ALTER TABLE `+"`t`"+` ADD FULLTEXT KEY `+"`f`"+` (`+"`name`"+`);
ALTER TABLE `+"`t`"+`
  MODIFY `+"`id`"+` bigint(10) NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=3;
ALTER TABLE `+"`t`"+`
  ADD CONSTRAINT `+"`fk`"+` FOREIGN KEY (`+"`p`"+`) REFERENCES `+"`t`"+` (`+"`id`"+`) ON DELETE CASCADE;
COMMIT;
`)
	bigint := schema.Type{Name: "bigint", Width: 10, Raw: "bigint(10)"}
	part := func(names ...string) (parts []schema.IndexPart) {
		for _, n := range names {
			parts = append(parts, schema.IndexPart{Column: n})
		}
		return parts
	}
	want := schema.Schema{
		Engine: schema.MariaDB, Version: "10.4.32-MariaDB", Name: "moodle",
		Tables: []schema.Table{{
			Name: "t", StorageEngine: "InnoDB", RowFormat: "Compressed", Charset: "utf8mb4", Collation: "utf8mb4_unicode_ci",
			AutoIncrement: 3, Rows: -1, Bytes: -1,
			Columns: []schema.Column{
				{Name: "id", Type: bigint, NotNull: true, AutoIncrement: true},
				{Name: "p", Type: bigint},
				{
					Name: "name", Type: schema.Type{Name: "varchar", Length: 255, Raw: "varchar(255)"}, NotNull: true,
					Default: schema.Literal(""), Charset: "utf8mb4", Collation: "utf8mb4_unicode_ci",
				},
			},
			Indexes: []schema.Index{
				{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: part("id")},
				{Name: "f", Method: "fulltext", Parts: part("name")},
				{Name: "p", Method: "btree", Parts: part("p")},
				{Name: "u", Unique: true, Method: "btree", Comment: "why", Parts: []schema.IndexPart{
					{Column: "name", Prefix: 20, Descending: true}, {Column: "p"},
				}},
			},
			ForeignKeys: []schema.ForeignKey{{
				Name: "fk", Columns: []string{"p"}, RefTable: "t", RefColumns: []string{"id"}, OnDelete: "cascade", OnUpdate: "restrict",
			}},
		}},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
}
