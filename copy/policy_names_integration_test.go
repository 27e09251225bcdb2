//go:build integration

package copy_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
)

// TestListsOfHostileNames has names and keys that lists must not stumble over.
func TestListsOfHostileNames(t *testing.T) {
	eachPair(t, func(t *testing.T, e *ends) {
		e.lists(t)
		e.source.Exec(t, e.sourceURL,
			"CREATE TABLE `Odd, line 3 'x'` (`The Key` VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, `\"n\"` BIGINT, `{v,}` LONGTEXT, PRIMARY KEY (`The Key`, `\"n\"`))",
			"INSERT INTO `Odd, line 3 'x'` VALUES (CONCAT('it''s ', CHAR(92), CHAR(0), CHAR(10), 'ä'), -5, CONCAT('a', CHAR(0))), ('NULL', 1, NULL), ('', 2, '')")
		e.target.Exec(t, e.targetURL, `CREATE TABLE "Odd, line 3 'x'" ("The Key" varchar(100), """n""" bigint, "{v,}" text NOT NULL)`)
		j := e.job(t, "Odd, line 3 'x'")
		j.Policy = copy.Policy{Mode: convert.FixBad, Fixes: convert.Fixes{convert.NullValue: convert.FixQuarantine}}
		if _, _, err := copyUnder(t, e.newReader(t), e.newTarget(t), j, 1); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, query := range []string{
			`SELECT row_key, column_name, convert_from(after_value, 'UTF8') FROM moodledb.value_change WHERE table_name LIKE 'Odd%x_' ORDER BY id`,
			`SELECT row_key, columns::text, row_values::text FROM moodledb.rejected_row WHERE table_name LIKE 'Odd%x_'`,
			`SELECT "The Key", """n"""::text, "{v,}" FROM "Odd, line 3 'x'" ORDER BY 2`,
		} {
			each(t, e.target.SQL(t, e.targetURL), query, func(v []sql.NullString) {
				got = append(got, strings.Join([]string{v[0].String, v[1].String, v[2].String}, " | "))
			})
		}
		const key = `The Key="it's \\\x00\nä" AND "n"=-5`
		want := []string{
			key + " | The Key | it's \\\nä", key + " | {v,} | a",
			`The Key="NULL" AND "n"=1 | {"The Key","\"n\"","{v,}"} | {"\\x4e554c4c","\\x31",NULL}`,
			"it's \\\nä | -5 | a", " | 2 | ",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
