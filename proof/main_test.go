//go:build integration

package proof

import (
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }
