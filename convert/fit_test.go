package convert_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
)

func TestFit(t *testing.T) {
	for _, tc := range []struct {
		name   string
		target func(t *schema.Table)
		source func(t *schema.Table)
		copied []string
		codes  []string
		errors bool
	}{
		{name: "fits", copied: []string{"id", "name", "note"}},
		{
			name: "a column that the target lacks", source: func(t *schema.Table) { t.Columns = append(t.Columns, col("extra", "int")) },
			copied: []string{"id", "name", "note"}, codes: []string{convert.CodeColumnMissing}, errors: true,
		},
		{
			name: "a column that the source lacks", target: func(t *schema.Table) { t.Columns = append(t.Columns, col("extra", "integer")) },
			copied: []string{"id", "name", "note"}, codes: []string{convert.CodeColumnAbsent},
		},
		{
			name: "a column that the source lacks and the target wants",
			target: func(t *schema.Table) {
				t.Columns = append(t.Columns, schema.Column{Name: "extra", Type: typed("integer"), NotNull: true})
			},
			copied: []string{"id", "name", "note"}, codes: []string{convert.CodeColumnAbsent}, errors: true,
		},
		{
			name: "a column that the target computes",
			target: func(t *schema.Table) {
				t.Columns[2].Generated = schema.GeneratedStored
			},
			copied: []string{"id", "name"}, codes: []string{convert.CodeGeneratedColumn},
		},
		{
			name: "values that cannot be", target: func(t *schema.Table) { t.Columns[2].Type = typed("timestamp with time zone") },
			copied: []string{"id", "name"}, codes: []string{convert.CodeColumnType}, errors: true,
		},
		{
			name: "a narrower column", target: func(t *schema.Table) { t.Columns[0].Type = typed("integer") },
			source: func(t *schema.Table) { t.Columns[0].AutoIncrement = false },
			copied: []string{"id", "name", "note"}, codes: []string{convert.CodeColumnNarrower},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			target, source := declaredT(), liveT()
			if tc.target != nil {
				tc.target(&target.Tables[0])
			}
			if tc.source != nil {
				tc.source(&source)
			}
			plan, findings := convert.Fit(target, liveSchema(source), convert.FitOptions{Prefix: "mdl_"})
			var copied []string
			for _, p := range plan.Tables[0].Columns {
				copied = append(copied, p.Target.Name)
			}
			if diff := cmp.Diff(tc.copied, copied); diff != "" {
				t.Errorf("columns copied (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.codes, codes(findings)); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
			if convert.HasErrors(findings) != tc.errors {
				t.Errorf("errors: %v", findings)
			}
			if plan.Tables[0].Create {
				t.Error("a table that exists is to be made")
			}
		})
	}
}

func TestFitMakesExtraTables(t *testing.T) {
	extra := keyed("mdl_appraisal_quest_data_7", typed("bigint"), col("answer", "longtext"))
	extra.Columns[0].AutoIncrement = true
	extra.Indexes = append(extra.Indexes, schema.Index{Name: "mdl_t_nam_ix", Method: "btree", Parts: on(prefix("answer", 20))})
	target := declaredT()
	target.Tables = append(target.Tables, schema.Table{Name: "mdl_unused"})
	target.Views = []schema.View{{Name: "mdl_apprquesdata7_id_pk"}}
	plan, findings := convert.Fit(target, liveSchema(liveT(), extra), convert.FitOptions{Prefix: "mdl_"})
	want := []string{convert.CodeTableExtra, convert.CodeIndexPrefix, convert.CodeIndexRenamed, convert.CodeTableAbsent}
	if diff := cmp.Diff(want, codes(findings)); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	made := plan.Table("mdl_appraisal_quest_data_7")
	if made == nil || !made.Create || len(made.Columns) != 2 {
		t.Fatalf("the extra table is not made: %+v", made)
	}
	var names []string
	for _, x := range made.Target.Indexes {
		names = append(names, x.Name)
	}
	// A view of the target has the name that the primary key would have.
	if diff := cmp.Diff([]string{"mdl_apprquesdata7_id2_pk", "mdl_apprquesdata7_ans_ix"}, names); diff != "" {
		t.Errorf("names of indexes (-want +got):\n%s", diff)
	}
}

func TestFitRefusesNamesInUse(t *testing.T) {
	target := declaredT()
	target.Views = []schema.View{{Name: "mdl_extra"}}
	_, findings := convert.Fit(target, liveSchema(liveT(), keyed("mdl_extra", typed("int"))), convert.FitOptions{Prefix: "mdl_"})
	if diff := cmp.Diff([]string{convert.CodeTableAmbiguous, convert.CodeTableExtra}, codes(findings)); diff != "" || !convert.HasErrors(findings) {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}
