package report_test

import (
	"fmt"
	"os"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/report"
)

func ExampleFindings() {
	plan := &migrate.Plan{Findings: []migrate.Finding{{
		Code: "target-not-empty", Severity: migrate.Blocker, Object: "public", Message: "schema public holds 480 tables",
		Hint: "Name an empty database with --to.",
	}}}
	if err := report.Findings(os.Stdout, plan); err != nil {
		fmt.Println(err)
	}
	// Output:
	// blocker: public: schema public holds 480 tables [target-not-empty]
	//   Name an empty database with --to.
}
