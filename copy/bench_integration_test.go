//go:build integration && unix

package copy_test

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/internal/testdb"
)

// shape is a table as sites have it.
type shape struct {
	name           string
	rows           int
	source, target string
	values         string // of row i
}

// shapes are the four kinds of table that make up a site's bytes: the log, with
// many short columns; posts, with text; grades, with decimals; and files.
func shapes() []shape {
	const ints = "a BIGINT, b BIGINT, c BIGINT, d BIGINT, e BIGINT, f BIGINT, g BIGINT, h BIGINT, j BIGINT"
	return []shape{
		{
			"log", 200000,
			"id BIGINT PRIMARY KEY, ev VARCHAR(255), co VARCHAR(100), ac VARCHAR(100), tg VARCHAR(100), " + ints + ", an TINYINT(1), ot LONGTEXT, og VARCHAR(10), ip VARCHAR(45), tc BIGINT, ru BIGINT, cr VARCHAR(1)",
			"id bigint, ev varchar(255), co varchar(100), ac varchar(100), tg varchar(100), " + strings.ToLower(ints) + ", an smallint, ot text, og varchar(10), ip varchar(45), tc bigint, ru bigint, cr varchar(1)",
			`i, '\\core\\event\\course_module_viewed', 'core', 'viewed', 'course_module', i, i*7, 50, i MOD 977, 1, i MOD 31, i*3, NULL, 2, 0, 'N;', 'web', CONCAT('10.0.', i MOD 250, '.7'), 1700000000+i, NULL, 'r'`,
		},
		{
			"posts", 20000,
			"id BIGINT PRIMARY KEY, d BIGINT, u BIGINT, t BIGINT, s VARCHAR(255), m LONGTEXT, f TINYINT, x SMALLINT",
			"id bigint, d bigint, u bigint, t bigint, s varchar(255), m text, f smallint, x smallint",
			`i, i MOD 900, i MOD 3000, 1700000000+i, CONCAT('Re: topic ', i), REPEAT(CONCAT('<p>Lorem ipsum dolor — ', i, ' sit amet</p>'), 10+i MOD 150), 1, 0`,
		},
		{
			"grades", 200000,
			"id BIGINT PRIMARY KEY, i BIGINT, u BIGINT, r DECIMAL(10,5), mx DECIMAL(10,5), mn DECIMAL(10,5), f DECIMAL(10,5), h BIGINT, l BIGINT, e BIGINT, w BIGINT, a VARCHAR(10), tc BIGINT",
			"id bigint, i bigint, u bigint, r numeric(10,5), mx numeric(10,5), mn numeric(10,5), f numeric(10,5), h bigint, l bigint, e bigint, w bigint, a varchar(10), tc bigint",
			`i, i MOD 500, i MOD 9000, (i MOD 1000)/10, 100, 0, (i MOD 7777)/77, 0, 0, 0, 0, 'novalue', 1700000000+i`,
		},
		{
			"blobs", 100,
			"id BIGINT PRIMARY KEY, b LONGBLOB, t LONGTEXT",
			"id bigint, b bytea, t text",
			`i, REPEAT(UNHEX(SHA2(i, 256)), 32768), 'x'`,
		},
	}
}

// create makes the table of a shape at both ends.
func (s shape) create(b *testing.B, e *ends) {
	b.Helper()
	e.source.Exec(b, e.sourceURL, "CREATE TABLE "+s.name+" ("+s.source+") CHARACTER SET utf8mb4",
		"CREATE TABLE IF NOT EXISTS ten (n INT)", "DELETE FROM ten", "INSERT INTO ten VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)",
		fmt.Sprintf("INSERT INTO %s SELECT %s FROM (SELECT a.n+10*b.n+100*c.n+1000*d.n+10000*e.n+100000*f.n+1 AS i FROM ten a, ten b, ten c, ten d, ten e, ten f) x WHERE i <= %d ORDER BY i", s.name, s.values, s.rows))
	e.target.Exec(b, e.targetURL, "CREATE TABLE "+s.name+" ("+s.target+")")
}

// cost is what runs of one path took.
type cost struct {
	wall, cpu time.Duration
	allocs    uint64
}

// processor is the time that this process, and not the servers, computed so far.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure adds the cost of one run.
func (c *cost) measure(b *testing.B, run func()) {
	b.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	wall, cpu := time.Now(), processor(b)
	run()
	c.wall += time.Since(wall)
	c.cpu += processor(b) - cpu
	runtime.ReadMemStats(&after)
	c.allocs += after.Mallocs - before.Mallocs
}

// BenchmarkTable justifies our own reader: it copies each shape by it and by
// database/sql with go-sql-driver, in turns, with the same encoders and the
// same target. The metrics are those of our path; those that begin with
// "driver" tell how many times as much the other one takes.
func BenchmarkTable(b *testing.B) {
	e := connect(b, testdb.Sources()[0], testdb.Targets()[0])
	for _, s := range shapes() {
		b.Run(s.name, func(b *testing.B) {
			s.create(b, e)
			src, dst, job := e.newReader(b), e.newTarget(b), e.job(b, s.name)
			reference := driverSource{e.my.SQL()}
			var bytes int64
			run := func(from copy.Source) func() {
				return func() {
					result, err := copy.Table(b.Context(), from, dst, job, copy.Options{})
					if err != nil || result.Rows != int64(s.rows) {
						b.Fatal(result, err)
					}
					bytes = result.Bytes
				}
			}
			empty := func() {
				if err := dst.Exec(b.Context(), "TRUNCATE public."+s.name); err != nil {
					b.Fatal(err)
				}
			}
			// Once for the caches of all three.
			run(src)()
			var ours, theirs cost
			n := 0
			for b.Loop() {
				empty()
				ours.measure(b, run(src))
				empty()
				theirs.measure(b, run(reference))
				n++
			}
			rows := float64(s.rows * n)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(rows/ours.wall.Seconds(), "rows/s")
			b.ReportMetric(float64(bytes)*float64(n)/1e6/ours.wall.Seconds(), "MB/s")
			b.ReportMetric(float64(ours.cpu.Nanoseconds())/rows, "cpu-ns/row")
			b.ReportMetric(float64(ours.allocs)/rows, "allocs/row")
			b.ReportMetric(float64(theirs.allocs)/rows, "driver-allocs/row")
			b.ReportMetric(float64(theirs.cpu)/float64(ours.cpu), "driver-cpu-ratio")
			b.ReportMetric(float64(theirs.wall)/float64(ours.wall), "driver-wall-ratio")
		})
	}
}
