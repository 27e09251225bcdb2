package benchsite

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Sample is one measured run. Times are in seconds.
type Sample struct {
	Wall float64 `json:"wall_s"`
	// Own, Source and Target are the CPU time of the program and of the two
	// servers; Others that of everything else on the machine meanwhile.
	Own    float64 `json:"own_cpu_s"`
	Source float64 `json:"source_cpu_s"`
	Target float64 `json:"target_cpu_s"`
	Others float64 `json:"others_cpu_s"`
	// Peak is the program's peak resident memory, in bytes.
	Peak int64 `json:"peak_bytes"`
}

// CPU is the CPU time of the program and of both servers.
func (s Sample) CPU() float64 { return s.Own + s.Source + s.Target }

// Run is what one contender did.
type Run struct {
	Name string `json:"name"`
	// Note says how it was run.
	Note    string   `json:"note"`
	Samples []Sample `json:"samples"`
	// Median has the median of each figure on its own.
	Median Sample `json:"median"`
	// Rows is how many rows it left in the target.
	Rows int64 `json:"rows"`
	// Failure says why there are no more samples; empty when all went well.
	Failure string `json:"failure,omitempty"`
}

// Floor is the least that the servers need, as medians.
type Floor struct {
	Streams  int `json:"streams"`
	Sessions int `json:"index_sessions"`
	// Read is of packets only, Write of COPY from binary files into tables
	// without indexes, Index of the index statements alone.
	Read  Sample `json:"read"`
	Write Sample `json:"write"`
	Index Sample `json:"index"`
	// Load and All are the wall times that follow: see docs/benchmarks.md.
	Load float64 `json:"floor_load_s"`
	All  float64 `json:"floor_all_s"`
	// CPU is that of all three.
	CPU float64 `json:"floor_cpu_s"`
}

// Goal is one goal and whether it was met.
type Goal struct {
	Goal     string `json:"goal"`
	Measured string `json:"measured"`
	// Met is "yes", "no" or "not measured".
	Met string `json:"met"`
}

// Result is one benchmark.
type Result struct {
	Date    time.Time `json:"date"`
	Machine Machine   `json:"machine"`
	Profile Profile   `json:"profile"`
	Source  string    `json:"source"`
	Target  string    `json:"target"`
	Version string    `json:"version"`
	Command string    `json:"command"`
	Tables  int       `json:"tables"`
	Rows    int64     `json:"rows"`
	// Bytes is the size of all rows as the source sends them.
	Bytes int64  `json:"bytes"`
	Floor *Floor `json:"floor,omitempty"`
	Runs  []Run  `json:"runs"`
	// Verify is the comparison of both databases by itself.
	Verify *Verification `json:"verify,omitempty"`
	Goals  []Goal        `json:"goals"`
	Larger *Grown        `json:"larger,omitempty"`
}

// Grown is the same profile with more rows.
type Grown struct {
	Times int64 `json:"times"`
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"`
	Run   Run   `json:"run"`
	// Verify is the comparison of both databases by itself.
	Verify *Run `json:"verify,omitempty"`
}

// run finds a contender's figures; nil when it has none.
func (r *Result) run(name string) *Run {
	for i := range r.Runs {
		if r.Runs[i].Name == name && len(r.Runs[i].Samples) > 0 {
			return &r.Runs[i]
		}
	}
	return nil
}

// JSON writes the result.
func (r *Result) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write the result as JSON: %w", err)
	}
	return nil
}

// median returns the middle of a list, the mean of the two middle ones when
// their number is even; 0 for an empty list.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// medians returns the median of each figure.
func medians(samples []Sample) Sample {
	of := func(get func(Sample) float64) float64 {
		list := make([]float64, len(samples))
		for i, s := range samples {
			list[i] = get(s)
		}
		return median(list)
	}
	return Sample{
		Wall: of(func(s Sample) float64 { return s.Wall }), Own: of(func(s Sample) float64 { return s.Own }),
		Source: of(func(s Sample) float64 { return s.Source }), Target: of(func(s Sample) float64 { return s.Target }),
		Others: of(func(s Sample) float64 { return s.Others }),
		Peak:   int64(of(func(s Sample) float64 { return float64(s.Peak) })),
	}
}

// newFloor joins the three measurements. The last term of each bound is there
// since source and target share the machine.
func newFloor(read, write, index Sample, streams, sessions, cores int) *Floor {
	f := &Floor{Streams: streams, Sessions: sessions, Read: read, Write: write, Index: index}
	f.CPU = read.Source + write.Target + index.Target
	f.Load = max(read.Wall, write.Wall, (read.Source+write.Target)/float64(cores))
	f.All = max(f.Load+index.Wall, f.CPU/float64(cores))
	return f
}

// efficiency is the floor's CPU time by all CPU time of a run.
func (f *Floor) efficiency(s Sample) float64 {
	if s.CPU() == 0 {
		return 0
	}
	return f.CPU / s.CPU()
}
