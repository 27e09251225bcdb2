//go:build integration

package proof

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/verify"
)

// waitFor waits until a query of the found side is true.
func (m *mended) waitFor(t *testing.T, query string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		var is bool
		if err := m.sql.QueryRowContext(ctx, "SELECT "+query).Scan(&is); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if is {
			return
		}
	}
}

// TestRepairFindsOtherWriters: what somebody writes to a table after it was compared is not lost, be it
// committed before the repair, or while it waits for the table: it is left as it is.
func TestRepairFindsOtherWriters(t *testing.T) {
	m := mend(t, testdb.Sources()[0], testdb.Targets()[0])
	const rows = "SELECT string_agg(r::text, ';' ORDER BY id) FROM mdl_number r"
	for _, c := range []struct{ name, write string }{
		{"another row", "UPDATE mdl_number SET note = 'mine' WHERE id = 5"},
		{"a row that differs", "UPDATE mdl_number SET note = 'mine' WHERE id = 1"},
		{"a new row", "INSERT INTO mdl_number (id, name) VALUES (100, 'mine')"},
		{"a row is gone", "DELETE FROM mdl_number WHERE id = 6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.damage(t, "UPDATE mdl_number SET note = 'wrong' WHERE id = 1", "DELETE FROM mdl_same")
			past := m.compare(t)
			tx, err := m.sql.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback() }() // it is committed when all goes well
			if _, err := tx.Exec(c.write); err != nil {
				t.Fatal(err)
			}
			type outcome struct {
				done *Repaired
				err  error
			}
			got := make(chan outcome, 1)
			go func() {
				done, err := Repair(t.Context(), m.expected, m.found, past, Options{})
				got <- outcome{done, err}
			}()
			m.waitFor(t, "EXISTS (SELECT FROM pg_locks WHERE relation = 'mdl_number'::regclass AND mode = 'ShareRowExclusiveLock' AND NOT granted)")
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			before := m.value(t, rows)
			o := <-got
			if o.err != nil {
				t.Fatal(o.err)
			}
			if len(o.done.Tables) != 2 || !strings.Contains(o.done.Tables[0].Problem, "rows were written to the table since it was compared (among all rows), and would be lost") ||
				o.done.Tables[1] != (RepairedTable{Table: "mdl_same", Inserted: 1}) {
				t.Errorf("%+v", o.done)
			}
			if after := m.value(t, rows); after != before {
				t.Errorf("%s became %s", before, after)
			}
			if done := m.repair(t); !done.Whole() || len(done.Tables) != 1 {
				t.Errorf("%+v", done)
			}
		})
	}
	if diff := cmp.Diff(map[string]verify.State{}, states(m.compare(t))); diff != "" {
		t.Error(diff)
	}
}

// TestRepairHoldsWritersBack: who writes while a table is repaired waits until it is, and
// what he writes is there then.
func TestRepairHoldsWritersBack(t *testing.T) {
	m := mend(t, testdb.Sources()[0], testdb.Targets()[0])
	m.damage(t,
		"UPDATE mdl_number SET name = 'swap' WHERE id = 1", "UPDATE mdl_number SET name = 'anna' WHERE id = 2", "UPDATE mdl_number SET name = 'ben' WHERE id = 1",
		// The repair waits in its middle for this lock.
		"CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END$$",
		"CREATE TRIGGER waits AFTER UPDATE OR INSERT ON mdl_number FOR EACH STATEMENT EXECUTE FUNCTION waits()")
	past := m.compare(t)
	hold, err := m.sql.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	if _, err := hold.ExecContext(t.Context(), "SELECT pg_advisory_lock(4711)"); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 2)
	var done *Repaired
	go func() {
		var err error
		done, err = Repair(t.Context(), m.expected, m.found, past, Options{})
		errs <- err
	}()
	const waiting = "EXISTS (SELECT FROM pg_locks l WHERE NOT granted AND %s)"
	m.waitFor(t, fmt.Sprintf(waiting, "locktype = 'advisory' AND objid = 4711"))
	go func() {
		_, err := m.sql.ExecContext(t.Context(), "UPDATE mdl_number SET note = 'late' WHERE id = 1")
		errs <- err
	}()
	m.waitFor(t, fmt.Sprintf(waiting, "relation = 'mdl_number'::regclass AND mode = 'RowExclusiveLock'"))
	if _, err := hold.ExecContext(t.Context(), "SELECT pg_advisory_unlock(4711)"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(&Repaired{Tables: []RepairedTable{{Table: "mdl_number", Updated: 2}}}, done); diff != "" {
		t.Error(diff)
	}
	if got := m.value(t, "SELECT string_agg(concat(name, ' ', note), ', ' ORDER BY id) FROM mdl_number WHERE id < 3"); got != "anna late, ben " {
		t.Error(got)
	}
}
