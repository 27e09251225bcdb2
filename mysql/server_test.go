package mysql

import (
	"strings"
	"testing"

	"github.com/moodledb/moodledb/schema"
)

func TestNewServer(t *testing.T) {
	tests := []struct {
		version, comment string
		engine           schema.Engine
		name             string
		warning, refusal string // a part of each; "" for none
	}{
		{"10.11.6-MariaDB-0+deb12u1", "Debian 12", schema.MariaDB, "MariaDB 10.11.6", "", ""},
		{"5.5.5-10.6.18-MariaDB-log", "", schema.MariaDB, "MariaDB 10.6.18", "", ""},
		{"11.8.2", "mariadb.org binary distribution", schema.MariaDB, "MariaDB 11.8.2", "", ""},
		{"12.1.2-MariaDB", "", schema.MariaDB, "MariaDB 12.1.2", "newer than 11.8", ""},
		{"10.5.9-MariaDB", "", schema.MariaDB, "MariaDB 10.5.9", "older than 10.6", ""},
		{"10.2.6-MariaDB", "", schema.MariaDB, "MariaDB 10.2.6", "older", "from 10.2.7 on"},
		{"5.5.68-MariaDB", "", schema.MariaDB, "MariaDB 5.5.68", "older", "from 10.2.7 on"},
		{"8.4.3", "MySQL Community Server - GPL", schema.MySQL, "MySQL 8.4.3", "", ""},
		{"9.7.0-2ubuntu1", "(Debian)", schema.MySQL, "MySQL 9.7.0", "", ""},
		{"8.0.35-27", "Percona Server (GPL), Release 27", schema.MySQL, "MySQL 8.0.35", "older than 8.4", ""},
		{"8.0.32", "Source distribution", schema.MySQL, "MySQL 8.0.32", "older than 8.4", ""},
		{"10.0.1", "MySQL Community Server - GPL", schema.MySQL, "MySQL 10.0.1", "newer than 9.x", ""},
		{"5.6.51", "MySQL Community Server", schema.MySQL, "MySQL 5.6.51", "older", "from 5.7 on"},
	}
	for _, test := range tests {
		t.Run(test.version, func(t *testing.T) {
			s, err := newServer(map[string]string{
				"version": test.version, "version_comment": test.comment,
				"lower_case_table_names": "1", "max_allowed_packet": "67108864",
				"character_set_server": "utf8", "collation_server": "utf8_general_ci",
			})
			if err != nil {
				t.Fatal(err)
			}
			if s.Engine != test.engine || s.String() != test.name {
				t.Errorf("server is %s %s, want %s %s", s.Engine, s, test.engine, test.name)
			}
			if s.Charset != "utf8mb3" || s.Collation != "utf8mb3_general_ci" {
				t.Errorf("character set %s, collation %s", s.Charset, s.Collation)
			}
			if s.LowerCaseTableNames != 1 || s.MaxAllowedPacket != 64<<20 {
				t.Errorf("lower_case_table_names %d, max_allowed_packet %d", s.LowerCaseTableNames, s.MaxAllowedPacket)
			}
			if (s.Warning == "") != (test.warning == "") || !strings.Contains(s.Warning, test.warning) {
				t.Errorf("warning is %q, want %q in it", s.Warning, test.warning)
			}
			err = s.fit()
			if (err == nil) != (test.refusal == "") || err != nil && !strings.Contains(err.Error(), test.refusal) {
				t.Errorf("fit gives %v, want %q in it", err, test.refusal)
			}
		})
	}
}

func TestNewServerErrors(t *testing.T) {
	for _, version := range []string{"", "mariadb", "8", "99999999999999999999.1"} {
		t.Run(version, func(t *testing.T) {
			_, err := newServer(map[string]string{"version": version, "lower_case_table_names": "0", "max_allowed_packet": "1"})
			if err == nil {
				t.Error("no error")
			}
		})
	}
}
