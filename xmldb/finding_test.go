package xmldb_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/moodledb/moodledb/xmldb"
)

// Sites of which only version.php matters.
const (
	moodle41 = "<?php\n$version = 2022112810.00;\n$release = '4.1';\n$branch = '401';\n"
	moodle45 = "<?php\n$version = 2024100705.00;\n$release = '4.5';\n$branch = '405';\n"
	totara12 = "<?php\n$version = 2017051509.00;\n$TOTARA = new stdClass();\n$TOTARA->version = '12.9';\n"
	totara13 = "<?php\n$version = 2020100100.00;\n$TOTARA = new stdClass();\n$TOTARA->version = '13.1';\n"
)

// writeTree writes the files of a txtar archive under a new directory.
func writeTree(t testing.TB, archive string) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		writeFile(t, filepath.Join(root, f.Name), string(f.Data))
	}
	return root
}

func writeFile(t testing.TB, path, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, root string, opts xmldb.Options) *xmldb.Site {
	t.Helper()
	site, err := xmldb.Load(root, opts)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

const coreFiles = `-- lib/components.json --
{"plugintypes": {"mod": "mod"}, "subsystems": {}}
-- lib/db/install.xml --
<XMLDB PATH="lib/db" VERSION="1" COMMENT=""><TABLES>
<TABLE NAME="config" COMMENT=""><FIELDS><FIELD NAME="id" TYPE="int" LENGTH="10" SEQUENCE="true"/></FIELDS>
<KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE>
</TABLES></XMLDB>
`

// loadMod loads a site of that version whose only plugin has that install.xml,
// and returns the findings of the plugin as "line severity code object".
func loadMod(t testing.TB, version, xml string) (*xmldb.Site, []string) {
	t.Helper()
	root := writeTree(t, coreFiles)
	writeFile(t, filepath.Join(root, "version.php"), version)
	writeFile(t, filepath.Join(root, "mod/x/version.php"), "<?php\n")
	writeFile(t, filepath.Join(root, "mod/x/db/install.xml"), xml)
	site := load(t, root, xmldb.Options{})
	var got []string
	for _, f := range site.Findings {
		if f.File != "mod/x/db/install.xml" {
			continue
		}
		if f.Component != "mod_x" || f.Message == "" {
			t.Errorf("finding %+v must name its component and have a message", f)
		}
		if f.Severity == xmldb.Error && f.Hint == "" {
			t.Errorf("error %+v has no hint", f)
		}
		got = append(got, strings.TrimSpace(fmt.Sprintf("%d %s %s %s", f.Line, f.Severity, f.Code, f.Object)))
	}
	return site, got
}

// inTable puts elements into a table "x" with an id; each element is a line,
// the first of fields is line 5.
func inTable(fields, keys, indexes string) string {
	return `<XMLDB PATH="mod/x/db" VERSION="1" COMMENT="">
<TABLES>
<TABLE NAME="x" COMMENT=""><FIELDS>
<FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>
` + fields + `
</FIELDS>
<KEYS>
<KEY NAME="primary" TYPE="primary" FIELDS="id"/>
` + keys + `
</KEYS>
<INDEXES>
` + indexes + `
</INDEXES></TABLE>
</TABLES>
</XMLDB>
`
}

type ruleCase struct {
	name    string
	version string // moodle45 when empty
	xml     string
	want    []string
	// loaded: table x is part of the declared schema.
	loaded bool
}

func runRules(t *testing.T, cases []ruleCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			version := tt.version
			if version == "" {
				version = moodle45
			}
			site, got := loadMod(t, version, tt.xml)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s\nall: %v", diff, site.Findings)
			}
			if loaded := strings.Contains(strings.Join(tableNames(site), " ")+" ", "x "); loaded != tt.loaded {
				t.Errorf("table x is loaded: %v, want %v", loaded, tt.loaded)
			}
			if tableNames(site)[0] != "config" {
				t.Errorf("the rest of the tree is not loaded: %v", tableNames(site))
			}
		})
	}
}

