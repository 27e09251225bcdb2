package diff

import (
	"strings"
	"testing"

	"github.com/moodledb/moodledb/schema"
)

func TestTypes(t *testing.T) {
	typ := func(name string) schema.Type { return schema.Type{Name: name, Raw: name} }
	sized := func(name string, n int64) schema.Type { return schema.Type{Name: name, Length: n} }
	digits := func(name string, p, s int) schema.Type { return schema.Type{Name: name, Precision: p, Scale: s} }
	both := func(name string, c func(schema.Engine) schema.Type) func(*schema.Schema) {
		return func(h *schema.Schema) { typed(name, c(h.Engine))(h) }
	}
	native := func(name string, n int64) func(schema.Engine) schema.Type {
		return func(e schema.Engine) schema.Type { return siteType(e, name, n) }
	}
	dec := func(p, s int) func(schema.Engine) schema.Type {
		return func(e schema.Engine) schema.Type { return digits(siteType(e, "decimal", 0).Name, p, s) }
	}
	runSite(t, []siteCase{
		{name: "display width", engines: onMySQL, change: typed("wide", schema.Type{Name: "bigint", Width: 20, Raw: "bigint(20)"})},
		{name: "narrow", change: both("wide", native("int", 0)), want: one("error column-integer-narrow probe wide")},
		{name: "wide", change: both("amount", native("bigint", 0)), want: one("info column-integer-wide probe amount")},
		{name: "unsigned", engines: onMySQL, change: typed("wide", schema.Type{Name: "bigint", Unsigned: true}), want: one("warning column-unsigned probe wide")},
		{name: "zerofill is one change", engines: onMySQL, change: typed("wide", schema.Type{Name: "bigint", Unsigned: true, Zerofill: true}), want: one("warning column-unsigned probe wide")},
		{name: "narrow and unsigned", engines: onMySQL, change: typed("wide", schema.Type{Name: "int", Unsigned: true}), want: []string{"error column-integer-narrow probe wide", "warning column-unsigned probe wide"}},
		{name: "decimal for integer", change: both("wide", dec(20, 0)), want: one("error column-type probe wide")},
		{name: "integer for decimal", change: both("grade", native("bigint", 0)), want: one("error column-type probe grade")},
		{name: "varchar for integer", change: both("wide", native("varchar", 20)), want: one("error column-type probe wide")},
		{name: "bit, which Moodle knows", engines: onMySQL, change: typed("flag", sized("bit", 1)), want: one("error column-type probe flag")},
		{name: "boolean", engines: onPostgres, change: func(h *schema.Schema) {
			typed("flag", typ("boolean"))(h)
			col(h, "flag").Default = schema.Literal("false")
		}, want: one("error column-type-unknown probe flag")},
		{name: "char for integer", engines: onPostgres, change: typed("wide", sized("character", 5)), want: one("error column-type-unknown probe wide")},
		{name: "json", change: typed("note", typ("json")), want: one("error column-type-unknown probe note")},
		{name: "geometry", engines: onMySQL, change: typed("note", typ("point")), want: one("error column-type-unknown probe note")},
		{name: "domain", engines: onPostgres, change: typed("short", typ("public.shorttext")), want: one("error column-type-unknown probe short")},
		{name: "array", engines: onPostgres, change: typed("short", typ("character varying[]")), want: one("error column-type-unknown probe short")},
		{name: "the type char in quotes", engines: onPostgres, change: typed("short", typ(`"char"`)), want: one("error column-type-unknown probe short")},
		{name: "time for integer", change: both("wide", native("datetime", 0)), want: one("error column-type-unknown probe wide")},
		{name: "integer for time", change: both("moment", native("bigint", 0)), want: one("error column-type probe moment")},
		{name: "time zone", engines: onPostgres, change: typed("moment", typ("timestamp with time zone")), want: one("error column-type probe moment")},
		{name: "whole seconds", engines: onPostgres, change: typed("moment", schema.Type{Name: "timestamp without time zone", Raw: "timestamp(0) without time zone"}), want: one("error column-type probe moment")},
		{name: "short", change: both("name", native("varchar", 100)), want: one("error column-length-short probe name")},
		{name: "long", change: both("short", native("varchar", 60)), want: one("warning column-length-long probe short")},
		{name: "without limit", engines: onPostgres, change: typed("short", typ("character varying")), want: one("warning column-length-long probe short")},
		{name: "varchar of no length", engines: onMySQL, change: typed("short", schema.Type{Name: "varchar", Raw: "varchar(0)"}), want: one("error column-length-short probe short")},
		{name: "char", change: func(h *schema.Schema) {
			c := col(h, "short")
			c.Type.Name = map[bool]string{true: "char", false: "character"}[h.Engine.IsMySQL()]
		}, want: one("warning column-not-varchar probe short")},
		{name: "shorter char", engines: onMySQL, change: func(h *schema.Schema) { col(h, "short").Type = sized("char", 10) }, want: one("error column-not-varchar probe short")},
		{name: "text", change: both("short", native("text", 0)), want: one("warning column-not-varchar probe short")},
		{name: "tinytext may hold 63 characters", engines: onMySQL, change: func(h *schema.Schema) {
			typed("name", typ("tinytext"))(h)
			col(h, "name").Default = schema.Default{}
		}, want: one("error column-not-varchar probe name")},
		{name: "enum", engines: onMySQL, change: typed("state", schema.Type{Name: "enum", Values: []string{"new", "old"}}), want: one("error column-not-varchar probe state")},
		{name: "set", engines: onMySQL, change: typed("short", schema.Type{Name: "set", Values: []string{"new"}}), want: one("error column-not-varchar probe short")},
		{name: "binary", change: both("short", native("longblob", 0)), want: one("error column-not-varchar probe short")},
		{name: "small text", engines: onMySQL, change: typed("note", typ("mediumtext")), want: one("error column-text-small probe note")},
		{name: "varchar for text", change: both("note", native("varchar", 500)), want: one("error column-text-small probe note")},
		{name: "boundless varchar for text", engines: onPostgres, change: typed("note", typ("character varying")), want: one("warning column-type probe note")},
		{name: "small blob", engines: onMySQL, change: typed("data", sized("varbinary", 255)), want: one("error column-text-small probe data")},
		{name: "blob for text", change: both("note", native("longblob", 0)), want: one("error column-type probe note")},
		{name: "fewer whole digits", change: both("grade", dec(9, 5)), want: one("error column-decimal-narrow probe grade")},
		{name: "fewer decimals", change: both("grade", dec(12, 2)), want: one("error column-decimal-narrow probe grade")},
		{name: "more digits", change: both("grade", dec(12, 5)), want: one("warning column-decimal-wide probe grade")},
		{name: "no digits", engines: onPostgres, change: typed("grade", typ("numeric")), want: one("warning column-decimal-wide probe grade")},
		{name: "negative scale", engines: onPostgres, change: typed("grade", digits("numeric", 5, -2)), want: one("error column-decimal-narrow probe grade")},
		{name: "decimal of MySQL's own digits", engines: onMySQL, change: typed("grade", typ("decimal")), want: one("error column-decimal-narrow probe grade")},
		{name: "single precision", change: both("ratio", native("float", 0)), want: one("error column-floating probe ratio")},
		{name: "double precision", change: both("rate", native("double", 0)), want: one("warning column-floating probe rate")},
		{name: "float for decimal", change: both("grade", native("double", 0)), want: one("error column-floating probe grade")},
		{name: "decimal for float", change: both("ratio", dec(20, 10)), want: one("error column-floating probe ratio")},
		{name: "boundless decimal for float", engines: onPostgres, change: typed("ratio", typ("numeric")), want: one("warning column-floating probe ratio")},
		{name: "rounding double", engines: onMySQL, change: typed("ratio", digits("double", 11, 4)), want: one("warning column-floating probe ratio")},
	})
}

