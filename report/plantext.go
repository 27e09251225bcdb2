package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
)

func planText(w io.Writer, p *migrate.Plan) error {
	var b strings.Builder
	b.WriteString(planVerdict(p) + "\n\n")
	writeFacts(&b, planFacts(p))
	writeFindings(&b, p.Findings)
	if len(p.Overwrites) > 0 {
		heading(&b, "Replaced or emptied at the target")
		for _, line := range p.Overwrites {
			fmt.Fprintf(&b, "%s\n", printable(line))
		}
	}
	writeLeftOut(&b, p.LeftOut)
	if len(p.Tables) > 0 {
		heading(&b, "Tables")
		b.WriteString(planTables(p) + "\n")
	}
	writeSteps(&b, p)
	return flush(w, &b)
}

func planVerdict(p *migrate.Plan) string {
	blockers := 0
	for _, f := range p.Findings {
		if f.Severity == migrate.Blocker {
			blockers++
		}
	}
	switch blockers {
	case 0:
		return "Plan of a migration. Nothing has been written."
	case 1:
		return "Plan of a migration that cannot run: there is 1 blocker. Nothing has been written."
	default:
		return fmt.Sprintf("Plan of a migration that cannot run: there are %d blockers. Nothing has been written.", blockers)
	}
}

func planFacts(p *migrate.Plan) []fact {
	sum := estimate(p)
	owner := p.Owner
	if owner == "" {
		owner = "the connected role"
	}
	return []fact{
		{"source", endpointText(p.Source)},
		{"target", endpointText(p.Target)},
		{"prefix", p.Prefix},
		{"way", planWay(p)},
		{"owner", owner},
		{"at once", fmt.Sprintf("%s, in %s of memory", plural(int64(p.Jobs), "table"), sizeText(p.Memory))},
		{"snapshot", planSnapshotText(p.Snapshot)},
		{"parts", partsText(p)},
		{"bad values", policyText(p.Policy)},
		{"verify", planVerifyText(p)},
		{"estimate", fmt.Sprintf("%s to copy, %s, %s", plural(int64(sum.Tables), "table"), plural(sum.Rows, "row"), sizeText(sum.Bytes))},
	}
}

// planVerifyText says what is read back.
func planVerifyText(p *migrate.Plan) string {
	text := "every row is read back before it is published"
	switch {
	case p.Verify == migrate.VerifyNone:
		return "nothing"
	case p.Sample > 0:
		text += fmt.Sprintf("; %g%% of each table, and at least a part, is read again at the source by another client", p.Sample)
	}
	return text
}

// partsText says into how many parts tables are divided.
func partsText(p *migrate.Plan) string {
	tables, parts := 0, 0
	for i := range p.Tables {
		if n := len(p.Tables[i].Chunks); n > 0 {
			tables++
			parts += n
		}
	}
	if tables == 0 {
		return fmt.Sprintf("none: no table is larger than two parts of %s", sizeText(p.Chunk))
	}
	return fmt.Sprintf("%s of about %s, of %s", plural(int64(parts), "part"), sizeText(p.Chunk), plural(int64(tables), "table"))
}

// planSnapshotText says by which ways one moment of the source will be tried to be had.
func planSnapshotText(s migrate.SnapshotPlan) string {
	if len(s.Ways) == 0 {
		return ""
	}
	words := make([]string, len(s.Ways))
	for i, way := range s.Ways {
		words[i] = wayText(way)
	}
	text := fmt.Sprintf("%s, %s", plural(int64(s.Readers), "reader"), strings.Join(words, ", else "))
	if len(s.Locked) > 0 {
		text += fmt.Sprintf("; locked until they are copied: %s", strings.Join(s.Locked, ", "))
	}
	return text
}

func wayText(way mysql.SnapshotMethod) string {
	switch way {
	case mysql.LockFree:
		return "shown without a lock to see one moment"
	case mysql.OneReader:
		return "one transaction"
	case mysql.BackupStage:
		return "opened while BACKUP STAGE holds writers back for milliseconds"
	case mysql.GlobalReadLock:
		return "opened while FLUSH TABLES WITH READ LOCK holds writers back for milliseconds"
	case mysql.TableLocks:
		return "opened while LOCK TABLES … READ holds writers back for milliseconds"
	case mysql.Unproven:
		return "not shown to see one moment"
	default:
		return string(way)
	}
}

