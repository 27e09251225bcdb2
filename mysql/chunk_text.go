package mysql

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"unicode/utf8"
)

// alphabet is how a collation orders letters: those of the same slot are equal to it.
// It serves to guess a text between two others.
type alphabet struct {
	slots map[rune]int
	// letters has one letter of each slot.
	letters []rune
}

// sampleLetters are the letters whose order is asked for: ASCII, and those of Latin,
// Greek, Cyrillic, Hebrew and Arabic words. The others are taken to be in the
// order of their code points.
func sampleLetters() []rune {
	var list []rune
	for _, block := range [][2]rune{{1, '~'}, {'À', 'ž'}, {'Α', 'ω'}, {'А', 'я'}, {'א', 'ת'}, {'ء', 'ي'}} {
		for r := block[0]; r <= block[1]; r++ {
			list = append(list, r)
		}
	}
	return list
}

// readAlphabet asks the server for the order of letters in a collation.
func readAlphabet(ctx context.Context, conn *sql.Conn, charset, collation string) (*alphabet, error) {
	sample := sampleLetters()
	expressions := make([]string, len(sample))
	dest, weights := make([]any, len(sample)), make([]sql.NullString, len(sample))
	for i, r := range sample {
		expressions[i] = "HEX(WEIGHT_STRING(" + textExpression(string(r), charset, collation) + "))"
		dest[i] = &weights[i]
	}
	if err := conn.QueryRowContext(ctx, "SELECT "+strings.Join(expressions, ", ")).Scan(dest...); err != nil {
		return nil, err
	}
	return newAlphabet(sample, weights), nil
}

// newAlphabet puts letters in the order of their weights. A letter that weighs
// as much as a question mark is one that the character set does not have.
func newAlphabet(sample []rune, weights []sql.NullString) *alphabet {
	unknown := weights[slices.Index(sample, '?')].String
	order := make([]int, 0, len(sample))
	for i, r := range sample {
		if w := weights[i].String; w != "" && (w != unknown || r == '?') {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(weights[a].String, weights[b].String) })
	a := &alphabet{slots: map[rune]int{}}
	last := ""
	for _, i := range order {
		if w := weights[i].String; w != last {
			a.letters = append(a.letters, sample[i])
			last = w
		}
		a.slots[sample[i]] = len(a.letters) - 1
	}
	return a
}

// same reports whether two letters are equal, as far as is known.
func (a *alphabet) same(x, y rune) bool {
	if x == y {
		return true
	}
	i, ok := a.slots[x]
	j, found := a.slots[y]
	return ok && found && i == j
}

// between returns texts that are probably above low and not above high, the most
// promising first: what both begin with, and a letter in the middle. Where letters are
// ordered otherwise when they stand together, the beginning of high may do, and where case and
// accents count only behind all other letters, the next difference.
func (a *alphabet) between(low, high string) []string {
	const differences = 2
	x, y := []rune(low), []rune(high)
	var list []string
	for i, found := 0, 0; i < len(y) && found < differences; i++ {
		below := rune(-1)
		if i < len(x) {
			below = x[i]
		}
		if a.same(below, y[i]) {
			continue
		}
		found++
		if r := a.middle(below, y[i]); !a.same(r, y[i]) && utf8.ValidRune(r) {
			list = append(list, string(y[:i])+string(r))
		}
		list = append(list, string(y[:i+1]))
	}
	return list
}

// middle is a letter in the middle between two; low is -1 where a text ends.
func (a *alphabet) middle(low, high rune) rune {
	i, known := a.slots[low]
	if low < 0 {
		i, known = -1, true
	}
	if j, ok := a.slots[high]; ok && known && i < j {
		return a.letters[(i+j+1)/2]
	}
	if low >= high {
		return high
	}
	return max(low, 0) + (high-max(low, 0)+1)/2
}
