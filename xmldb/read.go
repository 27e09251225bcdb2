package xmldb

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/beevik/etree"
)

// refusedHint says what follows when Moodle's reader refuses one thing.
const refusedHint = "Moodle refuses the whole file, so none of its tables is part of the declared schema; correct the line and load again"

// uncreatableHint says what follows when Moodle's generator refuses one table.
const uncreatableHint = "Moodle cannot create the table, so it is not part of the declared schema; correct the line and load again"

// fileReader reads one install.xml by the rules of lib/xmldb. It reports every
// fault it meets, where Moodle stops at the first.
type fileReader struct {
	file      string
	component string
	product   Product
	dialect   dialect
	limits    Limits
	tree      *xmlTree

	findings []Finding
	// refused: Moodle would not load the file.
	refused bool
}

// place is where in a file a finding is.
type place struct {
	line   int
	table  string
	object string
}

func (r *fileReader) add(s Severity, code string, at place, hint, format string, args ...any) {
	r.findings = append(r.findings, Finding{
		Code: code, Severity: s, File: r.file, Line: at.line, Component: r.component,
		Table: at.table, Object: at.object, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// refuse reports a fault for which Moodle does not load the file.
func (r *fileReader) refuse(code string, at place, format string, args ...any) {
	r.refused = true
	r.add(Error, code, at, refusedHint, format, args...)
}

// readFile turns the bytes of an install.xml into a File without the tables
// that Moodle could not create. ok is false when Moodle would refuse the file.
func (r *fileReader) readFile(src []byte) (f File, ok bool) {
	f = File{Path: r.file, Component: r.component}
	tree, err := parseXML(src)
	if err != nil {
		e := asXMLError(err)
		r.refuse(e.code, place{line: e.line}, "%s", e.msg)
		return f, false
	}
	r.tree = tree
	if tree.statements > 0 {
		r.add(Info, "xml-statements", place{line: tree.statements}, "remove the section",
			"the section STATEMENTS is not supported since Moodle 2.0 and is ignored")
	}
	root := place{line: tree.line(tree.root)}
	if tree.root.FullTag() != "XMLDB" {
		r.refuse("xml-root", root, "the root element is %s, not XMLDB", tree.root.FullTag())
		return f, false
	}
	r.required(tree.root, root, "PATH")
	f.Version = r.required(tree.root, root, "VERSION")
	f.Comment = r.comment(tree.root, root)
	f.Tables = r.readTables(root)
	return f, !r.refused
}

func asXMLError(err error) *xmlError {
	var e *xmlError
	if errors.As(err, &e) {
		return e
	}
	return &xmlError{"xml-syntax", 1, err.Error()}
}

// readTables reads the first TABLES section; Moodle looks at no other.
func (r *fileReader) readTables(root place) []Table {
	elements := section(r.tree.root, "TABLES", "TABLE")
	if len(elements) == 0 {
		r.refuse("tables-missing", root, "there is no TABLES section with a TABLE in it")
		return nil
	}
	var good []Table
	names := make([]named, len(elements))
	for i, e := range elements {
		t, creatable := r.readTable(e)
		names[i] = named{t.Name, t.Line}
		if creatable {
			good = append(good, t)
		}
	}
	r.checkNames("table", names, place{})
	return good
}

// section returns the children of the first such section of parent.
func section(parent *etree.Element, name, child string) []*etree.Element {
	for _, s := range parent.ChildElements() {
		if s.FullTag() != name {
			continue
		}
		var all []*etree.Element
		for _, e := range s.ChildElements() {
			if e.FullTag() == child {
				all = append(all, e)
			}
		}
		return all
	}
	return nil
}

// attribute returns an attribute as Moodle sees it: trimmed like PHP's trim,
// and with line breaks turned into spaces, as libxml does.
func attribute(e *etree.Element, name string) (string, bool) {
	for i := range e.Attr {
		if e.Attr[i].Space == "" && e.Attr[i].Key == name {
			v := strings.NewReplacer("\n", " ", "\t", " ").Replace(e.Attr[i].Value)
			return strings.Trim(v, " \t\n\r\x00\v"), true
		}
	}
	return "", false
}

func (r *fileReader) required(e *etree.Element, at place, name string) string {
	v, ok := attribute(e, name)
	if !ok {
		r.refuse("attribute-missing", at, "%s has no attribute %s", e.FullTag(), name)
	}
	return v
}

// comment reads a COMMENT that the reader insists on.
func (r *fileReader) comment(e *etree.Element, at place) string {
	v, ok := attribute(e, "COMMENT")
	if !ok {
		r.refused = true
		r.add(Error, "attribute-missing", at,
			refusedHint+` (a site with $CFG->xmldbdisablecommentchecking does load it: add COMMENT="" there)`,
			"%s has no attribute COMMENT", e.FullTag())
	}
	return v
}

// boolean reads true or false; absent is what an attribute that is not there means.
func (r *fileReader) boolean(e *etree.Element, at place, name string) (value, present bool) {
	v, ok := attribute(e, name)
	switch {
	case !ok:
		return false, false
	case strings.EqualFold(v, "true"):
		return true, true
	case strings.EqualFold(v, "false"):
		return false, true
	}
	r.refuse("attribute-value", at, "%s of %s %q is %q, not true or false", name, strings.ToLower(e.FullTag()), at.object, v)
	return false, true
}

// readTable reads one TABLE. creatable is false when Moodle could load the
// table but not create it.
func (r *fileReader) readTable(e *etree.Element) (t Table, creatable bool) {
	t = Table{Component: r.component, File: r.file, Line: r.tree.line(e)}
	at := place{line: t.Line}
	t.Name = r.required(e, at, "NAME")
	at.table = t.Name
	t.Comment = r.comment(e, at)

	before := r.refused
	r.refused = false
	d := &definition{r: r, t: &t, ok: true}
	r.readFields(e, at, &t, d)
	r.readKeys(e, at, &t)
	r.readIndexes(e, &t)
	if !r.refused {
		// Otherwise what is missing may be missing only because it could not be read.
		d.check()
	}
	r.refused = r.refused || before
	return t, d.ok
}

func (r *fileReader) readFields(e *etree.Element, at place, t *Table, d *definition) {
	elements := section(e, "FIELDS", "FIELD")
	if len(elements) == 0 {
		r.refuse("fields-missing", at, "table %q has no FIELDS section with a FIELD in it", t.Name)
		return
	}
	names := make([]named, len(elements))
	for i, fe := range elements {
		f, size := r.readField(fe, t.Name)
		t.Fields = append(t.Fields, f)
		d.sizes = append(d.sizes, size)
		names[i] = named{f.Name, f.Line}
	}
	r.checkNames("field", names, at)
}

func (r *fileReader) readKeys(e *etree.Element, at place, t *Table) {
	elements := section(e, "KEYS", "KEY")
	if len(elements) == 0 {
		r.refuse("keys-missing", at, "table %q has no KEYS section with a KEY in it; at least a primary key must exist", t.Name)
		return
	}
	names := make([]named, len(elements))
	for i, ke := range elements {
		k := r.readKey(ke, t.Name)
		t.Keys = append(t.Keys, k)
		names[i] = named{k.Name, k.Line}
	}
	r.checkNames("key", names, at)
}

func (r *fileReader) readIndexes(e *etree.Element, t *Table) {
	elements := section(e, "INDEXES", "INDEX")
	names := make([]named, len(elements))
	for i, ie := range elements {
		x := r.readIndex(ie, t.Name)
		t.Indexes = append(t.Indexes, x)
		names[i] = named{x.Name, x.Line}
	}
	r.checkNames("index", names, place{table: t.Name})
}

type named struct {
	name string
	line int
}

// looseName is what the reader accepts as a name; creation is stricter.
var looseName = regexp.MustCompile(`^[A-Za-z0-9_ -]*$`)

// checkNames applies the reader's rules for the names of siblings.
func (r *fileReader) checkNames(what string, names []named, at place) {
	first := map[string]int{}
	for _, n := range names {
		at := place{line: n.line, table: at.table, object: n.name}
		if what == "table" {
			at.table, at.object = n.name, ""
		}
		if !looseName.MatchString(n.name) {
			r.refuse("name-illegal", at, "the %s name %q has characters other than letters, digits, underscore, space and hyphen", what, n.name)
		}
		if line, ok := first[n.name]; ok {
			r.refuse("name-duplicate", at, "the %s %q is declared twice, first in line %d", what, n.name, line)
			continue
		}
		first[n.name] = n.line
		// An empty name breaks Moodle's chain of previous and next elements,
		// unless there is nothing to chain.
		if n.name == "" && len(names) > 1 && !r.refused {
			r.refuse("name-illegal", at, "the name of a %s is empty", what)
		}
	}
}
