//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/xmldb"
)

// siteUnderTest is a site that whole migrations are tested with.
type siteUnderTest struct {
	name string
	code func(t *testing.T) *xmldb.Site
	load func(t *testing.T, p *pair)
	// native is a pg_dump of the schema that Moodle's own installer made of the
	// same code; empty when there is none.
	native string
}

// sites are the bundled site and, where MOODLEDB_TEST_SITE names its
// directory, a real one, which cannot be part of this repository.
func sites() []siteUnderTest {
	all := []siteUnderTest{{
		name: "sample", code: sampleCode,
		load: func(t *testing.T, p *pair) { p.loadSample(t) },
	}}
	if dir := os.Getenv("MOODLEDB_TEST_SITE"); dir != "" {
		all = append(all, siteUnderTest{
			name: "real", code: func(t *testing.T) *xmldb.Site { return loadCode(t, filepath.Join(dir, "code")) },
			load:   func(t *testing.T, p *pair) { p.sourceServer.Load(t, p.sourceURL, filepath.Join(dir, "site.sql.gz")) },
			native: filepath.Join(dir, "native-postgres.sql.gz"),
		})
	}
	return all
}

// pairs are the sources and targets of whole migrations: as few as have every
// server in them, or all with all when TEST_MATRIX is "full".
func pairs() [][2]string {
	sources, targets := testdb.Sources(), testdb.Targets()
	var out [][2]string
	if os.Getenv("TEST_MATRIX") != "full" {
		for i := range max(len(sources), len(targets)) {
			out = append(out, [2]string{sources[i%len(sources)], targets[i%len(targets)]})
		}
		return out
	}
	for _, s := range sources {
		for _, t := range targets {
			out = append(out, [2]string{s, t})
		}
	}
	return out
}

// matrix is the first of the flavours, for tests that take minutes and of which
// one server tells most; all of them with TEST_MATRIX=full.
func matrix[T any](flavours []T) []T {
	if os.Getenv("TEST_MATRIX") != "full" {
		return flavours[:1]
	}
	return flavours
}

// TestSite migrates whole sites. Every cell must arrive, and the schema must be
// the one that Moodle's own installer makes.
func TestSite(t *testing.T) {
	for _, s := range sites() {
		for _, servers := range pairs() {
			t.Run(s.name+"/"+servers[0]+"/"+servers[1], func(t *testing.T) {
				p := newPair(t, servers[0], servers[1])
				s.load(t, p)
				p.open(t)
				opts := migrate.Options{Site: s.code(t), Owner: "moodle"}
				result := p.migrate(t, opts)
				t.Logf("migrated in %s", result.Elapsed)
				if !result.Snapshot.Consistent {
					t.Errorf("snapshot: %s", result.Snapshot.How)
				}
				tables, rows := p.compareAll(t, "public", "mdl_")
				gotTables, gotRows, _ := result.Totals()
				if gotTables != tables || gotRows != int64(rows) {
					t.Errorf("the result says %d tables and %d rows, the source has %d and %d", gotTables, gotRows, tables, rows)
				}
				p.provenSame(t, opts.Site, tables)
				checkSequences(t, p, result)
				if s.native != "" {
					compareNative(t, p, s.native)
				}
				if servers[1] == firstTarget() { // parts are the source's business
					inParts(t, p, opts)
				}
				sessionsEnd(t, p)
			})
		}
	}
}

// TestSiteDataOnly loads a real site into the schema that Moodle's installer made.
func TestSiteDataOnly(t *testing.T) {
	for _, s := range sites() {
		if s.native == "" {
			continue
		}
		for _, servers := range matrix(pairs()) {
			t.Run(s.name+"/"+servers[0]+"/"+servers[1], func(t *testing.T) {
				p := newPair(t, servers[0], servers[1])
				s.load(t, p)
				p.targetServer.Load(t, p.targetURL, s.native)
				before := siteSchema(t, p)
				p.targetServer.Exec(t, p.targetURL, "INSERT INTO mdl_config (name, value) VALUES ('installed', 'by the installer')")
				p.open(t)
				if _, err := p.try(t.Context(), migrate.Options{DataOnly: true}); err == nil || !strings.Contains(err.Error(), "table-not-empty: mdl_config") {
					t.Errorf("without truncate: error %v, want one about mdl_config", err)
				}
				p.migrate(t, migrate.Options{DataOnly: true, Truncate: true})
				p.compareAll(t, "public", "mdl_")
				after := siteSchema(t, p)
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("loading data changed the schema (-before +after):\n%s", diff)
				}
				sessionsEnd(t, p)
			})
		}
	}
}

// compareNative compares the migrated schema with the native one, both dumped
// by the same pg_dump from the same server.
func compareNative(t *testing.T, p *pair, native string) {
	t.Helper()
	url := p.targetServer.Database(t)
	p.targetServer.Load(t, url, native)
	want := statements(p.targetServer.Dump(t, url, "--schema-only"))
	got := siteSchema(t, p)
	// The schema itself belongs to the owner that was asked for.
	got = slices.DeleteFunc(got, func(s string) bool { return s == "ALTER SCHEMA public OWNER TO moodle;" })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the schema differs from Moodle's own (-native +migrated):\n%s", diff)
	}
}

// statements splits a dump and sorts it. Comments and session settings go.
func statements(dump string) []string {
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

// checkSequences asks each sequence for its next value: greater than every id
// and not below the source's AUTO_INCREMENT.
func checkSequences(t *testing.T, p *pair, result *migrate.Result) {
	t.Helper()
	source, target := p.sourceServer.SQL(t, p.sourceURL), p.targetServer.SQL(t, p.targetURL)
	// MySQL 8 and later show the counter as it was when statistics were last read.
	_, _ = source.Exec("ANALYZE TABLE mdl_config")
	checked := 0
	for _, table := range result.Tables {
		if table.NextValue == 0 {
			continue
		}
		var next int64
		if err := target.QueryRow(`SELECT nextval('"` + table.Name + `_id_seq"')`).Scan(&next); err != nil {
			t.Errorf("table %q: %v", table.Name, err)
			continue
		}
		var highest, counter int64
		if err := target.QueryRow(`SELECT COALESCE(max(id), 0) FROM "` + table.Name + `"`).Scan(&highest); err != nil {
			t.Errorf("table %q: %v", table.Name, err)
		}
		err := source.QueryRow("SELECT COALESCE(auto_increment, 0) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
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
