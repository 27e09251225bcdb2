package migrate

import (
	"cmp"
	"strings"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// table plans the copy of one table: its columns, its rules and the statements.
func (m *maker) table(tp *convert.TablePlan) Table {
	dst := tp.Target
	t := Table{
		Target: dst.Name, Short: m.short(dst.Name), Declared: tp.Declared, Origin: dst.Origin, target: dst,
	}
	for i := range dst.Columns {
		if c := &dst.Columns[i]; c.AutoIncrement {
			t.Sequences = append(t.Sequences, Sequence{Name: sequenceName(&dst, c), Column: c.Name})
		}
	}
	t.Finish = []string{postgres.Analyze(m.plan.Load, dst.Name)}
	src := tp.Source
	if src == nil {
		t.Reason = "it is not at the source"
		return t
	}
	t.Source, t.source, t.Short = src.Name, *src, m.short(src.Name)
	// Only InnoDB's tables are as the snapshot's transactions saw them when they began.
	t.NoTransactions = src.StorageEngine != "" && !strings.EqualFold(src.StorageEngine, "InnoDB")
	t.Rows, t.Bytes = max(src.Rows, 0), max(src.Bytes, 0)
	for i := range t.Sequences {
		t.Sequences[i].Next = src.AutoIncrement
	}
	m.columns(&t, tp.Columns)
	if t.Reason = m.skipData(t.Short); t.Reason == "" && len(t.Columns) == 0 {
		t.Reason = "it has no column to copy"
	}
	t.Copy = t.Reason == ""
	return t
}

// short is a table's name without the prefix, whatever its case.
func (m *maker) short(name string) string {
	if hasPrefix(name, m.plan.Prefix) {
		return name[len(m.plan.Prefix):]
	}
	return name
}

// hasPrefix reports whether name begins with prefix, without regard to case:
// a server may keep names in lower case, whatever config.php says.
func hasPrefix(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// sequenceName is the name of the sequence behind a column.
func sequenceName(t *schema.Table, c *schema.Column) string {
	if c.Sequence != "" {
		return c.Sequence
	}
	return convert.SequenceName(t.Name, c.Name)
}

// columns spells the two statements of the copy.
func (m *maker) columns(t *Table, pairs []convert.ColumnPair) {
	if len(pairs) == 0 {
		return
	}
	key := rowKey(&t.source)
	var expressions, names []string
	for _, p := range pairs {
		expressions = append(expressions, p.Rule.Expression(mysql.QuoteIdent(p.Source.Name)))
		names = append(names, p.Target.Name)
		t.Columns = append(t.Columns, Column{
			Source: p.Source.Name, Target: p.Target.Name, Rule: p.Rule.Name,
			Key: key[strings.ToLower(p.Source.Name)], rule: p.Rule,
		})
	}
	// InnoDB keeps rows in the order of the primary key: asking for it costs
	// nothing there, and makes the n-th row the same one at every reading.
	var orderBy []string
	if pk := t.source.PrimaryKey(); pk != nil && len(key) > 0 && strings.EqualFold(t.source.StorageEngine, "InnoDB") {
		orderBy, t.KeyOrdered = pk.Columns(), true
	}
	t.expressions = expressions
	t.Query = mysql.Select(t.source.Name, expressions, mysql.Selection{OrderBy: orderBy})
	t.CopySQL = postgres.CopyStatement(m.plan.Load, t.target.Name, names)
	t.key, t.divisible = mysql.ChunkKeyOf(&t.source)
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
	t.creates, t.creation = true, postgres.CreateTable(schemaName, t.target)
	t.Before = append(t.Before, t.creation)
	if t.target.Comment != "" {
		t.Before = append(t.Before, postgres.CommentTable(schemaName, name, t.target.Comment))
	}
	for i := range t.target.Columns {
		if c := &t.target.Columns[i]; c.Comment != "" {
			t.Before = append(t.Before, postgres.CommentColumn(schemaName, name, c.Name, c.Comment))
		}
	}
	for _, x := range t.target.Indexes {
		build := Build{Name: x.Name, Statement: postgres.CreateIndex(schemaName, name, x)}
		if index, attach, ok := postgres.KeyByIndex(schemaName, name, x); ok {
			build.index, build.attach = index, attach
		} else {
			build.exclusive = x.Primary || x.Constraint
		}
		t.After = append(t.After, build)
	}
	t.Constraints = postgres.ConstraintStatements(schemaName, t.target)
}

// convertFindings passes findings of package convert on.
func (m *maker) convertFindings(findings []convert.Finding) {
	for _, f := range findings {
		severity := Blocker // an error, and whatever is not known
		switch f.Severity {
		case convert.Error:
		case convert.Warning:
			severity = Warning
		case convert.Info:
			severity = Info
		}
		object := cmp.Or(f.Column, f.Index, f.Constraint)
		m.find(Finding{
			Code: f.Code, Severity: severity, Table: f.Table, Object: object, Message: f.Message, Hint: f.Hint,
		})
	}
}
