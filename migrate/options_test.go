package migrate

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

func TestOptions(t *testing.T) {
	site := &xmldb.Site{}
	for _, tc := range []struct {
		name string
		opts Options
		want string // in the error; empty for none
	}{
		{"whole site", Options{Site: site}, ""},
		{"data only needs no code", Options{DataOnly: true, Truncate: true}, ""},
		{"no code", Options{}, "the site's code is needed"},
		{"negative jobs", Options{Site: site, Jobs: -1}, "jobs must be positive"},
		{"too little memory", Options{Site: site, Memory: 1 << 20}, "at least 32 MiB"},
		{"truncate without data only", Options{Site: site, Truncate: true}, "truncate goes with data-only"},
		{"replace with data only", Options{DataOnly: true, Replace: true}, "replace does not go with data-only"},
		{"replace without staging", Options{Site: site, Schema: "public", Replace: true}, "replace does not go with a schema"},
		{"broken pattern", Options{Site: site, Exclude: []string{"[a"}}, `"[a" is no pattern`},
		{"empty pattern", Options{Site: site, SkipData: []string{""}}, `"" is no pattern`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.opts.withDefaults()
			if tc.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got.Jobs < 1 || got.Memory != DefaultMemory || got.Publish != "public" {
					t.Errorf("defaults: %+v", got)
				}
				return
			}
			if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want a wrong option with %q", err, tc.want)
			}
		})
	}
}

func TestPatterns(t *testing.T) {
	names := []string{"config", "config_plugins", "Old-Copy 2", "logstore_standard_log"}
	for _, tc := range []struct {
		name               string
		patterns           []string
		matched, unmatched []string
	}{
		{"none", nil, nil, nil},
		{"a name", []string{"config"}, []string{"config"}, nil},
		{"globs", []string{"config*", "log*_log"}, []string{"config", "config_plugins", "logstore_standard_log"}, nil},
		{"a space", []string{"Old-Copy ?"}, []string{"Old-Copy 2"}, nil},
		{"case counts", []string{"old*"}, nil, []string{"old*"}},
		{"some match nothing", []string{"config", "nothing*"}, []string{"config"}, []string{"nothing*"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var matched []string
			for _, n := range names {
				if match(tc.patterns, n) {
					matched = append(matched, n)
				}
			}
			if diff := cmp.Diff(tc.matched, matched); diff != "" {
				t.Errorf("matched (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.unmatched, unmatched(tc.patterns, names)); diff != "" {
				t.Errorf("unmatched (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRowKey(t *testing.T) {
	part := func(names ...string) (parts []schema.IndexPart) {
		for _, n := range names {
			parts = append(parts, schema.IndexPart{Column: n})
		}
		return parts
	}
	for _, tc := range []struct {
		name    string
		indexes []schema.Index
		want    map[string]bool
	}{
		{"no key", nil, nil},
		{"a plain index is no key", []schema.Index{{Name: "i", Parts: part("a")}}, nil},
		{"primary key, in lower case", []schema.Index{{Primary: true, Unique: true, Parts: part("Id", "b")}}, map[string]bool{"id": true, "b": true}},
		{"unique index", []schema.Index{{Name: "i", Parts: part("a")}, {Name: "u", Unique: true, Parts: part("c")}}, map[string]bool{"c": true}},
		{"the beginning of a column names no row", []schema.Index{{Name: "u", Unique: true, Parts: []schema.IndexPart{{Column: "c", Prefix: 10}}}}, nil},
		{"an expression names no row", []schema.Index{{Name: "u", Unique: true, Parts: []schema.IndexPart{{Expression: "lower(c)"}}}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, rowKey(&schema.Table{Indexes: tc.indexes})); diff != "" {
				t.Errorf("key (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	builds := []Build{{Name: "a"}, {Name: "key", exclusive: true}, {Name: "b"}, {Name: "c"}}
	for _, tc := range []struct {
		name        string
		table       Table
		first, then int
	}{
		{"small: one task", Table{After: builds, Bytes: 1 << 20}, 4, 0},
		{"large: what needs the table for itself, then a task for each index", Table{After: builds, Bytes: 1 << 30}, 1, 3},
		{"large, without keys", Table{After: builds[2:], Bytes: 1 << 30}, 0, 2},
		{"one index: one task", Table{After: builds[:1], Bytes: 1 << 30}, 1, 0},
		{"without indexes: one task, which finishes the table", Table{Bytes: 1 << 30}, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			first, then := split(&tc.table, tc.table.After)
			if len(first) != tc.first || len(then) != tc.then {
				t.Errorf("%d builds first, then %d tasks, want %d and %d", len(first), len(then), tc.first, tc.then)
			}
		})
	}
}
