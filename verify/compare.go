package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/fingerprint"
)

// What [Options] mean by zero.
const (
	defaultJobs        = 2
	defaultDifferences = 20
	defaultMemory      = 64 << 20
)

// withDefaults replaces zeros.
func (o Options) withDefaults() Options {
	if o.Jobs < 1 {
		o.Jobs = defaultJobs
	}
	switch {
	case o.MaxDifferences == 0:
		o.MaxDifferences = defaultDifferences
	case o.MaxDifferences < 0:
		o.MaxDifferences = 0
	}
	if o.Memory <= 0 {
		o.Memory = defaultMemory
	}
	return o
}

// Compare compares the rows of tables, and finds out what differs. Results
// come by name. What goes wrong with a table, such as a side that cannot read it, is
// a [TableResult.Problem] of that table, and the others go on. The error is that
// of tables that cannot be compared as they are given, or of ctx; the results are
// then those of the tables that were done.
func Compare(ctx context.Context, expected, found Side, tables []Table, o Options) ([]TableResult, error) {
	if err := check(tables); err != nil {
		return nil, err
	}
	c := &comparison{sides: [2]Side{expected, found}, o: o.withDefaults()}
	runs := make([]*tableRun, len(tables))
	for i := range tables {
		runs[i] = &tableRun{table: &tables[i]}
	}
	err := c.whole(ctx, runs)
	if err == nil {
		err = c.byParts(ctx, runs)
	}
	if err == nil {
		err = ctx.Err() // it ended before any part could notice
	}
	var results []TableResult
	for _, r := range runs {
		if r.done {
			results = append(results, r.result)
		}
	}
	slices.SortFunc(results, func(a, b TableResult) int { return strings.Compare(a.Name, b.Name) })
	return results, err
}

