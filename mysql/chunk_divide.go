package mysql

import (
	"context"
	"math/big"
	"slices"
)

// divider divides a range.
//
// It halves what is too large between the first and the last row that are
// there, again and again. A place for a bound is guessed, but the bound itself is
// always the key of a row that the server returned, or a whole number between two of them.
type divider struct {
	chunkQueries

	whole Range
	// parts is the wanted number of pieces.
	parts int
	// attempts is how many more divisions may be tried.
	attempts int
	// pieces are in the order of the key.
	pieces []piece
}

// piece is a part of the range, with what is known of its rows.
type piece struct {
	Range

	// first and last are the outermost rows that were seen in it.
	first, last []keyValue
	// rows is the optimizer's estimate, of which only the share in that of all pieces is used.
	rows int64
	// done says that it cannot, or need not, be divided any more.
	done bool
}

// spareAttempts are those that are granted besides two for each wanted part, for
// rows that lie far apart.
const spareAttempts = 32

// run divides the range into pieces.
func (d *divider) run(ctx context.Context) error {
	all := piece{Range: d.whole, done: true}
	d.pieces = []piece{all}
	if d.parts < 2 {
		return nil
	}
	first, err := d.first(ctx, d.whole)
	if err != nil || first == nil {
		return err
	}
	last, err := d.last(ctx, d.whole)
	if err != nil || last == nil {
		return err
	}
	all = piece{Range: d.whole, first: first, last: last}
	if all.rows, err = d.rows(ctx, d.whole); err != nil {
		return ignoreIllegalText(err)
	}
	d.pieces = []piece{all}
	d.attempts = 2*d.parts + spareAttempts
	for again := true; again; {
		if again, err = d.pass(ctx); err != nil {
			return err
		}
	}
	d.merge()
	return nil
}

// ignoreIllegalText drops the error of a text that cannot be spelt: what it bounds is not divided.
func ignoreIllegalText(err error) error {
	if isIllegalText(err) {
		return nil
	}
	return err
}

// pass divides once each piece that is too large, of the largest ones, so that the
// attempts are spent on these first. It reports whether there was one.
func (d *divider) pass(ctx context.Context) (divided bool, err error) {
	limit, blind := d.limit(), d.blind()
	for _, p := range d.pieces {
		if !p.done {
			limit = max(limit, p.rows/2)
		}
	}
	next := make([]piece, 0, 2*len(d.pieces))
	for i, p := range d.pieces {
		wanted := p.rows > limit
		if blind {
			wanted = len(next)+len(d.pieces)-i < d.parts
		}
		if p.done || !wanted || d.attempts == 0 {
			next = append(next, p)
			continue
		}
		d.attempts--
		halves, err := d.divide(ctx, p)
		if err != nil {
			return false, err
		}
		next = append(next, halves...)
		divided = true
	}
	d.pieces = next
	return divided, nil
}

// total is the sum of the estimates.
func (d *divider) total() int64 {
	var n int64
	for _, p := range d.pieces {
		n += p.rows
	}
	return n
}

// blind reports whether the estimates say nothing, because the server's
// statistics are out of date: then the range is divided by the values of its key alone.
func (d *divider) blind() bool { return d.total() < int64(d.parts) }

// limit is the number of rows above which a piece is divided: a quarter more than
// wanted, so that a little too much does not end as two halves.
func (d *divider) limit() int64 { return d.total() * 5 / int64(4*d.parts) }

// divide divides a piece: by the numbers alone where they are dense, else in two by the first
// column that tells its rows apart. It returns the piece alone, done, where it cannot.
func (d *divider) divide(ctx context.Context, p piece) ([]piece, error) {
	if list := d.slice(p); list != nil {
		return list, nil
	}
	for column := range d.key.parts {
		halves, err := d.divideBy(ctx, p, column)
		if err := ignoreIllegalText(err); err != nil {
			return nil, err
		}
		if halves != nil {
			return halves, nil
		}
	}
	p.done = true
	return []piece{p}, nil
}

