package proof

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// column makes a column of a type as a server spells it.
func column(raw string) *schema.Column {
	name, rest, _ := strings.Cut(raw, "(")
	args, after, _ := strings.Cut(rest, ")")
	t := parseType(name + "(" + args + ")")
	t.Name, t.Raw = name+after, raw
	if strings.Contains(raw, "unsigned") {
		t.Name, t.Unsigned = strings.Fields(raw)[0], true
	}
	if t.Name == "decimal" {
		t.Precision, t.Scale = parseType("numeric("+args+")").Precision, parseType("numeric("+args+")").Scale
	}
	return &schema.Column{Name: "c", Type: t}
}

func TestCommonType(t *testing.T) {
	const my, pg = schema.MySQL, schema.Postgres
	tests := []struct {
		expected schema.Engine
		e        string
		found    schema.Engine
		f        string
		want     string // empty for none
	}{
		{my, "int", pg, "bigint", "bigint"},
		{my, "tinyint", pg, "boolean", "boolean"},
		{my, "varchar(10)", pg, "character varying(255)", "text"},
		{my, "char(10)", pg, "character(10)", "bpchar"},
		{my, "decimal(10,5)", pg, "numeric(10,5)", "numeric(10,5)"},
		{my, "decimal(10,5)", pg, "numeric", "numeric"},
		{my, "varchar(10)", pg, "public.mood", "text"},
		{my, "bit(8)", pg, "bit(8)", "bit(8)"},
		{my, "bit(8)", pg, "bit(9)", ""},
		{my, "geometry", pg, "date", ""},
		{my, "datetime", pg, "timestamp with time zone", ""},
		{pg, "jsonb", my, "longtext", "jsonb"},

		{pg, "bigint", pg, "bigint", "bigint"},
		{pg, "smallint", pg, "bigint", "bigint"},
		{pg, "numeric(20,0)", pg, "bigint", "numeric"},
		{pg, "numeric(10,5)", pg, "numeric(10,5)", "numeric(10,5)"},
		{pg, "numeric(10,5)", pg, "numeric(12,6)", "numeric"},
		{pg, "real", pg, "double precision", "double precision"},
		{pg, "character varying(5)", pg, "text", "text"},
		{pg, "character(5)", pg, "text", "bpchar"},
		{pg, "public.citext", pg, "text", "text"},
		{pg, "public.mood", pg, "public.mood", "text"},
		{pg, "public.mood", pg, "text", "text"},
		{pg, "json", pg, "jsonb", "jsonb"},
		{pg, "integer[]", pg, "integer[]", "integer[]"},
		{pg, "numeric[]", pg, "numeric[]", "text"},
		{pg, "tsvector", pg, "tsvector", "text"},
		{pg, "boolean", pg, "smallint", "smallint"},
		{pg, "date", pg, "timestamp without time zone", "timestamp without time zone"},
		{pg, "bytea", pg, "text", ""},
		{pg, "interval", pg, "time without time zone", ""},

		{my, "int", my, "bigint", "bigint"},
		{my, "bigint unsigned", my, "int", "numeric(20,0)"},
		{my, "decimal(10,5)", my, "decimal(10,5)", "numeric(10,5)"},
		{my, "decimal(10,5)", my, "decimal(10,2)", "numeric"},
		{my, "float", my, "double", "double precision"},
		{my, "varchar(10)", my, "longtext", "text"},
		{my, "json", my, "longtext", "jsonb"},
		{my, "datetime", my, "timestamp", "timestamp without time zone"},
		{my, "time", my, "time", "interval"},
		{my, "bit(8)", my, "bit(8)", "numeric"},
		{my, "blob", my, "varbinary(5)", "bytea"},
		{my, "uuid", my, "uuid", "text"},
		{my, "uuid", my, "inet6", ""},
		{my, "date", my, "blob", ""},
		{my, "enum", my, "varchar(5)", "text"},
	}
	for _, tt := range tests {
		got, err := commonType(column(tt.e), column(tt.f), tt.expected, tt.found)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s %s and %s %s: %q, %v, want %q", tt.expected, tt.e, tt.found, tt.f, got, err, tt.want)
		}
		if err != nil {
			continue
		}
		for engine, c := range map[schema.Engine]*schema.Column{tt.expected: column(tt.e), tt.found: column(tt.f)} {
			if _, err := fieldOf(engine, c, got); err != nil {
				t.Errorf("%s gives no %s for %s: %v", engine, got, c.Type.Raw, err)
			}
		}
	}
}

func TestPostgresExpression(t *testing.T) {
	for raw, want := range map[string]string{
		"bigint text": `"c"::text`, "integer bigint": `"c"::bigint`, "boolean smallint": `"c"::integer::smallint`,
		"text text": `"c"`, "varchar bpchar": `"c"::bpchar`, "numeric(10,2) numeric": `"c"`, "character(5) bpchar": `"c"`,
	} {
		typ, common, _ := strings.Cut(raw, " ")
		if got := postgresField(column(typ), common).expression; got != want {
			t.Errorf("%s as %s: %s, want %s", typ, common, got, want)
		}
	}
}

