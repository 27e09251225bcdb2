package benchsite

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// grid is a table of texts. The first row is the heading.
type grid [][]string

// text aligns the columns with spaces: words to the left, and figures, which
// are all but the columns that left names, to the right.
func (g grid) text(left ...int) string {
	widths := make([]int, len(g[0]))
	for _, row := range g {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	isLeft := map[int]bool{}
	for _, i := range left {
		isLeft[i] = true
	}
	var b strings.Builder
	for _, row := range g {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				line.WriteString("  ")
			}
			if isLeft[i] {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// markdown is the table for a page.
func (g grid) markdown(left ...int) string {
	marks := make([]string, len(g[0]))
	for i := range marks {
		marks[i] = "--:"
	}
	for _, i := range left {
		marks[i] = "---"
	}
	var b strings.Builder
	line := func(cells []string) {
		escaped := make([]string, len(cells))
		for i, cell := range cells {
			escaped[i] = strings.ReplaceAll(cell, "|", `\|`)
		}
		b.WriteString("| " + strings.Join(escaped, " | ") + " |\n")
	}
	for i, row := range g {
		line(row)
		if i == 0 {
			line(marks)
		}
	}
	return b.String()
}

// Text writes the result for a terminal.
func (r *Result) Text(w io.Writer) error {
	runs, left := r.figures()
	g, goalLeft := r.goalGrid()
	_, err := fmt.Fprintf(w, "\n%s\n%s\n\n%s%s\n%s", r.subject(), r.place(), r.caution(), runs.text(left...), g.text(goalLeft...))
	if err != nil {
		return err
	}
	for _, run := range r.Runs {
		if run.Failure != "" {
			if _, err := fmt.Fprintf(w, "\n%s failed: %s\n", run.Name, run.Failure); err != nil {
				return err
			}
		}
	}
	return nil
}

// subject says what was migrated.
func (r *Result) subject() string {
	return fmt.Sprintf("profile %s: %s tables, %s rows, %s; %s → %s",
		r.Profile, humanize.Comma(int64(r.Tables)), humanize.Comma(r.Rows), humanize.Bytes(uint64(r.Bytes)), r.Source, r.Target)
}

// place says where and when.
func (r *Result) place() string {
	return fmt.Sprintf("%s; %d cores, %s RAM, %s, %s; moodledb %s",
		r.Date.Format("2006-01-02 15:04 MST"), r.Machine.Cores, humanize.IBytes(uint64(r.Machine.Memory)), r.Machine.CPU, r.Machine.System, r.Version)
}

// busy is the share of the machine's cores from which on others disturb wall times, in percent.
const busy = 10

// caution says how busy the machine was with other things while moodledb ran;
// "" when it was at rest.
func (r *Result) caution() string {
	us := r.run(nameUs)
	if us == nil || us.Median.Wall == 0 || r.Machine.Cores == 0 {
		return ""
	}
	share := 100 * us.Median.Others / (us.Median.Wall * float64(r.Machine.Cores))
	if share < busy {
		return ""
	}
	return fmt.Sprintf("The machine was busy: others used %.0f %% of its cores while moodledb ran. Wall times and their ratios say little; CPU times are the figure.\n\n", share)
}

// figures is the table of medians. Ratios are to moodledb's wall and CPU time.
func (r *Result) figures() (g grid, left []int) {
	g = grid{{"medians", "n", "wall s", "CPU s", "own", "source", "target", "others", "peak MiB", "wall ×", "CPU ×"}}
	us := r.run(nameUs)
	add := func(name string, n int, s Sample) {
		row := []string{
			name, fmt.Sprint(n), seconds(s.Wall), seconds(s.CPU()), seconds(s.Own), seconds(s.Source), seconds(s.Target), seconds(s.Others),
			fmt.Sprintf("%.0f", float64(s.Peak)/(1<<20)), ratio(s.Wall, us, func(s Sample) float64 { return s.Wall }), ratio(s.CPU(), us, Sample.CPU),
		}
		if s.Own == 0 {
			row[4] = "–"
		}
		if s.Peak == 0 {
			row[8] = "–"
		}
		g = append(g, row)
	}
	for _, run := range r.Runs {
		if len(run.Samples) > 0 {
			add(run.Name, len(run.Samples), run.Median)
		}
	}
	if v := r.Verify; v != nil {
		add(v.Run.Name, len(v.Run.Samples), v.Run.Median)
		if v.Floor != nil {
			add(namePlain, len(v.Samples), *v.Floor)
		}
	}
	if r.Larger != nil {
		add(fmt.Sprintf("%s, %d × the rows", nameUs, r.Larger.Times), len(r.Larger.Run.Samples), r.Larger.Run.Median)
		if v := r.Larger.Verify; v != nil {
			add(fmt.Sprintf("%s, %d × the rows", v.Name, r.Larger.Times), len(v.Samples), v.Median)
		}
	}
	if f := r.Floor; f != nil {
		n := len(r.Runs[0].Samples)
		add("floor: read (R)", n, f.Read)
		add("floor: write (W)", n, f.Write)
		add("floor: index (I)", n, f.Index)
		add("floor_all", n, Sample{Wall: f.All, Source: f.Read.Source, Target: f.Write.Target + f.Index.Target})
	}
	return g, []int{0}
}

func seconds(s float64) string { return fmt.Sprintf("%.2f", s) }

// ratio is a figure by ours.
func ratio(value float64, us *Run, get func(Sample) float64) string {
	if us == nil || get(us.Median) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", value/get(us.Median))
}

// goalGrid is the table of goals.
func (r *Result) goalGrid() (g grid, left []int) {
	g = grid{{"goal", "measured", "met"}}
	for _, x := range r.Goals {
		g = append(g, []string{x.Goal, x.Measured, x.Met})
	}
	return g, []int{0, 1, 2}
}
