//go:build integration

package integration

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// undeclared are tables of every type, default and index that both servers have.
func undeclared() []string {
	return []string{
		`CREATE TABLE mdl_numbers (
  a tinyint(1) NOT NULL DEFAULT '-1', b tinyint unsigned DEFAULT 255, c smallint, d smallint unsigned, e mediumint, f mediumint unsigned zerofill DEFAULT 7,
  g int NOT NULL AUTO_INCREMENT, h int unsigned, i bigint DEFAULT -9223372036854775808, j bigint unsigned, k decimal(65,30) DEFAULT 1.5,
  l decimal(10,0) unsigned, m float DEFAULT 0.5, n double DEFAULT 1e10, o float(7,3), p bit(1) DEFAULT b'1', q bit(64) DEFAULT b'101', r year DEFAULT 2024,
  PRIMARY KEY (g), UNIQUE KEY j (j))`,
		`CREATE TABLE mdl_texts (
  id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  a char(0), b char(36) DEFAULT 'it''s \\ "x"', c varchar(255) CHARACTER SET latin1 NOT NULL DEFAULT '', d tinytext, e text NOT NULL, f mediumtext, g longtext,
  h enum('yes','no''t','ÄÖ') DEFAULT 'yes', i set('a','b') NOT NULL DEFAULT 'a,b', j json, k varchar(36) DEFAULT (uuid())) COMMENT='it''s a table'`,
		`CREATE TABLE mdl_bytes (
  a binary(4) DEFAULT 'ab', b varbinary(10) DEFAULT 'x''', c tinyblob, d blob, e mediumblob, f longblob, g geometry, h point, i multipolygon, j geometrycollection)`,
		`CREATE TABLE mdl_times (
  a date DEFAULT '2024-02-29', b datetime DEFAULT CURRENT_TIMESTAMP, c datetime(6) DEFAULT '2024-02-29 12:00:00.5',
  d timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, e timestamp(3) NULL DEFAULT '2024-02-29 12:00:00', f time DEFAULT '-100:00:00', g time(3))`,
		"CREATE TABLE `mdl_Old-Copy 2` (`Id` int NOT NULL, `sélect` varchar(20), `a\"b` int GENERATED ALWAYS AS (`Id` + 1) STORED, `user` int, PRIMARY KEY (`Id`), KEY `j` (`user`, `Id`), CONSTRAINT ch CHECK (`Id` > 0))",
		`CREATE TABLE mdl_indexed (
  a varchar(100), b text, c varchar(700) CHARACTER SET utf8mb4, d blob, e varchar(50), f point NOT NULL,
  KEY plain (a, e), KEY prefix_short (a(10)), UNIQUE KEY prefix_unique (a(10)), KEY prefix_text (b(50)), KEY prefix_blob (d(20)),
  KEY wide (c), UNIQUE KEY wide_unique (c), FULLTEXT KEY words (b), FULLTEXT KEY more_words (b, e), SPATIAL KEY place (f), KEY twin (e, a), KEY twin2 (e, a),
  KEY an_index_with_a_name_of_sixty_four_characters_xxxxxxxxxxxxxxxxxx (e))`,
		`CREATE TABLE mdl_no_key (name varchar(20) NOT NULL, KEY plain (name))`,
		`CREATE TABLE mdl_text_key (name text NOT NULL, x int, PRIMARY KEY (name(30)))`,
		`CREATE TABLE mdl_child (
  id int NOT NULL, parent bigint unsigned NOT NULL, other bigint unsigned, number bigint unsigned, PRIMARY KEY (id),
  CONSTRAINT fk1 FOREIGN KEY (parent) REFERENCES mdl_texts (id) ON DELETE CASCADE,
  CONSTRAINT fk2 FOREIGN KEY (number) REFERENCES mdl_numbers (j) ON UPDATE SET NULL)`,
		`CREATE TABLE mdl_grandchild (id int PRIMARY KEY, parent bigint unsigned, KEY (parent),
  CONSTRAINT fk3 FOREIGN KEY (id) REFERENCES mdl_child (id))`,
		`CREATE TABLE other_site (id int PRIMARY KEY)`,
		`CREATE VIEW mdl_view AS SELECT 1 AS one`,
	}
}

