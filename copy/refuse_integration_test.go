//go:build integration

package copy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/moodledb/moodledb/copy"
)

// TestRowsThatCannotArrive has one row in a thousand that PostgreSQL must not
// get, or refuses; the error names it.
func TestRowsThatCannotArrive(t *testing.T) {
	tests := []struct {
		name           string
		source, target string // the column v
		value          string
		want           []string
	}{
		{"nul byte", "LONGTEXT", "text", "CONCAT('abc', CHAR(0), 'def')", []string{`column "v"`, "id=601", `"abc\x00def" holds a zero byte`, "at byte 4"}},
		{
			"nul byte far into a long text", "LONGTEXT", "text", "CONCAT(REPEAT('ä', 300000), CHAR(0))",
			[]string{`column "v"`, "id=601", `ä\x00" holds a zero byte`, "at byte 600001"},
		},
		{"invalid utf-8", "LONGBLOB", "text", "X'636166E9206E6F6972'", []string{`column "v"`, "id=601", `"caf\xe9 noir" is not valid UTF-8`, "0xe9 at byte 4"}},
		{"zero date", "DATETIME", "timestamp", "'0000-00-00 00:00:00'", []string{`column "v"`, "id=601", `"0000-00-00 00:00:00" is a zero date`}},
		{"day zero", "DATE", "date", "'2024-05-00'", []string{`column "v"`, "id=601", `"2024-05-00" is a zero date`}},
		{"unsigned bigint", "BIGINT UNSIGNED", "bigint", "9223372036854775808", []string{`column "v"`, "id=601", `"9223372036854775808" is out of range for bigint`}},
		{"integer too large", "BIGINT", "integer", "2147483648", []string{`column "v"`, "id=601", "out of range for integer"}},
		{"varchar too long", "VARCHAR(300)", "varchar(255)", "REPEAT('ü', 256)", []string{`column "v"`, "id=601", "is too long for character varying(255): 256 characters, 255 allowed"}},
		{"blanks that would be cut off", "VARCHAR(300)", "varchar(2)", "'ab   '", []string{`column "v"`, "id=601", `"ab   " is too long`}},
		{"text far too long", "LONGTEXT", "varchar(255)", "REPEAT('x', 1000000)", []string{`column "v"`, "id=601", "more than 255 characters"}},
		{"decimal rounded", "DECIMAL(10,5)", "numeric(10,2)", "1.00500", []string{`column "v"`, "id=601", `"1.00500" would be rounded by numeric(10,2)`}},
		{"null", "BIGINT", "bigint NOT NULL", "NULL", []string{`column "v"`, "id=601", "NULL is not allowed"}},
		{"duplicate", "BIGINT", "bigint UNIQUE", "600", []string{"id=601", "duplicate key value", "Key (v)=(600) already exists"}},
		{"check", "BIGINT", "bigint CHECK (v >= 0)", "-1", []string{"id=601", "violates check constraint"}},
		{"jsonb without a meaning", "LONGTEXT", "jsonb", `'{"a": '`, []string{`column "v"`, "id=601", "invalid input syntax for type json"}},
		{"escaped nul in jsonb", "LONGTEXT", "jsonb", `'"\\u0000"'`, []string{`column "v"`, "id=601", "unsupported Unicode escape"}},
	}
	eachPair(t, func(t *testing.T, e *ends) {
		for i, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				table := name(i)
				e.source.Exec(t, e.sourceURL, "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
					"CREATE TABLE "+table+" (pad VARCHAR(200), id INT PRIMARY KEY, v "+test.source+")",
					"INSERT INTO "+table+" WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i+1 FROM n WHERE i < 1000) SELECT REPEAT('x', 200), i, "+harmless(test.source)+" FROM n",
					"UPDATE "+table+" SET v = "+test.value+" WHERE id = 601")
				e.target.Exec(t, e.targetURL, "CREATE TABLE "+table+" (pad varchar(200), id integer, v "+test.target+")")

				src, dst, job := e.newReader(t), e.newTarget(t), e.job(t, table)
				_, err := copy.Table(t.Context(), src, dst, job, copy.Options{})
				if err == nil {
					t.Fatal("no error")
				}
				t.Log(err)
				for _, want := range append(test.want, "table \""+table+"\"") {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%s\nlacks %s", err, want)
					}
				}
				var row *copy.RowError
				if !errors.As(err, &row) || row.Row != 601 {
					t.Errorf("not a row error of row 601: %#v", err)
				}
				if got := text(t, e.target.SQL(t, e.targetURL), "SELECT count(*) FROM "+table); got != "0" {
					t.Errorf("%s rows were stored", got)
				}
				// Both connections go on, and the source still sees its snapshot.
				e.source.Exec(t, e.sourceURL, "UPDATE "+table+" SET pad = 'changed' WHERE id < 10")
				e.target.Exec(t, e.targetURL, "DROP TABLE "+table, "CREATE TABLE "+table+" (pad varchar(200), id integer, v text)")
				job = e.job(t, table)
				job.Query = strings.Replace(job.Query, " ORDER BY", " WHERE id <> 601 ORDER BY", 1)
				if result, err := copy.Table(t.Context(), src, dst, job, copy.Options{}); err != nil || result.Rows != 999 {
					t.Fatalf("the next copy: %+v, %v", result, err)
				}
				if got := text(t, e.target.SQL(t, e.targetURL), "SELECT count(*) FROM "+table+" WHERE pad = 'changed'"); got != "0" {
					t.Errorf("%s rows are not of the snapshot", got)
				}
			})
		}
	})
}

