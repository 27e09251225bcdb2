package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/moodledb/moodledb/report"
)

// figure is one number of a run.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	// value returns the number, and false while it is not known.
	value func(p *report.Progress) (float64, bool)
}

// tableFigure is one number of a table.
type tableFigure struct {
	desc  *prometheus.Desc
	value func(t *tableTrack) float64
}

func newFigures() *figures {
	f := &figures{
		run: prometheus.NewDesc("moodledb_run_info",
			"The run's number in the target's ledger, and its step, as labels; the value is always 1.", []string{"run", "step"}, nil),
		tables: []tableFigure{
			{tableDesc("moodledb_table_bytes", "Bytes of a large table that are in the target."), func(t *tableTrack) float64 { return float64(t.bytes) }},
			{tableDesc("moodledb_table_expected_bytes", "Bytes of a large table as the source estimates them."), func(t *tableTrack) float64 { return float64(t.expectedBytes) }},
		},
	}
	f.gauge("moodledb_rows", "Rows in the target, those of earlier attempts included.", func(p *report.Progress) int64 { return p.Rows })
	f.gauge("moodledb_expected_rows", "Rows to copy, as the source estimates them.", func(p *report.Progress) int64 { return p.ExpectedRows })
	f.gauge("moodledb_bytes", "Bytes of rows in the target, those of earlier attempts included.", func(p *report.Progress) int64 { return p.Bytes })
	f.gauge("moodledb_expected_bytes", "Bytes to copy, as the source estimates them.", func(p *report.Progress) int64 { return p.ExpectedBytes })
	f.gauge("moodledb_tables", "Tables to copy.", func(p *report.Progress) int64 { return int64(p.Tables) })
	f.gauge("moodledb_tables_copied", "Tables whose rows are all in the target.", func(p *report.Progress) int64 { return int64(p.Copied) })
	f.gauge("moodledb_tables_done", "Tables that are complete: rows, keys and indexes.", func(p *report.Progress) int64 { return int64(p.Done) })
	f.gauge("moodledb_indexes", "Keys and indexes to build.", func(p *report.Progress) int64 { return int64(p.Indexes) })
	f.gauge("moodledb_indexes_built", "Keys and indexes that are built.", func(p *report.Progress) int64 { return int64(p.Built) })
	f.gauge("moodledb_tables_verified", "Tables whose rows were read back, and are what was sent.", func(p *report.Progress) int64 { return int64(p.Verified) })
	f.gauge("moodledb_tables_working", "Tables that are being copied, built or read back now.", func(p *report.Progress) int64 { return int64(len(p.Working)) })
	f.counter("moodledb_copied_rows_total", "Rows that this attempt has sent; what is copied anew counts again.", func(p *report.Progress) int64 { return p.SentRows })
	f.counter("moodledb_copied_bytes_total", "Bytes of rows that this attempt has sent; what is copied anew counts again.", func(p *report.Progress) int64 { return p.SentBytes })
	f.counter("moodledb_read_bytes_total", "Bytes of rows that this attempt has read back; what is read anew counts again.", func(p *report.Progress) int64 { return p.ReadBytes })
	f.counter("moodledb_retries_total", "Errors that may pass, and after which a part was tried again.", func(p *report.Progress) int64 { return int64(p.Retries) })
	f.counter("moodledb_readers_lost_total", "Readers of the source whose connection was lost.", func(p *report.Progress) int64 { return int64(p.ReadersLost) })
	f.add("moodledb_progress_ratio", "The part of the work that is done, between 0 and 1.", prometheus.GaugeValue,
		func(p *report.Progress) (float64, bool) { return p.Fraction, true })
	f.add("moodledb_elapsed_seconds", "Seconds since this attempt began to copy or build.", prometheus.GaugeValue,
		func(p *report.Progress) (float64, bool) { return p.Elapsed.Seconds(), true })
	f.add("moodledb_eta_seconds", "Seconds that the rest will take, at the speed of late; missing while that is not known.", prometheus.GaugeValue,
		func(p *report.Progress) (float64, bool) { return p.Left.Seconds(), p.LeftKnown })
	return f
}

func tableDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"table"}, nil)
}

func (f *figures) add(name, help string, kind prometheus.ValueType, value func(*report.Progress) (float64, bool)) {
	f.list = append(f.list, figure{prometheus.NewDesc(name, help, nil, nil), kind, value})
}

func (f *figures) gauge(name, help string, value func(*report.Progress) int64) {
	f.add(name, help, prometheus.GaugeValue, func(p *report.Progress) (float64, bool) { return float64(value(p)), true })
}

func (f *figures) counter(name, help string, value func(*report.Progress) int64) {
	f.add(name, help, prometheus.CounterValue, func(p *report.Progress) (float64, bool) { return float64(value(p)), true })
}

// Describe sends what there can be.
func (f *figures) Describe(out chan<- *prometheus.Desc) {
	out <- f.run
	for _, x := range f.list {
		out <- x.desc
	}
	for _, x := range f.tables {
		out <- x.desc
	}
}

// Collect sends the figures as they are now; none before there is a run.
func (f *figures) Collect(out chan<- prometheus.Metric) {
	tr := f.tracker.Load()
	if tr == nil {
		return
	}
	p := tr.progress()
	out <- prometheus.MustNewConstMetric(f.run, prometheus.GaugeValue, 1, strconv.FormatInt(p.Run, 10), p.Step)
	for _, x := range f.list {
		if v, ok := x.value(&p); ok {
			out <- prometheus.MustNewConstMetric(x.desc, x.kind, v)
		}
	}
	for _, t := range tr.largest() {
		for _, x := range f.tables {
			// A name that is not UTF-8 would make the whole answer invalid.
			out <- prometheus.MustNewConstMetric(x.desc, prometheus.GaugeValue, x.value(&t), strings.ToValidUTF8(t.name, "\ufffd"))
		}
	}
}

const (
	// ownFigures is the size from which a table has figures of its own, and
	// mostFigures how many tables have at most: each is a series that
	// Prometheus keeps, and a site has 500 tables.
	ownFigures  = 256 << 20
	mostFigures = 20
)

// largest are copies of the large tables, the largest first.
func (tr *tracker) largest() []tableTrack {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var large []tableTrack
	for _, t := range tr.tables {
		if t.copies && t.expectedBytes >= ownFigures {
			large = append(large, *t)
		}
	}
	slices.SortFunc(large, func(a, b tableTrack) int {
		return cmp.Or(cmp.Compare(b.expectedBytes, a.expectedBytes), strings.Compare(a.name, b.name))
	})
	return large[:min(len(large), mostFigures)]
}
