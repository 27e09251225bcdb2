//go:build integration

package postgres_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
)

func TestServer(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		got := open(t, u).Server()
		if got.Version != s.Version && !strings.HasPrefix(s.Version, got.Version) || got.Major() < 14 {
			t.Errorf("version %q (%d), want %q", got.Version, got.Num, s.Version)
		}
		if got.Encoding != "UTF8" || got.User != s.User || !got.Superuser || !got.CanCreate || got.Pooler || got.MaxLocks != 64 {
			t.Errorf("server %+v", got)
		}
		if !got.LZ4 {
			t.Error("the distributions build PostgreSQL with lz4, but the server says that it has none")
		}
		plain := open(t, s.Role(t, "plain", u)).Server()
		if plain.Superuser || plain.CanCreate || plain.User != "plain" {
			t.Errorf("plain role: %+v", plain)
		}
	})
}

func TestLoadSession(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		// What an administrator has set must not get through.
		s.Exec(t, u, fmt.Sprintf("ALTER ROLE %[1]s IN DATABASE %[2]s SET statement_timeout = '1s'; "+
			"ALTER ROLE %[1]s IN DATABASE %[2]s SET search_path = nowhere; ALTER ROLE %[1]s IN DATABASE %[2]s SET standard_conforming_strings = off",
			s.User, u[strings.LastIndex(u, "/")+1:]))
		db := open(t, u)
		for name, want := range map[string]string{
			"application_name": "moodledb", "client_encoding": "UTF8", "search_path": "pg_catalog",
			"standard_conforming_strings": "on", "statement_timeout": "0", "lock_timeout": "1min",
			"idle_in_transaction_session_timeout": "0", "synchronous_commit": "off", "maintenance_work_mem": "256MB",
			"max_parallel_maintenance_workers": "0", "default_toast_compression": "lz4",
		} {
			if got := scan[string](t, db, "SELECT current_setting($1)", name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
	})
}

