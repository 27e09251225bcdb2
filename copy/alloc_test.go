package copy

import (
	"io"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
)

// logstoreJob has the shape of Moodle's largest table: mostly bigint, some text.
func logstoreJob(t testing.TB) (Job, [][]byte) {
	t.Helper()
	job := Job{Table: "log"}
	var row [][]byte
	add := func(src, dst string, value string) {
		rule, err := convert.Value(schema.Column{Type: schema.Type{Name: src}}, schema.Column{Type: schema.Type{Name: dst}})
		if err != nil {
			t.Fatal(err)
		}
		job.Columns = append(job.Columns, Column{Source: dst, Target: dst, Rule: rule})
		row = append(row, []byte(value))
	}
	for range 12 {
		add("bigint", "bigint", "1700000000")
	}
	add("decimal", "numeric", "87.50000")
	add("double", "double precision", "0.30000000000000004")
	add("datetime", "timestamp without time zone", "2024-02-29 12:34:56")
	for range 6 {
		add("varchar", "character varying", "\\core\\event\\course_viewed")
	}
	row[5] = nil
	return job, row
}

// emptied is a pipe whose buffers are free again at once.
func emptied(opts Options) *pipe {
	p := newPipe(nil, opts)
	go func() { _, _ = io.Copy(io.Discard, p) }()
	return p
}

func TestRowsDoNotAllocate(t *testing.T) {
	job, row := logstoreJob(t)
	long := append([][]byte{}, row...)
	long[20] = []byte(strings.Repeat("x", 300<<10))
	for _, c := range []struct {
		name string
		row  [][]byte
	}{{"small", row}, {"longer than a buffer", long}} {
		t.Run(c.name, func(t *testing.T) {
			p := emptied(Options{}.withDefaults())
			w := newWriter(job, p, func(_, _ int64) {})
			w.buf, _ = p.buffer()
			write := func() {
				if err := w.row(c.row); err != nil {
					t.Fatal(err)
				}
			}
			for range 3000 {
				write() // until every buffer exists
			}
			if n := testing.AllocsPerRun(3000, write); n != 0 {
				t.Errorf("%.2f allocations per row", n)
			}
			p.finish(nil)
		})
	}
}

func BenchmarkRow(b *testing.B) {
	job, row := logstoreJob(b)
	size := 0
	for _, f := range row {
		size += len(f)
	}
	p := emptied(Options{}.withDefaults())
	w := newWriter(job, p, nil)
	w.buf, _ = p.buffer()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if err := w.row(row); err != nil {
			b.Fatal(err)
		}
	}
	p.finish(nil)
}

// BenchmarkGuarded measures rows under a policy: without a fault, with all
// texts looked at, and with a fault in each row.
func BenchmarkGuarded(b *testing.B) {
	for _, c := range []struct {
		name  string
		mode  convert.BadValueMode
		scan  bool
		fault string
	}{
		{"no fault", convert.FixBad, false, "x"},
		{"looked at", convert.FixBad, true, "x"},
		{"fixed", convert.FixBad, true, "x\x00"},
		{"set aside", convert.QuarantineBad, true, "x\x00"},
	} {
		b.Run(c.name, func(b *testing.B) {
			job, row := logstoreJob(b)
			job.Policy.Mode = c.mode
			row[20] = []byte(c.fault)
			size := 0
			for _, f := range row {
				size += len(f)
			}
			p := emptied(Options{}.withDefaults())
			w := newWriter(job, p, nil)
			w.guard = newGuard(job)
			w.guard.repair = &Repair{scan: c.scan}
			w.buf, _ = p.buffer()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := w.guarded(nil, row, false); err != nil && err != errAside {
					b.Fatal(err)
				}
			}
			p.finish(nil)
			if err := w.guard.discard(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
