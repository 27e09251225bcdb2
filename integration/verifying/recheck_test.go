//go:build integration

package verifying

import (
	"context"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/migrate"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/recheck"
	"github.com/moodledb/moodledb/schema"
)

// wayOfCopy adapts a reader to copy.Source.
type wayOfCopy struct{ *mysql.Reader }

func (w wayOfCopy) Query(ctx context.Context, query string) (copy.Rows, error) {
	return w.Reader.Query(ctx, query)
}

// TestSampleSiteReadAgain: what a migration says that it has sent, table by table, is what
// another client and another encoder make of the source's rows.
func TestSampleSiteReadAgain(t *testing.T) {
	for _, source := range testdb.Sources() {
		t.Run(source, func(t *testing.T) {
			p := rig.NewPair(t, source, rig.FirstTarget())
			p.LoadSample(t)
			p.Open(t)
			plan, err := migrate.Make(t.Context(), p.Source, p.Target, migrate.Options{Site: rig.SampleCode(t)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := migrate.Run(t.Context(), p.Source, p.Target, plan, nil); err != nil {
				t.Fatal(err)
			}
			from, err := p.Source.Inspect(t.Context(), mysql.InspectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			to, err := p.Target.Inspect(t.Context(), "public")
			if err != nil {
				t.Fatal(err)
			}
			snapshot, err := p.Source.Snapshot(t.Context(), mysql.SnapshotOptions{Readers: 1, Check: true})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = snapshot.Close() }()
			sums := sumsOf(t, p)
			rows, tables := int64(0), 0
			for i := range plan.Tables {
				planned := &plan.Tables[i]
				if !planned.Copy || planned.NoTransactions { // whose moment no other session sees
					continue
				}
				sum, ok := sums[planned.Target]
				if !ok {
					t.Errorf("the ledger has no sum of %s", planned.Target)
					continue
				}
				table := copiedTable(t, planned, from.Table(planned.Source), to.Table(planned.Target))
				got, err := recheck.Table(t.Context(), snapshot.Check.Conn(), wayOfCopy{snapshot.Readers[0]}, table, recheck.Rows{Sum: &sum}, recheck.Options{})
				if err != nil || got.Against != recheck.Sent || got.Rows != sum.Rows {
					t.Errorf("%s: %+v: %v", planned.Target, got, err)
				}
				rows += got.Rows
				tables++
			}
			t.Logf("%d rows of %d tables", rows, tables)
			if rows < 7000 || tables < 60 {
				t.Errorf("only %d rows of %d tables were read again", rows, tables)
			}
		})
	}
}

// sumsOf are the fingerprints of the tables in the ledger.
func sumsOf(t *testing.T, p *rig.Pair) map[string]fingerprint.Sum {
	t.Helper()
	sums := map[string]fingerprint.Sum{}
	for _, line := range p.Strings(t, "SELECT sum || ' ' || table_name FROM moodledb.run_table WHERE sum <> ''") {
		text, name, _ := strings.Cut(line, " ")
		sum, err := fingerprint.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		sums[name] = sum
	}
	return sums
}

// copiedTable says how a migration has copied a table.
func copiedTable(t *testing.T, planned *migrate.Table, src, dst *schema.Table) *recheck.Copied {
	t.Helper()
	if src == nil || dst == nil {
		t.Fatalf("table %q is not at both ends", planned.Target)
	}
	job := copy.Job{Table: planned.Target}
	for _, c := range planned.Columns {
		rule, err := convert.Value(*src.Column(c.Source), *dst.Column(c.Target))
		if err != nil {
			t.Fatal(err)
		}
		job.Columns = append(job.Columns, copy.Column{Source: c.Source, Target: c.Target, Rule: rule, Key: c.Key})
	}
	return &recheck.Copied{Source: src, Target: dst, Job: job}
}
