package dsn_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/schema"
)

// secret is the password of all tests; nothing printed may contain it.
const secret = "s3cr-et"

// env makes a getenv of a map.
func env(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

// plain is a DSN with its methods taken away, for comparing.
type plain struct {
	Engine                             schema.Engine
	Host                               string
	Port                               int
	Socket, User, Database, Pass, From string
	Prefix                             string
	HasPrefix                          bool
	Schema                             string
	TLS                                dsn.TLS
	Params                             map[string]string
}

func strip(d dsn.DSN) plain {
	return plain{
		d.Engine, d.Host, d.Port, d.Socket, d.User, d.Database, d.Password.Reveal(), d.PasswordFrom,
		d.Prefix, d.HasPrefix, d.Schema, d.TLS, d.Params,
	}
}

func TestParseURL(t *testing.T) {
	tests := []struct {
		url    string
		vars   map[string]string
		want   plain
		string string
	}{
		{
			url:    "mysql://moodle:s3cr-et@db.example:3307/moodle",
			want:   plain{Engine: schema.MySQL, Host: "db.example", Port: 3307, User: "moodle", Database: "moodle", Pass: secret, From: "the URL"},
			string: "mysql://moodle@db.example:3307/moodle",
		},
		{
			url:    "MariaDB://a%40b:p%2F%3a%3F@e:x@[fe80::1]/my%2Fdb%20",
			want:   plain{Engine: schema.MariaDB, Host: "fe80::1", Port: 3306, User: "a@b", Database: "my/db ", Pass: "p/:?@e:x", From: "the URL"},
			string: "mariadb://a%40b@[fe80::1]:3306/my%2Fdb%20",
		},
		{
			url:    "mysql://u:p#w@h/d",
			want:   plain{Engine: schema.MySQL, Host: "h", Port: 3306, User: "u", Database: "d", Pass: "p#w", From: "the URL"},
			string: "mysql://u@h:3306/d",
		},
		{
			url:    "mysql://u@/d?socket=/run/my.sock&ssl-mode=VERIFY_CA&ssl-ca=/a/b%20c.pem&ssl_cert=c&ssl_key=k&ssl-server-name=n",
			want:   plain{Engine: schema.MySQL, Socket: "/run/my.sock", User: "u", Database: "d", TLS: dsn.TLS{Mode: dsn.TLSVerifyCA, CA: "/a/b c.pem", Cert: "c", Key: "k", ServerName: "n"}},
			string: "mysql://u@/d?socket=/run/my.sock&ssl-ca=/a/b%20c.pem&ssl-cert=c&ssl-key=k&ssl-mode=verify-ca&ssl-server-name=n",
		},
		{
			url:    "mysql://u@%2Frun%2Fmy.sock/d?tls=skip-verify",
			want:   plain{Engine: schema.MySQL, Socket: "/run/my.sock", User: "u", Database: "d", TLS: dsn.TLS{Mode: dsn.TLSRequired}},
			string: "mysql://u@/d?socket=/run/my.sock&ssl-mode=required",
		},
		{
			url:    "mysql://u@h/d?ssl-ca=ca.pem",
			want:   plain{Engine: schema.MySQL, Host: "h", Port: 3306, User: "u", Database: "d", TLS: dsn.TLS{Mode: dsn.TLSVerifyCA, CA: "ca.pem"}},
			string: "mysql://u@h:3306/d?ssl-ca=ca.pem&ssl-mode=verify-ca",
		},
		{
			url:    "mysql://u@h",
			vars:   map[string]string{"MYSQL_PWD": secret, "MYSQL_HOST": "other"},
			want:   plain{Engine: schema.MySQL, Host: "h", Port: 3306, User: "u", Pass: secret, From: "the environment variable MYSQL_PWD"},
			string: "mysql://u@h:3306/",
		},
		{
			url:    "mysql://u@/d",
			vars:   map[string]string{"MYSQL_HOST": "other", "MYSQL_TCP_PORT": "3310"},
			want:   plain{Engine: schema.MySQL, Host: "other", Port: 3310, User: "u", Database: "d"},
			string: "mysql://u@other:3310/d",
		},
		{
			url:    "mysql://u:inurl@h/d",
			vars:   map[string]string{"MYSQL_PWD": "x", "MOODLEDB_FROM_PASSWORD": secret},
			want:   plain{Engine: schema.MySQL, Host: "h", Port: 3306, User: "u", Database: "d", Pass: secret, From: "the environment variable MOODLEDB_FROM_PASSWORD"},
			string: "mysql://u@h:3306/d",
		},
		{
			url:  "postgres://u:s3cr-et@h:5433/d?sslmode=verify-full&sslrootcert=/ca.pem&schema=lms&application_name=a%20b&sslpassword=s3cr-et",
			want: plain{Engine: schema.Postgres, Host: "h", Port: 5433, User: "u", Database: "d", Pass: secret, From: "the URL", Schema: "lms", TLS: dsn.TLS{KeyPassword: secret}, Params: map[string]string{"sslmode": "verify-full", "sslrootcert": "/ca.pem", "application_name": "a b"}},

			string: "postgres://u@h:5433/d?application_name=a%20b&schema=lms&sslmode=verify-full&sslrootcert=/ca.pem",
		},
		{
			url:    "postgresql:///d?host=/var/run/postgresql&port=5434&user=u&password=s3cr-et",
			want:   plain{Engine: schema.Postgres, Port: 5434, Socket: "/var/run/postgresql", User: "u", Database: "d", Pass: secret, From: "the URL"},
			string: "postgres://u@/d?host=/var/run/postgresql&port=5434",
		},
		{
			url:    "postgres://",
			vars:   map[string]string{"PGPASSWORD": "x", "PGHOST": "y", "MYSQL_PWD": "z"},
			want:   plain{Engine: schema.Postgres},
			string: "postgres:///",
		},
		{
			url:    "postgres://h?dbname=a/b",
			want:   plain{Engine: schema.Postgres, Host: "h", Database: "a/b"},
			string: "postgres://h/a%2Fb",
		},
	}
	for _, test := range tests {
		t.Run(test.url, func(t *testing.T) {
			opts := dsn.Options{Getenv: env(test.vars), Home: t.TempDir(), PasswordEnv: "MOODLEDB_FROM_PASSWORD"}
			got, err := dsn.Parse(test.url, opts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, strip(got)); diff != "" {
				t.Errorf("DSN differs (-want +got):\n%s", diff)
			}
			if got.String() != test.string {
				t.Errorf("String is %s, want %s", got, test.string)
			}
			again, err := dsn.Parse(got.String(), dsn.Options{Getenv: env(nil), Home: t.TempDir()})
			if err != nil {
				t.Fatalf("String is not accepted again: %v", err)
			}
			want := strip(got)
			want.Pass, want.From, want.TLS.KeyPassword = "", "", ""
			if diff := cmp.Diff(want, strip(again)); diff != "" {
				t.Errorf("DSN read from String differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name, place, want string
	}{
		{"scheme", "oracle://u:s3cr-et@h/d", `unknown scheme "oracle"`},
		{"Moodle's word for PostgreSQL", "pgsql://u:s3cr-et@h/d", "write postgres://"},
		{"slash in the password", "mysql://u:a/s3cr-et@h/d", "write \"/\" as %2F"},
		{"question mark in the password", "mysql://u:a?s3cr-et@h/d", "\"?\" as %3F"},
		{"percent in the password", "mysql://u:s3cr-et%zz@h/d", "a \"%\" in the password"},
		{"port", "mysql://u:s3cr-et@h:99999/d", `port "99999"`},
		{"no host", "mysql://u:s3cr-et/d", "is no port number"},
		{"no host, colons in the password", "mysql://u:a:s3cr-et/d", "several colons"},
		{"no host, slashes in the password", "mysql://u/s3cr-et/d", "contains a slash"},
		{"IPv6 without brackets", "mysql://u:s3cr-et@fe80::1/d", "brackets"},
		{"IPv6 with an open bracket", "mysql://u:s3cr-et@[::1/d", `"[" without "]"`},
		{"after the bracket", "mysql://u:s3cr-et@[::1]x/d", "only a colon and a port"},
		{"several hosts", "postgres://u:s3cr-et@a,b/d", "several hosts"},
		{"unknown parameter", "mysql://u:s3cr-et@h/d?sslmode=s3cr-et", `unknown parameter "sslmode": known are socket, ssl-mode`},
		{"parameter given twice", "mysql://u:s3cr-et@h/d?tls=true&tls=false", `"tls" is given twice`},
		{"ssl-mode", "mysql://u:s3cr-et@h/d?ssl-mode=on", `ssl-mode "on" is none of disabled`},
		{"tls", "mysql://u:s3cr-et@h/d?tls=on", `tls "on" is none of true`},
		{"ssl-mode against tls", "mysql://u:s3cr-et@h/d?tls=true&ssl-mode=disabled", "give one of them"},
		{"certificate without key", "mysql://u:s3cr-et@h/d?ssl-cert=x", "belong together"},
		{"host and socket", "mysql://u:s3cr-et@h/d?socket=/x", "both a host and a socket"},
		{"relative socket", "mysql://u:s3cr-et@/d?socket=x", "not an absolute path"},
		{"no user", "mysql://h/d", "no user"},
		{"two slashes", "mysql://u:s3cr-et@h/d/e", "contains a slash"},
		{"name of a parameter", "postgres://u:s3cr-et@h/d?a%20b=1", "no name of a connection parameter"},
		{"a DSN of another program", "u:s3cr-et@tcp(h:3306)/d", "neither a database URL nor a file"},
		{"libpq's keywords", "host=h password=s3cr-et", "neither a database URL nor a file"},
		{"no such file", "/nowhere/config.php", "/nowhere/config.php: no such file"},
		{"nothing", "", "no database given"},
		{"NUL", "mysql://u:s3cr-et%00@h/d", "NUL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := dsn.Parse(test.place, dsn.Options{Getenv: env(nil), Home: t.TempDir()})
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %q, want %q in it", err, test.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("error shows the password: %v", err)
			}
		})
	}
}

func TestParseConfig(t *testing.T) {
	const head = "<?php\n$CFG->dbname = 'm'; $CFG->dbuser = 'u'; $CFG->dbpass = 's3cr-et'; $CFG->prefix = 'mdl_';\n"
	tests := []struct {
		name, src string
		want      plain
	}{
		{
			name: "host and port",
			src:  `$CFG->dbtype = 'mysqli'; $CFG->dbhost = 'h'; $CFG->dboptions = ['dbport' => '3310', 'ssl' => 'verify-full'];`,
			want: plain{Engine: schema.MySQL, Host: "h", Port: 3310, TLS: dsn.TLS{Mode: dsn.TLSVerifyIdentity}},
		},
		{
			name: "port within the host",
			src:  `$CFG->dbtype = 'mariadb'; $CFG->dbhost = '127.0.0.1:3311';`,
			want: plain{Engine: schema.MariaDB, Host: "127.0.0.1", Port: 3311},
		},
		{
			name: "IPv6",
			src:  `$CFG->dbtype = 'auroramysql'; $CFG->dbhost = 'fe80::1';`,
			want: plain{Engine: schema.MySQL, Host: "fe80::1", Port: 3306},
		},
		{
			name: "socket",
			src:  `$CFG->dbtype = 'mariadb'; $CFG->dbhost = 'localhost'; $CFG->dboptions = ['dbsocket' => '/x/y.sock', 'dbport' => 3306];`,
			want: plain{Engine: schema.MariaDB, Socket: "/x/y.sock"},
		},
		{
			name: "localhost with a port",
			src:  `$CFG->dbtype = 'mariadb'; $CFG->dbhost = 'localhost'; $CFG->dboptions = ['dbport' => 3316];`,
			want: plain{Engine: schema.MariaDB, Host: "localhost", Port: 3316},
		},
		{
			name: "PostgreSQL with schema",
			src:  `$CFG->dbtype = 'pgsql'; $CFG->dbhost = 'h'; $CFG->dboptions = ['dbschema' => 'lms', 'ssl' => 'require'];`,
			want: plain{Engine: schema.Postgres, Host: "h", Schema: "lms", Params: map[string]string{"sslmode": "require"}},
		},
		{
			name: "PostgreSQL through its default socket",
			src:  `$CFG->dbtype = 'pgsql'; $CFG->dbhost = 'localhost'; $CFG->dboptions = ['dbsocket' => true, 'dbport' => 5433];`,
			want: plain{Engine: schema.Postgres, Port: 5433},
		},
		{
			name: "PostgreSQL through a socket",
			src:  `$CFG->dbtype = 'pgsql'; $CFG->dbhost = '127.0.0.1'; $CFG->dboptions = ['dbsocket' => '/tmp'];`,
			want: plain{Engine: schema.Postgres, Socket: "/tmp"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "config.php")
			write(t, file, head+test.src)
			test.want.User, test.want.Database, test.want.Pass, test.want.From = "u", "m", secret, file
			test.want.Prefix, test.want.HasPrefix = "mdl_", true
			for _, place := range []string{file, dir} {
				got, err := dsn.Parse(place, dsn.Options{Getenv: env(nil), Home: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, strip(got)); diff != "" {
					t.Errorf("DSN differs (-want +got):\n%s", diff)
				}
				if got.File != file {
					t.Errorf("File is %s, want %s", got.File, file)
				}
			}
		})
	}
	t.Run("errors name file and line", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "config.php")
		write(t, file, head+"$CFG->dbtype = f();")
		_, err := dsn.Parse(file, dsn.Options{Getenv: env(nil), Home: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), "config.php:3: $CFG->dbtype") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("a file that is no PHP", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "dump.sql")
		write(t, file, "CREATE TABLE x")
		_, err := dsn.Parse(file, dsn.Options{Getenv: env(nil), Home: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), "holds no PHP") {
			t.Errorf("error is %v", err)
		}
	})
}

func TestMyCnf(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "extra.cnf"), "[client]\nport = 3399\n")
	tests := []struct {
		name, url, cnf string
		want           plain
		err            string
	}{
		{
			name: "user, password and server",
			url:  "mysql:///d",
			cnf:  "# x\n[mysqld]\nuser=no\n[client]\nuser = me\npassword=\"a#b \\\"c\\\\\"\nhost=h # there\nport=3308\nssl_mode=REQUIRED\n",
			want: plain{Engine: schema.MySQL, Host: "h", Port: 3308, User: "me", Database: "d", Pass: `a#b "c\`, TLS: dsn.TLS{Mode: dsn.TLSRequired}},
		},
		{
			name: "the URL wins",
			url:  "mysql://u@o/d?tls=false",
			cnf:  "[client]\nuser=me\npassword='x'\nhost=h\nport=3308\nssl-mode=REQUIRED\n[other]\npassword=no",
			want: plain{Engine: schema.MySQL, Host: "o", Port: 3306, User: "u", Database: "d", Pass: "x", TLS: dsn.TLS{Mode: dsn.TLSDisabled}},
		},
		{
			name: "socket, and a password that is only asked for",
			url:  "mariadb:///",
			cnf:  "[client]\nuser=me\npassword\nsocket=/s\n[mariadb]\nskip-ssl\n",
			want: plain{Engine: schema.MariaDB, Socket: "/s", User: "me", TLS: dsn.TLS{Mode: dsn.TLSDisabled}},
		},
		{
			name: "MariaDB's words for TLS, included files",
			url:  "mariadb:///",
			cnf:  "[client]\nuser=me\nhost=h\nssl-verify-server-cert\nssl-ca=/ca.pem\n!include " + dir + "/extra.cnf\n!includedir " + dir + "/none\n",
			want: plain{Engine: schema.MariaDB, Host: "h", Port: 3399, User: "me", TLS: dsn.TLS{Mode: dsn.TLSVerifyIdentity, CA: "/ca.pem"}},
		},
		{name: "broken group", url: "mysql:///", cnf: "[client\n", err: ".my.cnf:1: group"},
		{name: "unknown directive", url: "mysql:///", cnf: "[client]\n!frob x\n", err: `.my.cnf:2: unknown directive "!frob"`},
		{name: "bad mode", url: "mysql:///", cnf: "[client]\nuser=u\nssl-mode=x\n", err: `ssl-mode "x"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			home := t.TempDir()
			write(t, filepath.Join(home, ".my.cnf"), test.cnf)
			got, err := dsn.Parse(test.url, dsn.Options{Getenv: env(nil), Home: home})
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error is %v, want %q in it", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if test.want.Pass != "" {
				test.want.From = filepath.Join(home, ".my.cnf")
			}
			if diff := cmp.Diff(test.want, strip(got)); diff != "" {
				t.Errorf("DSN differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingPrintsThePassword(t *testing.T) {
	d, err := dsn.Parse("postgres://u:s3cr-et@h/d?sslpassword=s3cr-et", dsn.Options{Getenv: env(nil), Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	values := []any{d, &d, d.Password, d.TLS, []dsn.DSN{d}, struct{ D dsn.DSN }{d}}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, secret) {
				t.Errorf("%s of %T shows the password: %s", verb, v, text)
			}
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("JSON of %T shows the password: %s", v, text)
		}
		var buf bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
			slog.New(h).Info("x", "v", v)
		}
		if strings.Contains(buf.String(), secret) {
			t.Errorf("the log of %T shows the password: %s", v, buf.String())
		}
	}
}

func TestWithDatabase(t *testing.T) {
	d, err := dsn.Parse("postgres://u@h/d?sslmode=require", dsn.Options{Getenv: env(nil), Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	other := d.WithDatabase("e")
	other.Params["sslmode"] = "disable"
	if d.Database != "d" || d.Params["sslmode"] != "require" || other.Database != "e" {
		t.Errorf("got %v of %v", other, d)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("mysql://u:%41@[::1]:3306/d?ssl-mode=required")
	f.Add("postgres://u:s3cr-et@h/d?host=/x&port=1&a.b=c")
	f.Add("mysql://a:b@c:d@%2Fx/%2F?socket=/")
	f.Fuzz(func(t *testing.T, place string) {
		if !strings.Contains(place, "://") {
			return // would read a file
		}
		d, err := dsn.Parse(place, dsn.Options{Getenv: env(nil), Home: "/nonexistent"})
		if err != nil {
			return
		}
		again, err := dsn.Parse(d.String(), dsn.Options{Getenv: env(nil), Home: "/nonexistent"})
		if err != nil {
			t.Fatalf("%q gives %s, which is not accepted: %v", place, d, err)
		}
		if again.String() != d.String() {
			t.Errorf("%q gives %s, then %s", place, d, again)
		}
	})
}

func ExampleParse() {
	d, err := dsn.Parse("mariadb://moodle:secret@db.example.org/moodle", dsn.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d, d.Password)
	// Output: mariadb://moodle@db.example.org:3306/moodle xxxxx
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
