package xmldb_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/xmldb"
)

// withComment is an install.xml with a TABLE comment in line 4.
func withComment(declaration, comment string) string {
	return declaration + `<XMLDB PATH="mod/x/db" VERSION="1" COMMENT="">
<TABLES>

<TABLE NAME="x" COMMENT="` + comment + `"><FIELDS>
<FIELD NAME="id" TYPE="int" LENGTH="10"
  NOTNULL="true" SEQUENCE="true"/>
<FIELD NAME="a" TYPE="text"/>
</FIELDS><KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE>
</TABLES>
</XMLDB>
`
}

func TestXMLAsMoodleReadsIt(t *testing.T) {
	const utf8Declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n"
	bomb := `<!DOCTYPE XMLDB [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>` + "\n"
	for _, tt := range []struct {
		name, xml, comment string
		want               []string
	}{
		{name: "plain", xml: withComment("", "é"), comment: "é"},
		{name: "declared UTF-8", xml: withComment(utf8Declaration, "漢字 🎓"), comment: "漢字 🎓"},
		{name: "byte order mark", xml: withComment("\ufeff"+utf8Declaration, "é"), comment: "é"},
		{name: "Windows line ends", xml: strings.ReplaceAll(withComment(utf8Declaration, "a\nb"), "\n", "\r\n"), comment: "a b"},
		{name: "a line break in a comment is a space", xml: withComment("", "a\n\tb"), comment: "a  b"},
		{name: "entities of XML", xml: withComment("", "&lt;&amp;&#233;"), comment: "<&é"},
		{name: "ISO-8859-1", xml: withComment(`<?xml version="1.0" encoding="ISO-8859-1"?>`, "caf\xe9"), comment: "café"},
		{name: "Windows-1252", xml: withComment(`<?xml version='1.0' encoding='windows-1252'?>`, "\x80"), comment: "€"},
		{name: "UTF-16", xml: inUTF16(withComment(`<?xml version="1.0" encoding="UTF-16"?>`, "é漢")), comment: "é漢"},
		{name: "an encoding that is not read", xml: withComment(`<?xml version="1.0" encoding="EBCDIC"?>`, ""), want: []string{"1 error xml-encoding"}},
		{name: "bytes that are not UTF-8", xml: withComment("", "caf\xe9"), want: []string{"4 error xml-encoding"}},
		{name: "an entity of HTML", xml: withComment("", "&nbsp;"), want: []string{"4 error xml-syntax"}},
		{name: "an entity bomb", xml: withComment(bomb, "&c;"), want: []string{"5 error xml-syntax"}},
		{name: "an ampersand", xml: withComment("", "a & b"), want: []string{"4 error xml-syntax"}},
		{name: "an attribute twice", xml: withComment("", `" COMMENT="`), want: []string{"4 error xml-syntax"}},
		{name: "a prefix that is not declared", xml: withComment("", `" xsi:type="x`), want: []string{"4 error xml-syntax"}},
		{name: "text before the declaration", xml: withComment("\n"+utf8Declaration, ""), want: []string{"2 error xml-syntax"}},
		{name: "text behind the root", xml: withComment("", "") + "\nx", want: []string{"12 error xml-syntax"}},
		{name: "a second root", xml: withComment("", "") + "<XMLDB/>", want: []string{"11 error xml-syntax"}},
		{name: "nested too deep", xml: strings.Repeat("<a>\n", 100) + strings.Repeat("</a>", 100), want: []string{"65 error xml-syntax"}},
		{name: "cut off", xml: withComment("", "")[:150], want: []string{"6 error xml-syntax"}},
		{name: "empty", xml: "", want: []string{"1 error xml-syntax"}},
		{name: "only a comment", xml: "<!-- \n -->", want: []string{"2 error xml-syntax"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			site, got := loadMod(t, moodle45, tt.xml)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s\n%v", diff, site.Findings)
			}
			if len(tt.want) > 0 {
				return
			}
			table := site.Tables()[1]
			if table.Comment != tt.comment {
				t.Errorf("comment = %q, want %q", table.Comment, tt.comment)
			}
		})
	}
}

