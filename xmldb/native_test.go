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
// code in code/, and in native-postgres.sql.gz and native-mariadb.sql.gz the
// dumps of its schema as its own installer made it.
func siteDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MOODLEDB_TEST_SITE")
	if dir == "" {
		t.Skip("MOODLEDB_TEST_SITE is not set: the names are not compared with those of a real installation")
	}
	return dir
}

// TestNamesOfNativeInstall compares every name of a key and index with those
// that Moodle itself gave when it installed the same code.
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
	for _, tt := range []struct {
		engine schema.Engine
		dump   string
		read   func(line string, all map[string][]string, table *string)
	}{
		{schema.Postgres, "native-postgres.sql.gz", readPostgresLine},
		{schema.MariaDB, "native-mariadb.sql.gz", readMariaDBLine},
	} {
		t.Run(string(tt.engine), func(t *testing.T) {
			native := nativeIndexes(t, filepath.Join(dir, tt.dump), tt.read)
			if diff := cmp.Diff(native, declaredIndexes(site, tt.engine)); diff != "" {
				t.Errorf("names of indexes by definition (-native +ours):\n%s", diff)
			}
			t.Logf("compared %d definitions of indexes in %d tables", len(native), len(site.Tables()))
		})
	}
}

// declaredIndexes maps "table kind (columns)" to the sorted names of such indexes.
func declaredIndexes(site *xmldb.Site, engine schema.Engine) map[string][]string {
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
	names := site.Names(engine, prefix)
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
	dumpCreate  = regexp.MustCompile("^CREATE TABLE `(.*)` \\($")
	dumpKey     = regexp.MustCompile("^  (UNIQUE )?KEY `(.*)` \\((.*)\\),?$")
	dumpIndex   = regexp.MustCompile(`^CREATE (UNIQUE )?INDEX (\S+) ON public\.(\S+) USING btree \((.*)\);$`)
	dumpAlter   = regexp.MustCompile(`^ALTER TABLE ONLY public\.(\S+)$`)
	dumpPrimary = regexp.MustCompile(`^\s+ADD CONSTRAINT (\S+) PRIMARY KEY \((.*)\);$`)
)

func nativeIndexes(t *testing.T, dump string, read func(string, map[string][]string, *string)) map[string][]string {
	t.Helper()
	file, err := os.Open(dump)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	table := ""
	lines := bufio.NewScanner(zipped)
	for lines.Scan() {
		read(lines.Text(), all, &table)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	sortAll(all)
	return all
}

func readPostgresLine(line string, all map[string][]string, table *string) {
	line = strings.ReplaceAll(line, `"`, "")
	switch {
	case dumpAlter.MatchString(line):
		*table = dumpAlter.FindStringSubmatch(line)[1]
	case dumpPrimary.MatchString(line):
		m := dumpPrimary.FindStringSubmatch(line)
		key := *table + " primary (" + m[2] + ")"
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

func readMariaDBLine(line string, all map[string][]string, table *string) {
	switch {
	case dumpCreate.MatchString(line):
		*table = dumpCreate.FindStringSubmatch(line)[1]
	case dumpKey.MatchString(line):
		m := dumpKey.FindStringSubmatch(line)
		kind := "plain"
		if m[1] != "" {
			kind = "unique"
		}
		columns := strings.NewReplacer("`", "", ",", ", ").Replace(m[3])
		key := *table + " " + kind + " (" + columns + ")"
		all[key] = append(all[key], m[2])
	}
}
