package drift

import (
	"fmt"
	"strings"
	"time"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/ignore"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// Options say how to compare. The zero value reports everything and fails on nothing.
type Options struct {
	// Collation is what tables of MySQL and MariaDB should have; empty for the
	// one that most of the site's columns have.
	Collation string
	// Owner is the role that should own the tables; empty to see who does.
	Owner string
	Rules ignore.Rules
	// Baseline is the state that was accepted; nil for none.
	Baseline *ignore.Baseline
	// FailOn is the least severity that fails; empty for none.
	FailOn diff.Severity
	// Fixes asks for the statements that undo the changes.
	Fixes bool
	// Now is the moment by which rules expire.
	Now time.Time
}

// Declared compares a database with what the code of its site declares.
func Declared(site *xmldb.Site, found *Side, opts Options) (*Result, error) {
	engine := found.Schema.Engine
	r := &Result{
		Expected: End{Kind: Code, Engine: engine, File: site.Root},
		Found:    found.End, Prefix: found.Prefix,
		Product: string(site.Product), Release: site.Release,
	}
	declared := convert.DeclaredOptions{
		Engine: engine, Prefix: found.Prefix,
		Collation:        opts.Collation,
		FullTextLanguage: fullTextLanguage(&found.Schema, found.Prefix),
	}
	if declared.Collation == "" && engine.IsMySQL() {
		declared.Collation = usualCollation(&found.Schema, found.Prefix)
	}
	want, findings := convert.Declared(site, declared)
	r.Tables = len(want.Tables)
	changes := append(definitionChanges(site.Findings, found.Prefix), definitionChanges(findings, found.Prefix)...)
	changes = append(changes, diff.Schemas(&want, &found.Schema, diff.Options{
		Prefix: found.Prefix, Declared: true, Product: site.Product,
		Installed: found.installed, OnDisk: site.Components, Deprecated: deprecated(site),
		Unread: found.unread, Owner: opts.Owner,
	})...)
	r.finish(append(changes, complete(found.changes)...), opts)
	r.Notices = append(r.Notices, charsetNotice(declared.Collation, engine)...)
	r.Notices = append(r.Notices, unreadNotice(&want, found)...)
	if opts.Fixes {
		r.fix(&want, &found.Schema, site)
	}
	return r, nil
}

// Between compares two databases. Where one of them is MySQL or MariaDB and the
// other PostgreSQL, they are compared as what a migration would make of the
// first; a site lets that be what is declared, and tells where.
func Between(site *xmldb.Site, expected, found *Side, opts Options) (*Result, error) {
	r := &Result{Expected: expected.End, Found: found.End, Prefix: found.Prefix}
	if site != nil {
		r.Product, r.Release = string(site.Product), site.Release
	}
	want, have := expected.Schema, found.Schema
	if want.Engine.IsMySQL() != have.Engine.IsMySQL() {
		if want.Engine.IsMySQL() {
			want = asPostgres(site, expected)
		} else {
			have = asPostgres(site, found)
		}
		if site == nil {
			// Only the code says that these belong to the site.
			want, have = withoutOwnIndexes(want, expected.Prefix), withoutOwnIndexes(have, found.Prefix)
		}
	}
	if expected.Prefix != found.Prefix {
		want = withPrefix(want, expected.Prefix, found.Prefix)
	}
	if site != nil {
		place(&want, site, found.Prefix)
	}
	r.Tables = len(want.Tables)
	changes := diff.Schemas(&want, &have, diff.Options{
		Prefix: found.Prefix, Unread: append(append([]string(nil), expected.unread...), found.unread...), Owner: opts.Owner,
	})
	changes = append(changes, complete(expected.changes)...)
	r.finish(append(changes, complete(found.changes)...), opts)
	if opts.Fixes {
		if have.Engine.IsMySQL() != found.Schema.Engine.IsMySQL() {
			return nil, fmt.Errorf("statements can be made for %s only when the other side is MySQL, MariaDB or the code", found.Schema.Engine)
		}
		r.fix(&want, &have, site)
	}
	return r, nil
}

// complete gives changes that were not made by package diff what it gives to its own.
func complete(changes []diff.Change) []diff.Change {
	done := make([]diff.Change, len(changes))
	for i, c := range changes {
		done[i] = diff.Complete(c)
	}
	return done
}

// finish sorts the changes, and takes out what rules and baseline accept.
func (r *Result) finish(changes []diff.Change, opts Options) {
	diff.Sort(changes)
	kept, ignored, problems := opts.Rules.Apply(changes, opts.Now)
	r.Ignored = ignored
	for _, p := range problems {
		r.Notices = append(r.Notices, Notice{
			Code: string(p.Code), Severity: diff.Warning, File: p.Rule.File, Line: p.Rule.Line, Message: p.Message, Hint: p.Hint,
		})
	}
	if opts.Baseline != nil {
		kept, r.Known, r.Gone = opts.Baseline.Split(kept)
	}
	r.Changes, r.FailOn = kept, opts.FailOn
	worst := diff.Worst(kept)
	r.Failed = opts.FailOn != "" && worst != "" && worst.AtLeast(opts.FailOn)
}

// fix makes the statements that undo the changes.
func (r *Result) fix(want, have *schema.Schema, site *xmldb.Site) {
	if have.Engine.IsMySQL() {
		r.Fixes = mysql.Fixes(want, have, r.Changes, mysql.FixOptions{Prefix: r.Prefix, Site: site})
		return
	}
	r.Fixes = postgres.Fixes(want, have, r.Changes, postgres.FixOptions{Prefix: r.Prefix, Site: site, Schema: have.Name})
}

// definitionChanges passes on what is wrong with the install.xml files. What is
// only to be known about the code tells nothing about a database; what it
// declares twice package diff finds itself.
func definitionChanges(findings []xmldb.Finding, prefix string) []diff.Change {
	var changes []diff.Change
	for _, f := range findings {
		if f.Severity == xmldb.Info {
			continue
		}
		table := ""
		if f.Table != "" {
			table = prefix + f.Table
		}
		changes = append(changes, diff.Complete(diff.Change{
			Code: diff.DefinitionInvalid, Severity: diff.Severity(f.Severity), Table: table, Short: f.Table, Object: f.Object,
			Message: f.Message, Found: f.Code, Hint: f.Hint,
			Origin: schema.Origin{Component: f.Component, File: f.File, Line: f.Line},
		}))
	}
	return changes
}

// unreadNotice says that the highest ids of some tables, or the positions of
// their sequences, could not be read, so that nobody knows whether the next ids are free.
func unreadNotice(want *schema.Schema, found *Side) []Notice {
	if found.End.Kind != Server {
		return nil // a dump has no rows, which nobody expects of it
	}
	unread := map[string]bool{}
	for _, q := range found.Schema.Sequences {
		// One that the user may not read has no position.
		unread[q.Name] = q.Last == 0 && !q.Called && q.Min > 0
	}
	var names []string
	for i := range found.Schema.Tables {
		t := &found.Schema.Tables[i]
		if t.PrimaryKey() == nil || want.Table(t.Name) == nil {
			continue
		}
		for _, c := range t.Columns {
			if c.AutoIncrement && (!c.HighestKnown || unread[c.Sequence]) {
				names = append(names, t.Name)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	where := names[0]
	if len(names) > 1 {
		where = fmt.Sprintf("%d tables, such as %s,", len(names), names[0])
	}
	return []Notice{{
		Code: "ids-unread", Severity: diff.Warning,
		Message: fmt.Sprintf("the ids or the sequence of %s could not be read: whether the next ones are free cannot be told", where),
		Hint:    "grant the user SELECT on all tables and sequences of the site",
	}}
}

// charsetNotice says that a site keeps to MySQL's three-byte UTF-8: it is as
// declared, but Moodle advises to convert it.
func charsetNotice(collation string, engine schema.Engine) []Notice {
	charset, _, _ := strings.Cut(collation, "_")
	if !engine.IsMySQL() || charset == "" || charset == "utf8mb4" || charset == "uca1400" {
		return nil
	}
	return []Notice{{
		Code: "site-charset", Severity: diff.Warning,
		Message: fmt.Sprintf("the site's columns have the collation %s, which cannot hold all characters", collation),
		Hint:    "php admin/cli/mysql_collation.php --collation=utf8mb4_unicode_ci",
	}}
}
