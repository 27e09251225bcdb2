package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/schema"
)

func TestConnectError(t *testing.T) {
	server := func(number uint16, message string) error {
		return fmt.Errorf("step: %w", &driver.MySQLError{Number: number, Message: message})
	}
	tests := []struct {
		name string
		err  error
		kind error
		want string
	}{
		{"too many connections", server(1040, "Too many connections"), ErrTooManyConnections, "max_connections"},
		{"blocked host", server(1129, "Host is blocked"), ErrHostNotAllowed, "FLUSH HOSTS"},
		{"host not allowed", server(1130, "Host 'x' is not allowed to connect"), ErrHostNotAllowed, "'moodle'@'%'"},
		{"TLS wanted", server(3159, "insecure transport"), ErrTLS, "ssl-mode=required"},
		{"unknown plugin", server(1251, "Client does not support"), ErrAccessDenied, "caching_sha2_password"},
		{"plugin that the driver lacks", driver.ErrUnknownPlugin, ErrAccessDenied, "ed25519"},
		{"locked account", server(3118, "Account is locked"), ErrAccessDenied, "ACCOUNT UNLOCK"},
		{"expired password", server(1862, "Your password has expired"), ErrAccessDenied, "expired"},
		{"no TLS", driver.ErrNoTLS, ErrTLS, "does not offer TLS"},
		{"unfit", &unfitError{"too old", "upgrade"}, ErrUnsupported, "upgrade"},
		{"something else of the server", server(9999, "what"), nil, "server's log"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := dsn.DSN{Engine: schema.MySQL, Host: "db", Port: 3306, User: "moodle", Password: "topsecret", Database: "m"}
			err := connectError(d, test.err)
			if test.kind != nil && !errors.Is(err, test.kind) {
				t.Errorf("error is not of kind %v: %v", test.kind, err)
			}
			for _, want := range []string{test.want, "db:3306", `"moodle"`, `"m"`} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %s: %v", want, err)
				}
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		if err := connectError(dsn.DSN{}, context.Canceled); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestHint(t *testing.T) {
	for number, want := range map[uint16]string{1142: "GRANT SELECT", 1205: "lock", 1969: "max_statement_time", 145: "REPAIR TABLE", 1412: "altered"} {
		t.Run(fmt.Sprint(number), func(t *testing.T) {
			hint, ok := Hint(fmt.Errorf("step: %w", &driver.MySQLError{Number: number}))
			if !ok || !strings.Contains(hint, want) {
				t.Errorf("hint is %q, %t", hint, ok)
			}
		})
	}
	if hint, ok := Hint(errors.New("x")); ok {
		t.Errorf("hint about nothing: %q", hint)
	}
}