func inUTF16(s string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

// TestLines: an element's line is that of its first character, also when its
// attributes go over several lines and a section above it was cut out.
func TestLines(t *testing.T) {
	for _, tt := range []struct {
		name, xml string
		shift     int
	}{
		{name: "plain", xml: withComment("", "")},
		{name: "comment above", xml: withComment("<!-- 1\n2\n-->", ""), shift: 2},
		{name: "Windows line ends", xml: strings.ReplaceAll(withComment("", ""), "\n", "\r\n")},
		{name: "statements above", shift: 3, xml: strings.Replace(withComment("", ""), "<TABLES>\n", "<STATEMENTS>\n<A>&nonsense\n</STATEMENTS>\n<TABLES>\n", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			site, _ := loadMod(t, moodle45, tt.xml)
			x := site.Tables()[1]
			got := []int{x.Line, x.Fields[0].Line, x.Fields[1].Line, x.Keys[0].Line}
			want := []int{4 + tt.shift, 5 + tt.shift, 7 + tt.shift, 8 + tt.shift}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("lines of table, fields and key (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyTheFirstSectionCounts(t *testing.T) {
	xml := strings.Replace(withComment("", ""), "</FIELDS>", `</FIELDS><FIELDS><FIELD NAME="b" TYPE="text"/></FIELDS>`, 1)
	site, findings := loadMod(t, moodle45, xml)
	if n := len(site.Tables()[1].Fields); n != 2 || findings != nil {
		t.Errorf("fields = %d, findings = %v; want 2 and none, as Moodle reads one FIELDS section", n, findings)
	}
}

func TestFieldValues(t *testing.T) {
	value := func(s string) *string { return &s }
	for _, tt := range []struct {
		xml  string
		want xmldb.Field
	}{
		{`<FIELD NAME=" a " TYPE="INT" LENGTH=" 5 "/>`, xmldb.Field{Type: xmldb.Int, Length: 5}},
		{`<FIELD NAME="a" TYPE="number" LENGTH="10"/>`, xmldb.Field{Type: xmldb.Number, Length: 10, HasDecimals: true}},
		{`<FIELD NAME="a" TYPE="number" LENGTH="12" DECIMALS="7" DEFAULT="0"/>`, xmldb.Field{Type: xmldb.Number, Length: 12, Decimals: 7, HasDecimals: true, Default: value("0")}},
		{`<FIELD NAME="a" TYPE="float"/>`, xmldb.Field{Type: xmldb.Float}},
		{`<FIELD NAME="a" TYPE="float" LENGTH="11" DECIMALS="4"/>`, xmldb.Field{Type: xmldb.Float, Length: 11, Decimals: 4, HasDecimals: true}},
		{`<FIELD NAME="a" TYPE="char" LENGTH="9" NOTNULL="true" DEFAULT=""/>`, xmldb.Field{Type: xmldb.Char, Length: 9, NotNull: true}},
		{`<FIELD DEFAULT="" NOTNULL="false" TYPE="char" LENGTH="9" NAME="a"/>`, xmldb.Field{Type: xmldb.Char, Length: 9, Default: value("")}},
		{`<FIELD NAME="a" TYPE="char" LENGTH="9" NOTNULL="true" DEFAULT=" x "/>`, xmldb.Field{Type: xmldb.Char, Length: 9, NotNull: true, Default: value("x")}},
		{`<FIELD NAME="a" TYPE="text" LENGTH="medium"/>`, xmldb.Field{Type: xmldb.Text}},
		{`<FIELD NAME="a" TYPE="binary" LENGTH="big" COMMENT="c"/>`, xmldb.Field{Type: xmldb.Binary, Comment: "c"}},
	} {
		t.Run(tt.xml, func(t *testing.T) {
			site, findings := loadMod(t, moodle45, inTable(tt.xml, "", ""))
			if findings != nil {
				t.Fatalf("findings: %v", site.Findings)
			}
			tt.want.Name, tt.want.Line = "a", 5
			if diff := cmp.Diff(tt.want, site.Tables()[1].Fields[1]); diff != "" {
				t.Errorf("field (-want +got):\n%s", diff)
			}
		})
	}
}
