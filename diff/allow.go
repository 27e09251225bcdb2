package diff

import (
	"slices"

	"github.com/moodledb/moodledb/xmldb"
)

// Some objects of a fresh installation stand in no install.xml, since a
// db/install.php of the product makes them. The lists here were made by
// comparing the two in the published code of Totara 2.5, 2.7 and 12; from 2.6
// on, install.xml declares all columns that db/install.php adds. What Moodle
// makes beside install.xml, the text search of search_simpledb, is part of the declared schema.

// allowedColumn reports whether an installer of the product adds the column of
// the table, given without prefix, outside of install.xml.
func (d *differ) allowedColumn(table, column string) bool {
	return d.opts.Declared && d.opts.Product == xmldb.Totara && slices.Contains(totaraColumns(table), column)
}

// totaraColumns are the columns that Totara 2.5 adds to tables of Moodle and of its
// own: db/install.php of totara/core, totara/cohort, totara/hierarchy,
// totara/program and admin/tool/totara_sync.
func totaraColumns(table string) []string {
	switch table {
	case "cohort":
		return []string{
			"cohorttype", "modifierid", "visibility", "alertmembers", "startdate", "enddate", "active",
			"calculationstatus", "activecollectionid", "draftcollectionid", "broken",
		}
	case "course":
		return []string{"coursetype", "icon", "completionstartonenrol", "completionprogressonview", "audiencevisible"}
	case "course_categories":
		return []string{"programcount", "certifcount"}
	case "course_completions":
		return []string{"rpl", "rplgrade", "status", "renewalstatus", "invalidatecache", "organisationid", "positionid"}
	case "course_completion_crit_compl":
		return []string{"rpl"}
	case "course_modules_completion":
		return []string{"timecompleted"}
	case "user", "org", "pos":
		return []string{"totarasync"}
	}
	return nil
}

// allowedIndex reports whether an installer of the product makes the index of
// the table, given with its prefix, outside of install.xml.
func (d *differ) allowedIndex(table string, v *indexView) bool {
	if !d.opts.Declared || d.opts.Product != xmldb.Totara || v.unique {
		return false
	}
	columns, ok := v.plainColumns()
	return ok && slices.ContainsFunc(totaraIndexes(d.short(table)), func(allowed []string) bool { return slices.Equal(allowed, columns) })
}

// totaraIndexes are the columns of the indexes that Totara adds to tables of
// Moodle: db/install.php of totara/message in all versions up to 12. Those on columns of
// [totaraColumns] alone need no mention.
func totaraIndexes(table string) [][]string {
	if table == "message_working" {
		return [][]string{{"processorid"}, {"unreadmessageid"}}
	}
	return nil
}

// allowedTable reports whether an installer of the product makes the table,
// given without prefix, outside of install.xml: totara/core/db/install.php of
// Totara 2.5, which brought forward what a later Moodle has.
func (d *differ) allowedTable(table string) bool {
	if d.opts.Product != xmldb.Totara {
		return false
	}
	return slices.Contains([]string{
		"badge", "badge_backpack", "badge_criteria", "badge_criteria_met", "badge_criteria_param",
		"badge_external", "badge_issued", "badge_manual_award", "user_devices",
	}, table)
}
