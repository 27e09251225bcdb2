//go:build integration

package integration

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/xmldb"
)

// badColumn is a column of the source that can hold values that its target cannot.
type badColumn struct {
	name, source string // the source's definition
	declared     string // the FIELD of install.xml; empty when the column is not declared
	kind         convert.ErrorKind
	good, bad    string // expressions of SQL
	// fixed is what the first rule for the kind makes of bad, as the target tells it; NULL is "NULL".
	fixed string
}

// badColumns has a column for each kind of bad value.
func badColumns() []badColumn {
	return []badColumn{
		{"nul", "longtext", field("nul", "text", ""), convert.NulByte, "'fine'", "CONCAT('a', CHAR(0), 'b')", "ab"},
		{"utf", "longblob", field("utf", "text", ""), convert.InvalidUTF8, "'f\u00efne'", "UNHEX('61C3E9206465')", "aÃé de"},
		{"zero", "datetime", "", convert.ZeroDate, "'2024-02-29 12:00:00'", "'0000-00-00 00:00:00'", "NULL"},
		{"day", "date", "", convert.BadDate, "'2024-02-29'", "'2023-02-30'", "NULL"},
		{"wide", "int", field("wide", "int", `LENGTH="4" NOTNULL="false"`), convert.OutOfRange, "32767", "40000", "32767"},
		{"exact", "decimal(12,5)", field("exact", "number", `LENGTH="10" DECIMALS="2" NOTNULL="false"`), convert.NotExact, "1.25", "1.23456", "1.23"},
		{"long", "varchar(300)", field("long", "char", `LENGTH="10" NOTNULL="false"`), convert.TooLong, "'tenletters'", "REPEAT('é', 15)", strings.Repeat("é", 10)},
		{"missing", "bigint", field("missing", "int", `LENGTH="10" NOTNULL="true"`), convert.NullValue, "5", "NULL", "0"},
	}
}

// badTables are the tables of the source with their numbers of rows: one that is
// divided when parts are small, and three that are copied in one transaction.
func badTables() map[string]int {
	return map[string]int{"bad": 1200, "bad_few": 40, "bad_other": 30, "bad_none": 10}
}

// isBad says which value is bad: each 23rd row has one, and each 230th has all.
func isBad(table string, id, column int) bool {
	return table != "bad_none" && (id%23 == 0 && (id/23)%len(badColumns()) == column || id%230 == 0)
}

// badStatements make the source.
func badStatements() []string {
	columns := badColumns()
	var list []string
	for _, table := range slices.Sorted(maps.Keys(badTables())) {
		name := "mdl_" + table
		definition := "CREATE TABLE " + name + " (id bigint NOT NULL AUTO_INCREMENT, pad varchar(200), "
		names := "id, pad"
		for _, c := range columns {
			definition += "`" + c.name + "` " + c.source + ", "
			names += ", `" + c.name + "`"
		}
		list = append(list, definition+"PRIMARY KEY (id)) ENGINE=InnoDB STATS_AUTO_RECALC=0", "SET sql_mode = 'ALLOW_INVALID_DATES'")
		list = append(list, killRows(name+" ("+names+")", badTables()[table], func(i int) string {
			values := fmt.Sprintf("(%d, REPEAT('p', 150)", i+1)
			for n, c := range columns {
				if isBad(table, i+1, n) {
					values += ", " + c.bad
				} else {
					values += ", " + c.good
				}
			}
			return values + ")"
		})...)
		list = append(list, "ANALYZE TABLE "+name)
	}
	return list
}

