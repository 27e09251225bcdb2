package convert_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
)

// canon is the canonical form of a field of a type.
func canon(t rapid.TB, typ, field string) string {
	t.Helper()
	out, err := convert.Canonical(schema.Type{Name: typ})(nil, []byte(field))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestCanonicalCharacter(t *testing.T) {
	for _, same := range [][2]string{{"ab", "ab   "}, {"", "   "}, {" a b", " a b "}} {
		if canon(t, "character", same[0]) != canon(t, "character", same[1]) {
			t.Errorf("%q and %q differ", same[0], same[1])
		}
	}
	for _, other := range [][2]string{{"ab", "AB"}, {"ab", " ab"}, {"ab", "ab\t"}} {
		if canon(t, "character", other[0]) == canon(t, "character", other[1]) {
			t.Errorf("%q and %q are one", other[0], other[1])
		}
	}
}

func TestCanonicalJSONB(t *testing.T) {
	for _, same := range [][2]string{
		{`{"a":1,"b":[1,2]}`, ` { "b" : [1, 2], "a": 1 }`},
		{`{"a":1,"a":2}`, `{"a": 2}`},
		{`{"a":{"x":1},"a":{"y":2}}`, `{"a": {"y": 2}}`},
		{`{"\u0061":1}`, `{"a": 1}`},
		{`"\ud83d\ude00\/"`, `"` + "\U0001F600/" + `"`},
		{`[1e2, 1.0E-2, -0, 0.0, 1e+0]`, `[100, 0.010, 0, 0, 1.0]`},
		{`12345678901234567890123456789.5000`, `12345678901234567890123456789.5`},
		{`1e400`, "1" + strings.Repeat("0", 400)},
		{`null`, ` null `},
	} {
		if a, b := canon(t, "jsonb", "\x01"+same[0]), canon(t, "jsonb", "\x01"+same[1]); a != b {
			t.Errorf("%s and %s differ: %q and %q", same[0], same[1], a, b)
		}
	}
	for _, other := range [][2]string{
		{`{"a":1}`, `{"A":1}`},
		{`[1,2]`, `[2,1]`},
		{`[1,[2]]`, `[[1],2]`},
		{`"1"`, `1`},
		{`"null"`, `null`},
		{`[]`, `{}`},
		{`1`, `-1`},
		{`1`, `10`},
		{`1.5`, `15`},
		{`"a "`, `"a"`},
		{`true`, `false`},
		{`9007199254740993`, `9007199254740992`},
		{`{"a":null}`, `{}`},
		{`{"a":"b\",\"c\":\"d"}`, `{"a":"b","c":"d"}`},
	} {
		if a, b := canon(t, "jsonb", "\x01"+other[0]), canon(t, "jsonb", "\x01"+other[1]); a == b {
			t.Errorf("%s and %s are one: %q", other[0], other[1], a)
		}
	}
	for _, broken := range []string{"", "\x02{}", "\x01", "\x01{", "\x01{} {}", "\x01nope"} {
		if got := canon(t, "jsonb", broken); got != broken {
			t.Errorf("%q became %q", broken, got)
		}
	}
}

// document draws a JSON value, with the text of numbers kept.
func document(t *rapid.T, depth int) any {
	kinds := 5
	if depth == 0 {
		kinds = 3
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return rapid.String().Draw(t, "text")
	case 1:
		return json.Number(fmt.Sprintf("%d.%0*d", rapid.Int64().Draw(t, "whole"), 3, rapid.IntRange(0, 999).Draw(t, "fraction")))
	case 2:
		return rapid.Bool().Draw(t, "bool")
	case 3:
		list := make([]any, rapid.IntRange(0, 4).Draw(t, "length"))
		for i := range list {
			list[i] = document(t, depth-1)
		}
		return list
	default:
		object := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "keys") {
			object[rapid.String().Draw(t, "key")] = document(t, depth-1)
		}
		return object
	}
}

// TestCanonicalJSONBOfAnything: blanks and escapes do not count, and the canonical form tells documents apart.
func TestCanonicalJSONBOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		encode := func(v any, indent string) string {
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(indent == "")
			e.SetIndent("", indent)
			if err := e.Encode(v); err != nil {
				t.Fatal(err)
			}
			return "\x01" + b.String()
		}
		a, b := document(t, 3), document(t, 3)
		if canon(t, "jsonb", encode(a, "")) != canon(t, "jsonb", encode(a, "  ")) {
			t.Errorf("%v: the form depends on blanks", a)
		}
		same := encode(a, "") == encode(b, "")
		if (canon(t, "jsonb", encode(a, "")) == canon(t, "jsonb", encode(b, ""))) != same {
			t.Errorf("%v and %v: the same %v", a, b, same)
		}
	})
}

func TestMostTypesNeedNoCanon(t *testing.T) {
	for _, name := range []string{"bigint", "numeric", "text", "character varying", "json", "bytea", "double precision", "timestamp with time zone"} {
		if convert.Canonical(schema.Type{Name: name}) != nil {
			t.Errorf("%s has a canonical form of its own", name)
		}
	}
}
