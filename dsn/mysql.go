package dsn

import (
	"errors"
	"io/fs"
	"os"
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
		return errors.New("no user: write it before the host, as in mysql://USER@host/database, or put user=... under [client] in ~/.my.cnf")
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
