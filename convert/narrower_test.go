package convert

import (
	"math/big"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/schema"
)

// readsAs reports whether two decimal texts are the same number.
func readsAs(t *testing.T, a, b string) bool {
	t.Helper()
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}

func TestNarrower(t *testing.T) {
	varchar10 := schema.Type{Name: "character varying", Length: 10}
	for _, tc := range []struct {
		name           string
		source, target schema.Type
		want           string // part of the answer; empty when all values fit
	}{
		{"tinyint", schema.Type{Name: "tinyint"}, plainType("smallint"), ""},
		{"smallint unsigned", schema.Type{Name: "smallint", Unsigned: true}, plainType("smallint"), "16 bits"},
		{"mediumint", schema.Type{Name: "mediumint"}, plainType("smallint"), "16 bits"},
		{"mediumint unsigned", schema.Type{Name: "mediumint", Unsigned: true}, plainType("integer"), ""},
		{"int", schema.Type{Name: "int"}, plainType("integer"), ""},
		{"int unsigned", schema.Type{Name: "int", Unsigned: true}, plainType("integer"), "32 bits"},
		{"bigint", schema.Type{Name: "bigint"}, plainType("bigint"), ""},
		{"bigint unsigned", schema.Type{Name: "bigint", Unsigned: true}, plainType("bigint"), "64 bits"},
		{"bit", schema.Type{Name: "bit", Length: 15}, plainType("smallint"), ""},
		{"wide bit", schema.Type{Name: "bit", Length: 16}, plainType("smallint"), "16 bits"},
		{"text in an integer", schema.Type{Name: "text"}, plainType("bigint"), "no whole number"},
		{"shorter varchar", schema.Type{Name: "varchar", Length: 11}, varchar10, "10 characters"},
		{"same varchar", schema.Type{Name: "varchar", Length: 10}, varchar10, ""},
		{"text in a varchar", schema.Type{Name: "longtext"}, varchar10, "10 characters"},
		{"text in a text", schema.Type{Name: "longtext"}, plainType("text"), ""},
		{"tinytext", schema.Type{Name: "tinytext"}, schema.Type{Name: "character varying", Length: 255}, ""},
		{"enum", schema.Type{Name: "enum", Values: []string{"0123456789"}}, varchar10, ""},
		{"long enum", schema.Type{Name: "enum", Values: []string{"0123456789x"}}, varchar10, "10 characters"},
		{"date", schema.Type{Name: "date"}, varchar10, ""},
		{"mediumint in a varchar", schema.Type{Name: "mediumint"}, varchar10, ""},
		{"int in a varchar", schema.Type{Name: "int"}, varchar10, "10 characters"},
		{"decimal", schema.Type{Name: "decimal", Precision: 10, Scale: 5}, numericType(10, 5), ""},
		{"decimal with more before", schema.Type{Name: "decimal", Precision: 11, Scale: 5}, numericType(10, 5), "before the point"},
		{"decimal with more behind", schema.Type{Name: "decimal", Precision: 10, Scale: 6}, numericType(10, 5), "behind the point"},
		{"bigint in a numeric", schema.Type{Name: "bigint"}, numericType(19, 0), ""},
		{"bigint in a short numeric", schema.Type{Name: "bigint"}, numericType(19, 1), "18 digits"},
		{"bigint unsigned in a numeric", schema.Type{Name: "bigint", Unsigned: true}, numericType(20, 0), ""},
		{"bigint unsigned in a short numeric", schema.Type{Name: "bigint", Unsigned: true}, numericType(19, 0), "19 digits"},
		{"double in a numeric", schema.Type{Name: "double"}, numericType(10, 5), "5 digits before"},
		{"anything in an open numeric", schema.Type{Name: "double"}, plainType("numeric"), ""},
		{"double in a real", schema.Type{Name: "double"}, plainType("real"), "single precision"},
		{"float in a real", schema.Type{Name: "float"}, plainType("real"), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := narrower(tc.source, tc.target)
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("%q, want %q in it", got, tc.want)
			}
		})
	}
}
