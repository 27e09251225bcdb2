//go:build integration

package mysql_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
)

// open opens the product's pool on a test database.
func openDB(t testing.TB, url string) *mysql.DB {
	t.Helper()
	d, err := dsn.Parse(url, dsn.Options{Getenv: func(string) string { return "" }, Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	db, err := mysql.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// readers opens n readers.
func readers(t testing.TB, db *mysql.DB, n int) *mysql.Snapshot {
	t.Helper()
	s, err := db.Snapshot(t.Context(), mysql.SnapshotOptions{Mode: mysql.SnapshotNone, Readers: n})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// one reads the single value of a query.
func one(t testing.TB, r *mysql.Reader, query string) string {
	t.Helper()
	rows, err := r.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	fields, _, err := rows.Next()
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	value := string(fields[0])
	if _, _, err := rows.Next(); err != io.EOF {
		t.Fatalf("%s: %v", query, err)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	return value
}

func eachSource(t *testing.T, test func(t *testing.T, s *testdb.Server, url string)) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			test(t, s, s.Database(t))
		})
	}
}

// numbers fills the table n with 2^power rows and some text.
func numbers(power int) []string {
	list := []string{"CREATE TABLE n (id BIGINT PRIMARY KEY AUTO_INCREMENT, t VARCHAR(500)) ENGINE=InnoDB", "INSERT INTO n (t) VALUES (REPEAT('x', 500))"}
	for range power {
		list = append(list, "INSERT INTO n (t) SELECT t FROM n")
	}
	return list
}

func TestReaderStopsAndGoesOn(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		s.Exec(t, url, numbers(15)...)
		r := readers(t, openDB(t, url), 1).Readers[0]
		id := one(t, r, "SELECT CONNECTION_ID()")

		// Rows committed later are not in the snapshot, before or after a query was stopped.
		s.Exec(t, url, "DELETE FROM n WHERE id < 100")
		for i := range 3 {
			rows, err := r.Query(t.Context(), "SELECT a.id, a.t FROM n a JOIN n b")
			if err != nil {
				t.Fatal(err)
			}
			for range 1000 * i {
				if _, _, err := rows.Next(); err != nil {
					t.Fatal(err)
				}
			}
			began := time.Now()
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("stopping a query took %s", took)
			}
			if got := one(t, r, "SELECT COUNT(*) FROM n"); got != "32768" {
				t.Errorf("%s rows after a stopped query", got)
			}
		}
		// Stopping a query that is all but over hits no later one.
		for range 20 {
			rows, err := r.Query(t.Context(), "SELECT 1 UNION ALL SELECT 2")
			if err != nil {
				t.Fatal(err)
			}
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
			if got := one(t, r, "SELECT CONNECTION_ID()"); got != id {
				t.Fatal("another connection")
			}
		}
	})
}

func TestReaderCancel(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		s.Exec(t, url, numbers(12)...)
		db := openDB(t, url)
		for _, c := range []struct{ name, query string }{
			{"before the first row", "SELECT SLEEP(300)"},
			{"among the rows", "SELECT a.id, a.t FROM n a JOIN n b JOIN n c"},
		} {
			t.Run(c.name, func(t *testing.T) {
				r := readers(t, db, 1).Readers[0]
				ctx, cancel := context.WithCancelCause(t.Context())
				stop := errors.New("interrupted")
				time.AfterFunc(300*time.Millisecond, func() { cancel(stop) })
				began := time.Now()
				rows, err := r.Query(ctx, c.query)
				for err == nil {
					_, _, err = rows.Next()
				}
				if !errors.Is(err, stop) {
					t.Errorf("got %v", err)
				}
				if rows != nil && rows.Close() == nil {
					t.Error("Close did not say that the connection is lost")
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("cancelling took %s", took)
				}
				// Nothing of it runs on at the server.
				var left int
				for range 50 {
					if err := db.SQL().QueryRow("SELECT COUNT(*) FROM information_schema.processlist WHERE info = ?", c.query).Scan(&left); err != nil {
						t.Fatal(err)
					}
					if left == 0 {
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
				t.Errorf("%d queries still run", left)
			})
		}
	})
}

