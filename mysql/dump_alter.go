package mysql

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/moodledb/moodledb/schema"
)

// newSequence makes a sequence of its options, with the defaults of MariaDB.
func newSequence(name string, options []*ast.SequenceOption) schema.Sequence {
	q := schema.Sequence{Name: name, Type: "bigint", Increment: 1}
	var least, most, start *int64
	for _, o := range options {
		switch o.Tp {
		case ast.SequenceOptionIncrementBy:
			q.Increment = o.IntValue
		case ast.SequenceStartWith:
			start = &o.IntValue
		case ast.SequenceMinValue:
			least = &o.IntValue
		case ast.SequenceMaxValue:
			most = &o.IntValue
		case ast.SequenceCycle:
			q.Cycle = true
		default: // how many values a server takes at once
		}
	}
	q.Min, q.Max = 1, 9223372036854775806
	if q.Increment < 0 {
		q.Min, q.Max = -9223372036854775807, -1
	}
	if least != nil {
		q.Min = *least
	}
	if most != nil {
		q.Max = *most
	}
	q.Start = q.Min
	if q.Increment < 0 {
		q.Start = q.Max
	}
	if start != nil {
		q.Start = *start
	}
	q.Last = q.Start
	return q
}

// setval carries out SETVAL(sequence, value, used) of a dump with positions.
func (d *dumpReader) setval(src *source) {
	args := src.list(3, src.group(2, len(src.tokens))-1)
	if len(args) < 2 {
		return
	}
	_, name, _ := src.qualifiedName(args[0][0])
	next, err := strconv.ParseInt(src.slice(args[1][0], args[1][1]), 10, 64)
	if err != nil {
		return
	}
	used := len(args) < 3 || src.slice(args[2][0], args[2][1]) != "0"
	for i := range d.current.schema.Sequences {
		q := &d.current.schema.Sequences[i]
		if q.Name != name {
			continue
		}
		if used {
			next += q.Increment
		}
		if q.Called = next != q.Start; q.Called {
			q.Last = next - q.Increment
		}
	}
}

// createIndex carries out CREATE INDEX as the ALTER TABLE that it stands for.
// The kind is at token kind, the name of the index at i.
func (d *dumpReader) createIndex(src *source, kind, i int) error {
	on := i + 1
	for on < len(src.tokens) && !src.is(on, "ON") {
		on++
	}
	_, table, next := src.qualifiedName(on + 1)
	what := "KEY "
	if src.isAny(kind-1, "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR") {
		what = src.at(kind-1) + " KEY "
	}
	text := what + src.slice(i, on) + " " + src.slice(next, len(src.tokens))
	key, err := lex(text, false)
	if err != nil {
		return err
	}
	b := &tableSource{source: key}
	if err := b.element(0, len(key.tokens)); err != nil {
		return err
	}
	return d.change(table, b, nil)
}

// alter carries out ALTER TABLE as far as dumps have it: phpMyAdmin adds keys
// and AUTO_INCREMENT after the rows.
func (d *dumpReader) alter(src *source) error {
	kind := readHead(src).kind
	if !src.is(kind, "TABLE") {
		return nil // ALTER DATABASE, ALTER USER
	}
	_, table, next := src.qualifiedName(ifExists(src, kind+1))
	b := &tableSource{source: *src}
	var old []string
	for _, p := range src.list(next, len(src.tokens)) {
		name, err := b.alteration(p[0], p[1])
		if err != nil {
			return err
		}
		for len(old) < len(b.columns) {
			old = append(old, name)
		}
	}
	return d.change(table, b, old)
}