// byParts compares the tables of which the sums were not told, or not enough, part by part.
func (c *comparison) byParts(ctx context.Context, runs []*tableRun) error {
	var left []*tableRun
	for _, r := range runs {
		if r.done {
			continue
		}
		if err := c.divide(ctx, r); err != nil {
			return err
		}
		if !r.done {
			left = append(left, r)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.o.Jobs)
	for _, r := range inOrder(left) {
		for i := range r.parts {
			if ctx.Err() != nil {
				break
			}
			g.Go(func() error { return c.part(ctx, r, i) })
		}
	}
	return g.Wait()
}

// divide makes the parts of a table. The error is that of ctx; another one ends the table.
func (c *comparison) divide(ctx context.Context, r *tableRun) error {
	r.list = r.table.Parts
	if len(r.list) == 0 {
		var err error
		if r.list, err = r.table.Divide(ctx); err == nil && len(r.list) == 0 {
			err = errors.New("it was divided into no parts")
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.problem = notFound(err)
			if err := c.finish(ctx, r); err != nil {
				return err
			}
			c.tell(TableCompared{r.result})
			return nil
		}
	}
	r.parts, r.open = make([]partResult, len(r.list)), len(r.list)
	return nil
}

// check refuses what would make results that cannot be told apart, or that are empty by mistake.
func check(tables []Table) error {
	seen := map[string]bool{}
	for i := range tables {
		t := &tables[i]
		switch {
		case seen[t.Name]:
			return fmt.Errorf("table %q is to be compared twice", t.Name)
		case len(t.Parts) == 0 && (t.Divide == nil || !t.hasPieces()):
			return fmt.Errorf("table %q has no part that could be compared", t.Name)
		}
		seen[t.Name] = true
	}
	return nil
}

// inOrder sorts tables so that what takes longest comes first, and no job is
// left alone with a large part at the end: by their largest part, then by size.
func inOrder(runs []*tableRun) []*tableRun {
	ordered := slices.Clone(runs)
	slices.SortStableFunc(ordered, func(a, b *tableRun) int {
		return cmp.Or(cmp.Compare(b.largest(b.list), a.largest(a.list)), cmp.Compare(b.table.Bytes, a.table.Bytes),
			strings.Compare(a.table.Name, b.table.Name))
	})
	return ordered
}

// largest is the size of the largest of some parts of the table.
func (r *tableRun) largest(parts []Part) int64 {
	most := r.table.Bytes / int64(len(parts))
	for i := range parts {
		most = max(most, parts[i].Bytes)
	}
	return most
}

// comparison is one call of [Compare].
type comparison struct {
	// sides are the expected and the found one.
	sides  [2]Side
	o      Options
	events sync.Mutex
}

// tell sends an event.
func (c *comparison) tell(e Event) {
	if c.o.Events == nil {
		return
	}
	c.events.Lock()
	defer c.events.Unlock()
	c.o.Events(e)
}

// tableRun is a table that is being compared.
type tableRun struct {
	table *Table

	mu      sync.Mutex
	started bool
	// problem is the first thing that went wrong; parts that follow are left out.
	problem error
	// open is how many parts, and before them pieces, are neither read nor left out.
	open int
	// sums are those of all pieces, of which the expected side has sent so many bytes;
	// summed is set when there are any.
	sums   [2]fingerprint.Sum
	bytes  int64
	summed bool
	// list are the parts, parts what is known of them.
	list  []Part
	parts []partResult
	// listed is how many candidates the parts hold together.
	listed int

	// done says that result is complete.
	done   bool
	result TableResult
}

// partResult is what is known of a part.
type partResult struct {
	compared bool
	sums     [2]fingerprint.Sum
	bytes    int64
	// unstable says that a side gave other rows when it was asked again.
	unstable bool
	counts   counts
	// candidates are the first of the rows that differ.
	candidates []candidate
}

// different reports whether the part was seen to differ.
func (p *partResult) different() bool { return p.compared && !p.unstable && p.sums[0] != p.sums[1] }

// part compares a part, and ends the table with its last one. The error is that of ctx.
func (c *comparison) part(ctx context.Context, r *tableRun, i int) error {
	if c.begin(r) {
		p, err := c.comparePart(ctx, r, &r.list[i])
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.add(i, p, err, c.o.MaxDifferences)
	}
	r.mu.Lock()
	r.open--
	last := r.open == 0
	r.mu.Unlock()
	if !last {
		return nil
	}
	if err := c.finish(ctx, r); err != nil {
		return err
	}
	c.tell(TableCompared{r.result})
	return nil
}

// begin reports whether a part of the table is still worth reading, and says when it is the first.
func (c *comparison) begin(r *tableRun) bool {
	r.mu.Lock()
	first, failed := !r.started, r.problem != nil
	r.started = true
	r.mu.Unlock()
	if first {
		c.tell(TableStarted{Table: r.table.Name, Rows: r.table.Rows, Bytes: r.table.Bytes})
	}
	return !failed
}

// add keeps the outcome of a part; list is how many candidates the table needs.
func (r *tableRun) add(i int, p partResult, err error, list int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts[i] = p
	if err != nil && r.problem == nil {
		r.problem = problem(len(r.list), &r.list[i], err)
	}
	if r.listed += len(p.candidates); r.listed < 2*list {
		return
	}
	// Those of the first parts are listed; a table that differs everywhere must
	// not hold them for each of its parts.
	r.listed = 0
	for i := range r.parts {
		p := &r.parts[i]
		p.candidates = slices.Clip(p.candidates[:min(len(p.candidates), list-r.listed)])
		r.listed += len(p.candidates)
	}
}

// problem words an error of a part.
func problem(parts int, p *Part, err error) error {
	if parts == 1 && p.Lower == "" && p.Upper == "" {
		return err
	}
	return fmt.Errorf("%s: %w", p, err)
}

// worded is a problem in words, and without values of rows.
func (c *comparison) worded(err error) (problem, masked string) {
	if err == nil {
		return "", ""
	}
	if problem = err.Error(); c.o.Masked == nil {
		return problem, problem
	}
	return problem, c.o.Masked(err)
}

// String names the part for messages.
func (p Part) String() string {
	switch {
	case p.Own != "":
		return "a part of the rows"
	case p.Lower == "" && p.Upper == "":
		return "all rows"
	case p.Lower == "":
		return "the rows below " + p.Upper
	case p.Upper == "":
		return "the rows from " + p.Lower
	}
	return "the rows from " + p.Lower + " to below " + p.Upper
}

// comparePart reads a part of both sides, and finds the rows that differ.
func (c *comparison) comparePart(ctx context.Context, r *tableRun, p *Part) (partResult, error) {
	t := r.table
	streams, err := c.readWhole(ctx, t, p, func() streams { return newStreams(t) }, !r.summed)
	if err != nil {
		return partResult{}, err
	}
	result := partResult{compared: true, sums: streams.sums(), bytes: streams[0].Bytes()}
	same := result.sums[0] == result.sums[1]
	if !r.summed {
		c.tell(PartCompared{Table: t.Name, Rows: result.sums[0].Rows, Bytes: result.bytes, Same: same})
	}
	if same {
		return result, nil
	}
	c.tell(Searching{Table: t.Name})
	s := c.newSearch(t, p, c.o.MaxDifferences)
	s.sums, s.known = result.sums, true
	err = s.run(ctx)
	switch {
	case isUnstable(err):
		result.unstable = true
		return result, err
	case err != nil:
		return result, notFound(err)
	}
	result.counts, result.candidates = s.counts, s.candidates
	return result, nil
}

// notFound is the error of rows that are known to differ, and that could not be told.
func notFound(err error) error {
	return fmt.Errorf("the two sides differ here, but it was not found where: %w", err)
}

// finish adds the parts up, and reads the rows that are listed.
func (c *comparison) finish(ctx context.Context, r *tableRun) error {
	out := TableResult{Name: r.table.Name, State: Same, Pieces: r.pieces()}
	for i := range r.parts {
		p := &r.parts[i]
		if len(out.Differences) < c.o.MaxDifferences && len(p.candidates) > 0 {
			list := p.candidates[:min(len(p.candidates), c.o.MaxDifferences-len(out.Differences))]
			differences, err := c.describe(ctx, r.table, &r.list[i], p.sums, list)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil && r.problem == nil {
				r.problem = problem(len(r.list), &r.list[i], fmt.Errorf("read the rows that differ: %w", err))
			}
			p.unstable = isUnstable(err)
			out.Differences = append(out.Differences, differences...)
		}
		if !p.compared {
			continue
		}
		out.Parts++
		out.Expected.Merge(p.sums[0])
		out.Found.Merge(p.sums[1])
		out.Bytes += p.bytes
		if p.different() {
			out.State = Different
			out.DifferentParts++
			out.Differing, out.DifferingFound = append(out.Differing, r.list[i]), append(out.DifferingFound, p.sums[1])
			out.Missing += p.counts.missing
			out.Extra += p.counts.extra
			out.Changed += p.counts.changed
		}
	}
	r.judgeSums(&out)
	if out.Problem, out.Masked = c.worded(r.problem); r.problem != nil && out.State == Same {
		out.State = Unknown
	}
	r.result, r.done = out, true
	return nil
}
