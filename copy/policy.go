package copy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/convert"
)

// Policy says what happens to values that the target cannot hold. The zero
// value stops the copy at the first of them.
type Policy struct {
	Mode convert.BadValueMode
	// Fixes are rules for kinds of values, before what Mode says of all kinds.
	Fixes convert.Fixes
}

// rule is what is done about values of one kind.
func (p Policy) rule(kind convert.ErrorKind) convert.FixRule {
	if rule := p.Fixes[kind]; rule != "" {
		return rule
	}
	switch p.Mode {
	case convert.FixBad:
		if rules := convert.FixRules(kind); len(rules) > 0 {
			return rules[0]
		}
		return convert.FixStop
	case convert.QuarantineBad:
		return convert.FixQuarantine
	case convert.StopOnBad:
	}
	return convert.FixStop
}

// active reports whether the policy does anything but stop.
func (p Policy) active() bool {
	return slices.ContainsFunc(convert.FixKinds(), func(kind convert.ErrorKind) bool { return p.rule(kind) != convert.FixStop })
}

// text reports whether the policy does something about faults in text, which
// only PostgreSQL sees at first.
func (p Policy) text() bool {
	return p.rule(convert.NulByte) != convert.FixStop || p.rule(convert.InvalidUTF8) != convert.FixStop
}

// check refuses rules that cannot be.
func (p Policy) check() error {
	if p.Mode != "" && !slices.Contains(convert.BadValueModes(), p.Mode) {
		return fmt.Errorf("unknown mode %q for bad values", p.Mode)
	}
	for _, kind := range convert.FixKinds() {
		if rule := p.Fixes[kind]; rule != "" {
			if err := convert.CheckFix(kind, rule); err != nil {
				return err
			}
		}
	}
	return nil
}

// advice tells what other rules there are for a kind at which the run stops,
// after why the policy's own cannot be applied, when that is known.
func (p Policy) advice(kind convert.ErrorKind, cannot *convert.FixError) string {
	var others []string
	for _, rule := range convert.FixRules(kind) {
		switch {
		case rule == convert.FixStop, cannot != nil && rule == cannot.Rule:
		case rule == convert.FixQuarantine:
			others = append(others, "quarantine, which sets the row aside")
		default:
			others = append(others, string(rule))
		}
	}
	words := fmt.Sprintf("a rule for values of kind %s could be: %s", kind, strings.Join(others, ", "))
	if cannot != nil {
		return cannot.Error() + "; " + words
	}
	return words
}

// maxRefused is how many rows of one job may be set aside because PostgreSQL
// refused them: each costs another attempt.
const maxRefused = 100

// Repair is what one attempt at a job has learned for the next. It holds for
// the same job on the same snapshot of the source only.
type Repair struct {
	// scan says that text is looked at before it is sent.
	scan bool
	// refused are rows that PostgreSQL refused, by their number as read.
	refused map[int64]refusedRow
}

// refusedRow is why PostgreSQL refused a row.
type refusedRow struct {
	// column is the column at fault; -1 when it is not known.
	column int
	reason string
}

// RetryError says that PostgreSQL refused the copy and that the policy can deal
// with it: when the transaction is rolled back, set [Job].Repair and call
// [Table] again. A job needs a bounded number of attempts.
type RetryError struct {
	Repair *Repair
	Err    error
}

// Error says what PostgreSQL refused.
func (e *RetryError) Error() string {
	return fmt.Sprintf("%v; the policy for such values deals with it in another attempt", e.Err)
}

// Unwrap returns the refusal.
func (e *RetryError) Unwrap() error { return e.Err }
