package proof

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
)

// Values go, and what helps stays: tables, columns, keys, and what servers say about other things.
func TestMasked(t *testing.T) {
	value := &convert.ValueError{Kind: convert.OutOfRange, Value: `"secret"`, Target: "integer"}
	for _, tt := range []struct {
		name  string
		err   error
		keeps string
		hides bool
	}{
		{"a value", &copy.RowError{Table: "mdl_a", Column: "c", Key: "id=7", Row: 1, Err: value}, `table "mdl_a", column "c", row with id=7`, true},
		{"a value among others", errors.Join(errors.New("first"), fmt.Errorf("then: %w", value)), "first", true},
		{"data", fmt.Errorf("add: %w; do that", &pgconn.PgError{Code: "22P02", Message: "invalid input: secret"}), "; do that", true},
		{"a detail", fmt.Errorf("add: %w; Key (a)=(secret) already exists: do that", &pgconn.PgError{Code: "23505", Message: "duplicate", Detail: "Key (a)=(secret) already exists."}), ": do that", true},
		{"a trigger", &pgconn.PgError{Code: "P0001", Message: "no secret"}, "SQLSTATE P0001", true},
		{"MySQL", fmt.Errorf("read: %w", &driver.MySQLError{Number: 1292, SQLState: [5]byte{'2', '2', '0', '0', '7'}, Message: "Truncated 'secret'"}), "1292", true},
		{"words of an earlier one", fmt.Errorf("taken back: %w", &worded{"a secret", "a (hidden)"}), "taken back: a (hidden)", true},
		{"a right", fmt.Errorf("read: %w", &pgconn.PgError{Code: "42501", Message: "permission denied for table secret"}), "permission denied for table secret", false},
		{"a loss", errors.New("lost a secret"), "lost a secret", false},
	} {
		got := masked(tt.err)
		if !strings.Contains(got, tt.keeps) || strings.Contains(got, "secret") == tt.hides || strings.Contains(got, hidden) != tt.hides {
			t.Errorf("%s: %q becomes %q", tt.name, tt.err, got)
		}
	}
	if masked(nil) != "" {
		t.Error("no error has words")
	}
}
