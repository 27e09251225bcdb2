package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/report"
)

// bars draws a bar for the whole, one for each large table that is being
// copied, and one for each of its indexes that is being built.
type bars struct {
	w    io.Writer
	tr   *tracker
	stop func()

	mu    sync.Mutex
	pool  *mpb.Progress
	total *mpb.Bar
	// copies are the bars of tables, builds those of indexes by table and name.
	// reads are those of tables that are read back.
	copies map[string]*mpb.Bar
	reads  map[string]*mpb.Bar
	builds map[[2]string]*mpb.Bar
	large  map[string]int64
	text   string
}

func newBars(w io.Writer, tr *tracker) *bars {
	return &bars{w: w, tr: tr, copies: map[string]*mpb.Bar{}, reads: map[string]*mpb.Bar{}, builds: map[[2]string]*mpb.Bar{}, large: map[string]int64{}}
}

const (
	barScale = 10000
	// nameWidth is the width of the names at the left, in characters.
	nameWidth = 28
)

// start draws the bar of the whole, once there is work.
func (b *bars) start() {
	if b.pool != nil {
		return
	}
	options := []mpb.ContainerOption{mpb.WithOutput(b.w), mpb.WithRefreshRate(200 * time.Millisecond), mpb.WithAutoRefresh()}
	if isTerminal(b.w) {
		// Of the bars; elsewhere it would be that of the lines.
		options = append(options, mpb.WithWidth(20))
	}
	b.pool = mpb.New(options...)
	b.total = b.pool.New(barScale, mpb.BarStyle(), mpb.BarPriority(1<<20), named("total"),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + b.lastText() })))
	b.stop = every(500*time.Millisecond, b.tick)
}

func named(name string) mpb.BarOption {
	return mpb.PrependDecorators(decor.Name(clip(report.Printable(name), nameWidth-1), decor.WC{W: nameWidth, C: decor.DindentRight}))
}

// lastText is asked by the goroutine that draws, which must never wait for one
// that waits for it: so it takes the lock for nothing but the text.
func (b *bars) lastText() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text
}

// tick draws the whole anew.
func (b *bars) tick() {
	p := b.tr.progress()
	text := barText(&p)
	b.mu.Lock()
	b.text = text
	b.mu.Unlock()
	b.total.SetCurrent(min(int64(p.Fraction*barScale), barScale-1))
}

// barText is the state, short.
func barText(p *report.Progress) string {
	return fmt.Sprintf("%2.0f%% %d/%d tables %s %s/s %s", percent(p.Fraction), p.Copied, p.Tables,
		sizeText(p.Bytes), sizeText(int64(p.ByteRate)), etaText(p))
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
	b.copies[e.Table] = b.pool.New(e.Bytes, mpb.BarStyle(), mpb.BarRemoveOnComplete(), named(e.Table),
		mpb.AppendDecorators(decor.CountersKibiByte(" % .1f / % .1f")))
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
		bar = b.pool.New(b.large[e.Table], mpb.BarStyle(), mpb.BarRemoveOnComplete(), named(e.Table),
			mpb.AppendDecorators(decor.Name(" read back"), decor.CountersKibiByte(" % .1f / % .1f")))
		b.reads[e.Table] = bar
	}
	bar.SetCurrent(min(e.Bytes, b.large[e.Table]-1))
}

// drop takes a bar away: one whose total was given cannot be lowered.
func drop[K comparable](bars map[K]*mpb.Bar, key K) {
	if bar := bars[key]; bar != nil {
		bar.Abort(true)
		delete(bars, key)
	}
}

// say writes a line above the bars.
func (b *bars) say(line string) {
	if b.pool == nil {
		fmt.Fprintln(b.w, line)
		return
	}
	// The pool is closed between writes only by close.
	_, _ = io.WriteString(b.pool, line+"\n")
}

func (b *bars) close(err error) {
	if b.pool == nil {
		return
	}
	b.stop()
	b.tick()
	for name := range b.copies {
		drop(b.copies, name)
	}
	for name := range b.reads {
		drop(b.reads, name)
	}
	for key := range b.builds {
		drop(b.builds, key)
	}
	if err == nil {
		b.total.SetCurrent(barScale)
	} else {
		b.total.Abort(false)
	}
	b.pool.Wait()
	b.pool = nil
}

// clip shortens s to n characters.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimRight(string(r[:n-1]), " ") + "…"
}
