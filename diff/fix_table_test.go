package diff_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// TestByTable: changes are gathered by what a fix is made for.
func TestByTable(t *testing.T) {
	change := func(code diff.Code, table, object, want string) diff.Change {
		return diff.Complete(diff.Change{Code: code, Table: table, Object: object, Want: want, Have: object})
	}
	tables := diff.ByTable([]diff.Change{
		change(diff.ColumnNullable, "b", "two", "two"),
		change(diff.TableOwner, "a", "", "a"),
		change(diff.ColumnDefault, "b", "one", "one"),
		change(diff.ColumnRenamed, "b", "two", "zwei"),
		change(diff.ColumnExtra, "b", "three", ""),
		change(diff.ColumnIdentity, "b", "one", "one"),
		change(diff.IndexMethod, "b", "x", "y"),
		change(diff.IndexInvalid, "b", "x", "y"),
		change(diff.IndexInvalid, "b", "key", "key"),
	})
	if len(tables) != 2 || tables[0].Table != "b" || tables[1].Table != "a" {
		t.Fatalf("tables %+v", tables)
	}
	b := tables[0]
	var named []string
	b.Each(func(c diff.Change) { named = append(named, c.FoundName()) }, diff.IndexInvalid, diff.ColumnExtra)
	if d := cmp.Diff([]string{"three", "x", "key"}, named); d != "" {
		t.Errorf("changes of two codes (-want +got):\n%s", d)
	}
	want := &schema.Table{Columns: []schema.Column{{Name: "zwei", NotNull: true}, {Name: "two"}, {Name: "one", Default: schema.Literal("1")}}}
	have := &schema.Table{Columns: []schema.Column{{Name: "one"}, {Name: "two", NotNull: true}, {Name: "three"}}}
	columns := b.Columns(want, have, diff.ColumnIdentity)
	if d := cmp.Diff([]diff.ColumnChanges{
		{Want: want.Columns[2], Have: have.Columns[0], Fixed: want.Columns[2], Codes: []diff.Code{diff.ColumnDefault}},
		{Want: want.Columns[1], Have: have.Columns[1], Fixed: schema.Column{Name: "two"}, Codes: []diff.Code{diff.ColumnNullable, diff.ColumnRenamed}},
	}, columns); d != "" {
		t.Errorf("columns (-want +got):\n%s", d)
	}
	indexes := b.Indexes(func(c diff.Change) bool { return c.Have == "key" })
	if d := cmp.Diff([]*diff.IndexChanges{{Want: "y", Have: "x", Codes: []diff.Code{diff.IndexMethod, diff.IndexInvalid}}}, indexes); d != "" {
		t.Errorf("indexes (-want +got):\n%s", d)
	}
}
