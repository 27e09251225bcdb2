package diff

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// extraTable says what a live table is that is not expected, and reports it.
func (d *differ) extraTable(t *schema.Table) {
	if d.unread(t.Name) {
		return
	}
	c := Change{Table: t.Name, Have: t.Name, Expected: "none"}
	short, own := strings.CutPrefix(t.Name, d.opts.Prefix)
	switch {
	case !own || short == "":
		c.Code = TableOtherPrefix
		if d.opts.Declared && toolTable.MatchString(t.Name) {
			c.Code = TableLeftover
		}
	case !d.opts.Declared:
		c.Code = TableExtra
	case d.allowedTable(short), slices.Contains(d.opts.Deprecated, short):
		return
	default:
		d.classify(&c, strings.ToLower(short))
	}
	d.add(c)
}

// classify says what a table with the site's prefix is that nothing declares.
func (d *differ) classify(c *Change, short string) {
	component := d.componentOf(short)
	removed := component != "" && d.opts.OnDisk != nil && !slices.Contains(d.opts.OnDisk, component)
	switch {
	case d.opts.Product == xmldb.Totara && runTimeTable.MatchString(short):
		c.Code = TableRunTime
	case temporaryTable.MatchString(short), d.opts.Product == xmldb.Totara && totaraTemporary.MatchString(short):
		c.Code = TableTemporary
	case removed:
		c.Code = TablePluginRemoved
		c.Origin.Component = component
		c.Message = fmt.Sprintf("a table of the plugin %s, which is installed, but whose code is gone", component)
	case component != "" && slices.Contains(tablePatterns(component), short):
		d.undeclared(c, component)
	case toolTable.MatchString(short):
		c.Code = TableLeftover
	case d.copied(c, short):
	case component != "":
		d.undeclared(c, component)
	default:
		c.Code = TableExtra
	}
}

// undeclared reports a table that a plugin whose code is there may have made.
func (d *differ) undeclared(c *Change, component string) {
	c.Code = TableExtra
	c.Origin.Component = component
	if d.opts.OnDisk != nil {
		c.Message = fmt.Sprintf("a table that has the name of one of the plugin %s, whose install.xml does not declare it", component)
	}
}

// copied reports a table whose name says that it is a copy, or of a test site
// beside a site without prefix.
func (d *differ) copied(c *Change, short string) bool {
	original := short
	for before := ""; before != original; {
		before = original
		for _, suffix := range []*regexp.Regexp{copySuffix, dateSuffix} {
			if at := suffix.FindStringIndex(original); at != nil && at[0] > 0 {
				original = original[:at[0]]
			}
		}
	}
	prefixes := []*regexp.Regexp{copyPrefix}
	if d.opts.Prefix == "" {
		prefixes = append(prefixes, testPrefix)
	}
	for _, prefix := range prefixes {
		if p := prefix.FindString(original); p != "" && d.want.Table(d.opts.Prefix+original[len(p):]) != nil {
			original = original[len(p):]
		}
	}
	if original == short {
		return false
	}
	c.Code = TableLeftover
	if name := d.opts.Prefix + original; d.want.Table(name) != nil {
		c.Message = "a table that looks like a copy of " + name
	}
	return true
}

// componentOf returns the installed component to which a table of the name, given
// without prefix, would belong; empty when there is none. The longest name wins: a table
// quizaccess_time_log is the quizaccess_time's and not the quizaccess'.
func (d *differ) componentOf(short string) string {
	best, length := "", 0
	for component := range d.opts.Installed {
		for _, p := range tablePatterns(component) {
			if short != p && !strings.HasPrefix(short, p+"_") {
				continue
			}
			// Equal lengths are told apart by name, since a map has no order.
			if len(p) > length || len(p) == length && component < best {
				best, length = component, len(p)
			}
		}
	}
	return best
}

// tablePatterns are the names that tables of a component begin with: activities
// leave out their type. The core and its parts are no plugins.
func tablePatterns(component string) []string {
	kind, name, ok := strings.Cut(component, "_")
	switch {
	case !ok || name == "" || kind == "core":
		return nil
	case kind == "mod":
		return []string{name, component}
	}
	return []string{component}
}

// The names of tables that no install.xml declares, without prefix.
var (
	// Totara makes a table for each appraisal, 360° feedback, cached report and
	// group of feedback questions: totara/appraisal, totara/feedback360, totara/reportbuilder
	// and mod/feedback/rb_sources.
	runTimeTable = regexp.MustCompile(`^(appraisal_quest_data_\d+|feedback360_quest_data_\d+|report_builder_cache_.+|` +
		`report_builder_[a-z0-9_]+_\d+_(q|opt|a))$`)

	// temporaryTable are those of auth/ldap and auth/db, lib/statslib, the backups,
	// the forum's summary report, and an upgrade of blocks.
	temporaryTable = regexp.MustCompile(`^(tmp_extuser|temp_.+|backup_(ids|files)_temp.*|forum_report_summary_counts|block_instance_context)$`)

	// totaraTemporary are those of admin/tool/totara_sync, and the snapshots of its PHPUnit.
	totaraTemporary = regexp.MustCompile(`^(ss_t_.+|ss_tables_.+|totara_sync_(user|org|pos|comp|jobassignment)(_clone)?)$`)

	// toolTable are those of phpMyAdmin and of the query log of ADOdb.
	toolTable = regexp.MustCompile(`^(pma_.+|adodb_logsql)$`)

	copySuffix = regexp.MustCompile(`[_-](bak|backup|bkp|bck|old|copy|tmp|temp|orig|original)[_-]?\d*$`)
	dateSuffix = regexp.MustCompile(`[_-]([a-z]+)?(19|20)\d\d[_-]?(0[1-9]|1[0-2])[_-]?(0[1-9]|[12]\d|3[01])([_-]?\d+)?$`)
	copyPrefix = regexp.MustCompile(`^(bak|backup|bkp|bck|old|copy|tmp|orig|zz)[_-]`)
	// testPrefix are the prefixes of PHPUnit's and Behat's tables.
	testPrefix = regexp.MustCompile(`^(phpu|bht|b|t)_`)
)
