//go:build integration

package copy_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/copy"
)

// heapLimit is what copying may add to the heap, whatever the rows: the
// buffers of one copy are 1 MiB and the reader's 256 KiB; the rest is slack for
// garbage that is not collected yet.
const heapLimit = 8 << 20

// peakHeap runs f and returns by how many bytes the heap grew at most.
func peakHeap(f func()) uint64 {
	runtime.GC()
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

// resetPeak makes the kernel forget the process's peak of resident memory;
// false where it cannot.
func resetPeak() bool { return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) == nil }

// residentPeak is the process's peak of resident memory in KiB.
func residentPeak(t testing.TB) (kib int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if _, err := fmt.Sscan(rest, &kib); err != nil {
				t.Fatal(err)
			}
		}
	}
	return kib
}

func TestMemoryDoesNotDependOnRows(t *testing.T) {
	tests := []struct {
		name  string
		rows  int
		value string // made by the source as it is asked, so that nobody stores it twice
	}{
		{"2000 rows of 1 MB", 2000, "CONCAT(id, REPEAT('0123456789abcdeä', 62500))"},
		{"one row of 100 MB", 1, "CONCAT(id, REPEAT('0123456789abcdeä', 6250000), 'end')"},
	}
	eachSource(t, func(t *testing.T, e *ends) {
		for i, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				table := name(i)
				ids := make([]string, test.rows)
				for id := range ids {
					ids[id] = fmt.Sprintf("(%d)", id+1)
				}
				e.source.Exec(t, e.sourceURL, "CREATE TABLE "+table+" (id INT PRIMARY KEY, v LONGTEXT CHARACTER SET utf8mb4, w LONGBLOB)",
					"INSERT INTO "+table+" (id) VALUES "+strings.Join(ids, ","))
				e.target.Exec(t, e.targetURL, "CREATE TABLE "+table+" (id integer, v text, w bytea)")
				src, dst, job := e.newReader(t), e.newTarget(t), e.job(t, table)
				job.Query = fmt.Sprintf("SELECT id, %s, 'tail' FROM %s ORDER BY id", test.value, table)

				reset := resetPeak()
				before := residentPeak(t)
				grown := peakHeap(func() {
					if result, err := copy.Table(t.Context(), src, dst, job, copy.Options{}); err != nil || result.Rows != int64(test.rows) {
						t.Fatal(result, err)
					}
				})
				t.Logf("the heap grew by %d KiB", grown>>10)
				if grown > heapLimit {
					t.Errorf("the heap grew by %d MiB", grown>>20)
				}
				if reset {
					t.Logf("resident memory grew by %d KiB", residentPeak(t)-before)
				}
				my := text(t, e.source.SQL(t, e.sourceURL), fmt.Sprintf("SELECT GROUP_CONCAT(SHA2(%s, 256) ORDER BY id) FROM %s WHERE id %% 97 = 1 AND id < 1000", test.value, table))
				pg := text(t, e.target.SQL(t, e.targetURL), "SELECT string_agg(encode(sha256(convert_to(v, 'UTF8')), 'hex'), ',' ORDER BY id) FROM "+table+" WHERE id % 97 = 1 AND id < 1000")
				if my != pg {
					t.Errorf("source %s\ntarget %s", my, pg)
				}
				if got := text(t, e.target.SQL(t, e.targetURL), "SELECT count(*) FROM "+table+" WHERE w = 'tail' AND left(v, 1) = left(id::text, 1)"); got != fmt.Sprint(test.rows) {
					t.Errorf("%s rows are whole, want %d", got, test.rows)
				}
			})
		}
	})
}
