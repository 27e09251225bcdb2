//go:build integration

package rig

import (
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/postgres"
)

// digest is the number of a table's rows and a sum of their hashes.
type digest struct {
	rows int64
	sum  string
}

// digests asks a side for the digests of tables, by their names at the source.
// Both sides spell values alike: see cellRules.
func digests(t *testing.T, source, target Side, tables []string, atTarget bool) map[string]digest {
	t.Helper()
	var queries []string
	for _, name := range tables {
		var cells []string
		for _, c := range SourceColumns(t, source.DB, name) {
			expression, quoted := c.Source, "`"+c.Name+"`"
			if atTarget {
				expression, quoted = c.Target, `"`+c.Name+`"`
			}
			cells = append(cells, "COALESCE("+fmt.Sprintf(expression, quoted)+", 'NULL')")
		}
		line := "CONCAT_WS('|', " + strings.Join(cells, ", ") + ")"
		if atTarget {
			row := "encode(sha256(convert_to(" + line + ", 'UTF8')), 'hex')"
			queries = append(queries, fmt.Sprintf("SELECT '%s', count(*), coalesce(sum(('x' || left(%s, 8))::bit(32)::bigint), 0)::text FROM %s.%s",
				name, row, postgres.QuoteIdent(target.Schema), postgres.QuoteIdent(name)))
		} else {
			row := "SHA2(" + line + ", 256)" // MySQL 9.7 has no MD5 any more
			queries = append(queries, fmt.Sprintf("SELECT '%s', COUNT(*), CAST(COALESCE(SUM(CAST(CONV(LEFT(%s, 8), 16, 10) AS UNSIGNED)), 0) AS CHAR) FROM `%s`",
				name, row, name))
		}
	}
	db := source.DB
	if atTarget {
		db = target.DB
	}
	out := map[string]digest{}
	for part := range slices.Chunk(queries, 50) {
		rows, err := db.QueryContext(t.Context(), strings.Join(part, "\nUNION ALL "))
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var name string
			var d digest
			if err := rows.Scan(&name, &d.rows, &d.sum); err != nil {
				t.Fatal(err)
			}
			out[name] = d
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
	}
	return out
}

// Watched is a pair with pools of the test's own, by which it looks at both ends.
type Watched struct {
	*Pair
	From, To *sql.DB
	// productURL is the source for the product, whose sessions are told by the account.
	ProductURL string
}

// productUser is the product's account at the source.
const productUser = "product"

