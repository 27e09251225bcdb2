//go:build integration

package integration

import (
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
)

// inParts migrates a site once more, its tables divided into the smallest parts
// that there can be: every cell must arrive once, and the ledger must tell the
// parts of each table from one end of its key to the other.
func inParts(t *testing.T, p *rig.Pair, opts migrate.Options) {
	t.Helper()
	// Right after the site was loaded, its statistics may not be gathered yet.
	p.SourceServer.Exec(t, p.SourceURL, "ANALYZE TABLE "+strings.Join(sourceTables(t, p), ", "))
	opts.Chunk, opts.Replace = migrate.MinChunk, true
	w := p.Attempt(t, opts, nil)
	if w.Err != nil {
		t.Fatal(w.Err)
	}
	p.Whole(t, w)
	parts := map[string][]postgres.ChunkRecord{}
	for _, c := range p.Standing(t).Contents.Chunks {
		parts[c.Table] = append(parts[c.Table], c)
	}
	if len(parts) < 2 {
		t.Errorf("only %d tables were divided", len(parts))
	}
	for _, table := range w.Result.Tables {
		if chunks := parts[table.Name]; len(chunks) > 0 {
			checkParts(t, table, chunks)
		}
	}
}

// sourceTables are the quoted names of the source's tables.
func sourceTables(t *testing.T, p *rig.Pair) []string {
	t.Helper()
	rows, err := p.SourceServer.SQL(t, p.SourceURL).Query("SELECT table_name AS n FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		names = append(names, mysql.QuoteIdent(n))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

// checkParts fails the test unless the parts of a table follow each other from
// end to end, are all copied, and hold all rows of the table.
func checkParts(t *testing.T, table migrate.TableResult, chunks []postgres.ChunkRecord) {
	t.Helper()
	if len(chunks) < 2 {
		t.Errorf("table %s is divided into %d part", table.Name, len(chunks))
	}
	var rows int64
	upper := map[string]string{}
	for _, c := range chunks {
		if !c.Done {
			t.Errorf("table %s: the part from %q is not copied", table.Name, c.Lower)
		}
		rows += c.Rows
		if _, twice := upper[strings.Join(c.Lower, ", ")]; twice {
			t.Errorf("table %s: two parts begin at %q", table.Name, c.Lower)
		}
		upper[strings.Join(c.Lower, ", ")] = strings.Join(c.Upper, ", ")
	}
	if rows != table.Rows {
		t.Errorf("table %s: the parts have %d rows, the table %d", table.Name, rows, table.Rows)
	}
	at, seen := "", []string{}
	for len(seen) <= len(chunks) {
		next, ok := upper[at]
		if !ok || slices.Contains(seen, at) {
			t.Errorf("table %s: no part begins at %q", table.Name, at)
			return
		}
		if seen = append(seen, at); next == "" {
			break
		}
		at = next
	}
	if len(seen) != len(chunks) {
		t.Errorf("table %s: %d of %d parts follow each other", table.Name, len(seen), len(chunks))
	}
}
