package benchsite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	driver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	"github.com/moodledb/moodledb/internal/throwaway"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// sourceDatabase is the name of the source's database.
const sourceDatabase = "moodle"

// flavourName matches a server as it is asked for; without a version the newest one is meant.
var flavourName = regexp.MustCompile(`^(mariadb|mysql|postgres)(?:-(\d+(?:\.\d+)*))?$`)

// parseFlavour takes a flavour apart; it must be of one of the kinds.
func parseFlavour(flavour string, kinds ...throwaway.Kind) (kind throwaway.Kind, version string, err error) {
	m := flavourName.FindStringSubmatch(flavour)
	if m == nil || !slices.Contains(kinds, throwaway.Kind(m[1])) {
		return "", "", fmt.Errorf("%q is no server to use here: want %v and a version, as in mariadb-10.11 or postgres-15", flavour, kinds)
	}
	return throwaway.Kind(m[1]), m[2], nil
}

// server is one private server.
type server struct {
	*throwaway.Server
	engine schema.Engine
	pid    int
}

// startServer starts a server of a flavour such as "mariadb-10.11" below dir.
func startServer(ctx context.Context, flavour, dir string, settings []string) (*server, error) {
	kind, version, err := parseFlavour(flavour, throwaway.MariaDB, throwaway.MySQL, throwaway.Postgres)
	if err != nil {
		return nil, err
	}
	roots, err := packageRoots()
	if err != nil {
		return nil, err
	}
	for _, root := range roots {
		s, err := throwaway.Start(ctx, throwaway.Options{
			Kind: kind, Version: version, Root: root, Dir: dir, Settings: settings,
		})
		if errors.Is(err, throwaway.ErrNotInstalled) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out := &server{Server: s, engine: schema.Engine(kind)}
		if out.pid, err = readPID(s); err != nil {
			return nil, errors.Join(err, s.Stop())
		}
		return out, nil
	}
	return nil, fmt.Errorf("%s is not installed; \"make setup-test\" gets it", flavour)
}

// packageRoots returns where server programs may be: on the machine itself
// (""), and in the suites that scripts/suites has extracted.
func packageRoots() ([]string, error) {
	dir := os.Getenv("TEST_SUITES")
	if dir == "" && os.Geteuid() == 0 {
		dir = "/var/cache/moodledb/suites"
	}
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("look for extracted suites: %w", err)
		}
		dir = filepath.Join(cache, "moodledb", "suites")
	}
	suites, err := filepath.Glob(filepath.Join(dir, "[^.]*"))
	if err != nil {
		return nil, fmt.Errorf("look for extracted suites: %w", err)
	}
	return append([]string{""}, suites...), nil
}

// readPID returns the process id of a server, which it writes to a file.
func readPID(s *throwaway.Server) (int, error) {
	name := filepath.Join(s.Dir, "server.pid")
	if s.Kind == throwaway.Postgres {
		name = filepath.Join(s.Dir, "data", "postmaster.pid")
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return 0, fmt.Errorf("find the process of %s: %w", s.Kind, err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return 0, fmt.Errorf("find the process of %s: %s: %w", s.Kind, name, err)
	}
	return pid, nil
}

// megabytes is a size as the servers' settings take it.
func megabytes(n int64) string { return strconv.FormatInt(n>>20, 10) + "M" }

// sourceSettings make a source whose rows stay in memory, as far as the
// machine has room: what is measured is not its disk.
func sourceSettings(kind throwaway.Kind, bytes, memory int64) []string {
	pool := min(max(bytes+bytes/2, 256<<20), memory/3)
	settings := []string{"max_allowed_packet=1G", "local_infile=ON", "innodb_buffer_pool_size=" + megabytes(pool)}
	if kind == throwaway.MySQL {
		return append(settings, "innodb_redo_log_capacity=2G")
	}
	return append(settings, "innodb_log_file_size=2G")
}

// targetSettings make a target that is set up for a load, the same for all who
// load. Autovacuum is off: its workers come once a minute, so they would
// disturb some runs and not others.
func targetSettings(memory int64) []string {
	return []string{
		"shared_buffers=" + megabytes(min(1<<30, memory/8)) + "B",
		"max_wal_size=4GB",
		"checkpoint_timeout=30min",
		"max_locks_per_transaction=512",
		"autovacuum=off",
		"log_timezone=UTC",
	}
}

// placeOf is the URL of a database without a password.
func (s *server) placeOf(database string) string {
	u := url.URL{
		Scheme: string(s.engine), User: url.User(s.User), Path: "/" + database,
		Host: net.JoinHostPort(s.Host, strconv.Itoa(s.Port)),
	}
	if s.engine.IsMySQL() {
		// Loopback: encryption would be measured on some ways and not on others.
		u.RawQuery = "ssl-mode=disabled"
	}
	return u.String()
}

// openSource returns a pool of sessions of the driver, which may write.
func (s *server) openSource(database string) (*sql.DB, error) {
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr = "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	cfg.User, cfg.Passwd, cfg.DBName = s.User, s.Password, database
	cfg.MaxAllowedPacket = 0 // ask the server
	cfg.Logger = &driver.NopLogger{}
	connector, err := driver.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to the source: %w", err)
	}
	return sql.OpenDB(connector), nil
}

// connect opens a session of the target.
func (s *server) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig("sslmode=disable host=" + s.Host)
	if err != nil {
		return nil, fmt.Errorf("connect to the target: %w", err)
	}
	cfg.Port, cfg.User, cfg.Password, cfg.Database = uint16(s.Port), s.User, s.Password, database
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to the target: %w", err)
	}
	return conn, nil
}

// execute runs statements one after the other on one new session of the target.
func (s *server) execute(ctx context.Context, database string, statements ...string) error {
	conn, err := s.connect(ctx, database)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// cheapLogin lets the target check passwords by MD5 on loopback. SCRAM makes
// client and server compute thousands of hashes for each session, and pgloader
// opens a session for each index: a quarter of its CPU time on a site of many
// small tables would be logins, and none of it moves rows.
func (s *server) cheapLogin(ctx context.Context) error {
	rules := fmt.Sprintf("host all all %s/32 md5\n", s.Host)
	if err := os.WriteFile(filepath.Join(s.Dir, "data", "pg_hba.conf"), []byte(rules), 0o600); err != nil {
		return fmt.Errorf("write the target's rules of access: %w", err)
	}
	conn, err := s.connect(ctx, "postgres")
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	for _, statement := range []string{
		"SELECT pg_catalog.pg_reload_conf()",
		"SET password_encryption = 'md5'",
		"ALTER ROLE " + postgres.QuoteIdent(s.User) + " PASSWORD " + postgres.QuoteLiteral(s.Password),
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			// Without the statement: it has the password.
			return fmt.Errorf("set up cheap logins at the target: %w", err)
		}
	}
	return nil
}

// closeConn ends a session, even when ctx has ended.
func closeConn(ctx context.Context, conn *pgx.Conn) {
	_ = conn.Close(context.WithoutCancel(ctx)) // it is gone in any case
}