// alteration reads one alteration of ALTER TABLE. It returns the name of the
// column that a changed one replaces; "" for a new one.
func (b *tableSource) alteration(lo, hi int) (old string, err error) {
	i := lo + 1
	switch {
	case b.isAny(lo, "ENABLE", "DISABLE") && b.is(lo+1, "KEYS"), b.is(lo, "ADD", "PARTITION"), b.is(lo, "FORCE"):
		return "", nil
	case b.is(lo, "ADD"):
		if b.is(i, "COLUMN") {
			i++
		}
		return "", b.element(ifExists(&b.source, i), hi)
	case b.is(lo, "MODIFY"):
		if b.is(i, "COLUMN") {
			i++
		}
		i = ifExists(&b.source, i)
		return b.name(i), b.column(i, hi)
	case b.is(lo, "CHANGE"):
		if b.is(i, "COLUMN") {
			i++
		}
		i = ifExists(&b.source, i)
		return b.name(i), b.column(i+1, hi)
	case b.is(lo+1, "="), b.is(lo, "PARTITION", "BY"), b.is(lo, "ADD", "SYSTEM"):
		b.tableOptions(lo, hi)
		return "", nil
	}
	return "", fmt.Errorf("it does %q to the table", b.slice(lo, min(hi, lo+6)))
}

// change applies the columns, keys and options of b to a table. old names the
// columns that those of b replace.
func (d *dumpReader) change(table string, b *tableSource, old []string) error {
	t := d.current.schema.Table(table)
	if t == nil {
		return fmt.Errorf("it changes %q: %w", table, errNoTable)
	}
	if len(b.lines) > 0 {
		created, err := d.table.define(b)
		if err != nil {
			return err
		}
		if err := d.table.changeColumns(t, created.Cols, b.columns, old); err != nil {
			return err
		}
		d.table.constraints(t, created, b)
	}
	o := b.options
	if n, err := strconv.ParseUint(o.autoIncrement, 10, 64); err == nil {
		t.AutoIncrement = n
	}
	t.Comment = cmp.Or(o.comment, t.Comment)
	if o.engine != "" {
		t.StorageEngine = o.engine
		t.RowFormat = rowFormat(o, t)
	}
	t.Partitioned = t.Partitioned || o.partitioned
	return nil
}

// changeColumns adds columns to a table, or puts them in the place of old ones.
func (p *tableBuilder) changeColumns(t *schema.Table, defs []*ast.ColumnDef, clauses []columnClauses, old []string) error {
	for i, def := range defs {
		c, err := p.column(t, def, clauses[i])
		if err != nil {
			return err
		}
		at := len(t.Columns)
		if i < len(old) && old[i] != "" {
			at = slices.IndexFunc(t.Columns, func(x schema.Column) bool { return strings.EqualFold(x.Name, old[i]) })
			if at < 0 {
				return fmt.Errorf("it changes the column %q, which the table has not", old[i])
			}
			if key := t.PrimaryKey(); key != nil && slices.Contains(key.Columns(), t.Columns[at].Name) {
				c.NotNull = true
			}
			renameColumn(t, t.Columns[at].Name, c.Name)
			t.Columns = slices.Delete(t.Columns, at, at+1)
		}
		switch after := clauses[i].after; {
		case clauses[i].first:
			at = 0
		case after != "":
			at = 1 + slices.IndexFunc(t.Columns, func(x schema.Column) bool { return strings.EqualFold(x.Name, after) })
		}
		t.Columns = slices.Insert(t.Columns, at, c)
		p.columnKeys(t, def)
		p.columnCheck(t, &t.Columns[at], clauses[i])
	}
	return nil
}

// renameColumn spells the parts of keys as the column is called now.
func renameColumn(t *schema.Table, from, to string) {
	for i := range t.Indexes {
		for j := range t.Indexes[i].Parts {
			if t.Indexes[i].Parts[j].Column == from {
				t.Indexes[i].Parts[j].Column = to
			}
		}
	}
	for i := range t.ForeignKeys {
		for j, name := range t.ForeignKeys[i].Columns {
			if name == from {
				t.ForeignKeys[i].Columns[j] = to
			}
		}
	}
}