// Each error says where, as whom, why and what to do, and never the password.
func TestOpenErrors(t *testing.T) {
	const secret = "s3cr3t-word"
	s := testdb.Get(t, testdb.Targets()[0])
	u := s.Database(t)
	s.Exec(t, u, "DROP ROLE IF EXISTS nologin, full_up", "CREATE ROLE nologin PASSWORD '"+secret+"'",
		"CREATE ROLE full_up LOGIN PASSWORD '"+secret+"' CONNECTION LIMIT 0",
		"DROP DATABASE IF EXISTS latin", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
		"DROP DATABASE IF EXISTS frozen", "CREATE DATABASE frozen", "ALTER DATABASE frozen SET default_transaction_read_only = on",
		"DROP DATABASE IF EXISTS closed", "CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
	s.Role(t, "plain", u)
	tests := []struct {
		name   string
		change func(*dsn.DSN)
		want   []string
	}{
		{"wrong password", func(d *dsn.DSN) { d.Password = secret }, []string{"password authentication failed", "password is wrong"}},
		{"no password", func(d *dsn.DSN) { d.Password = "" }, []string{"no password was given", "PGPASSWORD"}},
		{"no such role", func(d *dsn.DSN) { d.User, d.Password = "who", secret }, []string{`as "who"`, "the role does not exist"}},
		{"no such database", func(d *dsn.DSN) { d.Database = `no "db` }, []string{`CREATE DATABASE "no ""db" OWNER`, "ENCODING 'UTF8' TEMPLATE template0"}},
		{"a role that cannot log in", func(d *dsn.DSN) { d.User, d.Password = "nologin", secret }, []string{`ALTER ROLE "nologin" LOGIN`}},
		{"too many connections", func(d *dsn.DSN) { d.User, d.Password = "full_up", secret }, []string{"too many connections", "use fewer jobs"}},
		{"no right to connect", func(d *dsn.DSN) { d.User, d.Database = "plain", "closed" }, []string{`GRANT CONNECT ON DATABASE "closed" TO "plain"`}},
		{"nobody listens", func(d *dsn.DSN) { d.Port = 1 }, []string{d1(s.Host), "refused", "listen_addresses"}},
		{"no such host", func(d *dsn.DSN) { d.Host = "no-such-host.invalid" }, []string{"no-such-host.invalid", "check the host name"}},
		{"no such socket", func(d *dsn.DSN) { d.Host, d.Socket = "", "/no/such/dir" }, []string{"/no/such/dir/.s.PGSQL.", "has its socket there"}},
		{"TLS refused", func(d *dsn.DSN) { d.Params = map[string]string{"sslmode": "require"} }, []string{"server refused TLS", "ssl = on", "sslmode=disable"}},
		{"wrong parameter", func(d *dsn.DSN) { d.Params = map[string]string{"sslmode": "sometimes"} }, []string{"sslmode", "correct the parameters"}},
		{"another encoding", func(d *dsn.DSN) { d.Database = "latin" }, []string{"encoding is LATIN1", "ENCODING 'UTF8'"}},
		{"read only", func(d *dsn.DSN) { d.Database = "frozen" }, []string{"read only", `ALTER DATABASE "frozen" SET default_transaction_read_only = off`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PGPASSWORD", "")
			t.Setenv("PGPASSFILE", "/nonexistent")
			d := place(t, u)
			tt.change(&d)
			db, err := postgres.Open(t.Context(), d)
			if err == nil {
				db.Close()
				t.Fatal("connected")
			}
			var connErr *postgres.ConnectError
			if !errors.As(err, &connErr) || connErr.Hint == "" {
				t.Errorf("not a ConnectError with a hint: %#v", err)
			}
			for _, part := range append(tt.want, fmt.Sprintf("%q", d.User), fmt.Sprintf("database %q", d.Database)) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in: %v", part, err)
				}
			}
			for _, p := range []string{secret, s.Password} {
				if all := fmt.Sprintf("%v %+v %#v", err, err, connErr.Unwrap()); p != "" && strings.Contains(all, p) {
					t.Errorf("the password is in: %s", all)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := postgres.Open(ctx, place(t, u)); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func d1(host string) string { return host + ":1" }

// copyRows encodes rows of one bigint in COPY's binary format.
func copyRows(values ...int64) []byte {
	b := append([]byte("PGCOPY\n\xff\r\n\x00"), make([]byte, 8)...)
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, 1)
		b = binary.BigEndian.AppendUint32(b, 8)
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	return binary.BigEndian.AppendUint16(b, 0xffff)
}

func TestCopyFrom(t *testing.T) {
	broken := errors.New("the source broke")
	const text = "COPY public.t FROM STDIN"
	tests := []struct {
		name, sql string
		input     func() io.Reader
		rows      int64
		is        error  // what the error is
		code      string // its SQLSTATE
	}{
		{name: "rows", input: func() io.Reader { return bytes.NewReader(copyRows(1, 2, 3)) }, rows: 3},
		{name: "no rows", input: func() io.Reader { return bytes.NewReader(copyRows()) }, rows: 0},
		{name: "the input fails", input: func() io.Reader { return io.MultiReader(bytes.NewReader(copyRows(7)[:20]), failing{broken}) }, is: broken},
		{name: "the server finds fault", sql: text, input: func() io.Reader { return strings.NewReader("1\nx\n") }, code: "22P02"},
		{name: "the key is double", sql: text, input: func() io.Reader { return strings.NewReader("5\n5\n") }, code: "23505"},
		{name: "both fail", sql: text, input: func() io.Reader {
			return io.MultiReader(strings.NewReader("x\n"+strings.Repeat("1\n", 1<<20)), failing{broken})
		}, code: "22P02"},
		{name: "no such table", sql: "COPY public.none FROM STDIN", input: func() io.Reader { return strings.NewReader("") }, code: "42P01"},
	}
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		db := open(t, s.Database(t))
		run(t, db, "CREATE TABLE public.t (n bigint PRIMARY KEY)")
		c := acquire(t, db)
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				if tt.sql == "" {
					tt.sql = postgres.CopyStatement("public", "t", []string{"n"})
				}
				rows, err := c.CopyFrom(t.Context(), tt.sql, tt.input())
				var pgErr *pgconn.PgError
				errors.As(err, &pgErr)
				switch {
				case tt.is != nil && !errors.Is(err, tt.is),
					tt.code != "" && (pgErr == nil || pgErr.Code != tt.code),
					tt.is == nil && tt.code == "" && err != nil, rows != tt.rows:
					t.Errorf("%d rows, %v", rows, err)
				}
				// The session is as good as new.
				if n := scanConn[int](t, c, "SELECT count(*) FROM public.t"); n != int(tt.rows) {
					t.Errorf("the table has %d rows, want %d", n, tt.rows)
				}
				if err := c.Exec(t.Context(), postgres.TruncateTables("public", []string{"t"})); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func scanConn[T any](t testing.TB, c *postgres.Conn, query string) T {
	t.Helper()
	var v T
	if err := c.PGX().QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return v
}

// endless gives rows until its context ends.
type endless struct{ ctx context.Context }

func (e endless) Read(p []byte) (int, error) {
	select {
	case <-e.ctx.Done():
		return 0, e.ctx.Err()
	case <-time.After(time.Millisecond):
		return copy(p, "1\n"), nil
	}
}

// An interrupted statement ends at the server too, and leaves no session behind.
func TestInterrupt(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		u := s.Database(t)
		watcher := open(t, u)
		run(t, watcher, "CREATE TABLE public.t (n bigint)")
		statements := map[string]func(ctx context.Context, c *postgres.Conn) error{
			"a statement": func(ctx context.Context, c *postgres.Conn) error { return c.Exec(ctx, "SELECT pg_sleep(60)") },
			"a copy": func(ctx context.Context, c *postgres.Conn) error {
				_, err := c.CopyFrom(ctx, "COPY public.t FROM STDIN", endless{ctx})
				return err
			},
			"a statement of a transaction": func(ctx context.Context, c *postgres.Conn) error {
				return c.Exec(ctx, "BEGIN; INSERT INTO public.t VALUES (1); SELECT pg_sleep(60)")
			},
		}
		for name, statement := range statements {
			t.Run(name, func(t *testing.T) {
				leaks := goleak.IgnoreCurrent()
				db, err := postgres.Open(t.Context(), place(t, u))
				if err != nil {
					t.Fatal(err)
				}
				c, err := db.Acquire(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				start := time.Now()
				err = statement(ctx, c)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				if took := time.Since(start); took > 3*time.Second {
					t.Errorf("it took %s", took)
				}
				c.Release()
				c.Release() // does no harm
				db.Close()
				const others = `SELECT count(*) FROM pg_stat_activity
					WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`
				var n int
				for range 50 {
					if n = scan[int](t, watcher, others); n == 0 {
						break
					}
					time.Sleep(20 * time.Millisecond)
				}
				if n != 0 {
					t.Errorf("%d sessions are left", n)
				}
				if rows := scan[int](t, watcher, "SELECT count(*) FROM public.t"); rows != 0 {
					t.Errorf("%d rows are left", rows)
				}
				goleak.VerifyNone(t, leaks)
			})
		}
	})
}

// A session that cannot be used any more is not given out again.
func TestSpoiltSessionsAreReplaced(t *testing.T) {
	s := testdb.Get(t, testdb.Targets()[0])
	u := s.Database(t)
	db := open(t, u)
	const whoami = "SELECT pg_backend_pid()"
	c := acquire(t, db)
	first := scanConn[int](t, c, whoami)
	if err := c.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	c.Release()
	c = acquire(t, db)
	second := scanConn[int](t, c, whoami)
	if second == first {
		t.Error("a session inside a transaction was given out again")
	}
	if got := scanConn[string](t, c, "SHOW synchronous_commit"); got != "off" {
		t.Errorf("synchronous_commit = %s in the new session", got)
	}
	c.Release()
	// The server ends the idle session, as it does when it restarts.
	s.Exec(t, u, fmt.Sprintf("SELECT pg_terminate_backend(%d)", second))
	time.Sleep(postgres.Stale + 100*time.Millisecond)
	c = acquire(t, db)
	if third := scanConn[int](t, c, whoami); third == second {
		t.Error("a dead session was given out again")
	}
}
