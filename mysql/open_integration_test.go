//go:build integration

package mysql_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

// place reads the URL of a test database.
func place(t *testing.T, url string) dsn.DSN {
	t.Helper()
	d, err := dsn.Parse(url, dsn.Options{Getenv: func(string) string { return "" }, Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOpenServer(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			db := open(t, server.Database(t))
			s := db.Server()
			if s.Engine != server.Engine || s.Version != server.Version {
				t.Errorf("server is %s %q, want %s %q", s.Engine, s.Version, server.Engine, server.Version)
			}
			if s.Warning != "" {
				t.Errorf("warning about a tested version: %s", s.Warning)
			}
			if !strings.HasPrefix(server.Version, fmt.Sprintf("%d.%d.%d", s.Major, s.Minor, s.Patch)) {
				t.Errorf("version is %d.%d.%d, want that of %s", s.Major, s.Minor, s.Patch, server.Version)
			}
			if s.MaxAllowedPacket < 1<<20 {
				t.Errorf("max_allowed_packet is %d", s.MaxAllowedPacket)
			}
		})
	}
}

func TestSessionsAreReadOnly(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			db := open(t, testdb.Get(t, name).Database(t))
			for _, statement := range []string{"CREATE TABLE t (a int)", "CREATE DATABASE moodledb_never"} {
				if _, err := db.SQL().ExecContext(context.Background(), statement); err == nil {
					t.Errorf("%s was executed", statement)
				}
			}
			var zone, charset string
			row := db.SQL().QueryRowContext(context.Background(), "SELECT @@session.time_zone, @@session.character_set_results")
			if err := row.Scan(&zone, &charset); err != nil {
				t.Fatal(err)
			}
			if zone != "+00:00" || charset != "utf8mb4" {
				t.Errorf("time zone %q, character set %q", zone, charset)
			}
		})
	}
}

// freePort returns a port on which nothing listens.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func TestOpenErrors(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			url := server.Database(t)
			d := place(t, url)
			user := "u" + strings.NewReplacer(".", "", "-", "").Replace(name)
			account := fmt.Sprintf("'%s'@'%%'", user)
			server.Exec(t, url, "DROP USER IF EXISTS "+account,
				"CREATE USER "+account+" IDENTIFIED BY 'right-pw' WITH MAX_USER_CONNECTIONS 1")
			as := func(password string) dsn.DSN {
				d := d
				d.User, d.Password, d.PasswordFrom = user, dsn.Secret(password), "the URL"
				return d
			}
			at := func(host string, port int) dsn.DSN {
				d := d
				d.Host, d.Port = host, port
				return d
			}
			socket := d
			socket.Host, socket.Port, socket.Socket = "", 0, "/nonexistent/my.sock"
			tests := []struct {
				name string
				dsn  dsn.DSN
				kind error
				want string
			}{
				{"wrong password", as("wrong-pw"), mysql.ErrAccessDenied, "the password came from the URL"},
				{"no password", as(""), mysql.ErrAccessDenied, "no password was given"},
				{"no right on the database", as("right-pw"), mysql.ErrAccessDenied, "GRANT SELECT"},
				{"unknown database", d.WithDatabase("moodledb_none"), mysql.ErrUnknownDatabase, "SHOW DATABASES"},
				{"nothing listens", at("127.0.0.1", freePort(t)), mysql.ErrUnreachable, "check that the server runs"},
				{"unknown host", at("no-such-host.invalid", 3306), mysql.ErrUnreachable, "check the host name"},
				{"no socket", socket, mysql.ErrUnreachable, "has its socket there"},
			}
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) {
					db, err := mysql.Open(context.Background(), test.dsn)
					if err == nil {
						t.Fatal("connected", db.Close())
					}
					checkError(t, err, test.kind, test.want, test.dsn)
				})
			}
			t.Run("too many connections", func(t *testing.T) {
				server.Exec(t, url, fmt.Sprintf("GRANT SELECT ON %s.* TO %s", mysql.QuoteIdent(d.Database), account))
				db, err := mysql.Open(context.Background(), as("right-pw"))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = db.Close() }()
				second, err := mysql.Open(context.Background(), as("right-pw"))
				if err == nil {
					t.Fatal("connected twice", second.Close())
				}
				checkError(t, err, mysql.ErrTooManyConnections, "MAX_USER_CONNECTIONS", as("right-pw"))
			})
			t.Run("cancelled", func(t *testing.T) {
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				if _, err := mysql.Open(ctx, d); !errors.Is(err, context.Canceled) {
					t.Errorf("error is %v", err)
				}
			})
		})
	}
}

