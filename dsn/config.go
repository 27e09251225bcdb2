package dsn

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/moodledb/moodledb/configphp"
	"github.com/moodledb/moodledb/schema"
)

// maxConfigSize bounds what is read as a config.php: real ones have a few KiB.
const maxConfigSize = 4 << 20

// parseConfig reads the $CFG->db* settings of a config.php.
func parseConfig(place string, opts Options) (DSN, error) {
	file, src, err := readConfig(place)
	if err != nil {
		return DSN{}, err
	}
	s, err := configphp.Parse(src, file, opts.Getenv)
	if err != nil {
		return DSN{}, err
	}
	d := DSN{
		User: s.DBUser, Database: s.DBName,
		Prefix: s.Prefix, HasPrefix: true,
		File: file,
	}
	if s.DBPass != "" {
		d.Password, d.PasswordFrom = Secret(string(s.DBPass)), file
	}
	switch s.DBType {
	case "mysqli", "auroramysql":
		d.Engine = schema.MySQL
	case "mariadb":
		d.Engine = schema.MariaDB
	case "pgsql":
		d.Engine = schema.Postgres
	default:
		return DSN{}, fmt.Errorf("%s: unknown dbtype %q", file, s.DBType)
	}
	if err := configHost(&d, s); err != nil {
		return DSN{}, fmt.Errorf("%s: $CFG->dbhost: %w", file, err)
	}
	if d.Engine == schema.Postgres {
		configPostgres(&d, s)
		return d, nil
	}
	if d.TLS.Mode, err = configTLS(s.SSL); err != nil {
		return DSN{}, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

// readConfig reads the file at place, or the config.php in the directory there.
func readConfig(place string) (file string, src []byte, err error) {
	info, err := os.Stat(place)
	if err == nil && info.IsDir() {
		place = filepath.Join(place, "config.php")
		info, err = os.Stat(place)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || place == "":
		return "", nil, notAPlace(place)
	case err != nil && strings.ContainsAny(place, "@="):
		// The error of a strange path quotes it, and this may be a mistyped URL.
		return "", nil, notAPlace(place)
	case err != nil:
		return "", nil, err
	case !info.Mode().IsRegular():
		return "", nil, fmt.Errorf("%s is no regular file", place)
	}
	f, err := os.Open(place)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	src, err = io.ReadAll(io.LimitReader(f, maxConfigSize+1))
	if err != nil {
		return "", nil, err
	}
	if len(src) > maxConfigSize {
		return "", nil, fmt.Errorf("%s is larger than %d MiB: is this a config.php?", place, maxConfigSize>>20)
	}
	if !strings.Contains(string(src), "<?") {
		return "", nil, fmt.Errorf("%s holds no PHP: give a URL (mysql://..., mariadb://..., postgres://...) or the path of a config.php", place)
	}
	// __DIR__ and messages need a path that does not depend on the working directory.
	if abs, err := filepath.Abs(place); err == nil {
		place = abs
	}
	return place, src, nil
}

// notAPlace is the error for what is neither a URL nor a file. The text is
// shown only when it cannot be a connection string with a password in it.
func notAPlace(place string) error {
	const hint = "give a URL (mysql://..., mariadb://..., postgres://...) or the path of a config.php"
	switch {
	case place == "":
		return errors.New("no database given: " + hint)
	case strings.ContainsAny(place, "@="):
		return errors.New("this is neither a database URL nor a file: " + hint)
	default:
		return fmt.Errorf("%s: no such file: %s", place, hint)
	}
}

// configHost settles host, port and socket the way Moodle's drivers do.
func configHost(d *DSN, s configphp.Settings) error {
	host, port := s.DBHost, s.Port
	if h, p, err := net.SplitHostPort(host); err == nil && strings.Trim(p, "0123456789") == "" && p != "" {
		host = h
		n, err := parsePort(p)
		if err != nil {
			return err
		}
		if port == 0 {
			port = n
		}
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.ContainsAny(host, ", ") {
		return errors.New("names several hosts: give the database as a URL")
	}
	d.Host, d.Port = host, port
	local := host == "" || host == "localhost" || host == "127.0.0.1"
	switch {
	case strings.HasPrefix(host, "/"):
		d.Host, d.Socket = "", host
	case d.Engine == schema.Postgres:
		if local && s.Socket != "" {
			d.Host, d.Socket = "", s.Socket
		} else if local && s.DefaultSocket {
			d.Host = "" // libpq's default is its socket
		}
	case s.Socket != "":
		d.Host, d.Port, d.Socket = "", 0, s.Socket
	case host == "" || host == "localhost" && port == 0:
		// PHP reaches "localhost" through the default socket. Where that socket
		// is not at hand, such as in front of a container, TCP is all there is.
		d.Host = "localhost"
		if path := localSocket(); path != "" && port == 0 {
			d.Host, d.Socket = "", path
		} else if s.DefaultSocket {
			return errors.New("dboptions['dbsocket'] is true, but no default socket is found: give the database as a URL with ?socket=/path")
		}
	}
	return nil
}

// configPostgres puts the options of Moodle's pgsql driver into d.
func configPostgres(d *DSN, s configphp.Settings) {
	d.Schema = s.Schema
	if s.SSL != "" {
		d.Params = map[string]string{"sslmode": s.SSL} // Moodle's words are libpq's
	}
}

// configTLS translates dboptions' ssl, which has libpq's words, for MySQL.
func configTLS(ssl string) (TLSMode, error) {
	switch ssl {
	case "":
		return TLSDefault, nil
	case "disable":
		return TLSDisabled, nil
	case "prefer", "allow":
		return TLSPreferred, nil
	case "require":
		return TLSRequired, nil
	case "verify-ca":
		return TLSVerifyCA, nil
	case "verify-full":
		return TLSVerifyIdentity, nil
	default:
		return "", fmt.Errorf("$CFG->dboptions['ssl']: %q is none of disable, prefer, require, verify-ca, verify-full", ssl)
	}
}