// A value that is refused gives a field that no value of the type gives, and that tells the value.
func TestUnfit(t *testing.T) {
	encode := unfit(func(dst, src []byte) ([]byte, error) {
		if len(src) > 3 {
			return append(dst, "half of it"...), errors.New("refused")
		}
		return append(dst, src...), nil
	})
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "value")
		out, err := encode([]byte("before"), src)
		field, ok := bytes.CutPrefix(out, []byte("before"))
		if err != nil || !ok {
			t.Fatalf("%q, %v", out, err)
		}
		if len(src) <= 3 {
			if !bytes.Equal(field, src) {
				t.Errorf("%q, want %q", field, src)
			}
			return
		}
		if !bytes.Equal(field, append([]byte(unfitMark), src...)) {
			t.Errorf("%q of %q", field, src)
		}
		if len(field) > len(src)+convert.MaxGrowth {
			t.Errorf("%d bytes of %d", len(field), len(src))
		}
		if shown := render("bigint")(field, int64(len(field))); !strings.HasPrefix(shown, convert.Printable(src)) || !strings.Contains(shown, "bigint") {
			t.Errorf("shown as %s", shown)
		}
	})
	for _, zero := range []string{"0000-00-00 00:00:00", "0000-00-00 00:00:00.000000", "0000-00-00"} {
		if out, _ := encode(nil, []byte(zero)); string(out) != unfitMark+"0000-00-00" {
			t.Errorf("%s gives %q", zero, out)
		}
	}
}

func TestCanonicalNumeric(t *testing.T) {
	encode := func(text string) string {
		f, err := mysqlField(column("decimal(38,10)"), "numeric")
		if err != nil {
			t.Fatal(err)
		}
		out, err := f.rule.Encode(nil, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		out, err = canonicalNumeric([]byte("x"), out)
		if err != nil || out[0] != 'x' {
			t.Fatal(out, err)
		}
		return string(out[1:])
	}
	for _, same := range [][2]string{{"1.5", "1.5000"}, {"0", "0.00"}, {"-10000", "-10000.0"}, {"1", "01"}} {
		if encode(same[0]) != encode(same[1]) {
			t.Errorf("%s is not %s", same[0], same[1])
		}
	}
	for _, other := range [][2]string{{"1.5", "1.51"}, {"0", "1"}, {"1", "-1"}, {"10000", "1"}} {
		if encode(other[0]) == encode(other[1]) {
			t.Errorf("%s is %s", other[0], other[1])
		}
	}
	for _, odd := range []string{"", "short", unfitMark + "12"} {
		if out, err := canonicalNumeric(nil, []byte(odd)); err != nil || string(out) != odd {
			t.Errorf("%q becomes %q: %v", odd, out, err)
		}
	}
}

func TestSince(t *testing.T) {
	parts := []verify.Part{{Upper: "10"}, {Lower: "10", Upper: "20"}, {Lower: "20"}}
	for id, want := range map[int64]string{
		0:  "the rows below 10; the rows from 10 to below 20; the rows from 20",
		5:  "the rows from 5 to below 10; the rows from 10 to below 20; the rows from 20",
		10: "the rows from 10 to below 20; the rows from 20",
		99: "the rows from 99",
	} {
		var got []string
		for _, p := range since(append([]verify.Part{}, parts...), id) {
			got = append(got, p.String())
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("since %d: %s, want %s", id, text, want)
		}
	}
}

// A sample has its share of the parts, at least one, each once and in their order, and is the same for the same seed.
func TestSample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "parts")
		parts := make([]verify.Part, n)
		for i := range parts {
			parts[i].Rows = int64(i)
		}
		o := Options{Sample: rapid.Float64Range(0.01, 100).Draw(t, "percent"), Seed: rapid.Uint64().Draw(t, "seed")}
		got := o.sample("mdl_log", parts)
		if want := float64(n) * o.Sample / 100; len(got) == 0 || len(got) > 1 && (float64(len(got)) > want+1 || float64(len(got)) < want-1) {
			t.Fatalf("%d of %d parts are %g %%", len(got), n, o.Sample)
		}
		again := o.sample("mdl_log", parts)
		for i := range got {
			if i > 0 && got[i].Rows <= got[i-1].Rows || got[i] != again[i] {
				t.Fatalf("%v, then %v", got, again)
			}
		}
	})
}

func TestWrongOptions(t *testing.T) {
	for _, o := range []Options{{Sample: 101}, {Sample: -1}, {Jobs: -1}, {Memory: -1}, {Memory: 1}, {Memory: MinMemory - 1}, {SinceID: -1}, {Snapshot: "soon"}, {Include: []string{"[a"}}, {Exclude: []string{""}}} {
		if _, err := o.withDefaults(); !errors.Is(err, ErrUsage) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
