package migrate

import (
	"fmt"
	"strings"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// table plans one table: which columns are copied by which rules, and the
// statements of the copy. src is nil for a table that is only created.
func (m *maker) table(src *schema.Table, dst schema.Table) Table {
	t := Table{
		Target: dst.Name, Short: strings.TrimPrefix(dst.Name, m.plan.Prefix), Declared: dst.Origin.Declared(),
		Origin: dst.Origin, target: dst,
	}
	for i := range dst.Columns {
		if c := &dst.Columns[i]; c.AutoIncrement {
			t.Sequences = append(t.Sequences, Sequence{Name: sequenceName(&dst, c), Column: c.Name})
		}
	}
	if src == nil {
		t.Reason = "it is not at the source"
		return t
	}
	t.Source, t.source = src.Name, *src
	t.Short = strings.TrimPrefix(src.Name, m.plan.Prefix)
	t.Rows, t.Bytes = max(src.Rows, 0), max(src.Bytes, 0)
	for i := range t.Sequences {
		t.Sequences[i].Next = src.AutoIncrement
	}
	m.columns(&t)
	if t.Reason = m.skipData(t.Short); t.Reason == "" && len(t.Columns) == 0 {
		t.Reason = "it has no column to copy"
	}
	t.Copy = t.Reason == ""
	return t
}

// sequenceName is the name of the sequence behind a column.
func sequenceName(t *schema.Table, c *schema.Column) string {
	if c.Sequence != "" {
		return c.Sequence
	}
	return postgres.SequenceName(t.Name, c.Name)
}

// columns pairs the columns of both ends, in the order of the target's.
func (m *maker) columns(t *Table) {
	key := rowKey(&t.source)
	ordered := len(key) > 0 && strings.EqualFold(t.source.StorageEngine, "InnoDB")
	var expressions, names []string
	for i := range t.target.Columns {
		dst := &t.target.Columns[i]
		src := t.source.Column(dst.Name)
		if src == nil || dst.Generated != schema.NotGenerated {
			continue
		}
		rule, err := convert.Value(*src, *dst)
		if err != nil {
			m.find(Finding{
				Code: "column-does-not-fit", Severity: Blocker, Table: t.source.Name, Object: src.Name,
				Component: dst.Origin.Component, File: dst.Origin.File, Line: dst.Origin.Line, Message: err.Error(),
				Hint: "change the column's type at the source to what is declared, or exclude the table",
			})
			continue
		}
		expressions = append(expressions, rule.Expression(mysql.QuoteIdent(src.Name)))
		names = append(names, dst.Name)
		t.Columns = append(t.Columns, Column{
			Source: src.Name, Target: dst.Name, Rule: rule.Name, Key: key[strings.ToLower(src.Name)], rule: rule,
		})
	}
	if len(names) == 0 {
		return
	}
	var orderBy []string
	if pk := t.source.PrimaryKey(); ordered && pk != nil {
		orderBy, t.KeyOrdered = pk.Columns(), true
	}
	t.Query = mysql.Select(t.source.Name, expressions, orderBy)
	t.CopySQL = postgres.CopyStatement(m.plan.Load, t.target.Name, names)
}

// rowKey returns the columns that name a row in messages, in lower case: those
// of the primary key, else of the first unique index of plain columns.
func rowKey(t *schema.Table) map[string]bool {
	best := t.PrimaryKey()
	for i := range t.Indexes {
		if x := &t.Indexes[i]; best == nil && x.Unique {
			best = x
		}
	}
	if best == nil {
		return nil
	}
	key := map[string]bool{}
	for _, p := range best.Parts {
		if p.Column == "" || p.Prefix > 0 {
			return nil
		}
		key[strings.ToLower(p.Column)] = true
	}
	return key
}

// creation fills in the statements that make a table and its keys and indexes.
func (m *maker) creation(t *Table) {
	name, schemaName := t.target.Name, m.plan.Load
	t.creates = true
	t.Before = append(t.Before, postgres.CreateTable(schemaName, t.target))
	if t.target.Comment != "" {
		t.Before = append(t.Before, postgres.CommentTable(schemaName, name, t.target.Comment))
	}
	for i := range t.target.Columns {
		if c := &t.target.Columns[i]; c.Comment != "" {
			t.Before = append(t.Before, postgres.CommentColumn(schemaName, name, c.Name, c.Comment))
		}
	}
	for _, x := range t.target.Indexes {
		if x.Primary {
			t.After = append(t.After, Build{Name: x.Name, Statement: postgres.AddPrimaryKey(schemaName, name, x)})
		} else {
			t.After = append(t.After, Build{Name: x.Name, Statement: postgres.CreateIndex(schemaName, name, x)})
		}
	}
	t.Constraints = postgres.ConstraintStatements(schemaName, t.target)
}

// convertFindings passes findings of package convert on.
func (m *maker) convertFindings(findings []convert.Finding) {
	for _, f := range findings {
		severity := Warning
		switch f.Severity {
		case convert.Error:
			severity = Blocker
		case convert.Info:
			severity = Info
		}
		object := f.Column
		if object == "" {
			object = f.Index
		}
		m.find(Finding{
			Code: f.Code, Severity: severity, Table: f.Table, Object: object, Message: f.Message, Hint: f.Hint,
		})
	}
}

// plural is "1 table" or "2 tables".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
