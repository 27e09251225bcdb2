//go:build integration

package recheck_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/recheck"
	"github.com/moodledb/moodledb/verify"
)

// people makes a table of 3000 rows, with a key or without.
func people(t *testing.T, e *ends, key string) {
	t.Helper()
	var rows []string
	for id := 1; id <= 3000; id++ {
		rows = append(rows, fmt.Sprintf("(%d, 'name %d', %d.5, '2024-02-03 04:05:%02d', %d)", id, id, id, id%60, id*7))
	}
	e.source.Exec(t, e.sourceURL, "CREATE TABLE people (id BIGINT NOT NULL, name LONGTEXT, mark DECIMAL(10,2), seen DATETIME, n INT"+key+") ENGINE=InnoDB CHARACTER SET utf8mb4",
		"INSERT INTO people VALUES "+strings.Join(rows, ", "))
	e.target.Exec(t, e.targetURL, "CREATE TABLE people (id bigint, name text, mark numeric(10,2), seen timestamp, n integer)")
}

// mismatched fails the test unless err is a mismatch.
func mismatched(t *testing.T, err error) *recheck.MismatchError {
	t.Helper()
	var m *recheck.MismatchError
	if !errors.As(err, &m) {
		t.Fatalf("error %v, want a mismatch", err)
	}
	t.Log(err)
	return m
}

// wrong are encoders that err in one value of 3000.
func wrong() map[string]func(old convert.Encoder) convert.Encoder {
	instead := func(of, by string) func(old convert.Encoder) convert.Encoder {
		return func(old convert.Encoder) convert.Encoder {
			return func(dst, src []byte) ([]byte, error) { return old(dst, bytes.Replace(src, []byte(of), []byte(by), 1)) }
		}
	}
	return map[string]func(old convert.Encoder) convert.Encoder{
		"name": instead("name 1234", "Name 1234"), "mark": instead("1234.50", "1234.51"), "n": instead("8638", "8639"),
		"seen": func(old convert.Encoder) convert.Encoder {
			seen := 0
			return func(dst, src []byte) ([]byte, error) {
				// Each of the two readings errs in the same row.
				if seen++; seen%3000 == 1234 {
					src = []byte("2024-02-03 04:05:59")
				}
				return old(dst, src)
			}
		},
	}
}

// TestAWrongEncoderIsFound: a value that the copy encodes wrongly is found, with the key, the column and both forms.
func TestAWrongEncoderIsFound(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		people(t, e, ", PRIMARY KEY (id)")
		m := e.moment(t)
		for column, change := range wrong() {
			table, all := e.table(t, "people")
			encoder(table, column, change)
			sent, _ := m.copied(t, table, all)
			for name, rows := range map[string]recheck.Rows{
				"sent": sent, "encoded": {Selection: all}, "first": {Selection: all, First: 2000, Sum: sent.Sum}, "touched": {Selection: all, Touched: true},
			} {
				if column == "seen" && rows.First > 0 {
					continue // its error goes by the number of rows
				}
				t.Run(column+" "+name, func(t *testing.T) {
					_, err := m.again(t, table, rows, recheck.Options{})
					found := mismatched(t, err)
					if found.Changed != 1 || found.Missing+found.Extra != 0 || len(found.Differences) != 1 {
						t.Fatalf("%+v", found)
					}
					d := found.Differences[0]
					if d.Kind != verify.ChangedRow || d.Key[0].Value.Text != "1234" || len(d.Columns) != 1 || d.Columns[0].Column != column || d.Columns[0].Expected.Text == d.Columns[0].Found.Text {
						t.Errorf("%+v", d)
					}
					for _, part := range []string{`table "people"`, "id=1234", `column "` + column + `"`} {
						if !strings.Contains(err.Error(), part) {
							t.Errorf("no %s in: %v", part, err)
						}
					}
				})
			}
		}
	})
}

// TestAWrongReaderIsFound: rows that the copy's reader loses, or that were recorded otherwise, are found.
func TestAWrongReaderIsFound(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		people(t, e, ", PRIMARY KEY (id)")
		m := e.moment(t)
		table, all := e.table(t, "people")
		key, ok := mysql.ChunkKeyOf(table.Source)
		if !ok {
			t.Fatal("no key")
		}
		chunk := key.Selection(mysql.Range{Lower: mysql.Bound{"1000"}, Upper: mysql.Bound{"2000"}})
		sent, _ := m.copied(t, table, chunk)
		if got, err := m.again(t, table, sent, recheck.Options{}); err != nil || got.Rows != 1000 {
			t.Errorf("%+v: %v", got, err)
		}
		less := chunk
		less.Where += " AND id <> 1777"
		fewer, _ := m.copied(t, table, less)
		found := mismatchedRows(t, m, table, recheck.Rows{Selection: chunk, Sum: fewer.Sum})
		if found.Missing+found.Extra+found.Changed != 0 || found.Sent.Rows != 999 || found.Again.Rows != 1000 {
			t.Errorf("%+v", found)
		}
		// A reader that leaves a row out whenever it reads.
		_, err := recheck.Table(t.Context(), m.snapshot.Check.Conn(), losing{reader{m.snapshot.Readers[0]}}, table, recheck.Rows{Selection: all, Sum: fewer.Sum}, recheck.Options{})
		found = mismatched(t, err)
		if found.Extra != 1 || len(found.Differences) != 1 || found.Differences[0].Key[0].Value.Text != "1500" {
			t.Errorf("%+v", found)
		}
	})
}

