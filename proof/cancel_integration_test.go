//go:build integration

package proof

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/moodledb/moodledb/verify"
)

// Who interrupts a comparison gets it ended soon, with nothing left behind, and no result.
func TestInterrupted(t *testing.T) {
	expected, found := firstPair(t)
	for _, p := range []place{expected, found} {
		makeLarge(t, p)
		for range 3 {
			p.exec(t, "INSERT INTO mdl_large SELECT id + (SELECT MAX(id) + 1 FROM mdl_large), v, n FROM mdl_large")
		}
	}
	ignore := goleak.IgnoreCurrent()
	for name, at := range map[string]func(Event) bool{
		"at the start": func(Event) bool { return true },
		"before the rows": func(e Event) bool {
			_, ok := e.(Planned)
			return ok
		},
		"in the rows": func(e Event) bool {
			rows, ok := e.(Rows)
			if !ok {
				return false
			}
			_, ok = rows.Event.(verify.RowsRead)
			return ok
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var began time.Time
		o := Options{Jobs: 2, Events: func(e Event) {
			if began.IsZero() && at(e) {
				began = time.Now()
				cancel()
			}
		}}
		r, err := Compare(ctx, expected.source(t), found.source(t), o)
		if !errors.Is(err, context.Canceled) || r != nil || time.Since(began) > 8*time.Second {
			t.Errorf("%s: after %s: %v, %v", name, time.Since(began), r, err)
		}
		cancel()
	}
	goleak.VerifyNone(t, ignore)
}
