package diff

import (
	"regexp"
	"testing"

	"github.com/moodledb/moodledb/schema"
)

func TestFingerprintsThatStay(t *testing.T) {
	for _, tc := range []struct {
		name string
		a, b Change
	}{
		{
			"on a site of another prefix",
			Change{Code: ForeignKeyExtra, Kind: KindForeignKey, Table: "mdl_a", Short: "a", Columns: []string{"b"}, Found: "(b) to mdl_user (id)"},
			Change{Code: ForeignKeyExtra, Kind: KindForeignKey, Table: "x_a", Short: "a", Columns: []string{"b"}, Found: "(b) to x_user (id)"},
		},
		{
			"of a sequence on a site of another prefix",
			Change{Code: SequenceMissing, Kind: KindSequence, Table: "mdl_a", Short: "a", Object: "mdl_a_id_seq", Expected: "mdl_a_id_seq"},
			Change{Code: SequenceMissing, Kind: KindSequence, Table: "a", Short: "a", Object: "a_id_seq", Expected: "a_id_seq"},
		},
		{
			"with another name of an index",
			Change{Code: IndexExtra, Kind: KindIndex, Table: "mdl_a", Short: "a", Object: "x", Columns: []string{"b", "c"}},
			Change{Code: IndexExtra, Kind: KindIndex, Table: "mdl_a", Short: "a", Object: "y", Columns: []string{"b", "c"}},
		},
		{
			"with another name of the index that it repeats",
			Change{Code: IndexDuplicate, Kind: KindIndex, Table: "mdl_a", Short: "a", Object: "x", Columns: []string{"b"}, Expected: "only y"},
			Change{Code: IndexDuplicate, Kind: KindIndex, Table: "mdl_a", Short: "a", Object: "y", Columns: []string{"b"}, Expected: "only z"},
		},
		{
			"with other lines",
			Change{
				Code: DefinitionDuplicate, Kind: KindDefinition, Table: "mdl_a", Short: "a", Object: "mdl_a_ix", Columns: []string{"b"},
				Found: "index (b), as in line 3", Origin: schema.Origin{File: "a", Line: 5},
			},
			Change{
				Code: DefinitionDuplicate, Kind: KindDefinition, Table: "x_a", Short: "a", Object: "x_a_ix", Columns: []string{"b"},
				Found: "index (b), as in line 4", Origin: schema.Origin{File: "b", Line: 6},
			},
		},
		{
			"with other numbers of a sequence",
			Change{Code: SequenceBehind, Table: "mdl_a", Short: "a", Object: "id", Expected: "above 5", Found: "3"},
			Change{Code: SequenceBehind, Table: "mdl_a", Short: "a", Object: "id", Expected: "above 7", Found: "4"},
		},
		{
			"with other words for it",
			Change{Code: ColumnExtra, Table: "mdl_a", Short: "a", Object: "b", Message: "m", Hint: "h", Severity: Error},
			Change{Code: ColumnExtra, Table: "mdl_a", Short: "a", Object: "b", Message: "n", Hint: "i", Severity: Warning},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if Fingerprint(tc.a) != Fingerprint(tc.b) {
				t.Errorf("the fingerprints of\n%+v\n%+v\ndiffer", tc.a, tc.b)
			}
		})
	}
}

func TestFingerprintsThatDiffer(t *testing.T) {
	changes := []Change{
		{Code: ColumnType, Table: "mdl_a", Short: "a", Object: "b", Expected: "text", Found: "int"},
		{Code: ColumnType, Table: "mdl_a", Short: "a", Object: "b", Expected: "text", Found: "bigint"},
		{Code: ColumnType, Table: "mdl_a", Short: "a", Object: "b", Expected: "char", Found: "int"},
		{Code: ColumnType, Table: "mdl_a", Short: "a", Object: "c", Expected: "text", Found: "int"},
		{Code: ColumnType, Table: "mdl_c", Short: "c", Object: "b", Expected: "text", Found: "int"},
		{Code: ColumnFloating, Table: "mdl_a", Short: "a", Object: "b", Expected: "text", Found: "int"},
		{Code: IndexMissing, Kind: KindIndex, Table: "mdl_a", Short: "a", Columns: []string{"b", "c"}},
		{Code: IndexMissing, Kind: KindIndex, Table: "mdl_a", Short: "a", Columns: []string{"c", "b"}},
		// The prefix within a word is no prefix.
		{Code: TriggerExtra, Table: "m_a", Short: "a", Object: "item_x"},
		{Code: TriggerExtra, Table: "m_a", Short: "a", Object: "itex"},
		{Code: TriggerExtra, Table: "m_a", Short: "a", Object: "m_m_y"},
		{Code: TriggerExtra, Table: "m_a", Short: "a", Object: "m_y"},
		// A table of another prefix.
		{Code: TableOtherPrefix, Table: "wp_a", Short: "wp_a"},
		{Code: TableOtherPrefix, Table: "a", Short: "a"},
		{Code: SourceRightsIncomplete, Object: "u@h"},
	}
	form := regexp.MustCompile(`^[0-9a-f]{32}$`)
	seen := map[string]Change{}
	for _, c := range changes {
		f := Fingerprint(c)
		if !form.MatchString(f) {
			t.Errorf("fingerprint %q", f)
		}
		if other, ok := seen[f]; ok {
			t.Errorf("the fingerprints of\n%+v\n%+v\nare the same", c, other)
		}
		seen[f] = c
	}
}
