package ownership

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestStagingName(t *testing.T) {
	for _, tt := range []struct{ database, published, want string }{
		{"moodle", "", "moodle"},
		{"Moodle 4.5", "", "Moodle 4.5"},
		{"public", "", "moodledb_public"},
		{"public", "site", "moodledb_public"},
		{"site", "site", "moodledb_site"},
		{"pg_site", "", "moodledb_pg_site"},
		{"information_schema", "", "moodledb_information_schema"},
		{"moodledb", "", "moodledb_moodledb"},
		{"", "", "moodledb_"},
		{strings.Repeat("x", 64), "", strings.Repeat("x", 63)},
		{strings.Repeat("ä", 32), "", strings.Repeat("ä", 31)},
	} {
		if got := StagingName(tt.database, tt.published); got != tt.want {
			t.Errorf("StagingName(%q, %q) = %q, want %q", tt.database, tt.published, got, tt.want)
		}
	}
}

func TestKeptName(t *testing.T) {
	now := time.Date(2031, 5, 6, 9, 8, 7, 0, time.FixedZone("x", 2*3600))
	for schema, want := range map[string]string{
		"":                      "public_before_20310506_070807",
		"site":                  "site_before_20310506_070807",
		strings.Repeat("x", 63): strings.Repeat("x", 40) + "_before_20310506_070807",
	} {
		if got := (Options{Schema: schema, Now: now}).withDefaults().kept(); got != want {
			t.Errorf("%q is kept as %q, want %q", schema, got, want)
		}
	}
	long := Options{Schema: strings.Repeat("ä", 31), Now: now}.kept()
	if len(long) > 63 || !utf8.ValidString(long) {
		t.Errorf("%q has %d bytes", long, len(long))
	}
}

func TestBlocked(t *testing.T) {
	warning := Problem{Code: "w", Severity: Warning, Message: "careful", Hint: "look"}
	blocker := Problem{Code: "b", Severity: Blocker, Message: "stop", Hint: "go back"}
	if err := blocked("publish", []Problem{warning}); err != nil {
		t.Errorf("a warning blocks: %v", err)
	}
	err := blocked("publish", []Problem{warning, blocker})
	var b *BlockedError
	if !errors.As(err, &b) || len(b.Problems) != 1 || err.Error() != "publish: stop; go back" {
		t.Errorf("error %v", err)
	}
	if got := blockersFirst([]Problem{warning, blocker, warning}); got[0].Code != "b" || len(got) != 3 {
		t.Errorf("order %v", got)
	}
}

func ExampleStagingName() {
	fmt.Println(StagingName("moodle", "public"))
	fmt.Println(StagingName("public", "public"))
	// Output:
	// moodle
	// moodledb_public
}
