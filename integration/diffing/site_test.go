//go:build integration

package diffing

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// flavours are all servers that a comparison is tested with.
func flavours() []string { return append(testdb.Sources(), testdb.Targets()...) }

// The sorts of tables of the site under test. A case spoils one table of such a sort.
const (
	// subject has a column of every type and an index of every kind.
	subject = "subject"
	// plain has an id that no sequence gives out.
	plain = "plain"
	// keyless has a unique key, and no primary one.
	keyless = "keyless"
	// paths has an index for LIKE.
	paths = "paths"
	// doubled has the same index twice.
	doubled = "doubled"
	// bound has foreign keys and checks that the database enforces. Totara only.
	bound = "bound"
)

// tableXML declares a table of a sort.
func tableXML(sort, name string) string {
	id := `<FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>`
	key := `<KEY NAME="primary" TYPE="primary" FIELDS="id"/>`
	var fields, keys, indexes []string
	switch sort {
	case subject:
		fields = append([]string{id}, subjectFields()...)
		keys = []string{key, `<KEY NAME="parent" TYPE="foreign" FIELDS="parent" REFTABLE="config" REFFIELDS="id"/>`}
		indexes = []string{
			index("code", "true", "code"), index("onetwo", "false", "one, two"), index("twothree", "true", "two, three"),
			index("label", "false", "label"), index("maybe", "true", "maybe"),
		}
	case plain:
		id = strings.Replace(id, `SEQUENCE="true"`, `SEQUENCE="false"`, 1)
		fields = []string{id, rig.Field("name", "char", `LENGTH="100" NOTNULL="true"`)}
		keys = []string{key}
	case keyless:
		fields = []string{rig.Field("item", "int", `LENGTH="10" NOTNULL="true"`), rig.Field("name", "char", `LENGTH="100" NOTNULL="true"`)}
		keys = []string{`<KEY NAME="item" TYPE="unique" FIELDS="item"/>`}
	case paths:
		fields = []string{id, rig.Field("path", "char", `LENGTH="255" NOTNULL="false"`)}
		keys = []string{key}
		indexes = []string{`<INDEX NAME="path" UNIQUE="false" FIELDS="path" HINTS="varchar_pattern_ops"/>`}
	case doubled:
		fields = []string{id, rig.Field("path", "char", `LENGTH="255" NOTNULL="false"`)}
		keys = []string{key}
		indexes = []string{index("path", "false", "path"), index("again", "false", "path")}
	case bound:
		fields = []string{
			id, rig.Field("parent", "int", `LENGTH="10" NOTNULL="true"`), rig.Field("other", "int", `LENGTH="10" NOTNULL="false"`),
			rig.Field("level", "int", `LENGTH="3" NOTNULL="true" DEFAULT="1" ALLOWED_VALUES="1, 2,3"`),
			rig.Field("kind", "char", `LENGTH="20" NOTNULL="false" ALLOWED_VALUES="a,b"`), rig.Field("content", "text", ""),
		}
		keys = []string{
			key,
			`<KEY NAME="parent" TYPE="foreign" FIELDS="parent" REFTABLE="config" REFFIELDS="id" ONDELETE="cascade"/>`,
			`<KEY NAME="other" TYPE="foreign" FIELDS="other" REFTABLE="config_plugins" REFFIELDS="id" ONDELETE="setnull"/>`,
		}
		indexes = []string{`<INDEX NAME="content" UNIQUE="false" FIELDS="content" HINTS="full_text_search"/>`}
	default:
		panic("a sort of table that nobody has described: " + sort)
	}
	text := fmt.Sprintf("<TABLE NAME=%q COMMENT=\"made for a test\"><FIELDS>\n%s\n</FIELDS><KEYS>\n%s\n</KEYS>", name, strings.Join(fields, "\n"), strings.Join(keys, "\n"))
	if len(indexes) > 0 {
		text += "<INDEXES>\n" + strings.Join(indexes, "\n") + "\n</INDEXES>"
	}
	return text + "</TABLE>"
}

func index(name, unique, fields string) string {
	return fmt.Sprintf(`<INDEX NAME=%q UNIQUE=%q FIELDS=%q/>`, name, unique, fields)
}