// badCode declares the tables.
func badCode(t *testing.T) *xmldb.Site {
	t.Helper()
	var fields, tables []string
	for _, c := range badColumns() {
		if c.declared != "" {
			fields = append(fields, c.declared)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(badTables())) {
		tables = append(tables, table(name, append([]string{field("pad", "char", `LENGTH="200" NOTNULL="false"`)}, fields...)...))
	}
	return tinyCode(t, tables...)
}

// policies are those that are tested with every kind of value.
func policies() map[string]copy.Policy {
	return map[string]copy.Policy{
		"fix":        {Mode: convert.FixBad},
		"quarantine": {Mode: convert.QuarantineBad},
		"rules by kind": {Fixes: convert.Fixes{
			convert.NulByte: convert.FixReplacement, convert.InvalidUTF8: convert.FixStrip, convert.ZeroDate: convert.FixEpoch,
			convert.BadDate: convert.FixClamp, convert.OutOfRange: convert.FixNull, convert.NotExact: convert.FixQuarantine,
			convert.TooLong: convert.FixQuarantine, convert.NullValue: convert.FixEmpty,
		}},
	}
}

// TestPolicies migrates every kind of bad value by several policies, in every
// way in which rows travel. What the ledger lists must be all that differs
// between source and target.
func TestPolicies(t *testing.T) {
	for i, source := range testdb.Sources() {
		t.Run(source, func(t *testing.T) {
			base := tiny(t, source, testdb.Targets()[i%len(testdb.Targets())], badStatements()...)
			for name, policy := range policies() {
				parts := migrate.Options{Site: badCode(t), Policy: policy, Chunk: migrate.MinChunk, Jobs: 2}
				t.Run(name+", in parts, stopped and resumed", func(t *testing.T) {
					stopAndResume(t, base.withTarget(t), parts)
				})
				if i > 0 {
					continue // the ways do not depend on the source's server
				}
				whole := parts
				whole.Chunk = 0
				t.Run(name+", whole", func(t *testing.T) {
					p := base.withTarget(t)
					checkBad(t, p, p.migrate(t, whole), policy)
				})
				loaded := parts
				loaded.Site, loaded.DataOnly = nil, true
				t.Run(name+", data only, stopped and resumed", func(t *testing.T) {
					p := base.withTarget(t)
					p.migrate(t, migrate.Options{Site: parts.Site, SkipData: []string{"*"}})
					stopAndResume(t, p, loaded)
				})
			}
		})
	}
}

// halfOfBad holds when half of the largest table has been read.
func halfOfBad(e migrate.Event) bool {
	at, ok := e.(migrate.TableProgress)
	return ok && at.Table == "mdl_bad" && at.Rows >= 600
}

// stopAndResume migrates with a stop in the middle, and checks the outcome.
func stopAndResume(t *testing.T, p *pair, opts migrate.Options) {
	t.Helper()
	before := p.stop(t, opts, halfOfBad)
	if before.done == 0 || before.done == before.chunks {
		t.Fatalf("%d of %d parts were copied when the run was stopped", before.done, before.chunks)
	}
	opts.Resume, opts.SourceFrozen = true, true
	w := p.attempt(t, opts, nil)
	if w.err != nil {
		t.Fatal(w.err)
	}
	p.kept(t, before, w)
	checkBad(t, p, w.result, opts.Policy)
}

// TestPolicyStops: a run stops at the first value of a kind that no rule is for,
// and goes on when it is resumed with one. What it had changed before is listed once.
func TestPolicyStops(t *testing.T) {
	p := tiny(t, firstSource(), firstTarget(), badStatements()...)
	policy := copy.Policy{Mode: convert.FixBad, Fixes: convert.Fixes{convert.TooLong: convert.FixStop}}
	opts := migrate.Options{Site: badCode(t), Policy: policy, Chunk: migrate.MinChunk, Jobs: 1}
	w := p.attempt(t, opts, nil)
	stopped(t, p, w.err)
	for _, want := range []string{`"long"`, "id=138", "too-long", "truncate", "quarantine"} {
		if !strings.Contains(w.err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, w.err)
		}
	}
	opts.Resume, opts.SourceFrozen, opts.Policy = true, true, copy.Policy{Mode: convert.FixBad}
	if w = p.attempt(t, opts, nil); w.err != nil {
		t.Fatal(w.err)
	}
	checkBad(t, p, w.result, opts.Policy)
}

// TestPolicyAnew: what a run has listed is forgotten when it copies everything anew.
func TestPolicyAnew(t *testing.T) {
	p := tiny(t, firstSource(), firstTarget(), badStatements()...)
	opts := migrate.Options{Site: badCode(t), Policy: copy.Policy{Mode: convert.QuarantineBad, Fixes: convert.Fixes{convert.NulByte: convert.FixStrip}}, Chunk: migrate.MinChunk, Jobs: 2}
	before := p.stop(t, opts, halfOfBad)
	if n := p.count(t, "SELECT (SELECT count(*) FROM moodledb.value_change) * (SELECT count(*) FROM moodledb.rejected_row)"); n == 0 {
		t.Error("nothing is listed when the run was stopped")
	}
	p.sourceServer.Exec(t, p.sourceURL, "UPDATE mdl_bad SET pad = 'written' WHERE id % 100 = 1")
	opts.Resume = true
	w := p.attempt(t, opts, nil)
	if w.err != nil {
		t.Fatal(w.err)
	}
	p.anew(t, before, w)
	checkBad(t, p, w.result, opts.Policy)
}

// TestPolicyRefusedRows: rows that only PostgreSQL refuses are set aside, as the user said.
func TestPolicyRefusedRows(t *testing.T) {
	p := tiny(t, firstSource(), firstTarget(), badStatements()...)
	p.migrate(t, migrate.Options{Site: badCode(t), SkipData: []string{"*"}})
	p.targetServer.Exec(t, p.targetURL, "ALTER TABLE mdl_bad ADD CHECK (id % 500 <> 7)")
	policy := copy.Policy{Mode: convert.FixBad, Fixes: convert.Fixes{convert.Refused: convert.FixQuarantine}}
	result := p.migrate(t, migrate.Options{DataOnly: true, Policy: policy, Chunk: migrate.MinChunk})
	keys := p.strings(t, "SELECT row_key FROM moodledb.rejected_row WHERE kind = 'refused' AND run = $1 ORDER BY id", result.Run)
	slices.Sort(keys)
	if want := []string{"id=1007", "id=507", "id=7"}; !slices.Equal(keys, want) {
		t.Errorf("rows %v are set aside, want %v", keys, want)
	}
	if n := p.count(t, "SELECT count(*) FROM mdl_bad"); n != badTables()["bad"]-3 {
		t.Errorf("%d rows arrived", n)
	}
}
