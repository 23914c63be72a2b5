package main

import (
	"container/heap"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"
)

// wire is one direction of the link. One goroutine reads packets into it, one
// writes those that are due.
type wire struct {
	to  io.Writer
	due chan struct{} // holds a token when a packet may be due earlier than was thought

	mu    sync.Mutex // guards what follows
	p     params
	rng   *rand.Rand
	queue departures
	count int // packets queued so far, for the order of those due at one time
	stats stats
}

// stats counts packets.
type stats struct{ in, out, lost, twice, held, corrupt int }

func (s stats) String() string {
	return fmt.Sprintf("in=%d out=%d lost=%d twice=%d held=%d corrupt=%d", s.in, s.out, s.lost, s.twice, s.held, s.corrupt)
}

// longestQueue bounds the packets under way; a router's queue is bounded, too.
const longestQueue = 20000

func newWire(to io.Writer, seed uint64) *wire {
	return &wire{to: to, due: make(chan struct{}, 1), rng: rand.New(rand.NewPCG(seed, 0))}
}

// set replaces the parameters and returns what was counted under the old ones.
func (w *wire) set(p params) stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.stats
	w.p, w.stats = p, stats{}
	return old
}

// take takes a packet that came at now; the bytes stay the caller's.
func (w *wire) take(packet []byte, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &w.p
	w.stats.in++
	if w.chance(p.loss) || len(w.queue) >= longestQueue {
		w.stats.lost++
		return
	}
	packet = append([]byte(nil), packet...)
	if w.chance(p.corrupt) && w.corrupt(packet) {
		w.stats.corrupt++
	}
	at := now.Add(p.delay)
	if w.chance(p.dup) {
		w.stats.twice++
		w.enqueueLocked(packet, at.Add(p.late))
	}
	if w.chance(p.reorder) {
		w.stats.held++
		at = at.Add(p.hold)
	}
	w.enqueueLocked(packet, at)
	select {
	case w.due <- struct{}{}:
	default:
	}
}

// chance is true in the given share of cases.
func (w *wire) chance(share float64) bool { return share > 0 && w.rng.Float64() < share }

// corrupt turns one bit over, of what follows the IP header, which is where
// checksums of TCP and UDP protect. It reports whether there is such a bit.
func (w *wire) corrupt(packet []byte) bool {
	header := 40 // IPv6
	if packet[0]>>4 == 4 {
		header = int(packet[0]&15) * 4
	}
	if len(packet) <= header {
		return false
	}
	packet[header+w.rng.IntN(len(packet)-header)] ^= 1 << w.rng.IntN(8)
	return true
}

func (w *wire) enqueueLocked(packet []byte, at time.Time) {
	heap.Push(&w.queue, departure{at, w.count, packet})
	w.count++
}

// deliver writes packets when they are due, until stop is closed. Errors of a
// device are losses: the peer may be down.
func (w *wire) deliver(stop <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		w.mu.Lock()
		var packet []byte
		wait := time.Hour
		if len(w.queue) > 0 {
			if wait = time.Until(w.queue[0].at); wait <= 0 {
				packet = heap.Pop(&w.queue).(departure).packet
			}
		}
		w.mu.Unlock()
		if packet != nil {
			_, err := w.to.Write(packet)
			w.mu.Lock()
			if err != nil {
				w.stats.lost++
			} else {
				w.stats.out++
			}
			w.mu.Unlock()
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-w.due:
		case <-stop:
			return
		}
	}
}

// departure is a packet under way.
type departure struct {
	at     time.Time
	n      int
	packet []byte
}

// departures is a heap: the next one is first.
type departures []departure

func (d departures) Len() int { return len(d) }
func (d departures) Less(i, j int) bool {
	return d[i].at.Before(d[j].at) || d[i].at.Equal(d[j].at) && d[i].n < d[j].n
}
func (d departures) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *departures) Push(x any)   { *d = append(*d, x.(departure)) }
func (d *departures) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}