// checkError checks kind, text and that the server and user are named, and no password.
func checkError(t *testing.T, err, kind error, want string, d dsn.DSN) {
	t.Helper()
	var e *mysql.ConnectError
	if !errors.As(err, &e) || !errors.Is(err, kind) {
		t.Errorf("error is %T %v, want a ConnectError of kind %v", err, err, kind)
	}
	for _, text := range []string{want, d.Address(), d.User} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error does not say %q: %v", text, err)
		}
	}
	if p := d.Password.Reveal(); p != "" && strings.Contains(err.Error(), p) {
		t.Errorf("error shows the password: %v", err)
	}
}

// TestOpenSilence connects to something that accepts and never says a word.
func TestOpenSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, c) }()
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	d := place(t, fmt.Sprintf("mysql://u:secret-pw@%s/d", l.Addr()))
	_, err = mysql.Open(ctx, d)
	checkError(t, err, mysql.ErrUnreachable, "no answer in time", d)
}

func TestTLS(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			url := server.Database(t)
			d := place(t, url)
			offered := open(t, url).Transport().TLS != nil
			t.Logf("the server offers TLS: %t", offered)
			ca := certificateAuthority(t, url)
			tests := []struct {
				name string
				tls  dsn.TLS
				// encrypted is wanted when the server offers TLS; "" means that no connection is wanted.
				encrypted string
				needsCA   bool
			}{
				{name: "default", encrypted: "yes"},
				{name: "preferred", tls: dsn.TLS{Mode: dsn.TLSPreferred}, encrypted: "yes"},
				{name: "disabled", tls: dsn.TLS{Mode: dsn.TLSDisabled}, encrypted: "no"},
				{name: "required", tls: dsn.TLS{Mode: dsn.TLSRequired}, encrypted: "yes"},
				{name: "verify-ca by the system's authorities", tls: dsn.TLS{Mode: dsn.TLSVerifyCA}},
				{name: "verify-ca", tls: dsn.TLS{Mode: dsn.TLSVerifyCA, CA: ca}, encrypted: "yes", needsCA: true},
				{name: "verify-identity", tls: dsn.TLS{Mode: dsn.TLSVerifyIdentity, CA: ca}, needsCA: true},
			}
			for _, test := range tests {
				if test.needsCA && ca == "" {
					continue // MariaDB makes no certificates, and a container's are out of reach
				}
				t.Run(test.name, func(t *testing.T) {
					d := d
					d.TLS = test.tls
					db, err := mysql.Open(context.Background(), d)
					insists := d.TLS.Mode != dsn.TLSDefault && d.TLS.Mode != dsn.TLSPreferred && d.TLS.Mode != dsn.TLSDisabled
					if test.encrypted == "" || insists && !offered {
						if err == nil {
							t.Fatal("connected", db.Close())
						}
						checkError(t, err, mysql.ErrTLS, "ssl-mode", d)
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = db.Close() }()
					want := offered && test.encrypted == "yes"
					if got := db.Server().TLS != ""; got != want {
						t.Errorf("encrypted is %t, want %t", got, want)
					}
					transport := db.Transport()
					if got := transport.TLS != nil; got != want || transport.Fallback {
						t.Errorf("transport has TLS %t and fallback %t", got, transport.Fallback)
					}
				})
			}
		})
	}
}

