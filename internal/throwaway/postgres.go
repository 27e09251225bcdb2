package throwaway

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresEngine is PostgreSQL.
type postgresEngine struct{}

func (postgresEngine) serverNames() []string { return []string{"postgres"} }

func (postgresEngine) serverDirs() []string {
	return []string{
		"/usr/lib/postgresql/*/bin", // Debian, Ubuntu, SUSE
		"/usr/pgsql-*/bin",          // the PostgreSQL project's RPMs
		"/usr/libexec/postgresql*",  // Alpine
		"/usr/bin",                  // Fedora, Arch
		"/usr/local/pgsql/bin",
		"/usr/local/opt/postgresql@*/bin", "/opt/homebrew/opt/postgresql@*/bin",
	}
}

// postgresVersion matches "postgres (PostgreSQL) 15.18 (Debian ...)".
var postgresVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+\S*)`)

func (postgresEngine) parseVersion(out string) (string, bool) {
	m := postgresVersion.FindStringSubmatch(out)
	if m == nil {
		return "", false
	}
	return m[1], true
}

func (postgresEngine) installHint() string {
	return "install the package postgresql (Debian, Ubuntu) or postgresql-server (others)"
}

func (postgresEngine) superuser() string { return "postgres" }

// endSignal asks for an immediate shutdown. Killing the server instead would
// leave its shared memory and its children to themselves for a moment.
func (postgresEngine) endSignal() syscall.Signal { return syscall.SIGQUIT }

func (e postgresEngine) initialise(ctx context.Context, s *Server, acc account) error {
	initdb, err := s.programs.find("initdb")
	if err != nil {
		return err
	}
	// In a file, since arguments can be read by all.
	file := filepath.Join(s.Dir, "password")
	if err := os.WriteFile(file, []byte(s.Password+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the superuser's password for initdb: %w", err)
	}
	if err := acc.own(file); err != nil {
		return err
	}
	return runProgram(ctx, []string{
		initdb, "--pgdata=" + dataDir(s), "--username=" + s.User, "--pwfile=" + file,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=" + locale(), "--no-sync", "--no-instructions",
	}, s.Dir, acc)
}

// locale is a locale that has UTF-8's classes of characters and sorts by code
// point, so results do not depend on the machine.
func locale() string {
	if runtime.GOOS == "linux" {
		return "C.UTF-8"
	}
	return "C"
}

func (postgresEngine) serverArgs(s *Server, settings []string) ([]string, error) {
	socketDir := ""
	if s.Socket != "" {
		socketDir = s.Dir
	}
	all := append([]string{
		"listen_addresses=" + s.Host,
		"port=" + strconv.Itoa(s.Port),
		"unix_socket_directories=" + socketDir,
		"logging_collector=off",
		"fsync=off",
		"full_page_writes=off",
		"synchronous_commit=off",
	}, settings...)
	args := []string{s.programs.server, "-D", dataDir(s)}
	for _, set := range all {
		if name, _, ok := strings.Cut(set, "="); !ok || name == "" {
			return nil, fmt.Errorf("server setting %q is not name=value", set)
		}
		args = append(args, "-c", set)
	}
	return args, nil
}

func (postgresEngine) login(ctx context.Context, s *Server) (string, error) {
	// An empty connection string would be filled from PGHOST and the like.
	cfg, err := pgconn.ParseConfig("host=127.0.0.1 user=postgres dbname=postgres sslmode=disable")
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	cfg.Host, cfg.Port, cfg.User, cfg.Password, cfg.Database = s.Host, uint16(s.Port), s.User, s.Password, "postgres"
	cfg.RuntimeParams, cfg.Fallbacks, cfg.ConnectTimeout = nil, nil, dialTimeout
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	version := conn.ParameterStatus("server_version")
	if err := conn.Close(ctx); err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	return version, nil
}

func (postgresEngine) writeClientConfig(*Server) error { return nil }

func (postgresEngine) clientCommand(s *Server) (args, env []string) {
	return nil, []string{
		"PGHOST=" + s.Host, "PGPORT=" + strconv.Itoa(s.Port), "PGUSER=" + s.User, "PGPASSWORD=" + s.Password,
	}
}
