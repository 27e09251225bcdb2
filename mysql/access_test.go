package mysql

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseGrant(t *testing.T) {
	tests := []struct {
		line string
		want grant
		ok   bool
	}{
		{"GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*0123'", grant{[]string{"USAGE"}, "*", "*"}, true},
		{"GRANT ALL PRIVILEGES ON `moodle`.* TO `u`@`%` WITH GRANT OPTION", grant{[]string{"ALL PRIVILEGES"}, "moodle", "*"}, true},
		{"GRANT SELECT, SHOW VIEW ON `my``db`.`a.b` TO `u`@`%`", grant{[]string{"SELECT", "SHOW VIEW"}, "my`db", "a.b"}, true},
		{"GRANT SELECT (`x`), INSERT ON `d`.`t` TO `u`@`%`", grant{[]string{"INSERT"}, "d", "t"}, true},
		{"GRANT `reader`@`%` TO `u`@`%`", grant{}, false},
		{"GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION", grant{}, false},
		{"GRANT EXECUTE ON PROCEDURE `d`.`p` TO `u`@`%`", grant{}, false},
	}
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			got, ok := parseGrant(test.line)
			if ok != test.ok {
				t.Fatalf("ok is %t", ok)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(grant{})); diff != "" {
				t.Errorf("grant differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMatchDatabase(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"moodle", "moodle", true},
		{"moodle", "moodle2", false},
		{"moodle%", "moodle2", true},
		{"m_odle", "moodle", true},
		{`m\_odle`, "moodle", false},
		{`m\_odle`, "m_odle", true},
		{"a.b", "axb", false},
		{"%", "any\nthing", true},
	}
	for _, test := range tests {
		t.Run(test.pattern+" "+test.name, func(t *testing.T) {
			if got := matchDatabase(test.pattern, test.name); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
