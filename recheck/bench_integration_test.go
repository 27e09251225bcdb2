//go:build integration

package recheck_test

import (
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/recheck"
)

// BenchmarkTable reads rows like those of a log table again.
func BenchmarkTable(b *testing.B) {
	e := &ends{source: testdb.Get(b, testdb.Sources()[0]), target: testdb.Get(b, testdb.Targets()[0])}
	e.open(b)
	statements := []string{
		"CREATE TABLE log (id BIGINT PRIMARY KEY AUTO_INCREMENT, eventname VARCHAR(255), component VARCHAR(100), target VARCHAR(100), objectid BIGINT, crud VARCHAR(1), contextid BIGINT, userid BIGINT, " +
			"anonymous TINYINT, other LONGTEXT, timecreated BIGINT, grade DECIMAL(10,5), ip VARCHAR(45)) ENGINE=InnoDB",
		`INSERT INTO log VALUES (1, '\\core\\event\\course_viewed', 'core', 'course', 4711, 'r', 12345, 678, 0, '{"coursesectionnumber":"3"}', 1700000000, 97.5, '192.0.2.1')`,
	}
	for range 17 {
		statements = append(statements, "INSERT INTO log (eventname, component, target, objectid, crud, contextid, userid, anonymous, other, timecreated, grade, ip) "+
			"SELECT eventname, component, target, id * 7, crud, contextid, userid, anonymous, other, timecreated + id, grade, ip FROM log")
	}
	e.source.Exec(b, e.sourceURL, statements...)
	e.target.Exec(b, e.targetURL, "CREATE TABLE log (id bigint, eventname varchar(255), component varchar(100), target varchar(100), objectid bigint, crud varchar(1), contextid bigint, userid bigint, "+
		"anonymous smallint, other text, timecreated bigint, grade numeric(10,5), ip varchar(45))")
	m := e.moment(b)
	table, all := e.table(b, "log")
	sent, _ := m.copied(b, table, all)
	for name, rows := range map[string]recheck.Rows{"sent": sent, "encoded": {Selection: mysql.Selection{OrderBy: all.OrderBy}}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				got, err := m.again(b, table, rows, recheck.Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(got.Bytes)
			}
		})
	}
}
