//go:build integration

package diffing

import (
	"strings"
	"testing"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/xmldb"
)

// TestServerSettings: what a server prints in another way because it is set up
// in another way is no difference, and differences are found all the same.
func TestServerSettings(t *testing.T) {
	t.Parallel()
	for _, product := range products() {
		for _, flavour := range oneOfEachEngine() {
			t.Run(string(product)+"/"+flavour, func(t *testing.T) {
				t.Parallel()
				tables := [][2]string{{subject, subject}, {plain, plain}, {paths, paths}}
				if product == xmldb.Totara {
					tables = append(tables, [2]string{bound, bound})
				}
				server := testdb.Private(t, flavour, otherSettings(flavour)...)
				w := newWorkbenchOn(t, server, driftCode(t, product, tables))
				w.reset(t)
				nothing(t, "declared", w.compare(t).Changes)
				at := place{workbench: w, table: "mdl_" + subject}
				w.server.Exec(t, w.url, at.fillAll(t, []string{"ALTER TABLE {t} ALTER state SET DEFAULT 'it''s \"x\"'", "ALTER TABLE {t} ADD CONSTRAINT own CHECK (state <> 'x')", "ALTER TABLE {t} DROP COLUMN note"})...)
				result := w.compare(t)
				expectChanges(t, at.fillAll(t, []string{"warning column-default {t} state", "warning check-extra {t} own", "error column-missing {t} note"}), result)
				for _, c := range result.Changes {
					if c.Code == diff.ColumnDefault && !strings.Contains(c.Found, `it''s "x"`) && !strings.Contains(c.Found, `it's "x"`) {
						t.Errorf("the default is %s", c.Found)
					}
				}
				w.repair(t, result)
				nothing(t, "after the fixes", w.compare(t).Changes)
			})
		}
	}
}

func otherSettings(flavour string) []string {
	if strings.HasPrefix(flavour, "postgres") {
		return []string{
			"standard_conforming_strings=off", "backslash_quote=on", "quote_all_identifiers=on", "bytea_output=escape", "DateStyle=SQL,DMY", "IntervalStyle=iso_8601", "extra_float_digits=-5",
			"default_transaction_isolation=serializable", "default_transaction_deferrable=on", "statement_timeout=0", "enable_seqscan=off", "xmloption=document", "array_nulls=off",
		}
	}
	settings := []string{
		"sql_mode=ANSI,NO_BACKSLASH_ESCAPES,ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES", "transaction_isolation=SERIALIZABLE", "group_concat_max_len=4",
		"character_set_server=latin1", "collation_server=latin1_swedish_ci", "default_storage_engine=MyISAM", "innodb_default_row_format=compact",
	}
	if strings.HasPrefix(flavour, "mysql") {
		return append(settings, "sql_generate_invisible_primary_key=on", "information_schema_stats_expiry=86400", "show_gipk_in_create_table_and_information_schema=on")
	}
	return append(settings, "lower_case_table_names=1", "old_mode=UTF8_IS_UTF8MB3")
}
