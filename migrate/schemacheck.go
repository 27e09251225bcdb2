package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// SchemaError is the error of a run whose schema is not as it was planned when
// all rows are there. Nothing is published then.
type SchemaError struct {
	Schema string
	// Problems say what differs, a line each.
	Problems []string
}

// Error names the first problems, and says what to do.
func (e *SchemaError) Error() string {
	const most = 10
	list := strings.Join(e.Problems[:min(most, len(e.Problems))], "\n  ")
	if len(e.Problems) > most {
		list += fmt.Sprintf("\n  and %d more", len(e.Problems)-most)
	}
	return fmt.Sprintf("the schema %q is not as it was planned and made:\n  %s\nsomebody, or an event trigger of the target, has changed it during the run: put it right and resume, or start over",
		e.Schema, list)
}

// Unwrap is [ErrDifferent].
func (e *SchemaError) Unwrap() error { return ErrDifferent }

// checkSchema compares what was made with what was planned, when all is
// loaded and before it is handed over: tables, columns, keys, indexes,
// constraints, owners, and the next values of sequences. A few queries of the
// catalogs tell all of it. What the run has not made itself, such as a trigger that was
// disabled before in tables of Moodle's installer, is only told.
func (r *run) checkSchema(ctx context.Context, result *Result) error {
	return r.step("check the schema", func() (detail string, err error) {
		var problems []string
		err = r.retried(ctx, "the look at the schema", func() error {
			problems, err = r.schemaProblems(ctx, result)
			return err
		})
		if err != nil {
			return "", err
		}
		if len(problems) == 0 {
			return english.Plural(len(r.plan.Tables), "table", "") + " as planned", nil
		}
		if err := r.undone(ctx); err != nil {
			return "", err
		}
		return "", &SchemaError{Schema: r.plan.Load, Problems: problems}
	})
}

// undone reports that the ledger has tables that are not complete: a crash of
// the target has taken away what was committed last, and it is made again.
func (r *run) undone(ctx context.Context) error {
	have, err := r.target.RunContents(ctx, r.id)
	if err != nil {
		return err
	}
	for _, t := range have.Tables {
		if t.State == postgres.TableWaiting || t.State == postgres.TableCopied {
			return fmt.Errorf("%w: a crash of the target has undone table %q", postgres.ErrIncomplete, t.Table)
		}
	}
	return nil
}

// schemaProblems looks at the loaded schema, and says what is not as planned.
func (r *run) schemaProblems(ctx context.Context, result *Result) ([]string, error) {
	have, err := r.target.Inspect(ctx, r.plan.Load)
	if err != nil {
		return nil, err
	}
	r.cut(&have)
	if err := r.target.ReadHighest(ctx, &have); err != nil {
		return nil, err
	}
	flaws, err := r.target.Flaws(ctx, r.plan.Load)
	if err != nil {
		return nil, err
	}
	want := r.plannedSchema(&have)
	var problems []string
	for _, c := range diff.Schemas(&want, &have, diff.Options{}) {
		if !r.ignores(c) {
			problems = append(problems, changeLine(c))
		}
	}
	problems = append(problems, r.sequenceProblems(&have)...)
	problems = append(problems, r.ownerProblems(&have)...)
	problems = append(problems, r.flawProblems(flaws, result)...)
	if r.plan.Mode != DataOnly {
		return problems, nil
	}
	journal, err := r.target.Journal(ctx, r.plan.Load)
	for _, e := range journal {
		problems = append(problems, fmt.Sprintf("table %q: %s %q was put aside and is not made again", e.Table, e.Kind, e.Name))
	}
	return problems, err
}

// cut leaves the tables of the plan. A staging schema is the run's alone, so
// that all of it counts.
func (r *run) cut(s *schema.Schema) {
	s.Elsewhere = nil // those of other schemas are none of the run's business
	if r.plan.Mode == Staged {
		return
	}
	ours, used := map[string]bool{}, map[string]bool{}
	for i := range r.plan.Tables {
		t := &r.plan.Tables[i]
		ours[t.Target] = true
		for _, q := range t.Sequences {
			used[q.Name] = true
		}
	}
	s.Tables = slices.DeleteFunc(s.Tables, func(t schema.Table) bool { return !ours[t.Name] })
	s.Sequences = slices.DeleteFunc(s.Sequences, func(q schema.Sequence) bool { return !used[q.Name] })
	s.Views = nil
}

// plannedSchema is what the target should hold. Of tables that were there
// before, it is what was there when the plan was made.
func (r *run) plannedSchema(have *schema.Schema) schema.Schema {
	var plan convert.Plan
	var there []schema.Sequence
	for i := range r.plan.Tables {
		t := &r.plan.Tables[i]
		plan.Tables = append(plan.Tables, convert.TablePlan{Target: t.target})
		if t.creates {
			continue
		}
		for _, q := range t.Sequences {
			if i := slices.IndexFunc(have.Sequences, func(h schema.Sequence) bool { return h.Name == q.Name }); i >= 0 {
				there = append(there, have.Sequences[i])
			}
		}
	}
	want := plan.Schema()
	for _, q := range there {
		want.Sequences = slices.DeleteFunc(want.Sequences, func(w schema.Sequence) bool { return w.Name == q.Name })
		want.Sequences = append(want.Sequences, q)
	}
	want.Sort()
	return want
}

// ignores reports whether a change is none of the run's doing. What an earlier
// attempt had put aside was not there when this one was planned, and is there now.
func (r *run) ignores(c diff.Change) bool {
	switch c.Code {
	case diff.TableOwner, diff.IndexInvalid: // see ownerProblems and flawProblems
		return true
	case diff.PrimaryKeyExtra, diff.IndexExtra, diff.IndexDuplicate, diff.ExclusionExtra, diff.ForeignKeyExtra:
		t := r.planned(c.Table)
		return t != nil && !t.creates
	default:
		return false
	}
}

