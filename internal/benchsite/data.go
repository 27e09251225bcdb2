package benchsite

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// Profile is a shape of a source database.
type Profile string

// The profiles.
const (
	// Mix is four tables that stand for a site's load: the standard log, forum
	// posts of 0.5 to 8 KB, grades, and values of 1 MB; 20 keys and indexes.
	Mix Profile = "mix"
	// Site is a whole site: more than 500 tables, half of the bytes in the log, most tables tiny or empty.
	Site Profile = "site"
	// Tables is a number of nearly empty tables.
	Tables Profile = "tables"
	// Narrow is one table of narrow rows.
	Narrow Profile = "narrow"
	// Wide is one table of very large values.
	Wide Profile = "wide"
)

// Profiles returns all profiles.
func Profiles() []Profile { return []Profile{Mix, Site, Tables, Narrow, Wide} }

// prefix is that of the tables of a source.
const prefix = "mdl_"

// Data says which source is made.
type Data struct {
	Profile Profile
	// Bytes is the size of the rows as text, for Mix and Site. 0 means that of
	// the profile: 1.1 GB and 2 GB.
	Bytes int64
	// Rows is the number of rows of Narrow (0: 10 million) and Wide (0: 64), and
	// of tables of Tables (0: 1,000). For Mix and Site it takes the place of Bytes when it is not 0.
	Rows int64
	// ValueBytes is the size of a value of Wide; 0 means 100 MB.
	ValueBytes int64
	// Code is a code tree whose declared tables the profile Site has; empty means the bundled sample site's.
	Code string
	// Seed chooses the values; the same seed gives the same rows.
	Seed uint64
}

// withDefaults fills in the sizes of the profile.
func (d Data) withDefaults() (Data, error) {
	switch d.Profile {
	case Mix:
		if d.Bytes == 0 && d.Rows == 0 {
			d.Bytes = 1_100_000_000
		}
	case Site:
		if d.Bytes == 0 && d.Rows == 0 {
			d.Bytes = 2_000_000_000
		}
	case Tables:
		d.Rows = cmp.Or(d.Rows, 1000)
	case Narrow:
		d.Rows = cmp.Or(d.Rows, 10_000_000)
	case Wide:
		d.Rows, d.ValueBytes = cmp.Or(d.Rows, 64), cmp.Or(d.ValueBytes, 100_000_000)
	default:
		return d, fmt.Errorf("unknown profile %q: known are %v", d.Profile, Profiles())
	}
	if d.Bytes < 0 || d.Rows < 0 || d.ValueBytes < 0 {
		return d, errors.New("a size of the source is negative")
	}
	return d, nil
}

// times returns the data with n times the rows.
func (d Data) times(n int64) Data {
	d.Bytes *= n
	d.Rows *= n
	return d
}

// tableData is one table of the source and the rows that it gets.
type tableData struct {
	table  schema.Table
	filler *filler
	rows   int64
	// bytes is the estimated size of all rows as text.
	bytes int64
}

// tablesOf decides how many rows each declared table gets. The result is
// sorted by size, the largest first.
func tablesOf(site *xmldb.Site, engine schema.Engine, opts Data) ([]tableData, error) {
	// DYNAMIC: reading Moodle's COMPRESSED rows would measure the source's zlib.
	declared, findings := convert.Declared(site, convert.DeclaredOptions{Engine: engine, Prefix: prefix, RowFormat: "Dynamic"})
	for _, f := range findings {
		if f.Severity == xmldb.Error {
			return nil, fmt.Errorf("the code tree cannot be installed: %s", f)
		}
	}
	c := newCorpus(opts.Seed)
	list := make([]tableData, len(declared.Tables))
	sizes := make([]float64, len(declared.Tables))
	for i, t := range declared.Tables {
		short := strings.TrimPrefix(t.Name, prefix)
		f, err := newFiller(&t, short, c, opts)
		if err != nil {
			return nil, err
		}
		list[i] = tableData{table: t, filler: f}
		if opts.Profile == Wide {
			sizes[i] = float64(opts.ValueBytes)
		} else {
			sizes[i] = f.rowBytes()
		}
	}
	rows := distribute(list, sizes, opts)
	for i := range list {
		list[i].rows = min(rows[i], list[i].filler.capacity)
		list[i].bytes = int64(float64(list[i].rows) * sizes[i])
	}
	slices.SortFunc(list, func(a, b tableData) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), strings.Compare(a.table.Name, b.table.Name))
	})
	return list, nil
}

