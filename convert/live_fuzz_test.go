package convert_test

import (
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
)

// FuzzDefaults demands that whatever a catalog says of a default, it is either
// carried over or dropped with a finding, never both and never neither.
func FuzzDefaults(f *testing.F) {
	for _, s := range []string{
		"0", "-1.5", "'a'", "('it''s')", "((1))", "now()", "CURRENT_TIMESTAMP(6)", "(curdate())", "uuid()", "NULL", `_utf8mb4\'x\'`,
		"(", ")", "('", "b'101'", "1e5", "true", "0000-00-00", "a || 'b'",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	rules := convert.Rules()
	f.Fuzz(func(t *testing.T, text string, literal bool) {
		in := schema.Expression(text)
		if literal {
			in = schema.Literal(text)
		}
		for _, r := range rules {
			out, findings := convert.LiveColumn(schema.Column{Name: "c", Type: r.Example, Default: in})
			dropped := false
			for _, x := range findings {
				dropped = dropped || x.Code == convert.CodeDefaultDropped
			}
			if dropped && out.Default != (schema.Default{}) {
				t.Errorf("%s: default %q is dropped, and is %+v", r.Source, text, out.Default)
			}
			if literal && !dropped && out.Default.Kind != schema.LiteralDefault {
				t.Errorf("%s: literal default %q is gone without a word", r.Source, text)
			}
		}
	})
}
