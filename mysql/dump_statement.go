package mysql

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/moodledb/moodledb/schema"
)

// statement carries out one statement, if it is about the schema.
func (d *dumpReader) statement(st statement) {
	if st.text == "" && st.problem == "" {
		return
	}
	src := source{text: st.text}
	switch strings.ToUpper(st.text[:wordEnd(st.text)]) {
	case "CREATE", "ALTER", "DROP", "USE", "DO", "SELECT", "RENAME":
		var err error
		if src, err = d.lex(st.text); err != nil {
			d.unread(st, "", err)
			return
		}
	}
	if st.problem != "" {
		d.unread(st, tableOf(&src), errors.New(st.problem))
		return
	}
	var err error
	switch {
	case src.is(0, "CREATE"):
		err = d.create(&src)
	case src.is(0, "ALTER"):
		err = d.alter(&src)
	case src.is(0, "DROP"):
		d.drop(&src)
	case src.is(0, "RENAME", "TABLE"):
		err = errors.New("it renames a table")
	case src.is(0, "USE"):
		d.use(src.name(1))
	case src.is(1, "SETVAL", "("):
		d.setval(&src)
	}
	if err != nil {
		d.unread(st, tableOf(&src), err)
	}
}

// lex cuts a statement into tokens. The dumps of sessions in ANSI mode have
// names in double quotes; which mode it is shows where only a name can stand.
func (d *dumpReader) lex(text string) (source, error) {
	src, err := lex(text, false)
	if err != nil {
		return src, err
	}
	if src.is(0, "CREATE") {
		name := ifExists(&src, readHead(&src).kind+1)
		d.ansi = d.ansi || src.kind(name) == tokenString && strings.HasPrefix(src.at(name), `"`)
	}
	if !d.ansi {
		return src, nil
	}
	if src, err = lex(text, true); err != nil {
		return src, err
	}
	var b strings.Builder
	end := 0
	for i, t := range src.tokens {
		if t.kind == tokenIdent {
			b.WriteString(text[end:t.start] + QuoteIdent(src.name(i)))
			end = t.end
		}
	}
	return lex(b.String()+text[end:], false)
}

// wordEnd returns the length of the word at the start of text.
func wordEnd(text string) int {
	if i := strings.IndexFunc(text, func(r rune) bool { return !isWordRune(r) }); i >= 0 {
		return i
	}
	return len(text)
}

// tableOf returns the table that CREATE TABLE, ALTER TABLE and the like name.
func tableOf(src *source) string {
	for i := range min(len(src.tokens), 24) {
		if src.isAny(i, "TABLE", "VIEW", "SEQUENCE", "ON") {
			_, name, _ := src.qualifiedName(ifExists(src, i+1))
			return strings.Trim(name, `"`)
		}
	}
	return ""
}

// ifExists skips IF [NOT] EXISTS.
func ifExists(src *source, i int) int {
	switch {
	case src.is(i, "IF", "NOT", "EXISTS"):
		return i + 3
	case src.is(i, "IF", "EXISTS"):
		return i + 2
	}
	return i
}

// createHead is what stands between CREATE and the kind of an object.
type createHead struct {
	kind      int // the token that names the kind
	definer   string
	temporary bool
}

