package schema_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

func TestSortPutsThePrimaryKeyFirst(t *testing.T) {
	s := schema.Schema{
		Tables: []schema.Table{
			{Name: "b", Indexes: []schema.Index{{Name: "a_ix"}, {Name: "z_pk", Primary: true}, {Name: "Z_ix"}}},
			{Name: "B"},
		},
		Views:     []schema.View{{Name: "w"}, {Name: "v"}},
		Sequences: []schema.Sequence{{Name: "t_seq"}, {Name: "s_seq"}},
	}
	s.Sort()
	want := schema.Schema{
		Tables: []schema.Table{
			{Name: "B"},
			{Name: "b", Indexes: []schema.Index{{Name: "z_pk", Primary: true}, {Name: "Z_ix"}, {Name: "a_ix"}}},
		},
		Views:     []schema.View{{Name: "v"}, {Name: "w"}},
		Sequences: []schema.Sequence{{Name: "s_seq"}, {Name: "t_seq"}},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("sorted (-want +got):\n%s", diff)
	}
}

func TestLookUps(t *testing.T) {
	s := schema.Schema{Tables: []schema.Table{{
		Name:    "mdl_User",
		Columns: []schema.Column{{Name: "Id"}},
		Indexes: []schema.Index{{Name: "i"}, {Name: "pk", Primary: true}},
	}}}
	if s.Table("mdl_user") != nil {
		t.Error("the case of a table's name does not count")
	}
	table := s.Table("mdl_User")
	if table == nil || table.Column("ID") == nil || table.Column("name") != nil {
		t.Fatalf("columns of %+v", table)
	}
	if pk := table.PrimaryKey(); pk == nil || pk.Name != "pk" {
		t.Errorf("primary key %+v", pk)
	}
	if pk := (&schema.Table{}).PrimaryKey(); pk != nil {
		t.Errorf("a table without a key has %+v", pk)
	}
}

func ExampleIndex_Columns() {
	x := schema.Index{Parts: []schema.IndexPart{{Column: "lastname"}, {Expression: "lower(firstname)"}}}
	fmt.Printf("%q\n", x.Columns())
	// Output: ["lastname" ""]
}
