package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/postgres"
)

// digest stands for what is planned of a table. Estimates and the way in which
// rows are read or sent do not count: they may change from one attempt to the next.
func (t *Table) digest() string {
	planned := []any{t.Source, t.Target, t.Copy, t.creates, t.KeyOrdered}
	for _, c := range t.Columns {
		planned = append(planned, c.Source, c.Target, c.Rule)
	}
	for _, q := range t.Sequences {
		planned = append(planned, q.Name, q.Column)
	}
	if t.creates {
		// Of a table that was there, what is put aside is in the journal.
		planned = append(planned, t.creation, t.After, t.Constraints)
	}
	return hash(planned)
}

// digest stands for what is planned of the whole.
func (p *Plan) digest() string {
	planned := []any{p.Mode, p.Prefix, p.Load, p.Publish, p.Owner}
	var tables []string
	for i := range p.Tables {
		tables = append(tables, p.Tables[i].Target+" "+p.Tables[i].digest())
	}
	slices.Sort(tables)
	return hash(append(planned, tables))
}

func hash(planned []any) string {
	text, err := json.Marshal(planned)
	if err != nil {
		panic(err) // strings, booleans and lists of them
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// record is the plan in the words of the ledger.
func (r *run) record() postgres.RunRecord {
	p := r.plan
	return postgres.RunRecord{
		Tool: p.Tool, Mode: string(p.Mode), Source: p.Source.Address, Prefix: p.Prefix, Load: p.Load, Publish: p.Publish,
		Owner: p.Owner, Digest: p.digest(), Snapshot: r.moment(), Verify: string(p.Verify),
	}
}

// attempt is the attempt to go on with the run.
func (r *run) attempt() postgres.Attempt {
	return postgres.Attempt{Tool: r.plan.Tool, Snapshot: r.moment(), Verify: string(r.plan.Verify)}
}

// moment is the snapshot as the ledger keeps it.
func (r *run) moment() json.RawMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := json.Marshal(r.snapshot)
	if err != nil {
		panic(err) // strings, numbers and lists of them
	}
	return text
}

// tableRecords are the plan's tables in the words of the ledger.
func (p *Plan) tableRecords() []postgres.TableRecord {
	out := make([]postgres.TableRecord, len(p.Tables))
	for i := range p.Tables {
		t := &p.Tables[i]
		out[i] = postgres.TableRecord{
			Table: t.Target, Source: t.Source, Digest: t.digest(), Made: t.creates, Copies: t.Copy,
			Indexes: len(t.After), EstimatedRows: t.Rows, EstimatedBytes: t.Bytes,
		}
	}
	return out
}

// chunkRecords are the parts of a table in the words of the ledger.
func (t *Table) chunkRecords() []postgres.ChunkRecord {
	out := make([]postgres.ChunkRecord, len(t.Chunks))
	for i, c := range t.Chunks {
		out[i] = postgres.ChunkRecord{
			Table: t.Target, Lower: c.Lower, Upper: c.Upper, EstimatedRows: c.Rows, EstimatedBytes: c.Bytes,
		}
	}
	return out
}

// sameTables says in what a plan differs from the one that a run was made by;
// empty when in nothing.
func (p *Plan) sameTables(records []postgres.TableRecord) string {
	then := map[string]string{}
	for _, t := range records {
		then[t.Table] = t.Digest
	}
	var differ []string
	for i := range p.Tables {
		t := &p.Tables[i]
		if then[t.Target] != t.digest() {
			differ = append(differ, t.Target)
		}
		delete(then, t.Target)
	}
	for name := range then {
		differ = append(differ, name)
	}
	if len(differ) == 0 {
		return ""
	}
	slices.Sort(differ)
	const most = 5
	list := strings.Join(differ[:min(most, len(differ))], ", ")
	if len(differ) > most {
		list += fmt.Sprintf(" and %d more", len(differ)-most)
	}
	return list
}

// startRecording makes the ledger, if it must be, and writes the run into it.
// Unfinished runs into the same schema are forgotten: what they had loaded is
// gone, or about to be replaced.
func (r *run) startRecording(ctx context.Context) error {
	if err := r.target.OpenLedger(ctx); err != nil {
		return err
	}
	runs, err := r.target.Runs(ctx)
	if err != nil {
		return err
	}
	for _, old := range runs {
		if old.State == postgres.RunDone || old.Load != r.plan.Load {
			continue
		}
		if old.Held {
			return fmt.Errorf("run %d into schema %q: %w", old.ID, old.Load, postgres.ErrHeld)
		}
		if err := r.target.ForgetRun(ctx, old.ID); err != nil {
			return err
		}
	}
	// Forgetting the last one takes the ledger along.
	if err := r.target.OpenLedger(ctx); err != nil {
		return err
	}
	r.id, err = r.target.StartRun(ctx, r.record(), r.plan.tableRecords())
	return err
}
