package xmldb

import (
	"crypto/md5" // part of the names of Totara's keys; nothing is secured by it
	"encoding/hex"
	"strconv"
	"strings"
)

// naming says which of Moodle's ways of naming objects a version has.
type naming struct {
	// counters: a base that was counted once goes on counting, whatever the
	// suffix. Before, only names that were really taken were counted on.
	counters bool
	// primaryTwice: the generator asks for the name of a primary key a second
	// time, to learn whether the key makes an index, and throws that name away.
	// The counter has moved on all the same, so PostgreSQL sites have keys
	// called ..._id3_pk but none called ..._id2_pk.
	primaryTwice bool
}

func namingFor(product Product, branch int) naming {
	if product == Totara {
		return naming{
			counters:     branch == 0 || branch >= 209,
			primaryTwice: branch != 0 && branch < 1300,
		}
	}
	return naming{counters: branch == 0 || branch > 27, primaryTwice: true}
}

// Namer gives names to keys and indexes as Moodle's getNameForObject does. Its
// state is that of one PHP process: a name depends on all names given before.
type Namer struct {
	prefix   string
	max      int
	naming   naming
	inUse    func(name, suffix, table string) bool
	used     map[string]bool
	counters map[string]int
}

// NewNamer returns a Namer of the newest version of product that has given no
// name yet. inUse reports whether the database already has an object of that
// name; nil means that it has none. Suffix is pk, ix, uix or fts, table is
// without prefix.
//
// For a whole site use [Site.NewNamer], which knows the version.
func NewNamer(prefix string, product Product, inUse func(name, suffix, table string) bool) *Namer {
	return newNamer(prefix, LimitsFor(product, 0), namingFor(product, 0), inUse)
}

// NewNamer returns a Namer for the site's version; see the function [NewNamer].
func (s *Site) NewNamer(prefix string, inUse func(name, suffix, table string) bool) *Namer {
	return newNamer(prefix, s.Limits, namingFor(s.Product, s.Branch), inUse)
}

func newNamer(prefix string, limits Limits, style naming, inUse func(name, suffix, table string) bool) *Namer {
	if inUse == nil {
		inUse = func(string, string, string) bool { return false }
	}
	return &Namer{
		prefix: prefix, max: limits.ObjectName, naming: style, inUse: inUse,
		used: map[string]bool{}, counters: map[string]int{},
	}
}

// Name returns the next name for an object with that suffix (pk, ix, uix, fts)
// on the fields of a table, which is without prefix.
//
// The name is the prefix, the first four characters of each part of the table
// name, an underscore, the first three characters of each field, a counter
// unless it is the first, and the suffix, cut to the limit before the counter.
func (n *Namer) Name(table string, fields []string, suffix string) string {
	var b strings.Builder
	b.WriteString(n.prefix)
	for part := range strings.SplitSeq(table, "_") {
		b.WriteString(head(strings.TrimSpace(part), 4))
	}
	b.WriteByte('_')
	for _, f := range fields {
		b.WriteString(head(strings.TrimSpace(f), 3))
	}
	base := strings.TrimSpace(b.String())
	var name string
	if n.naming.counters {
		name = n.count(base, suffix, table)
	} else {
		name = n.countOld(base, suffix, table)
	}
	n.used[name] = true
	return name
}

func (n *Namer) taken(name, suffix, table string) bool {
	return n.used[name] || n.inUse(name, suffix, table)
}

// count is the way of Moodle 2.8 and later.
func (n *Namer) count(base, suffix, table string) string {
	room := n.max - len(suffix) - 1
	name := head(base, room) + "_" + suffix
	numbered := func(c int) string {
		digits := strconv.Itoa(c)
		return head(base, room-len(digits)) + digits + "_" + suffix
	}
	counter := 1
	if last, ok := n.counters[base]; ok {
		counter = last + 1
		name = numbered(counter)
	}
	for n.taken(name, suffix, table) {
		counter++
		name = numbered(counter)
	}
	n.counters[base] = counter
	return name
}

// countOld is the way of Moodle up to 2.7 and Totara of that time. It cuts the
// last character of the numbered name to make way for the next number, so a
// two-digit counter overwrites its own first digit; that is kept.
func (n *Namer) countOld(base, suffix, table string) string {
	base = head(base, n.max-len(suffix)-1)
	name := base + "_" + suffix
	if !n.taken(name, suffix, table) {
		return name
	}
	counter := 2
	numbered := base + "2"
	if len(name) >= n.max {
		numbered = head(base, len(base)-1) + "2"
	}
	for n.taken(numbered+"_"+suffix, suffix, table) {
		counter++
		numbered = head(base, len(numbered)-1) + strconv.Itoa(counter)
	}
	return numbered + "_" + suffix
}

// head returns the first n bytes of s, as PHP's substr does.
func head(s string, n int) string { return s[:max(0, min(n, len(s)))] }

// maxConstraintName is the length that Totara allows the name of a foreign key.
const maxConstraintName = 63

// ForeignKeyName returns the name of an enforced foreign key of Totara 13 and
// later. It does not depend on other names.
func (n *Namer) ForeignKeyName(table string, fields []string) string {
	core := table + "_" + strings.Join(fields, "_")
	if name := n.prefix + core + "_fk"; len(name) <= maxConstraintName {
		return name
	}
	sum := md5.Sum([]byte(core))
	return n.prefix + hex.EncodeToString(sum[:]) + "_fk"
}

// CheckName returns the name of the check of Totara's ALLOWED_VALUES. There is
// no underscore before the field.
func (n *Namer) CheckName(table, field string) string { return n.prefix + table + field + "_enum" }
