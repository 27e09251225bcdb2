package convert_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
)

// key is a foreign key of one column.
func key(name, from, table, to string) schema.ForeignKey {
	return schema.ForeignKey{Name: name, Columns: []string{from}, RefTable: table, RefColumns: []string{to}, OnDelete: "cascade", OnUpdate: "restrict"}
}

// keyed is a table whose column id is its primary key.
func keyed(name string, idType schema.Type, columns ...schema.Column) schema.Table {
	t := liveTable(name, append([]schema.Column{{Name: "id", Type: idType, NotNull: true}}, columns...)...)
	t.Indexes = []schema.Index{{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: on(column("id"))}}
	return t
}

func TestForeignKeys(t *testing.T) {
	unsigned := schema.Type{Name: "bigint", Unsigned: true, Raw: "bigint unsigned"}
	child := func(fk schema.ForeignKey, columns ...schema.Column) schema.Table {
		c := keyed("mdl_child", typed("int"), columns...)
		c.ForeignKeys = []schema.ForeignKey{fk}
		return c
	}
	for _, tc := range []struct {
		name    string
		tables  []schema.Table
		include func(string) bool
		want    *schema.ForeignKey
		code    string
		typ     string // of mdl_child.parent
	}{
		{
			name:   "kept",
			tables: []schema.Table{keyed("mdl_parent", typed("int")), child(key("fk", "PARENT", "MDL_parent", "ID"), col("parent", "int"))},
			want:   &schema.ForeignKey{Name: "fk", Columns: []string{"parent"}, RefTable: "mdl_parent", RefColumns: []string{"id"}, OnDelete: "cascade", OnUpdate: "restrict"},
			typ:    "integer",
		},
		{
			name: "to a declared table, whose id is signed",
			tables: []schema.Table{liveT(), child(key("fk", "parent", "mdl_t", "id"),
				schema.Column{Name: "parent", Type: unsigned})},
			want: &schema.ForeignKey{Name: "fk", Columns: []string{"parent"}, RefTable: "mdl_t", RefColumns: []string{"id"}, OnDelete: "cascade", OnUpdate: "restrict"},
			code: convert.CodeForeignKeyType, typ: "bigint",
		},
		{
			name:   "between two unsigned columns",
			tables: []schema.Table{keyed("mdl_parent", unsigned), child(key("fk", "parent", "mdl_parent", "id"), schema.Column{Name: "parent", Type: unsigned})},
			want:   &schema.ForeignKey{Name: "fk", Columns: []string{"parent"}, RefTable: "mdl_parent", RefColumns: []string{"id"}, OnDelete: "cascade", OnUpdate: "restrict"},
			typ:    "numeric",
		},
		{
			name:    "to a table left out",
			tables:  []schema.Table{keyed("mdl_parent", typed("int")), child(key("fk", "parent", "mdl_parent", "id"), col("parent", "int"))},
			include: func(name string) bool { return name == "mdl_child" },
			code:    convert.CodeForeignKeyDropped, typ: "integer",
		},
		{
			name:   "to another database",
			tables: []schema.Table{child(key("fk", "parent", "`other`.`t`", "id"), col("parent", "int"))},
			code:   convert.CodeForeignKeyDropped, typ: "integer",
		},
		{
			name:   "to a column that is not unique",
			tables: []schema.Table{keyed("mdl_parent", typed("int"), col("n", "int")), child(key("fk", "parent", "mdl_parent", "n"), col("parent", "int"))},
			code:   convert.CodeForeignKeyDropped, typ: "integer",
		},
		{
			name:   "between types that do not join",
			tables: []schema.Table{keyed("mdl_parent", schema.Type{Name: "binary", Length: 4}), child(key("fk", "parent", "mdl_parent", "id"), col("parent", "uuid"))},
			code:   convert.CodeForeignKeyDropped, typ: "uuid",
		},
		{
			name: "with an unknown action",
			tables: []schema.Table{keyed("mdl_parent", typed("int")), child(schema.ForeignKey{
				Name: "fk", Columns: []string{"parent"}, RefTable: "mdl_parent", RefColumns: []string{"id"}, OnDelete: "explode",
			}, col("parent", "int"))},
			code: convert.CodeForeignKeyDropped, typ: "integer",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			plan, findings := convert.Target(declaredT(), liveSchema(tc.tables...), convert.TargetOptions{Prefix: "mdl_", Include: tc.include})
			childPlan := plan.Table("mdl_child")
			var want []schema.ForeignKey
			if tc.want != nil {
				want = []schema.ForeignKey{*tc.want}
			}
			if diff := cmp.Diff(want, append([]schema.ForeignKey(nil), childPlan.Target.ForeignKeys...)); diff != "" {
				t.Errorf("foreign keys (-want +got):\n%s", diff)
			}
			var code string
			for _, f := range findings {
				if f.Code == convert.CodeForeignKeyDropped || f.Code == convert.CodeForeignKeyType {
					code = f.Code
				}
			}
			if code != tc.code {
				t.Errorf("code %q, want %q", code, tc.code)
			}
			if got := childPlan.Target.Column("parent").Type.Name; got != tc.typ {
				t.Errorf("the column becomes %s, want %s", got, tc.typ)
			}
			for _, pair := range childPlan.Columns {
				if pair.Target.Name == "parent" && pair.Target.Type.Name != tc.typ {
					t.Errorf("the rule of the column is for %s", pair.Target.Type.Name)
				}
			}
		})
	}
}

