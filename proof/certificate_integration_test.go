//go:build integration

package proof

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/verify"
)

// reread reads sides of a result again, which must be possible.
func reread(t *testing.T, past *Result, from, to *place) *Rereading {
	t.Helper()
	var sources [2]*Source
	for i, p := range []*place{from, to} {
		if p != nil {
			s := p.source(t)
			sources[i] = &s
		}
	}
	var told []Event
	r, err := Reread(t.Context(), past, sources[0], sources[1], Options{Jobs: 2, Tool: "test", Events: func(e Event) { told = append(told, e) }})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(told, func(e Event) bool { _, ok := e.(Planned); return ok }) {
		t.Errorf("nothing was said about what is read: %+v", told)
	}
	return r
}

// rereadTable is the result of a table on the only side that was read.
func rereadTable(t *testing.T, r *Rereading, name string) RereadTable {
	t.Helper()
	for _, s := range r.Sides {
		for _, x := range s.Tables {
			if x.Table == name {
				return x
			}
		}
	}
	t.Fatalf("table %q was not read again: %+v", name, r.Sides)
	return RereadTable{}
}

// Each side alone has the fingerprints again that it had when both were
// compared: every type on every pair of engines, and tables in parts.
func TestReread(t *testing.T) {
	for name, pair := range enginePairs(t) {
		t.Run(name, func(t *testing.T) {
			expected, found := newPlace(t, pair[0]), newPlace(t, pair[1])
			columns := slices.DeleteFunc(types(), func(c typed) bool {
				return c.mariadb && (strings.HasPrefix(pair[0], "mysql") || strings.HasPrefix(pair[1], "mysql"))
			})
			for i, p := range []place{expected, found} {
				makeTypes(t, p, columns, i == 1) // what differs is certified too
				makeLarge(t, p)
			}
			past := compared(t, expected, found, Options{part: 300 << 10})
			r := reread(t, past, &expected, &found)
			if r.State != verify.Same || len(r.Sides) != 2 {
				t.Errorf("both sides: %s, %+v", r.State, r.Sides)
			}
			for _, s := range r.Sides {
				if len(s.Tables) != 2 || !s.End.Consistent || len(s.Notices) > 0 {
					t.Errorf("the %s side: %+v", s.Side, s)
				}
			}
			found.exec(t, fmt.Sprintf("UPDATE mdl_large SET n = 8 WHERE id = %d", largeRows/2))
			r = reread(t, past, nil, &found)
			if x := rereadTable(t, r, "mdl_large"); x.State != verify.Different || x.Now.Rows != largeRows || x.Bytes == 0 {
				t.Errorf("a changed row: %+v", x)
			}
			if x := rereadTable(t, r, "mdl_types"); x.State != verify.Same || r.State != verify.Different {
				t.Errorf("the other table: %+v, and in all %s", x, r.State)
			}
			if r = reread(t, past, &expected, nil); r.State != verify.Same || len(r.Sides) != 1 || r.Sides[0].Side != ExpectedSide {
				t.Errorf("the expected side: %+v", r)
			}
		})
	}
}

// What cannot be read as it was certified is unknown, what is gone is a
// difference, and nothing of a certificate becomes a statement.
func TestRereadOfWhatIsOdd(t *testing.T) {
	found := newPlace(t, testdb.Targets()[0])
	makeLarge(t, found)
	// Of a sample the certificate has the parts; this one is of all of them.
	past := compared(t, found, found, Options{part: 300 << 10, Sample: 99.99})
	for _, tc := range []struct {
		name  string
		spoil func(*Form, *verify.TableResult)
		state verify.State
		says  string
	}{
		{"as it was", func(*Form, *verify.TableResult) {}, verify.Same, ""},
		{"another prefix", func(f *Form, _ *verify.TableResult) { f.Found = "MDL_large" }, verify.Same, ""},
		{"a table that is gone", func(f *Form, _ *verify.TableResult) { f.Found = "mdl_gone" }, verify.Different, `no table "mdl_gone"`},
		{"a column that is gone", func(f *Form, _ *verify.TableResult) { f.Columns[1].Found = "w" }, verify.Different, `no column "w"`},
		{"another column", func(f *Form, _ *verify.TableResult) { f.Columns[2].Found = "id" }, verify.Different, ""},
		{"a type that is a statement", func(f *Form, _ *verify.TableResult) { f.Columns[1].Type = "text FROM mdl_large) TO PROGRAM 'false' --" }, verify.Unknown, "no type"},
		{"a type that does not fit", func(f *Form, _ *verify.TableResult) { f.Columns[1].Type = "bigint" }, verify.Unknown, "invalid input syntax"},
		{"a range that is a statement", func(f *Form, _ *verify.TableResult) { f.Parts[0].Upper = "1); DROP TABLE mdl_large; --" }, verify.Unknown, "no range"},
		{"no key", func(f *Form, _ *verify.TableResult) { f.Columns[0].Key = false }, verify.Unknown, "0 columns"},
		{"a range less", func(f *Form, _ *verify.TableResult) { f.Parts = f.Parts[1:] }, verify.Different, ""},
		{"no columns", func(f *Form, _ *verify.TableResult) { f.Columns = nil }, verify.Unknown, "not said"},
		{"not known then", func(_ *Form, r *verify.TableResult) { r.State, r.Problem = verify.Unknown, "lost" }, verify.Unknown, "lost"},
		{"known in part then", func(_ *Form, r *verify.TableResult) { r.State, r.Problem = verify.Different, "lost" }, verify.Unknown, "lost"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			old := *past
			old.Prefix = "mdl_"
			old.Tables, old.Forms = slices.Clone(past.Tables), slices.Clone(past.Forms)
			f := &old.Forms[0]
			f.Columns, f.Parts = slices.Clone(f.Columns), slices.Clone(f.Parts)
			if len(f.Parts) < 2 {
				t.Fatalf("the table was not divided: %+v", f)
			}
			tc.spoil(f, &old.Tables[0])
			r := reread(t, &old, nil, &found)
			if x := r.Sides[0].Tables[0]; x.State != tc.state || !strings.Contains(x.Problem, tc.says) || r.State != tc.state {
				t.Errorf("%s, %s, %q", r.State, x.State, x.Problem)
			}
		})
	}
	if n := tableOf(t, compared(t, found, found, Options{}), "mdl_large").Expected.Rows; n != largeRows {
		t.Errorf("%d rows are left", n)
	}
}

// A table that may not be read is unknown, and the others are read.
func TestRereadWithoutRights(t *testing.T) {
	found := newPlace(t, testdb.Targets()[0])
	found.exec(t, "CREATE TABLE mdl_open (id bigint PRIMARY KEY)", "CREATE TABLE mdl_shut (id bigint PRIMARY KEY)", "INSERT INTO mdl_shut VALUES (1)")
	past := compared(t, found, found, Options{})
	const role = "certificate_reader"
	reader := found
	reader.url = found.server.Role(t, role, found.url)
	found.exec(t, "GRANT SELECT ON mdl_open TO "+role)
	r := reread(t, past, nil, &reader)
	if x := rereadTable(t, r, "mdl_shut"); x.State != verify.Unknown || !strings.Contains(x.Problem, "GRANT SELECT ON") {
		t.Errorf("%+v", x)
	}
	if x := rereadTable(t, r, "mdl_open"); x.State != verify.Same || r.State != verify.Unknown {
		t.Errorf("%+v, in all %s", x, r.State)
	}
}
