package proof

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// owners compares who owns the found tables and their sequences. Where both sides are
// PostgreSQL, tables of one role are expected to belong to one role again, be it
// another one; else all are expected to belong to the role that has most of them.
func (l *objectLook) owners(ctx context.Context) error {
	if l.found.postgres == nil {
		return nil
	}
	groups := map[string]string{} // the expected owner, by found table
	for from, to := range l.pairs {
		if e := l.expected.schema.Table(from); e != nil {
			groups[to] = e.Owner // empty on MySQL and MariaDB
		}
	}
	rights, err := l.found.postgres.SchemaRights(ctx, l.found.schema.Name, l.found.postgres.Server().User)
	if err != nil {
		return err
	}
	heirs := l.heirs(groups, rights.Owner)
	for i := range l.found.schema.Tables {
		t := &l.found.schema.Tables[i]
		if heir := heirs[groups[t.Name]]; t.Owner != heir {
			l.add(ObjectDifference{
				Code: CodeOwnerOther, Table: t.Name,
				Message: fmt.Sprintf("the table belongs to the role %q, not to %q as others do", t.Owner, heir),
				Hint:    postgres.AlterOwner(l.found.schema.Name, t.Name, heir),
			})
		}
	}
	for _, was := range slices.Sorted(maps.Keys(heirs)) {
		if heir := heirs[was]; was != "" && was != heir {
			l.add(ObjectDifference{
				Code: CodeOwnerOther, Object: heir, State: verify.Same,
				Message: fmt.Sprintf("what belongs to the role %q on the expected side belongs to %q", was, heir),
				Hint:    fmt.Sprintf("nothing, where that is meant; else: ALTER TABLE … OWNER TO %s", postgres.QuoteIdent(was)),
			})
		}
	}
	for _, role := range slices.Sorted(maps.Values(heirs)) {
		if err := l.schemaOwner(ctx, role); err != nil {
			return err
		}
	}
	return nil
}

// heirs are the roles that have most of the tables of each group; where two have
// the same number, it is the owner of the schema, or has the name of the expected owner.
func (l *objectLook) heirs(groups map[string]string, schemaOwner string) map[string]string {
	count := map[string]map[string]int{}
	for i := range l.found.schema.Tables {
		t := &l.found.schema.Tables[i]
		group := groups[t.Name]
		if count[group] == nil {
			count[group] = map[string]int{}
		}
		count[group][t.Owner]++
	}
	heirs := map[string]string{}
	for group, owners := range count {
		best := ""
		for _, role := range slices.Sorted(maps.Keys(owners)) {
			if best == "" || owners[role] > owners[best] || owners[role] == owners[best] && (role == group || role == schemaOwner && best != group) {
				best = role
			}
		}
		heirs[group] = best
	}
	return heirs
}

// schemaOwner looks whether the role that owns the tables can use them at all.
func (l *objectLook) schemaOwner(ctx context.Context, role string) error {
	name := l.found.schema.Name
	rights, err := l.found.postgres.SchemaRights(ctx, name, role)
	if err != nil {
		return err
	}
	d := ObjectDifference{Code: CodeOwnerOther, Object: name, Hint: postgres.SetSchemaOwner(name, role)}
	switch {
	case !rights.Use || !rights.Create:
		d.Message = fmt.Sprintf("the role %q owns the tables, but may not use the schema %q, or make tables in it", role, name)
	case rights.Owner != role && !rights.OwnerSuper:
		d.State = verify.Same
		d.Message = fmt.Sprintf("the role %q owns the tables, and %q the schema %q: who connects as %q may not be able to read them", role, rights.Owner, name, rights.Owner)
		d.Hint = "give the tables to the role as which the site connects: ALTER TABLE … OWNER TO, or 'moodledb migrate --owner'"
	default:
		return nil
	}
	l.add(d)
	return nil
}

