package mysql

import (
	"slices"
	"strings"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/schema"
)

// table is the pass for tables as a whole.
func (f *fixer) table(t *tableChanges) {
	t.Each(func(c diff.Change) { f.createTable(c) }, diff.TableMissing)
	t.Each(func(c diff.Change) { f.replaceView(c) }, diff.TableIsView)
	t.Each(func(c diff.Change) {
		f.add(diff.Fix{
			Table: c.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageManual,
			Note: "which of the two relations is the right one, only people can tell",
		})
	}, diff.TableShadowed)
	t.Each(func(c diff.Change) {
		f.add(diff.Fix{
			Table: c.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageManual,
			Note: "Moodle drops the table, and what else the plugin has left, when the plugin is uninstalled",
		})
	}, diff.TablePluginRemoved)
	if have := findTable(f.have, t.Table); have != nil {
		f.dropVersioning(t, have)
		f.removePartitions(t, have)
		f.options(t, have)
		t.Each(func(c diff.Change) {
			f.add(diff.Fix{
				Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageAdd,
				// InnoDB takes the next value above the highest id instead of 1.
				Statements: []string{f.alter(have.Name, "AUTO_INCREMENT=1")},
			})
			for i := range have.Columns {
				if have.Columns[i].AutoIncrement {
					have.AutoIncrement = uint64(max(have.Columns[i].Highest, 0)) + 1
				}
			}
		}, diff.SequenceBehind)
	}
}

// createTable makes a table with its keys and indexes. Foreign keys follow,
// since they may refer to tables that are not there yet.
func (f *fixer) createTable(c diff.Change) {
	want := f.want.Table(orElse(c.Want, c.Table))
	if want == nil && c.Kind == diff.KindView {
		f.add(diff.Fix{
			Table: c.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageManual,
			Note: "make the view as the other database has it: its definition names what is there",
		})
	}
	if want == nil || f.have.Table(want.Name) != nil {
		return
	}
	if have := f.have.Table(c.Have); have != nil { // of another case
		f.add(diff.Fix{
			Table: want.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageWiden,
			Statements: []string{"RENAME TABLE " + QuoteIdent(have.Name) + " TO " + QuoteIdent(want.Name)},
		})
		f.renameTable(have.Name, want.Name)
		return
	}
	f.add(diff.Fix{
		Table: want.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageAdd,
		Statements: []string{CreateTable(f.newTable(want))},
	})
}

// renameTable renames a table in the schema, with what refers to it.
func (f *fixer) renameTable(from, to string) {
	for i := range f.have.Tables {
		t := &f.have.Tables[i]
		if t.Name == from {
			t.Name = to
		}
		for j := range t.ForeignKeys {
			if t.ForeignKeys[j].RefTable == from {
				t.ForeignKeys[j].RefTable = to
			}
		}
	}
	for i := range f.have.Sequences {
		if f.have.Sequences[i].OwnedByTable == from {
			f.have.Sequences[i].OwnedByTable = to
		}
	}
}

// newTable adds an expected table to the schema, without its foreign keys.
func (f *fixer) newTable(want *schema.Table) schema.Table {
	t := *want
	t.ForeignKeys, t.AutoIncrement = nil, 0
	t.Partitioned, t.SystemVersioned = false, false
	t.Columns, t.Indexes, t.Checks = slices.Clone(t.Columns), slices.Clone(t.Indexes), slices.Clone(t.Checks)
	for i := range t.Indexes {
		if !t.Indexes[i].Primary {
			t.Indexes[i].Name = f.names.index(t.Name, &t.Indexes[i])
		}
	}
	for i := range t.Checks {
		t.Checks[i].Name = f.names.constraint(t.Checks[i].Name)
	}
	f.have.Tables = append(f.have.Tables, t)
	return t
}

// replaceView makes a table where a view stands.
func (f *fixer) replaceView(c diff.Change) {
	want := findTable(f.want, orElse(c.Want, c.Table))
	if want == nil {
		return
	}
	name := c.FoundName()
	f.have.Views = slices.DeleteFunc(f.have.Views, func(v schema.View) bool { return v.Name == name })
	f.destroyed[strings.ToLower(want.Name)] = true
	f.add(diff.Fix{
		Table: c.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageDestroy,
		Statements: []string{"DROP VIEW " + QuoteIdent(name), CreateTable(f.newTable(want))},
		Note:       "the rows that the view shows are not copied, and its definition is lost: keep both before",
	})
}

