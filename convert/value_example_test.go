package convert_test

import (
	"fmt"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
)

func ExampleValue() {
	grade := schema.Column{Name: "grade", Type: schema.Type{Name: "decimal", Precision: 10, Scale: 5}}
	target := schema.Column{Name: "grade", Type: schema.Type{Name: "numeric", Precision: 10, Scale: 2}}
	rule, err := convert.Value(grade, target)
	if err != nil {
		fmt.Println(err)
		return
	}
	field, err := rule.Encode(nil, []byte("87.50000"))
	fmt.Printf("%s: %x %v\n", rule.Name, field, err)
	// PostgreSQL would round this one without a word.
	_, err = rule.Encode(nil, []byte("87.50500"))
	fmt.Println(err)
	// Output:
	// decimal to numeric: 000200000000000200571388 <nil>
	// "87.50500" would be rounded by numeric(10,2)
}