// TestForeignKeyChains aligns a column that refers to a column that refers to a counter.
func TestForeignKeyChains(t *testing.T) {
	unsigned := schema.Type{Name: "bigint", Unsigned: true, Raw: "bigint unsigned"}
	a := keyed("mdl_z", unsigned)
	a.Columns[0].AutoIncrement = true
	b := keyed("mdl_y", unsigned)
	b.ForeignKeys = []schema.ForeignKey{key("b", "id", "mdl_z", "id")}
	c := keyed("mdl_x", unsigned)
	c.ForeignKeys = []schema.ForeignKey{key("c", "id", "mdl_y", "id")}
	plan, _ := convert.Target(schema.Schema{}, liveSchema(a, b, c), convert.TargetOptions{Prefix: "mdl_"})
	for _, name := range []string{"mdl_x", "mdl_y", "mdl_z"} {
		table := plan.Table(name)
		if got := table.Target.Columns[0].Type.Name; got != "bigint" {
			t.Errorf("%s.id becomes %s", name, got)
		}
		if name != "mdl_z" && len(table.Target.ForeignKeys) != 1 {
			t.Errorf("%s lost its foreign key", name)
		}
	}
}

func TestForeignKeyNames(t *testing.T) {
	long := strings.Repeat("n", 64)
	child := keyed("mdl_child", typed("int"), schema.Column{Name: "e", Type: schema.Type{Name: "enum", Values: []string{"a"}}}, col("n", "int"))
	child.ForeignKeys = []schema.ForeignKey{
		key(long, "id", "mdl_parent", "id"),
		key("mdl_child_id_fkey", "n", "mdl_parent", "id"),
		key("mdl_child_e_check", "n", "mdl_child", "id"),
	}
	plan, _ := convert.Target(schema.Schema{}, liveSchema(keyed("mdl_parent", typed("int")), child), convert.TargetOptions{Prefix: "mdl_"})
	var names []string
	for _, fk := range plan.Table("mdl_child").Target.ForeignKeys {
		names = append(names, fk.Name)
	}
	if diff := cmp.Diff([]string{"mdl_child_id_fkey", "mdl_child_id_fkey1", "mdl_child_n_fkey"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if plan.Table("mdl_none") != nil {
		t.Error("there is a plan for a table that is not there")
	}
}
