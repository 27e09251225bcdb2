package migrate

import (
	"context"
	"fmt"
	"slices"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// planDataOnly plans a load into tables that Moodle's own installer made.
func (m *maker) planDataOnly(ctx context.Context) error {
	p := m.plan
	p.Mode = DataOnly
	p.Load = m.opts.Publish
	if m.opts.Schema != "" {
		p.Load = m.opts.Schema
	}
	p.Publish = p.Load
	if err := m.planResume(ctx); err != nil {
		return err
	}
	if err := m.checkRights(ctx); err != nil || p.Blocked() {
		return err
	}
	target, err := m.target.Inspect(ctx, p.Load)
	if err != nil {
		return err
	}
	target.Tables = slices.DeleteFunc(target.Tables, func(t schema.Table) bool { return p.madeBefore(t.Name) })
	live := m.live
	live.Views = nil // they are among what is left out
	fit, findings := convert.Fit(target, live, convert.FitOptions{Prefix: p.Prefix, Include: m.chosen})
	m.convertFindings(findings)
	for i := range fit.Tables {
		tp := &fit.Tables[i]
		if tp.Source == nil && !tp.Create {
			continue // the target has it, the source has not: it stays as it is
		}
		t := m.table(tp)
		if tp.Create {
			m.creation(&t)
		} else {
			m.existing(&t)
		}
		p.Tables = append(p.Tables, t)
	}
	if err := m.checkDeclared(target); err != nil {
		return err
	}
	return m.checkFilled(ctx)
}

// existing fills in the statements for a table that is there: its keys and
// indexes are put aside and made again by the definitions that it has now.
func (m *maker) existing(t *Table) {
	if m.opts.Truncate {
		t.Before = append(t.Before, postgres.TruncateTables(m.plan.Load, []string{t.Target}))
	}
	if !t.Copy {
		return
	}
	for _, x := range t.target.Indexes {
		t.After = append(t.After, Build{Name: x.Name, Statement: indexStatement(m.plan.Load, t.Target, &x)})
	}
	t.Constraints = postgres.ConstraintStatements(m.plan.Load, t.target)
}

// indexStatement is what makes an index of the target again.
func indexStatement(schemaName, table string, x *schema.Index) string {
	switch {
	case x.Primary:
		return postgres.AddPrimaryKey(schemaName, table, *x)
	case x.Definition != "":
		return x.Definition
	default:
		return postgres.CreateIndex(schemaName, table, *x)
	}
}

// checkRights looks whether the schema can be loaded and given to the owner.
func (m *maker) checkRights(ctx context.Context) error {
	name := m.plan.Load
	state, err := m.target.SchemaState(ctx, name)
	if err != nil {
		return err
	}
	switch {
	case !state.Exists:
		m.find(Finding{
			Code: "schema-missing", Severity: Blocker, Object: name,
			Message: fmt.Sprintf("there is no schema %q in the target", name),
			Hint:    "let Moodle's installer make its tables first, or name their schema",
		})
	case state.Tables == 0:
		m.find(Finding{
			Code: "schema-empty", Severity: Blocker, Object: name,
			Message: fmt.Sprintf("the schema %q of the target holds no table", name),
			Hint:    "let Moodle's installer make its tables first, or migrate without data-only",
		})
	case state.Held:
		m.find(Finding{
			Code: "schema-in-use", Severity: Blocker, Object: name,
			Message: fmt.Sprintf("another run of moodledb is loading into the schema %q", name),
			Hint:    "wait until it has ended",
		})
	}
	if m.opts.Owner == "" {
		return nil
	}
	role, err := m.target.Role(ctx, m.opts.Owner)
	if err != nil {
		return err
	}
	quoted := postgres.QuoteIdent(m.opts.Owner)
	switch {
	case !role.Exists:
		m.find(Finding{
			Code: "owner-missing", Severity: Blocker, Object: m.opts.Owner,
			Message: fmt.Sprintf("the role %q, which shall own everything, does not exist", m.opts.Owner),
			Hint:    "make it: CREATE ROLE " + quoted + " LOGIN PASSWORD '...'",
		})
	case !role.CanSet:
		m.find(Finding{
			Code: "owner-no-member", Severity: Blocker, Object: m.opts.Owner,
			Message: fmt.Sprintf("the role %q may not give objects to %q", m.target.Server().User, m.opts.Owner),
			Hint:    fmt.Sprintf("let an administrator run: GRANT %s TO %s", quoted, postgres.QuoteIdent(m.target.Server().User)),
		})
	}
	return nil
}

// checkFilled refuses tables that hold rows, unless they may be emptied.
func (m *maker) checkFilled(ctx context.Context) error {
	var names []string
	for i := range m.plan.Tables {
		if t := &m.plan.Tables[i]; !t.creates {
			names = append(names, t.Target)
		}
	}
	slices.Sort(names)
	filled, err := m.target.Filled(ctx, m.plan.Load, names)
	if err != nil {
		return err
	}
	for _, name := range filled {
		if m.plan.Resume != nil {
			continue // they hold what the run has loaded
		}
		if m.opts.Truncate {
			m.plan.Overwrites = append(m.plan.Overwrites, name)
			continue
		}
		m.find(Finding{
			Code: "table-not-empty", Severity: Blocker, Table: name,
			Message: fmt.Sprintf("table %q of the target holds rows", name),
			Hint:    m.orResume("give --truncate to empty the tables first"),
		})
	}
	return nil
}
