package migrate

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// maker is the state of one Make.
type maker struct {
	source *mysql.DB
	target *postgres.DB
	opts   Options
	plan   *Plan
	// live is the source as it is; site is the part of it that is to be migrated.
	live schema.Schema
	site schema.Schema
	// earlier is an unfinished run into the same schema; nil when there is none.
	earlier *postgres.RunRecord
}

// Make looks at both servers and returns the plan of a migration. It writes
// nothing. What stands in the way is a [Blocker] among the plan's findings; an
// error means that no plan could be made.
func Make(ctx context.Context, source *mysql.DB, target *postgres.DB, opts Options) (*Plan, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &maker{source: source, target: target, opts: opts}
	m.plan = &Plan{
		Mode: Staged, Source: m.sourceEnd(), Target: m.targetEnd(), Owner: opts.Owner, Jobs: opts.Jobs, Memory: opts.Memory,
		Replace: opts.Replace, Truncate: opts.Truncate, Chunk: opts.Chunk, Patience: opts.Patience, Policy: opts.Policy, Tool: opts.Tool, Verify: opts.Verify, Sample: max(opts.Sample, 0),
	}
	if err := m.look(ctx); err != nil {
		return nil, err
	}
	if err := m.choose(); err != nil {
		return nil, err
	}
	if err := m.leavePrograms(ctx); err != nil {
		return nil, err
	}
	access, err := m.checkAccess(ctx)
	if err != nil {
		return nil, err
	}
	if err := m.checkLedger(ctx); err != nil {
		return nil, err
	}
	m.siteFindings()
	switch {
	case opts.DataOnly:
		err = m.planDataOnly(ctx)
	default:
		err = m.planSchema(ctx)
	}
	if err == nil {
		err = m.planLoad(ctx)
	}
	if err == nil {
		err = m.planSnapshot(ctx, access)
	}
	if err != nil {
		return nil, err
	}
	m.serverFindings()
	m.advise()
	m.giveAway()
	m.checkResume()
	m.sort()
	return m.plan, nil
}

func (m *maker) sourceEnd() Endpoint {
	s := m.source.Server()
	return Endpoint{Engine: s.Engine, Version: s.Version, Address: m.source.Address(), Database: m.source.DSN().Database}
}

func (m *maker) targetEnd() Endpoint {
	return Endpoint{
		Engine: schema.Postgres, Version: m.target.Server().Version, Address: m.target.Address(), Database: m.target.Server().Database,
	}
}

// look inspects the source and finds the prefix.
func (m *maker) look(ctx context.Context) error {
	var err error
	if m.live, err = m.source.Inspect(ctx, mysql.InspectOptions{}); err != nil {
		return err
	}
	if m.opts.Prefix != nil {
		m.plan.Prefix = *m.opts.Prefix
		return nil
	}
	m.plan.Prefix, err = convert.FindPrefix(&m.live)
	return err
}

// choose decides which tables of the source are migrated, by prefix and by the
// user's patterns. Everything else is listed as left out.
func (m *maker) choose() error {
	m.site = m.live
	m.site.Tables, m.site.Views = nil, nil
	var names []string
	for i := range m.live.Tables {
		t := &m.live.Tables[i]
		short := m.short(t.Name)
		switch {
		case !hasPrefix(t.Name, m.plan.Prefix):
			m.leaveOut(t.Name, "table", fmt.Sprintf("it has not the site's prefix %q", m.plan.Prefix))
			continue
		case short == "":
			m.leaveOut(t.Name, "table", "its name is only the prefix")
			continue
		}
		names = append(names, short)
		if m.chosen(t.Name) {
			m.site.Tables = append(m.site.Tables, *t)
		} else {
			m.leaveOut(t.Name, "table", "the patterns leave it out")
		}
	}
	for _, v := range m.live.Views {
		m.leaveOut(v.Name, "view", "a view's definition is in the source's dialect and belongs to no Moodle schema; make it again at the target if it is needed")
	}
	if len(names) == 0 {
		return fmt.Errorf("database %q has no table with the prefix %q", m.plan.Source.Database, m.plan.Prefix)
	}
	if len(m.site.Tables) == 0 {
		return usagef("no table is left: the patterns leave out all %d tables", len(names))
	}
	return m.checkPatterns(names)
}

