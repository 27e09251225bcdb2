package convert

import (
	"strings"
	"testing"

	"github.com/moodledb/moodledb/schema"
)

func siteTables(prefix string) []schema.Table {
	cols := func(names ...string) []schema.Column {
		var out []schema.Column
		for _, n := range names {
			out = append(out, schema.Column{Name: n})
		}
		return out
	}
	return []schema.Table{
		{Name: prefix + "config", Columns: cols("id", "name", "value")},
		{Name: prefix + "config_plugins", Columns: cols("id", "plugin", "name", "value")},
	}
}

func TestFindPrefix(t *testing.T) {
	for _, tc := range []struct {
		name    string
		tables  []schema.Table
		want    string
		wantErr string
	}{
		{name: "one site", tables: siteTables("mdl_"), want: "mdl_"},
		{name: "empty prefix", tables: siteTables(""), want: ""},
		{name: "no site", tables: []schema.Table{{Name: "wp_posts"}}, wantErr: "holds no Moodle site"},
		{name: "two sites", tables: append(siteTables("a_"), siteTables("b_")...), wantErr: `"a_", "b_"`},
		{name: "a lone config_plugins is no site", tables: siteTables("x_")[1:], wantErr: "holds no Moodle site"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := FindPrefix(&schema.Schema{Name: "db", Tables: tc.tables})
			switch {
			case tc.wantErr == "" && err != nil:
				t.Fatal(err)
			case tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
				t.Fatalf("error %v, want one with %q", err, tc.wantErr)
			case got != tc.want:
				t.Errorf("prefix %q, want %q", got, tc.want)
			}
		})
	}
}
