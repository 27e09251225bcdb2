package proof

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// half is one side of a pair of tables.
type half struct {
	table  *schema.Table
	fields []field
}

// pair is a table of both sides, and how its rows are compared.
type pair struct {
	verify.Table
	// short is the name without the prefix.
	short           string
	expected, found half
	// key is the column of both sides by which the table can be divided: one of whole
	// numbers that is the whole key. Its names are those of the sides; both empty when there is none.
	key [2]string
}

// keyOf is the side's column by which the table can be divided; empty when there is none.
func (p *pair) keyOf(s Side) string {
	if s == ExpectedSide {
		return p.key[0]
	}
	return p.key[1]
}

// half is that of a side.
func (p *pair) half(s Side) *half {
	if s == ExpectedSide {
		return &p.expected
	}
	return &p.found
}

// pairing pairs what two databases hold.
type pairing struct {
	expected, found *database
	opts            Options
	pairs           []*pair
	left            []LeftOut
	notices         []string
}

func (p *pairing) leaveOut(l LeftOut) { p.left = append(p.left, l) }

// tables pairs the tables by their names without the prefix: those that are the
// same, then those that differ in case alone.
func (p *pairing) tables() error {
	expected, found := p.candidates(p.expected), p.candidates(p.found)
	if len(expected) == 0 && len(found) == 0 {
		return usagef("no table is left to compare: the patterns leave out all of them")
	}
	used := map[*schema.Table]bool{}
	byName := map[string][]*schema.Table{}
	exact := map[string]*schema.Table{}
	for _, t := range found {
		short := t.Name[len(p.found.prefix):]
		exact[short] = t
		byName[strings.ToLower(short)] = append(byName[strings.ToLower(short)], t)
	}
	var rest []*schema.Table
	for _, t := range expected {
		if f := exact[t.Name[len(p.expected.prefix):]]; f != nil {
			used[f] = true
			p.pair(t, f)
		} else {
			rest = append(rest, t)
		}
	}
	for _, t := range rest {
		same := slices.DeleteFunc(byName[strings.ToLower(t.Name[len(p.expected.prefix):])], func(f *schema.Table) bool { return used[f] })
		if len(same) != 1 {
			p.alone(p.expected, t)
			continue
		}
		used[same[0]] = true
		p.pair(t, same[0])
	}
	for _, t := range found {
		if !used[t] {
			p.alone(p.found, t)
		}
	}
	return nil
}

// candidates are the tables of a side that take part. What is left out by
// the prefix or the patterns, and what is no table, is listed.
func (p *pairing) candidates(db *database) []*schema.Table {
	var list []*schema.Table
	for i := range db.schema.Tables {
		t := &db.schema.Tables[i]
		l := LeftOut{Table: t.Name, Side: db.side, Counts: verify.Same}
		switch {
		case !hasPrefix(t.Name, db.prefix):
			l.Reason = fmt.Sprintf("it has not the site's prefix %q", db.prefix)
		case len(t.Name) == len(db.prefix):
			l.Reason = "its name is only the prefix"
		case !p.opts.chooses(t.Name[len(db.prefix):]):
			l.Reason = "the patterns leave it out"
		case p.part(db, t):
			l.Reason = fmt.Sprintf("its rows are among those of the table %q", db.parents[t.Name])
		default:
			list = append(list, t)
			continue
		}
		p.leaveOut(l)
	}
	for _, v := range db.schema.Views {
		what := "a view, which has no rows of its own"
		if v.Materialized {
			what = "a materialized view, which is made of other tables"
		} else if v.Foreign {
			what = "a foreign table, whose rows lie elsewhere"
		}
		p.leaveOut(LeftOut{Table: v.Name, Side: db.side, Reason: "it is " + what, Counts: verify.Same})
	}
	return list
}

// part reports whether the rows of a table are read with those of another one that takes part.
func (p *pairing) part(db *database, t *schema.Table) bool {
	for parent := db.parents[t.Name]; parent != ""; parent = db.parents[parent] {
		if hasPrefix(parent, db.prefix) && len(parent) > len(db.prefix) && p.opts.chooses(parent[len(db.prefix):]) {
			return true
		}
	}
	return false
}

// chooses reports whether a table, given by its name without the prefix, is wanted by the patterns.
func (o *Options) chooses(short string) bool {
	return (len(o.Include) == 0 || match(o.Include, short)) && !match(o.Exclude, short)
}

// match reports whether any of the patterns, which are valid, matches.
func match(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, _ := path.Match(p, name)
		return ok
	})
}

