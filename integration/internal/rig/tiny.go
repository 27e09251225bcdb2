//go:build integration

package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/xmldb"
)

// BigSource is a tiny site with a table that takes a while to copy.
func BigSource(t *testing.T, rows int) *Pair {
	t.Helper()
	statements := []string{
		"CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT, v longtext, PRIMARY KEY (id))",
		"INSERT INTO mdl_big (v) VALUES (REPEAT('x', 1000000))",
	}
	for n := 1; n < rows; n *= 2 {
		statements = append(statements, fmt.Sprintf("INSERT INTO mdl_big (v) SELECT v FROM mdl_big LIMIT %d", rows-n))
	}
	return Tiny(t, FirstSource(), FirstTarget(), statements...)
}

// TinyCode is the code of a site with config, config_plugins and the tables given as XML.
func TinyCode(t *testing.T, tables ...string) *xmldb.Site {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"version.php":         "<?php\n$version = 2024100705.00;\n$release = '4.5.5';\n$branch = '405';\n",
		"lib/components.json": `{"plugintypes": {"mod": "mod", "local": "local"}, "subsystems": {}}`,
		"lib/db/install.xml": `<?xml version="1.0" encoding="UTF-8" ?>
<XMLDB PATH="lib/db" VERSION="1" COMMENT="core"><TABLES>` + Table("config", Field("name", "char", `LENGTH="255" NOTNULL="true"`), Field("value", "text", `NOTNULL="true"`)) +
			Table("config_plugins", Field("plugin", "char", `LENGTH="100" NOTNULL="true"`), Field("name", "char", `LENGTH="100" NOTNULL="true"`), Field("value", "text", `NOTNULL="true"`)) +
			strings.Join(tables, "\n") + `</TABLES></XMLDB>`,
	}
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := LoadCode(t, dir)
	for _, f := range s.Findings {
		t.Fatalf("the test's own install.xml: %+v", f)
	}
	return s
}

// Table is a TABLE with an id and the fields given.
func Table(name string, fields ...string) string {
	return fmt.Sprintf(`<TABLE NAME=%q COMMENT="a table"><FIELDS>
<FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>%s</FIELDS>
<KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE>`, name, strings.Join(fields, "\n"))
}

// Field is a FIELD, with its attributes as XML.
func Field(name, kind, attributes string) string {
	return fmt.Sprintf(`<FIELD NAME=%q TYPE=%q %s/>`, name, kind, attributes)
}

// TinyTables are the statements for the two tables that every site has.
func TinyTables() []string {
	return []string{
		"CREATE TABLE mdl_config (id bigint NOT NULL AUTO_INCREMENT, name varchar(255) NOT NULL DEFAULT '', value longtext NOT NULL, PRIMARY KEY (id))",
		"CREATE TABLE mdl_config_plugins (id bigint NOT NULL AUTO_INCREMENT, plugin varchar(100) NOT NULL DEFAULT '', name varchar(100) NOT NULL DEFAULT '', value longtext NOT NULL, PRIMARY KEY (id))",
		"INSERT INTO mdl_config (name, value) VALUES ('version', '2024100705')",
	}
}

// Tiny makes a pair whose source holds a tiny site and what statements add.
func Tiny(t *testing.T, source, target string, statements ...string) *Pair {
	t.Helper()
	p := NewPair(t, source, target)
	p.SourceServer.Exec(t, p.SourceURL, append(TinyTables(), statements...)...)
	p.Open(t)
	return p
}
