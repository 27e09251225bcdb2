package mysql

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/pingcap/tidb/pkg/parser"

	"github.com/moodledb/moodledb/schema"
)

// Dump is what a dump file says about a database.
type Dump struct {
	// Schema is what Inspect would find in a database that was made of the
	// dump. What a dump does not tell is left out: numbers of rows, and the
	// database's own character set unless the dump creates it.
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

// ErrSeveralDatabases is wrapped by errors about a dump of more than one database.
var ErrSeveralDatabases = errors.New("the dump holds several databases")

// ErrNoOptions is wrapped by errors about a dump that says too little to be compared.
var ErrNoOptions = errors.New("the dump leaves out storage engines, character sets and AUTO_INCREMENT; " +
	"make it without --compatible and --skip-create-options")

// ReadDump reads the tables of a dump that mysqldump, mariadb-dump or
// phpMyAdmin has written, with or without rows: the definitions are read as
// the server that wrote them would, rows are skipped. The memory it takes does
// not depend on the size of the rows. The name of the file is for errors.
//
// What cannot be read never ends the reading: it is told in Dump.Unread.
// Routines, events and rights are no part of a schema, and are skipped.
func ReadDump(r io.Reader, file string) (Dump, error) {
	d := newDumpReader(r)
	if err := d.run(); err != nil {
		return Dump{}, fmt.Errorf("read dump %s: %w", file, err)
	}
	dump, err := d.result()
	if err != nil {
		return Dump{}, fmt.Errorf("read dump %s: %w", file, err)
	}
	return dump, nil
}

// dumpReader carries out the statements of a dump.
type dumpReader struct {
	split *splitter
	table tableBuilder
	// named is the database in the head of the dump, version the server's.
	named, version string
	// ansi says that double quotes are around names.
	ansi bool
	// optioned says that some table has the options that every server prints.
	optioned bool
	// current is the database that statements are about.
	current   *dumpDatabase
	databases []*dumpDatabase
}

// dumpDatabase is what a dump makes of one database.
type dumpDatabase struct {
	schema schema.Schema
	unread []UnreadStatement
}

func newDumpReader(r io.Reader) *dumpReader {
	d := &dumpReader{table: tableBuilder{parser: parser.New()}}
	d.split = newSplitter(r, d.comment)
	d.use("")
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
		d.table.charsets = charsets{engine: d.split.engine, version: d.version}
		d.statement(st)
	}
}

// serverVersion and databaseName find both in the comments at the head of a dump.
var (
	serverVersion = regexp.MustCompile(`(?i)(?:server version\s*:?\s*|Adminer [0-9.]+ MySQL )([0-9].*?)(?: dump)?\s*$`)
	databaseName  = regexp.MustCompile(`(?i)database:\s+(\S.*)$`)
)

// comment learns from a comment at the head of the dump which server wrote it.
func (d *dumpReader) comment(text string) {
	if len(d.current.schema.Tables) > 0 {
		return // the comments of rows and tables are anybody's
	}
	if m := serverVersion.FindStringSubmatch(text); m != nil && d.version == "" {
		d.version = strings.TrimPrefix(m[1], "5.5.5-")
		d.split.engine, d.split.told = schema.MySQL, true
		if strings.Contains(strings.ToLower(text), "mariadb") {
			d.split.engine = schema.MariaDB
		}
	} else if d.version == "" && strings.Contains(text, "MariaDB") {
		d.split.engine = schema.MariaDB
	}
	if m := databaseName.FindStringSubmatch(text); m != nil && d.named == "" {
		d.named = strings.Trim(strings.TrimSpace(m[1]), "`")
	}
}

// use makes a database the current one; "" is the one without a name.
func (d *dumpReader) use(name string) {
	i := slices.IndexFunc(d.databases, func(x *dumpDatabase) bool { return x.schema.Name == name })
	if i < 0 {
		i = len(d.databases)
		d.databases = append(d.databases, &dumpDatabase{schema: schema.Schema{Name: name}})
	}
	d.current = d.databases[i]
	d.table.fromCharset, d.table.fromCollation = d.current.schema.Charset, d.current.schema.Collation
}

// isSystem reports whether a database is the server's own.
func isSystem(name string) bool {
	switch strings.ToLower(name) {
	case "mysql", "sys", "performance_schema", "information_schema":
		return true
	default:
		return false
	}
}

// result returns the one database that the dump holds.
func (d *dumpReader) result() (Dump, error) {
	var full []*dumpDatabase
	var names []string
	for _, x := range d.databases {
		s := &x.schema
		if len(s.Tables)+len(s.Views)+len(s.Sequences)+len(x.unread) > 0 && !isSystem(s.Name) {
			full = append(full, x)
			if s.Name == "" {
				s.Name = d.named
			}
			names = append(names, s.Name)
		}
	}
	if len(full) == 0 {
		full = append(full, d.databases[0])
		full[0].schema.Name = d.named
	}
	if len(full) > 1 {
		return Dump{}, fmt.Errorf("%w: %s; make a dump of one of them, with mysqldump --no-data NAME or mariadb-dump --no-data NAME",
			ErrSeveralDatabases, strings.Join(names, ", "))
	}
	if len(full[0].schema.Tables) > 0 && !d.optioned {
		return Dump{}, ErrNoOptions
	}
	dump := Dump{Schema: full[0].schema, Unread: full[0].unread}
	dump.Schema.Engine, dump.Schema.Version = d.split.engine, d.version
	dump.Schema.Sort()
	return dump, nil
}

// errNoTable says that a statement needs a table that the dump does not make.
var errNoTable = errors.New("the dump does not make the table")

// unread notes a statement that could not be read. What follows of a table that
// could not be read itself says nothing more.
func (d *dumpReader) unread(st statement, table string, reason error) {
	if errors.Is(reason, errNoTable) && slices.ContainsFunc(d.current.unread, func(u UnreadStatement) bool { return u.Table == table }) {
		return
	}
	d.current.unread = append(d.current.unread, UnreadStatement{
		Table: table, Line: st.line, Text: shortText(st.text), Reason: shortText(parserMessage.ReplaceAllString(reason.Error(), "it is not understood near $1")),
	})
}

// parserMessage is how the parser begins its messages. Its line is one of the source that it was given, not of the dump.
var parserMessage = regexp.MustCompile(`^line \d+ column \d+ near (".{0,60})(?s:.*)$`)

// shortText cuts a text for a person to read.
func shortText(text string) string {
	const most = 160
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text[:min(len(text), 4*most)], "\uFFFD")), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + " ..."
	}
	return text
}
