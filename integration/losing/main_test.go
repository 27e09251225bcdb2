//go:build integration

package losing

import (
	"testing"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m, rig.RemoveProgram) }
