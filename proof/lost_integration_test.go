//go:build integration

package proof

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/verify"
)

// killing is a side of which an administrator ends the session in the middle of some readings, by their numbers.
type killing struct {
	reader
	at    map[int64]bool
	kill  func()
	calls atomic.Int64
}

func (k *killing) Stream(ctx context.Context, t *verify.Table, p verify.Part, w io.Writer) error {
	if !k.at[k.calls.Add(1)] {
		return k.reader.Stream(ctx, t, p, w)
	}
	return k.reader.Stream(ctx, t, p, &trigger{w: w, kill: k.kill})
}

// trigger kills before the first bytes pass.
type trigger struct {
	w    io.Writer
	kill func()
}

func (t *trigger) Write(p []byte) (int, error) {
	if t.kill != nil {
		t.kill()
		t.kill = nil
	}
	return t.w.Write(p)
}

// killReading ends the session that reads the large table.
func (p place) killReading(t *testing.T) {
	t.Helper()
	if !p.mysql {
		p.exec(t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'moodledb' AND state = 'active' AND query LIKE 'COPY%mdl_large%'")
		return
	}
	var id int64
	if err := p.server.SQL(t, p.url).QueryRow("SELECT MIN(id) FROM information_schema.PROCESSLIST WHERE info LIKE 'SELECT %FROM `mdl_large`%'").Scan(&id); err != nil {
		t.Error(err)
		return
	}
	p.exec(t, fmt.Sprintf("KILL %d", id))
}

// lossy compares the large table while sessions of a side are killed in the middle of readings.
func lossy(t *testing.T, expected, found place, end Side, at ...int64) (verify.TableResult, int64) {
	t.Helper()
	ctx := t.Context()
	a, b := expected.source(t), found.source(t)
	o, err := Options{Jobs: 1, Include: []string{"large"}}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r, err := start(ctx, &a, &b, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	}()
	for _, step := range []func(context.Context) error{r.pair, r.openSides, r.divide} {
		if err := step(ctx); err != nil {
			t.Fatal(err)
		}
	}
	parts, err := r.pairs[0].Divide(ctx) // it asks the side for what a wrapped one does not have
	if err != nil {
		t.Fatal(err)
	}
	r.pairs[0].Divide = func(context.Context) ([]verify.Part, error) { return parts, nil }
	i, of := 0, expected
	if end == FoundSide {
		i, of = 1, found
	}
	k := &killing{reader: r.sides[i], at: map[int64]bool{}, kill: func() { of.killReading(t) }}
	for _, n := range at {
		k.at[n] = true
	}
	r.sides[i] = k
	results, err := r.rows(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return results[0], k.calls.Load()
}

// TestLostWhileSearching: a session that is killed in the middle of any reading, also of those that look
// for what differs, costs that reading only. Where it happens twice, it is said
// that the table differs, and that it could not be told where.
func TestLostWhileSearching(t *testing.T) {
	expected, found := firstPair(t)
	for _, p := range []place{expected, found} {
		makeLarge(t, p)
		for range 3 {
			p.exec(t, "INSERT INTO mdl_large SELECT id + (SELECT MAX(id) + 1 FROM mdl_large), v, n FROM mdl_large")
		}
	}
	found.exec(t, "UPDATE mdl_large SET n = 8 WHERE id IN (3, 5000)", "DELETE FROM mdl_large WHERE id = 40000", "INSERT INTO mdl_large VALUES (1000000, 'x', 1)")
	for _, end := range []Side{ExpectedSide, FoundSide} {
		t.Run(string(end), func(t *testing.T) {
			want, readings := lossy(t, expected, found, end)
			if want.Changed != 2 || want.Missing != 1 || want.Extra != 1 || want.Problem != "" || readings < 3 {
				t.Fatalf("%+v by %d readings", want, readings)
			}
			for n := int64(1); n <= readings; n++ {
				got, calls := lossy(t, expected, found, end, n)
				if diff := cmp.Diff(want, got); diff != "" || calls != readings+1 {
					t.Errorf("reading %d of %d: %s", n, calls, diff)
				}
			}
			got, _ := lossy(t, expected, found, end, 3, 4)
			if got.State != verify.Different || !strings.Contains(got.Problem, "the two sides differ here, but it was not found where") ||
				!strings.Contains(got.Problem, "compare again") && !strings.Contains(got.Problem, "start again") {
				t.Errorf("twice: %s, %q", got.State, got.Problem)
			}
		})
	}
}

// repairedLossy repairs the large table while sessions of the expected side are killed in the middle of readings.
func repairedLossy(t *testing.T, expected, found place, past *Result, at ...int64) (RepairedTable, int64) {
	t.Helper()
	ctx := t.Context()
	a, b := expected.source(t), found.source(t)
	o, err := Options{Jobs: 1}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r := &repair{past: past}
	if r.run, err = start(ctx, &a, &b, o); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	}()
	if err := r.prepare(ctx); err != nil {
		t.Fatal(err)
	}
	if r.target, err = postgres.Open(ctx, b.DSN); err != nil {
		t.Fatal(err)
	}
	defer r.target.Close()
	k := &killing{reader: r.sides[0], at: map[int64]bool{}, kill: func() { expected.killReading(t) }}
	for _, n := range at {
		k.at[n] = true
	}
	r.sides[0] = k
	done, err := r.table(ctx, differing(past)[0])
	if err != nil {
		t.Error(err)
	}
	return done, k.calls.Load()
}

// TestRepairWhileLost: a session that is killed in the middle of a repair costs an attempt, on
// either side: what is repaired is what had to be, once.
func TestRepairWhileLost(t *testing.T) {
	expected, found := firstPair(t)
	for _, p := range []place{expected, found} {
		makeLarge(t, p)
		for range 3 {
			p.exec(t, "INSERT INTO mdl_large SELECT id + (SELECT MAX(id) + 1 FROM mdl_large), v, n FROM mdl_large")
		}
	}
	damage := []string{"UPDATE mdl_large SET n = 8 WHERE id IN (3, 5000)", "DELETE FROM mdl_large WHERE id = 40000", "INSERT INTO mdl_large VALUES (1000000, 'x', 1)"}
	found.exec(t, damage...)
	want := RepairedTable{Inserted: 1, Deleted: 1, Updated: 2}
	past := compared(t, expected, found, Options{})
	done, readings := repairedLossy(t, expected, found, past)
	if done != want || readings != 3 {
		t.Fatalf("%+v by %d readings", done, readings)
	}
	for n := int64(1); n <= readings; n++ {
		found.exec(t, damage...)
		if done, calls := repairedLossy(t, expected, found, past, n); done != want || calls <= readings {
			t.Errorf("lost in reading %d of %d: %+v", n, calls, done)
		}
		if x := tableOf(t, compared(t, expected, found, Options{}), "mdl_large"); x.State != verify.Same {
			t.Errorf("lost in reading %d: %+v", n, x)
		}
	}

	found.exec(t, append(damage, "CREATE SEQUENCE once",
		"CREATE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF nextval('public.once') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END$$",
		"CREATE TRIGGER ends BEFORE INSERT ON mdl_large FOR EACH ROW EXECUTE FUNCTION ends()")...)
	if done, _ := repairedLossy(t, expected, found, past); done != want {
		t.Errorf("lost at the found side: %+v", done)
	}
	if x := tableOf(t, compared(t, expected, found, Options{}), "mdl_large"); x.State != verify.Same {
		t.Errorf("lost at the found side: %+v", x)
	}
}