// ownTypes are tables of types that one of the servers has.
func ownTypes(s *mysql.DB) []string {
	server := s.Server()
	switch {
	case server.Engine == schema.MySQL:
		list := []string{
			"CREATE TABLE mdl_own (a int, b varchar(20), c json DEFAULT (json_array()), KEY expression ((a + 1)), KEY falling (a DESC, b), KEY hidden (b) INVISIBLE)",
		}
		if server.Major >= 9 {
			list = append(list, "CREATE TABLE mdl_vector (v vector(3))")
		}
		return list
	case server.Major > 10 || server.Minor >= 10:
		return []string{"CREATE TABLE mdl_own (a uuid DEFAULT uuid(), b inet4 DEFAULT '127.0.0.1', c inet6 DEFAULT '::1', d longtext, UNIQUE KEY hashed (d), KEY hidden (b) IGNORED)"}
	default:
		return []string{"CREATE TABLE mdl_own (c inet6 DEFAULT '::1', d longtext, UNIQUE KEY hashed (d))"}
	}
}

// TestUndeclaredTablesAreMade converts tables that no install.xml declares, and
// lets PostgreSQL make them: what it then has is what was planned.
func TestUndeclaredTablesAreMade(t *testing.T) {
	for _, source := range testdb.Sources() {
		for _, target := range testdb.Targets() {
			t.Run(source+" to "+target, func(t *testing.T) {
				p := rig.NewPair(t, source, target)
				p.SourceServer.Exec(t, p.SourceURL, undeclared()...)
				p.Open(t)
				p.SourceServer.Exec(t, p.SourceURL, ownTypes(p.Source)...)
				live, err := p.Source.Inspect(t.Context(), mysql.InspectOptions{})
				if err != nil {
					t.Fatal(err)
				}
				plan, findings := convert.Target(schema.Schema{Engine: schema.Postgres}, live, convert.TargetOptions{Prefix: "mdl_"})
				for _, f := range findings {
					t.Logf("%s %s %s%s%s: %s", f.Severity, f.Code, f.Table, f.Column, f.Index, f.Message)
				}
				if convert.HasErrors(findings) {
					t.Fatal("there are errors among the findings")
				}
				p.TargetServer.Exec(t, p.TargetURL, creation(plan)...)
				got, err := p.Target.Inspect(context.Background(), "public")
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(plan.Schema(), got, sameMeaning()...); diff != "" {
					t.Errorf("schema (-planned +made):\n%s", diff)
				}
			})
		}
	}
}

// creation are the statements that make the targets of a plan.
func creation(plan convert.Plan) []string {
	var tables, rest, keys []string
	for _, tp := range plan.Tables {
		t := tp.Target
		tables = append(tables, strings.Split(postgres.CreateTable("public", t), ";\n")...)
		if t.Comment != "" {
			tables = append(tables, postgres.CommentTable("public", t.Name, t.Comment))
		}
		for _, x := range t.Indexes {
			rest = append(rest, postgres.CreateIndex("public", t.Name, x))
		}
		for _, x := range t.Checks {
			rest = append(rest, postgres.AddCheck("public", t.Name, x))
		}
		for _, fk := range t.ForeignKeys {
			keys = append(keys, postgres.AddForeignKey("public", t.Name, fk))
		}
	}
	return append(append(tables, rest...), keys...)
}

// sameMeaning ignores what a live schema has and a planned one has not, and how
// PostgreSQL spells expressions.
func sameMeaning() cmp.Options {
	spelled := func(text string) string {
		if text == "" {
			return ""
		}
		return "an expression"
	}
	return cmp.Options{
		cmpopts.EquateEmpty(),
		cmpopts.IgnoreTypes(schema.Origin{}),
		cmpopts.IgnoreFields(schema.Schema{}, "Version", "Name"),
		cmpopts.IgnoreFields(schema.Table{}, "Owner", "Rows", "Bytes"),
		cmpopts.IgnoreFields(schema.Sequence{}, "Owner"),
		cmpopts.IgnoreFields(schema.Index{}, "Definition"),
		cmp.FilterPath(func(p cmp.Path) bool {
			name := p.Last().String()
			return name == ".Expression" || name == ".Text" && p.Index(-2).Type().Name() == "Default"
		}, cmp.Transformer("spelled", spelled)),
	}
}
