//go:build integration

package resuming

import (
	"fmt"
	"testing"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/xmldb"
)

// This file has what tests of resumed runs share: a source, a way to stop a run
// at a place that is always the same, and a look at what a resumed run copied.

// resumeTables are the statements for a source whose tables travel in every way:
// in parts by several kinds of keys, as a whole, and together with other small
// ones. Statistics are gathered here, and never later: that would count as a write.
func resumeTables() []string {
	grown := func(table, columns, seed, next string, doublings int) []string {
		list := []string{"INSERT INTO " + table + " (" + columns + ") VALUES (" + seed + ")"}
		for range doublings {
			list = append(list, "INSERT INTO "+table+" ("+columns+") SELECT "+next+" FROM "+table)
		}
		return append(list, "ANALYZE TABLE "+table)
	}
	odd := mysql.QuoteIdent(oddTable)
	const still = " ENGINE=InnoDB STATS_AUTO_RECALC=0"
	list := []string{
		"CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT, n bigint NOT NULL DEFAULT 0, v longtext, PRIMARY KEY (id), KEY kn (n))" + still,
		"CREATE TABLE " + odd + " (word varchar(60) NOT NULL, meaning varchar(200), PRIMARY KEY (word))" + still,
		"CREATE TABLE mdl_nokey (a bigint NOT NULL, v varchar(250))" + still,
		"CREATE TABLE mdl_child (id bigint NOT NULL AUTO_INCREMENT, big bigint, PRIMARY KEY (id), CONSTRAINT child_big FOREIGN KEY (big) REFERENCES mdl_big (id))" + still,
		"SET @n = 0",
	}
	list = append(list, grown("mdl_big", "n, v", "1, REPEAT('Ünï ', 60)", "n * 7 % 1000 + 1, CONCAT(SHA2(id, 256), REPEAT('Ünï ', 60))", 12)...)
	list = append(list, grown(odd, "word, meaning", "'é', REPEAT('m', 150)", "CONCAT(LEFT(SHA2(word, 256), 32), (@n := @n + 1)), meaning", 11)...)
	list = append(list, grown("mdl_nokey", "a, v", "1, REPEAT('k', 220)", "a + 1, v", 12)...)
	list = append(list, "INSERT INTO mdl_child (big) SELECT id FROM mdl_big LIMIT 100")
	for i := range 8 {
		list = append(list, fmt.Sprintf("CREATE TABLE mdl_small_%d (id bigint NOT NULL AUTO_INCREMENT, name varchar(40), PRIMARY KEY (id), KEY kn (name))", i)+still,
			fmt.Sprintf("INSERT INTO mdl_small_%d (name) VALUES ('a'), ('b'), (NULL)", i))
	}
	for _, name := range []string{"child", "config", "config_plugins"} {
		list = append(list, "ALTER TABLE mdl_"+name+" STATS_AUTO_RECALC=0", "ANALYZE TABLE mdl_"+name)
	}
	return list
}

// oddTable is a name that breaks whatever does not quote it.
const oddTable = "mdl_Wörd's \"odd\" %d \\name"

// resumeCode declares some of these tables.
func resumeCode(t *testing.T) *xmldb.Site {
	t.Helper()
	return rig.TinyCode(t,
		rig.Table("big", rig.Field("n", "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`), rig.Field("v", "text", "")),
		rig.Table("small_0", rig.Field("name", "char", `LENGTH="40" NOTNULL="false"`)))
}

// resumeSource is a pair whose source is filled.
func resumeSource(t *testing.T, source *testdb.Server, target string) *rig.Pair {
	t.Helper()
	p := &rig.Pair{SourceServer: source, TargetServer: testdb.Get(t, target)}
	p.SourceURL, p.TargetURL = source.Database(t), p.TargetServer.Database(t)
	p.RoleMoodle(t)
	source.Exec(t, p.SourceURL, append(rig.TinyTables(), resumeTables()...)...)
	p.Open(t)
	return p
}

// halfOfBig holds when half of the largest table has been read.
func halfOfBig(e migrate.Event) bool {
	p, ok := e.(migrate.TableProgress)
	return ok && p.Table == "mdl_big" && p.Rows >= 2048
}

// firstCopied holds when the first table is copied.
func firstCopied(e migrate.Event) bool {
	_, ok := e.(migrate.TableCopied)
	return ok
}
