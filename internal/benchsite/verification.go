package benchsite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Verification is what comparing both databases costs, beside plain reading of
// the same tables on both sides.
type Verification struct {
	// Run is that of moodledb verify; its Rows are those that were compared.
	Run Run `json:"run"`
	// Streams is how many sessions plain reading has on either side.
	Streams int `json:"streams"`
	// Samples and Floor are those of plain reading: COPY TO STDOUT at the target
	// and SELECT at the source, at the same time, all of it dropped. Own is what dropping costs.
	// Both are empty when it was not measured.
	Samples []Sample `json:"floor_samples,omitempty"`
	Floor   *Sample  `json:"floor,omitempty"`
}

// verifyBench measures verify again and again, always on what was just migrated.
type verifyBench struct {
	*bench
	args  []string
	plain bool
	out   Verification
}

// verification prepares that; plain reading is measured when that is wanted.
func (b *bench) verification(plain bool) *verifyBench {
	args := []string{"verify", "--prefix", prefix}
	return &verifyBench{bench: b, args: args, plain: plain, out: Verification{
		// By itself, verify compares as many parts at once as there are cores.
		Streams: runtime.NumCPU(), Run: Run{Name: nameVerify, Note: strings.Join(args, " ")},
	}}
}

// measure takes a sample of verify, and one of plain reading, which then
// finds everything where verify has found it.
func (v *verifyBench) measure(ctx context.Context) error {
	var rows int64
	s, err := v.sample(ctx, func() (u usage, err error) {
		u, rows, err = v.compare(ctx)
		return u, err
	})
	if err == nil && rows != v.rows() {
		err = fmt.Errorf("%d of %d rows were compared", rows, v.rows())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", nameVerify, err)
	}
	v.out.Run.Rows = rows
	v.out.Run.Samples = append(v.out.Run.Samples, s)
	v.say("%-18s %s", nameVerify, s)
	if !v.plain {
		return nil
	}
	statements, err := v.copyStatements(ctx, runDatabase)
	if err != nil {
		return err
	}
	s, err = v.sample(ctx, func() (usage, error) { return usage{here: true}, v.readBoth(ctx, statements) })
	if err != nil {
		return fmt.Errorf("%s: %w", namePlain, err)
	}
	v.out.Samples = append(v.out.Samples, s)
	v.say("%-18s %s", namePlain, s)
	return nil
}

// compare runs moodledb verify, and returns how many rows of the target it has compared. What
// differs is an error.
func (v *verifyBench) compare(ctx context.Context) (usage, int64, error) {
	args := append(append([]string{}, v.args...), "--format", "json",
		"--from", v.source.placeOf(sourceDatabase), "--to", v.target.placeOf(runDatabase))
	cmd := exec.CommandContext(ctx, v.opts.Binary, args...)
	cmd.Env = v.environment("MOODLEDB_FROM_PASSWORD="+v.source.Password, "MOODLEDB_TO_PASSWORD="+v.target.Password)
	var out bytes.Buffer
	cmd.Stdout = &out
	u, err := runChild(ctx, cmd)
	if err != nil {
		return u, 0, fmt.Errorf("%w\n%s", err, lastLines(out.String(), 40))
	}
	var result struct {
		Summary struct {
			Rows int64 `json:"found_rows"`
		} `json:"summary"`
	}
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		return u, 0, fmt.Errorf("read what it has found: %w", err)
	}
	return u, result.Summary.Rows, nil
}

// readBoth reads all rows of both sides, as verify does at the same time, and drops them.
func (v *verifyBench) readBoth(ctx context.Context, statements []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		_, err := readAll(ctx, v.source, v.chunks(), v.out.Streams)
		return err
	})
	group.Go(func() error {
		rows, err := copyAll(ctx, v.target, runDatabase, statements, v.out.Streams)
		if err == nil && rows != v.rows() {
			err = fmt.Errorf("%d of %d rows were read at the target", rows, v.rows())
		}
		return err
	})
	return group.Wait()
}

// result joins the medians.
func (v *verifyBench) result() *Verification {
	v.out.Run.Median = medians(v.out.Run.Samples)
	if len(v.out.Samples) > 0 {
		s := medians(v.out.Samples)
		v.out.Floor = &s
	}
	return &v.out
}
