//go:build integration

package proof

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/verify"
)

// TestRepairOfMoreThanMemory: however many rows differ, and however large they are, they are
// repaired in one transaction with as little memory as may be given. The key is a text,
// so that the table is not divided.
func TestRepairOfMoreThanMemory(t *testing.T) {
	expected, found := firstPair(t)
	const rows, large, memory = 100_000, 12, MinMemory
	digits := "(SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
	number := "a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n"
	expected.exec(t, "CREATE TABLE mdl_many (code varchar(40) NOT NULL PRIMARY KEY, v longtext, n int)",
		fmt.Sprintf("INSERT INTO mdl_many SELECT CONCAT('code-', %[1]s), CONCAT('value ', %[1]s), 7 FROM %[2]s a, %[2]s b, %[2]s c, %[2]s d, %[2]s e", number, digits),
		fmt.Sprintf("UPDATE mdl_many SET v = REPEAT('0123456789abcdef', 524288) WHERE code IN (%s)", codes(large)))
	found.exec(t, "CREATE TABLE mdl_many (code varchar(40) NOT NULL PRIMARY KEY, v text, n int)",
		fmt.Sprintf("INSERT INTO mdl_many SELECT 'code-' || i, 'other ' || i, 7 FROM generate_series(1000, %d) i", rows+1499))
	o := Options{Jobs: 1, Memory: memory}
	past := compared(t, expected, found, o)
	if x := tableOf(t, past, "mdl_many"); x.Missing != 1000 || x.Extra != 1500 || x.Changed != rows-1000 {
		t.Fatalf("%+v", x)
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memory * 9 / 10))
	peak := watchHeap(t)
	done, err := Repair(t.Context(), expected.source(t), found.source(t), past, o)
	if err != nil {
		t.Fatal(err)
	}
	if most := peak(); most > memory {
		t.Errorf("%d bytes were allocated at one time, the bound is %d", most, memory)
	} else {
		t.Logf("at most %d KiB", most>>10)
	}
	if diff := cmp.Diff([]RepairedTable{{Table: "mdl_many", Inserted: 1000, Deleted: 1500, Updated: rows - 1000}}, done.Tables); diff != "" {
		t.Error(diff)
	}
	if x := tableOf(t, compared(t, expected, found, o), "mdl_many"); x.State != verify.Same || x.Found.Rows != rows {
		t.Errorf("%+v", x)
	}
}

// codes are the keys of some rows, for SQL.
func codes(n int) string {
	list := "'code-0'"
	for i := 1; i < n; i++ {
		list += fmt.Sprintf(", 'code-%d'", i*997)
	}
	return list
}

// watchHeap measures until the function that it returns is called: that tells the most that was in use.
func watchHeap(t *testing.T) func() uint64 {
	t.Helper()
	stop, result := make(chan struct{}), make(chan uint64, 1)
	go func() {
		var most uint64
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				result <- most
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse+m.StackInuse)
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-result
	}
}
