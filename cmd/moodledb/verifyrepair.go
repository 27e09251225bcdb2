package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/verify"
)

// checkRepair refuses, before hours of reading, what could not be repaired after it.
func (f *verifyFlags) checkRepair(t *terminal, found proof.Source) error {
	switch {
	case !f.repair:
		return nil
	case found.DSN.Engine.IsMySQL():
		return usageError{errors.New("--repair: --to is a MySQL or MariaDB place; rows are repaired in PostgreSQL only")}
	case !f.yes && !isTerminal(t.stdin):
		return usageError{errors.New("--repair asks before it writes, and there is no terminal to ask on: pass --yes when that is wanted")}
	default:
		return nil
	}
}

// repairRows copies the rows that differ again, after a question, and compares
// everything anew: what was repaired is of another moment than the rest.
func (f *verifyFlags) repairRows(ctx context.Context, t *terminal, expected, found proof.Source, opts proof.Options, r *proof.Result) (*proof.Result, error) {
	question := repairQuestion(r)
	if question == "" {
		return r, nil
	}
	if !f.yes {
		ok, err := t.confirm(ctx, question)
		if err != nil {
			return nil, err
		}
		if !ok {
			fmt.Fprintln(t.stderr, "Nothing was repaired: the answer was not yes.")
			return r, nil
		}
	}
	shown := newVerifyProgress(f.progress, t.stderr, newVerifyTracker(time.Now))
	opts.Events = shown.handle
	repaired, err := proof.Repair(ctx, expected, found, r, opts)
	shown.close(err)
	if err != nil {
		return nil, fmt.Errorf("repair: %w%s", err, repairedBefore(repaired))
	}
	again, err := compareShown(ctx, t, f, expected, found, opts)
	if err != nil {
		return nil, fmt.Errorf("compare again: %w%s", err, repairedBefore(repaired))
	}
	again.Repaired = repaired.Tables
	return again, nil
}

// repairedBefore says in an error what was done nevertheless.
func repairedBefore(r *proof.Repaired) string {
	var names []string
	if r != nil {
		for _, t := range r.Tables {
			if t.Problem == "" {
				names = append(names, t.Table)
			}
		}
	}
	if len(names) == 0 {
		return "; no row was changed"
	}
	return "; repaired were: " + strings.Join(names, ", ")
}

// mostAsked is how many tables a question lists.
const mostAsked = 20

// repairQuestion says what would be done; empty when there is nothing to repair.
func repairQuestion(r *proof.Result) string {
	var lines []string
	for i := range r.Tables {
		if x := &r.Tables[i]; x.State == verify.Different && len(x.Differing) > 0 {
			lines = append(lines, fmt.Sprintf("  %s: rows inserted %d, deleted %d, updated %d", x.Name, x.Missing, x.Extra, x.Changed))
		}
	}
	if len(lines) == 0 {
		return ""
	}
	if n := len(lines) - mostAsked; n > 0 {
		lines = append(lines[:mostAsked], fmt.Sprintf("  and %d more tables", n))
	}
	return report.Printable(fmt.Sprintf("%s, schema %s, gets the rows of %s that differ:", r.Found.Address, r.Found.Schema, r.Expected.Address)) +
		"\n" + strings.Join(printableAll(lines), "\n")
}

func printableAll(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = report.Printable(line)
	}
	return out
}
