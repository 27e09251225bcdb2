package benchsite

import "fmt"

// The words for whether a goal was met.
const (
	met         = "yes"
	notMet      = "no"
	notMeasured = "not measured"
)

// goals compares a result with what is to be reached.
func goals(r *Result) []Goal {
	us := r.run(nameUs)
	if us == nil {
		return nil
	}
	var list []Goal
	switch r.Profile {
	case Mix:
		list = append(list, faster(r, namePgferry, 3), faster(r, namePgloader, 4.5), perGigabyte(r, us))
		list = append(list, floorGoals(r, us)...)
		list = append(list, memoryGoal(r, nameUs4, "peak memory with 4 streams and rows up to 1 MB under 64 MiB", 64<<20))
	case Site:
		list = append(list, faster(r, namePgloader, 3), faster(r, namePipe, 1))
		list = append(list, floorGoals(r, us)...)
	case Tables:
		list = append(list, Goal{
			Goal:     fmt.Sprintf("%d nearly empty tables in at most 10 s", r.Tables),
			Measured: fmt.Sprintf("%.1f s", us.Median.Wall), Met: word(us.Median.Wall <= 10),
		})
	case Narrow, Wide:
		list = append(list, memoryGoal(r, nameUs, "peak memory within the default of --memory, 256 MiB", maxMemory))
	}
	list = append(list, verifyGoals(r, us)...)
	if r.Larger != nil {
		list = append(list, growth(r, us)...)
	}
	return list
}

// maxMemory is the default of --memory.
const maxMemory = 256 << 20

// verifyGoals are those of the proof that everything arrived.
func verifyGoals(r *Result, us *Run) []Goal {
	var list []Goal
	if v := r.run(nameVerified); v != nil && us.Median.Wall > 0 {
		wall, cpu := v.Median.Wall/us.Median.Wall-1, v.Median.CPU()/us.Median.CPU()-1
		list = append(list, Goal{
			Goal:     "verification adds at most 25 % to the time of a migration",
			Measured: fmt.Sprintf("wall %+.0f %%, CPU %+.0f %%", 100*wall, 100*cpu), Met: word(wall <= 0.25),
		})
	}
	v := r.Verify
	if v == nil || len(v.Run.Samples) == 0 {
		return list
	}
	// Of tables with hardly a row, catalogs are all that is read.
	if v.Floor != nil && r.Profile != Tables {
		speed := v.Floor.Wall / v.Run.Median.Wall
		list = append(list, Goal{
			Goal:     "verify reads at no less than 80 % of the speed of a plain COPY TO STDOUT and unbuffered SELECT of the same tables",
			Measured: fmt.Sprintf("%.0f %% (CPU %.0f %%)", 100*speed, 100*v.Floor.CPU()/v.Run.Median.CPU()), Met: word(speed >= 0.8),
		})
	}
	return append(list, peakGoal(&v.Run, "peak memory of verify within the default of --memory, 256 MiB", maxMemory))
}

func word(ok bool) string {
	if ok {
		return met
	}
	return notMet
}

// faster compares the wall times.
func faster(r *Result, other string, times float64) Goal {
	g := Goal{Goal: fmt.Sprintf("at least %g × faster than %s", times, other), Measured: "–", Met: notMeasured}
	if times == 1 {
		g.Goal = "no slower than a " + other + " of the servers' own clients"
	}
	us, them := r.run(nameUs), r.run(other)
	if us == nil || them == nil || us.Median.Wall == 0 {
		return g
	}
	ratio := them.Median.Wall / us.Median.Wall
	g.Measured, g.Met = fmt.Sprintf("%.2f × (CPU %.2f ×)", ratio, them.Median.CPU()/us.Median.CPU()), word(ratio >= times)
	return g
}

// perGigabyte is our own CPU time for the bytes that the source sends.
func perGigabyte(r *Result, us *Run) Goal {
	g := Goal{Goal: "own CPU at most 1.5 s per GB of source data", Measured: "–", Met: notMeasured}
	if r.Bytes == 0 {
		return g
	}
	per := us.Median.Own / (float64(r.Bytes) / 1e9)
	g.Measured, g.Met = fmt.Sprintf("%.2f s", per), word(per <= 1.5)
	for _, name := range []string{namePgferry, namePgloader} {
		if them := r.run(name); them != nil {
			g.Measured += fmt.Sprintf(", %s %.1f s", name, them.Median.Own/(float64(r.Bytes)/1e9))
		}
	}
	return g
}

// floorGoals compare with the floor.
func floorGoals(r *Result, us *Run) []Goal {
	efficiency := Goal{Goal: "cpu_eff (floor CPU by all CPU) at least 0.85", Measured: "–", Met: notMeasured}
	wall := Goal{Goal: "wall at most 1.2 × floor_all", Measured: "–", Met: notMeasured}
	if r.Floor != nil && r.Floor.All > 0 {
		e := r.Floor.efficiency(us.Median)
		efficiency.Measured, efficiency.Met = fmt.Sprintf("%.2f", e), word(e >= 0.85)
		ratio := us.Median.Wall / r.Floor.All
		wall.Measured, wall.Met = fmt.Sprintf("%.2f ×", ratio), word(ratio <= 1.2)
	}
	return []Goal{efficiency, wall}
}

// memoryGoal compares the highest peak of a contender's runs.
func memoryGoal(r *Result, name, goal string, limit int64) Goal {
	if run := r.run(name); run != nil {
		return peakGoal(run, goal, limit)
	}
	return Goal{Goal: goal, Measured: "–", Met: notMeasured}
}

func peakGoal(run *Run, goal string, limit int64) Goal {
	peak := run.peak()
	return Goal{Goal: goal, Measured: mebibytes(peak), Met: word(peak < limit)}
}

// peak is the highest of all runs: memory is bounded always, not in the median.
func (r *Run) peak() int64 {
	peak := int64(0)
	for _, s := range r.Samples {
		peak = max(peak, s.Peak)
	}
	return peak
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

// growth compares with the same profile of more rows.
func growth(r *Result, us *Run) []Goal {
	g := r.Larger
	perRow := func(s Sample, get func(Sample) float64, rows int64) float64 { return get(s) / float64(rows) }
	wall := func(s Sample) float64 { return s.Wall }
	change := perRow(g.Run.Median, wall, g.Rows)/perRow(us.Median, wall, r.Rows) - 1
	cpu := perRow(g.Run.Median, Sample.CPU, g.Rows)/perRow(us.Median, Sample.CPU, r.Rows) - 1
	list := []Goal{
		{
			Goal:     fmt.Sprintf("time per row the same with %d times the rows (±10 %%)", g.Times),
			Measured: fmt.Sprintf("wall %+.0f %%, CPU %+.0f %%", 100*change, 100*cpu), Met: word(change >= -0.1 && change <= 0.1),
		},
		flat("peak memory", g.Times, us, &g.Run),
	}
	if g.Verify != nil && r.Verify != nil {
		list = append(list, flat("peak memory of verify", g.Times, &r.Verify.Run, g.Verify))
	}
	return list
}

// flat compares the highest peaks.
func flat(what string, times int64, small, large *Run) Goal {
	return Goal{
		Goal:     fmt.Sprintf("%s flat with %d times the rows (+10 %%)", what, times),
		Measured: fmt.Sprintf("%s, %s", mebibytes(small.peak()), mebibytes(large.peak())), Met: word(float64(large.peak()) <= 1.1*float64(small.peak())),
	}
}
