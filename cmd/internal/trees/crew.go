package trees

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Crew is a number of helpers.
type Crew struct {
	idle *semaphore.Weighted
}

// NewCrew returns a crew of n, the caller being one of them; n is at least 1.
func NewCrew(n int) *Crew { return &Crew{semaphore.NewWeighted(int64(n - 1))} }

// do has a helper run work, or runs it itself if none is idle. wg counts it.
func (c *Crew) do(wg *sync.WaitGroup, work func()) {
	if !c.idle.TryAcquire(1) {
		work()
		return
	}
	wg.Go(func() { // ends with work
		defer c.idle.Release(1)
		work()
	})
}

// Problems are told as they come; the work goes on.
type Problems struct {
	// Tell is called with each error, one at a time.
	Tell func(err error)

	mu sync.Mutex // guards n; held while Tell runs
	n  int
}

// add tells err, unless ctx has ended: then that is why everything fails.
func (p *Problems) add(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		p.Add(err)
	}
}

// Add tells err.
func (p *Problems) Add(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	p.Tell(err)
}

// Count returns how many there were.
func (p *Problems) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}
