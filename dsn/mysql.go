package dsn

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/ini.v1"

	"github.com/moodledb/moodledb/schema"
)

// completeMySQL fills what the place left open from the environment and from
// ~/.my.cnf, then checks that what a connection needs is there.
func completeMySQL(d *DSN, opts Options) error {
	cnf, err := readMyCnf(opts.Home, d.Engine)
	if err != nil {
		return err
	}
	if d.User == "" {
		d.User = cnf.get("user")
	}
	if d.User == "" {
		return errors.New("no user: write it before the host, as in mysql://USER@host/database, or put user=… under [client] in ~/.my.cnf")
	}
	if d.Password == "" {
		if p := opts.Getenv("MYSQL_PWD"); p != "" {
			d.Password, d.PasswordFrom = Secret(p), "the environment variable MYSQL_PWD"
		} else if p := cnf.get("password"); p != "" {
			d.Password, d.PasswordFrom = Secret(p), cnf.file
		}
	}
	if d.Host == "" && d.Socket == "" {
		if err := completeServer(d, cnf, opts); err != nil {
			return err
		}
	}
	if d.Host != "" && d.Port == 0 {
		d.Port = defaultMySQLPort
	}
	return completeTLS(&d.TLS, cnf)
}

// completeServer finds the server for a place that names none: what ~/.my.cnf
// says, then MYSQL_HOST, then the local one.
func completeServer(d *DSN, cnf myCnf, opts Options) error {
	host := cnf.get("host")
	if host == "" {
		host = opts.Getenv("MYSQL_HOST")
	}
	port := cnf.get("port")
	if port == "" {
		port = opts.Getenv("MYSQL_TCP_PORT")
	}
	if d.Port == 0 && port != "" {
		n, err := parsePort(port)
		if err != nil {
			return err
		}
		d.Port = n
	}
	// MySQL's clients speak to "localhost" through the socket, and to nothing else.
	if host == "" || host == "localhost" {
		d.Socket = cnf.get("socket")
		if d.Socket == "" {
			d.Socket = opts.Getenv("MYSQL_UNIX_PORT")
		}
		if d.Socket == "" && d.Port == 0 {
			d.Socket = localSocket()
		}
		if d.Socket != "" {
			d.Port = 0
			return nil
		}
		host = "localhost"
	}
	d.Host = host
	return nil
}

// localSocket returns the socket of the local server where the packages of the
// known systems put it, or "" when there is none.
func localSocket() string {
	for _, path := range []string{
		"/run/mysqld/mysqld.sock",     // Debian, Ubuntu, Alpine
		"/var/run/mysqld/mysqld.sock", // the same where /run is another directory
		"/var/lib/mysql/mysql.sock",   // Red Hat, SUSE
		"/tmp/mysql.sock",             // macOS, the server's own default
	} {
		if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
			return path
		}
	}
	return ""
}

// completeTLS fills open TLS settings from ~/.my.cnf and settles the mode as
// MySQL's clients do: authorities that are named are there to be used.
func completeTLS(t *TLS, cnf myCnf) error {
	if t.Mode == "" && t.CA == "" {
		mode, err := cnf.tlsMode()
		if err != nil {
			return err
		}
		t.Mode = mode
	}
	if t.CA == "" {
		t.CA = cnf.get("ssl-ca")
	}
	if t.Cert == "" && t.Key == "" {
		t.Cert, t.Key = cnf.get("ssl-cert"), cnf.get("ssl-key")
	}
	if (t.Cert == "") != (t.Key == "") {
		return errors.New("ssl-cert and ssl-key belong together: only one of them is given")
	}
	if t.Mode == "" && t.CA != "" {
		t.Mode = TLSVerifyCA
	}
	return nil
}

// myCnf is what ~/.my.cnf says to a client program; the zero value says nothing.
type myCnf struct {
	file   string
	values map[string]string
}

// get returns a value by its name with hyphens.
func (c myCnf) get(name string) string { return c.values[name] }

