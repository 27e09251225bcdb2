package benchsite

import "hash/fnv"

// random is splitmix64. It is spelled out here so that a seed gives the same
// rows with every version of Go.
type random struct{ state uint64 }

// newRandom returns the stream of a seed that belongs to a name.
func newRandom(seed uint64, name string) *random {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash.Hash never returns an error
	r := &random{state: seed ^ h.Sum64()}
	r.next()
	return r
}

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	return mix(r.state)
}

// mix is the finalizer of splitmix64.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number of [0, n).
func (r *random) below(n int64) int64 { return int64(r.next() % uint64(n)) }

// chance is true in percent of a hundred cases.
func (r *random) chance(percent int64) bool { return r.below(100) < percent }

// unit returns a number of [0, 1).
func (r *random) unit() float64 { return float64(r.next()>>11) / (1 << 53) }

// skewed returns a number of [0, n), the small ones far more often: a few
// users, courses and contexts make most of a site's rows.
func (r *random) skewed(n int64) int64 {
	u := r.unit()
	return int64(u * u * u * float64(n))
}

// between returns a number of [low, high], evenly in its logarithm: most texts are short.
func (r *random) between(low, high int64) int64 {
	octaves := 0
	for v := low; v*2 <= high; v *= 2 {
		octaves++
	}
	from := low << r.below(int64(octaves)+1)
	return min(from+r.below(from), high)
}
