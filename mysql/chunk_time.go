package mysql

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// timeNumber counts a time, such as "2024-02-29 23:59:58.25", in fractions of
// 10^-scale seconds. A month or day of zero, which MySQL allows, counts as the first.
func timeNumber(text string, scale int) (*big.Int, error) {
	seconds, fraction, _ := strings.Cut(text, ".")
	fields := [6]int{1: 1, 2: 1}
	for i, field := range strings.FieldsFunc(seconds, func(r rune) bool { return r == '-' || r == ' ' || r == ':' }) {
		v, err := strconv.Atoi(field)
		if err != nil || i >= len(fields) {
			return nil, fmt.Errorf("%q is no time", text)
		}
		fields[i] = max(fields[i], v)
	}
	at := time.Date(fields[0], time.Month(fields[1]), fields[2], fields[3], fields[4], fields[5], 0, time.UTC)
	n := new(big.Int).Mul(big.NewInt(at.Unix()), power10(scale))
	if fraction == "" {
		return n, nil
	}
	v, err := strconv.ParseInt(fraction, 10, 64)
	if err != nil || len(fraction) != scale {
		return nil, fmt.Errorf("%q is no time with %d digits behind the point", text, scale)
	}
	return n.Add(n, big.NewInt(v)), nil
}

// timeText is the time of a count.
func timeText(n *big.Int, scale int, layout string) string {
	seconds, fraction := new(big.Int).DivMod(n, power10(scale), new(big.Int))
	text := time.Unix(seconds.Int64(), 0).UTC().Format(layout)
	if scale > 0 {
		text += fmt.Sprintf(".%0*d", scale, fraction.Int64())
	}
	return text
}

// power10 is 10^n.
func power10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
