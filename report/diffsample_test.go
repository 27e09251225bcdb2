package report_test

import (
	"fmt"
	"time"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/ignore"
	"github.com/moodledb/moodledb/schema"
)

func completed(changes ...diff.Change) []diff.Change {
	for i := range changes {
		changes[i] = diff.Complete(changes[i])
	}
	diff.Sort(changes)
	return changes
}

func declaredIn(component, file string, line int) schema.Origin {
	return schema.Origin{Component: component, File: file, Line: line}
}

// driftedResult has every kind of entry that a report can have.
func driftedResult() *drift.Result {
	user := declaredIn("core", "lib/db/install.xml", 902)
	posts := declaredIn("mod_forum", "mod/forum/db/install.xml", 77)
	r := &drift.Result{
		Expected: drift.End{Kind: drift.Code, Engine: schema.MariaDB, File: "/srv/moodle"},
		Found: drift.End{
			Kind: drift.Server, Engine: schema.MariaDB, Version: "10.11.6-MariaDB", Address: "moodle@db1.example.org:3306/moodle", Database: "moodle",
		},
		Prefix: "mdl_", Product: "moodle", Release: "4.5.5 (Build: 20250609)", Tables: 512,
		FailOn: diff.Warning, Failed: true, Gone: 2,
		Started: time.Date(2026, 1, 5, 21, 15, 0, 123e6, time.FixedZone("NZDT", 13*3600)), Elapsed: 734 * time.Millisecond,
	}
	r.Changes = completed(
		diff.Change{
			Code: diff.SourceRightsIncomplete, Object: "moodle@%", Hint: "let an administrator run: GRANT SELECT ON `moodle`.* TO the account moodle@%",
			Message: "the account moodle@% has rights on single tables only; what it has none on looks as if it were missing",
		},
		diff.Change{
			Code: diff.ColumnIntegerNarrow, Table: "mdl_user", Short: "user", Object: "policyagreed", Expected: "bigint", Found: "int", Origin: user,
		},
		diff.Change{
			Code: diff.ColumnDefault, Table: "mdl_user", Short: "user", Object: "lang", Expected: "'en'", Found: "'de'",
			Message: "the default is 'de' instead of 'en'", Origin: user,
		},
		diff.Change{
			Code: diff.SequenceBehind, Table: "mdl_user", Short: "user", Object: "id", Expected: "above 5017", Found: "12",
			Message: "the next id is 12, but there is 5017 already", Origin: user,
		},
		diff.Change{
			Code: diff.IndexMissing, Severity: diff.Error, Table: "mdl_user", Short: "user", Object: "mdl_user_mneuse_uix",
			Columns: []string{"mnethostid", "username"}, Expected: "unique index (mnethostid, username)", Found: "none",
			Origin: declaredIn("core", "lib/db/install.xml", 961),
		},
		diff.Change{
			Code: diff.TableMissing, Table: "mdl_forum_queue", Short: "forum_queue", Expected: "a table", Found: "none",
			Origin: declaredIn("mod_forum", "mod/forum/db/install.xml", 120),
		},
		diff.Change{
			Code: diff.IndexExtra, Table: "mdl_forum_posts", Short: "forum_posts", Object: "report_ix",
			Columns: []string{"", "userid"}, Expected: "none", Found: "index (lower(subject), userid)", Origin: posts,
		},
		diff.Change{
			Code: diff.ForeignKeyExtra, Table: "mdl_forum_posts", Short: "forum_posts", Object: "fk_user", Columns: []string{"userid"},
			Expected: "none", Found: "(userid) to mdl_user (id), on delete cascade", Origin: posts,
		},
		diff.Change{
			Code: diff.DefinitionInvalid, Severity: diff.Warning, Table: "local_orders", Object: "orderId", Found: "field-name",
			Message: `field "orderId" has capitals: Moodle would not create this table`, Hint: "rename it to orderid",
			Origin: declaredIn("local_orders", "local/orders/db/install.xml", 12),
		},
		diff.Change{
			Code: diff.TablePluginRemoved, Table: "mdl_oldquiz", Short: "oldquiz", Expected: "none",
			Message: "a table of the plugin mod_oldquiz, which is installed, but whose code is gone", Origin: schema.Origin{Component: "mod_oldquiz"},
		},
		diff.Change{Code: diff.TableExtra, Table: "mdl_zz_notes", Short: "zz_notes", Expected: "none"},
		diff.Change{Code: diff.ViewExtra, Table: "mdl_active_users", Short: "active_users", Expected: "none", Found: "a view"},
		diff.Change{Code: diff.TableOtherPrefix, Table: "wp_comments", Expected: "none"},
		diff.Change{Code: diff.TableOtherPrefix, Table: "wp_links", Expected: "none"},
		diff.Change{Code: diff.TableOtherPrefix, Table: "wp_options", Expected: "none"},
		diff.Change{Code: diff.TableOtherPrefix, Table: "wp_posts", Expected: "none"},
		diff.Change{Code: diff.TableOtherPrefix, Table: "accounts", Expected: "none"},
		diff.Change{Code: diff.TableOtherPrefix, Table: "invoices", Expected: "none"},
		diff.Change{Code: diff.TableOtherPrefix, Table: "piwik_log", Expected: "none"},
	)
	r.Ignored = []ignore.Ignored{
		{
			Change: completed(diff.Change{Code: diff.TableExtra, Table: "mdl_local_report_a", Short: "local_report_a", Expected: "none"})[0],
			Rule:   ignore.Rule{Reason: "BI reads them, ticket 123", File: ".moodledb.yaml", Line: 3},
		},
		{
			Change: completed(diff.Change{
				Code: diff.ColumnIntegerWide, Table: "mdl_course", Short: "course", Object: "theme", Expected: "int", Found: "bigint",
				Origin: declaredIn("core", "lib/db/install.xml", 70),
			})[0],
			Rule: ignore.Rule{
				Reason: "left over from before 3.0", File: ".moodledb.yaml", Line: 7, Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
			},
		},
	}
	r.Known = completed(diff.Change{
		Code: diff.TableCollation, Table: "mdl_log", Short: "log", Expected: "utf8mb4_unicode_ci", Found: "utf8mb4_general_ci",
		Message: "the table's default collation is utf8mb4_general_ci instead of utf8mb4_unicode_ci", Origin: declaredIn("core", "lib/db/install.xml", 1200),
	})
	r.Notices = []drift.Notice{
		{
			Code: "ignore-unused", Severity: diff.Warning, File: ".moodledb.yaml", Line: 12, Message: "the rule matches nothing",
			Hint: "remove the rule, or correct its globs",
		},
		{
			Code: "site-charset", Severity: diff.Warning, Hint: "php admin/cli/mysql_collation.php --collation=utf8mb4_unicode_ci",
			Message: "the site's columns have the collation utf8mb3_general_ci, which cannot hold all characters",
		},
	}
	r.Fixes = []diff.Fix{
		{
			Table: "mdl_forum_queue", Codes: []diff.Code{diff.TableMissing}, Stage: diff.StageAdd,
			Statements: []string{"CREATE TABLE `mdl_forum_queue` (\n\t`id` bigint NOT NULL AUTO_INCREMENT,\n\tPRIMARY KEY (`id`)\n) ENGINE=InnoDB"},
		},
		{
			Table: "mdl_user", Codes: []diff.Code{diff.ColumnDefault, diff.ColumnIntegerNarrow}, Stage: diff.StageWiden,
			Statements: []string{
				"ALTER TABLE `mdl_user` MODIFY `policyagreed` bigint NOT NULL DEFAULT 0, MODIFY `lang` varchar(30) NOT NULL DEFAULT 'en'",
				"ALTER TABLE `mdl_user` AUTO_INCREMENT = 5018;",
			},
			Note: "the table is copied",
		},
		{Table: "mdl_user", Codes: []diff.Code{diff.SequenceBehind}, Stage: diff.StageManual, Note: "stop cron before"},
		{
			Table: "mdl_user", Codes: []diff.Code{diff.IndexMissing}, Stage: diff.StageIndex,
			Statements: []string{"ALTER TABLE `mdl_user` ADD UNIQUE KEY `mdl_user_mneuse_uix` (`mnethostid`, `username`)"},
			Note:       "fails on duplicates; this finds them: SELECT `mnethostid`, `username` FROM `mdl_user` GROUP BY 1, 2 HAVING COUNT(*) > 1",
		},
		{
			Table: "mdl_forum_posts", Codes: []diff.Code{diff.ForeignKeyExtra, diff.IndexExtra}, Stage: diff.StageDrop,
			Statements: []string{"ALTER TABLE `mdl_forum_posts` DROP FOREIGN KEY `fk_user`", "ALTER TABLE `mdl_forum_posts` DROP KEY `report_ix`"},
		},
		{
			Table: "mdl_zz_notes", Codes: []diff.Code{diff.TableExtra}, Stage: diff.StageDestroy, Destructive: true,
			Statements: []string{"DROP TABLE\n\t`mdl_zz_notes`"}, Note: "all rows of the table are lost",
		},
	}
	return r
}

