package proof

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// explained is how many rows a policy explains.
type explained struct{ changed, rejected int64 }

// explain leaves those of the rows that differ out of d that the policy of a migration
// explains: rows that it has set aside, and rows of which every value that differs is
// still what it was changed to. The ledger is asked for the keys of many rows at
// once, however many values it has.
func (r *run) explain(ctx context.Context, l *ledger, p *pair, d *verify.Differing) (explained, error) {
	e := &explaining{ledger: l, db: r.found.postgres, pair: p, rows: d, most: r.opts.Memory / 16}
	if err := d.Note(ctx); err != nil {
		return e.sum, err
	}
	err := d.EachRow(func(row *verify.DifferingRow) error {
		if row.Expected == nil {
			return nil
		}
		if key := p.ledgerKey(row.Expected); key != "" {
			e.keys, e.numbers = append(e.keys, key), append(e.numbers, row.Number)
			e.bytes += int64(len(key)) + keyBytes
		}
		if e.bytes < e.most {
			return nil
		}
		return e.flush(ctx)
	})
	if err == nil {
		err = e.flush(ctx)
	}
	return e.sum, err
}

// explaining is one call of explain.
type explaining struct {
	ledger *ledger
	db     *postgres.DB
	pair   *pair
	rows   *verify.Differing
	sum    explained
	// keys are those of the rows with these numbers; they take so many bytes.
	keys    []string
	numbers []int64
	bytes   int64
	most    int64
}

// keyBytes is what a key takes besides its text: here, and on its way to the server.
const keyBytes = 128

// flush asks for the keys.
func (e *explaining) flush(ctx context.Context) error {
	if len(e.keys) == 0 {
		return nil
	}
	source := e.ledger.tables[e.pair.found.table.Name].Source
	if source == "" {
		source = e.pair.expected.table.Name
	}
	rejected, err := e.db.RejectedOf(ctx, e.ledger.run.ID, source, e.keys)
	if err != nil {
		return err
	}
	var at *suspect
	err = e.db.ChangesOf(ctx, e.ledger.run.ID, source, e.keys, func(c *postgres.KeyChange) error {
		if rejected[c.Key] {
			return nil
		}
		if at == nil || at.key != c.Key {
			if err := e.settle(at); err != nil {
				return err
			}
			row, err := e.rows.Row(e.numbers[c.Key])
			if err != nil {
				return err
			}
			at = &suspect{key: c.Key, row: row, stored: map[int]postgres.LedgerValue{}}
		}
		at.take(e.pair, c)
		return nil
	})
	if err == nil {
		err = e.settle(at)
	}
	if err != nil {
		return err
	}
	for key := range rejected {
		row, err := e.rows.Row(e.numbers[key])
		if err != nil {
			return err
		}
		if row.Kind() == verify.MissingRow {
			e.rows.LeaveOut(row.Number, verify.MissingRow)
			e.sum.rejected++
		}
	}
	e.keys, e.numbers, e.bytes = e.keys[:0], e.numbers[:0], 0
	return nil
}

// suspect is a row of which the policy changed values.
type suspect struct {
	key int
	row *verify.DifferingRow
	// stored are the values that it was given, by the number of the column.
	stored map[int]postgres.LedgerValue
}

// take keeps what a column was changed to, if it still has the value at the source that was changed.
func (s *suspect) take(p *pair, c *postgres.KeyChange) {
	i := slices.IndexFunc(p.Columns, func(x verify.Column) bool { return x.Name == c.Column })
	if i >= 0 && p.isValue(i, &s.row.Expected[i], c.Before, p.expected.fields[i].rule) {
		s.stored[i] = c.After
	}
}

// becomes reports whether the policy makes the row of the expected side one of the found side.
func (s *suspect) becomes(p *pair, found []fingerprint.Field) bool {
	for i := range found {
		e, f := &s.row.Expected[i], &found[i]
		if after, changed := s.stored[i]; changed && p.isValue(i, f, after) {
			continue
		}
		if e.Null != f.Null || e.Hash != f.Hash {
			return false
		}
	}
	return true
}

// settle leaves a row out when all changes to it are known, and they explain how it differs. Where
// the policy changed the key, the row is missing by its old key, and extra by its new one.
func (e *explaining) settle(s *suspect) error {
	if s == nil || len(s.stored) == 0 {
		return nil
	}
	if s.row.Kind() == verify.ChangedRow {
		if s.becomes(e.pair, s.row.Found) {
			e.rows.LeaveOut(s.row.Number, verify.ChangedRow)
			e.sum.changed++
		}
		return nil
	}
	values, changed := s.newKey(e.pair)
	if !changed {
		return nil
	}
	numbers, err := e.rows.FoundWithKey(values)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		row, err := e.rows.Row(n)
		if err != nil {
			return err
		}
		if row.Kind() == verify.ExtraRow && !e.rows.IsOut(n) && s.becomes(e.pair, row.Found) {
			e.rows.LeaveOut(s.row.Number, verify.MissingRow)
			e.rows.LeaveOut(n, verify.ExtraRow)
			e.sum.changed++
			return nil
		}
	}
	return nil
}

