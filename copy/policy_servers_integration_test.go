//go:build integration

package copy_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// lists makes the tables that the lists go to.
func (e *ends) lists(t testing.TB) {
	t.Helper()
	e.target.Exec(
		t, e.targetURL, "CREATE SCHEMA moodledb",
		`CREATE TABLE moodledb.value_change (id bigint GENERATED ALWAYS AS IDENTITY, run bigint NOT NULL, table_name text NOT NULL,
			row_key text NOT NULL, column_name text NOT NULL, kind text NOT NULL, rule text NOT NULL, before_value bytea, after_value bytea)`,
		`CREATE TABLE moodledb.rejected_row (id bigint GENERATED ALWAYS AS IDENTITY, run bigint NOT NULL, table_name text NOT NULL,
			row_key text NOT NULL, column_name text NOT NULL, kind text NOT NULL, reason text NOT NULL, columns text[] NOT NULL, row_values bytea[] NOT NULL)`,
	)
}

// copyUnder copies a table as migrate does: rows and lists in one transaction,
// again as long as the policy has something to try. It returns the number of attempts.
func copyUnder(t testing.TB, src copy.Source, dst *postgres.Conn, j copy.Job, number int64) (result copy.Result, attempts int, err error) {
	t.Helper()
	ctx := t.Context()
	for {
		attempts++
		err = dst.Transact(ctx, func() error {
			if result, err = copy.Table(ctx, src, dst, j, copy.Options{}); err != nil || result.Touched == nil {
				return err
			}
			defer func() { err = errors.Join(err, result.Touched.Close()) }()
			for _, list := range []struct {
				columns string
				from    io.Reader
				want    int64
			}{
				{"value_change (run, table_name, row_key, column_name, kind, rule, before_value, after_value)", result.Touched.Changes(number), result.Touched.Changed},
				{"rejected_row (run, table_name, row_key, column_name, kind, reason, columns, row_values)", result.Touched.Rejects(number), result.Touched.Rejected},
			} {
				n, err := dst.CopyFrom(ctx, "COPY moodledb."+list.columns+" FROM STDIN (FORMAT binary)", list.from)
				if err != nil {
					return err
				}
				if n != list.want {
					t.Errorf("%d rows of %s, told %d", n, list.columns, list.want)
				}
			}
			return nil
		})
		var again *copy.RetryError
		if !errors.As(err, &again) {
			return result, attempts, err
		}
		j.Repair = again.Repair
	}
}

// faulty is a column with a value that does not fit, or only by a policy.
type faulty struct {
	kind           convert.ErrorKind
	source, target string
	value          string
	// cannot are the rules that cannot be applied to it.
	cannot []convert.FixRule
}

// harmless is a value for the rows without a fault.
func (f faulty) harmless() string {
	switch {
	case strings.HasPrefix(f.source, "TINYINT"):
		return "i MOD 2"
	case strings.HasPrefix(f.source, "TIMESTAMP"):
		return harmless("DATE")
	case f.target == "uuid":
		return "'123e4567-e89b-12d3-a456-426655440000'"
	}
	return harmless(f.source)
}

