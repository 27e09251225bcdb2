package main

import (
	"io"
	"strings"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/report"
)

// bars draws a bar for the whole, one for each large table that is being
// copied, and one for each of its indexes that is being built.
type bars struct {
	barPool
	tr *tracker
	// copies are the bars of tables, builds those of indexes by table and name.
	// reads are those of tables that are read back.
	copies map[string]*mpb.Bar
	reads  map[string]*mpb.Bar
	builds map[[2]string]*mpb.Bar
	large  map[string]int64
}

func newBars(w io.Writer, tr *tracker) *bars {
	return &bars{
		barPool: barPool{w: w, progress: tr.progress}, tr: tr,
		copies: map[string]*mpb.Bar{}, reads: map[string]*mpb.Bar{}, builds: map[[2]string]*mpb.Bar{}, large: map[string]int64{},
	}
}

func (b *bars) handle(e migrate.Event) {
	b.tr.handle(e)
	switch e := e.(type) {
	case migrate.TableStarted:
		b.start()
		b.tableStarted(e)
	case migrate.TableProgress:
		if bar := b.copies[e.Table]; bar != nil {
			bar.SetCurrent(min(e.Bytes, b.large[e.Table]-1))
		}
	case migrate.TableCopied:
		drop(b.copies, e.Table)
	case migrate.IndexStarted:
		b.start()
		b.indexStarted(e)
	case migrate.IndexBuilt:
		drop(b.builds, [2]string{e.Table, e.Name})
	case migrate.VerifyProgress:
		b.reading(e)
	case migrate.TableVerified:
		drop(b.reads, e.Table)
	case migrate.RunStarted, migrate.StepStarted, migrate.StepDone, migrate.Notice, migrate.Retrying:
		b.say(report.Printable(eventLine(e)))
	}
}

func (b *bars) tableStarted(e migrate.TableStarted) {
	drop(b.copies, e.Table) // the table is started anew
	if e.Bytes < largeTable {
		return
	}
	b.large[e.Table] = e.Bytes
	b.copies[e.Table] = b.bar(e.Table, e.Bytes, "")
}

func (b *bars) indexStarted(e migrate.IndexStarted) {
	if b.large[e.Table] == 0 {
		return
	}
	key := [2]string{e.Table, e.Name}
	drop(b.builds, key)
	b.builds[key] = b.pool.New(1, mpb.NopStyle(), mpb.BarRemoveOnComplete(), named("  "+e.Name),
		mpb.AppendDecorators(decor.Name("index, "), decor.Elapsed(decor.ET_STYLE_GO)))
}

// reading draws how far a large table is read back.
func (b *bars) reading(e migrate.VerifyProgress) {
	if b.large[e.Table] == 0 {
		return
	}
	b.start()
	bar := b.reads[e.Table]
	if bar == nil {
		bar = b.bar(e.Table, b.large[e.Table], "read back")
		b.reads[e.Table] = bar
	}
	bar.SetCurrent(min(e.Bytes, b.large[e.Table]-1))
}

func (b *bars) close(err error) {
	b.end(err, func() {
		dropAll(b.copies)
		dropAll(b.reads)
		dropAll(b.builds)
	})
}

// clip shortens s to n characters.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimRight(string(r[:n-1]), " ") + "…"
}
