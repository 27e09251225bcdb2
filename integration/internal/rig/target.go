//go:build integration

package rig

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/migrate"
)

// WaitSessions waits until the number of the product's sessions at the target
// for which a condition holds is as wanted.
func WaitSessions(t *testing.T, p *Pair, condition string, wanted func(int) bool) {
	t.Helper()
	db := p.TargetServer.SQL(t, p.TargetURL)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var n int
		err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'moodledb' AND datname = current_database() AND "+condition).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if wanted(n) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions where %s: %q", n, condition, p.Strings(t, "SELECT concat_ws(' ', pid, state, wait_event_type, wait_event, left(query, 200)) FROM pg_stat_activity WHERE application_name = 'moodledb'"))
		}
	}
}

// QueryStrings asks for a column of text.
func QueryStrings(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Count asks the target for one number.
func (p *Pair) Count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := p.TargetServer.SQL(t, p.TargetURL).QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Strings asks the target for a column of text.
func (p *Pair) Strings(t *testing.T, query string, args ...any) []string {
	t.Helper()
	rows, err := p.TargetServer.SQL(t, p.TargetURL).QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s sql.NullString
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// SiteSchema are the statements that make the target, without moodledb's own schema.
func SiteSchema(t *testing.T, p *Pair) []string {
	t.Helper()
	return Statements(p.TargetServer.Dump(t, p.TargetURL, "--schema-only", "--exclude-schema=moodledb"))
}

// Statements splits a dump and sorts it. Comments and session settings go.
func Statements(dump string) []string {
	var out []string
	var current []string
	for line := range strings.Lines(dump) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "--") || strings.HasPrefix(line, `\`) {
			continue
		}
		current = append(current, line)
		if strings.HasSuffix(line, ";") {
			s := strings.Join(current, "\n")
			current = nil
			if !strings.HasPrefix(s, "SET ") && !strings.HasPrefix(s, "SELECT pg_catalog.set_config") {
				out = append(out, s)
			}
		}
	}
	slices.Sort(out)
	return out
}

// CheckSequences asks each sequence for its next value: greater than every id
// and not below the source's AUTO_INCREMENT.
func CheckSequences(t *testing.T, p *Pair, result *migrate.Result) {
	t.Helper()
	source, target := p.SourceServer.SQL(t, p.SourceURL), p.TargetServer.SQL(t, p.TargetURL)
	// MySQL 8 and later show the counter as it was when statistics were last read.
	_, _ = source.ExecContext(t.Context(), "ANALYZE TABLE mdl_config")
	checked := 0
	for _, table := range result.Tables {
		if table.NextValue == 0 {
			continue
		}
		var next int64
		if err := target.QueryRowContext(t.Context(), `SELECT nextval('"`+table.Name+`_id_seq"')`).Scan(&next); err != nil {
			t.Errorf("table %q: %v", table.Name, err)
			continue
		}
		var highest, counter int64
		if err := target.QueryRowContext(t.Context(), `SELECT COALESCE(max(id), 0) FROM "`+table.Name+`"`).Scan(&highest); err != nil {
			t.Errorf("table %q: %v", table.Name, err)
		}
		err := source.QueryRowContext(t.Context(), "SELECT COALESCE(auto_increment, 0) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
			table.Name).Scan(&counter)
		if err != nil {
			t.Errorf("table %q: %v", table.Name, err)
		}
		if next <= highest || next < counter {
			t.Errorf("table %q: the next id is %d, but the highest is %d and the source's counter %d", table.Name, next, highest, counter)
		}
		checked++
	}
	if checked == 0 {
		t.Error("no sequence was checked")
	}
}

// Untouched fails the test unless the target is as empty as before: nothing is
// half published and no staging schema is left.
func Untouched(t *testing.T, p *Pair) {
	t.Helper()
	var n int
	err := p.TargetServer.SQL(t, p.TargetURL).QueryRowContext(t.Context(), `SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^(pg_|information_schema)'`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	if n != 0 {
		t.Errorf("%d relations are left in the target", n)
	}
	err = p.TargetServer.SQL(t, p.TargetURL).QueryRowContext(t.Context(), `SELECT count(*) FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public$)'`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	if n != 0 {
		t.Errorf("%d schemas are left in the target", n)
	}
}
