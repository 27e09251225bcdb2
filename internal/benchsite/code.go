package benchsite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/moodledb/moodledb/testdata/site"
	"github.com/moodledb/moodledb/xmldb"
)

// versionPHP is the version that a code tree of the benchmark says it has.
const versionPHP = `<?php
$version  = 2024100705.00;
$release  = '4.5.5 (Build: 20250609)';
$branch   = '405';
`

// ownTables are the install.xml definitions of the tables that no site has.
const ownTables = `
    <TABLE NAME="` + tableNarrow + `" COMMENT="Narrow rows">
      <FIELDS>
        <FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>
        <FIELD NAME="userid" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="false"/>
        <FIELD NAME="value" TYPE="int" LENGTH="10" NOTNULL="true" DEFAULT="0" SEQUENCE="false"/>
        <FIELD NAME="timemodified" TYPE="int" LENGTH="10" NOTNULL="true" DEFAULT="0" SEQUENCE="false"/>
      </FIELDS>
      <KEYS>
        <KEY NAME="primary" TYPE="primary" FIELDS="id"/>
      </KEYS>
    </TABLE>
    <TABLE NAME="` + tableWide + `" COMMENT="Very large texts">
      <FIELDS>
        <FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>
        <FIELD NAME="content" TYPE="text" NOTNULL="true" SEQUENCE="false"/>
      </FIELDS>
      <KEYS>
        <KEY NAME="primary" TYPE="primary" FIELDS="id"/>
      </KEYS>
    </TABLE>
    <TABLE NAME="` + tableFile + `" COMMENT="Texts and bytes of 1 MB">
      <FIELDS>
        <FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>
        <FIELD NAME="name" TYPE="char" LENGTH="255" NOTNULL="true" SEQUENCE="false"/>
        <FIELD NAME="contenttext" TYPE="text" NOTNULL="false" SEQUENCE="false"/>
        <FIELD NAME="contentbytes" TYPE="binary" NOTNULL="false" SEQUENCE="false"/>
        <FIELD NAME="timemodified" TYPE="int" LENGTH="10" NOTNULL="true" DEFAULT="0" SEQUENCE="false"/>
      </FIELDS>
      <KEYS>
        <KEY NAME="primary" TYPE="primary" FIELDS="id"/>
      </KEYS>
    </TABLE>
`

// tableXML finds the definitions of tables in an install.xml.
var tableXML = regexp.MustCompile(`(?s)<TABLE NAME="([^"]+)".*?</TABLE>`)

// definition is one table as an install.xml declares it.
type definition struct{ name, xml string }