// TestReaderRules: what makes Moodle refuse a whole file.
func TestReaderRules(t *testing.T) {
	field := func(f string) string { return inTable(f, "", "") }
	key := func(k string) string {
		return inTable(`<FIELD NAME="a" TYPE="int" LENGTH="10"/>`, k, "")
	}
	index := func(i string) string {
		return inTable(`<FIELD NAME="a" TYPE="int" LENGTH="10"/>`, "", i)
	}
	runRules(t, []ruleCase{
		{name: "field without name", xml: field(`<FIELD TYPE="int" LENGTH="10"/>`), want: []string{"5 error attribute-missing"}},
		{name: "field without type", xml: field(`<FIELD NAME="a"/>`), want: []string{"5 error attribute-missing a"}},
		{name: "timestamp cannot be read from XML", xml: field(`<FIELD NAME="a" TYPE="timestamp"/>`), want: []string{"5 error field-type a"}},
		{name: "length is a word", xml: field(`<FIELD NAME="a" TYPE="char" LENGTH="big"/>`), want: []string{"5 error field-length a"}},
		{name: "length is zero", xml: field(`<FIELD NAME="a" TYPE="int" LENGTH="0"/>`), want: []string{"5 error field-length a"}},
		{name: "length of a text is ignored", xml: field(`<FIELD NAME="a" TYPE="text" LENGTH="big"/>`), loaded: true},
		{name: "notnull is yes", xml: field(`<FIELD NAME="a" TYPE="text" NOTNULL="yes"/>`), want: []string{"5 error attribute-value a"}},
		{name: "sequence is 1", xml: field(`<FIELD NAME="a" TYPE="text" SEQUENCE="1"/>`), want: []string{"5 error attribute-value a"}},
		{name: "booleans in capitals", xml: field(`<FIELD NAME="a" TYPE="text" NOTNULL="TRUE" SEQUENCE="False"/>`), loaded: true},
		{name: "decimals as great as length", xml: field(`<FIELD NAME="a" TYPE="number" LENGTH="5" DECIMALS="5"/>`), want: []string{"5 error field-decimals a"}},
		{name: "decimals of a float without length", xml: field(`<FIELD NAME="a" TYPE="float" DECIMALS="2"/>`), want: []string{"5 error field-decimals a"}},
		{name: "decimals of an int", xml: field(`<FIELD NAME="a" TYPE="int" LENGTH="5" DECIMALS="0"/>`), want: []string{"5 error field-decimals a"}},
		{name: "decimals are a word", xml: field(`<FIELD NAME="a" TYPE="number" LENGTH="5" DECIMALS="x"/>`), want: []string{"5 error field-decimals a"}},
		{name: "field name with a dot", xml: field(`<FIELD NAME="a.b" TYPE="text"/>`), want: []string{"5 error name-illegal a.b"}},
		{name: "field twice", xml: field("<FIELD NAME=\"a\" TYPE=\"text\"/>\n<FIELD NAME=\"a\" TYPE=\"text\"/>"), want: []string{"6 error name-duplicate a"}},
		{name: "field with empty name", xml: field(`<FIELD NAME="" TYPE="text"/>`), want: []string{"5 error name-illegal"}},
		{name: "key without type", xml: key(`<KEY NAME="k" FIELDS="a"/>`), want: []string{"9 error attribute-missing k"}},
		{name: "key of unknown type", xml: key(`<KEY NAME="k" TYPE="check" FIELDS="a"/>`), want: []string{"9 error key-type k"}},
		{name: "key without fields", xml: key(`<KEY NAME="k" TYPE="unique"/>`), want: []string{"9 error attribute-missing k"}},
		{name: "key with empty fields", xml: key(`<KEY NAME="k" TYPE="unique" FIELDS=" "/>`), want: []string{"9 error fields-empty k"}},
		{name: "foreign key without reference", xml: key(`<KEY NAME="k" TYPE="foreign" FIELDS="a"/>`), want: []string{"9 error key-reference k", "9 error key-reference k"}},
		{name: "foreign key with empty reference", xml: key(`<KEY NAME="k" TYPE="foreign" FIELDS="a" REFTABLE="" REFFIELDS="id"/>`), want: []string{"9 error key-reference k"}},
		{name: "unique key with reference", xml: key(`<KEY NAME="k" TYPE="unique" FIELDS="a" REFTABLE="config"/>`), want: []string{"9 error key-reference k"}},
		{name: "key twice", xml: key(`<KEY NAME="primary" TYPE="unique" FIELDS="a"/>`), want: []string{"9 error name-duplicate primary"}},
		{name: "index without unique", xml: index(`<INDEX NAME="i" FIELDS="a"/>`), want: []string{"12 error attribute-missing i"}},
		{name: "index without fields", xml: index(`<INDEX NAME="i" UNIQUE="true"/>`), want: []string{"12 error attribute-missing i"}},
		{name: "index twice", xml: index("<INDEX NAME=\"i\" UNIQUE=\"true\" FIELDS=\"a\"/>\n<INDEX NAME=\"i\" UNIQUE=\"true\" FIELDS=\"id\"/>"), want: []string{"13 error name-duplicate i"}},
		{
			name: "every fault of a file is told", xml: inTable(`<FIELD NAME="a" TYPE="blob"/>`, `<KEY NAME="k" TYPE="u" FIELDS="a"/>`, `<INDEX NAME="i" UNIQUE="x" FIELDS="a"/>`),
			want: []string{"5 error field-type a", "9 error key-type k", "12 error attribute-value i"},
		},
		{name: "no keys", xml: `<XMLDB PATH="mod/x/db" VERSION="1" COMMENT=""><TABLES>
<TABLE NAME="x" COMMENT=""><FIELDS><FIELD NAME="a" TYPE="text"/></FIELDS></TABLE></TABLES></XMLDB>`, want: []string{"2 error keys-missing"}},
		{name: "no fields", xml: `<XMLDB PATH="mod/x/db" VERSION="1" COMMENT=""><TABLES>
<TABLE NAME="x" COMMENT=""><FIELDS/><KEYS><KEY NAME="p" TYPE="primary" FIELDS="id"/></KEYS></TABLE></TABLES></XMLDB>`, want: []string{"2 error fields-missing"}},
		{name: "no tables", xml: `<XMLDB PATH="mod/x/db" VERSION="1" COMMENT=""/>`, want: []string{"1 error tables-missing"}},
		{name: "no path, version and comment", xml: `<XMLDB><TABLES/></XMLDB>`, want: []string{
			"1 error attribute-missing", "1 error attribute-missing", "1 error attribute-missing", "1 error tables-missing",
		}},
		{name: "another root", xml: `<xmldb PATH="mod/x/db" VERSION="1" COMMENT=""/>`, want: []string{"1 error xml-root"}},
		{name: "not well-formed", xml: "<XMLDB PATH=\"mod/x/db\" VERSION=\"1\" COMMENT=\"\">\n<TABLES>\n</XMLDB>", want: []string{"3 error xml-syntax"}},
	})
}