// checkPatterns refuses a plain name that names no table, most likely a mistake.
func (p *pairing) checkPatterns() error {
	for _, pattern := range slices.Concat(p.opts.Include, p.opts.Exclude) {
		matches := false
		for _, db := range []*database{p.expected, p.found} {
			for i := range db.schema.Tables {
				name := db.schema.Tables[i].Name
				matches = matches || hasPrefix(name, db.prefix) && match([]string{pattern}, name[len(db.prefix):])
			}
		}
		switch {
		case matches:
		case strings.ContainsAny(pattern, `*?[\`):
			p.notices = append(p.notices, fmt.Sprintf("the pattern %q matches no table; patterns go without the prefix", pattern))
		default:
			return usagef("no table is called %q; patterns go without the prefix", pattern)
		}
	}
	return nil
}

// alone lists a table that only one side has.
func (p *pairing) alone(db *database, t *schema.Table) {
	other := p.found
	if db == p.found {
		other = p.expected
	}
	l := LeftOut{Table: t.Name, Side: db.side, Counts: verify.Different}
	l.Reason = fmt.Sprintf("the %s side has no such table", other.side)
	switch {
	case other.mysql != nil && !other.access.Whole:
		l.Counts = verify.Unknown
		l.Reason = fmt.Sprintf("the account %s sees no such table on the %s side; let an administrator run: %s",
			other.access.Account, other.side, other.grant(""))
	}
	p.leaveOut(l)
}

// pair pairs the columns of two tables and finds their key.
func (p *pairing) pair(e, f *schema.Table) {
	t := &pair{short: f.Name[len(p.found.prefix):], expected: half{table: e}, found: half{table: f}}
	t.Name = f.Name
	t.Rows, t.Bytes = max(e.Rows, 0), max(e.Bytes, 0)
	seen := map[string]bool{}
	for i := range e.Columns {
		c := &e.Columns[i]
		g := f.Column(c.Name)
		if g == nil {
			p.aloneColumn(ExpectedSide, f.Name, c)
			continue
		}
		seen[g.Name] = true
		if err := p.column(t, c, g); err != nil {
			p.leaveOut(LeftOut{
				Table: f.Name, Column: g.Name, Side: BothSides, Counts: verify.Unknown,
				Reason: err.Error(),
			})
		}
	}
	for i := range f.Columns {
		if c := &f.Columns[i]; !seen[c.Name] {
			p.aloneColumn(FoundSide, f.Name, c)
		}
	}
	if len(t.Columns) == 0 {
		p.leaveOut(LeftOut{Table: f.Name, Side: BothSides, Reason: "there is no column whose values could be compared", Counts: verify.Unknown})
		return
	}
	p.key(t)
	p.pairs = append(p.pairs, t)
}

// aloneColumn lists a column that only one side has. What the expected side
// has and the other has not did not arrive; what is beyond that may be declared by newer code.
func (p *pairing) aloneColumn(side Side, table string, c *schema.Column) {
	l := LeftOut{Table: table, Column: c.Name, Side: side, Counts: verify.Same}
	l.Reason = "the expected side has no such column"
	if side == ExpectedSide {
		l.Reason = "the found side has no such column"
		if c.Generated == schema.NotGenerated {
			l.Counts = verify.Different
		} else {
			l.Reason += "; its values are computed from others"
		}
	}
	p.leaveOut(l)
}

// column adds a column to a pair.
func (p *pairing) column(t *pair, e, f *schema.Column) error {
	typ, err := commonType(e, f, p.expected.schema.Engine, p.found.schema.Engine)
	if err != nil {
		return err
	}
	a, err := fieldOf(p.expected.schema.Engine, e, typ)
	if err != nil {
		return err
	}
	b, err := fieldOf(p.found.schema.Engine, f, typ)
	if err != nil {
		return err
	}
	t.expected.fields, t.found.fields = append(t.expected.fields, a), append(t.found.fields, b)
	t.Columns = append(t.Columns, verify.Column{Name: f.Name, Type: typ, Canon: canonOf(typ), Render: render(typ), Piece: verify.RenderPiece(typ)})
	return nil
}

// key marks the columns of the key: the primary key, or else a unique index
// of columns that are NOT NULL, which both sides have. Its columns must be compared.
func (p *pairing) key(t *pair) {
	var best []string
	for _, x := range keysOf(t.expected.table) {
		same := slices.ContainsFunc(keysOf(t.found.table), func(y []string) bool { return sameNames(x, y) })
		compared := !slices.ContainsFunc(x, func(name string) bool { return !slices.ContainsFunc(t.expected.fields, isField(name)) })
		if same && compared {
			best = x
			break
		}
	}
	for i := range t.Columns {
		t.Columns[i].Key = slices.ContainsFunc(best, isName(t.Columns[i].Name))
	}
	if len(best) != 1 {
		return
	}
	e, f := t.expected.table.Column(best[0]), t.found.table.Column(best[0])
	if p.expected.divides(t.expected.table, e) && p.found.divides(t.found.table, f) {
		t.key = [2]string{e.Name, f.Name}
	}
}

func isName(name string) func(string) bool {
	return func(other string) bool { return strings.EqualFold(name, other) }
}

func isField(name string) func(field) bool {
	return func(f field) bool { return strings.EqualFold(name, f.column) }
}

// sameNames reports whether two lists have the same names, in any order and case.
func sameNames(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(name string) bool { return !slices.ContainsFunc(b, isName(name)) })
}

// keysOf lists the keys of a table by their columns: the primary key first,
// then unique indexes of columns that are NOT NULL, the ones of the fewest columns first.
func keysOf(t *schema.Table) [][]string {
	var list [][]string
	for i := range t.Indexes {
		x := &t.Indexes[i]
		if !x.Primary && !x.Unique || x.Where != "" || x.Invalid || x.Exclusion || slices.ContainsFunc(x.Parts, func(part schema.IndexPart) bool {
			c := t.Column(part.Column)
			return part.Column == "" || part.Prefix > 0 || c == nil || !c.NotNull
		}) {
			continue
		}
		if x.Primary {
			list = slices.Insert(list, 0, x.Columns())
		} else {
			list = append(list, x.Columns())
		}
	}
	if len(list) > 1 {
		rest := list
		if t.PrimaryKey() != nil && slices.Equal(list[0], t.PrimaryKey().Columns()) {
			rest = list[1:]
		}
		slices.SortStableFunc(rest, func(a, b []string) int { return len(a) - len(b) })
	}
	return list
}
