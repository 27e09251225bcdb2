// Package dsn reads the place of a database - a URL or the path of a Moodle
// config.php - into a struct.
//
// It opens no connection and asks no question: what the place leaves open is
// looked up in the environment and in ~/.my.cnf, and what is still open then
// stays empty, for PostgreSQL's own driver to fill as libpq would. No error,
// string, log record or JSON made by this package contains a password.
package dsn

import (
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// DSN is the place of one database and how to reach it.
type DSN struct {
	// Engine is what the place claims the server to be. MySQL and MariaDB speak
	// the same protocol; which of them answers is known once connected.
	Engine schema.Engine
	// Host is a name or an IP address (IPv6 without brackets); empty when Socket is set.
	// For PostgreSQL it may be empty without Socket: PGHOST or libpq's default then.
	Host string
	// Port is the TCP port. For MySQL and MariaDB it is always set when Host
	// is; for PostgreSQL 0 means PGPORT or libpq's default.
	Port int
	// Socket is the path of the Unix socket (MySQL, MariaDB) or of the directory that holds it (PostgreSQL).
	Socket string
	// User is never empty for MySQL and MariaDB; for PostgreSQL empty means PGUSER or the login name.
	User     string
	Database string
	Password Secret
	// PasswordFrom says in plain words where Password comes from, such as
	// "the environment variable MYSQL_PWD"; empty when there is none.
	PasswordFrom string
	// Prefix is the prefix of table names. Only a config.php tells it: HasPrefix then.
	Prefix    string
	HasPrefix bool
	// Schema is the PostgreSQL schema of the site: dboptions' dbschema, or "schema" in a URL.
	Schema string
	// TLS holds MySQL's and MariaDB's TLS settings, and for PostgreSQL only
	// KeyPassword; PostgreSQL's other settings stay in Params under libpq's names.
	TLS TLS
	// Params are libpq's connection parameters, as given. PostgreSQL only.
	Params map[string]string
	// File is the config.php that this was read from; empty for a URL.
	File string
}

// TLSMode says whether a connection to MySQL or MariaDB is encrypted, and what
// of the server's certificate is checked. The modes are those of --ssl-mode of
// MySQL's own clients.
type TLSMode string

// The TLS modes.
const (
	// TLSDefault is what MySQL's clients do when nothing is said: TLSPreferred.
	TLSDefault TLSMode = ""
	// TLSDisabled never encrypts.
	TLSDisabled TLSMode = "disabled"
	// TLSPreferred encrypts when the server can, and checks no certificate.
	TLSPreferred TLSMode = "preferred"
	// TLSRequired encrypts or does not connect; it checks no certificate.
	TLSRequired TLSMode = "required"
	// TLSVerifyCA also checks that a trusted authority signed the certificate.
	TLSVerifyCA TLSMode = "verify-ca"
	// TLSVerifyIdentity also checks that the certificate names the host.
	TLSVerifyIdentity TLSMode = "verify-identity"
)

// TLS holds the TLS settings of a connection. The files are PEM files; that
// they exist is checked when the connection is opened.
type TLS struct {
	Mode TLSMode
	// CA is a file of trusted authorities; empty means the system's.
	CA string
	// Cert and Key are the client's own certificate and its key, both or none.
	Cert, Key string
	// KeyPassword opens an encrypted client key. PostgreSQL only (sslpassword).
	KeyPassword Secret
	// ServerName is the name that the certificate must have; empty means the host.
	ServerName string
}

// Options tells Parse where to look. The zero value means the real environment.
type Options struct {
	// Getenv looks up an environment variable; nil means os.Getenv.
	Getenv func(string) string
	// Home is the directory of .my.cnf; empty means the user's home directory.
	Home string
	// PasswordEnv names an environment variable whose value, when not empty, wins over every other password.
	PasswordEnv string
}

// withDefaults fills what the caller left open.
func (o Options) withDefaults() Options {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Home == "" {
		// Without a home directory there is no .my.cnf to read; nothing is lost.
		o.Home, _ = os.UserHomeDir()
	}
	return o
}

// Parse reads place, which is a URL (mysql, mariadb, postgres or postgresql) or
// the path of a Moodle config.php, or of the directory that holds one.
//
// The password is, in this order: the variable named by Options.PasswordEnv,
// the one in the URL or config.php, MYSQL_PWD, the one in ~/.my.cnf. For
// PostgreSQL it stays empty after the first two: the driver itself reads
// PGPASSWORD and ~/.pgpass.
func Parse(place string, opts Options) (DSN, error) {
	opts = opts.withDefaults()
	var d DSN
	var err error
	if scheme, rest, ok := cutScheme(place); ok {
		d, err = parseURL(scheme, rest)
	} else {
		d, err = parseConfig(place, opts)
	}
	if err != nil {
		return DSN{}, err
	}
	if opts.PasswordEnv != "" {
		if p := opts.Getenv(opts.PasswordEnv); p != "" {
			d.Password, d.PasswordFrom = Secret(p), "the environment variable "+opts.PasswordEnv
		}
	}
	if d.Engine.IsMySQL() {
		if err := completeMySQL(&d, opts); err != nil {
			return DSN{}, fmt.Errorf("%s: %w", d, err)
		}
	}
	return d, nil
}

// cutScheme splits "scheme://rest". What is no scheme by its letters is a path.
func cutScheme(place string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(place, "://")
	if !ok || scheme == "" {
		return "", "", false
	}
	for _, c := range scheme {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.", c) {
			return "", "", false
		}
	}
	return strings.ToLower(scheme), rest, true
}

