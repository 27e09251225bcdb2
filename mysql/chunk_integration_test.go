//go:build integration

package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
)

func TestChunks(t *testing.T) {
	const rows, size = 8_000, 96 << 10
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			for _, tc := range chunkCases() {
				if tc.only != "" && tc.only != s.Engine {
					continue
				}
				t.Run(tc.name, func(t *testing.T) {
					url := s.Database(t)
					fillChunked(t, s, url, tc.columns, tc.names, tc.values, tc.more, rows)
					db := open(t, url)
					table, conn := chunkedTable(t, db), chunkSession(t, s, url)
					before := questions(t, db.SQL())
					ranges, err := db.Chunks(t.Context(), table, size)
					if err != nil {
						t.Fatal(err)
					}
					queries := questions(t, db.SQL()) - before
					counts := checkPartition(t, s.Engine, conn, table, mysql.Range{}, ranges)
					length := countOf(t, conn, "SELECT DATA_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'The `table'")
					wanted := length / size
					most := slices.Max(counts)
					t.Logf("%d bytes: %d ranges, %d wanted, of %d to %d rows, by %d queries", length, len(ranges), wanted, slices.Min(counts), most, queries)
					if tc.single {
						if len(ranges) != 1 {
							t.Errorf("%d ranges", len(ranges))
						}
						return
					}
					if int64(len(ranges)) < wanted/2 || int64(len(ranges)) > 4*wanted || most > 4*rows/wanted {
						t.Errorf("%d ranges of up to %d rows, where %d are wanted", len(ranges), most, wanted)
					}
					if int64(queries) > 100+16*wanted {
						t.Errorf("%d queries for %d ranges", queries, len(ranges))
					}
				})
			}
		})
	}
}

// The server's statistics may know nothing of the rows.
func TestChunksOfUnknownSize(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		fillChunked(t, s, url, "id bigint NOT NULL PRIMARY KEY", "id", "n", "STATS_PERSISTENT=1 STATS_AUTO_RECALC=0", 0)
		s.Exec(t, url, "INSERT INTO `The ``table` (id) SELECT a.d * 3 + b.d * 40 + c.d * 500 + d.d * 6000 FROM digit a, digit b, digit c, digit d ORDER BY 1",
			// The server reads its statistics again, which are from when the table was empty.
			"RENAME TABLE `The ``table` TO away, away TO `The ``table`")
		db := open(t, url)
		table, conn := chunkedTable(t, db), chunkSession(t, s, url)
		if table.Rows > 100 {
			t.Fatalf("the statistics know of %d rows", table.Rows)
		}
		ranges, err := db.Chunks(t.Context(), table, 64<<10)
		if err != nil || len(ranges) != 1 {
			t.Fatalf("%v, %v", ranges, err)
		}
		table.Bytes = 1 << 30
		if ranges, err = db.Chunks(t.Context(), table, 64<<10); err != nil || len(ranges) != 1 {
			t.Fatalf("%v, %v", ranges, err)
		}
		pieces, err := db.SplitRange(t.Context(), table, ranges[0], 16)
		if err != nil {
			t.Fatal(err)
		}
		counts := checkPartition(t, s.Engine, conn, table, ranges[0], pieces)
		if len(counts) < 12 || slices.Max(counts) > 2500 {
			t.Errorf("pieces of %v rows", counts)
		}
	})
}

