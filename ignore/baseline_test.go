package ignore_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/ignore"
)

// baseline writes and reads a report with these changes.
func baseline(t *testing.T, changes, known []diff.Change) ignore.Baseline {
	t.Helper()
	type entry map[string]string
	entries := func(changes []diff.Change) []entry {
		list := []entry{}
		for _, c := range changes {
			list = append(list, entry{"fingerprint": diff.Fingerprint(c), "code": string(c.Code)})
		}
		return list
	}
	text, err := json.Marshal(map[string]any{"schema": "moodledb.diff/1", "changes": entries(changes), "known": entries(known), "later": 1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := read(t, string(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t *testing.T, text string) (ignore.Baseline, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "baseline.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return ignore.ReadBaseline(file)
}

func TestSplit(t *testing.T) {
	all := someChanges()
	twice := append(someChanges(), all[2])
	for _, tc := range []struct {
		name         string
		before, knew []diff.Change
		now          []diff.Change
		fresh, known []string
		gone         int
	}{
		{"nothing before, nothing now", nil, nil, nil, nil, nil, 0},
		{"all is new", nil, nil, all[:2], names(all[:2]), nil, 0},
		{"all is known", all, nil, all, nil, names(all), 0},
		{"what the baseline knew is known", all[:2], all[2:], all, nil, names(all), 0},
		{"some is gone", all, nil, all[1:3], nil, names(all[1:3]), 3},
		{"some is new, some gone", all[:3], nil, all[2:], names(all[3:]), names(all[2:3]), 2},
		{"the same once more is new", all, nil, twice, names(all[2:3]), names(all), 0},
		{"the same once less is gone", twice, nil, all, nil, names(all), 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := baseline(t, tc.before, tc.knew)
			for range 2 { // A baseline is not used up.
				fresh, known, gone := b.Split(tc.now)
				if d := cmp.Diff(tc.fresh, names(fresh)); d != "" {
					t.Errorf("fresh (-want +got):\n%s", d)
				}
				if d := cmp.Diff(tc.known, names(known)); d != "" {
					t.Errorf("known (-want +got):\n%s", d)
				}
				if gone != tc.gone {
					t.Errorf("gone = %d, want %d", gone, tc.gone)
				}
			}
		})
	}
}

func TestTheZeroBaselineKnowsNothing(t *testing.T) {
	fresh, known, gone := ignore.Baseline{}.Split(someChanges())
	if len(fresh) != len(someChanges()) || len(known) != 0 || gone != 0 {
		t.Errorf("fresh %d, known %d, gone %d", len(fresh), len(known), gone)
	}
}

func TestBaselinesThatAreNone(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "the file is empty; write it with --update-baseline"},
		{"no JSON", "version: 1\n", "not JSON, at line 1: "},
		{"cut off", "{\n\"schema\": \"moodledb.diff/1\",\n\"changes\": [", "not JSON, at line 3: "},
		{"something after the end", `{"schema": "moodledb.diff/1", "changes": []} x`, "not JSON, at line 1: "},
		{"a list", "[]", "not a report of moodledb diff; "},
		{"other JSON", `{"version": "2.1.0"}`, "not a report of moodledb diff; "},
		{"a schema that is no text", `{"schema": 1}`, "not a report of moodledb diff; "},
		{"another verb", `{"schema": "moodledb.plan/1", "findings": []}`, `its schema is "moodledb.plan/1", not moodledb.diff/1; it was written by another verb`},
		{"a later version", `{"schema": "moodledb.diff/2"}`, `its schema is "moodledb.diff/2", but this moodledb reads moodledb.diff/1; use a later release`},
		{"no changes", `{"schema": "moodledb.diff/1"}`, "it has no list of changes; "},
		{"changes of another form", `{"schema": "moodledb.diff/1", "changes": {}}`, "not as docs/json.md has moodledb.diff/1: "},
		{"no fingerprint", `{"schema": "moodledb.diff/1", "changes": [{"fingerprint": "a"}, {"code": "x"}]}`, "changes[1] has no fingerprint; "},
		{"no fingerprint of a known one", `{"schema": "moodledb.diff/1", "changes": [], "known": [{}]}`, "known[0] has no fingerprint; "},
		{"null", `null`, "not a report of moodledb diff; "},
		{"a null entry", `{"schema": "moodledb.diff/1", "changes": [null]}`, "changes[0] has no fingerprint; "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, err := read(t, tc.text)
			if err == nil || !strings.Contains(err.Error(), "baseline.json: "+tc.want) {
				t.Errorf("ReadBaseline = %v, %v; want an error with %q", b, err, tc.want)
			}
		})
	}
}

func TestABaselineMayBeginWithAByteOrderMark(t *testing.T) {
	if b, err := read(t, "\ufeff"+`{"schema": "moodledb.diff/1", "changes": [{"fingerprint": "a"}]}`); err != nil || b.Len() != 1 {
		t.Errorf("ReadBaseline = %d changes, %v", b.Len(), err)
	}
}

func TestABaselineThatIsNotThere(t *testing.T) {
	if _, err := ignore.ReadBaseline(filepath.Join(t.TempDir(), "x.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
