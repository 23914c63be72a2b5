package main

import (
	"context"
	"sync"
)

// group runs pieces of work, some at once, each with a buffer of pieceSize. The
// first error stops the rest.
type group struct {
	ctx  context.Context
	bufs chan []byte
	wg   sync.WaitGroup
	once sync.Once
	err  error
	stop chan struct{} // closed with err set
}

func newGroup(ctx context.Context, n int) *group {
	g := &group{ctx: ctx, bufs: make(chan []byte, n), stop: make(chan struct{})}
	for range n {
		g.bufs <- nil
	}
	return g
}

func (g *group) fail(err error) {
	g.once.Do(func() {
		g.err = err
		close(g.stop)
	})
}

// run starts do when there is room, and returns false when there will be none:
// after an error, or when ctx ended.
func (g *group) run(do func(buf []byte) error) bool {
	select {
	case <-g.stop:
		return false
	case <-g.ctx.Done():
		g.fail(context.Cause(g.ctx))
		return false
	case buf := <-g.bufs:
		if buf == nil {
			buf = make([]byte, pieceSize)
		}
		g.wg.Go(func() { // ends with do
			if err := do(buf); err != nil {
				g.fail(err)
			}
			g.bufs <- buf
		})
		return true
	}
}

// wait waits for what was started and returns the first error.
func (g *group) wait() error {
	g.wg.Wait()
	return g.err
}
