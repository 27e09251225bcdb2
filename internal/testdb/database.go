//go:build integration

package testdb

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/moodledb/moodledb/schema"
)

// dropTimeout bounds DROP DATABASE, which waits for connections that a test
// has left open in a transaction.
const dropTimeout = 30 * time.Second

// Database makes a fresh, empty database and returns its URL with the
// superuser's name and password. It is dropped when the test ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d_%s", process.databases.Add(1), plainName(t.Name()))
	create, drop := "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8'", "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"
	if s.Engine.IsMySQL() {
		// What Moodle asks its users to do.
		create, drop = "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", "DROP DATABASE IF EXISTS "+name
	}
	s.Exec(t, s.adminURL(), create)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
		defer cancel()
		db, err := s.open(s.adminURL())
		if err != nil {
			t.Errorf("drop the database of a test: %v", err)
			return
		}
		defer db.Close()
		if _, err := db.ExecContext(ctx, drop); err != nil {
			t.Errorf("%s on %s: %v (is a connection of the test still open?)", drop, s.Name, err)
		}
	})
	return s.URL(name)
}

// URL returns the URL of a database of the server, with the superuser's name
// and password. The database need not exist.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: string(s.Engine),
		User:   url.UserPassword(s.User, s.Password),
		Host:   net.JoinHostPort(s.Host, strconv.Itoa(s.Port)),
		Path:   "/" + database,
	}
	return u.String()
}

// Role makes a login role of that name without further rights on a PostgreSQL
// server, if it has none yet, and returns the URL of a database for that role.
// Roles are of the whole server: they stay until it stops.
func (s *Server) Role(t testing.TB, name, databaseURL string) string {
	t.Helper()
	if s.Engine != schema.Postgres {
		t.Fatalf("testdb: Role is for PostgreSQL, not for %s", s.Name)
	}
	ident := pgx.Identifier{name}.Sanitize()
	literal := "'" + strings.ReplaceAll(name, "'", "''") + "'"
	s.Exec(t, s.adminURL(), "DO $do$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "+literal+") THEN "+
		"CREATE ROLE "+ident+" LOGIN PASSWORD '"+s.Password+"'; END IF; END $do$")
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatalf("parse the URL of a test database: %v", err)
	}
	u.User = url.UserPassword(name, s.Password)
	return u.String()
}

// adminURL is the URL of the database from which databases are made.
func (s *Server) adminURL() string {
	if s.Engine == schema.Postgres {
		return s.URL("postgres")
	}
	return s.URL("")
}

// plainName makes a test's name part of a database's name that needs no quotes.
func plainName(test string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return '_'
		}
	}, test)
	return plain[:min(len(plain), 40)]
}

// Exec runs SQL statements one after the other on one connection to the
// database of a URL (of any user), each argument one or several statements.
// The first error ends the test.
func (s *Server) Exec(t testing.TB, databaseURL string, statements ...string) {
	t.Helper()
	db, err := s.open(databaseURL)
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatalf("connect to %s: %v", s.Name, err)
	}
	defer conn.Close()
	for _, statement := range statements {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v\n%s", s.Name, err, shorten(statement))
		}
	}
}

// SQL returns a pool of connections to the database of a URL, which is closed
// when the test ends. It is made without the product's own code, so that tests
// see by another way what the product did.
func (s *Server) SQL(t testing.TB, databaseURL string) *sql.DB {
	t.Helper()
	db, err := s.open(databaseURL)
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close a connection to %s: %v", s.Name, err)
		}
	})
	return db
}

// open opens a pool for a URL of the form that URL returns; parameters after a
// question mark are the product's and not looked at.
func (s *Server) open(databaseURL string) (*sql.DB, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("parse the URL of a test database: %w", err)
	}
	password, _ := u.User.Password()
	database := strings.TrimPrefix(u.Path, "/")
	if s.Engine.IsMySQL() {
		cfg := mysql.NewConfig()
		cfg.User, cfg.Passwd, cfg.Net, cfg.Addr, cfg.DBName = u.User.Username(), password, "tcp", u.Host, database
		cfg.MultiStatements = true
		cfg.MaxAllowedPacket = 0 // ask the server
		// Its logger prints what it returns as well, at each attempt to log in.
		cfg.Logger = &mysql.NopLogger{}
		connector, err := mysql.NewConnector(cfg)
		if err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		return sql.OpenDB(connector), nil
	}
	cfg, err := pgx.ParseConfig("sslmode=disable host=" + u.Hostname() + " port=" + u.Port())
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	cfg.User, cfg.Password, cfg.Database = u.User.Username(), password, database
	cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	// The driver asks for it; a test may have started a server without it.
	cfg.RuntimeParams["standard_conforming_strings"] = "on"
	return stdlib.OpenDB(*cfg), nil
}

// shorten cuts a long statement for an error.
func shorten(statement string) string {
	const most = 2000
	if len(statement) <= most {
		return statement
	}
	return statement[:most] + " ..."
}

// Load runs a file of SQL, which may be packed (.gz), in the database of a URL
// by the server's own command-line client, as the superuser.
func (s *Server) Load(t testing.TB, databaseURL, sqlFile string) {
	t.Helper()
	database := databaseOf(t, databaseURL)
	in := &input{path: sqlFile}
	program, args := "psql", []string{"--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname=" + database}
	if s.Engine.IsMySQL() {
		program, args = string(s.Engine), []string{"--default-character-set=utf8mb4", "--max-allowed-packet=1G", database}
	}
	if _, err := s.inst.client(t.Context(), in, program, args...); err != nil {
		t.Fatalf("load %s into %s: %v", sqlFile, s.Name, err)
	}
}

// Dump returns what the server's own pg_dump or mysqldump prints for the
// database of a URL, as the superuser. Not for MariaDB, whose dump program is in
// a package of its own.
func (s *Server) Dump(t testing.TB, databaseURL string, args ...string) string {
	t.Helper()
	program, database := "pg_dump", "--dbname="+databaseOf(t, databaseURL)
	switch s.Engine {
	case schema.Postgres:
	case schema.MySQL:
		program, database = "mysqldump", databaseOf(t, databaseURL)
	default:
		t.Fatalf("testdb: Dump is for PostgreSQL and MySQL, not for %s", s.Name)
	}
	args = append(append([]string{}, args...), database)
	out, err := s.inst.client(t.Context(), nil, program, args...)
	if err != nil {
		t.Fatalf("dump from %s: %v", s.Name, err)
	}
	return out
}

// databaseOf returns the name of the database of a URL.
func databaseOf(t testing.TB, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatalf("parse the URL of a test database: %v", err)
	}
	return strings.TrimPrefix(u.Path, "/")
}
