//go:build integration

package copy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
)

// TestMemoryOfPoliciesDoesNotDependOnRows has values and lists that are far
// larger than what may be held in memory.
func TestMemoryOfPoliciesDoesNotDependOnRows(t *testing.T) {
	tests := []struct {
		name  string
		rows  int
		value string
		// after is what a fixed value is, as PostgreSQL makes it.
		after string
	}{
		{"a nul at the end of 100 MB", 1, "CONCAT(REPEAT('0123456789abcdeä', 6250000), CHAR(0))", "repeat('0123456789abcdeä', 6250000)"},
		{"200 rows of 1 MB with an incomplete character", 200, "CONCAT(CONVERT(REPEAT('0123456789abcdeä', 62500) USING binary), X'E282')", "repeat('0123456789abcdeä', 62500) || 'â‚'"},
		{"100000 small rows", 100000, "CONCAT('x', CHAR(0))", "'x'"},
	}
	eachSource(t, func(t *testing.T, e *ends) {
		e.lists(t)
		for i, test := range tests {
			for _, mode := range []convert.BadValueMode{convert.FixBad, convert.QuarantineBad} {
				t.Run(test.name+", "+string(mode), func(t *testing.T) {
					table := name(i) + string(mode)
					e.source.Exec(t, e.sourceURL, "CREATE TABLE "+table+" (id INT PRIMARY KEY, v LONGBLOB, w VARCHAR(20))",
						fmt.Sprintf("INSERT INTO %s (id) WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i+1 FROM n WHERE i < 1000) SELECT a.i * 1000 - 1000 + b.i FROM n a JOIN n b WHERE a.i * 1000 - 1000 + b.i <= %d", table, test.rows))
					e.target.Exec(t, e.targetURL, "CREATE TABLE "+table+" (id integer, v text, w text)")
					src, dst, job := e.newReader(t), e.newTarget(t), e.job(t, table)
					job.Query = fmt.Sprintf("SELECT id, %s, 'tail' FROM %s ORDER BY id", test.value, table)
					job.Policy.Mode = mode

					var result copy.Result
					var attempts int
					grown := peakHeap(func() {
						var err error
						if result, attempts, err = copyUnder(t, src, dst, job, 1); err != nil {
							t.Fatal(err)
						}
					})
					t.Logf("the heap grew by %d KiB", grown>>10)
					// Many small rows make garbage faster than it is collected, up to some measure.
					if limit := uint64(heapLimit) << boolInt(test.rows > 1000); grown > limit {
						t.Errorf("the heap grew by %d MiB", grown>>20)
					}
					if attempts > 2 {
						t.Errorf("%d attempts", attempts)
					}
					list, stored := "value_change", int64(test.rows)
					check := "convert_from(after_value, 'UTF8') = " + test.after + " AND length(before_value) > 1"
					if mode == convert.QuarantineBad {
						list, stored = "rejected_row", 0
						check = "row_values[1] = convert_to(substr(row_key, 4), 'UTF8') AND length(row_values[2]) > 1 AND row_values[3] = 'tail'"
					}
					if result.Rows != stored {
						t.Errorf("%d rows were stored", result.Rows)
					}
					db := e.target.SQL(t, e.targetURL)
					if got := text(t, db, fmt.Sprintf("SELECT count(DISTINCT row_key) FROM moodledb.%s WHERE table_name = '%s' AND %s", list, table, check)); got != fmt.Sprint(test.rows) {
						t.Errorf("%s rows are listed right", got)
					}
					if got := text(t, db, fmt.Sprintf("SELECT count(*) FROM %s WHERE v = %s AND w = 'tail'", table, test.after)); got != fmt.Sprint(stored) {
						t.Errorf("%s rows are stored right", got)
					}
					e.target.Exec(t, e.targetURL, "DROP TABLE "+table, "TRUNCATE moodledb.value_change, moodledb.rejected_row")
				})
			}
		}
	})
}

// TestTemporaryFilesOnAFullDisk has no room for a value that does not fit into memory.
func TestTemporaryFilesOnAFullDisk(t *testing.T) {
	if os.Geteuid() != 0 && os.Getenv("CI") == "" {
		t.Skip("SKIPPED, NOT TESTED: only root can mount a small file system")
	}
	dir := t.TempDir()
	if text, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v: %s", err, text)
	}
	t.Cleanup(func() {
		if err := exec.Command("umount", dir).Run(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("TMPDIR", dir)
	src := &table{rows: [][]any{nothing(1), with(nothing(2), 4, strings.Repeat("x", 3<<20))}, largeFrom: 1 << 20}
	_, err := copy.Table(t.Context(), src, &server{}, policyJob(t, copy.Policy{Mode: convert.FixBad}), copy.Options{})
	if err == nil || !strings.Contains(err.Error(), "no space left on device") || !strings.Contains(err.Error(), "make room in "+dir+", or name another directory in TMPDIR") {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
	t.Setenv("TMPDIR", filepath.Join(dir, "absent"))
	_, err = copy.Table(t.Context(), src, &server{}, policyJob(t, copy.Policy{Mode: convert.FixBad}), copy.Options{})
	if err == nil || !strings.Contains(err.Error(), `table "mdl_t": row 2, column "body": make a temporary file for values that are too large for memory`) {
		t.Errorf("got %v", err)
	}
}