// WithDatabase returns a copy of d that points to another database of the same server.
func (d DSN) WithDatabase(name string) DSN {
	d.Database = name
	d.Params = maps.Clone(d.Params)
	return d
}

// Address is the server in the words of a message: "host:port", the path of a
// socket, or "the default server" where only libpq knows.
func (d DSN) Address() string {
	switch {
	case d.Socket != "":
		return d.Socket
	case d.Host == "":
		return "the default server"
	case d.Port == 0:
		return d.Host
	default:
		return net.JoinHostPort(d.Host, strconv.Itoa(d.Port))
	}
}

// String returns d as a URL without its password. Parse accepts it again.
func (d DSN) String() string {
	var b strings.Builder
	b.WriteString(string(d.Engine) + "://")
	if d.User != "" {
		b.WriteString(strings.ReplaceAll(escape(d.User), ":", "%3A") + "@")
	}
	if d.Host != "" {
		if strings.Contains(d.Host, ":") {
			b.WriteString("[" + escape(d.Host) + "]")
		} else {
			b.WriteString(escape(d.Host))
		}
		if d.Port != 0 {
			b.WriteString(":" + strconv.Itoa(d.Port))
		}
	}
	b.WriteString("/" + escape(d.Database))
	params := d.params()
	for i, k := range sortedKeys(params) {
		separator := "&"
		if i == 0 {
			separator = "?"
		}
		// A slash needs no escape in a query, and paths stay readable without.
		b.WriteString(separator + escape(k) + "=" + strings.ReplaceAll(escape(params[k]), "%2F", "/"))
	}
	return b.String()
}

// escape percent-encodes all but letters, digits and a few marks that mean nothing in a URL.
func escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~:", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// params collects everything that a URL says in its query, but for secrets.
func (d DSN) params() map[string]string {
	params := map[string]string{}
	for k, v := range d.Params {
		params[k] = v
	}
	set := func(k, v string) {
		if v != "" {
			params[k] = v
		}
	}
	if d.Engine.IsMySQL() {
		set("socket", d.Socket)
		set("ssl-mode", string(d.TLS.Mode))
		set("ssl-ca", d.TLS.CA)
		set("ssl-cert", d.TLS.Cert)
		set("ssl-key", d.TLS.Key)
		set("ssl-server-name", d.TLS.ServerName)
		return params
	}
	set("host", d.Socket)
	if d.Host == "" && d.Port != 0 {
		set("port", strconv.Itoa(d.Port))
	}
	set("schema", d.Schema)
	return params
}

// GoString hides the password from the verb %#v.
func (d DSN) GoString() string { return fmt.Sprintf("dsn.DSN(%q)", d.String()) }

// LogValue hides the password from log/slog.
func (d DSN) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText hides the password from encoding/json and its like.
func (d DSN) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// sortedKeys returns the keys of m in order.
func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
