package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/moodledb/moodledb/migrate"
)

func resultText(w io.Writer, r *migrate.Result) error {
	var b strings.Builder
	b.WriteString(resultTables(r) + "\n")
	writeCreatedOnly(&b, r)
	writeLeftOut(&b, r.LeftOut)
	writeFindings(&b, r.Findings)
	writeTouched(&b, r)
	b.WriteString("\n")
	writeFacts(&b, resultFacts(r))
	writeNext(&b, r)
	return flush(w, &b)
}

// resultTables lists the tables that were copied, and their sum.
func resultTables(r *migrate.Result) string {
	t := newTable([]string{"table", "rows", "bytes", "copy", "indexes", "build"}, "rows", "bytes", "copy", "indexes", "build")
	for _, tr := range r.Tables {
		if tr.Copied {
			t.AppendRow(table.Row{
				printable(tr.Name), countText(tr.Rows), sizeText(tr.Bytes), timeText(tr.CopyTime), tr.Indexes, timeText(tr.IndexTime),
			})
		}
	}
	tables, rows, bytes := r.Totals()
	t.AppendFooter(table.Row{plural(int64(tables), "table"), countText(rows), sizeText(bytes), "", r.Indexes, ""})
	return t.Render()
}

// writeCreatedOnly lists the tables that were made without their rows, by reason.
func writeCreatedOnly(b *strings.Builder, r *migrate.Result) {
	t := newTable([]string{"table", "reason"})
	found := false
	for _, tr := range r.Tables {
		if !tr.Copied {
			found = true
			t.AppendRow(table.Row{printable(tr.Name), printable(tr.Reason)})
		}
	}
	if found {
		heading(b, "Made without rows")
		b.WriteString(t.Render() + "\n")
	}
}

func resultFacts(r *migrate.Result) []fact {
	_, rows, bytes := r.Totals()
	facts := []fact{
		{"source", endpointText(r.Source)},
		{"target", fmt.Sprintf("%s, schema %s", endpointText(r.Target), r.Schema)},
		{"owner", r.Owner},
	}
	if r.Run > 0 {
		facts = append(facts, fact{"run", runText(r)})
	}
	facts = append(facts, fact{"verified", verifiedText(r)}, fact{"read again", readAgainText(r)})
	facts = append(facts, snapshotFacts(r.Snapshot)...)
	if r.Kept != "" {
		facts = append(facts, fact{"kept", fmt.Sprintf("what was there before is in schema %s", r.Kept)})
	}
	return append(facts, fact{"time", timeText(r.Elapsed) + rates(rows, bytes, r.Elapsed)})
}

// verifiedText says what was read back, and what was not.
func verifiedText(r *migrate.Result) string {
	if r.Verify == migrate.VerifyNone {
		return "NOTHING: --verify none"
	}
	tables, _, _ := r.Totals()
	v := r.Verified()
	text := fmt.Sprintf("%d of %s read back and found as sent (%s rows, %s, in %s of all sessions)",
		v.Tables, plural(int64(tables), "table"), countText(v.Rows), sizeText(v.Bytes), timeText(v.Time))
	return text + fmt.Sprintf("; the source counted as many rows in %d of them", v.Counted)
}

// readAgainText says what another client has read again; empty when nothing was to be.
func readAgainText(r *migrate.Result) string {
	if r.Sample == 0 {
		return ""
	}
	v := r.Verified()
	text := fmt.Sprintf("%s of %s by another client, encoded by other code to what was sent", plural(v.AgainRows, "row"), plural(int64(v.Again), "table"))
	if r.UncheckedWhy != "" {
		text += "; not more: " + printable(r.UncheckedWhy)
	}
	for _, t := range r.Tables {
		if t.ReadAgainNote != "" {
			text += "; " + printable(t.Name+": "+t.ReadAgainNote)
		}
	}
	return text
}

// runText names the run in the target's ledger.
func runText(r *migrate.Result) string {
	text := fmt.Sprintf("%d in the ledger of the target (schema moodledb)", r.Run)
	if r.Attempts > 1 {
		text += fmt.Sprintf(", attempt %d", r.Attempts)
	}
	return text
}

func snapshotFacts(s migrate.Snapshot) []fact {
	facts := []fact{
		{"snapshot", snapshotText(s)},
		{"position", s.Position},
		{"gtid", s.GTID},
		{"locked", "nothing"},
	}
	if s.Resumed != "" {
		facts = append(facts, fact{"resumed", s.Resumed})
	}
	if s.LockedFor > 0 {
		facts[3].value = fmt.Sprintf("writers, for %d ms while the readers opened", s.LockedFor.Milliseconds())
	}
	if len(s.Tables) > 0 {
		facts = append(facts, fact{"locked too", fmt.Sprintf("%s, for %s until they were copied: no transaction covers them", strings.Join(s.Tables, ", "), timeText(s.TablesLockedFor))})
	}
	if len(s.Unlocked) > 0 {
		facts = append(facts, fact{"unlocked", strings.Join(s.Unlocked, ", ") + ": no transaction covers them, so they may be of another moment"})
	}
	if s.Lost > 0 {
		facts = append(facts, fact{"lost", plural(int64(s.Lost), "reader") + ", whose table a spare one of the same moment copied anew"})
	}
	return facts
}

func snapshotText(s migrate.Snapshot) string {
	readers := plural(int64(s.Readers), "reader")
	if s.Consistent {
		return fmt.Sprintf("%s saw the same moment: %s", readers, s.How)
	}
	return fmt.Sprintf("NOT PROVEN that %s saw the same moment: %s", readers, s.How)
}

// rates says how fast the run was as a whole; empty when it was too short to tell.
func rates(rows, bytes int64, elapsed time.Duration) string {
	s := elapsed.Seconds()
	if s < 0.01 {
		return ""
	}
	return fmt.Sprintf(" (%s rows/s, %s/s)", countText(int64(float64(rows)/s)), sizeText(int64(float64(bytes)/s)))
}

// writeNext says what is left to do before the site runs on the target.
func writeNext(b *strings.Builder, r *migrate.Result) {
	fmt.Fprintf(b, "\nNext: in the site's config.php set $CFG->dbtype = 'pgsql' and the settings of the target")
	if r.Schema != "public" {
		fmt.Fprintf(b, ", with 'dbschema' => '%s' in $CFG->dboptions", printable(r.Schema))
	}
	b.WriteString(",\nthen run admin/cli/purge_caches.php and admin/cli/check_database_schema.php.\n")
}