// chosen reports whether a table, given by its full name, has the prefix and is
// wanted by the patterns.
func (m *maker) chosen(name string) bool {
	short := m.short(name)
	return hasPrefix(name, m.plan.Prefix) && short != "" &&
		(len(m.opts.Include) == 0 || match(m.opts.Include, short)) && !match(m.opts.Exclude, short)
}

// checkPatterns refuses a plain name that names no table, most likely a
// mistake that would copy what should be skipped; a glob may match nothing.
func (m *maker) checkPatterns(names []string) error {
	for _, p := range slices.Concat(m.opts.Include, m.opts.Exclude, m.opts.SkipData) {
		if len(unmatched([]string{p}, names)) == 0 {
			continue
		}
		if !isGlob(p) {
			hint := "patterns go without the prefix"
			if short, ok := strings.CutPrefix(p, m.plan.Prefix); ok && m.plan.Prefix != "" {
				hint = fmt.Sprintf("patterns go without the prefix: say %q", short)
			}
			return usagef("no table is called %q; %s", p, hint)
		}
		m.find(Finding{
			Code: "pattern-unused", Severity: Warning, Object: p, Message: fmt.Sprintf("the pattern %q matches no table", p),
			Hint: "patterns go without the prefix",
		})
	}
	return nil
}

// leavePrograms lists code that runs at the source's server: Moodle has none,
// so someone has added it, and will miss it.
func (m *maker) leavePrograms(ctx context.Context) error {
	programs, err := m.source.Programs(ctx)
	if err != nil {
		return err
	}
	for _, p := range programs {
		name := p.Name
		if p.Table != "" {
			if !m.chosen(p.Table) {
				continue
			}
			name += " of " + p.Table
		}
		m.leaveOut(name, p.Kind, "its code is in the source's dialect; make it again at the target if it is needed")
	}
	return nil
}

func (m *maker) leaveOut(name, kind, reason string) {
	m.plan.LeftOut = append(m.plan.LeftOut, LeftOut{Name: name, Kind: kind, Reason: reason})
}

func (m *maker) find(f Finding) { m.plan.Findings = append(m.plan.Findings, f) }

// siteFindings passes on what is wrong with the install.xml files. None of it
// blocks: a table that Moodle would not make is converted from the live source.
func (m *maker) siteFindings() {
	if m.opts.Site != nil {
		m.xmldbFindings(m.opts.Site.Findings)
	}
}

func (m *maker) xmldbFindings(findings []xmldb.Finding) {
	for _, f := range findings {
		severity := Warning
		if f.Severity == xmldb.Info {
			severity = Info
		}
		m.find(Finding{
			Code: f.Code, Severity: severity, Component: f.Component, File: f.File, Line: f.Line,
			Table: f.Table, Object: f.Object, Message: f.Message, Hint: f.Hint,
		})
	}
}

// sort makes the plan deterministic: largest tables first, blockers first.
func (m *maker) sort() {
	p := m.plan
	slices.SortStableFunc(p.Tables, func(a, b Table) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Target, b.Target))
	})
	slices.SortFunc(p.LeftOut, func(a, b LeftOut) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
	rank := map[Severity]int{Blocker: 0, Warning: 1, Info: 2}
	slices.SortStableFunc(p.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), strings.Compare(a.Code, b.Code),
			strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			strings.Compare(a.Table, b.Table), strings.Compare(a.Object, b.Object))
	})
}

// skipData says why the rows of a table are not copied; empty when they are.
func (m *maker) skipData(short string) string {
	for _, p := range m.opts.SkipData {
		if ok, _ := path.Match(p, short); ok {
			return fmt.Sprintf("skipped by the pattern %q", p)
		}
	}
	return ""
}
