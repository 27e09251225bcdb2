//go:build integration

package rig

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
)

// InsertRows are INSERT statements for some rows.
func InsertRows(into string, n int, row func(i int) string) []string {
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

// LoggingSource starts a source of its own, whose binary log names all that is
// written, so that a resumed run can show that nothing was.
func LoggingSource(t *testing.T, flavour string) *testdb.Server {
	t.Helper()
	settings := []string{"log-bin=binlog", "server-id=1"}
	if strings.HasPrefix(flavour, "mysql") {
		settings = append(settings, "gtid-mode=ON", "enforce-gtid-consistency=ON")
	}
	return testdb.Private(t, flavour, settings...)
}

// AsSource opens the source as a new account with rights. "?" stands for the database.
func AsSource(t *testing.T, p *Pair, grants ...string) {
	t.Helper()
	d := Parse(t, p.SourceURL)
	user := fmt.Sprintf("a%d", time.Now().UnixNano()%1e12)
	p.SourceServer.Exec(t, p.SourceURL, "CREATE USER '"+user+"'@'%' IDENTIFIED BY 'Secret.123'")
	for _, g := range grants {
		p.SourceServer.Exec(t, p.SourceURL, "GRANT "+strings.ReplaceAll(g, "?", "`"+d.Database+"`.*")+" TO '"+user+"'@'%'")
	}
	d.User, d.Password = user, "Secret.123"
	db, err := mysql.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	p.Source = db
}

// KillReader kills the connection whose query is like a pattern, when it runs. A pattern
// names the columns, or a reader that counts the table's rows may be the one. One
// that was killed before may be listed for a moment: it is left alone.
func KillReader(t *testing.T, p *Pair, pattern string, killed *sync.Map) {
	pool := p.SourceServer.SQL(t, p.SourceURL)
	const query = "SELECT id FROM information_schema.processlist WHERE info LIKE ? AND info NOT LIKE '%processlist%' ORDER BY id DESC LIMIT 1"
	for range 400 {
		var id int
		if err := pool.QueryRowContext(t.Context(), query, pattern).Scan(&id); err == nil {
			if _, before := killed.LoadOrStore(id, true); !before {
				if _, err := pool.ExecContext(t.Context(), fmt.Sprintf("KILL %d", id)); err == nil {
					return
				}
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("no such query was seen")
}
