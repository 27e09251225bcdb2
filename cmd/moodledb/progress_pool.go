package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/moodledb/moodledb/report"
)

const (
	barScale = 10000
	// nameWidth is the width of the names at the left, in characters.
	nameWidth = 28
)

// barPool is a bar for the whole, below bars for parts of it and lines of text.
type barPool struct {
	w io.Writer
	// progress says how far the work is.
	progress func() report.Progress
	stop     func()

	// pool is there once there is work.
	pool  *mpb.Progress
	total *mpb.Bar

	mu   sync.Mutex
	text string
}

// start draws the bar of the whole, once there is work.
func (b *barPool) start() {
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

// bar adds a bar of so many bytes; what it is about stands behind its figures.
func (b *barPool) bar(name string, bytes int64, about string) *mpb.Bar {
	var decorators []decor.Decorator
	if about != "" {
		decorators = append(decorators, decor.Name(" "+about))
	}
	decorators = append(decorators, decor.CountersKibiByte(" % .1f / % .1f"))
	return b.pool.New(bytes, mpb.BarStyle(), mpb.BarRemoveOnComplete(), named(name), mpb.AppendDecorators(decorators...))
}

func named(name string) mpb.BarOption {
	return mpb.PrependDecorators(decor.Name(clip(report.Printable(name), nameWidth-1), decor.WC{W: nameWidth, C: decor.DindentRight}))
}

// lastText is asked by the goroutine that draws, which must never wait for one
// that waits for it: so it takes the lock for nothing but the text.
func (b *barPool) lastText() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text
}

// tick draws the whole anew.
func (b *barPool) tick() {
	p := b.progress()
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

// say writes a line above the bars.
func (b *barPool) say(line string) {
	if b.pool == nil {
		fmt.Fprintln(b.w, line)
		return
	}
	// The pool is closed between writes only by end.
	_, _ = io.WriteString(b.pool, line+"\n")
}

// end takes away the bars that are left, and ends the one of the whole as the work has ended.
func (b *barPool) end(err error, dropAll func()) {
	if b.pool == nil {
		return
	}
	b.stop()
	b.tick()
	dropAll()
	if err == nil {
		b.total.SetCurrent(barScale)
	} else {
		b.total.Abort(false)
	}
	b.pool.Wait()
	b.pool = nil
}

// drop takes a bar away: one whose total was given cannot be lowered.
func drop[K comparable](bars map[K]*mpb.Bar, key K) {
	if bar := bars[key]; bar != nil {
		bar.Abort(true)
		delete(bars, key)
	}
}

// dropAll takes bars away.
func dropAll[K comparable](bars map[K]*mpb.Bar) {
	for key := range bars {
		drop(bars, key)
	}
}
