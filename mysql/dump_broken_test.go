package mysql_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

// What cannot be read is told with its table and line, and the rest is read.
func TestReadDumpTellsWhatItCannotRead(t *testing.T) {
	const good = "CREATE TABLE good (id int NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)) ENGINE=InnoDB;\n"
	tests := map[string]struct {
		text  string
		table string
		line  int
		want  string
	}{
		"nonsense":          {good + "CREATE TABLE `bad` (a int NOT FROBNICATED);\n", "bad", 2, "not understood"},
		"once per table":    {good + "CREATE TABLE bad (a int FROBNICATED);\nALTER TABLE bad ADD KEY (a);\nCREATE TRIGGER x BEFORE INSERT ON bad FOR EACH ROW SET @a = 1;", "bad", 2, "not understood"},
		"copied table":      {good + "\nCREATE TABLE bad LIKE good;", "bad", 3, "without naming its columns"},
		"no closing":        {good + "CREATE TABLE `bad` (a int, b varchar(3;", "bad", 2, "no end"},
		"unknown table":     {good + "ALTER TABLE `bad` ADD KEY (a);", "bad", 2, "does not make"},
		"dropped column":    {good + "ALTER TABLE good DROP COLUMN id;", "good", 2, "DROP COLUMN"},
		"renamed table":     {good + "RENAME TABLE good TO bad;", "good", 2, "renames"},
		"open quotes":       {good + "CREATE TABLE bad (a varchar(3) DEFAULT 'x);\n\n", "bad", 2, "inside a quoted text"},
		"open comment":      {good + "CREATE TABLE bad (a int /* b int);\n\n", "bad", 2, "inside a comment"},
		"cut off rows":      {good + "INSERT INTO good VALUES (1), (2", "", 2, "not complete"},
		"cut off text":      {good + "INSERT INTO good VALUES (1), ('2", "", 2, "inside a quoted text"},
		"trigger of a view": {good + "CREATE TRIGGER x BEFORE INSERT ON bad FOR EACH ROW SET @a = 1;", "bad", 2, "does not make"},
		"no type":           {good + "CREATE TABLE bad (a);", "bad", 2, "no type"},
		"deep":              {good + "CREATE TABLE bad (KEY k (" + strings.Repeat("(", 100_000) + "));", "bad", 2, ""},
		"long":              {good + "CREATE TABLE bad (a int COMMENT '" + strings.Repeat("x", 17<<20) + "');", "bad", 2, "longer than 16 MiB"},
		"words":             {good + "CREATE TABLE bad (" + strings.Repeat("a,", 1<<20) + "a);", "", 2, "million words"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := mysql.ReadDump(strings.NewReader(tt.text), "dump.sql")
			if err != nil {
				t.Fatal(err)
			}
			if d.Schema.Table("good") == nil {
				t.Error("the good table is lost")
			}
			if len(d.Unread) != 1 {
				t.Fatalf("unread: %+v", d.Unread)
			}
			u := d.Unread[0]
			if u.Table != tt.table || u.Line != tt.line || !strings.Contains(u.Reason, tt.want) || len(u.Text) > 200 || len(u.Reason) > 300 {
				t.Errorf("unread: %+v, want table %q, line %d and %q", u, tt.table, tt.line, tt.want)
			}
		})
	}
}

func TestReadDumpRefuses(t *testing.T) {
	broken := errors.New("the disk is broken")
	tests := map[string]struct {
		r    io.Reader
		err  error
		want string
	}{
		"several databases": {
			strings.NewReader("USE `a`;\nCREATE TABLE t (id int) ENGINE=InnoDB;\nUSE `mysql`;\nCREATE TABLE user (id int);\nUSE b;CREATE TABLE t (id int);"),
			mysql.ErrSeveralDatabases, "read dump dump.sql: the dump holds several databases: a, b; make a dump of one",
		},
		"no options":  {strings.NewReader("CREATE TABLE \"t\" (\"id\" int NOT NULL, PRIMARY KEY (\"id\"));"), mysql.ErrNoOptions, "--compatible"},
		"UTF-16":      {strings.NewReader("\xff\xfeC\x00R\x00"), nil, "--result-file"},
		"broken file": {io.MultiReader(strings.NewReader("CREATE TABLE t (id"), iotest.ErrReader(broken)), broken, "read dump dump.sql: the disk is broken"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := mysql.ReadDump(tt.r, "dump.sql")
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// Strange bytes mean nothing outside of quotes, and themselves within.
func TestReadDumpOfStrangeBytes(t *testing.T) {
	for name, text := range map[string]string{
		"byte order mark":   "\xef\xbb\xbfCREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY);",
		"Windows lines":     "-- Server version\t8.0.36\r\n\r\nDELIMITER ;;\r\nCREATE TABLE t (\r\nid int AUTO_INCREMENT PRIMARY KEY)\r\n;;\r\nDELIMITER ;\r\n",
		"NUL":               "INSERT INTO x VALUES ('\x00;\xff\\'');\nCREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY);",
		"invalid UTF-8":     "-- \xff\xfe\nCREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY COMMENT '\xff');",
		"sandbox mode":      "/*M!999999\\- enable the sandbox mode */ \nCREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY);",
		"no last delimiter": "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY)\n-- the end",
		"version comments":  "/*!50001 CREATE TABLE*/ /*!50002 `t` (id int AUTO_INCREMENT PRIMARY KEY /* ' */)*/;",
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
				d, err := mysql.ReadDump(r, "dump.sql")
				if err != nil || len(d.Unread) > 0 {
					t.Fatalf("error %v, unread %+v", err, d.Unread)
				}
				table := d.Schema.Table("t")
				if table == nil || len(table.Columns) != 1 || !table.Columns[0].AutoIncrement || table.PrimaryKey() == nil {
					t.Errorf("read %+v", d.Schema)
				}
			}
		})
	}
}

