//go:build integration

package proof

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/verify"
)

// benchRows is the size of the table that is compared; the log is a site's largest.
const benchRows = 500_000

// makeLog makes a table of the shape of a site's log.
func makeLog(b *testing.B, p place) {
	b.Helper()
	definition := "CREATE TABLE mdl_log (id bigint NOT NULL PRIMARY KEY, eventname varchar(255) NOT NULL, component varchar(100) NOT NULL, action varchar(100) NOT NULL, " +
		"objectid bigint, crud varchar(1) NOT NULL, contextid bigint NOT NULL, userid bigint NOT NULL, courseid bigint, other %s, timecreated bigint NOT NULL, ip varchar(45))"
	row := `'/core/event/course_viewed', 'core', 'viewed', id * 3, 'r', MOD(id, 999), MOD(id, 5000), MOD(id, 321), 'a:1:{s:3:"key";s:5:"value";}', 1700000000 + id, '192.0.2.17'`
	if p.mysql {
		p.server.Exec(b, p.url, fmt.Sprintf(definition, "longtext"))
	} else {
		p.server.Exec(b, p.url, fmt.Sprintf(definition, "text"), fmt.Sprintf("INSERT INTO mdl_log SELECT id, "+row+" FROM generate_series(1, %d) id", benchRows), "VACUUM ANALYZE mdl_log")
		return
	}
	p.server.Exec(b, p.url, "INSERT INTO mdl_log SELECT id, "+row+" FROM (SELECT 1 AS id) x")
	for n := 1; n < benchRows; n *= 2 {
		p.server.Exec(b, p.url, fmt.Sprintf("INSERT INTO mdl_log SELECT id + %d, eventname, component, action, (id + %[1]d) * 3, crud, MOD(id + %[1]d, 999), MOD(id + %[1]d, 5000), MOD(id + %[1]d, 321), other, 1700000000 + id + %[1]d, ip FROM mdl_log WHERE id + %[1]d <= %d", n, benchRows))
	}
	p.server.Exec(b, p.url, "ANALYZE TABLE mdl_log")
}

// BenchmarkCompare compares one large table of two engines, beside the plain
// reading of either side with as many sessions: COPY TO STDOUT, and an unbuffered SELECT.
func BenchmarkCompare(b *testing.B) {
	expected, found := newPlace(b, "mariadb-10.11"), newPlace(b, "postgres-15")
	makeLog(b, expected)
	makeLog(b, found)
	const jobs = 1
	b.Run("SELECT", func(b *testing.B) {
		db, err := mysql.Open(b.Context(), expected.source(b).DSN)
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		s, err := db.Snapshot(b.Context(), mysql.SnapshotOptions{Readers: jobs})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		for b.Loop() {
			rows, err := s.Readers[0].Query(b.Context(), "SELECT * FROM mdl_log")
			if err != nil {
				b.Fatal(err)
			}
			n := 0
			for ; err == nil; n++ {
				_, _, err = rows.Next()
			}
			if !errors.Is(err, io.EOF) || rows.Close() != nil || n != benchRows+1 {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("COPY", func(b *testing.B) {
		db, err := postgres.OpenReadOnly(b.Context(), found.source(b).DSN)
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		c, err := db.Acquire(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer c.Release()
		for b.Loop() {
			if _, err := c.PGX().PgConn().CopyTo(b.Context(), io.Discard, "COPY public.mdl_log TO STDOUT (FORMAT binary)"); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, pair := range map[string][2]place{"PostgreSQL and itself": {found, found}, "MariaDB and itself": {expected, expected}, "MariaDB and PostgreSQL": {expected, found}} {
		for _, part := range []int64{0, 8 << 20} {
			b.Run(fmt.Sprintf("compare %s in parts of %d", name, part), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					r, err := Compare(b.Context(), pair[0].source(b), pair[1].source(b), Options{Jobs: jobs, part: part})
					if err != nil || r.Tables[0].State != verify.Same || r.Tables[0].Expected.Rows != benchRows {
						b.Fatalf("%+v, %v", r, err)
					}
					b.ReportMetric(float64(r.Tables[0].Parts), "parts")
				}
			})
		}
	}
}
