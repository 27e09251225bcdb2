package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/postgres"
)

// StatusOptions say how [Status] writes.
type StatusOptions struct {
	Format Format
	// Target is the database that was asked, without a password.
	Target string
	// User is the connected role.
	User string
	// Detail is the number of the run that is told of in full, in text; 0 for none.
	Detail int64
	// Tables bounds how many tables in work are listed in text; 0 for all.
	Tables int
	// Line writes JSON as one line.
	Line bool
}

// Status writes the runs that a target's ledger has.
func Status(w io.Writer, runs []migrate.RunStatus, opts StatusOptions) error {
	switch opts.Format {
	case Text:
		return statusText(w, runs, opts)
	case JSON:
		document := statusDocument(runs, opts.Target)
		if opts.Line {
			return writeLine(w, document)
		}
		return writeJSON(w, document)
	default:
		return fmt.Errorf("write status: %q is no output format", opts.Format)
	}
}

func statusText(w io.Writer, runs []migrate.RunStatus, opts StatusOptions) error {
	var b strings.Builder
	if len(runs) == 0 {
		fmt.Fprintf(&b, "%s has no record of a run.\n", printable(opts.Target))
		return flush(w, &b)
	}
	detailed := false
	for i := range runs {
		detailed = detailed || runs[i].ID == opts.Detail
	}
	if len(runs) > 1 || !detailed {
		b.WriteString(runsTable(runs) + "\n")
	}
	for i := range runs {
		if runs[i].ID == opts.Detail {
			if b.Len() > 0 {
				b.WriteString("\n")
			}
			writeRun(&b, &runs[i], opts)
		}
	}
	return flush(w, &b)
}

// runsTable lists the runs, a line each.
func runsTable(runs []migrate.RunStatus) string {
	t := newTable([]string{"run", "state", "mode", "source", "schema", "started", "done", "left", "tables", "rows", "bytes", "indexes"},
		"run", "done", "left", "tables", "rows", "bytes", "indexes")
	for i := range runs {
		r := &runs[i]
		left := ""
		if r.State == migrate.RunRunning {
			left = leftText(r)
		}
		t.AppendRow(table.Row{
			r.ID, string(r.State), string(r.Mode), printable(r.Source), printable(r.Load), momentText(r.Started), percentText(r.Fraction), left,
			ofAll(r.Tables.Copied, r.Tables.All), countText(r.Rows), sizeText(r.Bytes), ofAll(r.Built, r.Indexes),
		})
	}
	return t.Render()
}

func ofAll(done, all int) string { return fmt.Sprintf("%d/%d", done, all) }

// percentText does not say 100 before the end.
func percentText(fraction float64) string {
	if fraction < 1 {
		fraction = min(fraction, 0.99)
	}
	return fmt.Sprintf("%.0f%%", 100*fraction)
}

// momentText writes a moment in UTC.
func momentText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// leftText writes the forecast no more exactly than it is.
func leftText(r *migrate.RunStatus) string {
	switch d := r.Left; {
	case !r.LeftKnown:
		return "unknown"
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return d.Round(time.Second).String()
	}
}

// writeRun tells of one run in full.
func writeRun(b *strings.Builder, r *migrate.RunStatus, opts StatusOptions) {
	fmt.Fprintf(b, "Run %d: %s\n", r.ID, stateText(r))
	writeFacts(b, runFacts(r))
	writeWorking(b, r.Working, opts.Tables)
	writeSessions(b, r)
	if r.Hidden > 0 {
		fmt.Fprintf(b, "\n%s of another role cannot be looked at, so there is no forecast: let an administrator run: GRANT pg_read_all_stats TO %s\n",
			plural(int64(r.Hidden), "session"), printable(postgres.QuoteIdent(opts.User)))
	}
	if r.State == migrate.RunInterrupted || r.State == migrate.RunStopped {
		fmt.Fprintf(b, "\nNext: 'moodledb migrate --resume' with the flags that it was started with, or 'moodledb abort --run %d'.\n", r.ID)
	}
}

func stateText(r *migrate.RunStatus) string {
	text := string(r.State)
	switch {
	case r.Preparing && r.State == migrate.RunRunning:
		text += ", makes the place that is loaded"
	case r.State == migrate.RunRunning && r.LeftKnown:
		text += fmt.Sprintf(", %s done, about %s left", percentText(r.Fraction), leftText(r))
	case r.State != migrate.RunDone:
		text += fmt.Sprintf(", %s done", percentText(r.Fraction))
	}
	return text
}

