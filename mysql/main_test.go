//go:build integration

package mysql_test

import (
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }
