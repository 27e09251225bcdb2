package diff_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

func TestRepairPlansWhatFixesLeaveBehind(t *testing.T) {
	plain := func(name string) schema.Column {
		return schema.Column{Name: name, Type: schema.Type{Name: "bigint", Raw: "bigint"}}
	}
	table := func(columns []schema.Column, indexes ...schema.Index) schema.Schema {
		return schema.Schema{Engine: schema.Postgres, Tables: []schema.Table{{Name: "mdl_a", Columns: columns, Indexes: indexes}}}
	}
	on := func(name string) schema.Index {
		return schema.Index{Name: name, Method: "btree", Parts: []schema.IndexPart{{Column: name}}}
	}
	want := table([]schema.Column{plain("a"), plain("b")}, on("a"), on("b"))
	have := table([]schema.Column{plain("b")})
	// The index on b is missing as well, but somebody accepted that.
	changes := []diff.Change{{Code: diff.ColumnMissing, Kind: diff.KindColumn, Table: "mdl_a", Object: "a", Want: "a"}}
	var planned []string
	fixes := diff.Repair(&want, &have, changes, diff.Options{Prefix: "mdl_"}, func(now *schema.Schema, changes []diff.Change) []diff.Fix {
		var fixes []diff.Fix
		for _, c := range changes {
			planned = append(planned, string(c.Code)+" "+c.Object)
			if c.Code == diff.ColumnMissing {
				now.Tables[0].Columns = append(now.Tables[0].Columns, plain(c.Object))
				fixes = append(fixes, diff.Fix{Stage: diff.StageWiden, Codes: []diff.Code{c.Code, c.Code}, Note: "one\nline"})
			} else {
				now.Tables[0].Indexes = append(now.Tables[0].Indexes, on(c.Object))
				fixes = append(fixes, diff.Fix{Stage: diff.StageAdd})
			}
		}
		return fixes
	})
	if d := cmp.Diff([]string{"column-missing a", "index-missing a"}, planned); d != "" {
		t.Errorf("planned (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]diff.Fix{{}, {Stage: diff.StageWiden, Codes: []diff.Code{diff.ColumnMissing}, Note: "one line"}}, fixes); d != "" {
		t.Errorf("fixes (-want +got):\n%s", d)
	}
	if len(have.Tables[0].Columns) != 1 {
		t.Error("the found schema was changed")
	}
}
