//go:build integration

package verifying

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// bordered is what the report tells of a table that is compared in parts.
type bordered struct {
	Tables []struct {
		Name        string
		Missing     int64 `json:"missing_rows"`
		Extra       int64 `json:"extra_rows"`
		Changed     int64 `json:"changed_rows"`
		Ranges      []struct{ Lower, Upper string }
		Differences []struct {
			Kind string
			Key  []struct{ Value struct{ Text string } }
		}
	}
}

// borders runs the command, and reads its report.
func (n *noted) borders(t *testing.T, exit int, args ...string) (b bordered) {
	t.Helper()
	o := n.verify(t, exit, "", n.with(append(args, "--tables", "wide", "--format", "json")...)...)
	if err := json.Unmarshal([]byte(o.Stdout), &b); err != nil || len(b.Tables) != 1 {
		t.Fatalf("%v\n%s", err, o.Stdout)
	}
	return b
}

// TestVerifyAcrossBorders: rows that stand on either side of a border between two parts, and
// that have changed places, or have moved across it, are found with their keys.
func TestVerifyAcrossBorders(t *testing.T) {
	n := newNoted(t)
	const rows, size = 150, 1 << 20
	n.SourceServer.Exec(t, n.SourceURL, "CREATE TABLE mdl_wide (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, v longtext)")
	n.TargetServer.Exec(t, n.TargetURL, "CREATE TABLE mdl_wide (id bigserial PRIMARY KEY, v text)", "ALTER TABLE mdl_wide ALTER v SET STORAGE EXTERNAL")
	for i := 1; i <= rows; i++ {
		n.SourceServer.Exec(t, n.SourceURL, fmt.Sprintf("INSERT INTO mdl_wide VALUES (%d, REPEAT(SHA2('%d', 256), %d))", 2*i, i, size/64))
	}
	n.TargetServer.Exec(t, n.TargetURL, fmt.Sprintf("INSERT INTO mdl_wide SELECT 2 * i, repeat(encode(sha256(i::text::bytea), 'hex'), %d) FROM generate_series(1, %d) i", size/64, rows),
		"SELECT setval('mdl_wide_id_seq', 1000)", "ANALYZE mdl_wide")
	n.SourceServer.Exec(t, n.SourceURL, "ANALYZE TABLE mdl_wide")

	ranges := n.borders(t, 0, "--since-id", "1").Tables[0].Ranges
	if len(ranges) < 2 {
		t.Fatalf("the table was compared in %d parts", len(ranges))
	}
	upper, err := strconv.ParseInt(ranges[0].Upper, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	above := upper + upper%2 // the first id from the border on
	below := above - 2
	for _, c := range []struct {
		name, damage, undo string
		want               []string
	}{
		{
			"two rows have changed places",
			"UPDATE mdl_wide a SET v = b.v FROM mdl_wide b WHERE (a.id, b.id) IN ((BELOW, ABOVE), (ABOVE, BELOW))",
			"UPDATE mdl_wide a SET v = b.v FROM mdl_wide b WHERE (a.id, b.id) IN ((BELOW, ABOVE), (ABOVE, BELOW))",
			[]string{"changed BELOW", "changed ABOVE"},
		},
		{
			"a row has moved up",
			"UPDATE mdl_wide SET id = ABOVE + 1 WHERE id = BELOW", "UPDATE mdl_wide SET id = BELOW WHERE id = ABOVE + 1",
			[]string{"missing BELOW", "extra " + fmt.Sprint(above+1)},
		},
		{
			"a pair is shifted", "UPDATE mdl_wide SET id = id - 1 WHERE id IN (BELOW, ABOVE)", "UPDATE mdl_wide SET id = id + 1 WHERE id IN (BELOW - 1, ABOVE - 1)",
			[]string{"missing BELOW", "missing ABOVE", "extra " + fmt.Sprint(below-1), "extra " + fmt.Sprint(above-1)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			worded := strings.NewReplacer("BELOW", fmt.Sprint(below), "ABOVE", fmt.Sprint(above)).Replace
			n.TargetServer.Exec(t, n.TargetURL, worded(c.damage))
			var want []string
			for _, w := range c.want {
				want = append(want, worded(w))
			}
			slices.Sort(want)
			for _, args := range [][]string{nil, {"--since-id", "1"}, {"--jobs", "1"}} {
				var got []string
				for _, d := range n.borders(t, 1, args...).Tables[0].Differences {
					got = append(got, d.Kind+" "+d.Key[0].Value.Text)
				}
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%q: %q, not %q", args, got, want)
				}
			}
			n.TargetServer.Exec(t, n.TargetURL, worded(c.undo))
			n.borders(t, 0)
		})
	}
}