func runFacts(r *migrate.RunStatus) []fact {
	schema := r.Load
	if r.Publish != r.Load {
		if r.State == migrate.RunDone {
			schema = r.Publish
		} else {
			schema += ", to become " + r.Publish
		}
	}
	facts := []fact{
		{"source", r.Source},
		{"schema", schema + " (" + string(r.Mode) + ")"},
		{"owner", r.Owner},
		{"started", strings.TrimSpace(momentText(r.Started) + " UTC by moodledb " + r.Tool)},
		{"attempts", attemptsText(r)},
	}
	if !r.Ended.IsZero() {
		facts = append(facts, fact{"ended", momentText(r.Ended) + " UTC"})
	}
	if r.Snapshot.How != "" {
		facts = append(facts, fact{"snapshot", snapshotText(r.Snapshot)}, fact{"position", r.Snapshot.Position}, fact{"kept", r.Snapshot.Resumed})
	}
	of := "%s of about %s"
	if r.State == migrate.RunDone {
		of = "%s, where about %s were expected"
	}
	facts = append(
		facts,
		fact{"tables", fmt.Sprintf("%d of %d copied, %d complete%s", r.Tables.Copied, r.Tables.All, r.Tables.Done, othersText(r))},
		fact{"rows", fmt.Sprintf(of, countText(r.Rows), countText(r.ExpectedRows))},
		fact{"bytes", fmt.Sprintf(of, sizeText(r.Bytes), sizeText(r.ExpectedBytes))},
		fact{"indexes", fmt.Sprintf("%d of %d built", r.Built, r.Indexes)},
	)
	verified := fmt.Sprintf("%d of %d tables read back and found as sent", r.Tables.Verified, r.Tables.All)
	if r.Verify == migrate.VerifyNone {
		verified = "nothing: --verify none"
	}
	facts = append(facts, fact{"verified", verified})
	if r.Chunks > 0 {
		facts = append(facts, fact{"parts", fmt.Sprintf("%d of %d copied, of large tables", r.ChunksDone, r.Chunks)})
	}
	if r.Changed > 0 {
		facts = append(facts, fact{"changed", plural(r.Changed, "value") + " by the policy, listed in moodledb.value_change"})
	}
	if r.Rejected > 0 {
		facts = append(facts, fact{"rejected", plural(r.Rejected, "row") + " by the policy, kept in moodledb.rejected_row"})
	}
	return append(facts, fact{"problem", strings.ReplaceAll(r.Problem, "\n", "; ")})
}

func attemptsText(r *migrate.RunStatus) string {
	if r.Attempts < 2 {
		return ""
	}
	return fmt.Sprintf("%d, the last one began %s UTC", r.Attempts, momentText(r.Resumed))
}

func othersText(r *migrate.RunStatus) string {
	if r.Others == 0 {
		return ""
	}
	return "; " + plural(int64(r.Others), "table") + " made without rows"
}

// writeWorking lists the tables in work.
func writeWorking(b *strings.Builder, working []migrate.TableStatus, most int) {
	if len(working) == 0 {
		return
	}
	heading(b, "Tables in work")
	shown := working
	if most > 0 && len(working) > most {
		shown = working[:most]
	}
	t := newTable([]string{"table", "rows", "expected rows", "bytes", "expected bytes", "parts", "indexes", "sessions"},
		"rows", "expected rows", "bytes", "expected bytes", "parts", "indexes", "sessions")
	for i := range shown {
		ts := &shown[i]
		parts := ""
		if ts.Chunks > 0 {
			parts = ofAll(ts.ChunksDone, ts.Chunks)
		}
		t.AppendRow(table.Row{
			printable(ts.Table), countText(ts.Rows), countText(ts.ExpectedRows), sizeText(ts.Bytes), sizeText(ts.ExpectedBytes),
			parts, ofAll(ts.Built, ts.Indexes), len(ts.Sessions),
		})
	}
	b.WriteString(t.Render() + "\n")
	if left := len(working) - len(shown); left > 0 {
		fmt.Fprintf(b, "and %s\n", plural(int64(left), "more table"))
	}
}

// writeSessions lists what the sessions of the run are doing.
func writeSessions(b *strings.Builder, r *migrate.RunStatus) {
	t := newTable([]string{"session", "for", "table", "doing", "waits for"}, "session", "for")
	found := false
	add := func(name string, a *postgres.Activity) {
		found = true
		t.AppendRow(table.Row{a.PID, timeText(a.Since), printable(name), printable(doingText(a)), waitText(a)})
	}
	for i := range r.Working {
		for j := range r.Working[i].Sessions {
			add(r.Working[i].Table, &r.Working[i].Sessions[j])
		}
	}
	for i := range r.Sessions {
		add("", &r.Sessions[i])
	}
	if found {
		heading(b, "What the target is doing")
		b.WriteString(t.Render() + "\n")
	}
}

func doingText(a *postgres.Activity) string {
	switch a.Kind {
	case postgres.ActivityCopy:
		return fmt.Sprintf("copy: %s, %s", plural(a.Rows, "row"), sizeText(a.Bytes))
	case postgres.ActivityRead:
		return fmt.Sprintf("read back: %s, %s", plural(a.Rows, "row"), sizeText(a.Bytes))
	case postgres.ActivityIndex:
		text := strings.TrimSpace("index " + a.Index)
		if a.Phase != "" {
			text += ": " + strings.TrimPrefix(a.Phase, "building index: ")
		}
		// While it sorts, the server counts nothing.
		if a.Total > 0 && !strings.Contains(a.Phase, "sorting") {
			text += " " + percentText(float64(a.Done)/float64(a.Total))
		}
		return text
	default:
		return a.Statement
	}
}

func waitText(a *postgres.Activity) string {
	if len(a.BlockedBy) == 0 {
		return a.Wait
	}
	pids := make([]string, len(a.BlockedBy))
	for i, pid := range a.BlockedBy {
		pids[i] = fmt.Sprint(pid)
	}
	return a.Wait + ", held by " + strings.Join(pids, ", ")
}

// StatusLine writes how far a run is in one line of text.
func StatusLine(w io.Writer, r *migrate.RunStatus) error {
	var b strings.Builder
	fmt.Fprintf(&b, "run %d %s: %s  %s tables  %s indexes  %s rows  %s", r.ID, r.State, percentText(r.Fraction),
		ofAll(r.Tables.Copied, r.Tables.All), ofAll(r.Built, r.Indexes), countText(r.Rows), sizeText(r.Bytes))
	if r.State == migrate.RunRunning {
		b.WriteString("  left: " + leftText(r))
	}
	if r.Problem != "" {
		b.WriteString("  problem: " + printable(strings.ReplaceAll(r.Problem, "\n", "; ")))
	}
	b.WriteString("\n")
	return flush(w, &b)
}
