//go:build integration

package rig

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
)

// MixedTiny is the number of tiny tables.
const MixedTiny = 100

// MixedCode declares the tables that a Moodle would.
func MixedCode(t *testing.T) string {
	t.Helper()
	text := Field("v", "text", "")
	tables := []string{
		Table("big", Field("a", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`), Field("b", "char", `LENGTH="40" NOTNULL="false"`), text),
		Table("blob", Field("data", "binary", ""), text),
	}
	for i := range MixedTiny {
		tables = append(tables, Table(fmt.Sprintf("tiny_%d", i), Field("n", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`), Field("name", "char", `LENGTH="40" NOTNULL="false"`)))
	}
	return TinyCode(t, tables...).Root
}

// MixedTables are the statements that make the source.
func MixedTables(rnd *rand.Rand) []string {
	list := append(TinyTables(),
		"CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT, a bigint NOT NULL DEFAULT 0, b varchar(40), v longtext, PRIMARY KEY (id), KEY ka (a), KEY kb (b), UNIQUE KEY kab (a, b, id))",
		"CREATE TABLE mdl_pair (course bigint NOT NULL, userid bigint NOT NULL, note varchar(200), PRIMARY KEY (course, userid), KEY kn (userid))",
		"CREATE TABLE mdl_word (word varchar(60) NOT NULL, meaning varchar(200) NOT NULL, PRIMARY KEY (word))",
		"CREATE TABLE mdl_nokey (a bigint NOT NULL, v varchar(200), KEY ka (a))",
		"CREATE TABLE mdl_blob (id bigint NOT NULL AUTO_INCREMENT, data longblob, v longtext, PRIMARY KEY (id))",
	)
	list = append(list, InsertRows("mdl_big (id, a, b, v)", 4000, func(i int) string {
		// Negative ids, and gaps.
		return fmt.Sprintf("(%d, %d, '%s', '%s')", i*7-9000+rnd.IntN(7), rnd.IntN(1000), mixedText(rnd, 10), mixedText(rnd, 250))
	})...)
	list = append(list, InsertRows("mdl_pair (course, userid, note)", 4000, func(i int) string {
		return fmt.Sprintf("(%d, %d, '%s')", i/90, i%90*1000, mixedText(rnd, 60))
	})...)
	list = append(list, InsertRows("mdl_word (word, meaning)", 4000, func(i int) string {
		return fmt.Sprintf("('%s %d', '%s')", mixedText(rnd, 20), i, mixedText(rnd, 80))
	})...)
	list = append(list, InsertRows("mdl_nokey (a, v)", 3000, func(int) string {
		return fmt.Sprintf("(%d, '%s')", rnd.IntN(100), mixedText(rnd, 120))
	})...)
	list = append(list, InsertRows("mdl_blob (data, v)", 20, func(int) string {
		return fmt.Sprintf("(REPEAT(UNHEX('%x'), %d), '%s')", rnd.Uint64()|1<<63, 1000+rnd.IntN(6000), mixedText(rnd, 2000))
	})...)
	for i := range MixedTiny {
		name := fmt.Sprintf("mdl_tiny_%d", i)
		list = append(list, "CREATE TABLE "+name+" (id bigint NOT NULL AUTO_INCREMENT, n bigint NOT NULL DEFAULT 0, name varchar(40), PRIMARY KEY (id), KEY kn (n))")
		if rows := i % 5; rows > 0 {
			list = append(list, InsertRows(name+" (n, name)", rows*rows, func(int) string {
				return fmt.Sprintf("(%d, '%s')", rnd.IntN(1000), mixedText(rnd, 20))
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

// mixedText is text of about a number of characters, some of them of several bytes.
func mixedText(rnd *rand.Rand, n int) string {
	syllables := []string{"mo", "od", "le", "ta", "Ü", "日本", "é", " ", "%", "x", "\\t", "''", "🎓"}
	var b strings.Builder
	for range max(1, n/2) {
		b.WriteString(syllables[rnd.IntN(len(syllables))])
	}
	return strings.TrimSpace(b.String())
}

// MixedPair is a pair whose source is filled; the servers may be the test's own.
func MixedPair(t *testing.T, source, target *testdb.Server, rnd *rand.Rand) *Pair {
	t.Helper()
	p := &Pair{SourceServer: source, TargetServer: target}
	p.SourceURL, p.TargetURL = source.Database(t), target.Database(t)
	source.Exec(t, p.SourceURL, MixedTables(rnd)...)
	return p
}
