package throwaway

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// programs is where the programs of a running server's installation are.
type programs struct {
	server string   // path of the server program
	usr    string   // the tree of launchers; empty for the machine's own programs
	dirs   []string // directories of the other programs, in order of preference
}

// prepare makes the installation's programs runnable for a server in dir.
func (i Installation) prepare(dir string) (programs, error) {
	if i.Root == "" {
		return programs{server: i.server, dirs: []string{filepath.Dir(i.server), "/usr/bin", "/usr/sbin", "/usr/local/bin"}}, nil
	}
	st, err := openSuite(i.Root)
	if err != nil {
		return programs{}, err
	}
	usr := filepath.Join(dir, "usr")
	if err := st.launchers(usr); err != nil {
		return programs{}, err
	}
	rel, err := filepath.Rel(filepath.Join(st.root, "usr"), i.server)
	if err != nil {
		return programs{}, fmt.Errorf("extracted packages %s: %w", i.Root, err)
	}
	server := filepath.Join(usr, rel)
	return programs{server: server, usr: usr, dirs: []string{filepath.Dir(server), filepath.Join(usr, "bin"), filepath.Join(usr, "sbin")}}, nil
}

// find returns the path of the first of the named programs that is there.
func (p programs) find(names ...string) (string, error) {
	for _, name := range names {
		for _, dir := range p.dirs {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return path, nil
			}
		}
		if p.usr == "" {
			if path, err := exec.LookPath(name); err == nil {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("the program %s is %w beside %s", names[0], ErrNotInstalled, p.server)
}

// Command returns a command that runs a client program of the server's own
// installation (such as "mariadb", "mysql", "psql" or "pg_dump") and connects
// to the server; args come after the options that do so.
func (s *Server) Command(ctx context.Context, program string, args ...string) (*exec.Cmd, error) {
	path, err := s.programs.find(program)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", program, err)
	}
	connect, env := s.eng.clientCommand(s)
	cmd := exec.CommandContext(ctx, path, append(connect, args...)...)
	cmd.Env = append(cleanEnv(s.Dir), env...)
	return cmd, nil
}

// cleanEnv is an environment without the settings (PGDATA, MYSQL_HOME, ...)
// that a user may have for servers of his own.
func cleanEnv(dir string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + dir, "TMPDIR=" + dir, "LC_ALL=C", "TZ=UTC",
	}
}