func TestSplitRange(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		fillChunked(t, s, url, "name varchar(100) CHARACTER SET latin1 NOT NULL, b int NOT NULL, PRIMARY KEY (name, b)", "name, b",
			"ELT(n % 7 % 3 + 1, CONCAT('é', n), 'ÉTÉ', 'o''clock'), n", "", 10_000)
		db := open(t, url)
		table, conn := chunkedTable(t, db), chunkSession(t, s, url)
		whole := mysql.Range{Rows: 10_000, Bytes: 1 << 20}
		first, err := db.SplitRange(t.Context(), table, whole, 5)
		if err != nil {
			t.Fatal(err)
		}
		checkPartition(t, s.Engine, conn, table, whole, first)
		var sum int64
		for _, r := range first {
			sum += r.Bytes
			for _, parts := range []int{-1, 0, 1, 2, 7, 60} {
				pieces, err := db.SplitRange(t.Context(), table, r, parts)
				if err != nil {
					t.Fatal(err)
				}
				counts := checkPartition(t, s.Engine, conn, table, r, pieces)
				if parts == 7 && slices.Max(counts) > 4*r.Rows/7 || parts < 2 && len(pieces) != 1 {
					t.Errorf("%d parts: pieces of %v rows", parts, counts)
				}
			}
		}
		if sum > whole.Bytes || sum < whole.Bytes-int64(len(first)) {
			t.Errorf("the pieces have %d bytes", sum)
		}
		// A range without rows, and one of another key.
		none := mysql.Range{Lower: mysql.Bound{"_latin1 X'7A'"}, Upper: mysql.Bound{"_latin1 X'7A7A'", "5"}}
		if pieces, err := db.SplitRange(t.Context(), table, none, 9); err != nil || len(pieces) != 1 {
			t.Errorf("%v, %v", pieces, err)
		}
		if _, err := db.SplitRange(t.Context(), table, mysql.Range{Lower: mysql.Bound{"1", "2", "3"}}, 9); err == nil {
			t.Error("no error for a bound of more columns than the key has")
		}
	})
}

func TestChunksOfFewRows(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		fillChunked(t, s, url, "a int NOT NULL, b varchar(20) NOT NULL, PRIMARY KEY (a, b)", "a, b", "n % 3, n", "", 300)
		db := open(t, url)
		table, conn := chunkedTable(t, db), chunkSession(t, s, url)
		for _, rows := range []int{300, 2, 1, 0} {
			s.Exec(t, url, "DELETE FROM `The ``table` WHERE b >= '"+strconv.Itoa(rows)+"' OR LENGTH(b) > LENGTH('"+strconv.Itoa(rows)+"')")
			for _, size := range []int64{-1, 0, 1, 1000, 1 << 40} {
				ranges, err := db.Chunks(t.Context(), table, size)
				if err != nil {
					t.Fatal(err)
				}
				checkPartition(t, s.Engine, conn, table, mysql.Range{}, ranges)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := db.Chunks(ctx, table, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		s.Exec(t, url, "DROP TABLE `The ``table`")
		if ranges, err := db.Chunks(t.Context(), table, 1); err != nil || len(ranges) != 1 {
			t.Errorf("dropped: %v, %v", ranges, err)
		}
		if _, err := db.SplitRange(t.Context(), table, mysql.Range{}, 2); err == nil || !strings.Contains(err.Error(), chunked) {
			t.Errorf("dropped: %v", err)
		}
	})
}

// Rows come and go while the ranges are made.
func TestChunksOfTableInUse(t *testing.T) {
	eachSource(t, func(t *testing.T, s *testdb.Server, url string) {
		fillChunked(t, s, url, "name varchar(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL, n int NOT NULL, PRIMARY KEY (name, n)", "name, n",
			"ELT(n % 5 + 1, 'a', 'A', 'á', CONCAT('b', n), CONCAT('B', n)), n", "", 4000)
		db := open(t, url)
		table, conn := chunkedTable(t, db), chunkSession(t, s, url)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- keepWriting(ctx, s.SQL(t, url)) }()
		var all [][]mysql.Range
		for range 30 {
			ranges, err := db.Chunks(t.Context(), table, 40<<10)
			if err != nil {
				t.Error(err)
				break
			}
			all = append(all, ranges)
		}
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		for _, ranges := range all {
			checkPartition(t, s.Engine, conn, table, mysql.Range{}, ranges)
		}
	})
}

// keepWriting adds and removes rows at both ends and in between until the context ends.
func keepWriting(ctx context.Context, pool *sql.DB) error {
	for i := 100_000; ctx.Err() == nil; i++ {
		for _, query := range []string{
			"INSERT INTO `The ``table` (name, n) VALUES ('À', ?), ('', -1 * ?), ('ZZ', ?)",
			"DELETE FROM `The ``table` WHERE n < 4000 AND n % 100 = ? % 100 LIMIT 20",
			"DELETE FROM `The ``table` WHERE name IN ('', 'ZZ') AND ABS(n) < ? - 3",
		} {
			args := slices.Repeat([]any{i}, strings.Count(query, "?"))
			if _, err := pool.ExecContext(ctx, query, args...); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	return nil
}
