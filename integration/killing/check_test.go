//go:build integration

package killing

import (
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/postgres"
)

// This file looks at what a killed run has left, and at what it has become in
// the end, without the product's own code.

// digest is the number of a table's rows and a sum of their hashes.
type digest struct {
	rows int64
	sum  string
}

// digests asks a side for the digests of tables, by their names at the source.
// Both sides spell values alike: see cellRules.
func digests(t *testing.T, source, target rig.Side, tables []string, atTarget bool) map[string]digest {
	t.Helper()
	var queries []string
	for _, name := range tables {
		var cells []string
		for _, c := range rig.SourceColumns(t, source.DB, name) {
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
		rows, err := db.Query(strings.Join(part, "\nUNION ALL "))
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

// watched is a pair with pools of the test's own, by which it looks at both ends.
type watched struct {
	*rig.Pair
	from, to *sql.DB
	// productURL is the source for the product, whose sessions are told by the account.
	productURL string
}

// productUser is the product's account at the source.
const productUser = "product"

// watch opens the pools. The source must be a server of the test's own.
func watch(t *testing.T, p *rig.Pair) *watched {
	t.Helper()
	w := &watched{Pair: p, from: p.SourceServer.SQL(t, p.SourceURL), to: p.TargetServer.SQL(t, p.TargetURL)}
	p.SourceServer.Exec(t, p.SourceURL, "CREATE USER IF NOT EXISTS '"+productUser+"'@'%' IDENTIFIED BY 'Secret.123'",
		"GRANT ALL PRIVILEGES ON *.* TO '"+productUser+"'@'%'")
	u, err := url.Parse(p.SourceURL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(productUser, "Secret.123")
	w.productURL = u.String()
	// One connection each, so that a goroutine more is the product's.
	for _, pool := range []*sql.DB{w.from, w.to} {
		pool.SetMaxOpenConns(1)
		if err := pool.Ping(); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// sourceTables lists the tables of the source.
func (p *watched) sourceTables(t *testing.T) []string {
	t.Helper()
	return rig.QueryStrings(t, p.from,
		"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY 1")
}

// compareDigests fails the test unless every table of a schema has the source's rows.
func (p *watched) compareDigests(t *testing.T, schema string) {
	t.Helper()
	from := rig.Side{DB: p.from}
	to := rig.Side{DB: p.to, Schema: schema}
	tables := p.sourceTables(t)
	want, got := digests(t, from, to, tables, false), digests(t, from, to, tables, true)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(digest{})); diff != "" {
		t.Errorf("the tables differ (-source +target):\n%s", diff)
	}
}

// ledgerRun is the last run of the ledger into a schema.
type ledgerRun struct {
	id       int64
	state    string
	load     string
	attempts int
	// schemaID tells a schema from another one of the same name; 0 when there is none.
	schemaID int64
}

// lastRun reads the last run of the ledger; nil when there is none.
func (p *watched) lastRun(t *testing.T) *ledgerRun {
	t.Helper()
	db := p.to
	var there bool
	if err := db.QueryRow("SELECT to_regclass('moodledb.run') IS NOT NULL").Scan(&there); err != nil {
		t.Fatal(err)
	}
	if !there {
		return nil
	}
	var r ledgerRun
	err := db.QueryRow(`SELECT r.id, r.state, r.load_schema, r.attempts, coalesce(n.oid::bigint, 0)
FROM moodledb.run r LEFT JOIN pg_namespace n ON n.nspname = r.load_schema ORDER BY r.id DESC LIMIT 1`).
		Scan(&r.id, &r.state, &r.load, &r.attempts, &r.schemaID)
	if err == sql.ErrNoRows {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

// phase says how far a run is, in one word.
func (p *watched) phase(t *testing.T, r *ledgerRun) string {
	t.Helper()
	switch {
	case r == nil:
		return "not begun"
	case r.state == "preparing" || r.state == "done":
		return r.state
	}
	var waiting, copied, unverified int
	err := p.to.QueryRow(`SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'copied'), count(*) FILTER (WHERE state = 'done' AND copies)
FROM moodledb.run_table WHERE run = $1`, r.id).Scan(&waiting, &copied, &unverified)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case waiting > 0 && copied == 0:
		return "copying"
	case waiting > 0:
		return "copying and building"
	case copied > 0:
		return "building"
	case unverified > 0:
		return "verifying"
	}
	return "handing over"
}

// committed is what the ledger has as copied, with the time that it took: what
// is copied again has another number, or took another time.
func (p *watched) committed(t *testing.T, r *ledgerRun) []string {
	t.Helper()
	return rig.QueryStrings(t, p.to, `
SELECT format('chunk %s of %s: %s rows in %s', id, table_name, copied_rows, copy_seconds) FROM moodledb.run_chunk WHERE run = $1 AND done
UNION ALL
SELECT format('table %s: %s rows in %s', table_name, copied_rows, copy_seconds) FROM moodledb.run_table WHERE run = $1 AND state <> 'waiting'
UNION ALL
SELECT format('build %s of %s in %s', name, table_name, seconds) FROM moodledb.run_build WHERE run = $1
ORDER BY 1`, r.id)
}

// chunkRow is a part of a table in the ledger.
type chunkRow struct {
	table        string
	lower, upper sql.NullString
	done         bool
	rows         int64
}

// checkLedger fails the test unless what the ledger of a run says is what is in
// the schema. No session of the product may be at work.
func (p *watched) checkLedger(t *testing.T, r *ledgerRun, schema string) {
	t.Helper()
	if r == nil || r.state == "preparing" {
		return
	}
	db := p.to
	rows, err := db.Query("SELECT table_name, lower_bound::text, upper_bound::text, done, copied_rows FROM moodledb.run_chunk WHERE run = $1 ORDER BY id", r.id)
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
	for _, line := range rig.QueryStrings(t, db, "SELECT table_name || '|' || state || '|' || copied_rows FROM moodledb.run_table WHERE run = $1", r.id) {
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
		for _, line := range rig.QueryStrings(t, db, strings.Join(part, " UNION ALL ")) {
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
func (p *watched) checkBuilds(t *testing.T, r *ledgerRun, schema string, states map[string]string) {
	t.Helper()
	db := p.to
	recorded := rig.QueryStrings(t, db, `SELECT b.table_name || ' ' || b.name FROM moodledb.run_build b
WHERE b.run = $1 AND b.name NOT LIKE 'ALTER TABLE%' ORDER BY 1`, r.id)
	there := rig.QueryStrings(t, db, "SELECT tablename || ' ' || indexname FROM pg_indexes WHERE schemaname = $1 AND tablename = ANY ($2::text[]) ORDER BY 1",
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

// quiet waits until no session of the product is left at either server, and
// fails the test when one is left after some seconds.
func (p *watched) quiet(t *testing.T) {
	t.Helper()
	const (
		atTarget = "SELECT concat_ws(' ', pid, state, left(query, 100)) FROM pg_stat_activity WHERE application_name = 'moodledb' AND datname = current_database()"
		atSource = "SELECT CONCAT_WS(' ', id, command, LEFT(info, 100)) FROM information_schema.processlist WHERE user = '" + productUser + "'"
	)
	var left []string
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if left = append(rig.QueryStrings(t, p.to, atTarget), rig.QueryStrings(t, p.from, atSource)...); len(left) == 0 {
			return
		}
	}
	t.Errorf("sessions are left: %q", left)
}