// readHead skips what stands in front of the kind.
func readHead(src *source) createHead {
	h := createHead{kind: 1}
	for h.kind < len(src.tokens) {
		i := h.kind
		switch {
		case src.is(i, "OR", "REPLACE"):
			h.kind += 2
		case src.is(i, "TEMPORARY"):
			h.temporary = true
			h.kind++
		case src.is(i, "ALGORITHM", "="):
			h.kind += 3
		case src.is(i, "SQL", "SECURITY"):
			h.kind += 3
		case src.is(i, "DEFINER", "="):
			h.definer = src.name(i + 2)
			if h.kind += 3; src.is(h.kind, "@") {
				h.definer += "@" + src.name(h.kind+1)
				h.kind += 2
			}
		case src.isAny(i, "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "ONLINE", "OFFLINE", "IGNORE"):
			h.kind++
		default:
			return h
		}
	}
	return h
}

// create carries out CREATE.
func (d *dumpReader) create(src *source) error {
	h := readHead(src)
	i := ifExists(src, h.kind+1)
	switch {
	case src.is(h.kind, "TABLE") && !h.temporary:
		return d.createTable(src, i, i > h.kind+1)
	case src.is(h.kind, "VIEW"):
		d.createView(src, i, h.definer)
		return nil
	case src.is(h.kind, "SEQUENCE"):
		return d.createSequence(src, i)
	case src.is(h.kind, "TRIGGER"):
		return d.createTrigger(src, i)
	case src.is(h.kind, "INDEX"):
		return d.createIndex(src, h.kind, i)
	case src.isAny(h.kind, "DATABASE", "SCHEMA"):
		d.createDatabase(src, i)
	}
	return nil
}

// createTable carries out CREATE TABLE; the name is at token i. One that exists
// is replaced, unless it says IF NOT EXISTS.
func (d *dumpReader) createTable(src *source, i int, ifMissing bool) error {
	b := &tableSource{source: *src}
	database, name, next := b.qualifiedName(i)
	if database != "" && !strings.EqualFold(database, d.current.schema.Name) {
		d.use(database)
	}
	if ifMissing && d.current.schema.Table(name) != nil {
		return nil
	}
	d.dropTable(name)
	d.dropView(name)
	if err := b.createTable(next); err != nil {
		return err
	}
	t, err := d.table.create(name, b)
	if err != nil {
		return err
	}
	d.optioned = d.optioned || b.options.engine != ""
	for _, c := range t.Columns {
		d.optioned = d.optioned || c.AutoIncrement
	}
	d.current.schema.Tables = append(d.current.schema.Tables, t)
	return nil
}

// createDatabase notes what a database's tables inherit.
func (d *dumpReader) createDatabase(src *source, i int) {
	before := d.current.schema.Name
	d.use(src.name(i))
	b := tableSource{source: *src}
	b.tableOptions(i+1, len(src.tokens))
	s := &d.current.schema
	s.Charset, s.Collation = d.table.resolve(b.options.charset, b.options.collation, "", "")
	d.use(before)
}

// createView carries out CREATE VIEW. mysqldump makes every view twice: first
// one that only has the columns, for views that read it.
func (d *dumpReader) createView(src *source, i int, definer string) {
	_, name, next := src.qualifiedName(i)
	if src.is(next, "(") {
		next = src.group(next, len(src.tokens))
	}
	end := len(src.tokens)
	if src.is(end-2, "CHECK", "OPTION") {
		for end -= 2; src.isAny(end-1, "CASCADED", "LOCAL", "WITH"); end-- {
			continue
		}
	}
	d.dropTable(name) // older dumps make a table of the columns first
	d.dropView(name)
	v := schema.View{Name: name, Owner: definer}
	if src.is(next, "AS") {
		v.Definition = src.slice(next+1, end)
	}
	d.current.schema.Views = append(d.current.schema.Views, v)
}

// createTrigger carries out CREATE TRIGGER name BEFORE INSERT ON table.
func (d *dumpReader) createTrigger(src *source, i int) error {
	_, name, next := src.qualifiedName(i)
	if !src.is(next+2, "ON") {
		return fmt.Errorf("the trigger %q does not say when it runs", name)
	}
	_, table, _ := src.qualifiedName(next + 3)
	t := d.current.schema.Table(table)
	if t == nil {
		return fmt.Errorf("the trigger %q is on %q: %w", name, table, errNoTable)
	}
	t.Triggers = slices.DeleteFunc(t.Triggers, func(x schema.Trigger) bool { return x.Name == name })
	t.Triggers = append(t.Triggers, schema.Trigger{Name: name, Event: strings.ToLower(src.at(next) + " " + src.at(next+1))})
	return nil
}

// drop carries out DROP.
func (d *dumpReader) drop(src *source) {
	kind := 1
	if src.is(kind, "TEMPORARY") {
		return
	}
	for _, p := range src.list(ifExists(src, kind+1), len(src.tokens)) {
		_, name, _ := src.qualifiedName(p[0])
		name = strings.Trim(name, `"`)
		switch {
		case src.is(kind, "TABLE"):
			d.dropTable(name)
		case src.is(kind, "VIEW"):
			d.dropView(name)
		case src.is(kind, "SEQUENCE"):
			s := &d.current.schema
			s.Sequences = slices.DeleteFunc(s.Sequences, func(x schema.Sequence) bool { return x.Name == name })
		case src.is(kind, "TRIGGER"):
			for i := range d.current.schema.Tables {
				t := &d.current.schema.Tables[i]
				t.Triggers = slices.DeleteFunc(t.Triggers, func(x schema.Trigger) bool { return x.Name == name })
			}
		}
	}
}

func (d *dumpReader) dropTable(name string) {
	s := &d.current.schema
	s.Tables = slices.DeleteFunc(s.Tables, func(t schema.Table) bool { return t.Name == name })
}

func (d *dumpReader) dropView(name string) {
	s := &d.current.schema
	s.Views = slices.DeleteFunc(s.Views, func(v schema.View) bool { return v.Name == name })
}

// createSequence carries out CREATE SEQUENCE, which only MariaDB has.
func (d *dumpReader) createSequence(src *source, i int) error {
	_, name, next := src.qualifiedName(i)
	end := next
	for end < len(src.tokens) && !src.isAny(end, "ENGINE", "COMMENT") {
		end++
	}
	if src.is(next, "AS") { // MariaDB 11.5: a type
		for next++; next < end && !src.isAny(next, "START", "MINVALUE", "MAXVALUE", "INCREMENT", "CACHE", "NOCACHE", "CYCLE", "NOCYCLE", "NO"); next++ {
			continue
		}
	}
	stmt, err := d.table.parse("CREATE SEQUENCE s " + src.slice(next, end))
	if err != nil {
		return err
	}
	created, ok := stmt.(*ast.CreateSequenceStmt)
	if !ok {
		return fmt.Errorf("the parser read %T of it", stmt)
	}
	s := &d.current.schema
	s.Sequences = slices.DeleteFunc(s.Sequences, func(x schema.Sequence) bool { return x.Name == name })
	s.Sequences = append(s.Sequences, newSequence(name, created.SeqOptions))
	return nil
}
