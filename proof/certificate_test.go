package proof

import (
	"testing"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// Types come from a file that anybody may have written, and get into SQL.
func TestTypesOfCertificates(t *testing.T) {
	for typ, want := range map[string]bool{
		"bigint": true, "text": true, "bpchar": true, "numeric": true, "numeric(20,0)": true, "numeric(5,-2)": true, "numeric(10)": true, "bit(10)": true,
		"timestamp without time zone": true, "double precision": true, "integer[]": true, "jsonb": true,
		"": false, "oid": false, "TEXT": false, "text ": false, "text;": false, "text) TO PROGRAM 'true'": false, "bit(1": false, "bit(x)": false,
		"numeric(1,2); SELECT 1": false, "numeric(1,2)\n": false, "citext": false, `"Text"`: false, "text)[]": false, "bit(10)[]": false,
	} {
		if got := comparesIn(typ); got != want {
			t.Errorf("comparesIn(%q) = %v", typ, got)
		}
	}
}

// Each type that columns are compared in is one that a certificate may have.
func TestCommonTypesAreCertified(t *testing.T) {
	for _, family := range families() {
		for _, name := range family {
			if !comparesIn(name) {
				t.Errorf("%q is compared in, and cannot be certified", name)
			}
		}
	}
	mysqlTypes := []string{
		"tinyint", "int", "bigint", "year", "decimal", "bit", "float", "double", "char", "varchar", "longtext", "enum", "set", "json",
		"binary", "longblob", "geometry", "date", "datetime", "timestamp", "time", "inet6",
	}
	for _, a := range mysqlTypes {
		for _, b := range mysqlTypes {
			e, f := schema.Column{Name: "x", Type: schema.Type{Name: a}}, schema.Column{Name: "x", Type: schema.Type{Name: b}}
			if typ, err := commonType(&e, &f, schema.MySQL, schema.MariaDB); err == nil && !comparesIn(typ) {
				t.Errorf("%s and %s are compared in %q, which cannot be certified", a, b, typ)
			}
		}
	}
}

func TestRangesOfCertificates(t *testing.T) {
	table := schema.Table{Name: "mdl_x", Columns: []schema.Column{{Name: "id"}, {Name: "other"}}}
	for _, tc := range []struct {
		name         string
		keys         int
		lower, upper string
		ok           bool
	}{
		{"whole numbers", 1, "-5", "18446744073709551615", true},
		{"open ends", 1, "", "", true},
		{"a statement", 1, "1; DROP TABLE mdl_x", "", false},
		{"a line break", 1, "1\n", "", false},
		{"a fraction", 1, "", "1.5", false},
		{"a column", 1, "", "other", false},
		{"no key", 0, "", "5", false},
		{"two keys", 2, "", "5", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &pair{found: half{table: &table, fields: []field{{column: "id"}, {column: "other"}}}}
			p.Columns = []verify.Column{{Name: "id", Key: tc.keys > 0}, {Name: "other", Key: tc.keys > 1}}
			err := p.divideAs(&Form{Parts: []verify.Part{{Lower: tc.lower, Upper: tc.upper}}}, FoundSide)
			if (err == nil) != tc.ok {
				t.Errorf("error %v, want ok %v", err, tc.ok)
			}
			if err == nil && (len(p.Parts) != 1 || p.Parts[0].Lower != tc.lower || p.keyOf(FoundSide) != "id") {
				t.Errorf("%+v, key %q", p.Parts, p.keyOf(FoundSide))
			}
		})
	}
}