// Watch opens the pools. The source must be a server of the test's own.
func Watch(t *testing.T, p *Pair) *Watched {
	t.Helper()
	w := &Watched{Pair: p, From: p.SourceServer.SQL(t, p.SourceURL), To: p.TargetServer.SQL(t, p.TargetURL)}
	p.SourceServer.Exec(t, p.SourceURL, "CREATE USER IF NOT EXISTS '"+productUser+"'@'%' IDENTIFIED BY 'Secret.123'",
		"GRANT ALL PRIVILEGES ON *.* TO '"+productUser+"'@'%'")
	u, err := url.Parse(p.SourceURL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(productUser, "Secret.123")
	w.ProductURL = u.String()
	// One connection each, so that a goroutine more is the product's.
	for _, pool := range []*sql.DB{w.From, w.To} {
		pool.SetMaxOpenConns(1)
		if err := pool.PingContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// sourceTables lists the tables of the source.
func (p *Watched) sourceTables(t *testing.T) []string {
	t.Helper()
	return QueryStrings(t, p.From,
		"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY 1")
}

// CompareDigests fails the test unless every table of a schema has the source's rows.
func (p *Watched) CompareDigests(t *testing.T, schema string) {
	t.Helper()
	from := Side{DB: p.From}
	to := Side{DB: p.To, Schema: schema}
	tables := p.sourceTables(t)
	want, got := digests(t, from, to, tables, false), digests(t, from, to, tables, true)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(digest{})); diff != "" {
		t.Errorf("the tables differ (-source +target):\n%s", diff)
	}
}

// LedgerRun is the last run of the ledger into a schema.
type LedgerRun struct {
	ID       int64
	State    string
	Load     string
	Attempts int
	// schemaID tells a schema from another one of the same name; 0 when there is none.
	SchemaID int64
}

// LastRun reads the last run of the ledger; nil when there is none.
func (p *Watched) LastRun(t *testing.T) *LedgerRun {
	t.Helper()
	db := p.To
	var there bool
	if err := db.QueryRowContext(t.Context(), "SELECT to_regclass('moodledb.run') IS NOT NULL").Scan(&there); err != nil {
		t.Fatal(err)
	}
	if !there {
		return nil
	}
	var r LedgerRun
	err := db.QueryRowContext(t.Context(), `SELECT r.id, r.state, r.load_schema, r.attempts, coalesce(n.oid::bigint, 0)
FROM moodledb.run r LEFT JOIN pg_namespace n ON n.nspname = r.load_schema ORDER BY r.id DESC LIMIT 1`).
		Scan(&r.ID, &r.State, &r.Load, &r.Attempts, &r.SchemaID)
	if err == sql.ErrNoRows {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

// Committed is what the ledger has as copied, with the time that it took: what
// is copied again has another number, or took another time.
func (p *Watched) Committed(t *testing.T, r *LedgerRun) []string {
	t.Helper()
	return QueryStrings(t, p.To, `
SELECT format('chunk %s of %s: %s rows in %s', id, table_name, copied_rows, copy_seconds) FROM moodledb.run_chunk WHERE run = $1 AND done
UNION ALL
SELECT format('table %s: %s rows in %s', table_name, copied_rows, copy_seconds) FROM moodledb.run_table WHERE run = $1 AND state <> 'waiting'
UNION ALL
SELECT format('build %s of %s in %s', name, table_name, seconds) FROM moodledb.run_build WHERE run = $1
ORDER BY 1`, r.ID)
}

// chunkRow is a part of a table in the ledger.
type chunkRow struct {
	table        string
	lower, upper sql.NullString
	done         bool
	rows         int64
}

// CheckLedger fails the test unless what the ledger of a run says is what is in
// the schema. No session of the product may be at work.
func (p *Watched) CheckLedger(t *testing.T, r *LedgerRun, schema string) {
	t.Helper()
	if r == nil || r.State == "preparing" {
		return
	}
	db := p.To
	rows, err := db.QueryContext(t.Context(), "SELECT table_name, lower_bound::text, upper_bound::text, done, copied_rows FROM moodledb.run_chunk WHERE run = $1 ORDER BY id", r.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	chunks := map[string][]chunkRow{}
	for rows.Next() {
		var c chunkRow
		if err := rows.Scan(&c.table, &c.lower, &c.upper, &c.done, &c.rows); err != nil {
			t.Fatal(err)
		}
		chunks[c.table] = append(chunks[c.table], c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{}
	for name, list := range chunks {
		checkCover(t, name, list)
		for _, c := range list {
			want[name] += c.rows
		}
	}
	states := map[string]string{}
	for _, line := range QueryStrings(t, db, "SELECT table_name || '|' || state || '|' || copied_rows FROM moodledb.run_table WHERE run = $1", r.ID) {
		name, rest, _ := strings.Cut(line, "|")
		state, count, _ := strings.Cut(rest, "|")
		states[name] = state
		if state != "waiting" {
			var n int64
			if _, err := fmt.Sscan(count, &n); err != nil {
				t.Fatal(err)
			}
			if len(chunks[name]) > 0 && n != want[name] {
				t.Errorf("table %q is %s with %d rows, its chunks have %d", name, state, n, want[name])
			}
			want[name] = n
		} else if len(chunks[name]) == 0 {
			want[name] = 0
		}
	}
	got := map[string]int64{}
	var queries []string
	for name := range states {
		queries = append(queries, fmt.Sprintf("SELECT '%s|' || count(*) FROM %s.%s", name, postgres.QuoteIdent(schema), postgres.QuoteIdent(name)))
	}
	for part := range slices.Chunk(queries, 50) {
		for _, line := range QueryStrings(t, db, strings.Join(part, " UNION ALL ")) {
			name, count, _ := strings.Cut(line, "|")
			var n int64
			if _, err := fmt.Sscan(count, &n); err != nil {
				t.Fatal(err)
			}
			got[name] = n
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-ledger +target):\n%s", diff)
	}
	p.checkBuilds(t, r, schema, states)
}

// checkCover fails the test unless the parts of a table hold every key once.
func checkCover(t *testing.T, name string, chunks []chunkRow) {
	t.Helper()
	next := map[string]string{}
	for _, c := range chunks {
		from := "open"
		if c.lower.Valid {
			from = c.lower.String
		}
		to := "end"
		if c.upper.Valid {
			to = c.upper.String
		}
		if _, twice := next[from]; twice {
			t.Errorf("table %q: two chunks begin at %s", name, from)
		}
		next[from] = to
	}
	at, seen := "open", 0
	for ; at != "end" && seen <= len(chunks); seen++ {
		to, ok := next[at]
		if !ok {
			t.Errorf("table %q: no chunk begins at %s", name, at)
			return
		}
		at = to
	}
	if seen != len(chunks) {
		t.Errorf("table %q: %d of %d chunks follow each other", name, seen, len(chunks))
	}
}

// checkBuilds compares the indexes that the ledger has with those that are there.
func (p *Watched) checkBuilds(t *testing.T, r *LedgerRun, schema string, states map[string]string) {
	t.Helper()
	db := p.To
	recorded := QueryStrings(t, db, `SELECT b.table_name || ' ' || b.name FROM moodledb.run_build b
WHERE b.run = $1 AND b.name NOT LIKE 'ALTER TABLE%' ORDER BY 1`, r.ID)
	there := QueryStrings(t, db, "SELECT tablename || ' ' || indexname FROM pg_indexes WHERE schemaname = $1 AND tablename = ANY ($2::text[]) ORDER BY 1",
		schema, "{"+strings.Join(keys(states), ",")+"}")
	slices.Sort(recorded)
	slices.Sort(there)
	if diff := cmp.Diff(recorded, there); diff != "" {
		t.Errorf("indexes (-ledger +target):\n%s", diff)
	}
}

func keys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Quiet waits until no session of the product is left at either server, and
// fails the test when one is left after some seconds.
func (p *Watched) Quiet(t *testing.T) {
	t.Helper()
	const (
		atTarget = "SELECT concat_ws(' ', pid, state, left(query, 100)) FROM pg_stat_activity WHERE application_name = 'moodledb' AND datname = current_database()"
		atSource = "SELECT CONCAT_WS(' ', id, command, LEFT(info, 100)) FROM information_schema.processlist WHERE user = '" + productUser + "'"
	)
	var left []string
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if left = append(QueryStrings(t, p.To, atTarget), QueryStrings(t, p.From, atSource)...); len(left) == 0 {
			return
		}
	}
	t.Errorf("sessions are left: %q", left)
}
