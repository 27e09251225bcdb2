package xmldb

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadVersion(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      codeVersion
	}{
		{"Moodle", "<?php\n$version  = 2024100705.00;\n$release = '4.5.5 (Build: 20250609)';\n$branch = '405';", codeVersion{version: "2024100705", release: "4.5.5 (Build: 20250609)", branch: 405}},
		{"increment", "<?php $version = 2022112810.04; $branch = 401;", codeVersion{version: "2022112810.04", branch: 401}},
		{"increment that ends with zero", "<?php $version = 2022112810.10;", codeVersion{version: "2022112810.1"}},
		{"comments", "<?php // $version = 1;\n# $version = 2;\n/* $version = 3; */ $version = 4;", codeVersion{version: "4"}},
		{"outside of PHP", "$version = 1; <?php $version = 2; ?> $version = 3;", codeVersion{version: "2"}},
		{"comparison", "<?php if ($version == 5) {} $version = 6;", codeVersion{version: "6"}},
		{
			"Totara", "<?php $version = 2013051403.00; $branch = '25'; $TOTARA = new stdClass(); $TOTARA->version = '2.5.2'; $TOTARA->build = '20131126.00';",
			codeVersion{version: "2013051403", release: "2.5.2 (Build: 20131126.00)", branch: 205, totara: true},
		},
		{"Totara 13.1", "<?php $TOTARA = new stdClass(); $TOTARA->version = '13.1';", codeVersion{release: "13.1", branch: 1301, totara: true}},
		{"Totara of no number", "<?php $TOTARA = new stdClass(); $TOTARA->version = 'evergreen';", codeVersion{release: "evergreen", totara: true}},
		{"computed", "<?php\n\n$version = 2000 + 24;\n$branch = BRANCH;", codeVersion{unread: []unreadSetting{{"$version", 3}, {"$branch", 4}}}},
		{"empty", "", codeVersion{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := readVersion(tt.src)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(codeVersion{}, unreadSetting{})); diff != "" {
				t.Errorf("version (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadSubpluginsPHP(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      []namedPath
		err       string
	}{
		{name: "array()", src: "<?php\ndefined('X') || die();\n$subplugins = array('b' => 'mod/b', \"a\"=>\"mod/a\",);", want: []namedPath{{"b", "mod/b"}, {"a", "mod/a"}}},
		{name: "brackets", src: "<?php $subplugins = ['a' => 'mod/a'];", want: []namedPath{{"a", "mod/a"}}},
		{name: "empty", src: "<?php $subplugins = [];"},
		{name: "concatenation", src: "<?php $subplugins = ['a' . 'b' => 'mod' . '/' . 'a'];", want: []namedPath{{"ab", "mod/a"}}},
		{name: "element by element", src: "<?php $subplugins = array(); $subplugins['a'] = 'mod/a'; $subplugins['a'] = 'mod/x';", want: []namedPath{{"a", "mod/x"}}},
		{name: "key twice keeps its place", src: "<?php $subplugins = ['a' => '1', 'b' => '2', 'a' => '3'];", want: []namedPath{{"a", "3"}, {"b", "2"}}},
		{name: "escapes", src: `<?php $subplugins = ['a' => 'it\'s', "b" => "\$x\"\n"];`, want: []namedPath{{"a", "it's"}, {"b", "$x\"\n"}}},
		{name: "comments inside", src: "<?php $subplugins = [ // one\n 'a' => 'mod/a', /* 'b' => 'x', */\n # three\n];", want: []namedPath{{"a", "mod/a"}}},
		{name: "a string that looks like an assignment", src: `<?php $x = '$subplugins = 1;'; $subplugins = ['a' => 'b'];`, want: []namedPath{{"a", "b"}}},
		{name: "other variables", src: "<?php $other = compute(); function f() { return 1; } $subplugins = ['a' => 'b'];", want: []namedPath{{"a", "b"}}},
		{name: "function call", src: "<?php\n$subplugins = json_decode('x');", err: "line 2: found json_decode where a literal array is needed"},
		{name: "cast", src: "<?php\n\n$subplugins = (array) json_decode('x');", err: "line 3: found ( where a literal array is needed"},
		{name: "variable", src: "<?php $subplugins = ['a' => $dir . '/x'];", err: "line 1: found $dir where a literal string is needed"},
		{name: "interpolation", src: `<?php $subplugins = ['a' => "$dir/x"];`, err: "found a string with variables in it"},
		{name: "heredoc", src: "<?php $subplugins = ['a' => <<<X\nfoo\nX];", err: "found a string with variables in it"},
		{name: "no key", src: "<?php $subplugins = ['a'];", err: "has no key"},
		{name: "in a block", src: "<?php if ($x) {\n$subplugins = ['a' => 'b'];\n}", err: "line 2: $subplugins is changed inside of a block"},
		{name: "handed to a function", src: "<?php add($subplugins);", err: "found ) where an assignment to $subplugins is needed"},
		{name: "continued", src: "<?php $subplugins = ['a' => 'b'] + more();", err: "found + where a semicolon is needed"},
		{name: "cut off", src: "<?php $subplugins = ['a' => 'b'", err: "found the end of the file where a comma or ] is needed"},
		{name: "string not closed", src: "<?php $subplugins = ['a' => 'b", err: "found a string with variables in it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readSubpluginsPHP(tt.src)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error = %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("subplugins (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeMaps(t *testing.T) {
	got, err := decodeMaps([]byte(`{"b": {"z": "1", "a": null, "z": "3"}, "x": 5, "y": {"n": 1}, "e": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]namedPath{"b": {{"z", "3"}, {"a", ""}}, "e": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("maps (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "[]", "null", "{", `{"a": {"b"`, `{} x`, `{"a" 1}`} {
		if _, err := decodeMaps([]byte(bad)); err == nil {
			t.Errorf("decodeMaps(%q) has no error", bad)
		}
	}
}
