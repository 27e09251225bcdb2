//go:build integration

package testdb_test

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// count returns what SELECT count(*) says.
func count(t *testing.T, s *testdb.Server, url, table string) int {
	t.Helper()
	var n int
	if err := s.SQL(t, url).QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestServers(t *testing.T) {
	for _, name := range append(testdb.Sources(), testdb.Targets()...) {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			if again := testdb.Get(t, name); again != s {
				t.Errorf("the second Get started another server: %s", again)
			}
			url := s.Database(t)
			s.Exec(t, url, "CREATE TABLE t (a int)", "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
			if n := count(t, s, url, "t"); n != 2 {
				t.Errorf("t has %d rows, want 2", n)
			}
		})
	}
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	for _, name := range append(testdb.Sources(), testdb.Targets()...) {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			var url string
			t.Run("inner", func(t *testing.T) {
				url = s.Database(t)
				s.Exec(t, url, "CREATE TABLE t (a int)")
			})
			if err := s.SQL(t, url).PingContext(t.Context()); err == nil {
				t.Error("the database is still there")
			}
		})
	}
}

// dump begins as the dumps of MariaDB do, with a line that MySQL's client refuses.
const dump = `/*M!999999\- enable the sandbox mode */
CREATE TABLE ` + "`t`" + ` (a longtext) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci ROW_FORMAT=COMPRESSED;
INSERT INTO ` + "`t`" + ` VALUES ('سلام 你好 🎓'),('é');
`

func TestLoadDumpOfMariaDB(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "dump.sql")
	if err := os.WriteFile(plain, []byte(dump), 0o644); err != nil {
		t.Fatal(err)
	}
	packed := plain + ".gz"
	f, err := os.Create(packed)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write([]byte(dump)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range testdb.Sources() {
		for _, file := range []string{plain, packed} {
			t.Run(name+" "+filepath.Ext(file), func(t *testing.T) {
				s := testdb.Get(t, name)
				url := s.Database(t)
				s.Load(t, url, file)
				var got string
				if err := s.SQL(t, url).QueryRowContext(t.Context(), "SELECT a FROM t WHERE char_length(a) > 1").Scan(&got); err != nil {
					t.Fatal(err)
				}
				if want := "سلام 你好 🎓"; got != want {
					t.Errorf("loaded %q, want %q", got, want)
				}
			})
		}
	}
}

func TestRowOf100MB(t *testing.T) {
	const size = 100 << 20
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			url := s.Database(t)
			s.Exec(t, url, "CREATE TABLE t (a longtext)", "INSERT INTO t VALUES (repeat('0123456789abcdef', 6553600))")
			var n int
			if err := s.SQL(t, url).QueryRowContext(t.Context(), "SELECT length(a) FROM t").Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n != size {
				t.Errorf("the value has %d bytes, want %d", n, size)
			}
		})
	}
}

func TestDumpLoadsAgain(t *testing.T) {
	for _, name := range testdb.Targets() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			from, to := s.Database(t), s.Database(t)
			s.Exec(t, from, "CREATE TABLE t (id bigserial PRIMARY KEY, a text)", "INSERT INTO t (a) VALUES ('é'), (NULL)")
			file := filepath.Join(t.TempDir(), "dump.sql")
			if err := os.WriteFile(file, []byte(s.Dump(t, from, "--no-owner")), 0o644); err != nil {
				t.Fatal(err)
			}
			s.Load(t, to, file)
			if n := count(t, s, to, "t"); n != 2 {
				t.Errorf("t has %d rows, want 2", n)
			}
			if schema := s.Dump(t, to, "--schema-only"); !strings.Contains(schema, "CREATE TABLE public.t (") || strings.Contains(schema, "COPY") {
				t.Errorf("--schema-only is not heeded:\n%s", schema)
			}
		})
	}
}

func TestRole(t *testing.T) {
	for _, name := range testdb.Targets() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			url := s.Database(t)
			for range 2 {
				role := s.Role(t, "moodle", url)
				var user string
				if err := s.SQL(t, role).QueryRowContext(t.Context(), "SELECT current_user").Scan(&user); err != nil {
					t.Fatal(err)
				}
				if user != "moodle" {
					t.Errorf("the role's URL logs in as %q", user)
				}
			}
		})
	}
}

func TestPrivateServerHasItsSettings(t *testing.T) {
	for _, tt := range []struct {
		names                []string
		setting, show, value string
	}{
		{testdb.Sources(), "max_connections=42", "SELECT @@max_connections", "42"},
		{testdb.Targets(), "max_connections=42", "SHOW max_connections", "42"},
	} {
		for _, name := range tt.names {
			t.Run(name, func(t *testing.T) {
				s := testdb.Private(t, name, tt.setting)
				var got string
				if err := s.SQL(t, s.Database(t)).QueryRowContext(t.Context(), tt.show).Scan(&got); err != nil {
					t.Fatal(err)
				}
				if got != tt.value {
					t.Errorf("%s = %s, want %s", tt.show, got, tt.value)
				}
			})
		}
	}
}

// TestMortal: a server that was killed has its data when it is started again.
func TestMortal(t *testing.T) {
	for _, name := range append(testdb.Sources(), testdb.Targets()...) {
		t.Run(name, func(t *testing.T) {
			// Servers of tests are fast rather than durable, unless told otherwise.
			durable := "innodb-flush-log-at-trx-commit=2"
			if strings.HasPrefix(name, "postgres") {
				durable = "synchronous_commit=on"
			}
			s := testdb.Mortal(t, name, durable)
			url := s.Database(t)
			s.Exec(t, url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
			for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGQUIT} {
				s.Kill(t, signal)
				s.Restart(t)
				if n := count(t, s, url, "kept"); n != 1 {
					t.Errorf("%d rows after signal %q", n, signal)
				}
			}
		})
	}
}
