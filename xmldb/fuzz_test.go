package xmldb

import (
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

// FuzzInstallXML: whatever a file holds, the reader neither panics nor runs
// away; it says why it refused a file, and what it accepts obeys its own rules.
func FuzzInstallXML(f *testing.F) {
	files, err := filepath.Glob("testdata/sites/*/*/db/install.xml")
	if err != nil {
		f.Fatal(err)
	}
	more, err := filepath.Glob("testdata/sites/*/server/mod/*/db/install.xml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(files, more...) {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte("\xef\xbb\xbf<XMLDB PATH='' VERSION='' COMMENT=''><TABLES><TABLE/></TABLES></XMLDB>"))
	f.Add([]byte("<STATEMENTS></STATEMENTS>"))
	f.Add([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?><XMLDB/>`))
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, product := range []Product{Moodle, Totara} {
			r := &fileReader{file: "db/install.xml", component: "core", product: product, dialect: dialectFor(product, 0), limits: LimitsFor(product, 0)}
			file, ok := r.readFile(src)
			if refused := hasError(r.findings); !ok && !refused {
				t.Fatalf("the file is refused without a finding: %v", r.findings)
			}
			if ok {
				checkFile(t, r, file)
			}
		}
	})
}

func hasError(all []Finding) bool {
	for _, f := range all {
		if f.Severity == Error {
			return true
		}
	}
	return false
}

// checkFile holds an accepted file to what the rest of the program relies on.
func checkFile(t *testing.T, r *fileReader, file File) {
	t.Helper()
	for _, table := range file.Tables {
		if !strictName.MatchString(table.Name) || len(table.Name) > r.limits.TableName {
			t.Fatalf("table name %q", table.Name)
		}
		if !utf8.ValidString(table.Comment) {
			t.Fatalf("comment %q", table.Comment)
		}
		if table.Line < 1 {
			t.Fatalf("line %d", table.Line)
		}
		for _, x := range table.Indexes {
			for _, name := range x.Fields {
				if table.field(name) == nil {
					t.Fatalf("index %q on unknown field %q", x.Name, name)
				}
			}
		}
		NewNamer("mdl_", r.product, nil).Table(&table, "postgres")
	}
}

// FuzzSubpluginsPHP: the reader of literals ends on every input, and what it
// accepts has a key for each path.
func FuzzSubpluginsPHP(f *testing.F) {
	f.Add("<?php\n$subplugins = array('assignsubmission'=>'mod/assign/submission');")
	f.Add("<?php $subplugins['a'] = 'b' . 'c'; ?> text <?php // end")
	f.Add("<?php $subplugins = [\"a\\n\" => <<<X")
	f.Fuzz(func(t *testing.T, src string) {
		entries, err := readSubpluginsPHP(src)
		if err != nil && entries != nil {
			t.Fatalf("entries %v with error %v", entries, err)
		}
		readCodeLists(src, "admin")
	})
}

// FuzzVersionPHP: the reader ends on every input, and a branch is never negative.
func FuzzVersionPHP(f *testing.F) {
	f.Add("<?php\n$version = 2024100705.00;\n$release = '4.5';\n$branch = '405';")
	f.Add("<?php $TOTARA = new stdClass(); $TOTARA->version = '13.1'; $TOTARA->build = '1';")
	f.Add("<?php $version = ; $branch = '-5';")
	f.Fuzz(func(t *testing.T, src string) {
		if v := readVersion(src); v.branch < 0 {
			t.Fatalf("branch %d", v.branch)
		}
	})
}
