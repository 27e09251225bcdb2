package migrate

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The first and the longest pause between two attempts.
const (
	firstPause = 250 * time.Millisecond
	mostPause  = 15 * time.Second
)

// patience says how long to wait before something that failed is tried again.
type patience struct {
	run   *run
	pause *backoff.ExponentialBackOff
	since time.Time
}

func (r *run) patience() *patience {
	p := &patience{run: r, pause: backoff.NewExponentialBackOff()}
	p.pause.InitialInterval, p.pause.MaxInterval = firstPause, mostPause
	p.reset()
	return p
}

// reset begins anew, after something got on.
func (p *patience) reset() {
	p.pause.Reset()
	p.since = time.Now()
}

// again waits; false when it has been tried for long enough, or ctx has ended.
func (p *patience) again(ctx context.Context, what string, err error) bool {
	wait := p.pause.NextBackOff()
	if ctx.Err() != nil || wait == backoff.Stop || time.Since(p.since)+wait > p.run.plan.Patience {
		return false
	}
	p.run.send(Retrying{What: what, Err: err, Wait: wait})
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