// certificateAuthority returns the authority that MySQL made for itself; "" when there is none at hand.
func certificateAuthority(t *testing.T, url string) string {
	t.Helper()
	var dir string
	if err := open(t, url).SQL().QueryRowContext(context.Background(), "SELECT @@datadir").Scan(&dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ca.pem")
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}

func TestSocket(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			if server.Socket == "" && server.Backend == "docker" {
				return // a container's socket is out of reach; the direct backend tests it
			}
			url := server.Database(t)
			// The superuser of the tests may log in from 127.0.0.1 only.
			account := "'socketuser'@'localhost'"
			server.Exec(t, url, "DROP USER IF EXISTS "+account,
				"CREATE USER "+account+" IDENTIFIED BY 'pw'", "GRANT SELECT ON *.* TO "+account)
			d := place(t, "mysql://socketuser:pw@/mysql?socket="+server.Socket)
			db, err := mysql.Open(context.Background(), d)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAccess(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			url := server.Database(t)
			d := place(t, url)
			database := mysql.QuoteIdent(d.Database)
			pattern := strings.ReplaceAll(database, "_", `\_`)
			server.Exec(t, url, "CREATE TABLE a (x int)", "CREATE TABLE b (x int, y int)", "CREATE TABLE c (x int)")
			tests := []struct {
				name   string
				grants []string
				want   mysql.Access
				tables []string
			}{
				{
					name:   "whole",
					grants: []string{"GRANT SELECT, LOCK TABLES ON " + pattern + ".* TO %s"},
					want:   mysql.Access{Whole: true, Global: []string{"USAGE"}, Database: []string{"LOCK TABLES", "SELECT"}},
					tables: []string{"a", "b", "c"},
				},
				{
					name:   "tables",
					grants: []string{"GRANT SELECT ON " + database + ".a TO %s", "GRANT SELECT (x) ON " + database + ".b TO %s"},
					want:   mysql.Access{Global: []string{"USAGE"}, Denied: []string{"b"}},
					tables: []string{"a", "b"},
				},
				{
					name:   "role",
					grants: []string{"CREATE ROLE reader", "GRANT SELECT ON " + pattern + ".* TO reader", "GRANT reader TO %s", "SET DEFAULT ROLE reader %s"},
					want:   mysql.Access{Whole: true, Global: []string{"USAGE"}, Database: []string{"SELECT"}},
					tables: []string{"a", "b", "c"},
				},
			}
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) {
					account := "'access'@'%'"
					server.Exec(t, url, "DROP USER IF EXISTS "+account, "DROP ROLE IF EXISTS reader",
						"CREATE USER "+account+" IDENTIFIED BY 'pw'")
					for _, g := range test.grants {
						preposition := ""
						if strings.HasPrefix(g, "SET DEFAULT") {
							preposition = "TO "
							if server.Engine == schema.MariaDB {
								preposition = "FOR "
							}
						}
						server.Exec(t, url, strings.ReplaceAll(g, "%s", preposition+account))
					}
					d := d
					d.User, d.Password = "access", "pw"
					db, err := mysql.Open(context.Background(), d)
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = db.Close() }()
					s, err := db.Inspect(context.Background(), mysql.InspectOptions{})
					if err != nil {
						t.Fatal(err)
					}
					got, err := db.Access(context.Background(), s)
					if err != nil {
						t.Fatal(err)
					}
					test.want.Account = "access@%"
					if diff := cmp.Diff(test.want, got); diff != "" {
						t.Errorf("access differs (-want +got):\n%s", diff)
					}
					var tables []string
					for _, table := range s.Tables {
						tables = append(tables, table.Name)
					}
					if diff := cmp.Diff(test.tables, tables); diff != "" {
						t.Errorf("tables seen differ (-want +got):\n%s", diff)
					}
				})
			}
		})
	}
}

func TestInstalledComponents(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			server := testdb.Get(t, name)
			url := server.Database(t)
			db := open(t, url)
			empty, err := db.InstalledComponents(context.Background(), "mdl_")
			if err != nil || len(empty) != 0 {
				t.Errorf("without tables: %v, %v", empty, err)
			}
			server.Exec(t, url,
				"CREATE TABLE mdl_config (id int, name varchar(255), value longtext)",
				"INSERT INTO mdl_config VALUES (1, 'version', '2024100705.00'), (2, 'release', '4.5.5')",
				"CREATE TABLE mdl_config_plugins (id int, plugin varchar(100), name varchar(100), value longtext)",
				"INSERT INTO mdl_config_plugins VALUES (1, 'mod_forum', 'version', '2024100700'), (2, 'mod_forum', 'x', '1'), (3, 'block_new', 'version', '2')",
				"CREATE TABLE mdl_modules (id int, name varchar(20), version bigint, visible int)",
				"INSERT INTO mdl_modules VALUES (1, 'forum', 5, 1), (2, 'chat', 6, 1)",
				"CREATE TABLE mdl_block (id int, name varchar(40))", // without version, as since Moodle 2.6
			)
			got, err := db.InstalledComponents(context.Background(), "mdl_")
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"core": "2024100705.00", "mod_forum": "2024100700", "block_new": "2", "mod_chat": "6"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("components differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInspectUnknownDatabase(t *testing.T) {
	db := open(t, testdb.Get(t, testdb.Sources()[0]).Database(t))
	_, err := db.Inspect(context.Background(), mysql.InspectOptions{Database: "moodledb_none"})
	if !errors.Is(err, mysql.ErrNoDatabase) || !strings.Contains(err.Error(), "moodledb_none") {
		t.Errorf("error is %v", err)
	}
}

// TestOpenWithoutLimit: a server that limits the rows of every query, such as one made for people who
// type, limits neither the catalogs nor what is read.
func TestOpenWithoutLimit(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		s.Exec(t, url, "CREATE TABLE a (x INT, y INT)", "CREATE TABLE b (x INT, y INT)", "CREATE TABLE c (x INT, y INT)")
		defer s.Exec(t, url, "SET GLOBAL sql_select_limit = DEFAULT, GLOBAL sql_big_selects = DEFAULT")
		s.Exec(t, url, "SET GLOBAL sql_select_limit = 2, GLOBAL sql_big_selects = 0")
		got, err := openDB(t, url).Inspect(t.Context(), mysql.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Tables) != 3 || len(got.Tables[2].Columns) != 2 {
			t.Errorf("of three tables with two columns each %+v are seen", got.Tables)
		}
	})
}
