package benchsite

import (
	"bytes"
	"sort"
)

// corpusSize is the size of the prose that texts are cut from, in bytes. It is
// larger than the windows of the servers' compression, so that a text
// compresses as well as real ones do and not because it repeats itself.
const corpusSize = 4 << 20

// vocabularySize is the number of different words.
const vocabularySize = 20000

// corpus is prose that texts are cut from. Copying pieces of it is fast enough
// for a generator that must outrun the server it feeds.
type corpus struct {
	// html is prose as an editor writes it, plain is words alone. Both are
	// spelled for LOAD DATA: a line break is a backslash and an n, so a piece
	// must begin and end at a space.
	html, plain []byte
}

func newCorpus(seed uint64) *corpus {
	r := newRandom(seed, "corpus")
	w := newWords(r)
	c := &corpus{}
	for len(c.html) < corpusSize {
		c.html = append(c.html, "<p dir=\"ltr\">"...)
		for range 2 + r.below(5) {
			c.html = w.sentence(c.html, r)
		}
		c.html = append(c.html, "</p>\\n "...)
	}
	for len(c.plain) < corpusSize/4 {
		c.plain = append(append(c.plain, w.pick(r)...), ' ')
	}
	return c
}

// cut appends a piece of about n bytes, n at most, of text that begins and ends
// at a word. It may repeat the corpus when n is larger.
func cut(b []byte, r *random, text []byte, n int64) []byte {
	for n > 0 {
		size := min(n, int64(len(text))/2)
		from := r.below(int64(len(text)) - size)
		piece := text[from : from+size]
		first := bytes.IndexByte(piece, ' ') + 1
		last := bytes.LastIndexByte(piece, ' ')
		if last > first {
			piece = piece[first:last]
			b = append(b, piece...)
		} else if len(piece) > 0 {
			// Shorter than a word: letters will do.
			return letters(b, r, n)
		}
		n -= size
	}
	return b
}

// letters appends n small letters.
func letters(b []byte, r *random, n int64) []byte {
	for range n {
		b = append(b, 'a'+byte(r.below(26)))
	}
	return b
}

// words is a vocabulary whose n-th word is used in proportion to 1/n, as in every language.
type words struct {
	list [][]byte
	// upTo[i] is the probability of the words 0 to i.
	upTo []float64
}

func newWords(r *random) *words {
	w := &words{list: make([][]byte, vocabularySize), upTo: make([]float64, vocabularySize)}
	sum := 0.0
	for i := range w.list {
		w.list[i] = newWord(r, i)
		sum += 1 / float64(i+3)
		w.upTo[i] = sum
	}
	for i := range w.upTo {
		w.upTo[i] /= sum
	}
	return w
}

// newWord makes a word of syllables; the frequent ones are short. Some words
// are of other scripts, so that characters are not bytes.
func newWord(r *random, rank int) []byte {
	syllables := []string{
		"an", "be", "co", "de", "en", "fi", "ga", "ho", "in", "ka", "le", "mo", "na", "or", "pe", "qui", "re", "sa", "ti", "un",
		"ver", "wor", "tion", "ment", "str", "th", "ch", "ing", "ed", "er", "ly", "ou", "ea", "ss", "nd", "rk", "st", "pl",
	}
	foreign := []string{"ä", "é", "ö", "ß", "ñ", "ç", "л", "и", "н", "α", "ρ", "م", "ل", "学", "習", "課"}
	var word []byte
	count := 1 + r.below(2)
	if rank > 100 {
		count = 2 + r.below(3)
	}
	for range count {
		if r.chance(2) {
			word = append(word, foreign[r.below(int64(len(foreign)))]...)
		}
		word = append(word, syllables[r.below(int64(len(syllables)))]...)
	}
	return word
}

// pick returns a word.
func (w *words) pick(r *random) []byte {
	return w.list[sort.SearchFloat64s(w.upTo, r.unit())]
}

// sentence appends a sentence and a space.
func (w *words) sentence(b []byte, r *random) []byte {
	count := 4 + r.below(16)
	for i := range count {
		word := w.pick(r)
		if i == 0 {
			b = append(b, word[0]&^lowerBit(word[0]))
			word = word[1:]
		}
		b = append(b, word...)
		if r.chance(6) && i+1 < count {
			b = append(b, ',')
		}
		if i+1 < count {
			b = append(b, ' ')
		}
	}
	return append(b, ". "...)
}

// lowerBit is the bit that makes an ASCII letter a small one; 0 for other bytes.
func lowerBit(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return 'a' - 'A'
	}
	return 0
}
