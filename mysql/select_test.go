package mysql

import "testing"

func TestSelect(t *testing.T) {
	for _, tc := range []struct {
		name        string
		expressions []string
		rows        Selection
		want        string
	}{
		{"all rows", []string{"`a`"}, Selection{}, "SELECT `a` FROM `Old-``t`"},
		{
			"ordered",
			[]string{"`a`", "`f`+0e0"},
			Selection{OrderBy: []string{"a", "b`c"}},
			"SELECT `a`, `f`+0e0 FROM `Old-``t` ORDER BY `a`, `b``c`",
		},
		{
			"a range in the order of an index",
			[]string{"`a`"},
			Selection{Where: "`a` < 3", Index: "the `key`", OrderBy: []string{"a"}},
			"SELECT `a` FROM `Old-``t` FORCE INDEX (`the ``key```) WHERE `a` < 3 ORDER BY `a`",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Select("Old-`t", tc.expressions, tc.rows); got != tc.want {
				t.Errorf("got %s\nwant %s", got, tc.want)
			}
		})
	}
}