// slice divides a piece whose whole numbers are nearly all in use, and of which each
// stands once, into equal parts, as the server needs not be asked for that.
func (d *divider) slice(p piece) []piece {
	if len(d.key.Columns) != 1 || d.key.parts[0].kind != keyNumber || d.key.parts[0].scale > 0 {
		return nil
	}
	first := p.first[0].number
	span := new(big.Int).Sub(p.last[0].number, first)
	span.Add(span, big.NewInt(1))
	if !span.IsInt64() || p.rows < span.Int64()/4*3 || d.blind() {
		return nil
	}
	n := (p.rows*int64(d.parts)-1)/d.total() + 1
	if n < 2 || n > span.Int64() {
		return nil
	}
	list := make([]piece, n)
	for i := range list {
		list[i] = piece{Range: p.Range, rows: p.rows / n, done: true}
		if i > 0 {
			at := new(big.Int).Mul(span, big.NewInt(int64(i)))
			at.Add(at.Quo(at, big.NewInt(n)), first)
			list[i].Lower = Bound{at.String()}
			list[i-1].Upper = list[i].Lower
		}
	}
	return list
}

// shrinks bounds how often a row that stands alone at an end is left out of sight.
const shrinks = 4

// divideBy divides a piece by a column of the key, in front of which its rows
// are alike; nil when the column does not tell them apart. A guess that cuts off a single
// row far from the others is made again without that row.
func (d *divider) divideBy(ctx context.Context, p piece, column int) (halves []piece, err error) {
	low, high := p.first, p.last
	for range shrinks {
		cut, guessed, err := d.cut(ctx, p, column, low, high)
		if err != nil {
			return nil, err
		}
		if cut == nil {
			break
		}
		halves = cut
		below, above := cut[0].last, cut[1].first
		if !guessed || sameRow(above, high) == sameRow(below, low) {
			break
		}
		if sameRow(above, high) {
			high = below
		} else {
			low = above
		}
	}
	for i := range halves {
		if halves[i].rows, err = d.rows(ctx, halves[i].Range); err != nil {
			return nil, err
		}
	}
	return halves, nil
}

// sameRow reports whether two rows have the same key.
func sameRow(a, b []keyValue) bool { return slices.Equal(literals(a), literals(b)) }

// cut cuts a piece in two between a row low and a row high of it, which differ in a column;
// nil when no place for that is found. Guessed is false when it is just in front of high, where
// a guess was of no use.
//
// That the bound lies within the piece is proven by a row on either side of
// it: the order is the server's business, and the table may be written to.
func (d *divider) cut(ctx context.Context, p piece, column int, low, high []keyValue) (halves []piece, guessed bool, err error) {
	if low[column].literal == high[column].literal {
		return nil, false, nil
	}
	letters, err := d.alphabet(ctx, high[column])
	if err != nil {
		return nil, false, err
	}
	guesses := d.key.parts[column].candidates(low[column], high[column], letters)
	for i, guess := range guesses {
		above, err := d.firstFrom(ctx, p.Range, append(literals(p.first[:column]), guess))
		if err != nil {
			return nil, false, err
		}
		if above == nil || sameRow(above, low) {
			continue
		}
		bound := Bound(literals(above[:column+1]))
		left := piece{Range: Range{Lower: p.Lower, Upper: bound}, first: p.first}
		if left.last, err = d.last(ctx, left.Range); err != nil {
			return nil, false, err
		}
		if left.last == nil {
			continue
		}
		right := piece{Range: Range{Lower: bound, Upper: p.Upper}, first: above, last: p.last}
		return []piece{left, right}, i < len(guesses)-1, nil
	}
	return nil, false, nil
}

// literals spells values as a bound.
func literals(values []keyValue) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.literal
	}
	return list
}

// merge puts neighbours together that are small.
func (d *divider) merge() {
	if d.blind() {
		return
	}
	target := d.total() / int64(d.parts)
	merged := d.pieces[:1]
	for _, p := range d.pieces[1:] {
		last := &merged[len(merged)-1]
		if last.rows+p.rows > target {
			merged = append(merged, p)
			continue
		}
		last.Upper, last.rows = p.Upper, last.rows+p.rows
	}
	d.pieces = merged
}

// ranges returns the pieces as ranges, among which the rows and bytes of the whole are shared out.
func (d *divider) ranges() []Range {
	list := make([]Range, len(d.pieces))
	total := float64(max(d.total(), 1))
	for i, p := range d.pieces {
		share := float64(p.rows) / total
		if d.total() == 0 {
			share = 1 / float64(len(d.pieces))
		}
		list[i] = Range{Lower: p.Lower, Upper: p.Upper, Rows: int64(share * float64(d.whole.Rows)), Bytes: int64(share * float64(d.whole.Bytes))}
	}
	return list
}
