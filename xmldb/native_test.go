package xmldb_test

import (
	"bufio"
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// siteDir returns the directory of a real site given by MOODLEDB_TEST_SITE: its
// code in code/, and in native-postgres.sql.gz the pg_dump of its schema as
// its own installer made it.
func siteDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MOODLEDB_TEST_SITE")
	if dir == "" {
		t.Skip("MOODLEDB_TEST_SITE is not set: the names are not compared with those of a real installation")
	}
	return dir
}

// TestNamesOfNativeInstall compares every name of a key and index with those
// that Moodle itself gave when it installed the same code on PostgreSQL.
func TestNamesOfNativeInstall(t *testing.T) {
	dir := siteDir(t)
	site, err := xmldb.Load(filepath.Join(dir, "code"), xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range site.Findings {
		if f.Severity == xmldb.Error {
			t.Errorf("a released site must load without error: %v", f)
		}
	}
	native := nativeIndexes(t, filepath.Join(dir, "native-postgres.sql.gz"))
	if diff := cmp.Diff(native, declaredIndexes(site)); diff != "" {
		t.Errorf("names of indexes by definition (-native +ours):\n%s", diff)
	}
	t.Logf("compared %d definitions of indexes in %d tables", len(native), len(site.Tables()))
}

// declaredIndexes maps "table kind (columns)" to the sorted names of such indexes.
func declaredIndexes(site *xmldb.Site) map[string][]string {
	const prefix = "mdl_"
	all := map[string][]string{}
	add := func(name, table, kind string, fields []string) {
		if name == "" {
			return
		}
		key := prefix + table + " " + kind + " (" + strings.Join(fields, ", ") + ")"
		all[key] = append(all[key], name)
	}
	kind := func(unique bool) string {
		if unique {
			return "unique"
		}
		return "plain"
	}
	names := site.Names(schema.Postgres, prefix)
	for i, table := range site.Tables() {
		n := names[i]
		for j, x := range table.Indexes {
			add(n.Indexes[j], table.Name, kind(x.Unique), x.Fields)
			add(n.Patterns[j], table.Name, "pattern", x.Fields)
		}
		for j, k := range table.Keys {
			if k.Type == xmldb.Primary {
				add(n.PrimaryKey, table.Name, "primary", k.Fields)
				continue
			}
			add(n.Keys[j], table.Name, kind(k.Type != xmldb.Foreign), k.Fields)
		}
	}
	sortAll(all)
	return all
}

func sortAll(all map[string][]string) {
	for _, names := range all {
		slices.Sort(names)
	}
}

var (
	dumpIndex   = regexp.MustCompile(`^CREATE (UNIQUE )?INDEX (\S+) ON public\.(\S+) USING btree \((.*)\);$`)
	dumpAlter   = regexp.MustCompile(`^ALTER TABLE ONLY public\.(\S+)$`)
	dumpPrimary = regexp.MustCompile(`^\s+ADD CONSTRAINT (\S+) PRIMARY KEY \((.*)\);$`)
)

func nativeIndexes(t *testing.T, dump string) map[string][]string {
	t.Helper()
	file, err := os.Open(dump)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read
	zipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	table := ""
	lines := bufio.NewScanner(zipped)
	for lines.Scan() {
		line := strings.ReplaceAll(lines.Text(), `"`, "")
		switch {
		case dumpAlter.MatchString(line):
			table = dumpAlter.FindStringSubmatch(line)[1]
		case dumpPrimary.MatchString(line):
			m := dumpPrimary.FindStringSubmatch(line)
			key := table + " primary (" + m[2] + ")"
			all[key] = append(all[key], m[1])
		case dumpIndex.MatchString(line):
			m := dumpIndex.FindStringSubmatch(line)
			kind, columns := "plain", m[4]
			if m[1] != "" {
				kind = "unique"
			}
			if c, ok := strings.CutSuffix(columns, " varchar_pattern_ops"); ok {
				kind, columns = "pattern", c
			}
			key := m[3] + " " + kind + " (" + columns + ")"
			all[key] = append(all[key], m[2])
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	sortAll(all)
	return all
}
