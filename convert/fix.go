package convert

import (
	"fmt"
	"slices"
	"strings"
)

// BadValueMode is what happens to values that the target cannot hold, as long
// as no rule for their kind says otherwise. Empty means [StopOnBad].
type BadValueMode string

// The modes.
const (
	// StopOnBad ends the run at the first such value.
	StopOnBad BadValueMode = "stop"
	// FixBad makes the value storable by the rules of [DefaultFixes].
	FixBad BadValueMode = "fix"
	// QuarantineBad sets the whole row aside.
	QuarantineBad BadValueMode = "quarantine"
)

// BadValueModes are all modes, the default first.
func BadValueModes() []BadValueMode { return []BadValueMode{StopOnBad, FixBad, QuarantineBad} }

// Refused is the kind of rows that PostgreSQL refuses for a reason of its own,
// such as a CHECK or a malformed json. No [ValueError] is of that kind.
const Refused ErrorKind = "refused"

// FixRule says what is done about the bad values of one kind.
type FixRule string

// The rules.
const (
	// FixStop ends the run.
	FixStop FixRule = "stop"
	// FixQuarantine sets the row aside.
	FixQuarantine FixRule = "quarantine"
	// FixNull stores NULL; it cannot be applied where the column is NOT NULL.
	FixNull FixRule = "null"
	// FixStrip removes the bytes that are at fault.
	FixStrip FixRule = "strip"
	// FixReplacement puts U+FFFD in the place of each byte that is at fault.
	FixReplacement FixRule = "replacement"
	// FixCP1252 reads each byte that is at fault as Windows-1252; five bytes
	// that mean nothing there become U+FFFD.
	FixCP1252 FixRule = "cp1252"
	// FixClamp stores the nearest value that the type has: the nearest real day
	// for a date, and true for a truth value other than 0 and 1, as MySQL reads it.
	FixClamp FixRule = "clamp"
	// FixRound stores the nearest value that the type has, away from zero when
	// two are equally near. A date keeps the day of a time, and character(n)
	// loses the blanks at the end, which mean nothing there.
	FixRound FixRule = "round"
	// FixTruncate keeps the first characters of a text. Numbers are not cut.
	FixTruncate FixRule = "truncate"
	// FixEmpty stores what MySQL itself puts where a value is missing: an empty
	// text, zero, false. Types that have no such value, such as dates, cannot be fixed so.
	FixEmpty FixRule = "empty"
	// FixEpoch stores 1970-01-01 00:00:00.
	FixEpoch FixRule = "epoch"
)

// Fixes are the rules by kind.
type Fixes map[ErrorKind]FixRule

// fixable is a kind and what can be done about it, the default of [FixBad] first.
type fixable struct {
	kind  ErrorKind
	rules []FixRule
}

// fixables is the table of what can be done.
func fixables() []fixable {
	return []fixable{
		{NulByte, []FixRule{FixStrip, FixReplacement, FixNull}},
		{InvalidUTF8, []FixRule{FixCP1252, FixReplacement, FixStrip, FixNull}},
		{ZeroDate, []FixRule{FixNull, FixEpoch, FixClamp}},
		{BadDate, []FixRule{FixNull, FixEpoch, FixClamp}},
		{OutOfRange, []FixRule{FixClamp, FixNull}},
		{NotExact, []FixRule{FixRound, FixNull}},
		{TooLong, []FixRule{FixTruncate, FixNull}},
		{NullValue, []FixRule{FixEmpty, FixEpoch}},
		{BadSyntax, []FixRule{FixNull, FixEmpty}},
		// Nobody knows what in the row is at fault.
		{Refused, nil},
	}
}

// FixKinds are the kinds that rules can be given for.
func FixKinds() []ErrorKind {
	list := fixables()
	kinds := make([]ErrorKind, len(list))
	for i, f := range list {
		kinds[i] = f.kind
	}
	return kinds
}

// FixRules are the rules that can be given for a kind, that of [DefaultFixes]
// first; none for an unknown kind.
func FixRules(kind ErrorKind) []FixRule {
	for _, f := range fixables() {
		if f.kind != kind {
			continue
		}
		if len(f.rules) == 0 {
			return []FixRule{FixStop, FixQuarantine}
		}
		return append(slices.Clone(f.rules), FixQuarantine, FixStop)
	}
	return nil
}

// DefaultFixes are the rules of [FixBad].
func DefaultFixes() Fixes {
	fixes := Fixes{}
	for _, kind := range FixKinds() {
		fixes[kind] = FixRules(kind)[0]
	}
	return fixes
}

// ParseBadValueMode reads the name of a mode.
func ParseBadValueMode(s string) (BadValueMode, error) {
	modes := BadValueModes()
	if !slices.Contains(modes, BadValueMode(s)) {
		return "", fmt.Errorf("unknown mode %q for bad values: give %s", s, oneOf(modes))
	}
	return BadValueMode(s), nil
}

// ParseFix reads KIND=RULE, such as invalid-utf8=replacement.
func ParseFix(s string) (ErrorKind, FixRule, error) {
	left, right, found := strings.Cut(s, "=")
	kind, rule := ErrorKind(strings.TrimSpace(left)), FixRule(strings.TrimSpace(right))
	if !found {
		return "", "", fmt.Errorf("%q is no rule for bad values: give KIND=RULE, where KIND is %s", s, oneOf(FixKinds()))
	}
	if err := CheckFix(kind, rule); err != nil {
		return "", "", err
	}
	return kind, rule, nil
}

// CheckFix returns an error when a rule cannot be given for a kind; it lists what can.
func CheckFix(kind ErrorKind, rule FixRule) error {
	rules := FixRules(kind)
	if rules == nil {
		return fmt.Errorf("unknown kind %q of bad values: give %s", kind, oneOf(FixKinds()))
	}
	if !slices.Contains(rules, rule) {
		return fmt.Errorf("%q is no rule for bad values of kind %s: give %s", rule, kind, oneOf(rules))
	}
	return nil
}

// oneOf lists words for a sentence.
func oneOf[T ~string](words []T) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i > 0 && i == len(words)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}

// FixError says why a rule cannot make a value storable.
type FixError struct {
	Kind   ErrorKind
	Rule   FixRule
	Reason string
}

// Error names kind, rule and reason.
func (e *FixError) Error() string {
	return fmt.Sprintf("the rule %q for %s cannot be applied: %s", string(e.Rule), string(e.Kind), e.Reason)
}
