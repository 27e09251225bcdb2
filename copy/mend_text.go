package copy

import (
	"errors"
	"fmt"

	"github.com/moodledb/moodledb/convert"
)

// judgeText decides about zero bytes and invalid UTF-8. Both are looked for, and
// fixed at once.
func (w *writer) judgeText(i int, m *verdict) error {
	rule := &w.job.Columns[i].Rule
	if !rule.Text || m.value.null {
		return nil
	}
	var fixer convert.TextFixer
	var ignore convert.ErrorKind
	whole := m.value
	for range 2 {
		found, err := w.scan(whole, ignore, rule.Target)
		if err != nil {
			return err
		}
		if found == nil {
			break
		}
		ignore = found.Kind
		f := fault{i, found.Kind, found}
		switch how := w.decide(f, m); {
		case how == convert.FixStop || how == convert.FixQuarantine:
		case how == convert.FixNull:
			if errors.As(rule.Nullable(f.kind), &m.cannot) {
				m.open = f
			}
			m.fixed(f.kind, how, value{null: true})
		case f.kind == convert.NulByte:
			fixer.Nul = how
			m.fixed(f.kind, how, m.value)
		default:
			fixer.Invalid = how
			m.fixed(f.kind, how, m.value)
		}
	}
	return w.fixText(&fixer, whole, m)
}

// scan returns the first fault in a text that is not of the kind to ignore.
func (w *writer) scan(v value, ignore convert.ErrorKind, target string) (*convert.ValueError, error) {
	if v.from == nil && convert.ValidText(v.mem) {
		return nil, nil
	}
	s := convert.TextScanner{Ignore: ignore}
	var found *convert.ValueError
	err := w.pieces(v, func(piece []byte) error { return s.Scan(piece, target) })
	if err == nil {
		err = s.End(target)
	}
	if errors.As(err, &found) {
		return found, nil
	}
	return nil, err
}

// pieces hands a value over piece by piece, until the first error.
func (w *writer) pieces(v value, visit func(piece []byte) error) error {
	w.guard.piece = sized(w.guard.piece)
	return v.pieces(w.guard.piece, visit)
}

// fixText puts the fixed form of a text into the spool, when it is wanted.
func (w *writer) fixText(fixer *convert.TextFixer, whole value, m *verdict) error {
	if len(m.kinds) == 0 || m.settled() || m.value.null {
		return nil
	}
	v, put := w.guard.newText()
	err := w.pieces(whole, func(piece []byte) error {
		w.guard.out = fixer.Append(w.guard.out[:0], piece)
		return put(w.guard.out)
	})
	if err == nil {
		err = put(fixer.End(nil))
	}
	m.value = *v
	return err
}

// newText begins a value in the spool; put appends to it.
func (g *guard) newText() (v *value, put func([]byte) error) {
	v = &value{from: &g.fixed, off: g.fixed.size()}
	return v, func(p []byte) error {
		v.size += int64(len(p))
		_, err := g.fixed.Write(p)
		return err
	}
}

// countChars looks for more characters than a column holds; 0 is no limit.
func (w *writer) countChars(rule *convert.ValueRule, v value, limit int64) (*convert.ValueError, error) {
	if limit == 0 || v.size <= limit {
		return nil, nil
	}
	var chars int64
	err := w.pieces(v, func(piece []byte) error {
		chars += convert.CountChars(piece)
		return nil
	})
	if err != nil || chars <= limit {
		return nil, err
	}
	shown, err := v.printable()
	return &convert.ValueError{
		Kind: convert.TooLong, Value: shown, Target: rule.Target, Detail: fmt.Sprintf("%d characters, %d allowed", chars, limit),
	}, err
}

// truncate keeps the first characters of a text.
func (w *writer) truncate(rule *convert.ValueRule, v value) (value, error) {
	most, err := rule.Truncates()
	if err != nil {
		return v, err
	}
	short, put := w.guard.newText()
	full := errors.New("enough")
	err = w.pieces(v, func(piece []byte) error {
		start, chars := convert.CutChars(piece, most)
		most -= chars
		if err := put(start); err != nil {
			return err
		}
		if len(start) < len(piece) {
			return full
		}
		return nil
	})
	if err == full {
		err = nil
	}
	return *short, err
}
