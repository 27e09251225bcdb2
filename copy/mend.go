package copy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/convert"
)

// mend looks at every value of the row being written, decides by the policy,
// and then writes the row or sets it aside.
func (w *writer) mend() error {
	g := w.guard
	var aside []fault
	var cannot *verdict
	g.mended = g.mended[:0]
	for i, v := range g.values {
		g.mended = append(g.mended, verdict{value: v})
		m := &g.mended[i]
		if err := w.judge(i, m); err != nil {
			return err
		}
		if m.stop != nil {
			return w.stopped(*m.stop, g.policy.advice(m.stop.kind, m.cannot))
		}
		if m.cannot != nil && cannot == nil {
			held := *m
			cannot = &held
		}
		aside = append(aside, m.aside...)
	}
	switch {
	case len(aside) > 0:
		return w.setAside(aside)
	case cannot != nil:
		return w.stopped(cannot.open, g.policy.advice(cannot.open.kind, cannot.cannot))
	}
	for i := range g.mended {
		if err := w.listChange(i, &g.mended[i]); err != nil {
			return err
		}
	}
	return w.writeMended(g.mended)
}

// verdict is what was decided about one value.
type verdict struct {
	// value is what is to be stored.
	value value
	// kinds and rules are the faults that were fixed, and how.
	kinds []convert.ErrorKind
	rules []convert.FixRule
	// aside are faults for which the row is set aside, stop is one at which the
	// run stops. open is one whose rule cannot be applied, cannot says why.
	aside  []fault
	stop   *fault
	open   fault
	cannot *convert.FixError
}

// settled reports whether nothing more is to be decided about the value.
func (m *verdict) settled() bool { return m.stop != nil || m.cannot != nil || len(m.aside) > 0 }

// fixed notes that a fault of a kind is gone.
func (m *verdict) fixed(kind convert.ErrorKind, rule convert.FixRule, v value) {
	m.value = v
	m.kinds = append(m.kinds, kind)
	m.rules = append(m.rules, rule)
}

// judge decides about the value of column i. Its error is none of the value.
func (w *writer) judge(i int, m *verdict) error {
	if err := w.judgeText(i, m); err != nil {
		return err
	}
	rule := &w.job.Columns[i].Rule
	for !m.settled() {
		found, err := w.examineValue(rule, m)
		if err != nil {
			return err
		}
		if found == nil {
			return nil
		}
		f := fault{i, found.Kind, found}
		how := w.decide(f, m)
		if m.settled() {
			return nil
		}
		if slices.Contains(m.kinds, found.Kind) {
			m.open, m.cannot = f, &convert.FixError{Kind: found.Kind, Rule: how, Reason: "what it makes of the value has the same fault"}
			return nil
		}
		v, err := w.fix(rule, found.Kind, how, m.value)
		if errors.As(err, &m.cannot) {
			m.open = f
			return nil
		}
		if err != nil {
			return err
		}
		m.fixed(found.Kind, how, v)
	}
	return nil
}

// decide takes down what the policy wants for a fault, and returns the rule.
func (w *writer) decide(f fault, m *verdict) convert.FixRule {
	how := w.guard.rules[f.kind]
	if how == convert.FixStop {
		m.stop = &f
	}
	if how == convert.FixQuarantine {
		m.aside = append(m.aside, f)
	}
	return how
}

// examineValue looks for what the ordinary way would refuse; nil when there is nothing.
func (w *writer) examineValue(rule *convert.ValueRule, m *verdict) (found *convert.ValueError, err error) {
	v := m.value
	switch {
	case v.null:
		// What was made NULL may be NULL.
		if rule.NotNull && len(m.kinds) == 0 {
			errors.As(nullError(rule), &found)
		}
		return found, nil
	case v.size+int64(len(rule.Prefix)) > maxField, !rule.Raw && v.size > convert.MaxEncoded:
		start, err := v.head(nil, shownBytes)
		errors.As(tooLong(rule, start, v.size, ""), &found)
		return found, err
	case rule.Raw:
		limit := rule.MaxChars
		if len(m.kinds) > 0 {
			limit = rule.StoredChars()
		}
		return w.countChars(rule, v, limit)
	}
	field, err := w.whole(v)
	if err != nil {
		return nil, err
	}
	w.encoded, err = rule.Encode(w.encoded[:0], field)
	if errors.As(err, &found) {
		return found, nil
	}
	return nil, err
}

// fix applies a rule. An error that is a [*convert.FixError] says why it cannot be applied.
func (w *writer) fix(rule *convert.ValueRule, kind convert.ErrorKind, how convert.FixRule, v value) (value, error) {
	if how == convert.FixTruncate {
		return w.truncate(rule, v)
	}
	if v.size > convert.MaxEncoded && how != convert.FixNull {
		return v, &convert.FixError{Kind: kind, Rule: how, Reason: "the value is longer than any of its type"}
	}
	var source []byte
	if !v.null && how != convert.FixNull {
		var err error
		if source, err = w.whole(v); err != nil {
			return v, err
		}
	}
	fixed, err := rule.Fix(kind, how, source)
	return inMemory(fixed), err
}

// listChange lists the value of column i if it was changed.
func (w *writer) listChange(i int, m *verdict) error {
	if len(m.kinds) == 0 {
		return nil
	}
	key, err := w.key(true)
	if err != nil {
		return err
	}
	c := change{
		key: key, column: w.job.Columns[i].Target, kind: join(m.kinds), rule: join(m.rules),
		before: w.guard.values[i], after: m.value,
	}
	rule := &w.job.Columns[i].Rule
	if !rule.Raw && !m.value.null {
		field, err := w.whole(m.value)
		if err != nil {
			return err
		}
		if w.encoded, err = rule.Encode(w.encoded[:0], field); err != nil {
			return err
		}
		c.after = inMemory(rule.StoredText(w.encoded))
	}
	err = w.guard.touched.addChange(c)
	if err == errTooLarge {
		shown, showErr := c.before.printable()
		if showErr != nil {
			return showErr
		}
		value := &convert.ValueError{Kind: m.kinds[0], Value: shown, Target: rule.Target}
		return w.stopped(fault{i, value.Kind, value}, "the value cannot be fixed: "+err.Error())
	}
	if err != nil {
		return fmt.Errorf("row %d: %w", w.number(), err)
	}
	return nil
}

// join joins words by commas.
func join[T ~string](words []T) T {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return T(strings.Join(texts, ","))
}

// writeMended writes the row.
func (w *writer) writeMended(mended []verdict) error {
	if err := w.write(byte(w.count>>8), byte(w.count)); err != nil {
		return err
	}
	for i := range mended {
		if err := w.writeValue(&w.job.Columns[i].Rule, i, mended[i].value); err != nil {
			return err
		}
	}
	return nil
}

// writeValue writes one value that was looked at.
func (w *writer) writeValue(rule *convert.ValueRule, i int, v value) error {
	switch {
	case v.null:
		return w.write(0xFF, 0xFF, 0xFF, 0xFF)
	case !rule.Raw:
		field, err := w.whole(v)
		if err != nil {
			return err
		}
		return w.field(i, field)
	}
	if err := w.length(len(rule.Prefix) + int(v.size)); err != nil {
		return err
	}
	if err := w.write(rule.Prefix...); err != nil {
		return err
	}
	if v.from == nil {
		return w.write(v.mem...)
	}
	return w.stream(v.reader(), v.size, rule)
}
