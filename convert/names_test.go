package convert

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSequenceName(t *testing.T) {
	for _, tc := range []struct {
		name, table, column, want string
	}{
		{"short", "mdl_user", "id", "mdl_user_id_seq"},
		{"just fits", strings.Repeat("t", 56), "id", strings.Repeat("t", 56) + "_id_seq"},
		{"long table", strings.Repeat("t", 60), "id", strings.Repeat("t", 56) + "_id_seq"},
		{"long column", "t", strings.Repeat("c", 63), "t_" + strings.Repeat("c", 57) + "_seq"},
		{"both long", strings.Repeat("t", 63), strings.Repeat("c", 63), strings.Repeat("t", 29) + "_" + strings.Repeat("c", 29) + "_seq"},
		{"characters stay whole", strings.Repeat("é", 31), "id", strings.Repeat("é", 28) + "_id_seq"},
		{"characters stay whole, odd", "x" + strings.Repeat("é", 31), "id", "x" + strings.Repeat("é", 27) + "_id_seq"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := SequenceName(tc.table, tc.column); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

func TestNamespaceNumbersNames(t *testing.T) {
	ns := newNamespace(func(name string) bool { return name == "t_c_seq" })
	for _, want := range []string{"t_c_seq1", "t_c_seq2"} {
		if got := ns.object("t", "c", "seq"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func FuzzObjectName(f *testing.F) {
	f.Add("mdl_user", "id", "seq")
	f.Add(strings.Repeat("é", 40), strings.Repeat("中", 30), "check1")
	f.Fuzz(func(t *testing.T, table, column, label string) {
		if !utf8.ValidString(table) || !utf8.ValidString(column) || !utf8.ValidString(label) || len(label) > 20 {
			return
		}
		name := objectName(table, column, label)
		if len(name) > maxIdentifier || !utf8.ValidString(name) || !strings.HasSuffix(name, "_"+label) {
			t.Errorf("objectName(%q, %q, %q) = %q", table, column, label, name)
		}
		if len(table)+len(column)+len(label) < maxIdentifier-3 && !strings.HasPrefix(name, table) {
			t.Errorf("objectName(%q, %q, %q) = %q cuts without need", table, column, label, name)
		}
	})
}

func FuzzNumberText(f *testing.F) {
	for _, s := range []string{"0", "-0.50", "+007", ".5", "5.", "-", "", "1e5", "--1", "0x1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		number, ok := numberText(s)
		if !ok {
			return
		}
		again, ok := numberText(number)
		if !ok || again != number {
			t.Errorf("numberText(%q) = %q, and of that %q, %v", s, number, again, ok)
		}
		if !readsAs(t, number, s) {
			t.Errorf("numberText(%q) = %q is another number", s, number)
		}
	})
}
