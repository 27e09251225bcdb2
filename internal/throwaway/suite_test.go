package throwaway

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// file writes a file below root and makes its directories.
func file(t *testing.T, root, path, text string) string {
	t.Helper()
	full := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return full
}

func TestLaunchers(t *testing.T) {
	root := t.TempDir()
	file(t, root, "usr/lib64/ld-linux-x86-64.so.2", "")
	file(t, root, "usr/lib/x86_64-linux-gnu/libc.so.6", "")
	file(t, root, "usr/bin/mariadb", "\x7fELF")
	file(t, root, "usr/bin/mariadb-install-db", "#!/bin/sh\n")
	file(t, root, "usr/bin/perl", "\x7fELF")
	file(t, root, "usr/sbin/mariadbd", "\x7fELF")
	file(t, root, "usr/lib/postgresql/17/bin/postgres", "\x7fELF")
	file(t, root, "usr/lib/postgresql/17/lib/x.so", "")
	file(t, root, "usr/share/mysql/errmsg.sys", "")
	st, err := openSuite(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "usr")
	if err := st.launchers(dir); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, path := range []string{
		"bin/mariadb", "bin/mariadb-install-db", "bin/perl", "sbin/mariadbd", "share", "lib/x86_64-linux-gnu",
		"lib/postgresql/17/bin/postgres", "lib/postgresql/17/lib",
	} {
		info, err := os.Lstat(filepath.Join(dir, path))
		switch {
		case err != nil:
			got[path] = "absent"
		case info.Mode()&os.ModeSymlink != 0:
			got[path] = "link"
		default:
			got[path] = "launcher"
		}
	}
	want := map[string]string{
		"bin/mariadb": "launcher", "bin/mariadb-install-db": "link", "bin/perl": "absent", "sbin/mariadbd": "launcher",
		"share": "link", "lib/x86_64-linux-gnu": "link",
		"lib/postgresql/17/bin/postgres": "launcher", "lib/postgresql/17/lib": "link",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}

	text, err := os.ReadFile(filepath.Join(dir, "bin/mariadb"))
	if err != nil {
		t.Fatal(err)
	}
	wantText := "#!/bin/sh\n" +
		"export LOCPATH='" + root + "/usr/lib/locale'\n" +
		"exec '" + root + "/usr/lib64/ld-linux-x86-64.so.2' '--library-path' '" + root + "/usr/lib/x86_64-linux-gnu:" + root + "/usr/lib64' " +
		"'--argv0' '" + dir + "/bin/mariadb' '" + root + "/usr/bin/mariadb' \"$@\"\n"
	if diff := cmp.Diff(wantText, string(text)); diff != "" {
		t.Errorf("launcher (-want +got):\n%s", diff)
	}
}

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{
		"":        "''",
		"a b":     "'a b'",
		"it's $x": `'it'\''s $x'`,
	} {
		if got := shellQuote(in); got != want {
			t.Errorf("shellQuote(%q) = %s, want %s", in, got, want)
		}
	}
}
