//go:build integration

package copy_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/internal/throwaway"
	"github.com/moodledb/moodledb/mysql"
)

// TestReadersByBinlog has MariaDB write a binary log, which it does not by
// itself: transactions then tell their own place in it, without any right.
func TestReadersByBinlog(t *testing.T) {
	server, err := throwaway.Start(t.Context(), throwaway.Options{Kind: throwaway.MariaDB, Settings: []string{"log-bin=binlog", "server-id=1"}})
	if errors.Is(err, throwaway.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip("SKIPPED, NOT TESTED: no MariaDB on this machine")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	db, err := mysql.Open(t.Context(), parse(t, server.URL("mysql")))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := db.Snapshot(t.Context(), mysql.SnapshotOptions{Readers: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	t.Log(s.How)
	if !s.Consistent || !strings.HasPrefix(s.Position, "binlog.0") || !strings.Contains(s.How, s.Position) {
		t.Errorf("%+v", s)
	}
}