func mismatchedRows(t *testing.T, m *moment, c *recheck.Copied, rows recheck.Rows) *recheck.MismatchError {
	t.Helper()
	_, err := m.again(t, c, rows, recheck.Options{})
	return mismatched(t, err)
}

// losing is a source that does not give the row with the id 1500.
type losing struct{ copy.Source }

func (l losing) Query(ctx context.Context, query string) (copy.Rows, error) {
	return l.Source.Query(ctx, strings.Replace(query, " ORDER BY", " AND id <> 1500 ORDER BY", 1))
}

// TestTablesWithoutAKey: their first rows come in no order, and are found to be equal or not all the same.
func TestTablesWithoutAKey(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		people(t, e, "")
		m := e.moment(t)
		table, all := e.table(t, "people")
		sent, _ := m.copied(t, table, all)
		sent.First = 500
		if got, err := m.again(t, table, sent, recheck.Options{}); err != nil || got.Rows != 500 || got.Against != recheck.Encoded {
			t.Errorf("%+v: %v", got, err)
		}
		encoder(table, "name", func(old convert.Encoder) convert.Encoder {
			return func(dst, src []byte) ([]byte, error) { return old(dst, bytes.TrimSuffix(src, []byte(" 77"))) }
		})
		sent, _ = m.copied(t, table, all)
		sent.First = 500
		found := mismatchedRows(t, m, table, sent)
		if found.Missing != 1 || found.Extra != 1 || found.Sent != *sent.Sum {
			t.Errorf("%+v", found)
		}
	})
}

// TestRowsThatAreTooLarge are left out and counted, and do not hide what differs in others.
func TestRowsThatAreTooLarge(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		people(t, e, ", PRIMARY KEY (id)")
		e.source.Exec(t, e.sourceURL, "UPDATE people SET name = REPEAT('x', 300000) WHERE id = 7", "UPDATE people SET name = REPEAT('ä', 140000) WHERE id = 8")
		m := e.moment(t)
		table, all := e.table(t, "people")
		sent, _ := m.copied(t, table, all)
		small := recheck.Options{MaxRow: 290000}
		got, err := m.again(t, table, sent, small)
		if err != nil || got.Large != 1 || got.Rows != 2999 || got.Against != recheck.Encoded {
			t.Errorf("%+v: %v", got, err)
		}
		if got, err = m.again(t, table, sent, recheck.Options{}); err != nil || got.Large != 0 || got.Against != recheck.Sent {
			t.Errorf("%+v: %v", got, err)
		}
		if got, err = m.again(t, table, recheck.Rows{Selection: all, Touched: true}, small); err != nil || got.Large != 1 || got.Rows != 2999 {
			t.Errorf("%+v: %v", got, err)
		}
		if got, err = m.again(t, table, recheck.Rows{Selection: all, First: 100}, small); err != nil || got.Large != 1 || got.Rows != 100 {
			t.Errorf("%+v: %v", got, err)
		}
		encoder(table, "mark", wrong()["mark"])
		sent, _ = m.copied(t, table, all)
		_, err = m.again(t, table, sent, small)
		if found := mismatched(t, err); found.Changed != 1 {
			t.Errorf("%+v", found)
		}
	})
}

// TestRowsOfAPolicy: rows with values that the target cannot hold are left out, and counted; a value that
// only the second way refuses is a mismatch.
func TestRowsOfAPolicy(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		people(t, e, ", PRIMARY KEY (id)")
		e.source.Exec(t, e.sourceURL, "SET SESSION sql_mode = ''", "UPDATE people SET seen = '0000-00-00' WHERE id IN (5, 2999)", "UPDATE people SET name = 'a\\0b' WHERE id = 17")
		m := e.moment(t)
		table, all := e.table(t, "people")
		got, err := m.again(t, table, recheck.Rows{Selection: all, Sum: &fingerprint.Sum{}, Touched: true}, recheck.Options{})
		if err != nil || got.Aside != 3 || got.Rows != 2997 || got.Against != recheck.Encoded {
			t.Errorf("%+v: %v", got, err)
		}
		encoder(table, "seen", func(old convert.Encoder) convert.Encoder {
			return func(dst, src []byte) ([]byte, error) {
				return old(dst, bytes.Replace(src, []byte("0000-00-00"), []byte("2000-01-01"), 1))
			}
		})
		found := mismatchedRows(t, m, table, recheck.Rows{Selection: all})
		var refused *recheck.RefusedError
		if !errors.As(found.Refused, &refused) || refused.Key != "id=5" || refused.Column != "seen" {
			t.Errorf("%+v", found)
		}
	})
}

