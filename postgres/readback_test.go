package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDividePages(t *testing.T) {
	for _, c := range []struct {
		pages int64
		n     int
		want  []Pages
	}{
		{0, 3, []Pages{{}}},
		{1, 3, []Pages{{}}},
		{10, 0, []Pages{{}}},
		{10, 1, []Pages{{}}},
		{10, 3, []Pages{{0, 3}, {3, 6}, {6, 0}}},
		{2, 5, []Pages{{0, 1}, {1, 0}}},
	} {
		if diff := cmp.Diff(c.want, DividePages(c.pages, c.n)); diff != "" {
			t.Errorf("%d pages in %d parts (-want +got):\n%s", c.pages, c.n, diff)
		}
	}
}

func TestReadBackStatements(t *testing.T) {
	columns := []string{"id", `a"b`}
	for _, c := range []struct{ got, want string }{
		{ReadBackStatement("s", "T", columns), `COPY "s"."T" ("id", "a""b") TO STDOUT (FORMAT binary)`},
		{ReadBackPart("s", "T", columns, Pages{}), `COPY (SELECT "id", "a""b" FROM "s"."T") TO STDOUT (FORMAT binary)`},
		{ReadBackPart("s", "T", columns, Pages{To: 7}), `COPY (SELECT "id", "a""b" FROM "s"."T" WHERE ctid < '(7,0)') TO STDOUT (FORMAT binary)`},
		{ReadBackPart("s", "T", columns, Pages{7, 9}), `COPY (SELECT "id", "a""b" FROM "s"."T" WHERE ctid >= '(7,0)' AND ctid < '(9,0)') TO STDOUT (FORMAT binary)`},
		{ReadBackRange("s", "T", columns, "id", "", ""), `COPY (SELECT "id", "a""b" FROM "s"."T") TO STDOUT (FORMAT binary)`},
		{ReadBackRange("s", "T", columns, `a"b`, "-1", "7"), `COPY (SELECT "id", "a""b" FROM "s"."T" WHERE "a""b" >= -1 AND "a""b" < 7) TO STDOUT (FORMAT binary)`},
		{ReadBackPart("s", "T", columns, Pages{From: 9}), `COPY (SELECT "id", "a""b" FROM "s"."T" WHERE ctid >= '(9,0)') TO STDOUT (FORMAT binary)`},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