// tlsMode reads MySQL's ssl-mode, and MariaDB's ssl and ssl-verify-server-cert.
func (c myCnf) tlsMode() (TLSMode, error) {
	if text := c.get("ssl-mode"); text != "" {
		mode, err := ParseTLSMode(text)
		if err != nil {
			return "", fmt.Errorf("%s: %w", c.file, err)
		}
		return mode, nil
	}
	if on, known := c.flag("ssl-verify-server-cert"); known && on {
		return TLSVerifyIdentity, nil
	}
	on, known := c.flag("ssl")
	switch {
	case known && !on:
		return TLSDisabled, nil
	case known:
		return TLSRequired, nil
	default:
		return TLSDefault, nil
	}
}

// flag reads a boolean option, which may stand without a value, and its "skip-" form.
func (c myCnf) flag(name string) (on, known bool) {
	if _, ok := c.values["skip-"+name]; ok {
		return false, true
	}
	text, ok := c.values[name]
	if !ok {
		return false, false
	}
	switch strings.ToLower(text) {
	case "0", "off", "false", "no":
		return false, true
	default:
		return true, true
	}
}

// myCnfGroups are the groups that the command-line client of engine reads, the last one wins.
func myCnfGroups(engine schema.Engine) []string {
	if engine == schema.MariaDB {
		return []string{"client", "client-mariadb", "mysql", "mariadb-client", "mariadb"}
	}
	return []string{"client", "mysql"}
}

// readMyCnf reads ~/.my.cnf. A missing file says nothing; one that cannot be
// read is an error, since what it should say would be silently ignored.
func readMyCnf(home string, engine schema.Engine) (myCnf, error) {
	c := myCnf{values: map[string]string{}}
	if home == "" {
		return c, nil
	}
	c.file = filepath.Join(home, ".my.cnf")
	src, err := os.ReadFile(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		return myCnf{}, nil
	}
	if err != nil {
		return myCnf{}, err
	}
	if err := c.parse(src, engine); err != nil {
		return myCnf{}, err
	}
	return c, nil
}

// parse reads the groups of an option file into c.values.
func (c *myCnf) parse(src []byte, engine schema.Engine) error {
	file, err := ini.LoadSources(ini.LoadOptions{
		AllowBooleanKeys:           true, // options may stand without a value
		IgnoreInlineComment:        true, // "#" may be part of a password
		IgnoreContinuation:         true, // a trailing backslash is no continuation
		SkipUnrecognizableLines:    true, // !include and !includedir
		UnescapeValueDoubleQuotes:  false,
		PreserveSurroundedQuote:    true, // quotes are taken off below, as MySQL does it
		AllowNonUniqueSections:     false,
		SpaceBeforeInlineComment:   false,
		AllowPythonMultilineValues: false,
	}, src)
	if err != nil {
		// The error of the ini package quotes the line, and the line may hold the password.
		return fmt.Errorf("%s: not an option file of MySQL: each line must be [group], key=value, key, or a comment", c.file)
	}
	for _, group := range myCnfGroups(engine) {
		section, err := file.GetSection(group)
		if err != nil {
			continue // the group is not there
		}
		for _, key := range section.Keys() {
			name := strings.ReplaceAll(strings.TrimPrefix(key.Name(), "loose-"), "_", "-")
			c.values[name] = unquoteOption(key.Value())
		}
	}
	return nil
}

// unquoteOption takes off one pair of surrounding quotes and decodes the escapes that option files know.
func unquoteOption(text string) string {
	text = strings.TrimSpace(text)
	if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		text = text[1 : n-1]
	}
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch text[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'b':
			b.WriteByte('\b')
		case 's':
			b.WriteByte(' ')
		case '\\', '"', '\'':
			b.WriteByte(text[i])
		default:
			b.WriteByte('\\')
			b.WriteByte(text[i])
		}
	}
	return b.String()
}
