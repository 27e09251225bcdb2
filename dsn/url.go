package dsn

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// defaultMySQLPort is the port of MySQL and MariaDB.
const defaultMySQLPort = 3306

// parseURL reads what follows "scheme://". net/url.Parse is not used because
// its errors quote the whole URL, password included, and because a database
// URL has no fragment: "#" is an ordinary character here.
func parseURL(scheme, rest string) (DSN, error) {
	var d DSN
	switch scheme {
	case "mysql":
		d.Engine = schema.MySQL
	case "mariadb":
		d.Engine = schema.MariaDB
	case "postgres", "postgresql":
		d.Engine = schema.Postgres
	case "pgsql":
		return DSN{}, errors.New(`unknown scheme "pgsql" in the database URL: write postgres:// instead`)
	default:
		return DSN{}, fmt.Errorf("unknown scheme %q in the database URL: use mysql://, mariadb:// or postgres://, or the path of a config.php", scheme)
	}
	fail := func(err error) (DSN, error) { return DSN{}, fmt.Errorf("%s URL: %w", scheme, err) }

	authority, path, query := splitURL(rest)
	if strings.Contains(path+query, "@") {
		// Most likely a part of the password landed there: nothing of it may be shown.
		return fail(errors.New(`"@" follows a "/" or "?": inside user name and password write "/" as %2F and "?" as %3F; elsewhere write "@" as %40`))
	}
	if err := parseUserinfo(&d, &authority); err != nil {
		return fail(err)
	}
	if err := parseHost(&d, authority); err != nil {
		return fail(err)
	}
	database, err := unescape(path, "the database name")
	if err != nil {
		return fail(err)
	}
	d.Database = database
	if strings.Contains(path, "/") {
		return fail(errors.New("the database name contains a slash: write it as %2F when it is part of the name"))
	}
	params, err := parseQuery(query)
	if err != nil {
		return fail(err)
	}
	if d.Engine.IsMySQL() {
		err = applyMySQLParams(&d, params)
	} else {
		err = applyPostgresParams(&d, params)
	}
	if err != nil {
		return fail(err)
	}
	return d, nil
}

// splitURL cuts authority, path without its leading slash, and query.
func splitURL(rest string) (authority, path, query string) {
	authority = rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	path, query, _ = strings.Cut(path, "?")
	return authority, strings.TrimPrefix(path, "/"), query
}

// parseUserinfo cuts "user:password@" from the authority. The last "@" counts,
// so that a password may hold one.
func parseUserinfo(d *DSN, authority *string) error {
	i := strings.LastIndex(*authority, "@")
	if i < 0 {
		return nil
	}
	user, password, _ := strings.Cut((*authority)[:i], ":")
	*authority = (*authority)[i+1:]
	var err error
	if d.User, err = unescape(user, "the user name"); err != nil {
		return err
	}
	password, err = unescape(password, "the password")
	if err != nil {
		return err
	}
	if password != "" {
		d.Password, d.PasswordFrom = Secret(password), "the URL"
	}
	return nil
}

// parseHost reads "host", "host:port", "[ipv6]:port", or a socket path written with %2F.
func parseHost(d *DSN, hostport string) error {
	if strings.Contains(hostport, ",") {
		return errors.New("several hosts: give the one to connect to")
	}
	var host, port string
	switch {
	case strings.HasPrefix(hostport, "["):
		end := strings.Index(hostport, "]")
		if end < 0 {
			return errors.New(`"[" without "]" around an IPv6 address`)
		}
		host, port = hostport[1:end], hostport[end+1:]
		if port != "" && !strings.HasPrefix(port, ":") {
			return errors.New("something follows the IPv6 address: only a colon and a port may")
		}
		port = strings.TrimPrefix(port, ":")
	case strings.Count(hostport, ":") > 1:
		return errors.New(`the host has several colons: put an IPv6 address in brackets, as in [::1]:3306; before a password "@" and the host must follow`)
	default:
		host, port, _ = strings.Cut(hostport, ":")
	}
	host, err := unescape(host, "the host")
	if err != nil {
		return err
	}
	if port != "" {
		if d.Port, err = parsePort(port); err != nil {
			return err
		}
	}
	if strings.HasPrefix(host, "/") {
		d.Socket = host
		return nil
	}
	d.Host = host
	return nil
}

// parsePort reads a TCP port.
func parsePort(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		// In "user:password" without "@host" the password stands in the port's place.
		return 0, errors.New(`what follows the last ":" is no port number; a URL has the form mysql://user:password@host:port/database`)
	}
	if n < 1 || n > 65535 {
		return 0, fmt.Errorf("port %q is not a number from 1 to 65535", text)
	}
	return n, nil
}

// unescape decodes percent escapes. Its error names the part and not the text, which may be a password.
func unescape(text, part string) (string, error) {
	out, err := url.PathUnescape(text)
	if err != nil {
		return "", fmt.Errorf(`a "%%" in %s is not followed by two hexadecimal digits: write "%%" itself as %%25`, part)
	}
	if strings.ContainsRune(out, 0) {
		return "", fmt.Errorf("%s contains a NUL character", part)
	}
	return out, nil
}

