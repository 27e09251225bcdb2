package verify_test

import (
	"context"
	"fmt"

	"github.com/moodledb/moodledb/verify"
)

func ExampleCompare() {
	// Two sides in memory; those of servers are in package proof.
	expected := memory{tables: map[string][]row{"user": {user(1, "anna", "a@example.org"), user(2, "ben", "b@example.org")}}}
	found := memory{tables: map[string][]row{"user": {user(2, "ben ", "b@example.org"), user(3, "cleo", "")}}}
	results, err := verify.Compare(context.Background(), expected, found, []verify.Table{users()}, verify.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range results {
		fmt.Printf("%s: %s, %d missing, %d extra, %d changed\n", r.Name, r.State, r.Missing, r.Extra, r.Changed)
		for _, d := range r.Differences {
			fmt.Printf("  %s: %s %s", d.Kind, d.Key[0].Column, d.Key[0].Value.Text)
			if d.Kind == verify.ChangedRow {
				c := d.Columns[0]
				fmt.Printf(", %s is %s, not %s", c.Column, c.Found.Text, c.Expected.Text)
			}
			fmt.Println()
		}
	}
	// Output:
	// user: different, 1 missing, 1 extra, 1 changed
	//   missing: id 1
	//   changed: id 2, username is "ben ", not "ben"
	//   extra: id 3
}
