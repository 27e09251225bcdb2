package convert_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// nativeSite loads the code of a real site, given by MOODLEDB_TEST_SITE: its
// code in code/, and in native-postgres.sql.gz and native-mariadb.sql.gz the
// dumps of the schema that Moodle itself installed of that code.
func nativeSite(t *testing.T) (dir string, site *xmldb.Site) {
	t.Helper()
	dir = os.Getenv("MOODLEDB_TEST_SITE")
	if dir == "" {
		t.Skip("MOODLEDB_TEST_SITE is not set: the declared schema is not compared with that of a real installation")
	}
	site, err := xmldb.Load(filepath.Join(dir, "code"), xmldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return dir, site
}

// TestDeclaredIsNativePostgres compares every column, default, index, sequence
// and comment with a pg_dump of Moodle's own installation.
func TestDeclaredIsNativePostgres(t *testing.T) {
	dir, site := nativeSite(t)
	declared, findings := convert.Declared(site, convert.DeclaredOptions{Engine: schema.Postgres, Prefix: "mdl_"})
	for _, f := range findings {
		t.Errorf("unexpected finding: %v", f)
	}
	native := parsePgDump(t, filepath.Join(dir, "native-postgres.sql.gz"))
	ours := map[string][]string{}
	for _, table := range declared.Tables {
		ours[table.Name] = pgLines(&table)
	}
	for _, s := range declared.Sequences {
		ours[s.OwnedByTable] = append(ours[s.OwnedByTable], "sequence "+s.Name+" of "+s.OwnedByColumn)
	}
	compareLines(t, native, ours)
}

// TestDeclaredIsNativeMariaDB does the same with a mysqldump.
func TestDeclaredIsNativeMariaDB(t *testing.T) {
	dir, site := nativeSite(t)
	declared, findings := convert.Declared(site, convert.DeclaredOptions{Engine: schema.MariaDB, Prefix: "mdl_"})
	for _, f := range findings {
		t.Errorf("unexpected finding: %v", f)
	}
	native := parseMysqlDump(t, filepath.Join(dir, "native-mariadb.sql.gz"))
	ours := map[string][]string{}
	for _, table := range declared.Tables {
		ours[table.Name] = mysqlLines(&table)
	}
	compareLines(t, native, ours)
}

func compareLines(t *testing.T, native, ours map[string][]string) {
	t.Helper()
	lines := 0
	for _, m := range []map[string][]string{native, ours} {
		for name := range m {
			slices.Sort(m[name])
		}
	}
	for _, l := range native {
		lines += len(l)
	}
	if lines < 1000 {
		t.Fatalf("only %d objects read of the dump", lines)
	}
	if diff := cmp.Diff(native, ours); diff != "" {
		t.Errorf("schema (-native +declared):\n%s", diff)
	}
	t.Logf("compared %d tables, %d columns, indexes, sequences and comments", len(native), lines)
}

// pgLines spells a table as pg_dump does.
func pgLines(table *schema.Table) []string {
	var lines []string
	for i, c := range table.Columns {
		def := ""
		switch {
		case c.AutoIncrement:
			def = fmt.Sprintf(" DEFAULT nextval('public.%s'::regclass)", c.Sequence)
		case c.Default.Kind == schema.LiteralDefault && c.Type.Name == "character varying":
			def = fmt.Sprintf(" DEFAULT '%s'::character varying", strings.ReplaceAll(c.Default.Text, "'", "''"))
		case c.Default.Kind == schema.LiteralDefault && strings.HasPrefix(c.Default.Text, "-"):
			def = fmt.Sprintf(" DEFAULT '%s'::integer", c.Default.Text)
		case c.Default.Kind == schema.LiteralDefault:
			def = " DEFAULT " + c.Default.Text
		}
		notNull := ""
		if c.NotNull {
			notNull = " NOT NULL"
		}
		lines = append(lines, fmt.Sprintf("%03d %s %s%s%s", i, c.Name, c.Type.Raw, def, notNull))
	}
	for _, x := range table.Indexes {
		var parts []string
		for _, p := range x.Parts {
			parts = append(parts, strings.TrimSpace(p.Column+p.Expression+" "+p.OpClass))
		}
		columns := "(" + strings.Join(parts, ", ") + ")"
		switch {
		case x.Primary:
			lines = append(lines, fmt.Sprintf("constraint %s PRIMARY KEY %s", x.Name, columns))
		case x.Unique:
			lines = append(lines, fmt.Sprintf("unique index %s %s %s", x.Name, x.Method, columns))
		default:
			lines = append(lines, fmt.Sprintf("index %s %s %s", x.Name, x.Method, columns))
		}
	}
	if table.Comment != "" {
		lines = append(lines, "comment "+table.Comment)
	}
	return lines
}

var (
	pgTable    = regexp.MustCompile(`^CREATE TABLE public\.(\S+) \($`)
	pgAlter    = regexp.MustCompile(`^ALTER TABLE ONLY public\.(\S+)$`)
	pgPrimary  = regexp.MustCompile(`^    ADD CONSTRAINT (\S+) (PRIMARY KEY \(.*\));$`)
	pgNextval  = regexp.MustCompile(`^ALTER TABLE ONLY public\.(\S+) ALTER COLUMN (\S+) SET DEFAULT (nextval.*);$`)
	pgOwned    = regexp.MustCompile(`^ALTER SEQUENCE public\.(\S+) OWNED BY public\.([^.]+)\.(\S+);$`)
	pgIndex    = regexp.MustCompile(`^CREATE (UNIQUE )?INDEX (\S+) ON public\.(\S+) USING (\S+) (\(.*\));$`)
	pgComment  = regexp.MustCompile(`^COMMENT ON TABLE public\.(\S+) IS '(.*)';$`)
	pgOtherDDL = regexp.MustCompile(`^(CREATE|ALTER|COMMENT) `)
	pgNoise    = regexp.MustCompile(`^(ALTER (TABLE|SEQUENCE) public\.\S+ OWNER TO|CREATE SEQUENCE)`)
)

// parsePgDump reads what pgLines writes of each table out of a pg_dump --schema-only.
func parsePgDump(t *testing.T, path string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	columns := map[string]map[string]int{} // table and column to the position of its line
	table, inTable := "", false
	for _, line := range dumpLines(t, path) {
		if !strings.HasPrefix(line, "COMMENT ") {
			line = strings.ReplaceAll(line, `"`, "")
		}
		if inTable {
			if line == ");" {
				inTable = false
				continue
			}
			line = strings.TrimSuffix(strings.TrimSpace(line), ",")
			name, _, _ := strings.Cut(line, " ")
			columns[table][name] = len(all[table])
			all[table] = append(all[table], fmt.Sprintf("%03d %s", len(all[table]), line))
			continue
		}
		if m := pgTable.FindStringSubmatch(line); m != nil {
			table, inTable = m[1], true
			columns[table] = map[string]int{}
		} else if m := pgAlter.FindStringSubmatch(line); m != nil {
			table = m[1]
		} else if m := pgPrimary.FindStringSubmatch(line); m != nil {
			all[table] = append(all[table], fmt.Sprintf("constraint %s %s", m[1], m[2]))
		} else if m := pgNextval.FindStringSubmatch(line); m != nil {
			at := columns[m[1]][m[2]]
			all[m[1]][at] = strings.Replace(all[m[1]][at], " NOT NULL", " DEFAULT "+m[3]+" NOT NULL", 1)
		} else if m := pgOwned.FindStringSubmatch(line); m != nil {
			all[m[2]] = append(all[m[2]], "sequence "+m[1]+" of "+m[3])
		} else if m := pgIndex.FindStringSubmatch(line); m != nil {
			kind := "index"
			if m[1] != "" {
				kind = "unique index"
			}
			columns := m[5]
			if m[4] == "gin" {
				columns = "(" + strings.Trim(columns, "()") + "))" // the parentheses of to_tsvector
			}
			all[m[3]] = append(all[m[3]], fmt.Sprintf("%s %s %s %s", kind, m[2], m[4], columns))
		} else if m := pgComment.FindStringSubmatch(line); m != nil {
			all[m[1]] = append(all[m[1]], "comment "+strings.ReplaceAll(m[2], "''", "'"))
		} else if pgOtherDDL.MatchString(line) && !pgNoise.MatchString(line) {
			t.Errorf("unread statement in the dump: %s", line)
		}
	}
	return all
}

// mysqlLines spells a table as mysqldump does.
func mysqlLines(table *schema.Table) []string {
	var lines []string
	for i, c := range table.Columns {
		def := ""
		lob := strings.HasPrefix(c.Type.Name, "long")
		switch {
		case c.AutoIncrement:
			def = " AUTO_INCREMENT"
		case c.Default.Kind == schema.LiteralDefault && c.Type.Name == "varchar":
			def = fmt.Sprintf(" DEFAULT '%s'", strings.ReplaceAll(c.Default.Text, "'", "''"))
		case c.Default.Kind == schema.LiteralDefault:
			def = " DEFAULT " + c.Default.Text
		case !c.NotNull || lob && !c.NotNull:
			def = " DEFAULT NULL"
		}
		notNull := ""
		if c.NotNull {
			notNull = " NOT NULL"
		}
		lines = append(lines, fmt.Sprintf("%03d %s %s%s%s", i, c.Name, c.Type.Raw, notNull, def))
	}
	for _, x := range table.Indexes {
		columns := "(" + strings.Join(x.Columns(), ",") + ")"
		switch {
		case x.Primary:
			lines = append(lines, "PRIMARY KEY "+columns)
		case x.Method == "fulltext":
			lines = append(lines, fmt.Sprintf("FULLTEXT KEY %s %s", x.Name, columns))
		case x.Unique:
			lines = append(lines, fmt.Sprintf("UNIQUE KEY %s %s", x.Name, columns))
		default:
			lines = append(lines, fmt.Sprintf("KEY %s %s", x.Name, columns))
		}
	}
	options := fmt.Sprintf("ENGINE=%s DEFAULT CHARSET=%s COLLATE=%s ROW_FORMAT=%s",
		table.StorageEngine, table.Charset, table.Collation, strings.ToUpper(table.RowFormat))
	if table.Comment != "" {
		options += fmt.Sprintf(" COMMENT='%s'", strings.ReplaceAll(table.Comment, "'", "''"))
	}
	return append(lines, options)
}

var (
	mysqlTable = regexp.MustCompile(`^CREATE TABLE (\S+) \($`)
	mysqlKey   = regexp.MustCompile(`^(PRIMARY|UNIQUE|FULLTEXT)? ?KEY `)
	mysqlAuto  = regexp.MustCompile(` AUTO_INCREMENT=[0-9]+`)
)

// parseMysqlDump reads what mysqlLines writes of each table out of a mysqldump --no-data.
func parseMysqlDump(t *testing.T, path string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	table := ""
	for _, line := range dumpLines(t, path) {
		line = strings.ReplaceAll(line, "`", "")
		if m := mysqlTable.FindStringSubmatch(line); m != nil {
			table = m[1]
			continue
		}
		if table == "" {
			continue
		}
		if options, ok := strings.CutPrefix(line, ") "); ok {
			options = mysqlAuto.ReplaceAllString(strings.TrimSuffix(options, ";"), "")
			all[table] = append(all[table], options)
			table = ""
			continue
		}
		line = strings.TrimSuffix(strings.TrimSpace(line), ",")
		if !mysqlKey.MatchString(line) {
			line = fmt.Sprintf("%03d %s", len(all[table]), line)
		}
		all[table] = append(all[table], line)
	}
	return all
}

func dumpLines(t *testing.T, path string) []string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	scanner := bufio.NewScanner(zipped)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}
