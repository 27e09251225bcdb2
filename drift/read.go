package drift

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// Side is one database or dump as it was read.
type Side struct {
	End    End
	Schema schema.Schema
	Prefix string
	// installed are the components that the database says are installed; nil when that is not known.
	installed map[string]string
	// unread are tables that may be there although they were not read.
	unread []string
	// changes are about the reading itself.
	changes []diff.Change
}

// ReadOptions say what to read of a place.
type ReadOptions struct {
	// Prefix is that of the site's tables; nil to find it.
	Prefix *string
	// Schema is PostgreSQL's; empty for the one that the place names, else the
	// first on the search path that exists. In a dump it is public, or the only one.
	Schema string
}

// IsDump reports whether place names a dump file rather than a server: a path
// that ends in .sql or .sql.gz.
func IsDump(place string) bool {
	name := strings.ToLower(place)
	return !strings.Contains(place, "://") && (strings.HasSuffix(name, ".sql") || strings.HasSuffix(name, ".sql.gz"))
}

// ReadServer connects, reads the whole schema, and disconnects. Nothing is written.
func ReadServer(ctx context.Context, d dsn.DSN, opts ReadOptions) (*Side, error) {
	if opts.Prefix == nil && d.HasPrefix {
		opts.Prefix = &d.Prefix
	}
	if d.Engine.IsMySQL() {
		return readMySQL(ctx, d, opts)
	}
	if opts.Schema == "" {
		opts.Schema = d.Schema
	}
	return readPostgres(ctx, d, opts)
}

func readMySQL(ctx context.Context, d dsn.DSN, opts ReadOptions) (_ *Side, err error) {
	db, err := mysql.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := &Side{}
	if s.Schema, err = db.Inspect(ctx, mysql.InspectOptions{}); err != nil {
		return nil, err
	}
	server := db.Server()
	s.End = End{Kind: Server, Engine: server.Engine, Version: server.Version, Address: db.Address(), Database: s.Schema.Name}
	if err := s.findPrefix(opts.Prefix); err != nil {
		return nil, err
	}
	if s.installed, err = db.InstalledComponents(ctx, s.Prefix); err != nil {
		return nil, err
	}
	s.forgetUnlessInstalled()
	if err := db.ReadHighest(ctx, &s.Schema); err != nil {
		return nil, err
	}
	access, err := db.Access(ctx, s.Schema)
	if err != nil {
		return nil, err
	}
	if !access.Whole {
		s.changes = append(s.changes, hidden(access.Account, fmt.Sprintf("let an administrator run: GRANT SELECT ON %s.* TO the account %s",
			mysql.QuoteIdent(s.Schema.Name), access.Account)))
	}
	return s, nil
}

func readPostgres(ctx context.Context, d dsn.DSN, opts ReadOptions) (*Side, error) {
	db, err := postgres.OpenReadOnly(ctx, d)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	name := opts.Schema
	if name == "" {
		if name, err = db.CurrentSchema(ctx); err != nil {
			return nil, err
		}
	}
	s := &Side{}
	if s.Schema, err = db.Inspect(ctx, name); err != nil {
		return nil, err
	}
	server := db.Server()
	s.End = End{
		Kind: Server, Engine: schema.Postgres, Version: server.Version, Address: db.Address(), Database: server.Database, Schema: name,
	}
	if err := s.findPrefix(opts.Prefix); err != nil {
		return nil, fmt.Errorf("%w; or name another schema than %q", err, name)
	}
	if s.installed, err = db.InstalledComponents(ctx, name, s.Prefix); err != nil {
		return nil, err
	}
	s.forgetUnlessInstalled()
	return s, db.ReadHighest(ctx, &s.Schema)
}

// forgetUnlessInstalled tells a database that says what is installed from one
// without its rows, such as a copy of its schema: a site always has its core.
func (s *Side) forgetUnlessInstalled() {
	if s.installed["core"] == "" {
		s.installed = nil
	}
}

