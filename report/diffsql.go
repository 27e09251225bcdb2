package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/moodledb/moodledb/diff"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/schema"
)

// DiffSQL writes fixes as a script for the client of the engine, the safest first. What loses
// data, or must be looked at before, is there as comments only.
func DiffSQL(w io.Writer, r *drift.Result, fixes []diff.Fix, engine schema.Engine) error {
	var b strings.Builder
	sqlHead(&b, r, engine, len(fixes))
	fixes = slices.Clone(fixes)
	slices.SortStableFunc(fixes, func(a, b diff.Fix) int { return cmp.Compare(a.Stage, b.Stage) })
	if len(fixes) > 0 {
		sqlSettings(&b, engine)
	}
	for i, f := range fixes {
		if i == 0 || f.Stage != fixes[i-1].Stage {
			fmt.Fprintf(&b, "\n-- ---- %s\n", stageTitle(f.Stage))
		}
		sqlFix(&b, f)
	}
	sqlUnfixed(&b, r.Changes, fixes)
	return flush(w, &b)
}

func sqlHead(b *strings.Builder, r *drift.Result, engine schema.Engine, fixes int) {
	sqlComment(b, "Made by moodledb diff.")
	sqlComment(b, "expected: "+endText(r.Expected, r))
	sqlComment(b, "found: "+endText(r.Found, r))
	if !r.Started.IsZero() {
		sqlComment(b, "compared: "+r.Started.UTC().Format(time.RFC3339))
	}
	sqlComment(b, count(r).summary()+".")
	b.WriteString("--\n")
	if fixes == 0 {
		sqlComment(b, "There is nothing to do.")
		return
	}
	sqlComment(b, "Test this on a copy first, and make a backup. Put the site into maintenance mode.")
	sqlComment(b, "Statements that lose something are comments: read them, and take the dashes away.")
	if engine.IsMySQL() {
		sqlComment(b, "Run it with: mysql --default-character-set=utf8mb4 DATABASE < FILE")
		sqlComment(b, "It stops at the first error; what was done until then stays.")
		return
	}
	sqlComment(b, "Run it with: psql --no-psqlrc --set=ON_ERROR_STOP=1 --file=FILE DATABASE")
	sqlComment(b, "It stops at the first error; what was done until then stays, or, with --single-transaction, nothing does.")
}

// sqlSettings makes sure that the statements mean the same in every session.
func sqlSettings(b *strings.Builder, engine schema.Engine) {
	b.WriteString("\n")
	if engine.IsMySQL() {
		// A value that does not fit must be an error, and a row of id 0 keep its id. All
		// other modes are off, so that quotes and backslashes are read as they were written.
		b.WriteString("SET NAMES utf8mb4;\nSET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO';\n")
		return
	}
	b.WriteString("SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n")
}

// stageTitle is the heading of a stage.
func stageTitle(s diff.Stage) string {
	switch s {
	case diff.StageAdd:
		return "Make what is missing"
	case diff.StageWiden:
		return "Make room; a table may be written anew, which takes time"
	case diff.StageIndex:
		return "Make indexes and keys again"
	case diff.StageNarrow:
		return "Take room away; a statement fails, and changes nothing, where rows do not fit"
	case diff.StageDrop:
		return "Drop what holds no data"
	case diff.StageDestroy:
		return "Loses data or code"
	case diff.StageManual:
		return "To be done by people"
	default:
		return fmt.Sprintf("Stage %d", s)
	}
}

func sqlFix(b *strings.Builder, f diff.Fix) {
	codes := make([]string, len(f.Codes))
	for i, c := range f.Codes {
		codes[i] = string(c)
	}
	table := f.Table
	if table == "" {
		table = "the schema"
	}
	b.WriteString("\n")
	sqlComment(b, table+": "+strings.Join(codes, ", "))
	if f.Note != "" {
		sqlComment(b, f.Note)
	}
	inactive := f.Destructive || f.Stage == diff.StageDestroy || f.Stage == diff.StageManual
	for _, s := range f.Statements {
		if !inactive && strings.ContainsFunc(s, steers) {
			sqlComment(b, "A name has control characters, so this is only a comment, and shows them as \ufffd:")
			sqlCommentStatement(b, s)
			continue
		}
		if inactive {
			sqlCommentStatement(b, s)
			continue
		}
		b.WriteString(closed(s) + "\n")
	}
}

// steers reports whether a character cannot stand in a script that people look
// at and clients read. Line breaks and tabs can.
func steers(r rune) bool { return r != '\n' && r != '\t' && unprintable(r) }

// closed ends a statement with one semicolon.
func closed(s string) string { return strings.TrimRight(s, "; \t\n") + ";" }

func sqlCommentStatement(b *strings.Builder, s string) { sqlComment(b, closed(s)) }

// sqlComment writes every line of a text as a comment. A carriage return ends a
// comment for PostgreSQL, so only line breaks that are written here may remain.
func sqlComment(b *strings.Builder, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight("-- "+printable(strings.ReplaceAll(line, "\t", "    ")), " ")
		b.WriteString(line + "\n")
	}
}

// sqlUnfixed lists the differences that no fix is about.
func sqlUnfixed(b *strings.Builder, changes []diff.Change, fixes []diff.Fix) {
	type key struct {
		table string
		code  diff.Code
	}
	fixed := map[key]bool{}
	for _, f := range fixes {
		for _, code := range f.Codes {
			fixed[key{f.Table, code}] = true
		}
	}
	first := true
	for _, c := range foldOtherPrefixes(changes) {
		if fixed[key{c.Table, c.Code}] || fixed[key{"", c.Code}] {
			continue
		}
		if first {
			b.WriteString("\n-- ---- No statement of the database can undo these, or none is needed\n\n")
			first = false
		}
		sqlComment(b, fmt.Sprintf("%s: %s [%s]", c.Severity, strings.ReplaceAll(c.text(), "\n", " "), c.Code))
	}
}
