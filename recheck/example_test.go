package recheck_test

import (
	"fmt"

	"github.com/moodledb/moodledb/recheck"
	"github.com/moodledb/moodledb/schema"
)

func ExampleReason() {
	column := func(name string) schema.Column { return schema.Column{Type: schema.Type{Name: name}} }
	fmt.Printf("%q\n", recheck.Reason(column("datetime"), column("timestamp without time zone")))
	fmt.Printf("%q\n", recheck.Reason(column("double"), column("text")))
	// Output:
	// ""
	// "the text of a DOUBLE is the server's own spelling of it"
}
