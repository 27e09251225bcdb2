package migrate

import (
	"context"
	"fmt"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/ownership"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// planSchema plans a migration that makes the schema itself.
func (m *maker) planSchema(ctx context.Context) error {
	p := m.plan
	p.Load, p.Publish = m.opts.Schema, m.opts.Schema
	if m.opts.Schema == "" {
		p.Publish = m.opts.Publish
		p.Load = ownership.StagingName(p.Source.Database, p.Publish)
	} else {
		p.Mode = Direct
	}
	if err := m.planResume(ctx); err != nil {
		return err
	}
	if err := m.planHandOver(ctx); err != nil {
		return err
	}
	installed, err := m.source.InstalledComponents(ctx, p.Prefix)
	if err != nil {
		return err
	}
	declared, findings := convert.Declared(m.opts.Site, convert.DeclaredOptions{Engine: schema.Postgres, Prefix: p.Prefix})
	m.xmldbFindings(findings)
	live := m.live
	live.Views = nil // they are among what is left out
	target, found := convert.Target(declared, live, convert.TargetOptions{
		Prefix:  p.Prefix,
		Include: m.chosen,
		Create:  func(t schema.Table) bool { return m.creates(&t, installed) },
	})
	m.convertFindings(found)
	order := creationOrder(m.opts.Site, p.Prefix)
	for i := range target.Tables {
		t := m.table(&target.Tables[i])
		m.creation(&t)
		t.position = len(order)
		if n, ok := order[t.Target]; ok {
			t.position = n
		}
		p.Tables = append(p.Tables, t)
	}
	return nil
}

// creationOrder is the order in which Moodle's installer makes its tables. It
// matters: since PostgreSQL 18 a NOT NULL constraint has a name that is made of
// those of table and column, cut at 63 bytes and counted on when it is taken.
func creationOrder(site *xmldb.Site, prefix string) map[string]int {
	order := map[string]int{}
	for i, t := range site.Tables() {
		order[prefix+t.Name] = i
	}
	return order
}

// creates decides on a declared table that the source lacks. A plugin that is
// on the disk but not installed makes its tables when it is installed, and
// fails when they are there already.
func (m *maker) creates(t *schema.Table, installed map[string]string) bool {
	if t.Origin.Component == "core" {
		return true
	}
	_, ok := installed[t.Origin.Component]
	return ok
}

// planHandOver looks at the schemas of the target.
func (m *maker) planHandOver(ctx context.Context) error {
	p := m.plan
	check, err := ownership.Check(ctx, m.target, p.handing())
	if err != nil {
		return err
	}
	for _, problem := range check.Problems {
		leftOver := problem.Code == "staging-left-over" || p.Mode == Direct && problem.Code == "schema-not-empty"
		if leftOver && p.Resume != nil {
			continue
		}
		if leftOver && m.earlier != nil && problem.Severity == ownership.Blocker {
			problem.Hint = m.orResume(problem.Hint)
		}
		m.find(problemFinding(problem))
		if problem.Code == "staging-left-over" && problem.Severity != ownership.Blocker {
			p.dropsStaging = true
			p.Overwrites = append(p.Overwrites, problem.Message+" will be dropped")
		}
	}
	if p.dropsStaging {
		p.Prepare = append(p.Prepare, "DROP SCHEMA "+postgres.QuoteIdent(p.Load)+" CASCADE")
	}
	if p.Mode == Staged && p.Resume == nil {
		p.Prepare = append(p.Prepare, postgres.CreateSchema(p.Load))
	}
	p.Publishing, p.keeps = check.Statements, check.Kept != ""
	if check.Kept != "" && p.Replace {
		p.Overwrites = append(p.Overwrites, fmt.Sprintf("the schema %q will be renamed to %q", p.Publish, check.Kept))
	}
	return nil
}

// giveAway lists the statements that give the tables to their owner, before
// those that publish. Sequences and indexes follow their tables.
func (m *maker) giveAway() {
	p := m.plan
	if p.Owner == "" || p.Owner == m.target.Server().User {
		return
	}
	var statements []string
	for i := range p.Tables {
		o := postgres.Object{Kind: "TABLE", Identity: postgres.QuoteIdent(p.Load) + "." + postgres.QuoteIdent(p.Tables[i].Target)}
		statements = append(statements, postgres.SetOwner(o, p.Owner))
	}
	p.Publishing = append(statements, p.Publishing...)
}

// serverFindings passes on what the servers themselves say.
func (m *maker) serverFindings() {
	if w := m.source.Server().Warning; w != "" {
		m.find(Finding{Code: "source-version", Severity: Warning, Message: w})
	}
	// Each job copies with one session and builds with another; one more holds
	// the schema, and one makes tables.
	need := 2*m.plan.readers() + 2
	if most := m.target.Server().MaxConnections; most > 0 && need > most {
		m.find(Finding{
			Code: "too-many-jobs", Severity: Blocker,
			Message: fmt.Sprintf("%d jobs need %d sessions at the target, which allows %d in all", m.plan.Jobs, need, most),
			Hint:    fmt.Sprintf("use fewer, such as --jobs %d, or raise max_connections", max(1, (most-10)/4)),
		})
	}
}
