package throwaway

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseVersion(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind Kind
		out  string
		want string // "" = not this engine's
	}{
		{"MariaDB of Debian", MariaDB, "mariadbd  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)\n", "10.11.6"},
		{"MariaDB with its path", MariaDB, "/usr/sbin/mariadbd  Ver 11.8.6-MariaDB-0+deb13u1 from Debian for debian-linux-gnu on x86_64\n", "11.8.6"},
		{"MySQL", MySQL, "/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))\n", "9.7.4"},
		{"MariaDB under the name mysqld is not MySQL", MySQL, "mysqld  Ver 10.11.6-MariaDB for Linux on x86_64\n", ""},
		{"MySQL is not MariaDB", MariaDB, "mysqld  Ver 8.4.6 for Linux on x86_64 (MySQL Community Server - GPL)\n", ""},
		{"PostgreSQL", Postgres, "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", "15.18"},
		{"PostgreSQL beta", Postgres, "postgres (PostgreSQL) 19beta1\n", "19beta1"},
		{"nothing", Postgres, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eng, err := engineOf(tt.kind)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := eng.parseVersion(tt.out)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("parseVersion = %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
}

func TestHasVersion(t *testing.T) {
	for _, tt := range []struct {
		version, wanted string
		want            bool
	}{
		{"10.11.6", "", true},
		{"10.11.6", "10", true},
		{"10.11.6", "10.11", true},
		{"10.11.6", "10.11.6", true},
		{"10.11.6", "10.1", false},
		{"15.18", "1", false},
		{"9.7.4", "9.7.41", false},
	} {
		t.Run(tt.version+" "+tt.wanted, func(t *testing.T) {
			if got := hasVersion(tt.version, tt.wanted); got != tt.want {
				t.Errorf("hasVersion = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestCompareVersions(t *testing.T) {
	ascending := []string{"9.7.4", "10.6", "10.11", "10.11.6", "10.11.16", "15.18", "18beta1.1", "19beta1"}
	for i, a := range ascending {
		for j, b := range ascending {
			if got, want := sign(compareVersions(a, b)), sign(i-j); got != want {
				t.Errorf("compareVersions(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	default:
		return 0
	}
}

func TestStartRefuses(t *testing.T) {
	empty := t.TempDir()
	for _, tt := range []struct {
		name         string
		opts         Options
		notInstalled bool
		want         string
	}{
		{
			"an unknown kind",
			Options{Kind: "oracle"},
			false,
			`unknown kind of server "oracle" (known: mariadb, mysql, postgres)`,
		},
		{
			"a root without packages",
			Options{Kind: MySQL, Root: empty},
			false,
			"extracted packages " + empty + ": no dynamic loader (usr/lib64/ld-linux-*.so.*) below it: extract a whole suite there",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Start(t.Context(), tt.opts)
			if err == nil {
				t.Fatalf("started %v, and stopped it: %v", s, s.Stop())
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if got := errors.Is(err, ErrNotInstalled); got != tt.notInstalled {
				t.Errorf("errors.Is(err, ErrNotInstalled) = %v, want %v", got, tt.notInstalled)
			}
		})
	}
}

func TestNotInstalledSaysWhatToInstall(t *testing.T) {
	// A loader, and no server: the suite of another engine.
	root := t.TempDir()
	loader := filepath.Join(root, "usr/lib64/ld-linux-x86-64.so.2")
	if err := os.MkdirAll(filepath.Dir(loader), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(loader, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Kind: MariaDB, Root: root})
	if !errors.Is(err, ErrNotInstalled) {
		t.Fatalf("Start: %v, want ErrNotInstalled", err)
	}
	want := "a mariadb server (mariadbd or mysqld) is not installed below " + root +
		": install the package mariadb-server-core (Debian, Ubuntu) or mariadb-server (others)"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}
