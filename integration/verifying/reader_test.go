//go:build integration

package verifying

import (
	"net/url"
	"strings"
	"testing"
)

// TestVerifyWithSelectAlone: on MySQL and MariaDB the right to SELECT is enough. Without
// another right only one session can see one moment, and the report says what would give more.
func TestVerifyWithSelectAlone(t *testing.T) {
	n := newNoted(t)
	u, err := url.Parse(n.SourceURL)
	if err != nil {
		t.Fatal(err)
	}
	database := strings.TrimPrefix(u.Path, "/")
	n.SourceServer.Exec(t, n.SourceURL, "DROP USER IF EXISTS verify_reader", "CREATE USER verify_reader IDENTIFIED BY '"+n.SourceServer.Password+"'", "GRANT SELECT ON "+database+".* TO verify_reader")
	u.User = url.UserPassword("verify_reader", n.SourceServer.Password)
	args := []string{"--from", u.String(), "--to", n.TargetURL, "--jobs", "3"}
	n.verify(t, 0, "one reader, one transaction, which is slower than several", args...)
	n.verify(t, 0, "GRANT LOCK TABLES ON", args...)
	n.verify(t, 2, "GRANT LOCK TABLES ON", append(args, "--snapshot", "lock")...)
	n.TargetServer.Exec(t, n.TargetURL, "DELETE FROM mdl_note WHERE id = 2")
	n.verify(t, 1, "1 row missing", args...)
}