func (f *fixer) dropView(c diff.Change) {
	name := c.FoundName()
	f.add(diff.Fix{
		Table: c.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageDestroy,
		Statements: []string{"DROP VIEW IF EXISTS " + QuoteIdent(name)},
		Note:       "nothing keeps a copy of the view: keep what SHOW CREATE VIEW prints",
	})
	f.have.Views = slices.DeleteFunc(f.have.Views, func(v schema.View) bool { return v.Name == name })
}

func (f *fixer) dropTable(c diff.Change) {
	name := c.FoundName()
	f.add(diff.Fix{
		Table: c.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageDestroy,
		Statements: []string{"DROP TABLE IF EXISTS " + QuoteIdent(name)},
		Note:       "all rows of the table are lost",
	})
	f.have.Tables = slices.DeleteFunc(f.have.Tables, func(t schema.Table) bool { return t.Name == name })
}

// dropVersioning ends the history of rows. Until it is gone MariaDB alters the
// table only when it is told to keep the history as it is.
func (f *fixer) dropVersioning(t *tableChanges, have *schema.Table) {
	t.Each(func(c diff.Change) {
		clauses := []string{"DROP SYSTEM VERSIONING"}
		if start, end := rowColumn(*have, rowStart), rowColumn(*have, rowEnd); start != "" && end != "" {
			clauses = []string{
				"DROP COLUMN " + QuoteIdent(start), "DROP COLUMN " + QuoteIdent(end),
				"DROP PERIOD FOR SYSTEM_TIME", "DROP SYSTEM VERSIONING",
			}
		}
		f.add(diff.Fix{
			Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageDestroy,
			Statements: []string{f.alter(have.Name, clauses...)},
			Note:       "the former versions of the rows are lost",
		})
	}, diff.TableVersioned)
}

// keepHistory precedes statements that alter a table which keeps its history.
func keepHistory(t *schema.Table, statements ...string) []string {
	if !t.SystemVersioned {
		return statements
	}
	return append([]string{"SET SESSION system_versioning_alter_history = KEEP"}, statements...)
}

func (f *fixer) removePartitions(t *tableChanges, have *schema.Table) {
	t.Each(func(c diff.Change) {
		f.add(diff.Fix{
			Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageWiden,
			Statements: keepHistory(have, f.alter(have.Name, "REMOVE PARTITIONING")),
			Note:       "the table is copied",
		})
		have.Partitioned = false
	}, diff.TablePartitioned)
}

// options changes engine, row format and default collation in one statement.
func (f *fixer) options(t *tableChanges, have *schema.Table) {
	want := findTable(f.want, t.Table)
	if want == nil {
		return
	}
	var clauses []string
	var codes []diff.Code
	var note string
	t.Each(func(c diff.Change) {
		if len(have.Columns) == 0 { // the server cannot open it
			f.add(diff.Fix{
				Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageManual,
				Note: "the server cannot open the table: mend it or take it from a backup",
			})
			return
		}
		codes = append(codes, c.Code)
		have.StorageEngine, have.RowFormat = orElse(want.StorageEngine, "InnoDB"), "Dynamic"
		clauses = append(clauses, "ENGINE="+have.StorageEngine, "ROW_FORMAT=Dynamic")
		note = "the table is copied"
	}, diff.TableEngine)
	t.Each(func(c diff.Change) {
		codes = append(codes, c.Code)
		if len(clauses) == 0 {
			clauses = append(clauses, "ROW_FORMAT=Dynamic")
			have.RowFormat = "Dynamic"
		}
		note = "the table is copied"
	}, diff.TableRowFormat)
	t.Each(func(c diff.Change) {
		codes = append(codes, c.Code)
		clauses = append(clauses, defaultCollation(want))
		have.Charset, have.Collation = want.Charset, want.Collation
	}, diff.TableCollation)
	if len(clauses) == 0 {
		return
	}
	fix := diff.Fix{Table: have.Name, Codes: codes, Stage: diff.StageWiden, Note: note, Statements: []string{f.alter(have.Name, clauses...)}}
	switch {
	case !have.SystemVersioned:
	case slices.Contains(codes, diff.TableEngine):
		// MariaDB refuses to change the engine of a table that keeps its history.
		fix.Stage, fix.Note = diff.StageDestroy, note+"; the history of the rows must go first"
	default:
		fix.Statements = keepHistory(have, fix.Statements...)
	}
	f.add(fix)
}

// defaultCollation spells the defaults of a table's new columns; those that it has keep theirs.
func defaultCollation(t *schema.Table) string {
	clause := "DEFAULT"
	if strings.HasPrefix(t.Collation, t.Charset+"_") && t.Charset != "uca1400" {
		clause += " CHARACTER SET " + t.Charset
	}
	return clause + " COLLATE " + t.Collation
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
