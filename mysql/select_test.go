package mysql

import "testing"

func TestSelect(t *testing.T) {
	for _, tc := range []struct {
		name                 string
		expressions, orderBy []string
		want                 string
	}{
		{"no order", []string{"`a`"}, nil, "SELECT `a` FROM `Old-``t`"},
		{"ordered", []string{"`a`", "`f`+0e0"}, []string{"a", "b`c"}, "SELECT `a`, `f`+0e0 FROM `Old-``t` ORDER BY `a`, `b``c`"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Select("Old-`t", tc.expressions, tc.orderBy); got != tc.want {
				t.Errorf("got %s\nwant %s", got, tc.want)
			}
		})
	}
}