// planned is the plan of a table of the target; nil when there is none.
func (r *run) planned(name string) *Table {
	for i := range r.plan.Tables {
		if r.plan.Tables[i].Target == name {
			return &r.plan.Tables[i]
		}
	}
	return nil
}

// changeLine says in one line what differs.
func changeLine(c diff.Change) string {
	line := fmt.Sprintf("table %q: ", c.Table)
	if c.Object != "" && c.Object != c.Table {
		line += fmt.Sprintf("%s %q: ", c.Kind, c.Object)
	}
	line += c.Message
	if c.Expected != "" && !strings.Contains(c.Message, c.Found) {
		line += fmt.Sprintf(" (planned %s, found %s)", c.Expected, c.Found)
	}
	return line + " [" + string(c.Code) + "]"
}

// sequenceProblems looks whether sequences go on above what the source has given
// out. That they are above the highest id, package diff looks.
func (r *run) sequenceProblems(have *schema.Schema) []string {
	var problems []string
	for i := range r.plan.Tables {
		t := &r.plan.Tables[i]
		for _, q := range t.Sequences {
			i := slices.IndexFunc(have.Sequences, func(h schema.Sequence) bool { return h.Name == q.Name })
			if i < 0 {
				continue // told as missing
			}
			s := &have.Sequences[i]
			if s.Last < 0 || s.Increment <= 0 || s.Last == 0 && !s.Called {
				continue // one that the role may not read, or that was there and counts in its own way
			}
			next := uint64(s.Last)
			if s.Called {
				next += uint64(s.Increment)
			}
			if least := r.autoIncrement(t, q); next < min(least, uint64(s.Max)) {
				problems = append(problems, fmt.Sprintf("table %q: the next value of sequence %q is %d, and the source's is %d", t.Target, q.Name, next, least))
			}
		}
	}
	return problems
}

// ownerProblems looks whose the tables are that the run has made: its own, or
// already the owner's when an earlier attempt has come that far.
func (r *run) ownerProblems(have *schema.Schema) []string {
	var problems []string
	user := r.target.Server().User
	for i := range have.Tables {
		t := &have.Tables[i]
		if p := r.planned(t.Name); p == nil || !p.creates || t.Owner == user || t.Owner == r.plan.Owner {
			continue
		}
		problems = append(problems, fmt.Sprintf("table %q: it belongs to the role %q, not to %q, which has made it", t.Name, t.Owner, user))
	}
	return problems
}

// flawProblems judges what is there and does not do what it is for. In tables
// that were there before, it was so before: only an index is made by the run.
func (r *run) flawProblems(flaws []postgres.Flaw, result *Result) []string {
	var problems []string
	for _, x := range flaws {
		t := r.planned(x.Table)
		switch {
		case t == nil:
		case t.creates || x.Kind == postgres.IndexInvalid:
			problems = append(problems, fmt.Sprintf("table %q: %q is %s [%s]", x.Table, x.Name, x.Found, x.Kind))
		default:
			f := Finding{
				Code: string(x.Kind), Severity: Warning, Table: x.Table, Object: x.Name,
				Message: fmt.Sprintf("%q of table %q is %s, as it was before", x.Name, x.Table, x.Found), Hint: x.Remedy,
			}
			if !slices.Contains(result.Findings, f) { // of an earlier look
				result.Findings = append(result.Findings, f)
			}
		}
	}
	return problems
}

// checkDeclared tells what in the tables of Moodle's installer is not as the
// code declares it, where the code is known: they stay as they are. While a run is
// unfinished, keys and indexes are put aside, and nothing can be told.
func (m *maker) checkDeclared(target schema.Schema) error {
	if m.opts.Site == nil || m.earlier != nil {
		return nil
	}
	loaded := map[string]bool{}
	for i := range m.plan.Tables {
		if t := &m.plan.Tables[i]; !t.creates {
			loaded[t.Target] = true
		}
	}
	r, err := drift.Declared(m.opts.Site, &drift.Side{Schema: target, Prefix: m.plan.Prefix}, drift.Options{})
	if err != nil {
		return err
	}
	var names []string
	lines := map[string][]string{}
	for _, c := range r.Changes {
		if !loaded[c.Table] || !c.Severity.AtLeast(diff.Warning) || undeclared(c) {
			continue
		}
		if len(lines[c.Table]) == 0 {
			names = append(names, c.Table)
		}
		lines[c.Table] = append(lines[c.Table], strings.TrimPrefix(changeLine(c), fmt.Sprintf("table %q: ", c.Table)))
	}
	for _, name := range names {
		message := fmt.Sprintf("table %q of the target is not as the code declares it: %s", name, lines[name][0])
		if more := len(lines[name]) - 1; more > 0 {
			message += fmt.Sprintf(", and %d more", more)
		}
		m.find(Finding{
			Code: "schema-differs", Severity: Warning, Table: name, Message: message,
			Hint: "the table is loaded as it is; 'moodledb diff' of the target with --code shows all, and --format sql what to do",
		})
	}
	return nil
}

// undeclared reports whether a change is about a table that the code does not
// declare at all, such as one that Totara makes while it runs, or about the code itself.
func undeclared(c diff.Change) bool {
	switch c.Code {
	case diff.TableExtra, diff.TablePluginRemoved, diff.TableRunTime, diff.TableLeftover, diff.TableTemporary, diff.TableOtherPrefix:
		return true
	default:
		return c.Kind == diff.KindDefinition
	}
}
