//go:build integration

package integration

import (
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
)

// TestPolicies migrates every kind of bad value by several policies, in every
// way in which rows travel. What the ledger lists must be all that differs
// between source and target.
func TestPolicies(t *testing.T) {
	for i, source := range testdb.Sources() {
		t.Run(source, func(t *testing.T) {
			base := rig.Tiny(t, source, testdb.Targets()[i%len(testdb.Targets())], rig.BadStatements()...)
			for name, policy := range rig.Policies() {
				parts := migrate.Options{Site: rig.BadCode(t), Policy: policy, Chunk: migrate.MinChunk, Jobs: 2}
				t.Run(name+", in parts, stopped and resumed", func(t *testing.T) {
					stopAndResume(t, base.WithTarget(t), parts)
				})
				if i > 0 {
					continue // the ways do not depend on the source's server
				}
				whole := parts
				whole.Chunk = 0
				t.Run(name+", whole", func(t *testing.T) {
					p := base.WithTarget(t)
					checkBad(t, p, p.Migrate(t, whole), policy)
				})
				loaded := parts
				loaded.Site, loaded.DataOnly = nil, true
				t.Run(name+", data only, stopped and resumed", func(t *testing.T) {
					p := base.WithTarget(t)
					p.Migrate(t, migrate.Options{Site: parts.Site, SkipData: []string{"*"}})
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
func stopAndResume(t *testing.T, p *rig.Pair, opts migrate.Options) {
	t.Helper()
	before := p.Stop(t, opts, halfOfBad)
	if before.Done == 0 || before.Done == before.Chunks {
		t.Fatalf("%d of %d parts were copied when the run was stopped", before.Done, before.Chunks)
	}
	opts.Resume, opts.SourceFrozen = true, true
	w := p.Attempt(t, opts, nil)
	if w.Err != nil {
		t.Fatal(w.Err)
	}
	p.Kept(t, before, w)
	checkBad(t, p, w.Result, opts.Policy)
}

// TestPolicyStops: a run stops at the first value of a kind that no rule is for,
// and goes on when it is resumed with one. What it had changed before is listed once.
func TestPolicyStops(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), rig.BadStatements()...)
	policy := copy.Policy{Mode: convert.FixBad, Fixes: convert.Fixes{convert.TooLong: convert.FixStop}}
	opts := migrate.Options{Site: rig.BadCode(t), Policy: policy, Chunk: migrate.MinChunk, Jobs: 1}
	w := p.Attempt(t, opts, nil)
	rig.Stopped(t, p, w.Err)
	for _, want := range []string{`"long"`, "id=138", "too-long", "truncate", "quarantine"} {
		if !strings.Contains(w.Err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, w.Err)
		}
	}
	opts.Resume, opts.SourceFrozen, opts.Policy = true, true, copy.Policy{Mode: convert.FixBad}
	if w = p.Attempt(t, opts, nil); w.Err != nil {
		t.Fatal(w.Err)
	}
	checkBad(t, p, w.Result, opts.Policy)
}

// TestPolicyAnew: what a run has listed is forgotten when it copies everything anew.
func TestPolicyAnew(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), rig.BadStatements()...)
	opts := migrate.Options{Site: rig.BadCode(t), Policy: copy.Policy{Mode: convert.QuarantineBad, Fixes: convert.Fixes{convert.NulByte: convert.FixStrip}}, Chunk: migrate.MinChunk, Jobs: 2}
	before := p.Stop(t, opts, halfOfBad)
	if n := p.Count(t, "SELECT (SELECT count(*) FROM moodledb.value_change) * (SELECT count(*) FROM moodledb.rejected_row)"); n == 0 {
		t.Error("nothing is listed when the run was stopped")
	}
	p.SourceServer.Exec(t, p.SourceURL, "UPDATE mdl_bad SET pad = 'written' WHERE id % 100 = 1")
	opts.Resume = true
	w := p.Attempt(t, opts, nil)
	if w.Err != nil {
		t.Fatal(w.Err)
	}
	p.Anew(t, before, w)
	checkBad(t, p, w.Result, opts.Policy)
}

// TestPolicyRefusedRows: rows that only PostgreSQL refuses are set aside, as the user said.
func TestPolicyRefusedRows(t *testing.T) {
	p := rig.Tiny(t, rig.FirstSource(), rig.FirstTarget(), rig.BadStatements()...)
	p.Migrate(t, migrate.Options{Site: rig.BadCode(t), SkipData: []string{"*"}})
	p.TargetServer.Exec(t, p.TargetURL, "ALTER TABLE mdl_bad ADD CHECK (id % 500 <> 7)")
	policy := copy.Policy{Mode: convert.FixBad, Fixes: convert.Fixes{convert.Refused: convert.FixQuarantine}}
	result := p.Migrate(t, migrate.Options{DataOnly: true, Policy: policy, Chunk: migrate.MinChunk})
	keys := p.Strings(t, "SELECT row_key FROM moodledb.rejected_row WHERE kind = 'refused' AND run = $1 ORDER BY id", result.Run)
	slices.Sort(keys)
	if want := []string{"id=1007", "id=507", "id=7"}; !slices.Equal(keys, want) {
		t.Errorf("rows %v are set aside, want %v", keys, want)
	}
	if n := p.Count(t, "SELECT count(*) FROM mdl_bad"); n != rig.BadTables()["bad"]-3 {
		t.Errorf("%d rows arrived", n)
	}
}