// faults are faults of every kind.
func faults() []faulty {
	long := "REPEAT('ü', 300000)"
	rules := func(r ...convert.FixRule) []convert.FixRule { return r }
	null := rules(convert.FixNull)
	epoch := rules(convert.FixEpoch)
	return []faulty{
		{convert.NulByte, "LONGTEXT", "text", "CONCAT('abc', CHAR(0), 'def')", nil},
		{convert.NulByte, "VARCHAR(100) NOT NULL", "varchar(100) NOT NULL", "CHAR(0)", null},
		{convert.NulByte, "LONGTEXT", "jsonb", "CONCAT('\"', CHAR(0), 'a\"')", nil},
		{convert.NulByte, "CHAR(10)", "char(10)", "CONCAT('a', CHAR(0), 'b')", nil},
		{convert.NulByte, "LONGTEXT", "text", "CONCAT(" + long + ", CHAR(0))", nil},
		{convert.InvalidUTF8, "LONGBLOB", "text", "X'636166E9206E6F6972'", nil},
		{convert.InvalidUTF8, "VARBINARY(20)", "varchar(20)", "X'8081C080EDA080F09F98'", nil},
		{convert.InvalidUTF8, "LONGBLOB", "text", "CONCAT(" + long + ", X'E282')", nil},
		{convert.ZeroDate, "DATETIME", "timestamp", "'0000-00-00 00:00:00'", nil},
		{convert.ZeroDate, "DATE", "date", "'2024-05-00'", nil},
		{convert.ZeroDate, "DATE NOT NULL", "date NOT NULL", "'0000-00-00'", null},
		{convert.ZeroDate, "TIMESTAMP NULL", "timestamptz", "'0000-00-00 00:00:00'", nil},
		{convert.BadDate, "DATE", "date", "'2023-02-30'", nil},
		{convert.BadDate, "DATETIME(3)", "timestamp(3)", "'2023-02-30 12:34:56.789'", nil},
		{convert.OutOfRange, "BIGINT UNSIGNED", "bigint", "18446744073709551615", nil},
		{convert.OutOfRange, "INT", "smallint", "-40000", nil},
		{convert.OutOfRange, "TINYINT(1)", "boolean", "-1", nil},
		{convert.OutOfRange, "DECIMAL(20,2)", "numeric(5,2)", "-123456.78", nil},
		{convert.OutOfRange, "DOUBLE", "numeric(20,2)", "1e30", nil},
		{convert.OutOfRange, "FLOAT", "numeric(10,5)", "1e30", nil},
		{convert.OutOfRange, "DOUBLE", "bigint", "1e30", nil},
		{convert.OutOfRange, "DOUBLE", "real", "-1e300", nil},
		{convert.OutOfRange, "BIT(64)", "bigint", "X'FFFFFFFFFFFFFFFF'", nil},
		{convert.OutOfRange, "TIME", "time", "'-01:00:00'", nil},
		{convert.NotExact, "DECIMAL(10,5)", "numeric(10,2)", "1.00500", nil},
		{convert.NotExact, "DOUBLE", "integer", "-2.5", nil},
		{convert.NotExact, "DOUBLE", "real", "0.1234567890123", nil},
		{convert.NotExact, "DOUBLE", "real", "1234567.89012345", nil},
		{convert.NotExact, "BIGINT", "double precision", "9007199254740993", nil},
		{convert.NotExact, "FLOAT", "numeric(10,2)", "0.12345678", nil},
		{convert.NotExact, "DATETIME", "date", "'2024-02-29 23:59:59'", nil},
		{convert.NotExact, "DATETIME(6)", "timestamp(0)", "'2024-12-31 23:59:59.500000'", nil},
		{convert.NotExact, "DATETIME(6)", "timestamp(2)", "'1969-12-31 23:59:59.994999'", nil},
		{convert.NotExact, "TIME(6)", "time(0)", "'23:59:59.600000'", nil},
		{convert.NotExact, "TIME(6)", "interval(1)", "'-838:59:58.960000'", nil},
		{convert.NotExact, "VARCHAR(10)", "char(5)", "'ab  '", nil},
		{convert.TooLong, "VARCHAR(300)", "varchar(255)", "REPEAT('ü', 256)", nil},
		{convert.TooLong, "VARCHAR(300)", "char(5)", "'abcdefgh'", nil},
		{convert.TooLong, "LONGTEXT", "varchar(200000)", long, nil},
		{convert.TooLong, "INT", "varchar(3)", "12345", rules(convert.FixTruncate)},
		{convert.NullValue, "BIGINT", "bigint NOT NULL", "NULL", epoch},
		{convert.NullValue, "VARCHAR(20)", "varchar(20) NOT NULL", "NULL", epoch},
		{convert.NullValue, "LONGBLOB", "bytea NOT NULL", "NULL", epoch},
		{convert.NullValue, "DECIMAL(10,5)", "numeric(10,5) NOT NULL", "NULL", epoch},
		{convert.NullValue, "DOUBLE", "double precision NOT NULL", "NULL", epoch},
		{convert.NullValue, "TINYINT(1)", "boolean NOT NULL", "NULL", epoch},
		{convert.NullValue, "BIT(12)", "bit(12) NOT NULL", "NULL", epoch},
		{convert.NullValue, "TIME", "interval NOT NULL", "NULL", epoch},
		{convert.NullValue, "DATETIME", "timestamp NOT NULL", "NULL", rules(convert.FixEmpty)},
		{convert.BadSyntax, "VARCHAR(20)", "bigint", "'abc'", nil},
		{convert.BadSyntax, "VARCHAR(20)", "numeric(10,5)", "''", nil},
		{convert.BadSyntax, "VARCHAR(40)", "uuid", "'x'", rules(convert.FixEmpty)},
		{convert.Refused, "BIGINT", "bigint CHECK (v >= 0)", "-1", nil},
		{convert.Refused, "BIGINT", "bigint UNIQUE", "5", nil},
		{convert.Refused, "LONGTEXT", "jsonb", `'{"a": '`, nil},
		{convert.Refused, "LONGTEXT", "jsonb", `'"\\u0000"'`, nil},
	}
}