// TestCreationRules: what makes Moodle refuse one table.
func TestCreationRules(t *testing.T) {
	field := func(f string) string { return inTable(f, "", "") }
	name := func(n string) string {
		return strings.Replace(inTable("", "", ""), `NAME="x"`, `NAME="`+n+`"`, 1)
	}
	index := func(field, i string) string { return inTable(field, "", i) }
	const text, char = `<FIELD NAME="a" TYPE="text"/>`, `<FIELD NAME="a" TYPE="char" LENGTH="%d"/>`
	long := strings.Repeat("y", 31)
	runRules(t, []ruleCase{
		{name: "field in camel case", xml: field(`<FIELD NAME="orderId" TYPE="int" LENGTH="10"/>`), want: []string{"5 error field-name orderId"}},
		{name: "field begins with a digit", xml: field(`<FIELD NAME="1a" TYPE="int" LENGTH="10"/>`), want: []string{"5 error field-name 1a"}},
		{name: "field of 31 characters in 4.5", xml: field(`<FIELD NAME="` + long + `" TYPE="text"/>`), loaded: true},
		{name: "field of 31 characters in 4.1", version: moodle41, xml: field(`<FIELD NAME="` + long + `" TYPE="text"/>`), want: []string{"5 error field-name-length " + long}},
		{name: "table of 31 characters in 4.1", version: moodle41, xml: name(long), want: []string{"3 error table-name-length"}},
		{name: "table of 54 characters in 4.5", xml: name(strings.Repeat("y", 54)), want: []string{"3 error table-name-length"}},
		{name: "table in capitals", xml: name("Xy"), want: []string{"3 error table-name"}},
		{name: "int without length", xml: field(`<FIELD NAME="a" TYPE="int"/>`), want: []string{"5 error field-length a"}},
		{name: "int of 21 digits", xml: field(`<FIELD NAME="a" TYPE="int" LENGTH="21"/>`), want: []string{"5 error field-length a"}},
		{name: "int of length 010", xml: field(`<FIELD NAME="a" TYPE="int" LENGTH="010"/>`), want: []string{"5 error field-length a"}},
		{name: "int of negative length", xml: field(`<FIELD NAME="a" TYPE="int" LENGTH="-1"/>`), want: []string{"5 error field-length a"}},
		{name: "int with a word as default", xml: field(`<FIELD NAME="a" TYPE="int" LENGTH="10" DEFAULT="x"/>`), want: []string{"5 error default-value a"}},
		{name: "int with an empty default", xml: field(`<FIELD NAME="a" TYPE="int" LENGTH="10" DEFAULT=""/>`), want: []string{"5 error default-value a"}},
		{name: "int with a negative default", xml: field(`<FIELD NAME="a" TYPE="int" LENGTH="10" DEFAULT="-1"/>`), loaded: true},
		{name: "number without length", xml: field(`<FIELD NAME="a" TYPE="number"/>`), want: []string{"5 error field-length a"}},
		{name: "number of 38 digits in 4.5", xml: field(`<FIELD NAME="a" TYPE="number" LENGTH="38" DECIMALS="18"/>`), loaded: true},
		{name: "number with 21 digits before the point", xml: field(`<FIELD NAME="a" TYPE="number" LENGTH="38" DECIMALS="17"/>`), want: []string{"5 error number-whole a"}},
		{name: "number of 21 digits in Totara", version: totara13, xml: field(`<FIELD NAME="a" TYPE="number" LENGTH="21" DECIMALS="7"/>`), want: []string{"5 error field-length a"}},
		{name: "number with a decimal default", xml: field(`<FIELD NAME="a" TYPE="number" LENGTH="10" DECIMALS="5" DEFAULT="1.5"/>`), loaded: true},
		{name: "number with a word as default", xml: field(`<FIELD NAME="a" TYPE="number" LENGTH="10" DECIMALS="5" DEFAULT="x"/>`), want: []string{"5 error default-value a"}},
		{name: "float of 21 digits", xml: field(`<FIELD NAME="a" TYPE="float" LENGTH="21" DECIMALS="2"/>`), want: []string{"5 error field-length a"}},
		{name: "char of 1333", xml: field(fmt.Sprintf(char, 1333)), loaded: true},
		{name: "char of 1334", xml: field(fmt.Sprintf(char, 1334)), want: []string{"5 error field-length a"}},
		{name: "datetime with an empty default", xml: field(`<FIELD NAME="a" TYPE="datetime" DEFAULT=""/>`), want: []string{"5 error default-value a"}},
		{name: "text with a default", xml: field(`<FIELD NAME="a" TYPE="text" DEFAULT=""/>`), want: []string{"5 info default-dropped a"}, loaded: true},
		{name: "index on text", xml: index(text, `<INDEX NAME="i" UNIQUE="false" FIELDS="a"/>`), want: []string{"12 error index-lob i"}},
		{name: "key on text", xml: inTable(text, `<KEY NAME="k" TYPE="unique" FIELDS="a"/>`, ""), want: []string{"9 error index-lob k"}},
		{name: "index on 255 characters", xml: index(fmt.Sprintf(char, 255), `<INDEX NAME="i" UNIQUE="false" FIELDS="a"/>`), loaded: true},
		{name: "index on 256 characters", xml: index(fmt.Sprintf(char, 256), `<INDEX NAME="i" UNIQUE="false" FIELDS="a"/>`), want: []string{"12 error index-char-length i"}},
		{name: "index of 1008 bytes", xml: index("<FIELD NAME=\"a\" TYPE=\"char\" LENGTH=\"250\"/>\n<FIELD NAME=\"b\" TYPE=\"char\" LENGTH=\"84\"/>", `<INDEX NAME="i" UNIQUE="false" FIELDS="a,b"/>`), want: []string{"13 error index-length i"}},
		{name: "index on an unknown field", xml: index(text, `<INDEX NAME="i" UNIQUE="false" FIELDS="b"/>`), want: []string{"12 error field-unknown i"}},
		{name: "key on an unknown field", xml: inTable(text, `<KEY NAME="k" TYPE="foreign" FIELDS="b" REFTABLE="config" REFFIELDS="id"/>`, ""), want: []string{"9 error field-unknown k"}},
		{name: "index with a field twice", xml: index(fmt.Sprintf(char, 9), `<INDEX NAME="i" UNIQUE="false" FIELDS="a, A"/>`), want: []string{"12 error field-repeated i"}},
		{name: "second primary key", xml: inTable(fmt.Sprintf(char, 9), `<KEY NAME="k" TYPE="primary" FIELDS="a"/>`, ""), want: []string{"9 error primary-duplicate k"}},
		{name: "second sequence", xml: field(`<FIELD NAME="a" TYPE="int" LENGTH="10" SEQUENCE="true"/>`), want: []string{"5 error sequence-duplicate a"}},
		{name: "sequence is not first in the primary key", xml: strings.Replace(inTable(fmt.Sprintf(char, 9), "", ""), `FIELDS="id"`, `FIELDS="a,id"`, 1), want: []string{"4 error sequence-key id"}},
		{name: "sequence is a char", xml: strings.Replace(inTable("", "", ""), `TYPE="int"`, `TYPE="char"`, 1), want: []string{"4 error sequence-type id"}},
		{name: "no primary key and no sequence", xml: strings.NewReplacer(`TYPE="primary"`, `TYPE="unique"`, ` SEQUENCE="true"`, "").Replace(inTable("", "", "")), want: []string{"3 warning primary-missing"}, loaded: true},
		{name: "index like a key", xml: inTable(fmt.Sprintf(char, 9), `<KEY NAME="k" TYPE="foreign" FIELDS="a" REFTABLE="config" REFFIELDS="id"/>`, `<INDEX NAME="i" UNIQUE="false" FIELDS="a"/>`), want: []string{"9 info index-duplicate k"}, loaded: true},
		{name: "reference of another length", xml: inTable(fmt.Sprintf(char, 9), `<KEY NAME="k" TYPE="foreign" FIELDS="a" REFTABLE="config" REFFIELDS="id,name"/>`, ""), want: []string{"9 warning key-reference-count k"}, loaded: true},
		{name: "PATH of another directory", xml: strings.Replace(inTable("", "", ""), "mod/x/db", "mod/y/db", 1), want: []string{"1 warning path-mismatch"}, loaded: true},
	})
}

