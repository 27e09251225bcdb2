package ignore

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moodledb/moodledb/diff"
)

// Rules are the rules of an ignore file, in its order.
type Rules []Rule

// Rule accepts changes. All of its parts must match; a part without globs matches everything.
type Rule struct {
	// Code are globs over codes of changes.
	Code []string
	// Table are globs over names of tables, without the site's prefix or with it.
	Table []string
	// Object are globs over names of columns, indexes and other objects of a
	// table, and over the columns of an index, such as "userid,courseid".
	Object []string
	// Component are globs over frankenstyle names.
	Component []string
	// Reason says why the changes are accepted. It is one line, and never empty.
	Reason string
	// Expires is the last day on which the rule holds, at 00:00 UTC; the zero
	// time when it always does.
	Expires time.Time
	// File and Line say where the rule stands. Line is 1-based.
	File string
	Line int
}

// Ignored is a change that a rule accepts.
type Ignored struct {
	Change diff.Change
	Rule   Rule
}

// ProblemCode names a kind of [Problem]. Codes are permanent.
type ProblemCode string

// The problems of rules.
const (
	// Unused: the rule matches no change.
	Unused ProblemCode = "ignore-unused"
	// Expired: the rule's last day has passed, so that it ignores nothing any more.
	Expired ProblemCode = "ignore-expired"
	// Everything: the rule is about all tables of the site, and was not applied.
	Everything ProblemCode = "ignore-everything"
)

// Problem is a rule that should be looked at.
type Problem struct {
	Code ProblemCode
	Rule Rule
	// Message is one sentence without a full stop, Hint says what to do.
	Message string
	Hint    string
}

// ExpiredAt reports whether the rule's last day is over, by the calendar of the place where now was taken.
func (r Rule) ExpiredAt(now time.Time) bool {
	if r.Expires.IsZero() {
		return false
	}
	year, month, day := now.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).After(r.Expires)
}

// Matches reports whether the rule is about a change, expired or not.
func (r Rule) Matches(c diff.Change) bool {
	return matchesAny(r.Code, string(c.Code)) &&
		matchesAny(r.Table, c.Short, c.Table) &&
		matchesAny(r.Object, c.Object, strings.Join(c.Columns, ",")) &&
		matchesAny(r.Component, c.Origin.Component)
}

// Apply takes the changes that rules accept out of changes, and keeps the order
// of the others. A change that several rules match is ignored by the first of them that
// holds; the others count as used too. The problems are in the order of the rules.
func (r Rules) Apply(changes []diff.Change, now time.Time) (kept []diff.Change, ignored []Ignored, problems []Problem) {
	prefix := sitePrefix(changes)
	used := make([]int, len(r))
	holds := make([]bool, len(r))
	for i, rule := range r {
		holds[i] = !rule.ExpiredAt(now) && !rule.coversSite(prefix)
	}
	for _, c := range changes {
		by := -1
		for i, rule := range r {
			if !rule.Matches(c) {
				continue
			}
			used[i]++
			if by < 0 && holds[i] {
				by = i
			}
		}
		if by < 0 {
			kept = append(kept, c)
			continue
		}
		ignored = append(ignored, Ignored{Change: c, Rule: r[by]})
	}
	for i, rule := range r {
		if p, ok := rule.problem(used[i], prefix, now); ok {
			problems = append(problems, p)
		}
	}
	return kept, ignored, problems
}

// problem says what is wrong with a rule that matched some changes.
func (r Rule) problem(used int, prefix string, now time.Time) (Problem, bool) {
	switch {
	case r.ExpiredAt(now):
		message := fmt.Sprintf("the rule expired on %s", r.Expires.Format(time.DateOnly))
		if used == 0 {
			return Problem{Expired, r, message + ", and matches nothing any more", "remove the rule"}, true
		}
		return Problem{
			Expired, r, fmt.Sprintf("%s; without it: %s", message, count(used)),
			"repair what it is about, or decide anew and give it a later date",
		}, true
	case r.coversSite(prefix):
		return Problem{
			Everything, r, fmt.Sprintf("the rule is about every table of the prefix %s, and was not applied", prefix),
			"name what is accepted: a code, a table, an object or a component",
		}, true
	case used == 0:
		return Problem{Unused, r, "the rule matches nothing", "remove the rule, or correct its globs"}, true
	default:
		return Problem{}, false
	}
}

func count(n int) string {
	if n == 1 {
		return "1 change"
	}
	return fmt.Sprintf("%d changes", n)
}

// coversSite reports whether nothing limits the rule but the prefix of the
// site's tables. That all is "*" is seen where the rule is read, but the prefix is only known here.
func (r Rule) coversSite(prefix string) bool {
	if prefix == "" || !allCodes(r.Code) || !matchAll(r.Object) || !matchAll(r.Component) {
		return false
	}
	return slices.ContainsFunc(r.Table, func(glob string) bool {
		rest, ok := strings.CutPrefix(glob, prefix)
		return ok && matchesAll(rest)
	})
}

// sitePrefix finds the prefix of the site's tables in changes; empty when they do not tell.
func sitePrefix(changes []diff.Change) string {
	for _, c := range changes {
		if prefix, ok := strings.CutSuffix(c.Table, c.Short); ok && prefix != "" && c.Short != "" {
			return prefix
		}
	}
	return ""
}