// TestEveryRuleOnServers copies every fault under every rule that there is for
// its kind, and holds the lists against what was read and what is stored.
func TestEveryRuleOnServers(t *testing.T) {
	eachPair(t, func(t *testing.T, e *ends) {
		e.lists(t)
		list := faults()
		for i, f := range list {
			e.source.Exec(t, e.sourceURL, "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
				fmt.Sprintf("CREATE TABLE %s (id INT PRIMARY KEY, v %s, tail VARCHAR(20))", name(i), f.source),
				fmt.Sprintf("INSERT INTO %s WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i+1 FROM n WHERE i < 40) SELECT i, %s, 'tail' FROM n", name(i), f.harmless()),
				fmt.Sprintf("UPDATE %s SET v = %s WHERE id IN (7, 23)", name(i), f.value))
			e.target.Exec(t, e.targetURL, fmt.Sprintf("CREATE TABLE %s (id integer PRIMARY KEY, v %s, tail text)", name(i), f.target))
		}
		from, err := e.my.Inspect(t.Context(), mysql.InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		to, err := e.pg.Inspect(t.Context(), "public")
		if err != nil {
			t.Fatal(err)
		}
		src, dst, db := e.newReader(t), e.newTarget(t), e.target.SQL(t, e.targetURL)
		run := int64(0)
		for i, f := range list {
			j := newJob(t, from.Table(name(i)), to.Table(name(i)))
			for _, rule := range convert.FixRules(f.kind) {
				t.Run(strings.Join([]string{string(f.kind), f.source, f.target, string(rule)}, " "), func(t *testing.T) {
					run++
					j.Policy = copy.Policy{Fixes: convert.Fixes{f.kind: rule}}
					result, attempts, err := copyUnder(t, src, dst, j, run)
					var row *copy.RowError
					if rule == convert.FixStop || slices.Contains(f.cannot, rule) {
						if !errors.As(err, &row) || row.Kind() != f.kind || (rule != convert.FixStop) != strings.Contains(err.Error(), "cannot be applied") {
							t.Errorf("got %v", err)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					defer e.target.Exec(t, e.targetURL, "TRUNCATE "+name(i))
					e.holdLists(t, db, src, j, run, rule)
					if want := 2 * boolInt(rule != convert.FixQuarantine); result.Touched == nil || result.Touched.Changed != int64(want) || result.Touched.Rejected != 2-int64(want) {
						t.Errorf("%+v", result)
					}
					if attempts > 3 {
						t.Errorf("%d attempts", attempts)
					}
				})
			}
		}
	})
}

// TestEndsUnderAPolicy ends copies of which no row is sent any more.
func TestEndsUnderAPolicy(t *testing.T) {
	eachSource(t, func(t *testing.T, e *ends) {
		e.source.Exec(t, e.sourceURL, "CREATE TABLE big (id INT PRIMARY KEY, v VARCHAR(200))",
			"INSERT INTO big WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i+1 FROM n WHERE i < 1000) SELECT i, REPEAT('x', 200) FROM n")
		e.target.Exec(t, e.targetURL, "CREATE TABLE big (id integer, v text NOT NULL)")
		// A thousand million rows: it cannot end before it is ended.
		j := e.job(t, "big")
		j.Query = "SELECT id, v FROM big UNION ALL SELECT a.id, NULL FROM big a JOIN big b JOIN big c"
		opts := copy.Options{Buffer: 4096}
		j.Policy.Mode = convert.QuarantineBad
		t.Run("cancelled", func(t *testing.T) {
			src, dst := e.newReader(t), e.newTarget(t)
			before := goleak.IgnoreCurrent()
			ctx, cancel := context.WithCancelCause(t.Context())
			stop := errors.New("interrupted")
			time.AfterFunc(500*time.Millisecond, func() { cancel(stop) })
			began := time.Now()
			if _, err := copy.Table(ctx, src, dst, j, opts); !errors.Is(err, stop) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("cancelling took %s", took)
			}
			// pgx reads ahead on a session in a goroutine that only the next bytes end, or its close.
			ahead := goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgconn/internal/bgreader.(*BGReader).bgRead")
			if err := goleak.Find(before, ahead); err != nil {
				t.Error(err)
			}
		})
		t.Run("target killed", func(t *testing.T) {
			db := e.target.SQL(t, e.targetURL)
			killed := whenRunning(t, func() bool {
				var n int
				err := db.QueryRow("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'").Scan(&n)
				return err == nil && n > 0
			})
			defer killed()
			began := time.Now()
			_, err := copy.Table(t.Context(), e.newReader(t), e.newTarget(t), j, opts)
			var again *copy.RetryError
			if err == nil || errors.As(err, &again) {
				t.Errorf("got %v", err)
			}
			t.Log(time.Since(began), err)
		})
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// holdLists holds that the target is the source with the listed changes made,
// and without the rows that are listed as set aside.
func (e *ends) holdLists(t *testing.T, db *sql.DB, src copy.Source, j copy.Job, run int64, rule convert.FixRule) {
	t.Helper()
	changed, rejected, stored := map[string][2]sql.NullString{}, map[string]string{}, map[string]sql.NullString{}
	each(t, db, fmt.Sprintf("SELECT row_key, encode(before_value, 'hex'), encode(after_value, 'hex') FROM moodledb.value_change WHERE run = %d AND table_name = '%s' AND column_name = 'v' AND rule LIKE '%%%s%%'", run, j.Table, rule), func(v []sql.NullString) {
		changed[v[0].String] = [2]sql.NullString{v[1], v[2]}
	})
	each(t, db, fmt.Sprintf("SELECT row_key, columns::text || coalesce(encode(row_values[1], 'hex'), '-') || ' ' || coalesce(encode(row_values[2], 'hex'), '-') || ' ' || coalesce(encode(row_values[3], 'hex'), '-') FROM moodledb.rejected_row WHERE run = %d AND table_name = '%s'", run, j.Table), func(v []sql.NullString) {
		rejected[v[0].String] = v[1].String
	})
	text := "v::text"
	if strings.HasPrefix(j.Columns[1].Rule.Target, "bytea") {
		text = "convert_from(v, 'UTF8')"
	}
	each(t, db, fmt.Sprintf("SELECT 'id=' || id, encode(convert_to(%s, 'UTF8'), 'hex') FROM public.%s WHERE tail = 'tail'", text, j.Table), func(v []sql.NullString) {
		stored[v[0].String] = v[1]
	})
	rows, err := src.Query(t.Context(), j.Query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	count := 0
	for ; ; count++ {
		id, v := nextRow(t, rows)
		if id == "" {
			break
		}
		key := "id=" + id
		now, there := stored[key]
		change, isChanged := changed[key]
		aside, isRejected := rejected[key]
		switch {
		case isRejected:
			want := fmt.Sprintf("{id,v,tail}%x %s %x", id, v.String, "tail")
			if !v.Valid {
				want = fmt.Sprintf("{id,v,tail}%x - %x", id, "tail")
			}
			if there || isChanged || aside != want {
				t.Errorf("%s was set aside as %.200s, want %.200s", key, aside, want)
			}
		case isChanged:
			if !there || change[0] != v || change[1] != now {
				t.Errorf("%s is listed as changed from %.200q to %.200q, was %.200q, is %.200q", key, change[0].String, change[1].String, v.String, now.String)
			}
		case !there || !now.Valid:
			t.Errorf("%s is not there, and not listed", key)
		}
		delete(stored, key)
		delete(changed, key)
		delete(rejected, key)
	}
	if count != 40 || len(stored)+len(changed)+len(rejected) > 0 {
		t.Errorf("%d rows, left over: %v %v %v", count, stored, changed, rejected)
	}
}

// each reads all rows of a query.
func each(t testing.TB, db *sql.DB, query string, visit func([]sql.NullString)) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]sql.NullString, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		visit(values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// nextRow reads id, and v in hexadecimal, of the next row; the id is empty at the end.
func nextRow(t testing.TB, rows copy.Rows) (id string, v sql.NullString) {
	t.Helper()
	fields, large, err := rows.Next()
	if err == io.EOF {
		return "", v
	}
	if err != nil {
		t.Fatal(err)
	}
	if large {
		for range 3 {
			_, null, err := rows.NextField()
			if err != nil {
				t.Fatal(err)
			}
			if null {
				fields = append(fields, nil)
				continue
			}
			field, err := io.ReadAll(rows)
			if err != nil {
				t.Fatal(err)
			}
			fields = append(fields, field)
		}
	}
	return string(fields[0]), sql.NullString{String: fmt.Sprintf("%x", fields[1]), Valid: fields[1] != nil}
}
