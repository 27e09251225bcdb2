//go:build integration

package integration

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
)

// This file makes the source of the tests that kill: tables that are divided by
// keys of several kinds, one without a key, large values, and many tiny tables.

// killTiny is the number of tiny tables.
const killTiny = 100

// killCode declares the tables that a Moodle would.
func killCode(t *testing.T) string {
	t.Helper()
	text := field("v", "text", "")
	tables := []string{
		table("big", field("a", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`), field("b", "char", `LENGTH="40" NOTNULL="false"`), text),
		table("blob", field("data", "binary", ""), text),
	}
	for i := range killTiny {
		tables = append(tables, table(fmt.Sprintf("tiny_%d", i), field("n", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`), field("name", "char", `LENGTH="40" NOTNULL="false"`)))
	}
	return tinyCode(t, tables...).Root
}

// killTables are the statements that make the source.
func killTables(rnd *rand.Rand) []string {
	list := append(tinyTables(),
		"CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT, a bigint NOT NULL DEFAULT 0, b varchar(40), v longtext, PRIMARY KEY (id), KEY ka (a), KEY kb (b), UNIQUE KEY kab (a, b, id))",
		"CREATE TABLE mdl_pair (course bigint NOT NULL, userid bigint NOT NULL, note varchar(200), PRIMARY KEY (course, userid), KEY kn (userid))",
		"CREATE TABLE mdl_word (word varchar(60) NOT NULL, meaning varchar(200) NOT NULL, PRIMARY KEY (word))",
		"CREATE TABLE mdl_nokey (a bigint NOT NULL, v varchar(200), KEY ka (a))",
		"CREATE TABLE mdl_blob (id bigint NOT NULL AUTO_INCREMENT, data longblob, v longtext, PRIMARY KEY (id))",
	)
	list = append(list, killRows("mdl_big (id, a, b, v)", 4000, func(i int) string {
		// Negative ids, and gaps.
		return fmt.Sprintf("(%d, %d, '%s', '%s')", i*7-9000+rnd.IntN(7), rnd.IntN(1000), killText(rnd, 10), killText(rnd, 250))
	})...)
	list = append(list, killRows("mdl_pair (course, userid, note)", 4000, func(i int) string {
		return fmt.Sprintf("(%d, %d, '%s')", i/90, i%90*1000, killText(rnd, 60))
	})...)
	list = append(list, killRows("mdl_word (word, meaning)", 4000, func(i int) string {
		return fmt.Sprintf("('%s %d', '%s')", killText(rnd, 20), i, killText(rnd, 80))
	})...)
	list = append(list, killRows("mdl_nokey (a, v)", 3000, func(int) string {
		return fmt.Sprintf("(%d, '%s')", rnd.IntN(100), killText(rnd, 120))
	})...)
	list = append(list, killRows("mdl_blob (data, v)", 20, func(int) string {
		return fmt.Sprintf("(REPEAT(UNHEX('%x'), %d), '%s')", rnd.Uint64()|1<<63, 1000+rnd.IntN(6000), killText(rnd, 2000))
	})...)
	for i := range killTiny {
		name := fmt.Sprintf("mdl_tiny_%d", i)
		list = append(list, "CREATE TABLE "+name+" (id bigint NOT NULL AUTO_INCREMENT, n bigint NOT NULL DEFAULT 0, name varchar(40), PRIMARY KEY (id), KEY kn (n))")
		if rows := i % 5; rows > 0 {
			list = append(list, killRows(name+" (n, name)", rows*rows, func(int) string {
				return fmt.Sprintf("(%d, '%s')", rnd.IntN(1000), killText(rnd, 20))
			})...)
		}
	}
	// One key points to the table that is copied first, one to the smallest, which is copied last.
	list = append(list, "CREATE TABLE mdl_last (id bigint NOT NULL, PRIMARY KEY (id))", "INSERT INTO mdl_last VALUES (1)",
		"CREATE TABLE mdl_child (id bigint NOT NULL AUTO_INCREMENT, big bigint, last bigint DEFAULT 1, PRIMARY KEY (id), "+
			"CONSTRAINT child_big FOREIGN KEY (big) REFERENCES mdl_big (id), CONSTRAINT child_last FOREIGN KEY (last) REFERENCES mdl_last (id))",
		"INSERT INTO mdl_child (big) SELECT id FROM mdl_big LIMIT 500")
	for _, name := range []string{"big", "pair", "word", "nokey", "blob", "child"} {
		list = append(list, "ANALYZE TABLE mdl_"+name)
	}
	return list
}

// killRows are INSERT statements for some rows.
func killRows(into string, n int, row func(i int) string) []string {
	var list, values []string
	for i := range n {
		values = append(values, row(i))
		if len(values) == 500 || i == n-1 {
			list = append(list, "INSERT INTO "+into+" VALUES "+strings.Join(values, ", "))
			values = values[:0]
		}
	}
	return list
}

// killText is text of about a number of characters, some of them of several bytes.
func killText(rnd *rand.Rand, n int) string {
	syllables := []string{"mo", "od", "le", "ta", "Ü", "日本", "é", " ", "%", "x", "\\t", "''", "🎓"}
	var b strings.Builder
	for range max(1, n/2) {
		b.WriteString(syllables[rnd.IntN(len(syllables))])
	}
	return strings.TrimSpace(b.String())
}

// loggingSource starts a source of its own, whose binary log names all that is
// written, so that a resumed run can show that nothing was.
func loggingSource(t *testing.T, flavour string) *testdb.Server {
	t.Helper()
	settings := []string{"log-bin=binlog", "server-id=1"}
	if strings.HasPrefix(flavour, "mysql") {
		settings = append(settings, "gtid-mode=ON", "enforce-gtid-consistency=ON")
	}
	return testdb.Private(t, flavour, settings...)
}

// killPair is a pair whose source is filled; the servers may be the test's own.
func killPair(t *testing.T, source, target *testdb.Server, rnd *rand.Rand) *pair {
	t.Helper()
	p := &pair{sourceServer: source, targetServer: target}
	p.sourceURL, p.targetURL = source.Database(t), target.Database(t)
	source.Exec(t, p.sourceURL, killTables(rnd)...)
	return p
}
