package throwaway

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
)

// mysqlEngine is MySQL or MariaDB.
type mysqlEngine struct{ mariadb bool }

func (e mysqlEngine) serverNames() []string {
	if e.mariadb {
		return []string{"mariadbd", "mysqld"}
	}
	return []string{"mysqld"}
}

func (mysqlEngine) serverDirs() []string {
	return []string{"/usr/sbin", "/usr/libexec", "/usr/bin", "/usr/local/sbin", "/usr/local/mysql/bin"}
}

// mysqlVersion matches "mysqld  Ver 8.4.6 for Linux" and "Ver 10.11.6-MariaDB".
var mysqlVersion = regexp.MustCompile(`\bVer (\d+\.\d+\.\d+)`)

func (e mysqlEngine) parseVersion(out string) (string, bool) {
	m := mysqlVersion.FindStringSubmatch(out)
	if m == nil || strings.Contains(out, "MariaDB") != e.mariadb {
		return "", false
	}
	return m[1], true
}

func (e mysqlEngine) installHint() string {
	if e.mariadb {
		return "install the package mariadb-server-core (Debian, Ubuntu) or mariadb-server (others)"
	}
	return "install the package mysql-server-core (Ubuntu, Debian unstable) or mysql-server (others)"
}

func (mysqlEngine) superuser() string { return "root" }

// endSignal: a server that is to be thrown away need not flush anything.
func (mysqlEngine) endSignal() syscall.Signal { return syscall.SIGKILL }

func dataDir(s *Server) string { return filepath.Join(s.Dir, "data") }

// initFile is the SQL that sets up the superuser, one statement a line as
// --init-file wants it. It is in a file since arguments can be read by all.
func (e mysqlEngine) initFile(s *Server) string {
	var b strings.Builder
	b.WriteString("DROP USER IF EXISTS 'root'@'::1';\n")
	for _, host := range []string{"localhost", "127.0.0.1"} {
		fmt.Fprintf(&b, "CREATE USER IF NOT EXISTS 'root'@'%s';\n", host)
		fmt.Fprintf(&b, "ALTER USER 'root'@'%s' IDENTIFIED BY '%s';\n", host, s.Password)
		fmt.Fprintf(&b, "GRANT ALL PRIVILEGES ON *.* TO 'root'@'%s' WITH GRANT OPTION;\n", host)
	}
	return b.String()
}

func (e mysqlEngine) initialise(ctx context.Context, s *Server, acc account) error {
	file := filepath.Join(s.Dir, "init.sql")
	if err := os.WriteFile(file, []byte(e.initFile(s)), 0o600); err != nil {
		return fmt.Errorf("write the server's init file: %w", err)
	}
	if err := acc.own(file); err != nil {
		return err
	}
	if !e.mariadb {
		argv := append([]string{s.programs.server}, e.baseArgs(s)...)
		return runProgram(ctx, append(argv, "--initialize-insecure"), s.Dir, acc)
	}
	install, err := s.programs.find("mariadb-install-db", "mysql_install_db")
	if err != nil {
		return err
	}
	// --cross-bootstrap: no accounts for this machine's host names, and no
	// look-up of them.
	argv := append([]string{install}, e.baseArgs(s)...)
	return runProgram(ctx, append(argv, "--auth-root-authentication-method=normal", "--skip-test-db", "--cross-bootstrap"), s.Dir, acc)
}

// baseArgs are the arguments that initialising and running have in common.
func (e mysqlEngine) baseArgs(s *Server) []string {
	args := []string{
		"--no-defaults",
		"--datadir=" + dataDir(s),
		// Containers often allow no asynchronous I/O.
		"--innodb-use-native-aio=OFF",
		"--innodb-buffer-pool-size=128M",
	}
	usr := s.programs.usr
	if usr == "" {
		return args
	}
	args = append(args, "--basedir="+usr, "--lc-messages-dir="+filepath.Join(usr, "share/mysql"),
		"--character-sets-dir="+filepath.Join(usr, "share/mysql/charsets"))
	if e.mariadb {
		return args // mariadb-install-db gives --plugin-dir itself
	}
	return append(args, "--plugin-dir="+filepath.Join(usr, "lib/mysql/plugin"))
}

func (e mysqlEngine) serverArgs(s *Server, settings []string) ([]string, error) {
	args := append([]string{s.programs.server}, e.baseArgs(s)...)
	socket := s.Socket
	if socket == "" {
		socket = socketName // relative to the data directory
	}
	args = append(
		args,
		"--bind-address="+s.Host,
		"--port="+strconv.Itoa(s.Port),
		"--socket="+socket,
		"--pid-file="+filepath.Join(s.Dir, "server.pid"),
		"--init-file="+filepath.Join(s.Dir, "init.sql"),
		"--tmpdir="+s.Dir,
		// Accounts are for 127.0.0.1; its name is the machine's affair.
		"--skip-name-resolve",
		"--character-set-server=utf8mb4",
		"--innodb-flush-log-at-trx-commit=0",
		"--innodb-doublewrite=OFF",
		"--sync-binlog=0",
	)
	if e.mariadb {
		if s.programs.usr != "" {
			args = append(args, "--plugin-dir="+filepath.Join(s.programs.usr, "lib/mysql/plugin"))
		}
		args = append(args, "--skip-log-bin")
	} else {
		args = append(args, "--mysqlx=OFF", "--secure-file-priv=NULL")
	}
	for _, set := range settings {
		name, value, ok := strings.Cut(set, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("server setting %q is not name=value", set)
		}
		args = append(args, "--"+name+"="+value)
	}
	return args, nil
}

// dialTimeout bounds one attempt to log in.
const dialTimeout = 5 * time.Second

func (mysqlEngine) login(ctx context.Context, s *Server) (string, error) {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd = s.User, s.Password
	cfg.Net, cfg.Addr = "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	cfg.Timeout, cfg.ReadTimeout = dialTimeout, dialTimeout
	// The driver would print what we return.
	cfg.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var version string
	if err := db.QueryRowContext(ctx, "SELECT version()").Scan(&version); err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	return version, nil
}

// clientFile is the option file with which client programs connect.
func clientFile(s *Server) string { return filepath.Join(s.Dir, "client.cnf") }

func (mysqlEngine) writeClientConfig(s *Server) error {
	text := fmt.Sprintf("[client]\nuser=%s\npassword=%s\nhost=%s\nport=%d\nprotocol=tcp\n", s.User, s.Password, s.Host, s.Port)
	if err := os.WriteFile(clientFile(s), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the client's option file: %w", err)
	}
	return nil
}

func (mysqlEngine) clientCommand(s *Server) (args, env []string) {
	return []string{"--defaults-file=" + clientFile(s)}, nil
}