// distribute returns the number of rows of each table.
func distribute(list []tableData, rowBytes []float64, opts Data) []int64 {
	rows := make([]int64, len(list))
	switch opts.Profile {
	case Mix:
		weights := make([]float64, len(list))
		for i := range list {
			weights[i] = mixRows(list[i].short()) * rowBytes[i]
		}
		share(rows, weights, rowBytes, opts.bytesFor(weights, rowBytes))
	case Site:
		distributeSite(rows, list, rowBytes, opts)
	case Tables:
		for i := range list {
			rows[i] = newRandom(opts.Seed, list[i].short()).below(6)
		}
	default:
		for i := range rows {
			rows[i] = opts.Rows
		}
	}
	return rows
}

// distributeSite gives half of the bytes to the log, and the other half to the
// large tables and to the tail of the many others.
func distributeSite(rows []int64, list []tableData, rowBytes []float64, opts Data) {
	weights := make([]float64, len(list))
	log, others := -1, 0.0
	for i := range list {
		weights[i] = siteShare(list[i].short())
		others += weights[i]
		if list[i].short() == siteLog {
			log = i
		}
	}
	if log >= 0 {
		weights[log] = others
	}
	total := opts.bytesFor(weights, rowBytes)
	tail := 0.0
	for i := range list {
		if weights[i] == 0 {
			rows[i] = tailRows(opts.Seed, list[i].short(), int64(total))
			tail += float64(rows[i]) * rowBytes[i]
		}
	}
	if log >= 0 {
		rows[log] = int64(total / 2 / rowBytes[log])
		weights[log] = 0
		total /= 2
	}
	// However large the tail of a small site, the large tables are not empty.
	share(rows, weights, rowBytes, max(total-tail, total/5))
}

// share divides a number of bytes among tables by weight.
func share(rows []int64, weights, rowBytes []float64, total float64) {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	for i, w := range weights {
		if w > 0 {
			rows[i] = int64(total * w / sum / rowBytes[i])
		}
	}
}

// bytesFor is the size that was asked for, or that of as many rows as were
// asked for when they are divided by weights, which are of bytes.
func (d Data) bytesFor(weights, rowBytes []float64) float64 {
	if d.Rows == 0 {
		return float64(d.Bytes)
	}
	rows, sum := 0.0, 0.0
	for i, w := range weights {
		sum += w
		rows += w / rowBytes[i]
	}
	return float64(d.Rows) * sum / rows
}

// short is the table's name without the prefix.
func (t *tableData) short() string { return strings.TrimPrefix(t.table.Name, prefix) }

// mixRows is how many rows a table of Mix has in comparison with the others.
func mixRows(table string) float64 {
	switch table {
	case "logstore_standard_log":
		return 1_000_000
	case "grade_grades":
		return 500_000
	case "forum_posts":
		return 100_000
	default:
		return 400
	}
}

// siteLog is the table that has half of a site's bytes.
const siteLog = "logstore_standard_log"

// siteShare is the share of a large table in the bytes beside the log, in
// comparison with the others; 0 for the tables that are small at any site.
func siteShare(table string) float64 {
	switch table {
	case "question_attempt_step_data", "grade_grades_history", "forum_posts":
		return 6
	case "question_attempt_steps", "grade_grades", "files":
		return 4
	case "course_modules_completion", "question_attempts", "task_log":
		return 3
	case "assignsubmission_onlinetext", "user_preferences", "messages", "notifications":
		return 2
	case "context", "role_assignments", "user_enrolments", "assign_submission", "assign_grades", "quiz_attempts", "sessions", "question",
		"question_answers", "course_sections", "block_instances", "event", "user", "backup_controllers", "user_lastaccess", "page", "forum_read":
		return 1
	default:
		return 0
	}
}

// tailRows is the number of rows of the many tables that are not large: nearly
// half are empty, the others have up to some thousand rows, less at a small site.
func tailRows(seed uint64, table string, siteBytes int64) int64 {
	r := newRandom(seed, "tail "+table)
	if r.chance(45) {
		return 0
	}
	return r.between(1, min(max(siteBytes/500_000, 2), 4000))
}