// sameResult is a comparison that found nothing.
func sameResult() *drift.Result {
	return &drift.Result{
		Expected: drift.End{Kind: drift.Server, Engine: schema.MySQL, Version: "9.7.0", Address: "root@127.0.0.1:3306/moodle", Database: "moodle"},
		Found:    drift.End{Kind: drift.Dump, Engine: schema.Postgres, Version: "17.2", File: "schema/live.sql.gz", Schema: "public"},
		Prefix:   "mdl_", Product: "totara", Release: "17.3", Tables: 1024, FailOn: diff.Error,
		Started: time.Date(2026, 1, 5, 8, 15, 0, 0, time.UTC), Elapsed: 2 * time.Second,
	}
}

// hostile is a name that breaks out of every format that lets it.
const hostile = "x\x1b[2J\r\n::error::forged\u202e\u2028\u0085\x00\x7f`|\\ </td><script>alert(1)</script> <!-- ]]> &amp; \" ' */ -- ; " +
	"DROP TABLE a; [l](http://evil.example) @user #1 _a_ **b** %0A {{.}} {0} \xff\ufffe"

// hostileResult has the name wherever a name can stand.
func hostileResult() *drift.Result {
	r := driftedResult()
	end := drift.End{Kind: drift.Dump, Engine: schema.Postgres, Version: hostile, Address: hostile, Database: hostile, Schema: hostile, File: hostile}
	r.Expected, r.Found, r.Prefix, r.Product, r.Release = end, end, hostile, hostile, hostile
	r.Expected.Kind = drift.Server
	r.Changes = nil
	for i, spec := range diff.Codes() {
		c := diff.Complete(diff.Change{
			Code: spec.Code, Table: fmt.Sprintf("%s%d", hostile, i), Object: hostile, Columns: []string{hostile, ""}, Message: hostile,
			Expected: hostile + "a", Found: hostile + "b", Hint: hostile, Origin: declaredIn(hostile, hostile, i),
		})
		r.Changes = append(r.Changes, c)
	}
	r.Known = r.Changes[:3]
	r.Ignored = []ignore.Ignored{{Change: r.Changes[0], Rule: ignore.Rule{Reason: hostile, File: hostile, Line: 1}}}
	r.Notices = []drift.Notice{{Code: "ignore-unused", Severity: diff.Warning, File: hostile, Line: 2, Message: hostile, Hint: hostile}}
	r.Fixes = nil
	for stage := diff.StageAdd; stage <= diff.StageManual; stage++ {
		r.Fixes = append(r.Fixes, diff.Fix{
			Table: hostile, Codes: []diff.Code{diff.TableExtra}, Statements: []string{"ALTER TABLE \"" + hostile + "\""}, Note: hostile, Stage: stage,
			Destructive: stage == diff.StageDrop,
		})
	}
	return r
}

// manyResult has more differences than a comment can hold; the errors come last.
func manyResult() *drift.Result {
	r := driftedResult()
	r.Changes = nil
	for i := range 3000 {
		table := fmt.Sprintf("mdl_extra%04d", i)
		r.Changes = append(r.Changes, diff.Complete(diff.Change{Code: diff.TableExtra, Table: table, Short: table[4:], Origin: declaredIn("mod_a", "", 0)}))
	}
	for i := range 20 {
		table := fmt.Sprintf("mdl_gone%04d", i)
		r.Changes = append(r.Changes, diff.Complete(diff.Change{Code: diff.TableMissing, Table: table, Short: table[4:], Origin: declaredIn("mod_z", "mod/z/db/install.xml", i)}))
	}
	return r
}