// newKey is the key by which the policy stored the row, and whether it changed it.
func (s *suspect) newKey(p *pair) (values [][]byte, changed bool) {
	values = make([][]byte, len(p.Columns))
	for i := range p.Columns {
		if !p.Columns[i].Key {
			continue
		}
		if !s.row.Expected[i].Null {
			values[i] = s.row.Expected[i].Start
		}
		after, is := s.stored[i]
		if !is || after.Null || int64(len(after.Text)) < after.Size {
			continue
		}
		if field, ok := encoded(textRule(p.Columns[i].Type), after.Text); ok {
			values[i], changed = field, true
		}
	}
	return values, changed
}

// ledgerKey spells the key of a row of the expected side as the ledger does: the
// source's columns in the target's order.
func (p *pair) ledgerKey(fields []fingerprint.Field) string {
	var parts []string
	for i := range p.found.table.Columns {
		name := p.found.table.Columns[i].Name
		j := slices.IndexFunc(p.Columns, func(c verify.Column) bool { return c.Name == name && c.Key })
		if j < 0 {
			continue
		}
		source := p.expected.table.Column(name)
		if source == nil {
			return ""
		}
		var value []byte
		if f := &fields[j]; !f.Null {
			value = sourceText(source, p.Columns[j].Type, f.Start)
		}
		if part := copy.KeyPart(source.Name, value); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " AND ")
}

// sourceText is the text that the source sends for a value, of which the field is given.
func sourceText(c *schema.Column, typ string, field []byte) []byte {
	if rest, ok := bytes.CutPrefix(field, []byte(unfitMark)); ok {
		if string(rest) == "0000-00-00" && kind(c.Type.Name) == kindMoment {
			rest = []byte("0000-00-00 00:00:00")
		}
		return rest
	}
	if rule := textRule(typ); rule.Raw {
		rest, _ := bytes.CutPrefix(field, rule.Prefix)
		return append([]byte{}, rest...) // nil is NULL
	}
	return []byte(verify.Render(typ)(field, int64(len(field))))
}

// textRule encodes the text of a value of a type.
func textRule(typ string) convert.ValueRule {
	f, err := mysqlField(&schema.Column{Name: "value", Type: schema.Type{Name: "longtext"}}, typ)
	if err != nil {
		return convert.ValueRule{}
	}
	return f.rule
}

// encoded is the field of a text by a rule; false where the rule has none.
func encoded(rule convert.ValueRule, text []byte) ([]byte, bool) {
	switch {
	case rule.Raw:
		return append(slices.Clone(rule.Prefix), text...), true
	case rule.Encode == nil:
		return nil, false
	}
	field, err := rule.Encode(nil, text)
	return field, err == nil
}

// isValue reports whether a field is a value that the ledger has as text. The text is
// encoded by one of the rules, or as text of the column's type.
func (p *pair) isValue(i int, f *fingerprint.Field, v postgres.LedgerValue, rules ...convert.ValueRule) bool {
	typ := p.Columns[i].Type
	text := textRule(typ)
	switch {
	case f.Null || v.Null:
		return f.Null && v.Null
	case int64(len(v.Text)) < v.Size:
		// Only texts and bytes are that long: by their size, and by how they begin.
		start, _ := bytes.CutPrefix(f.Start, text.Prefix)
		n := min(len(start), len(v.Text))
		return f.Size-int64(len(text.Prefix)) == v.Size && bytes.Equal(start[:n], v.Text[:n])
	case !text.Raw && int64(len(f.Start)) == f.Size && render(typ)(f.Start, f.Size) == string(v.Text):
		return true
	}
	return slices.ContainsFunc(append(rules, text), func(rule convert.ValueRule) bool {
		field, ok := encoded(rule, v.Text)
		return ok && hashOf(p.Columns[i].Canon, field) == f.Hash
	})
}

// hashOf is the hash of a field as rows have it.
func hashOf(canon fingerprint.Canon, field []byte) fingerprint.Hash {
	if canon != nil {
		if one, err := canon(nil, field); err == nil {
			field = one
		}
	}
	return fingerprint.HashOf(field)
}