// One server's words for a type that both have are no difference.
func TestTypesOfTwoServers(t *testing.T) {
	d := newDiffer(siteSchema(schema.MySQL), siteSchema(schema.MySQL), Options{})
	for _, tc := range []struct{ name, a, b string }{
		{"json", "json", "longtext"},
		{"geometrycollection", "geomcollection", "geometrycollection"},
		{"year", "year", "year(4)"},
	} {
		w, h := schema.Type{Name: tc.name, Raw: tc.a}, schema.Type{Name: tc.name, Raw: tc.b}
		if got := d.compareTypes(w, h); len(got) != 0 {
			t.Errorf("%s and %s: %+v", tc.a, tc.b, got)
		}
	}
}

// Any two types can be compared, and each is like itself.
func TestAnyTypes(t *testing.T) {
	for _, engine := range allEngines {
		d := newDiffer(siteSchema(engine), siteSchema(engine), Options{})
		types := []schema.Type{
			{},
			{Name: "json", Raw: "json"},
			{Name: "public.citext", Raw: "public.citext"},
			{Name: "vector", Length: 3, Raw: "vector(3)"},
			{Name: "geometry", Raw: "geometry(Point,4326)"},
			{Name: "text[]", Raw: "text[]"},
			{Name: "hstore", Raw: "hstore("},
			{Name: "enum"},
			{Name: "enum", Values: []string{"a"}, Raw: "enum('a')"},
			{Name: "numeric", Precision: 2, Scale: 5},
			{Name: "bit", Length: 64},
			{Name: "timestamp without time zone", Raw: "timestamp(3) without time zone", Precision: 3},
		}
		for _, r := range append(mysqlTypes(), postgresTypes()...) {
			types = append(types, schema.Type{Name: r.name, Raw: r.name}, schema.Type{Name: r.name, Length: 7, Precision: 7, Scale: 2})
		}
		for i, a := range types {
			for j, b := range types {
				found := d.compareTypes(a, b)
				if i == j && len(found) != 0 {
					t.Errorf("%s: %+v differs from itself: %+v", engine, a, found)
				}
				for _, m := range found {
					if m.message == "" || strings.Contains(m.message, "%!") {
						t.Errorf("%s: %+v and %+v: %+v", engine, a, b, m)
					}
				}
			}
		}
	}
}