func planWay(p *migrate.Plan) string {
	switch p.Mode {
	case migrate.Staged:
		return fmt.Sprintf("make the schema in %s, load it, rename it to %s at the end", p.Load, p.Publish)
	case migrate.Direct:
		return fmt.Sprintf("make the schema in %s and load it there", p.Load)
	case migrate.DataOnly:
		return fmt.Sprintf("load into the tables that %s has", p.Load)
	default:
		return string(p.Mode)
	}
}

func planTables(p *migrate.Plan) string {
	t := newTable([]string{"table", "rows", "bytes", "indexes", "from", "remark"}, "rows", "bytes", "indexes")
	for i := range p.Tables {
		pt := &p.Tables[i]
		rows, bytes := countText(pt.Rows), sizeText(pt.Bytes)
		if !pt.Copy {
			rows, bytes = "-", "-"
		}
		t.AppendRow(table.Row{printable(pt.Target), rows, bytes, len(pt.After), origin(pt), printable(remark(pt))})
	}
	return t.Render()
}

// origin says where the definition of a table comes from.
func origin(t *migrate.Table) string {
	switch {
	case t.Declared && t.Origin.Component != "":
		return t.Origin.Component
	case t.Declared:
		return "install.xml"
	default:
		return "source"
	}
}

func remark(t *migrate.Table) string {
	var parts []string
	if t.Source != "" && t.Source != t.Target {
		parts = append(parts, "named "+t.Source+" at the source")
	}
	if n := len(t.Chunks); n > 0 {
		parts = append(parts, fmt.Sprintf("in %d parts", n))
	}
	if !t.Copy {
		parts = append(parts, "no rows: "+t.Reason)
	}
	return strings.Join(parts, "; ")
}

// writeSteps writes every statement in the order of the run.
func writeSteps(b *strings.Builder, p *migrate.Plan) {
	if len(p.Prepare) > 0 {
		heading(b, "Statements: prepare")
		writeStatements(b, p.Prepare)
	}
	for i := range p.Tables {
		t := &p.Tables[i]
		heading(b, "Statements: table "+printable(t.Target))
		writeStatements(b, t.Before)
		if t.Copy {
			fmt.Fprintf(b, "-- at the source\n%s;\n-- into the target\n%s;\n", statement(t.Query), statement(t.CopySQL))
			writeChunks(b, t)
		}
		for _, x := range t.After {
			writeStatements(b, []string{x.Statement})
		}
		for _, s := range t.Sequences {
			fmt.Fprintf(b, "-- sequence %s: above the highest %s%s\n", printable(s.Name), printable(s.Column), atLeast(s.Next))
		}
		writeStatements(b, t.Finish)
	}
	var constraints []string
	for i := range p.Tables {
		constraints = append(constraints, p.Tables[i].Constraints...)
	}
	if len(constraints) > 0 {
		heading(b, "Statements: constraints")
		writeStatements(b, constraints)
	}
	if len(p.Publishing) > 0 {
		heading(b, "Statements: publish")
		writeStatements(b, p.Publishing)
	}
}

// writeChunks lists the parts in which a table is copied.
func writeChunks(b *strings.Builder, t *migrate.Table) {
	if len(t.Chunks) == 0 {
		return
	}
	fmt.Fprintf(b, "-- in %d parts, each where:\n", len(t.Chunks))
	for _, c := range t.Chunks {
		fmt.Fprintf(b, "--   %s (about %s, %s)\n", printable(cmp.Or(c.Where, "all")), plural(c.Rows, "row"), sizeText(c.Bytes))
	}
}

// atLeast names the least next value of a sequence, where the source gave one.
func atLeast(next uint64) string {
	if next == 0 {
		return ""
	}
	return fmt.Sprintf(", and not below %d", next)
}

func writeStatements(b *strings.Builder, statements []string) {
	for _, s := range statements {
		fmt.Fprintf(b, "%s;\n", statement(s))
	}
}

// statement makes a statement safe to print, keeps its lines, and drops its own semicolon.
func statement(s string) string {
	lines := strings.Split(strings.TrimRight(s, "; \r\n"), "\n")
	for i, line := range lines {
		lines[i] = printable(strings.ReplaceAll(line, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}
