package samplesite

import (
	"fmt"
	"strings"
)

// row holds the values of one row by field; a field that is not named gets its default.
type row map[string]any

// builder collects the rows of all declared tables.
type builder struct {
	rand rand
	rows map[string][]row
	// next is the next id by table; gaps is the AUTO_INCREMENT of tables whose last rows were deleted.
	next map[string]int64
	gaps map[string]int64

	users    []int64
	roles    map[string]int64
	modules  map[string]int64
	courses  []course
	contexts map[contextKey]context
}

// course is what later rows need to know about a course.
type course struct {
	id       int64
	context  int64
	students []int64
	teacher  int64
	sections []int64
	category int64 // of its gradebook
}

// contextKey is what a context belongs to.
type contextKey struct {
	level    int
	instance int64
}

// context is a place where permissions apply.
type context struct {
	id    int64
	path  string
	depth int
}

// Moodle's context levels.
const (
	levelSystem   = 10
	levelUser     = 30
	levelCategory = 40
	levelCourse   = 50
	levelModule   = 70
	levelBlock    = 80
)

// epoch is the site's first day, 2026-01-05 08:00 UTC: a time stamp of the seed, not of the clock.
const epoch = 1767600000

func newBuilder() *builder {
	return &builder{
		rand:     rand{state: 20260105},
		rows:     map[string][]row{},
		next:     map[string]int64{},
		gaps:     map[string]int64{},
		roles:    map[string]int64{},
		modules:  map[string]int64{},
		contexts: map[contextKey]context{},
	}
}

// fill makes the rows of every declared table. The order matters: later tables
// refer to the ids of earlier ones.
func (b *builder) fill() {
	b.site()
	b.people()
	b.permissions()
	b.allCourses()
	b.enrolments()
	b.forums()
	b.pages()
	b.assignments()
	b.questions()
	b.grades()
	b.blocks()
	b.talk()
	b.fileStore()
	b.background()
	b.log()
	b.searchIndex()
	b.measurements()
}

// add appends a row, gives it the table's next id unless it brings its own,
// and returns the id.
func (b *builder) add(table string, r row) int64 {
	id, ok := r["id"].(int64)
	if !ok {
		id = b.next[table] + 1
		r["id"] = id
	}
	b.next[table] = max(b.next[table], id)
	b.rows[table] = append(b.rows[table], r)
	return id
}

// skip leaves a gap of n ids, as deleted rows do.
func (b *builder) skip(table string, n int64) { b.next[table] += n }

// gap says that the last n rows of a table were deleted, so that its
// AUTO_INCREMENT is higher than its highest id tells.
func (b *builder) gap(table string, n int64) { b.gaps[table] = b.next[table] + n + 1 }

// none says that a table is empty.
func (b *builder) none(tables ...string) {
	for _, t := range tables {
		b.rows[t] = nil
	}
}

// contextOf returns the context of an instance, and makes it below parent when it is new.
func (b *builder) contextOf(level int, instance int64, parent contextKey) context {
	key := contextKey{level, instance}
	if c, ok := b.contexts[key]; ok {
		return c
	}
	up := b.contexts[parent]
	c := context{id: b.next["context"] + 1, depth: up.depth + 1}
	c.path = fmt.Sprintf("%s/%d", up.path, c.id)
	b.contexts[key] = c
	b.add("context", row{
		"contextlevel": level, "instanceid": instance, "path": c.path, "depth": c.depth,
	})
	return c
}

// time returns a time stamp of the given day of the site, at a random second.
func (b *builder) time(day int) int64 { return epoch + int64(day)*86400 + int64(b.rand.below(80000)) }

// words returns n sentences of the corpus, from several scripts.
func (b *builder) words(n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = pick(&b.rand, sentences())
	}
	return strings.Join(out, " ")
}

// html returns a text as the editor writes it.
func (b *builder) html(paragraphs int) string {
	var s strings.Builder
	for range paragraphs {
		fmt.Fprintf(&s, "<p dir=\"auto\">%s</p>\n", b.words(1+b.rand.below(3)))
	}
	return s.String()
}

// rand is splitmix64. It is spelled out here so that the file does not change
// with the standard library.
type rand struct{ state uint64 }

func (r *rand) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number of [0, n).
func (r *rand) below(n int) int { return int(r.next() % uint64(n)) }

// bytes returns n bytes.
func (r *rand) bytes(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.next())
	}
	return out
}

// hex returns n hex digits.
func (r *rand) hex(n int) string { return fmt.Sprintf("%x", r.bytes((n+1)/2))[:n] }

// decimal returns a decimal of [0, whole) with the given number of digits after the point.
func (r *rand) decimal(whole, digits int) number {
	var s strings.Builder
	fmt.Fprintf(&s, "%d.", r.below(whole))
	for range digits {
		s.WriteByte(byte('0' + r.below(10)))
	}
	return number(s.String())
}

func pick[T any](r *rand, list []T) T { return list[r.below(len(list))] }