func subjectFields() []string {
	return []string{
		rig.Field("flag", "int", `LENGTH="2" NOTNULL="true" DEFAULT="0"`), rig.Field("small", "int", `LENGTH="4"`),
		rig.Field("medium", "int", `LENGTH="6" NOTNULL="true" DEFAULT="7"`), rig.Field("amount", "int", `LENGTH="9"`),
		rig.Field("big", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`), rig.Field("wide", "int", `LENGTH="10"`),
		rig.Field("required", "int", `LENGTH="10" NOTNULL="true"`), rig.Field("level", "int", `LENGTH="10" DEFAULT="5"`),
		rig.Field("name", "char", `LENGTH="255" NOTNULL="true"`), rig.Field("short", "char", `LENGTH="50"`),
		rig.Field("state", "char", `LENGTH="20" NOTNULL="true" DEFAULT="new"`),
		rig.Field("body", "text", `NOTNULL="true"`), rig.Field("note", "text", ""),
		rig.Field("grade", "number", `LENGTH="10" DECIMALS="5" NOTNULL="true" DEFAULT="0"`), rig.Field("score", "number", `LENGTH="12" DECIMALS="7"`),
		rig.Field("ratio", "float", ""), rig.Field("rate", "float", `LENGTH="11" DECIMALS="4"`),
		rig.Field("data", "binary", ""), rig.Field("moment", "datetime", ""),
		rig.Field("parent", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`), rig.Field("code", "char", `LENGTH="100" NOTNULL="true"`),
		rig.Field("one", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`), rig.Field("two", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`),
		rig.Field("three", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`), rig.Field("label", "char", `LENGTH="100"`),
		rig.Field("maybe", "int", `LENGTH="10"`),
	}
}

// driftCode writes and loads the code of a site with two plugins and the tables
// given, each as its name and its sort. Names are without prefix.
func driftCode(t testing.TB, product xmldb.Product, tables [][2]string) *xmldb.Site {
	t.Helper()
	dir := t.TempDir()
	core := []string{
		rig.Table("config", rig.Field("name", "char", `LENGTH="255" NOTNULL="true"`), rig.Field("value", "text", `NOTNULL="true"`)),
		rig.Table("config_plugins", rig.Field("plugin", "char", `LENGTH="100" NOTNULL="true"`), rig.Field("name", "char", `LENGTH="100" NOTNULL="true"`), rig.Field("value", "text", `NOTNULL="true"`)),
	}
	for _, x := range tables {
		core = append(core, tableXML(x[1], x[0]))
	}
	files := map[string]string{
		"lib/db/install.xml":       installXML("lib/db", core...),
		"mod/probe/version.php":    "<?php\n$plugin->version = 1;\n",
		"mod/probe/db/install.xml": installXML("mod/probe/db", rig.Table("probe", rig.Field("name", "char", `LENGTH="255" NOTNULL="true"`))),
		"local/idle/version.php":   "<?php\n$plugin->version = 1;\n",
		"local/idle/db/install.xml": installXML("local/idle/db",
			rig.Table("local_idle", rig.Field("name", "char", `LENGTH="255" NOTNULL="true"`))),
	}
	root := dir
	if product == xmldb.Totara {
		root = filepath.Join(dir, "server")
		files["version.php"] = "<?php\n$version = 2020100100.00;\n$release = '3.4.9';\n$branch = '34';\n" +
			"$TOTARA = new stdClass();\n$TOTARA->version = '13.1';\n$TOTARA->build = '20201118.00';\n"
	} else {
		files["version.php"] = "<?php\n$version = 2024100705.00;\n$release = '4.5.5';\n$branch = '405';\n"
		files["lib/components.json"] = `{"plugintypes": {"mod": "mod", "local": "local"}, "subsystems": {}}`
	}
	for name, text := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	site, err := xmldb.Load(dir, xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if site.Product != product {
		t.Fatalf("the code is taken for %s", site.Product)
	}
	return site
}

func installXML(path string, tables ...string) string {
	return fmt.Sprintf("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<XMLDB PATH=%q VERSION=\"1\" COMMENT=\"x\"><TABLES>\n%s\n</TABLES></XMLDB>\n",
		path, strings.Join(tables, "\n"))
}

// workbench is a database of a site, which is made anew for each test.
type workbench struct {
	server   *testdb.Server
	url      string
	database string
	site     *xmldb.Site
	declared schema.Schema
	// make are the statements that make the site, as its own installer would.
	make []string
}

func newWorkbench(t *testing.T, flavour string, site *xmldb.Site) *workbench {
	t.Helper()
	return newWorkbenchOn(t, testdb.Get(t, flavour), site)
}

func newWorkbenchOn(t *testing.T, server *testdb.Server, site *xmldb.Site) *workbench {
	t.Helper()
	w := &workbench{server: server, site: site}
	w.url = w.server.Database(t)
	u, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	w.database = strings.TrimPrefix(u.Path, "/")
	var statements []string
	w.declared, statements = installer(w.server.Engine, site)
	if w.server.Engine.IsMySQL() {
		w.make = []string{strings.Join([]string{
			"DROP DATABASE " + w.database, "CREATE DATABASE " + w.database + " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", "USE " + w.database,
		}, ";\n")}
	} else {
		w.make = []string{clearPostgres}
	}
	w.make = append(w.make, strings.Join(append(statements, installedRows()...), ";\n"))
	return w
}

// clearPostgres takes a database back to how it was made.
const clearPostgres = `DO $do$ DECLARE x text; BEGIN
FOR x IN SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema' LOOP
  EXECUTE format('DROP SCHEMA %I CASCADE', x);
END LOOP;
FOR x IN SELECT fdwname FROM pg_foreign_data_wrapper LOOP EXECUTE format('DROP FOREIGN DATA WRAPPER %I CASCADE', x); END LOOP;
CREATE SCHEMA public;
EXECUTE format('ALTER DATABASE %I RESET ALL', current_database());
END $do$`

// installer returns what a site declares, and the statements that make it.
func installer(engine schema.Engine, site *xmldb.Site) (declared schema.Schema, statements []string) {
	declared, _ = convert.Declared(site, convert.DeclaredOptions{Engine: engine, Prefix: "mdl_"})
	if !engine.IsMySQL() {
		return declared, postgres.Statements("", &declared)
	}
	statements = []string{"SET foreign_key_checks = 0"}
	for _, t := range declared.Tables {
		statements = append(statements, mysql.CreateTable(t))
	}
	return declared, append(statements, "SET foreign_key_checks = 1")
}

// installedRows say that core and all plugins are installed.
func installedRows() []string {
	return []string{
		"INSERT INTO mdl_config (name, value) VALUES ('version', '2024100705')",
		"INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('mod_probe', 'version', '1'), ('local_idle', 'version', '1')",
	}
}

// reset makes the site anew, and runs further statements.
func (w *workbench) reset(t *testing.T, statements ...string) {
	t.Helper()
	w.server.Exec(t, w.url, slices.Concat(w.make, statements)...)
}

// place is what the words in braces of a case stand for.
type place struct {
	*workbench
	// table is the table that the case spoils, number what makes names of its own.
	table, number string
}

var inBraces = regexp.MustCompile(`\{([a-z]+)(?::([a-z0-9_,]+))?\}`)

// fill replaces the words in braces:
//
//	{t}           the table of the case
//	{p}           the prefix
//	{n}           a number that no other case of the database has
//	{db} {user}   the database, and the user of the connection
//	{pk} {seq}    the primary key and the sequence of the table
//	{ix:a,b}      the index on the columns, {pattern:a} the one for LIKE
//	{fk:a} {ck:a} the foreign key and the check of the column
func (p place) fill(t testing.TB, text string) string {
	t.Helper()
	return inBraces.ReplaceAllStringFunc(text, func(word string) string {
		m := inBraces.FindStringSubmatch(word)
		name, ok := p.word(m[1], strings.Split(m[2], ","))
		if !ok {
			t.Fatalf("%s: there is no %s", text, word)
		}
		return name
	})
}

func (p place) word(word string, columns []string) (string, bool) {
	switch word {
	case "t":
		return p.table, true
	case "p":
		return "mdl_", true
	case "n":
		return p.number, true
	case "db":
		return p.database, true
	case "user":
		return p.server.User, true
	}
	t := p.declared.Table(p.table)
	if t == nil {
		return "", false
	}
	switch word {
	case "pk":
		return t.PrimaryKey().Name, true
	case "seq":
		return t.Columns[0].Sequence, true
	case "ix", "pattern":
		for _, x := range t.Indexes {
			if !x.Primary && slices.Equal(x.Columns(), columns) && (word == "pattern") == strings.HasSuffix(x.Name, "_pattern") {
				return x.Name, true
			}
		}
	case "fk":
		for _, fk := range t.ForeignKeys {
			if slices.Equal(fk.Columns, columns) {
				return fk.Name, true
			}
		}
	case "ck":
		for _, c := range t.Checks {
			if strings.HasSuffix(c.Name, columns[0]+"_enum") {
				return c.Name, true
			}
		}
	}
	return "", false
}

// fillAll fills in every text.
func (p place) fillAll(t testing.TB, texts []string) []string {
	t.Helper()
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = p.fill(t, text)
	}
	return out
}