func TestReadDumpKnowsItsServer(t *testing.T) {
	for name, tt := range map[string]struct {
		text    string
		engine  schema.Engine
		version string
	}{
		"MySQL":                {"-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n-- Server version\t8.0.36-0ubuntu0.22.04.1\n", schema.MySQL, "8.0.36-0ubuntu0.22.04.1"},
		"MariaDB":              {"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB\n-- Server version\t10.11.6-MariaDB-0+deb12u1-log\n", schema.MariaDB, "10.11.6-MariaDB-0+deb12u1-log"},
		"old MariaDB":          {"-- MySQL dump 10.14  Distrib 5.5.68-MariaDB\n-- Server version\t5.5.5-10.3.39-MariaDB\n", schema.MariaDB, "10.3.39-MariaDB"},
		"MySQL by its rival":   {"-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB\n-- Server version\t8.0.36\n", schema.MySQL, "8.0.36"},
		"phpMyAdmin":           {"-- phpMyAdmin SQL Dump\n-- Server version: 10.4.32-MariaDB\n", schema.MariaDB, "10.4.32-MariaDB"},
		"Adminer":              {"-- Adminer 4.8.1 MySQL 10.6.12-MariaDB dump\n", schema.MariaDB, "10.6.12-MariaDB"},
		"without comments":     {"/*!40101 SET NAMES utf8mb4 */;\n", schema.MySQL, ""},
		"comments of MariaDB":  {"/*M!100616 SET NOTE_VERBOSITY=0 */;\n", schema.MariaDB, ""},
		"a comment of a table": {"CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY);\n-- Server version 1.2-MariaDB\n", schema.MySQL, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := mysql.ReadDump(strings.NewReader(tt.text), "dump.sql")
			if err != nil || d.Schema.Engine != tt.engine || d.Schema.Version != tt.version {
				t.Errorf("%s %q, error %v, want %s %q", d.Schema.Engine, d.Schema.Version, err, tt.engine, tt.version)
			}
		})
	}
}

// rowsReader is a dump of a table with n bytes of rows, that is never held as a whole.
type rowsReader struct {
	left int64
	head *strings.Reader
}

func (r *rowsReader) Read(b []byte) (int, error) {
	if r.head.Len() > 0 {
		return r.head.Read(b)
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	const row = "(1,'it\\'s; ''x''',_binary '\x00'),"
	n := 0
	for n+len(row) <= len(b) {
		n += copy(b[n:], row)
	}
	if n == 0 {
		n = copy(b, "                                "[:min(len(b), 32)])
	}
	n = int(min(int64(n), r.left))
	r.left -= int64(n)
	return n, nil
}

// BenchmarkReadDumpRows skips the rows of large dumps, in bounded memory.
func BenchmarkReadDumpRows(b *testing.B) {
	b.ReportAllocs()
	const size = 64 << 20
	b.SetBytes(size)
	for b.Loop() {
		_, err := mysql.ReadDump(&rowsReader{
			left: size, head: strings.NewReader("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY);\nINSERT INTO t VALUES "),
		}, "dump.sql")
		if err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzReadDump(f *testing.F) {
	for _, name := range []string{"mariadb-10.11-compact.sql", "mysql-9.7.sql"} {
		text := dumpFile(f, name)
		f.Add(text)
		for statement := range strings.SplitSeq(text, ";\n") {
			f.Add(statement + ";")
		}
	}
	f.Add("ALTER TABLE t ADD KEY k ((a+1)), MODIFY COLUMN a int FIRST, CHANGE a b int AFTER c, ADD CONSTRAINT CHECK (a);")
	f.Add("CREATE UNIQUE INDEX i ON t (a(3) DESC) COMMENT 'x';")
	f.Add("DELIMITER //\nCREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN ; END//\nDO SETVAL(`s`, 5, 0)//")
	f.Fuzz(func(t *testing.T, text string) {
		const table = "CREATE TABLE t (a int NOT NULL AUTO_INCREMENT, PRIMARY KEY (a)) ENGINE=InnoDB;\n"
		for _, head := range []string{"", "-- Server version\t10.11.6-MariaDB\n"} {
			d, err := mysql.ReadDump(strings.NewReader(head+table+text), "dump.sql")
			if err != nil {
				continue
			}
			for _, u := range d.Unread {
				if u.Line < 1 || u.Reason == "" {
					t.Errorf("unread without a line or a reason: %+v", u)
				}
			}
		}
	})
}
