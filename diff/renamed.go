package diff

import (
	"slices"
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// findRenamed pairs expected columns that are missing with columns that nobody
// expects, where they are most likely the same ones: only the case of the name
// differs (PostgreSQL), or they hold the same and have similar names or one place.
// Where more than one pair is possible there is none.
func (d *differ) findRenamed(want, have *schema.Table) {
	extra := slices.DeleteFunc(d.extraColumns(want, have), func(h *schema.Column) bool {
		return d.allowedColumn(d.short(want.Name), h.Name)
	})
	if len(extra) == 0 {
		return
	}
	s := renameSearch{extra: extra, pairs: map[string]string{}}
	for i := range want.Columns {
		if w := &want.Columns[i]; d.column(have, w.Name) == nil {
			s.missing = append(s.missing, w)
		}
	}
	wantPlaces, havePlaces := d.places(want, have), d.places(have, want)
	samePlace := func(w, h *schema.Column) bool {
		return wantPlaces[w].before == havePlaces[h].before && wantPlaces[w].after == havePlaces[h].after
	}
	similar := func(w, h *schema.Column) bool {
		return d.sameKind(w, h) && similarNames(w.Name, h.Name)
	}
	s.settle(func(w, h *schema.Column) bool { return strings.EqualFold(w.Name, h.Name) })
	s.settle(func(w, h *schema.Column) bool { return similar(w, h) && samePlace(w, h) })
	s.settle(similar)
	replaced := func(w, h *schema.Column) bool {
		return samePlace(w, h) && d.sameKind(w, h) && d.sameDefault(w.Default, h.Default, d.ruleOf(w.Type).family.numeric())
	}
	s.settle(replaced)
	// Neighbours that are alike are told apart by their order, if there are as many.
	s.settle(func(w, h *schema.Column) bool { return replaced(w, h) && wantPlaces[w] == havePlaces[h] })
	if len(s.pairs) > 0 {
		d.renamed[want.Name] = s.pairs
	}
}

// sameKind reports whether two columns hold the same.
func (d *differ) sameKind(w, h *schema.Column) bool {
	return len(d.compareTypes(w.Type, h.Type)) == 0 && w.NotNull == h.NotNull && w.AutoIncrement == h.AutoIncrement &&
		w.Generated == h.Generated
}

// renameSearch pairs what is missing with what is extra.
type renameSearch struct {
	missing, extra []*schema.Column
	// pairs has the found names by the expected ones.
	pairs map[string]string
}

// settle takes the pairs that match and have no rival on either side.
func (s *renameSearch) settle(match func(w, h *schema.Column) bool) {
	var pairs [][2]*schema.Column
	rivals := map[*schema.Column]int{}
	for _, w := range s.missing {
		for _, h := range s.extra {
			if match(w, h) {
				pairs = append(pairs, [2]*schema.Column{w, h})
				rivals[w]++
				rivals[h]++
			}
		}
	}
	for _, p := range pairs {
		if rivals[p[0]] > 1 || rivals[p[1]] > 1 {
			continue
		}
		s.pairs[p[0].Name] = p[1].Name
		s.missing = slices.DeleteFunc(s.missing, func(c *schema.Column) bool { return c == p[0] })
		s.extra = slices.DeleteFunc(s.extra, func(c *schema.Column) bool { return c == p[1] })
	}
}

// columnPlace is where a column stands among those that both tables have.
type columnPlace struct {
	// before and after are the nearest such columns; empty at the ends of the table.
	before, after string
	// nth counts the columns of one table between the two, of all of them.
	nth, of int
}

// places finds the places of the columns of t that other has not.
func (d *differ) places(t, other *schema.Table) map[*schema.Column]columnPlace {
	places := map[*schema.Column]columnPlace{}
	before := ""
	var between []*schema.Column
	end := func(after string) {
		for i, c := range between {
			places[c] = columnPlace{before: before, after: after, nth: i, of: len(between)}
		}
		before, between = after, nil
	}
	for i := range t.Columns {
		if c := &t.Columns[i]; d.column(other, c.Name) != nil {
			end(strings.ToLower(c.Name))
		} else {
			between = append(between, c)
		}
	}
	end("")
	return places
}

// similarNames reports whether one name may be a correction of the other: it has
// the same letters but for underscores, one or two letters differ, or it carries a
// word such as "old".
func similarNames(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if strings.ReplaceAll(a, "_", "") == strings.ReplaceAll(b, "_", "") {
		return true
	}
	letters := func(s string) string { return strings.Trim(s, "0123456789") }
	if letters(a) == letters(b) {
		return false // answer1 and answer2 are two columns
	}
	for _, word := range []string{"old", "bak", "backup", "orig", "original", "tmp", "temp", "copy", "renamed"} {
		if a == b+"_"+word || a == word+"_"+b || b == a+"_"+word || b == word+"_"+a {
			return true
		}
	}
	// In a short name, a letter makes another word.
	const short, long = 6, 10
	switch n := min(len(a), len(b)); {
	case n < short:
		return false
	case n < long:
		return editDistance(a, b) <= 1
	}
	return editDistance(a, b) <= 2
}

// editDistance is the number of bytes to insert, delete or replace to make one name of the other.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
