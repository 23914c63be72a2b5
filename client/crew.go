package client

import (
	"context"
	"sync"
	"time"

	"github.com/gonfs/gonfs/rpc"
)

// crew counts the goroutines of a file system, so that Close can wait for them.
// (A sync.WaitGroup forbids that some start while others are waited for.)
type crew struct {
	mu   sync.Mutex    // guards both below
	n    int           // goroutines
	idle chan struct{} // closed when n falls to 0; nil when nobody waits
}

// goroutine runs fn on a goroutine of its own. Each caller says what ends it;
// all end soon after the file system's life.
func (fs *FS) goroutine(fn func()) { fs.crew.start(fn) }

func (c *crew) start(fn func()) {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
	go func() { // ends with fn
		defer c.done()
		fn()
	}()
}

func (c *crew) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n--; c.n == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// quiet returns a channel that is closed when no goroutine is left.
func (c *crew) quiet() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle != nil {
		return c.idle
	}
	idle := make(chan struct{})
	if c.n == 0 {
		close(idle)
		return idle
	}
	c.idle = idle
	return idle
}

// wait waits until no goroutine is left, or for ctx.
func (c *crew) wait(ctx context.Context) error { return rpc.Wait(ctx, c.quiet()) }

// join waits until no goroutine is left, but no longer than limit.
func (c *crew) join(limit time.Duration) {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-c.quiet():
	case <-t.C:
	}
}