// triggers reports triggers and rules of the expected side that are not found.
// Those of MySQL and MariaDB are not migrated: their code is in another dialect.
func (l *objectLook) triggers() {
	for i := range l.expected.schema.Tables {
		e := &l.expected.schema.Tables[i]
		f := l.found.schema.Table(l.pairs[e.Name])
		if f == nil {
			continue
		}
		for _, g := range e.Triggers {
			if slices.ContainsFunc(f.Triggers, func(h schema.Trigger) bool { return g == h }) {
				continue
			}
			d := ObjectDifference{
				Code: CodeTriggerMissing, Table: f.Name, Object: g.Name,
				Message: fmt.Sprintf("the expected side has the trigger %q (%s), and the other has not", g.Name, g.Event),
				Hint:    "make it as the expected side has it, if the site needs it",
			}
			if g.Rule {
				d.Message = strings.Replace(d.Message, "the trigger", "the rule", 1)
			}
			if l.crossed {
				d.State = verify.Same
				d.Message += "; triggers are not migrated, since their code is in the source's dialect"
			}
			l.add(d)
		}
	}
}

// flaws reports what is there and does not do what it is for. What the expected
// side has in the same way is told, and is no difference.
func (l *objectLook) flaws(ctx context.Context) error {
	if l.found.postgres == nil {
		return nil
	}
	found, err := l.found.postgres.Flaws(ctx, l.found.schema.Name)
	if err != nil {
		return err
	}
	known := map[[3]string]bool{}
	if l.expected.postgres != nil && len(found) > 0 {
		expected, err := l.expected.postgres.Flaws(ctx, l.expected.schema.Name)
		if err != nil {
			return err
		}
		for _, x := range expected {
			known[[3]string{string(x.Kind), l.pairs[x.Table], x.Name}] = true
		}
	}
	for _, x := range found {
		if l.found.schema.Table(x.Table) == nil {
			continue
		}
		d := ObjectDifference{Code: string(x.Kind), Table: x.Table, Object: x.Name, Hint: x.Remedy}
		switch x.Kind {
		case postgres.IndexInvalid:
			d.Message = fmt.Sprintf("the index is %s: no query uses it, and what it should hold unique may not be", x.Found)
		case postgres.ConstraintNotValid:
			d.Message = "the constraint is NOT VALID: rows that were there before were never looked at"
		case postgres.NotNullNotValid:
			d.Code = CodeConstraintNotValid
			d.Message = fmt.Sprintf("the NOT NULL of column %q is NOT VALID: rows that were there before were never looked at", x.Column)
			l.nullable[x.Table] = append(l.nullable[x.Table], x.Column)
		case postgres.TriggerDisabled:
			d.Message = fmt.Sprintf("the trigger, rule or constraint is %s: nothing enforces what it is for", x.Found)
		default:
			return fmt.Errorf("table %q: %q has the unknown flaw %q", x.Table, x.Name, x.Kind)
		}
		if known[[3]string{string(x.Kind), x.Table, x.Name}] {
			d.State = verify.Same
			d.Message += "; it is so on the expected side too"
		}
		l.add(d)
	}
	return nil
}

// nulls counts the NULLs in the columns that should have none, where the server
// does not see to that.
func (l *objectLook) nulls(ctx context.Context) error {
	for _, table := range slices.Sorted(maps.Keys(l.nullable)) {
		columns := l.nullable[table]
		slices.Sort(columns)
		columns = slices.Compact(columns)
		var counts []int64
		var err error
		if l.found.postgres != nil {
			counts, err = l.found.postgres.CountNulls(ctx, l.found.schema.Name, table, columns)
		} else {
			counts, err = l.found.mysql.CountNulls(ctx, l.found.schema.Name, table, columns)
		}
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			l.add(ObjectDifference{
				Code: CodeNullInNotNull, Table: table, Object: strings.Join(columns, ", "), State: verify.Unknown,
				Message: fmt.Sprintf("whether there are NULLs could not be told: %v", err),
			})
			continue
		}
		for i, n := range counts {
			if n == 0 {
				continue
			}
			d := ObjectDifference{
				Code: CodeNullInNotNull, Table: table, Object: columns[i],
				Message: fmt.Sprintf("%d rows have a NULL in the column, which is to be NOT NULL", n),
			}
			d.Hint = fmt.Sprintf("look at them: SELECT * FROM %s WHERE %s IS NULL", mysql.QuoteIdent(table), mysql.QuoteIdent(columns[i]))
			if l.found.postgres != nil {
				d.Hint = fmt.Sprintf("look at them: SELECT * FROM %s.%s WHERE %s IS NULL",
					postgres.QuoteIdent(l.found.schema.Name), postgres.QuoteIdent(table), postgres.QuoteIdent(columns[i]))
			}
			l.add(d)
		}
	}
	return nil
}
