package throwaway

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// suite is a directory of extracted packages. Its programs are run through its
// own dynamic loader, so they need neither chroot nor this machine's libraries.
type suite struct {
	root   string
	loader string   // the suite's ld.so
	libs   []string // directories of shared libraries
}

// openSuite finds the loader and the library directories below root.
func openSuite(root string) (*suite, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("extracted packages: %w", err)
	}
	st := &suite{root: root}
	for _, pattern := range []string{"usr/lib64/ld-linux-*.so.*", "lib64/ld-linux-*.so.*", "usr/lib/ld-linux-*.so.*", "lib/ld-linux-*.so.*"} {
		hits, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, fmt.Errorf("extracted packages %s: %w", root, err)
		}
		if len(hits) > 0 {
			slices.Sort(hits)
			st.loader = hits[0]
			break
		}
	}
	if st.loader == "" {
		return nil, fmt.Errorf("extracted packages %s: no dynamic loader (usr/lib64/ld-linux-*.so.*) below it: extract a whole suite there", root)
	}
	for _, pattern := range []string{"usr/lib/*-linux-*", "lib/*-linux-*", "usr/lib64", "usr/lib/*-linux-*/private"} {
		hits, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, fmt.Errorf("extracted packages %s: %w", root, err)
		}
		slices.Sort(hits)
		st.libs = append(st.libs, hits...)
	}
	return st, nil
}

// command returns the argument list that runs a program of the suite. The
// program sees its own path as its name (--argv0: glibc 2.33 or later), since
// PostgreSQL's programs find their files relative to it.
func (st *suite) command(path string) []string {
	return st.commandAs(path, path)
}

func (st *suite) commandAs(path, argv0 string) []string {
	return []string{st.loader, "--library-path", strings.Join(st.libs, ":"), "--argv0", argv0, path}
}

// launchers makes dir a copy of the suite's /usr that has the programs of the
// database packages only, each a small script that runs the real one through
// the suite's loader, and links to all else. So programs that start one another (initdb starts postgres,
// mariadb-install-db starts mariadbd) find what can run here.
func (st *suite) launchers(dir string) error {
	usr := filepath.Join(st.root, "usr")
	// Directories of programs, and the directories on the way to them.
	programDirs := []string{"bin", "sbin"}
	versions, err := filepath.Glob(filepath.Join(usr, "lib/postgresql/*/bin"))
	if err != nil {
		return fmt.Errorf("extracted packages %s: %w", st.root, err)
	}
	for _, v := range versions {
		rel, err := filepath.Rel(usr, v)
		if err != nil {
			return fmt.Errorf("extracted packages %s: %w", st.root, err)
		}
		programDirs = append(programDirs, rel)
	}
	for _, rel := range programDirs {
		if err := st.launchDir(filepath.Join(usr, rel), filepath.Join(dir, rel)); err != nil {
			return err
		}
	}
	for _, rel := range append([]string{"", "lib", "lib/postgresql"}, dirNames(programDirs)...) {
		if err := linkRest(filepath.Join(usr, rel), filepath.Join(dir, rel)); err != nil {
			return err
		}
	}
	return nil
}

// dirNames returns the parents of PostgreSQL's program directories.
func dirNames(programDirs []string) []string {
	var out []string
	for _, d := range programDirs {
		if strings.HasPrefix(d, "lib/") {
			out = append(out, filepath.Dir(d))
		}
	}
	return out
}

// wantLauncher reports whether a program is one of the database packages'. The
// hundreds of others in usr/bin are this machine's to have.
func wantLauncher(name string) bool {
	for _, p := range []string{"mariadb", "mysql", "my_print_defaults", "resolveip", "aria_", "inno", "pg_", "postgres", "psql", "initdb", "createdb", "dropdb"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// launchDir writes the launchers of the programs in from into the directory to.
func (st *suite) launchDir(from, to string) error {
	entries, err := os.ReadDir(from)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("extracted packages: %w", err)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("make launchers: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(from, e.Name())
		if !wantLauncher(e.Name()) {
			continue
		}
		binary, err := isELF(path)
		if err != nil {
			continue // a link that leads nowhere: its package was not extracted
		}
		target := filepath.Join(to, e.Name())
		if !binary {
			if err := os.Symlink(path, target); err != nil {
				return fmt.Errorf("make launchers: %w", err)
			}
			continue
		}
		if err := os.WriteFile(target, []byte(st.script(path, target)), 0o755); err != nil { //nolint:gosec // the server's account must be able to run it
			return fmt.Errorf("make launchers: %w", err)
		}
	}
	return nil
}

// script is a launcher. LOCPATH leads to the locales of the suite's own C
// library: those of another version of it may be refused.
func (st *suite) script(path, self string) string {
	argv := st.commandAs(path, self)
	for i, a := range argv {
		argv[i] = shellQuote(a)
	}
	return "#!/bin/sh\n" +
		"export LOCPATH=" + shellQuote(filepath.Join(st.root, "usr/lib/locale")) + "\n" +
		"exec " + strings.Join(argv, " ") + " \"$@\"\n"
}

// shellQuote quotes s for a POSIX shell.
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// isELF reports whether a file is a program in machine code.
func isELF(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	magic := make([]byte, 4)
	if _, err := f.Read(magic); err != nil {
		return false, err
	}
	return string(magic) == "\x7fELF", nil
}

// linkRest links every entry of from that to lacks.
func linkRest(from, to string) error {
	entries, err := os.ReadDir(from)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("extracted packages: %w", err)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("make launchers: %w", err)
	}
	for _, e := range entries {
		target := filepath.Join(to, e.Name())
		if _, err := os.Lstat(target); err == nil {
			continue
		}
		if err := os.Symlink(filepath.Join(from, e.Name()), target); err != nil {
			return fmt.Errorf("make launchers: %w", err)
		}
	}
	return nil
}
