//go:build integration

package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/postgres"
)

// peakHeap runs f and returns by how many bytes the heap grew at most.
func peakHeap(f func()) uint64 {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	start := m.HeapAlloc
	var peak atomic.Uint64
	peak.Store(start)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapAlloc))
			}
		}
	}()
	f()
	close(stop)
	<-done
	return peak.Load() - start
}

// usable fails the test unless a session can be used.
func usable(t *testing.T, c *postgres.Conn) {
	t.Helper()
	if c.Lost() {
		t.Fatal("the session is lost")
	}
	var got bytes.Buffer
	if err := c.CopyTo(t.Context(), "COPY (SELECT 'still there') TO STDOUT", &got); err != nil || got.String() != "still there\n" {
		t.Errorf("%q, %v", got.String(), err)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// The bytes are those that the driver's own way gives, whatever the rows and what else the server says meanwhile.
func TestCopyTo(t *testing.T) {
	forTargets(t, func(t *testing.T, s *testdb.Server) {
		db := open(t, s.Database(t))
		run(t, db, `CREATE FUNCTION public.warn(i int) RETURNS int LANGUAGE plpgsql AS
			$$ BEGIN IF i % 1000 = 0 THEN RAISE WARNING 'at %', i; END IF; RETURN i; END $$`)
		c := acquire(t, db)
		for name, query := range map[string]string{
			"no rows":     "SELECT 1 WHERE false",
			"small rows":  "SELECT i, 'text ' || i, NULL::int FROM generate_series(1, 20000) i",
			"all sizes":   "SELECT i, repeat('x', i * 170), repeat('y', (i * i * 97) % 70000) FROM generate_series(1, 200) i",
			"near 64 KiB": "SELECT repeat('x', i) FROM generate_series(65515, 65545) i",
			"warnings":    "SELECT public.warn(i), repeat('z', i % 300) FROM generate_series(1, 20000) i",
			"no columns":  "SELECT FROM generate_series(1, 100)",
		} {
			t.Run(name, func(t *testing.T) {
				for _, format := range []string{"binary", "text"} {
					statement := "COPY (" + query + ") TO STDOUT (FORMAT " + format + ")"
					var want, got bytes.Buffer
					if _, err := c.PGX().PgConn().CopyTo(t.Context(), &want, statement); err != nil {
						t.Fatal(err)
					}
					if err := c.CopyTo(t.Context(), statement, &got); err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(want.Bytes(), got.Bytes()) {
						t.Errorf("%s: %d bytes, want %d", format, got.Len(), want.Len())
					}
				}
			})
		}
		if got := scan[int](t, db, "SELECT 7"); got != 7 {
			t.Error(got)
		}
	})
}

func TestCopyToHoldsNoRow(t *testing.T) {
	db := open(t, testdb.Get(t, testdb.Targets()[0]).Database(t))
	run(t, db, "CREATE TABLE public.large (id int, v bytea)", "ALTER TABLE public.large ALTER v SET STORAGE EXTERNAL",
		"INSERT INTO public.large SELECT 1, convert_to(repeat('0123456789', 10000000), 'UTF8')")
	c := acquire(t, db)
	stream := fingerprint.NewStream(make([]fingerprint.Column, 2))
	grown := peakHeap(func() {
		if err := c.CopyTo(t.Context(), "COPY public.large TO STDOUT (FORMAT binary)", stream); err != nil {
			t.Fatal(err)
		}
	})
	if err := stream.End(); err != nil || stream.Sum().Rows != 1 || stream.Bytes() < 100_000_000 {
		t.Errorf("%d rows of %d bytes: %v", stream.Sum().Rows, stream.Bytes(), err)
	}
	t.Logf("the heap grew by %d KiB", grown>>10)
	if grown > 4<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	usable(t, c)
}

func TestCopyToErrors(t *testing.T) {
	// A series in FROM would be made as a whole first.
	const endless = "COPY (SELECT repeat('x', 1000), generate_series(1, 1000000000)) TO STDOUT (FORMAT binary)"
	db := open(t, testdb.Get(t, testdb.Targets()[0]).Database(t))
	c := acquire(t, db)

	t.Run("in the middle", func(t *testing.T) {
		var n int64
		err := c.CopyTo(t.Context(), "COPY (SELECT 1 / (50000 - i) FROM generate_series(1, 100000) i) TO STDOUT (FORMAT binary)",
			writerFunc(func(p []byte) (int, error) { n += int64(len(p)); return len(p), nil }))
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != "22012" || n == 0 {
			t.Errorf("after %d bytes: %v", n, err)
		}
		usable(t, c)
	})
	t.Run("no such table", func(t *testing.T) {
		err := c.CopyTo(t.Context(), "COPY public.nothing TO STDOUT", io.Discard)
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != "42P01" {
			t.Error(err)
		}
		usable(t, c)
	})
	t.Run("of the writer", func(t *testing.T) {
		full := errors.New("disk full")
		err := c.CopyTo(t.Context(), endless, writerFunc(func([]byte) (int, error) { return 0, full }))
		if err != full {
			t.Error(err)
		}
		usable(t, c)
	})
	t.Run("of a context that ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := c.CopyTo(ctx, endless, writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil }))
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		usable(t, c)
	})
	t.Run("of a context that has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.CopyTo(ctx, endless, io.Discard); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		usable(t, c)
	})
	t.Run("of a lost connection", func(t *testing.T) {
		killed := acquire(t, db)
		pid := killed.PGX().PgConn().PID()
		once := false
		err := killed.CopyTo(t.Context(), endless, writerFunc(func(p []byte) (int, error) {
			if !once {
				once = true
				if !scan[bool](t, db, "SELECT pg_terminate_backend($1)", pid) {
					t.Error("not terminated")
				}
			}
			return len(p), nil
		}))
		if !postgres.IsLost(err) || !killed.Lost() {
			t.Error(err)
		}
	})
}

// BenchmarkCopyTo compares CopyTo with the driver's own way.
func BenchmarkCopyTo(b *testing.B) {
	db := open(b, testdb.Get(b, testdb.Targets()[0]).Database(b))
	run(b, db, `CREATE UNLOGGED TABLE public.log AS SELECT i::bigint AS id, '\core\event\course_viewed'::varchar AS name,
		i % 1000 AS userid, i * 7 AS at, '{"a":' || i || '}' AS other, 'web'::varchar AS origin FROM generate_series(1, 500000) i`,
		"VACUUM public.log")
	c := acquire(b, db)
	const statement = "COPY public.log TO STDOUT (FORMAT binary)"
	for _, sums := range []bool{false, true} {
		writer := func() io.Writer {
			if sums {
				return fingerprint.NewStream(make([]fingerprint.Column, 6))
			}
			return io.Discard
		}
		name := strings.Repeat(" summed", map[bool]int{true: 1}[sums])
		b.Run("driver"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.PGX().PgConn().CopyTo(b.Context(), writer(), statement); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("tap"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.CopyTo(b.Context(), statement, writer()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