// hidden is the finding about a user who may not see everything.
func hidden(account, hint string) diff.Change {
	return diff.Change{
		Code: diff.SourceRightsIncomplete, Object: account, Hint: hint,
		Message: fmt.Sprintf("the account %s has rights on single tables only; what it has none on looks as if it were missing", account),
	}
}

// findPrefix takes the prefix that was given, or finds it. A prefix that no
// table has is a mistake: everything would be missing.
func (s *Side) findPrefix(given *string) (err error) {
	if given != nil {
		s.Prefix = *given
		for i := range s.Schema.Tables {
			if strings.HasPrefix(s.Schema.Tables[i].Name, s.Prefix) {
				return nil
			}
		}
		return fmt.Errorf("no table has the prefix %q: check the name of the database, and the prefix", s.Prefix)
	}
	s.Prefix, err = convert.FindPrefix(&s.Schema)
	return err
}

// ReadDump reads a schema dump: what mysqldump, mariadb-dump or pg_dump write,
// plain or compressed by gzip. What is not DDL is skipped.
func ReadDump(file string, opts ReadOptions) (_ *Side, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read dump: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	in, err := plain(f)
	if err != nil {
		return nil, fmt.Errorf("read dump %s: %w", file, err)
	}
	head, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read dump %s: %w", file, err)
	}
	s := &Side{}
	switch {
	case bytes.HasPrefix(head, []byte("PGDMP")):
		return nil, fmt.Errorf("read dump %s: this is an archive of pg_dump, not a script; make one of it: pg_restore --schema-only --file=schema.sql %s", file, file)
	case isPostgres(head):
		err = s.readPostgresDump(in, file, opts)
	default:
		err = s.readMySQLDump(in, file)
	}
	if err != nil {
		return nil, err
	}
	s.End.Kind, s.End.File, s.End.Database = Dump, file, s.Schema.Name
	if len(s.Schema.Tables) == 0 && len(s.changes) == 0 {
		return nil, fmt.Errorf("read dump %s: it makes no table; a schema dump is made by mysqldump --no-data, or pg_dump --schema-only", file)
	}
	return s, s.findPrefix(opts.Prefix)
}

// sniffed is how much of a dump is looked at to tell whose it is.
const sniffed = 64 << 10

// plain decompresses what begins like a gzip file.
func plain(f io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(f, sniffed)
	if head, _ := in.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) { // an error comes again when all is read
		return in, nil
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(z, sniffed), nil
}

// isPostgres tells the dump of pg_dump by its title, or by what only it says.
func isPostgres(head []byte) bool {
	for _, sign := range []string{"-- PostgreSQL database", "SELECT pg_catalog.set_config", "SET standard_conforming_strings", "CREATE TABLE public."} {
		if bytes.Contains(head, []byte(sign)) {
			return true
		}
	}
	return false
}

func (s *Side) readMySQLDump(in io.Reader, file string) error {
	d, err := mysql.ReadDump(in, file)
	if err != nil {
		return err
	}
	s.Schema = d.Schema
	s.End = End{Engine: d.Schema.Engine, Version: d.Schema.Version}
	for _, u := range d.Unread {
		s.addUnread(u.Table, u.Reason, file, u.Line)
	}
	return nil
}

func (s *Side) readPostgresDump(in io.Reader, file string, opts ReadOptions) error {
	d, err := postgres.ReadDump(in, file, opts.Schema)
	if err != nil {
		return err
	}
	s.Schema = d.Schema
	s.End = End{Engine: schema.Postgres, Version: d.Schema.Version, Schema: d.Schema.Name}
	for _, u := range d.Unread {
		s.addUnread(u.Table, u.Reason, file, u.Line)
	}
	return nil
}

// addUnread keeps a statement that could not be read.
func (s *Side) addUnread(table, reason, file string, line int) {
	if table != "" {
		s.unread = append(s.unread, table)
	}
	s.changes = append(s.changes, diff.Change{
		Code: diff.SourceStatementUnread, Table: table, Found: reason,
		Message: fmt.Sprintf("a statement could not be read: %s", reason),
		Origin:  schema.Origin{File: file, Line: line},
	})
}