// TestColumnsWithoutASecondWay are named, and the others are compared.
func TestColumnsWithoutASecondWay(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		e.source.Exec(t, e.sourceURL, "CREATE TABLE w (id INT PRIMARY KEY, d DOUBLE, n INT)", "INSERT INTO w VALUES (1, 0.1, 2), (2, 1e300, 3)", "CREATE TABLE none (d DOUBLE)", "CREATE TABLE old (n INT) ENGINE=MyISAM")
		e.target.Exec(t, e.targetURL, "CREATE TABLE w (id integer, d text, n integer)", "CREATE TABLE none (d text)", "CREATE TABLE old (n integer)")
		m := e.moment(t)
		table, all := e.table(t, "w")
		sent, _ := m.copied(t, table, all)
		got, err := m.again(t, table, sent, recheck.Options{})
		if err != nil || got.Rows != 2 || got.Against != recheck.Encoded || len(got.LeftOut) != 1 || got.LeftOut[0].Column != "d" || !strings.Contains(got.LeftOut[0].Reason, "own spelling") {
			t.Errorf("%+v: %v", got, err)
		}
		table, all = e.table(t, "none")
		if got, err = m.again(t, table, recheck.Rows{Selection: all}, recheck.Options{}); err != nil || !strings.Contains(got.Skipped, "none of its columns") {
			t.Errorf("%+v: %v", got, err)
		}
		table, all = e.table(t, "old")
		if got, err = m.again(t, table, recheck.Rows{Selection: all}, recheck.Options{}); err != nil || !strings.Contains(got.Skipped, "MyISAM has no transactions") {
			t.Errorf("%+v: %v", got, err)
		}
	})
}

// TestNoPreparedStatements: a server that has no place for one is no difference.
func TestNoPreparedStatements(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		people(t, e, ", PRIMARY KEY (id)")
		m := e.moment(t)
		table, all := e.table(t, "people")
		sent, _ := m.copied(t, table, all)
		var most string
		if err := e.my.SQL().QueryRowContext(t.Context(), "SELECT @@GLOBAL.max_prepared_stmt_count").Scan(&most); err != nil {
			t.Fatal(err)
		}
		e.source.Exec(t, e.sourceURL, "SET GLOBAL max_prepared_stmt_count = 0")
		defer e.source.Exec(t, e.sourceURL, "SET GLOBAL max_prepared_stmt_count = "+most)
		for _, rows := range []recheck.Rows{sent, {Selection: all}} {
			if got, err := m.again(t, table, rows, recheck.Options{}); err != nil || !strings.Contains(got.Skipped, "max_prepared_stmt_count") || got.Rows != 0 {
				t.Errorf("%+v: %v", got, err)
			}
		}
	})
}

// TestCouldNotTell: what ends a reading is no difference.
func TestCouldNotTell(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		people(t, e, ", PRIMARY KEY (id)")
		m := e.moment(t)
		table, all := e.table(t, "people")
		sent, _ := m.copied(t, table, all)
		var no *recheck.MismatchError

		odd := *table
		odd.Job.Columns = slices.Clone(odd.Job.Columns)
		odd.Job.Columns[0].Source = "nothing"
		if _, err := m.again(t, &odd, sent, recheck.Options{}); err == nil || errors.As(err, &no) || !strings.Contains(err.Error(), `table "people"`) {
			t.Errorf("an odd job gives %v", err)
		}
		var id string
		if err := m.snapshot.Check.Conn().QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
			t.Fatal(err)
		}
		e.source.Exec(t, e.sourceURL, "KILL "+id)
		if _, err := m.again(t, table, sent, recheck.Options{}); err == nil || errors.As(err, &no) || m.snapshot.Check.Lost(t.Context()) == nil {
			t.Errorf("a killed session gives %v", err)
		}

		m = e.moment(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("interrupted")
		cancel(stop)
		if _, err := recheck.Table(ctx, m.snapshot.Check.Conn(), reader{m.snapshot.Readers[0]}, table, sent, recheck.Options{}); !errors.Is(err, stop) {
			t.Errorf("an interrupt gives %v", err)
		}
	})
}
