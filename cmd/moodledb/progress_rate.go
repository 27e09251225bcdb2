package main

import (
	"math"
	"time"
)

// rate is the speed of something that grows, as it was of late: what lies back
// counts the less the longer it is ago. It goes down while nothing happens.
type rate struct {
	// value is the weighted mean of speeds, weight the sum of the weights: it is
	// less than 1 for as long as the beginning is not far back.
	value, weight float64
	at            time.Time
	// pending has come since at.
	pending float64
}

// rateStep is the least time that a speed is measured over, so that it is not
// that of a single write into a buffer.
const rateStep = 250 * time.Millisecond

// horizon is how far back a rate looks: the tenth part of a long run, so that
// its forecast is calm, and little of a short one.
func horizon(elapsed time.Duration) time.Duration {
	return min(max(elapsed/10, 10*time.Second), 3*time.Minute)
}

// begin sets the moment from which on time counts.
func (r *rate) begin(now time.Time) { *r = rate{at: now} }

// add tells that amount has come by now.
func (r *rate) add(now time.Time, amount float64, horizon time.Duration) {
	r.pending += amount
	if r.at.IsZero() || now.Sub(r.at) < rateStep {
		return
	}
	*r = r.folded(now, horizon)
}

// addSpread tells that amount has come by now, evenly during the time before.
func (r *rate) addSpread(now time.Time, amount float64, during, horizon time.Duration) {
	if during < rateStep {
		r.add(now, amount, horizon)
		return
	}
	if now.After(r.at) {
		*r = r.folded(now, horizon)
	}
	r.value += amount / during.Seconds() * mass(during, horizon)
}

// mass is what the last so and so long count for, as a part of all time.
func mass(last, horizon time.Duration) float64 {
	return 1 - math.Exp(-last.Seconds()/horizon.Seconds())
}

// folded is r with all that is pending taken in.
func (r rate) folded(now time.Time, horizon time.Duration) rate {
	elapsed := now.Sub(r.at)
	keep := 1 - mass(elapsed, horizon)
	return rate{
		value:  r.value*keep + r.pending/elapsed.Seconds()*(1-keep),
		weight: r.weight*keep + 1 - keep,
		at:     now,
	}
}

// perSecond is the speed now; ok is false while there is none.
func (r rate) perSecond(now time.Time, horizon time.Duration) (speed float64, ok bool) {
	if !r.at.IsZero() && now.Sub(r.at) >= rateStep {
		r = r.folded(now, horizon)
	}
	if r.weight <= 0 {
		return 0, false
	}
	return r.value / r.weight, true
}