func TestSnapshotSeesOneMoment(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		s.Exec(t, url, "CREATE TABLE a (n INT) ENGINE=InnoDB", "INSERT INTO a VALUES (0)", "CREATE TABLE b (n INT) ENGINE=InnoDB", "INSERT INTO b VALUES (0)")
		db := openDB(t, url)
		quiet := readers(t, db, 3)
		t.Logf("quiet: %s (%s)", quiet.How, quiet.Position)
		if !quiet.Consistent {
			t.Errorf("not consistent on a quiet server: %s", quiet.How)
		}

		// A writer moves both counters in one transaction, with gaps as a busy site has them.
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		pool := s.SQL(t, url)
		go func() {
			for ctx.Err() == nil {
				tx, err := pool.Begin()
				if err != nil {
					done <- err
					return
				}
				_, err = tx.Exec("UPDATE a SET n = n + 1")
				if err == nil {
					_, err = tx.Exec("UPDATE b SET n = n + 1")
				}
				if err = errors.Join(err, tx.Commit()); err != nil {
					done <- err
					return
				}
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
			done <- nil
		}()
		for range 8 {
			busy := readers(t, db, 3)
			t.Logf("busy: %v, %s (%s)", busy.Consistent, busy.How, busy.Position)
			var seen []string
			for _, r := range busy.Readers {
				seen = append(seen, one(t, r, "SELECT (SELECT n FROM a)"), one(t, r, "SELECT (SELECT n FROM b)"))
			}
			if busy.Consistent && strings.Join(seen, " ") != strings.Repeat(seen[0]+" ", 5)+seen[0] {
				t.Errorf("readers of one moment see %v", seen)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestSnapshotWithoutRights(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		user := fmt.Sprintf("reader%d", time.Now().UnixNano()%100000)
		s.Exec(t, url, "CREATE TABLE a (n INT)", "CREATE USER '"+user+"'@'%' IDENTIFIED BY 'Secret.123'")
		d, err := dsn.Parse(url, dsn.Options{Getenv: func(string) string { return "" }, Home: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		s.Exec(t, url, "GRANT SELECT ON `"+d.Database+"`.* TO '"+user+"'@'%'")
		d.User, d.Password = user, "Secret.123"
		db, err := mysql.Open(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		three := readers(t, db, 3)
		t.Logf("%v: %s", three.Consistent, three.How)
		if !three.Consistent && !strings.Contains(three.How, "the right PROCESS") {
			t.Errorf("no advice: %s", three.How)
		}
		if one := readers(t, db, 1); !one.Consistent {
			t.Errorf("one reader: %s", one.How)
		}
		// The session is read only whatever the user may do.
		if _, err := three.Readers[0].Query(t.Context(), "INSERT INTO a VALUES (1)"); err == nil {
			t.Error("a reader wrote")
		}
	})
}

func TestReaderTransports(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		for _, c := range []struct {
			name   string
			change func(*dsn.DSN)
			secure bool
		}{
			{"plain", func(d *dsn.DSN) { d.TLS.Mode = dsn.TLSDisabled }, false},
			{"TLS", func(d *dsn.DSN) { d.TLS.Mode = dsn.TLSRequired }, true},
			{"socket", func(d *dsn.DSN) { d.Host, d.Port, d.Socket = "", 0, s.Socket }, false},
		} {
			if c.name == "socket" && s.Socket == "" && s.Backend == "docker" {
				continue // a container's socket is out of reach; the direct backend tests it
			}
			t.Run(c.name, func(t *testing.T) {
				d, err := dsn.Parse(url, dsn.Options{Getenv: func(string) string { return "" }, Home: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				c.change(&d)
				db, err := mysql.Open(t.Context(), d)
				if c.secure && errors.Is(err, mysql.ErrTLS) {
					return // the server offers none, so nothing but this error is right
				}
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				r := readers(t, db, 1).Readers[0]
				rows, err := r.Query(t.Context(), "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
				if err != nil {
					t.Fatal(err)
				}
				fields, _, err := rows.Next()
				if err != nil || len(fields) != 2 {
					t.Fatal(fields, err)
				}
				if secure := len(fields[1]) > 0; secure != c.secure {
					t.Errorf("the cipher is %q", fields[1])
				}
				if err := rows.Close(); err != nil {
					t.Fatal(err)
				}
				// A row larger than any buffer, in both ways of reading it.
				rows, err = r.Query(t.Context(), "SELECT 1, REPEAT('x', 5000000), 2")
				if err != nil {
					t.Fatal(err)
				}
				if _, large, err := rows.Next(); !large || err != nil {
					t.Fatal(large, err)
				}
				for _, want := range []int64{1, 5000000, 1} {
					size, _, err := rows.NextField()
					if err != nil || size != want {
						t.Fatal(size, err)
					}
					if n, err := io.Copy(io.Discard, rows); n != want || err != nil {
						t.Fatal(n, err)
					}
				}
				if err := rows.Close(); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}
