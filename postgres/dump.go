package postgres

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// Dump is what a dump file says about a schema.
type Dump struct {
	// Schema is what Inspect would find in a database that was made of the
	// dump. What a dump does not tell is left out: numbers of rows, and the
	// positions of sequences where the dump has no rows.
	Schema schema.Schema
	// Unread are the statements about the schema that could not be read.
	Unread []UnreadStatement
}

// UnreadStatement is a statement of a dump that is not part of the schema
// that was read, though it says something about it.
type UnreadStatement struct {
	// Table is the table that the statement is about; empty when that is not known.
	Table string
	// Line is where the statement begins, 1-based.
	Line int
	// Text is the beginning of the statement.
	Text   string
	Reason string
}

// Errors of dumps that hold more than can be told apart.
var (
	ErrSeveralDatabases = errors.New("the dump holds several databases")
	ErrSeveralSchemas   = errors.New("the dump holds several schemas")
)

// ReadDump reads the tables of a script that pg_dump has written, with or
// without rows: the definitions are read by PostgreSQL's own parser, rows are
// skipped. The memory it takes does not depend on the size of the rows. The
// name of the file is for errors.
//
// schemaName chooses one of the schemas in the dump. Empty means "public" if
// that has tables, else the only one that has. Names in other schemas come in
// the form "schema"."name".
//
// What cannot be read never ends the reading: it is told in Dump.Unread.
// Functions, types, extensions and rights are no part of a schema, and are skipped.
func ReadDump(r io.Reader, file, schemaName string) (Dump, error) {
	d := newDumpReader(r)
	dump, err := Dump{}, d.run()
	if err == nil {
		dump, err = d.result(schemaName)
	}
	if err != nil {
		return Dump{}, fmt.Errorf("read dump %s: %w", file, err)
	}
	return dump, nil
}

// dumpReader carries out the statements of a dump.
type dumpReader struct {
	split   *splitter
	version string
	// searchPath is where a name without a schema lies; old dumps set it.
	searchPath string
	schemas    []*dumpSchema
	// database is the one that \connect chose, full the first with tables.
	database, full string
	// lost are unread statements of which not even the schema is known.
	lost []UnreadStatement
}

// dumpSchema is what a dump makes of one schema.
type dumpSchema struct {
	schema schema.Schema
	unread []UnreadStatement
	// tables maps names to positions in schema.Tables.
	tables map[string]int
	// spelled is how the dump spells the name of a table, with its schema.
	spelled map[string]string
}

func newDumpReader(r io.Reader) *dumpReader {
	d := &dumpReader{searchPath: "public"}
	d.split = newSplitter(r, d.comment, d.command)
	return d
}

// run reads the dump to its end.
func (d *dumpReader) run() error {
	if err := d.split.begin(); err != nil {
		return err
	}
	for {
		st, err := d.split.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := d.statement(st); err != nil {
			return err
		}
	}
}

var (
	dumpedFrom = regexp.MustCompile(`Dumped from database version (.+)$`)
	connect    = regexp.MustCompile(`^\\c(?:onnect)?\s+(?:-reuse-previous=\S+\s+)?(.+)$`)
)

// comment learns from a comment at the head of the dump which server it is of.
func (d *dumpReader) comment(text string) {
	if m := dumpedFrom.FindStringSubmatch(text); m != nil && d.version == "" {
		d.version = strings.TrimSpace(m[1])
	}
}

// command carries out a line for psql, as far as it matters here.
func (d *dumpReader) command(line string) {
	if m := connect.FindStringSubmatch(line); m != nil {
		d.database = strings.Trim(strings.TrimSpace(m[1]), `"`)
	}
}

// schema returns the schema of that name; "" is the one on the search path.
func (d *dumpReader) schema(name string) *dumpSchema {
	if name == "" {
		name = d.searchPath
	}
	for _, s := range d.schemas {
		if s.schema.Name == name {
			return s
		}
	}
	s := &dumpSchema{schema: schema.Schema{Engine: schema.Postgres, Name: name}, tables: map[string]int{}, spelled: map[string]string{}}
	d.schemas = append(d.schemas, s)
	return s
}

// table finds a table; nil when there is none.
func (s *dumpSchema) table(name string) *schema.Table {
	i, ok := s.tables[name]
	if !ok {
		return nil
	}
	return &s.schema.Tables[i]
}

// result returns the schema that was asked for, or the one that holds the site.
func (d *dumpReader) result(name string) (Dump, error) {
	var names []string
	for _, s := range d.schemas {
		if len(s.schema.Tables)+len(s.unread) > 0 {
			names = append(names, s.schema.Name)
		}
	}
	slices.Sort(names)
	list := strings.Join(names, ", ")
	switch {
	case name != "":
		if !slices.ContainsFunc(d.schemas, func(s *dumpSchema) bool { return s.schema.Name == name }) {
			return Dump{}, fmt.Errorf("schema %q: %w in the dump, which has tables in: %s", name, ErrNoSchema, list)
		}
	case len(names) == 0 || slices.Contains(names, "public"):
		name = "public"
	case len(names) == 1:
		name = names[0]
	default:
		return Dump{}, fmt.Errorf("%w: %s; name the one of the site", ErrSeveralSchemas, list)
	}
	s := d.schema(name)
	s.drawFromSequences()
	s.schema.Version = d.version
	s.schema.Sort()
	unread := append(s.unread, d.lost...)
	slices.SortStableFunc(unread, func(a, b UnreadStatement) int { return a.Line - b.Line })
	return Dump{Schema: s.schema, Unread: unread}, nil
}

// errNoTable says that a statement needs a table that the dump does not make.
var errNoTable = errors.New("the dump does not make the table")

// unread notes a statement that could not be read. r is the relation that it is
// about. What follows of a table that could not be read itself says nothing more.
func (d *dumpReader) unread(st statement, r relation, reason error) {
	u := UnreadStatement{Table: r.name, Line: st.line, Text: shortText(st.text), Reason: shortText(reason.Error())}
	if r.name == "" {
		d.lost = append(d.lost, u)
		return
	}
	s := d.schema(r.schema)
	if errors.Is(reason, errNoTable) && slices.ContainsFunc(s.unread, func(u UnreadStatement) bool { return u.Table == r.name }) {
		return
	}
	s.unread = append(s.unread, u)
}

// shortText cuts a text for a person to read.
func shortText(text string) string {
	const most = 160
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text[:min(len(text), 4*most)], "\uFFFD")), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + " ..."
	}
	return text
}