// param is one name and value of a query, in its order.
type param struct{ name, value string }

// parseQuery decodes a query. A name may stand there once only: which of two
// values counts is a guess that nobody should have to make.
func parseQuery(query string) ([]param, error) {
	var params []param
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		name, err := unescape(strings.ReplaceAll(k, "+", " "), "a parameter's name")
		if err != nil {
			return nil, err
		}
		// "+" stays "+" in values: libpq reads them so, and paths may hold one.
		value, err := unescape(v, fmt.Sprintf("parameter %q", name))
		if err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, fmt.Errorf("parameter %q is given twice", name)
		}
		seen[name] = true
		params = append(params, param{name, value})
	}
	return params, nil
}

// applyMySQLParams puts the query of a MySQL URL into d.
func applyMySQLParams(d *DSN, params []param) error {
	var mode, tls TLSMode
	var err error
	for _, p := range params {
		switch strings.ReplaceAll(strings.ToLower(p.name), "_", "-") {
		case "socket":
			if d.Host != "" {
				return errors.New("both a host and a socket: give one of them")
			}
			if !strings.HasPrefix(p.value, "/") {
				return fmt.Errorf("socket %q is not an absolute path", p.value)
			}
			d.Socket = p.value
		case "ssl-mode":
			mode, err = parseTLSMode(p.value)
		case "tls":
			tls, err = parseTLSWord(p.value)
		case "ssl-ca":
			d.TLS.CA = p.value
		case "ssl-cert":
			d.TLS.Cert = p.value
		case "ssl-key":
			d.TLS.Key = p.value
		case "ssl-server-name":
			d.TLS.ServerName = p.value
		default:
			// The value may be a secret of some other tool; only the name is shown.
			return fmt.Errorf("unknown parameter %q: known are socket, ssl-mode, ssl-ca, ssl-cert, ssl-key, ssl-server-name and tls", p.name)
		}
		if err != nil {
			return err
		}
	}
	if mode != "" && tls != "" && mode != tls {
		return fmt.Errorf("ssl-mode says %s and tls says %s: give one of them", mode, tls)
	}
	if d.TLS.Mode = mode; mode == "" {
		d.TLS.Mode = tls
	}
	return nil
}

// parseTLSMode reads the value of MySQL's ssl-mode, in any case, with "-" or "_".
func parseTLSMode(text string) (TLSMode, error) {
	mode := TLSMode(strings.ReplaceAll(strings.ToLower(text), "_", "-"))
	switch mode {
	case TLSDisabled, TLSPreferred, TLSRequired, TLSVerifyCA, TLSVerifyIdentity:
		return mode, nil
	default:
		return "", fmt.Errorf("ssl-mode %q is none of disabled, preferred, required, verify-ca, verify-identity", text)
	}
}

// parseTLSWord reads the value of "tls", as many Go programs write it.
func parseTLSWord(text string) (TLSMode, error) {
	switch strings.ToLower(text) {
	case "true", "1":
		return TLSVerifyIdentity, nil
	case "skip-verify":
		return TLSRequired, nil
	case "preferred":
		return TLSPreferred, nil
	case "false", "0":
		return TLSDisabled, nil
	default:
		return "", fmt.Errorf("tls %q is none of true, skip-verify, preferred, false", text)
	}
}

// applyPostgresParams puts the query of a PostgreSQL URL into d. Like libpq it
// accepts host, port, user, password and dbname there; "schema" is our own;
// all else is left for the driver to judge.
func applyPostgresParams(d *DSN, params []param) error {
	for _, p := range params {
		switch p.name {
		case "host":
			if strings.HasPrefix(p.value, "/") {
				d.Host, d.Socket = "", p.value
				continue
			}
			d.Socket = ""
			if strings.Contains(p.value, ",") {
				return errors.New("several hosts: give the one to connect to")
			}
			d.Host = p.value
		case "port":
			n, err := parsePort(p.value)
			if err != nil {
				return err
			}
			d.Port = n
		case "user":
			d.User = p.value
		case "password":
			d.Password, d.PasswordFrom = Secret(p.value), "the URL"
		case "dbname":
			d.Database = p.value
		case "sslpassword":
			d.TLS.KeyPassword = Secret(p.value)
		case "schema":
			d.Schema = p.value
		default:
			if !isParamName(p.name) {
				return fmt.Errorf("%q is no name of a connection parameter", p.name)
			}
			if d.Params == nil {
				d.Params = map[string]string{}
			}
			d.Params[p.name] = p.value
		}
	}
	return nil
}

// isParamName reports whether a name can be one of libpq's parameters or of the server's settings.
func isParamName(name string) bool {
	for _, c := range name {
		if c != '_' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return name != ""
}