// harmless is a value for the 999 other rows.
func harmless(source string) string {
	switch {
	case strings.Contains(source, "INT"), strings.Contains(source, "DECIMAL"):
		return "i"
	case strings.Contains(source, "DATE"):
		return "'2024-01-01'"
	}
	return "'1'"
}

func TestCancelLeavesNothing(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		e.source.Exec(t, e.sourceURL, "CREATE TABLE big (id INT PRIMARY KEY, v VARCHAR(200))",
			"INSERT INTO big WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i+1 FROM n WHERE i < 1000) SELECT i, REPEAT('x', 200) FROM n")
		e.target.Exec(t, e.targetURL, "CREATE TABLE big (id integer, v text)")
		job := e.job(t, "big")
		// A thousand million rows: it cannot end before it is cancelled.
		job.Query = "SELECT a.id, a.v FROM big a JOIN big b JOIN big c"
		src, dst := e.newReader(t), e.newTarget(t)
		// Pools keep goroutines of their own; only those that appear now count.
		before := goleak.IgnoreCurrent()
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("interrupted")
		time.AfterFunc(500*time.Millisecond, func() { cancel(stop) })
		began := time.Now()
		_, err := copy.Table(ctx, src, dst, job, copy.Options{})
		if !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("cancelling took %s", took)
		}
		if err := goleak.Find(before); err != nil {
			t.Error(err)
		}
		if got := text(t, e.target.SQL(t, e.targetURL), "SELECT count(*) FROM big"); got != "0" {
			t.Errorf("%s rows were stored", got)
		}
	})
}

// whenRunning calls kill until it has found its victim: on a busy machine the
// copy begins late, and would then go on for ever. The returned function waits
// for that.
func whenRunning(t *testing.T, kill func() bool) (wait func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 300 {
			time.Sleep(200 * time.Millisecond)
			if kill() {
				return
			}
		}
		t.Error("the copy has not begun within a minute")
	}()
	return func() { <-done }
}

func TestLostConnections(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		e.source.Exec(t, e.sourceURL, "CREATE TABLE big (id INT PRIMARY KEY, v VARCHAR(200))",
			"INSERT INTO big WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i+1 FROM n WHERE i < 1000) SELECT i, REPEAT('x', 200) FROM n")
		e.target.Exec(t, e.targetURL, "CREATE TABLE big (id integer, v text)")
		job := e.job(t, "big")
		job.Query = "SELECT a.id, a.v FROM big a JOIN big b JOIN big c"

		t.Run("source", func(t *testing.T) {
			killed := whenRunning(t, func() bool {
				var id int64
				if err := e.my.SQL().QueryRow("SELECT id FROM information_schema.processlist WHERE info = ?", job.Query).Scan(&id); err != nil {
					return false
				}
				if _, err := e.my.SQL().Exec(fmt.Sprint("KILL CONNECTION ", id)); err != nil {
					t.Error(err)
				}
				return true
			})
			defer killed()
			_, err := copy.Table(t.Context(), e.newReader(t), e.newTarget(t), job, copy.Options{})
			// A slow machine may not have got a row yet.
			if err == nil || !strings.HasPrefix(err.Error(), `table "big": `) ||
				!strings.Contains(err.Error(), "read row") && !strings.Contains(err.Error(), "the connection is lost") {
				t.Errorf("got %v", err)
			}
		})
		t.Run("target", func(t *testing.T) {
			db := e.target.SQL(t, e.targetURL)
			killed := whenRunning(t, func() bool {
				var n int
				err := db.QueryRow("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'").Scan(&n)
				return err == nil && n > 0
			})
			defer killed()
			_, err := copy.Table(t.Context(), e.newReader(t), e.newTarget(t), job, copy.Options{})
			if err == nil || !strings.HasPrefix(err.Error(), `table "big": `) {
				t.Errorf("got %v", err)
			}
			t.Log(err)
		})
	})
}
