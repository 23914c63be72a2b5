package faults

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gonfs/gonfs"
)

// callers make calls one after the other, without pause.
type callers struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex // guards calls, errs
	calls []call
	errs  []error
}

// call is when a call began and ended.
type call struct{ begin, end time.Time }

// keepCalling starts n callers.
func keepCalling(t *testing.T, fsys *gonfs.FS, n int) *callers {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &callers{cancel: cancel}
	for range n {
		c.wg.Go(func() {
			for ctx.Err() == nil {
				begin := time.Now()
				_, err := fsys.StatFS(ctx, "/")
				c.mu.Lock()
				c.calls = append(c.calls, call{begin, time.Now()}) // one that stop cut short took this long at least
				if err != nil && ctx.Err() == nil {
					c.errs = append(c.errs, err)
				}
				c.mu.Unlock()
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	t.Cleanup(func() { c.stop() })
	return c
}

// stop ends the callers, and waits for them.
func (c *callers) stop() {
	c.cancel()
	c.wg.Wait()
}

// since returns how long the calls took that were under way at opened or began
// later, the time before opened left out, shortest first.
func (c *callers) since(opened time.Time) []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var took []time.Duration
	for _, k := range c.calls {
		if k.end.After(opened) {
			begin := k.begin
			if begin.Before(opened) {
				begin = opened
			}
			took = append(took, k.end.Sub(begin))
		}
	}
	slices.Sort(took)
	return took
}

// TestServerRestart: calls that waited for a server that died are answered
// soon after it is back.
func TestServerRestart(t *testing.T) {
	outages := []time.Duration{time.Second, 4 * time.Second}
	if soak() {
		outages = []time.Duration{time.Second, 15 * time.Second, 60 * time.Second}
	}
	for _, c := range []struct {
		name, options, ports string
		callers              int
	}{
		{"over TCP", "proto=tcp", "", 16},
		{"over UDP", "proto=udp", "", 16},
		{"over UDP, a call by itself", "proto=udp", "", 1},
		{"over TCP, with other ports", "proto=tcp", "2051,637,4047,877", 16},
		{"over UDP, with other ports", "proto=udp", "2051,637,4047,877", 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			inNetwork(t, func(t *testing.T, n *network) {
				n.serve(t)
				fsys := n.dial(t, c.options)
				for i, outage := range outages {
					port := "2049"
					var options []string
					if c.ports != "" && i%2 == 0 {
						port, options = "2051", []string{"ports=" + c.ports}
					}
					calls := keepCalling(t, fsys, c.callers)
					time.Sleep(300 * time.Millisecond)
					if err := n.ganesha("down", "KILL"); err != nil { // rpcbind, too
						t.Fatal(err)
					}
					time.Sleep(outage)
					up := make(chan error, 1)
					go func() { up <- n.ganesha("up", n.serving(options...)...) }()
					opened := n.portOpens(t, port)
					if err := <-up; err != nil {
						t.Fatal(err)
					}
					time.Sleep(5 * time.Second)
					calls.stop()
					took := calls.since(opened)
					if len(took) < 2*c.callers {
						t.Fatalf("%d calls ended in 5 s after the port had opened, want many", len(took))
					}
					if len(calls.errs) > 0 {
						t.Errorf("%d calls failed: %v", len(calls.errs), calls.errs[0])
					}
					// All that had waited count; the many that follow would hide them.
					waited := took[max(0, len(took)-c.callers):]
					n.atMost(t, "after an outage of "+outage.String()+" the slowest call", waited[len(waited)-1], 3*time.Second)
				}
			})
		})
	}
}

// TestPathIsBack: nothing passes for a while, then all does. The connection
// was idle, or calls waited.
func TestPathIsBack(t *testing.T) {
	outage := 6 * time.Second
	if soak() {
		outage = 75 * time.Second
	}
	for _, c := range []struct {
		options string
		limit   time.Duration
	}{
		{"proto=tcp", 5 * time.Second},
		// Between the last two retransmissions before the timeouts start over
		// there are 4 s, and up to a quarter of that.
		{"proto=udp", 6 * time.Second},
	} {
		t.Run(c.options, func(t *testing.T) {
			inNetwork(t, func(t *testing.T, n *network) {
				n.serve(t)
				fsys := n.dial(t, c.options)
				calls := keepCalling(t, fsys, 4)
				time.Sleep(300 * time.Millisecond)
				n.forward(t, "drop")
				time.Sleep(outage)
				n.forward(t)
				back := time.Now()
				time.Sleep(c.limit + 3*time.Second)
				calls.stop()
				took := calls.since(back)
				if len(took) == 0 {
					t.Fatal("no call ended")
				}
				if len(calls.errs) > 0 {
					t.Errorf("%d calls failed: %v", len(calls.errs), calls.errs[0])
				}
				n.atMost(t, "the slowest call", took[len(took)-1], c.limit)
			})
		})
	}
}