// sampleTables returns the tables of the bundled sample site, and those of this package.
func sampleTables() ([]definition, error) {
	text := ownTables
	err := fs.WalkDir(site.Code(), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Base(name) != "install.xml" {
			return err
		}
		b, err := fs.ReadFile(site.Code(), name)
		text += string(b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the sample site: %w", err)
	}
	var list []definition
	for _, m := range tableXML.FindAllStringSubmatch(text, -1) {
		list = append(list, definition{name: m[1], xml: m[0]})
	}
	return list, nil
}

// chosenTables returns the XML of the named sample tables.
func chosenTables(names ...string) (string, error) {
	all, err := sampleTables()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, name := range names {
		found := false
		for _, d := range all {
			if d.name == name {
				b.WriteString(d.xml)
				found = true
			}
		}
		if !found {
			return "", fmt.Errorf("the sample site has no table %q", name)
		}
	}
	return b.String(), nil
}

// writeCode writes the code tree of a profile into dir and reads it back as
// moodledb will. code is the user's own tree, for the profile Site alone.
func writeCode(dir string, opts Data) (string, *xmldb.Site, error) {
	if opts.Code != "" && opts.Profile == Site && exists(filepath.Join(opts.Code, "version.php")) {
		declared, err := xmldb.Load(opts.Code, xmldb.Options{})
		return opts.Code, declared, err
	}
	if err := writeTree(dir, opts); err != nil {
		return "", nil, fmt.Errorf("write the code tree of profile %s: %w", opts.Profile, err)
	}
	declared, err := xmldb.Load(dir, xmldb.Options{})
	return dir, declared, err
}

func writeTree(dir string, opts Data) error {
	switch opts.Profile {
	case Mix:
		return writeCore(dir, "logstore_standard_log", "forum_posts", "grade_grades", tableFile)
	case Narrow:
		return writeCore(dir, tableNarrow)
	case Wide:
		return writeCore(dir, tableWide)
	case Tables:
		if err := writeCore(dir, "config"); err != nil {
			return err
		}
		return writePlugins(dir, int(opts.Rows)-1)
	case Site:
		return writeSite(dir, opts)
	default:
		return fmt.Errorf("unknown profile %q", opts.Profile)
	}
}

// writeCore writes a tree whose core declares the named sample tables.
func writeCore(dir string, tables ...string) error {
	xml, err := chosenTables(tables...)
	if err != nil {
		return err
	}
	return writeFiles(dir, map[string]string{
		"version.php":         versionPHP,
		"lib/components.json": `{"plugintypes": {"mod": "mod", "local": "local"}, "subsystems": {}}`,
		"lib/db/install.xml":  installXML("lib/db", xml),
	})
}

// installXML is a file with the given tables.
func installXML(path, tables string) string {
	return `<?xml version="1.0" encoding="UTF-8" ?>
<XMLDB PATH="` + path + `" VERSION="20260105" COMMENT="Tables of a benchmark">
  <TABLES>
` + tables + `
  </TABLES>
</XMLDB>
`
}

// tablesPerPlugin is how many tables a made-up plugin declares.
const tablesPerPlugin = 20

// writePlugins writes plugins with n tables, each shaped as one of the sample site's.
func writePlugins(dir string, n int) error {
	all, err := sampleTables()
	if err != nil {
		return err
	}
	files := map[string]string{}
	for first := 0; first < n; first += tablesPerPlugin {
		name := fmt.Sprintf("b%03d", first/tablesPerPlugin)
		var xml strings.Builder
		for i := first; i < min(first+tablesPerPlugin, n); i++ {
			d := all[i%len(all)]
			own := fmt.Sprintf("local_%s_t%02d", name, i-first)
			xml.WriteString(strings.Replace(d.xml, `NAME="`+d.name+`"`, `NAME="`+own+`"`, 1))
		}
		home := "local/" + name
		files[home+"/version.php"] = "<?php\n$plugin->component = 'local_" + name + "';\n$plugin->version = 2026010500;\n"
		files[home+"/db/install.xml"] = installXML(home+"/db", xml.String())
	}
	return writeFiles(dir, files)
}

// siteTables is how many tables a whole site has at least.
const siteTables = 512

// writeSite writes the tree of a whole site: the user's own without a
// version.php, or the sample site's, filled up with plugins.
func writeSite(dir string, opts Data) error {
	if opts.Code != "" {
		if err := copyDeclarations(dir, opts.Code); err != nil {
			return err
		}
		return writeFiles(dir, map[string]string{"version.php": versionPHP})
	}
	if err := os.CopyFS(dir, site.Code()); err != nil {
		return err
	}
	declared, err := xmldb.Load(dir, xmldb.Options{})
	if err != nil {
		return err
	}
	return writePlugins(dir, siteTables-len(declared.Tables()))
}

// copyDeclarations copies from a code tree the files that declare tables and plugins.
func copyDeclarations(dir, code string) error {
	return filepath.WalkDir(code, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		switch filepath.Base(name) {
		case "install.xml", "components.json", "subplugins.json", "subplugins.php", "version.php":
		default:
			return nil
		}
		rel, err := filepath.Rel(code, name)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return writeFiles(dir, map[string]string{filepath.ToSlash(rel): string(b)})
	})
}

// writeFiles writes files below dir.
func writeFiles(dir string, files map[string]string) error {
	var all []error
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		all = append(all, os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644))
	}
	return errors.Join(all...)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
