package drift

import (
	"testing"

	"github.com/moodledb/moodledb/schema"
)

func TestUsualCollation(t *testing.T) {
	table := func(name string, collations ...string) schema.Table {
		t := schema.Table{Name: name, Columns: []schema.Column{{Name: "id"}}}
		for _, c := range collations {
			t.Columns = append(t.Columns, schema.Column{Name: "value", Collation: c})
		}
		return t
	}
	const (
		ours  = "utf8mb4_unicode_ci"
		other = "utf8mb4_bin"
		old   = "latin1_swedish_ci"
	)
	for _, tc := range []struct {
		name   string
		tables []schema.Table
		want   string
	}{
		{"none", nil, "of_database"},
		{"one", []schema.Table{table("m_config", ours)}, ours},
		{"a wide table has one vote", []schema.Table{table("m_config", ours), table("m_a", ours), table("m_wide", other, other, other, other)}, ours},
		{"of equals that of config", []schema.Table{table("m_a", "utf8mb4_0900_ai_ci"), table("m_config", ours)}, ours},
		{"more than config", []schema.Table{table("m_config", other), table("m_a", ours), table("m_b", ours)}, ours},
		{"no other character set than UTF-8", []schema.Table{table("m_config", old), table("m_a", old), table("m_b", ours)}, ours},
		{"unless there is no UTF-8", []schema.Table{table("m_config", old)}, old},
		{"other applications do not count", []schema.Table{table("m_config", ours), table("wp_a", other), table("wp_b", other)}, ours},
		{"MariaDB's newest", []schema.Table{table("m_config", "uca1400_ai_ci")}, "uca1400_ai_ci"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &schema.Schema{Collation: "of_database", Tables: tc.tables}
			if got := usualCollation(s, "m_"); got != tc.want {
				t.Errorf("collation %q, want %q", got, tc.want)
			}
		})
	}
}
