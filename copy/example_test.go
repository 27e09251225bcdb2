package copy_test

import (
	"context"
	"fmt"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/schema"
)

// The source and the target are held in memory here; elsewhere they are a
// mysql.Reader and a postgres.Conn.
func ExampleTable() {
	bigint := schema.Column{Name: "id", Type: schema.Type{Name: "bigint"}}
	rule, err := convert.Value(bigint, bigint)
	if err != nil {
		fmt.Println(err)
		return
	}
	job := copy.Job{
		Table:      "mdl_course",
		Query:      "SELECT `id` FROM `mdl_course` ORDER BY `id`",
		CopySQL:    "COPY mdl_course (id) FROM STDIN (FORMAT binary)",
		Columns:    []copy.Column{{Source: "id", Target: "id", Rule: rule, Key: true}},
		KeyOrdered: true,
	}
	for _, ids := range [][][]any{{{"1"}, {"2"}}, {{"1"}, {"9223372036854775808"}}} {
		result, err := copy.Table(context.Background(), &table{rows: ids}, &server{}, job, copy.Options{})
		fmt.Println(result.Rows, err)
	}
	// Output:
	// 2 <nil>
	// 0 table "mdl_course", column "id", row with id=9223372036854775808: "9223372036854775808" is out of range for bigint; correct the value in the source, or make the target's column wide enough
}
