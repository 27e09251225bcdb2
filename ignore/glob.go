package ignore

import (
	"path"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/diff"
)

// notSlash stands for a slash in names and globs: path.Match lets "*" end at a
// slash, but a table may have any name. Names hold no zero byte.
const notSlash = "\x00"

// matches reports whether a glob matches the whole of a name.
func matches(glob, name string) bool {
	// The globs of a file were checked when it was read; one that is bad matches nothing.
	ok, err := path.Match(strings.ReplaceAll(glob, "/", notSlash), strings.ReplaceAll(name, "/", notSlash))
	return err == nil && ok
}

// matchesAny reports whether one of globs matches one of names. No globs match everything.
func matchesAny(globs []string, names ...string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return matches(glob, name) })
	})
}

// checkGlob reports whether a glob is well formed.
func checkGlob(glob string) bool {
	_, err := path.Match(glob, "")
	return err == nil
}

// isGlob reports whether a text has a character with a meaning in globs.
func isGlob(text string) bool { return strings.ContainsAny(text, `*?[\`) }

// matchesAll reports whether a glob matches every name: "*", "**", "?*" and the like.
func matchesAll(glob string) bool {
	return strings.Contains(glob, "*") && strings.Trim(glob, "*?") == "" && strings.Count(glob, "?") < 2
}

// matchAll reports whether a part of a rule limits nothing.
func matchAll(globs []string) bool { return len(globs) == 0 || slices.ContainsFunc(globs, matchesAll) }

// allCodes reports whether globs match every code there is.
func allCodes(globs []string) bool {
	return !slices.ContainsFunc(diff.Codes(), func(s diff.Spec) bool { return !matchesAny(globs, string(s.Code)) })
}

// nearest returns the candidate with the fewest letters to change; empty when none is near.
func nearest(word string, candidates []string) string {
	best, least := "", len(word)/3+2
	if len(word) > 64 {
		return ""
	}
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance counts the bytes to insert, delete or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
