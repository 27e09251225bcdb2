package mysql

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
)

func TestParseType(t *testing.T) {
	tests := []struct {
		raw  string
		want schema.Type
		sql  string // "" means raw
	}{
		{"bigint", schema.Type{Name: "bigint"}, ""},
		{"bigint(10)", schema.Type{Name: "bigint", Width: 10}, ""},
		{"int(10) unsigned zerofill", schema.Type{Name: "int", Width: 10, Unsigned: true, Zerofill: true}, ""},
		{"tinyint(1)", schema.Type{Name: "tinyint", Width: 1}, ""},
		{"decimal(10,5)", schema.Type{Name: "decimal", Precision: 10, Scale: 5}, ""},
		{"decimal(20,0) unsigned", schema.Type{Name: "decimal", Precision: 20, Unsigned: true}, ""},
		{"float", schema.Type{Name: "float"}, ""},
		{"float(7,4)", schema.Type{Name: "float", Precision: 7, Scale: 4}, ""},
		{"double(11,0)", schema.Type{Name: "double", Precision: 11}, ""},
		{"varchar(1333)", schema.Type{Name: "varchar", Length: 1333}, ""},
		{"VARCHAR(5)", schema.Type{Name: "varchar", Length: 5}, "varchar(5)"},
		{"varchar(100) /*M!100301 COMPRESSED*/", schema.Type{Name: "varchar", Length: 100}, ""},
		{"binary(16)", schema.Type{Name: "binary", Length: 16}, ""},
		{"bit(1)", schema.Type{Name: "bit", Length: 1}, ""},
		{"vector(1536)", schema.Type{Name: "vector", Length: 1536}, ""},
		{"year(4)", schema.Type{Name: "year"}, "year"},
		{"time(2)", schema.Type{Name: "time", Precision: 2}, ""},
		{"timestamp(6)", schema.Type{Name: "timestamp", Precision: 6}, ""},
		{"datetime", schema.Type{Name: "datetime"}, ""},
		{"longtext", schema.Type{Name: "longtext"}, ""},
		{"json", schema.Type{Name: "json"}, ""},
		{"uuid", schema.Type{Name: "uuid"}, ""},
		{"geomcollection", schema.Type{Name: "geometrycollection"}, "geometrycollection"},
		{`enum('a','b''c','d\\e',')',',')`, schema.Type{Name: "enum", Values: []string{"a", "b'c", `d\e`, ")", ","}}, ""},
		{"set('x','y')", schema.Type{Name: "set", Values: []string{"x", "y"}}, ""},
		{"enum('')", schema.Type{Name: "enum", Values: []string{""}}, ""},
		{"somethingnew(3)", schema.Type{Name: "somethingnew", Length: 3}, ""},
	}
	for _, test := range tests {
		t.Run(test.raw, func(t *testing.T) {
			got, err := parseType(test.raw)
			if err != nil {
				t.Fatal(err)
			}
			test.want.Raw = test.raw
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("type differs (-want +got):\n%s", diff)
			}
			if test.sql == "" {
				test.sql = test.raw
			}
			if sql := typeSQL(got); sql != test.sql {
				t.Errorf("DDL is %s, want %s", sql, test.sql)
			}
		})
	}
}

func TestParseTypeErrors(t *testing.T) {
	for _, raw := range []string{"", "(3)", "int(", "int(3", "enum('a'", "enum('a", "int(x)", "decimal(1,2,3)", "int sideways", "enum('a' 'b')"} {
		t.Run(raw, func(t *testing.T) {
			if got, err := parseType(raw); err == nil {
				t.Errorf("no error, but %+v", got)
			}
		})
	}
}

func FuzzParseType(f *testing.F) {
	f.Add(`enum('a','b''c\\')`)
	f.Add("decimal(10,5) unsigned zerofill")
	f.Add("text /*M!100301 COMPRESSED*/")
	f.Fuzz(func(t *testing.T, raw string) {
		parsed, err := parseType(raw)
		if err != nil {
			return
		}
		again, err := parseType(typeSQL(parsed))
		if err != nil {
			t.Fatalf("%q gives %s, which is not understood: %v", raw, typeSQL(parsed), err)
		}
		if typeSQL(again) != typeSQL(parsed) {
			t.Errorf("%q gives %s, then %s", raw, typeSQL(parsed), typeSQL(again))
		}
	})
}

// A type that this program has never heard of is a name that nobody knows, not
// an error: one column must not keep the whole database from being read.
func TestColumnOfUnknownType(t *testing.T) {
	for _, kind := range []string{"bigint signed sealed", "vector(3) packed", "money(2,two)"} {
		c := columnRow{table: "t", name: "c", kind: kind, nullable: "YES"}.column(schema.MySQL)
		if c.Type.Name != kind || c.Type.Raw != kind {
			t.Errorf("type %q became %+v", kind, c.Type)
		}
	}
}
