//go:build integration

package resuming

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
)

// resumeOptions divide the tables of resumeTables into parts.
func resumeOptions(t *testing.T) migrate.Options {
	t.Helper()
	return migrate.Options{Site: resumeCode(t), Jobs: 2, Chunk: migrate.MinChunk}
}

// judgement is how a resumed run finds out whether the source was written to.
type judgement struct {
	name string
	// setup is run at the source as the superuser before the run.
	setup []string
	// grants are those of the account that migrates; nil for the superuser.
	grants []string
	// between is written after the run was stopped.
	between []string
	frozen  bool
	// kept says that what was loaded is kept, refused that the run is not resumed.
	kept, trusted, refused bool
	// once is set for what does not depend on the server.
	once bool
	// says is in the notices, or in the error.
	says string
}

// oneRow is a change of the source.
func oneRow() []string { return []string{"UPDATE mdl_big SET n = n + 1 WHERE id = 1"} }

// TestResumeJudgement: what is loaded is kept only when nothing was written at the source since.
func TestResumeJudgement(t *testing.T) {
	const cannot = "cannot be shown that nothing was written"
	noRight := []string{"SELECT, LOCK TABLES ON ?"}
	logged := []judgement{
		{name: "binary log, nothing written", kept: true, says: "nothing was written at the source since"},
		{name: "binary log, nothing written, and the user says so", frozen: true, kept: true, once: true, says: "nothing was written at the source since"},
		{name: "binary log, a row written", between: oneRow(), says: "the source was written to since"},
		{name: "binary log, a row written, and the user says not", between: oneRow(), frozen: true, refused: true, says: "written to since the run began"},
	}
	unnamed := []judgement{
		{
			name: "binary log without GTIDs, nothing written", kept: true, says: "nothing was written at the source since",
			setup: []string{"SET GLOBAL gtid_mode = ON_PERMISSIVE", "SET GLOBAL gtid_mode = OFF_PERMISSIVE", "SET GLOBAL gtid_mode = OFF"},
		},
		{name: "binary log without GTIDs, a row written", between: oneRow(), says: cannot},
	}
	silent := []judgement{ // that nothing was written comes first
		{name: "no binary log, nothing written", kept: true, says: "nothing was written at the source since"},
		{name: "no binary log, a row written", between: oneRow(), says: cannot},
		{name: "no binary log, no right", grants: noRight, says: cannot, once: true},
		{name: "no binary log, no right, the user's word", grants: noRight, frozen: true, kept: true, trusted: true, once: true, says: "on the user's word"},
		// InnoDB counts only its own transactions.
		{
			name: "no binary log, a table without transactions written", says: cannot,
			setup: []string{"CREATE TABLE mdl_old (id bigint NOT NULL, PRIMARY KEY (id)) ENGINE=MyISAM"}, between: []string{"INSERT INTO mdl_old VALUES (1)"},
		},
	}
	for _, flavour := range testdb.Sources() {
		t.Run(flavour, func(t *testing.T) {
			if !strings.HasPrefix(flavour, "mysql") {
				judge(t, rig.LoggingSource(t, flavour), logged)
				judge(t, testdb.Get(t, flavour), silent)
				return
			}
			judge(t, rig.LoggingSource(t, flavour), append(logged[:len(logged):len(logged)], unnamed...))
			// MySQL's InnoDB counts what a query on information_schema puts into
			// temporary tables too, so that looking at the source moves its number.
			other := slices.Clone(silent)
			other[0].kept, other[0].says = false, cannot
			judge(t, testdb.Private(t, flavour, "disable-log-bin=1"), other)
		})
	}
}

// judge tries the cases with one source, one after the other.
func judge(t *testing.T, source *testdb.Server, cases []judgement) {
	t.Helper()
	base := resumeSource(t, source, rig.FirstTarget())
	for _, tc := range cases {
		if tc.once && source.Name != rig.FirstSource() {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			p := base.WithTarget(t)
			if len(tc.setup) > 0 {
				p.SourceServer.Exec(t, p.SourceURL, tc.setup...)
			}
			if tc.grants != nil {
				rig.AsSource(t, p, tc.grants...)
			}
			opts := resumeOptions(t)
			before := p.Stop(t, opts, halfOfBig)
			if before.Done == 0 || before.Done == before.Chunks {
				t.Fatalf("%d of %d parts were copied when the run was stopped", before.Done, before.Chunks)
			}
			if len(tc.between) > 0 {
				p.SourceServer.Exec(t, p.SourceURL, tc.between...)
			}
			opts.Resume, opts.SourceFrozen = true, tc.frozen
			w := p.Attempt(t, opts, nil)
			if tc.refused {
				if !errors.Is(w.Err, migrate.ErrSourceChanged) || !strings.Contains(w.Err.Error(), tc.says) {
					t.Errorf("error %v", w.Err)
				}
				if n := len(p.Standing(t).Transactions); n != len(before.Transactions) {
					t.Errorf("a resumption that was refused changed the target: rows of %d transactions, %d before", n, len(before.Transactions))
				}
				opts.SourceFrozen = false
				w = p.Attempt(t, opts, nil)
			}
			if w.Err != nil {
				t.Fatal(w.Err)
			}
			if !tc.refused && !w.Said(tc.says) {
				t.Errorf("notices %q, want one with %q", w.Notices, tc.says)
			}
			if tc.kept {
				p.Kept(t, before, w)
			} else {
				p.Anew(t, before, w)
			}
			if w.Result.Snapshot.Trusted != tc.trusted {
				t.Errorf("snapshot %+v", w.Result.Snapshot)
			}
			p.Whole(t, w)
		})
	}
}
