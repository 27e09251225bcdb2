package copy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"pgregory.net/rapid"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
)

// TestListsTellAll draws tables with faults everywhere, and holds that what is
// stored is the source with the listed changes, less the rows set aside.
func TestListsTellAll(t *testing.T) {
	plain := policyJob(t, copy.Policy{})
	text := rapid.SampledFrom([]string{"", "ok", "äöü", "a\x00", "\xe9", "\xf0\x9f\x98\x00", "abcdef", "\x80\x80\x80\x80\x80\x80", "ab\xe2\x82", strings.Repeat("€", 3000), strings.Repeat("x", 70000) + "\x00\xff"})
	fields := []*rapid.Generator[string]{
		nil,
		rapid.SampledFrom([]string{"1", "-7", "40000", "32767.5", "0.5"}),
		rapid.SampledFrom([]string{"2024-02-29", "0000-00-00", "2023-02-30", "2024-00-10"}),
		text, text,
		rapid.SampledFrom([]string{"1", "\"\x00\"", "\"\xff\"", "[]"}),
	}
	rapid.Check(t, func(rt *rapid.T) {
		// The first row makes sure that there is something to refuse.
		src := &table{largeFrom: rapid.SampledFrom([]int{0, 1, 1000}).Draw(rt, "large from"), rows: [][]any{with(nothing(1000), 4, strings.Repeat("x", 200))}}
		for id := range rapid.IntRange(0, 8).Draw(rt, "rows") {
			row := []any{fmt.Sprint(id)}
			for i, f := range fields[1:] {
				// name is NOT NULL at the source.
				if i+1 != 3 && rapid.IntRange(0, 4).Draw(rt, "null") == 0 {
					row = append(row, nil)
				} else {
					row = append(row, f.Draw(rt, "field"))
				}
			}
			src.rows = append(src.rows, row)
		}
		mode := rapid.SampledFrom([]convert.BadValueMode{convert.FixBad, convert.QuarantineBad}).Draw(rt, "mode")
		opts := copy.Options{Buffer: rapid.SampledFrom([]int{4096, 10000, 0}).Draw(rt, "buffer")}
		got, err := run(t, src, policyJob(t, copy.Policy{Mode: mode}), []*pgconn.PgError{badBytes()}, opts)
		if err != nil {
			rt.Fatal(err)
		}
		holdLists(rt, plain, src.rows, got, mode)
	})
}

// holdLists compares the rows of a source with what was stored and listed.
func holdLists(t *rapid.T, j copy.Job, source [][]any, got outcome, mode convert.BadValueMode) {
	changes, rejects, rows := got.changes, got.rejects, got.rows
	for _, row := range source {
		if len(rejects) > 0 && rejects[0][0] == "id="+row[0].(string) {
			if mode == convert.FixBad || !cmp.Equal(rejects[0][4:], row) {
				t.Fatalf("row %q was set aside as %q", row, rejects[0])
			}
			rejects = rejects[1:]
			continue
		}
		if len(rows) == 0 {
			t.Fatalf("row %q is neither stored nor set aside", row)
		}
		for i, c := range j.Columns {
			stored := rows[0][i]
			if s, ok := stored.(string); ok && c.Rule.Text && !convert.ValidText([]byte(s)) {
				t.Fatalf("%q was stored", s)
			}
			start := fmt.Sprintf("%q | %q | ", "id="+row[0].(string), c.Target)
			if len(changes) > 0 && strings.HasPrefix(changes[0], start) {
				parts := strings.SplitN(changes[0], " | ", 6)
				if mode == convert.QuarantineBad || parts[4] != shown(row[i]) || parts[5] != shownStored(&c.Rule, stored) {
					t.Fatalf("listed %s, but the source has %s and the target %s", changes[0], shown(row[i]), shownStored(&c.Rule, stored))
				}
				changes = changes[1:]
				continue
			}
			if shownStored(&c.Rule, stored) != shown(row[i]) && i != 1 {
				t.Fatalf("%s became %s and is not listed", shown(row[i]), shownStored(&c.Rule, stored))
			}
		}
		rows = rows[1:]
	}
	if len(changes)+len(rejects)+len(rows) > 0 {
		t.Fatalf("left over: %q, %q, %q", changes, rejects, rows)
	}
}

// shownStored is a stored field as PostgreSQL would print it.
func shownStored(rule *convert.ValueRule, field any) string {
	s, ok := field.(string)
	if !ok {
		return "NULL"
	}
	if rule.Raw {
		return shown(strings.TrimPrefix(s, string(rule.Prefix)))
	}
	return shown(string(rule.StoredText([]byte(s))))
}
