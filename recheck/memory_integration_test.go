//go:build integration

package recheck_test

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/moodledb/moodledb/recheck"
)

// peakHeap runs f and returns by how many bytes the heap grew at most.
func peakHeap(f func()) uint64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	start, peak := m.HeapAlloc, m.HeapAlloc
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
				peak = max(peak, m.HeapAlloc)
			}
		}
	}()
	f()
	close(stop)
	<-done
	return peak - start
}

// TestMemoryIsBoundedByTheLargestRow: a row of 32 MB is not held, and those below the bound are a few times over.
func TestMemoryIsBoundedByTheLargestRow(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		e.source.Exec(t, e.sourceURL, "CREATE TABLE big (id INT PRIMARY KEY, v LONGTEXT CHARACTER SET utf8mb4)",
			"INSERT INTO big VALUES (1, REPEAT('0123456789abcdef', 2000000)), (2, REPEAT('0123456789abcdef', 260000))")
		for id := 3; id <= 12; id++ {
			e.source.Exec(t, e.sourceURL, "INSERT INTO big SELECT id + 1, v FROM big ORDER BY id DESC LIMIT 1")
		}
		e.target.Exec(t, e.targetURL, "CREATE TABLE big (id integer, v text)")
		m := e.moment(t)
		table, all := e.table(t, "big")
		sent, _ := m.copied(t, table, all)
		var got recheck.Result
		var err error
		peak := peakHeap(func() { got, err = m.again(t, table, sent, recheck.Options{}) })
		t.Logf("%.1f MB", float64(peak)/1e6)
		if err != nil || got.Large != 1 || got.Rows != 11 {
			t.Errorf("%+v: %v", got, err)
		}
		// The driver's buffer and what is encoded, and as much again that is not collected yet.
		if peak > 40<<20 {
			t.Errorf("%d bytes", peak)
		}
	})
}
