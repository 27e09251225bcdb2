//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/xmldb"
)

// tinyCode is the code of a site with config, config_plugins and the tables given as XML.
func tinyCode(t *testing.T, tables ...string) *xmldb.Site {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"version.php":         "<?php\n$version = 2024100705.00;\n$release = '4.5.5';\n$branch = '405';\n",
		"lib/components.json": `{"plugintypes": {"mod": "mod", "local": "local"}, "subsystems": {}}`,
		"lib/db/install.xml": `<?xml version="1.0" encoding="UTF-8" ?>
<XMLDB PATH="lib/db" VERSION="1" COMMENT="core"><TABLES>` + table("config", field("name", "char", `LENGTH="255" NOTNULL="true"`), field("value", "text", `NOTNULL="true"`)) +
			table("config_plugins", field("plugin", "char", `LENGTH="100" NOTNULL="true"`), field("name", "char", `LENGTH="100" NOTNULL="true"`), field("value", "text", `NOTNULL="true"`)) +
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
	s := loadCode(t, dir)
	for _, f := range s.Findings {
		t.Fatalf("the test's own install.xml: %+v", f)
	}
	return s
}

// table is a TABLE with an id and the fields given.
func table(name string, fields ...string) string {
	return fmt.Sprintf(`<TABLE NAME=%q COMMENT="a table"><FIELDS>
<FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>%s</FIELDS>
<KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE>`, name, strings.Join(fields, "\n"))
}

func field(name, kind, attributes string) string {
	return fmt.Sprintf(`<FIELD NAME=%q TYPE=%q %s/>`, name, kind, attributes)
}

// tinyTables are the statements for the two tables that every site has.
func tinyTables() []string {
	return []string{
		"CREATE TABLE mdl_config (id bigint NOT NULL AUTO_INCREMENT, name varchar(255) NOT NULL DEFAULT '', value longtext NOT NULL, PRIMARY KEY (id))",
		"CREATE TABLE mdl_config_plugins (id bigint NOT NULL AUTO_INCREMENT, plugin varchar(100) NOT NULL DEFAULT '', name varchar(100) NOT NULL DEFAULT '', value longtext NOT NULL, PRIMARY KEY (id))",
		"INSERT INTO mdl_config (name, value) VALUES ('version', '2024100705')",
	}
}

// tiny makes a pair whose source holds a tiny site and what statements add.
func tiny(t *testing.T, source, target string, statements ...string) *pair {
	t.Helper()
	p := newPair(t, source, target)
	p.sourceServer.Exec(t, p.sourceURL, append(tinyTables(), statements...)...)
	p.open(t)
	return p
}

// addPlugin adds a plugin with its tables to a tiny site's code.
func addPlugin(t *testing.T, root, dir string, tables ...string) {
	t.Helper()
	text := fmt.Sprintf("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<XMLDB PATH=%q VERSION=\"1\" COMMENT=\"plugin\"><TABLES>%s</TABLES></XMLDB>",
		dir+"/db", strings.Join(tables, "\n"))
	file := filepath.Join(root, filepath.FromSlash(dir), "db", "install.xml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