// TestTotaraRules: what Totara reads and Moodle ignores.
func TestTotaraRules(t *testing.T) {
	const text, num = `<FIELD NAME="a" TYPE="text"/>`, `<FIELD NAME="a" TYPE="int" LENGTH="10"/>`
	foreign := func(attrs string) string {
		return inTable(num, `<KEY NAME="k" TYPE="foreign" FIELDS="a" REFTABLE="config" REFFIELDS="id" `+attrs+`/>`, "")
	}
	allowed := func(kind, values string) string {
		return inTable(`<FIELD NAME="a" TYPE="`+kind+`" LENGTH="5" ALLOWED_VALUES="`+values+`"/>`, "", "")
	}
	fulltext := func(field, attrs string) string {
		return inTable(field, "", `<INDEX NAME="i" HINTS="full_text_search" `+attrs+`/>`)
	}
	runRules(t, []ruleCase{
		{name: "action", version: totara13, xml: foreign(`ONDELETE="cascade"`), loaded: true},
		{name: "action in capitals", version: totara13, xml: foreign(`ONDELETE="CASCADE"`), want: []string{"9 error key-action k"}},
		{name: "action in Totara 12", version: totara12, xml: foreign(`ONDELETE="cascade"`), want: []string{"9 info totara-only k"}, loaded: true},
		{name: "action in Moodle", xml: foreign(`ONDELETE="cascade" ONUPDATE="x" DEFERREDINSTALL="true"`), want: []string{"9 info totara-only k", "9 info totara-only k", "9 info totara-only k"}, loaded: true},
		{name: "action of a unique key", version: totara13, xml: inTable(num, `<KEY NAME="k" TYPE="unique" FIELDS="a" ONDELETE="cascade"/>`, ""), want: []string{"9 error key-action k"}},
		{name: "deferred unique key", version: totara13, xml: inTable(num, `<KEY NAME="k" TYPE="unique" FIELDS="a" DEFERREDINSTALL="true"/>`, ""), want: []string{"9 error key-action k"}},
		{name: "enforced key to an unknown table", version: totara13, xml: strings.Replace(foreign(`ONDELETE="cascade"`), `REFTABLE="config"`, `REFTABLE="none"`, 1), want: []string{"9 error key-reference k"}},
		{name: "enforced key of another length", version: totara13, xml: strings.Replace(foreign(`ONDELETE="cascade"`), `REFFIELDS="id"`, `REFFIELDS="id,id"`, 1), want: []string{"9 error key-reference k"}},
		{name: "allowed values", version: totara13, xml: allowed("char", "a,b"), loaded: true},
		{name: "allowed values in Moodle", xml: allowed("char", "a,b"), want: []string{"5 info totara-only a"}, loaded: true},
		{name: "no allowed value", version: totara13, xml: allowed("int", ""), want: []string{"5 error allowed-values a"}},
		{name: "allowed values of a number", version: totara13, xml: allowed("number", "1"), want: []string{"5 error allowed-values a"}},
		{name: "full text", version: totara13, xml: fulltext(text, `UNIQUE="false" FIELDS="a"`), loaded: true},
		{name: "full text in Totara 12", version: totara12, xml: fulltext(text, `UNIQUE="false" FIELDS="a"`), loaded: true},
		{name: "full text in Moodle is an index on text", xml: fulltext(text, `UNIQUE="false" FIELDS="a"`), want: []string{"12 error index-lob i"}},
		{name: "unique full text", version: totara13, xml: fulltext(text, `UNIQUE="true" FIELDS="a"`), want: []string{"12 error index-fulltext i"}},
		{name: "full text on two fields", version: totara13, xml: fulltext(text, `UNIQUE="false" FIELDS="a,id"`), want: []string{"12 error index-fulltext i"}},
		{name: "full text on int", version: totara13, xml: fulltext(num, `UNIQUE="false" FIELDS="a"`), want: []string{"12 error index-fulltext i"}},
		{name: "full text on not null", version: totara13, xml: fulltext(`<FIELD NAME="a" TYPE="text" NOTNULL="true"/>`, `UNIQUE="false" FIELDS="a"`), want: []string{"12 error index-fulltext i"}},
		{name: "full text on an unknown field", version: totara13, xml: fulltext(text, `UNIQUE="false" FIELDS="b"`), want: []string{"12 error field-unknown i"}},
		{name: "multiplier may have 40 digits", version: totara12, loaded: false, xml: strings.NewReplacer(`NAME="x"`, `NAME="question_numerical_units"`).Replace(
			inTable(`<FIELD NAME="multiplier" TYPE="number" LENGTH="40" DECIMALS="20"/>`, "", ""))},
	})
}

func TestFindingIsOneLine(t *testing.T) {
	f := xmldb.Finding{Code: "field-name", Severity: xmldb.Error, File: "mod/x/db/install.xml", Line: 5, Message: "no", Hint: "do"}
	if got, want := f.String(), "mod/x/db/install.xml:5: error: no [field-name]; do"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}
