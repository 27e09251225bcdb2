package postgres

import (
	"fmt"
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
	have := f.have.Table(t.Table)
	if have == nil {
		return
	}
	t.Each(func(c diff.Change) { f.detach(c, have) }, diff.TableInherited)
	t.Each(func(c diff.Change) { f.removePartitions(c, have) }, diff.TablePartitioned)
	t.Each(func(c diff.Change) {
		f.add(diff.Fix{
			Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageWiden,
			Statements: []string{f.alter(have.Name, "SET LOGGED")}, Note: "the table is written anew",
		})
		have.Unlogged = false
	}, diff.TableUnlogged)
	t.Each(func(c diff.Change) {
		f.add(diff.Fix{
			Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageWiden,
			Statements: []string{f.alter(have.Name, "NO FORCE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY")},
			Note:       "the policies stay, without effect",
		})
		have.RowSecurity = false
	}, diff.TableRowSecurity)
	t.Each(func(c diff.Change) {
		owner := orElse(c.Expected, f.owner)
		if owner == "" {
			return
		}
		f.add(diff.Fix{
			Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageWiden,
			Statements: []string{f.alter(have.Name, "OWNER TO "+QuoteIdent(owner))},
			Note:       "only a superuser, or a member of both roles, may do it",
		})
		have.Owner, f.given[have.Name] = owner, true
		for i := range f.have.Sequences {
			if s := &f.have.Sequences[i]; s.OwnedByTable == have.Name {
				s.Owner = owner
			}
		}
	}, diff.TableOwner)
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
			Statements: []string{f.alter(have.Name, "RENAME TO "+QuoteIdent(want.Name))},
		})
		f.renameTable(have.Name, want.Name)
		return
	}
	f.add(diff.Fix{
		Table: want.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageAdd, Statements: f.newTable(want),
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

// newTable returns the statements that make an expected table without its
// foreign keys, and adds it to the schema.
func (f *fixer) newTable(want *schema.Table) []string {
	t := *want
	t.ForeignKeys, t.Partitioned, t.Inherited = nil, false, false
	t.Columns, t.Indexes, t.Checks = slices.Clone(t.Columns), slices.Clone(t.Indexes), slices.Clone(t.Checks)
	made := t
	made.Columns = slices.Clone(t.Columns)
	var after []string
	for i := range made.Columns {
		c := &made.Columns[i]
		if !c.AutoIncrement || c.Identity != "" {
			continue
		}
		t.Columns[i].Sequence, t.Columns[i].SequenceOwned = columnSequenceName(t.Name, c), true
		name := t.Columns[i].Sequence
		if f.sequence(name) == nil {
			f.addSequence(&t, &t.Columns[i])
			continue
		}
		// A serial column would get a sequence of another name beside the one that is there.
		c.AutoIncrement, c.Default = false, schema.Expression("nextval("+regclass(f.opts.Schema, name)+")")
		after = append(after, f.giveSequence(name, f.owner), OwnSequence(f.opts.Schema, name, t.Name, c.Name))
		f.ownSequence(name, t.Name, c.Name)
	}
	statements := createTable(f.opts.Schema, made)
	if t.Owner = f.owner; t.Owner != "" {
		statements = append(statements, f.alter(t.Name, "OWNER TO "+QuoteIdent(t.Owner)))
	}
	statements = append(statements, after...)
	for i := range t.Indexes {
		t.Indexes[i].Name = f.names.index(t.Name, &t.Indexes[i])
		statements = append(statements, CreateIndex(f.opts.Schema, t.Name, t.Indexes[i]))
	}
	for i := range t.Checks {
		t.Checks[i].Name = f.names.other(t.Checks[i].Name)
		statements = append(statements, AddCheck(f.opts.Schema, t.Name, t.Checks[i]))
	}
	if t.Comment != "" {
		statements = append(statements, CommentTable(f.opts.Schema, t.Name, t.Comment))
	}
	f.names.taken[t.Name] = true
	f.have.Tables = append(f.have.Tables, t)
	return slices.DeleteFunc(statements, func(s string) bool { return s == "" })
}

// dropRelation drops what is no table.
func (f *fixer) dropRelation(name string) string {
	kind := "VIEW"
	for _, v := range f.have.Views {
		switch {
		case v.Name == name && v.Foreign:
			kind = "FOREIGN TABLE"
		case v.Name == name && v.Materialized:
			kind = "MATERIALIZED VIEW"
		}
	}
	return "DROP " + kind + " IF EXISTS " + f.name(name)
}

// replaceView makes a table where a view stands.
func (f *fixer) replaceView(c diff.Change) {
	want := f.want.Table(orElse(c.Want, c.Table))
	if want == nil {
		return
	}
	name := c.FoundName()
	drop := f.dropRelation(name)
	f.have.Views = slices.DeleteFunc(f.have.Views, func(v schema.View) bool { return v.Name == name })
	f.destroyed[want.Name] = true
	f.add(diff.Fix{
		Table: c.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageDestroy,
		Statements: append([]string{drop}, f.newTable(want)...),
		Note:       "the rows that the view shows are not copied, and its definition is lost: keep both before",
	})
}

// detach takes a table out of its parents. Which they are only the server knows.
func (f *fixer) detach(c diff.Change, t *schema.Table) {
	table := regclass(f.opts.Schema, t.Name)
	body := fmt.Sprintf(`  FOR parent IN SELECT i.inhparent::pg_catalog.regclass AS name, c.relispartition AS partition
                FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
                WHERE i.inhrelid = %s
  LOOP
    IF parent.partition THEN
      EXECUTE pg_catalog.format('ALTER TABLE %%s DETACH PARTITION %%s', parent.name, %s);
    ELSE
      EXECUTE pg_catalog.format('ALTER TABLE %%s NO INHERIT %%s', %s, parent.name);
    END IF;
  END LOOP;
`, table, table, table)
	f.add(diff.Fix{
		Table: t.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageWiden,
		Statements: []string{block("DECLARE\n  parent record;\n", body)},
		Note:       "the parent no longer shows the rows of the table",
	})
	t.Inherited = false
}

// removePartitions copies a partitioned table to a plain one that takes its place.
func (f *fixer) removePartitions(c diff.Change, t *schema.Table) {
	tmp := f.names.other(clipName(t.Name, MaxIdentifier-6) + "_plain")
	var columns []string
	body := []string{
		"LOCK TABLE " + f.name(t.Name) + " IN ACCESS EXCLUSIVE MODE",
		fmt.Sprintf("CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING COMMENTS INCLUDING STORAGE)",
			f.name(tmp), f.name(t.Name)),
	}
	var serials []string
	for i := range t.Columns {
		column := &t.Columns[i]
		if column.Generated == schema.NotGenerated {
			columns = append(columns, column.Name)
		}
		if column.SequenceOwned && column.Identity == "" {
			serials = append(serials, OwnSequence(f.opts.Schema, column.Sequence, tmp, column.Name))
		}
		if column.Identity != "" {
			// The sequence goes with the old table; a serial one follows by the fix of the column.
			column.Identity, column.AutoIncrement, column.Sequence, column.SequenceOwned = "", false, "", false
		}
	}
	body = append(body, fmt.Sprintf("INSERT INTO %s (%s) SELECT %[2]s FROM %[3]s", f.name(tmp), quoteIdents(columns), f.name(t.Name)))
	if t.Owner != "" {
		body = append(body, f.alter(tmp, "OWNER TO "+QuoteIdent(t.Owner)))
	}
	body = append(body, serials...)
	body = append(body, "DROP TABLE "+f.name(t.Name), f.alter(tmp, "RENAME TO "+QuoteIdent(t.Name)))
	for _, x := range t.Indexes {
		body = append(body, CreateIndex(f.opts.Schema, t.Name, x))
	}
	for _, fk := range t.ForeignKeys {
		body = append(body, AddForeignKey(f.opts.Schema, t.Name, fk))
	}
	fix := diff.Fix{
		Table: t.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageWiden,
		Statements: []string{block("", "  "+strings.Join(body, ";\n  ")+";\n")},
		Note:       "the table is copied; privileges on it must be granted again, and it fails where a view or another table refers to it",
	}
	if len(t.Triggers) > 0 {
		fix.Stage, fix.Note = diff.StageDestroy, "triggers are lost; "+fix.Note
	}
	f.add(fix)
	t.Partitioned = false
}

// destroy is the pass for what loses data or code.
func (f *fixer) destroy(t *tableChanges) {
	t.Each(func(c diff.Change) { f.dropTrigger(t, c) }, diff.TriggerExtra)
	t.Each(func(c diff.Change) {
		name := c.FoundName()
		f.add(diff.Fix{
			Table: c.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageDestroy, Statements: []string{f.dropRelation(name)},
			Note: "nothing keeps a copy of the view: keep what pg_dump prints",
		})
		f.have.Views = slices.DeleteFunc(f.have.Views, func(v schema.View) bool { return v.Name == name })
	}, diff.ViewExtra)
	f.dropColumns(t)
	t.Each(func(c diff.Change) { f.dropTable(c) }, diff.TableExtra, diff.TableLeftover, diff.TableTemporary)
	t.Each(func(c diff.Change) {
		name := c.FoundName()
		if f.sequence(name) == nil {
			return
		}
		f.add(diff.Fix{
			Table: c.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageDestroy,
			Statements: []string{"DROP SEQUENCE IF EXISTS " + f.name(name)},
			Note:       "the sequence forgets what it has given out",
		})
		f.dropSequence(name)
	}, diff.SequenceExtra)
}

func (f *fixer) dropTrigger(t *tableChanges, c diff.Change) {
	have := f.have.Table(t.Table)
	if have == nil {
		return
	}
	name, kind := c.FoundName(), "TRIGGER"
	for _, x := range have.Triggers {
		if x.Name == name && x.Rule {
			kind = "RULE"
		}
	}
	f.add(diff.Fix{
		Table: have.Name, Codes: []diff.Code{c.Code}, Stage: diff.StageDestroy,
		Statements: []string{"DROP " + kind + " IF EXISTS " + QuoteIdent(name) + " ON " + f.name(have.Name)},
		Note:       "nothing keeps a copy of it: keep what pg_dump prints",
	})
	have.Triggers = slices.DeleteFunc(have.Triggers, func(x schema.Trigger) bool { return x.Name == name })
}

func (f *fixer) dropTable(c diff.Change) {
	name := c.FoundName()
	f.add(diff.Fix{
		Table: c.Table, Codes: []diff.Code{c.Code}, Stage: diff.StageDestroy,
		Statements: []string{"DROP TABLE IF EXISTS " + f.name(name)},
		Note:       "all rows of the table are lost",
	})
	f.have.Tables = slices.DeleteFunc(f.have.Tables, func(t schema.Table) bool { return t.Name == name })
	f.have.Sequences = slices.DeleteFunc(f.have.Sequences, func(s schema.Sequence) bool { return s.OwnedByTable == name })
}
