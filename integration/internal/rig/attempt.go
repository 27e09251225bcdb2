//go:build integration

package rig

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/migrate"
)

// WithTarget is the same source with another, empty target.
func (p *Pair) WithTarget(t *testing.T) *Pair {
	t.Helper()
	q := *p
	q.TargetURL = p.TargetServer.Database(t)
	q.Target = Reopened(t, &q)
	return &q
}

// Attempt is what a run told while it ran.
type Attempt struct {
	Result *migrate.Result
	Err    error
	// resumed are the tables of which something was there, started those that were copied.
	Resumed map[string]migrate.TableResumed
	Started map[string]int
	Copied  []string
	Notices []string
	// retries are what was waited for and tried again.
	retries []string
}

// Said reports whether a notice holds a text.
func (w *Attempt) Said(text string) bool {
	return strings.Contains(strings.Join(w.Notices, "\n"), text)
}

// Attempt plans and runs, and ends the run at the first event for which stop holds.
func (p *Pair) Attempt(t *testing.T, opts migrate.Options, stop func(migrate.Event) bool) *Attempt {
	t.Helper()
	w := &Attempt{Resumed: map[string]migrate.TableResumed{}, Started: map[string]int{}}
	plan, err := migrate.Make(t.Context(), p.Source, p.Target, opts)
	if err != nil {
		w.Err = err
		return w
	}
	if plan.Blocked() {
		w.Err = Blocked(plan)
		return w
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.Result, w.Err = migrate.Run(ctx, p.Source, p.Target, plan, func(e migrate.Event) {
		switch e := e.(type) {
		case migrate.TableResumed:
			w.Resumed[e.Table] = e
		case migrate.TableStarted:
			w.Started[e.Table]++
		case migrate.TableCopied:
			w.Copied = append(w.Copied, e.Table)
		case migrate.Notice:
			w.Notices = append(w.Notices, e.Message)
		case migrate.Retrying:
			w.retries = append(w.retries, fmt.Sprintf("%s: %v", e.What, e.Err))
		}
		if stop != nil && stop(e) {
			cancel()
		}
	})
	return w
}

// AtStep holds when a step begins.
func AtStep(name string) func(migrate.Event) bool {
	return func(e migrate.Event) bool {
		s, ok := e.(migrate.StepStarted)
		return ok && s.Name == name
	}
}
