package ignore_test

import (
	"fmt"
	"time"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/ignore"
)

func ExampleRules_Apply() {
	rules, err := ignore.Parse([]byte(`
version: 1
ignore:
  - code: table-extra
    table: "local_report_*"
    reason: BI reads them
  - table: nothing
    reason: forgotten
`), ".moodledb.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	kept, ignored, problems := rules.Apply([]diff.Change{
		{Code: diff.TableExtra, Table: "mdl_local_report_a", Short: "local_report_a"},
		{Code: diff.TableExtra, Table: "mdl_old_forum", Short: "old_forum"},
	}, time.Now())
	fmt.Println("kept:", kept[0].Table)
	fmt.Println("ignored:", ignored[0].Change.Table, "since", ignored[0].Rule.Reason)
	fmt.Printf("%s:%d: %s\n", problems[0].Rule.File, problems[0].Rule.Line, problems[0].Message)
	// Output:
	// kept: mdl_old_forum
	// ignored: mdl_local_report_a since BI reads them
	// .moodledb.yaml:7: the rule matches nothing
}
