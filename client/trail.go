package client

import "time"

// trail tells sequential readers of a file from others. The zero value is a
// file that nobody has read yet.
type trail struct {
	next  uint64 // where a sequential reader goes on
	score int    // reads that went on there, less those that went elsewhere near by
}

const (
	// sequential is the score from which on it pays to read ahead: the second
	// read that goes on where the last one ended.
	sequential = 2
	// maxScore bounds what a long sequential past is worth.
	maxScore = 8
	// beside is how far from next a read may be and still belong to the same
	// reader, in bytes: the kernel has up to five requests under way, of 1 MiB
	// each, and threads hand them over in any order.
	beside = 8 << 20
)

// see notes a read of [off, end) and reports whether it is the first of
// another place: what was read ahead will not be asked for.
func (p *trail) see(off, end uint64) (seek bool) {
	switch {
	case off == p.next:
		p.score = min(p.score+1, maxScore)
		p.next = end
		return false
	case p.score > 0 && off < p.next+beside && p.next < off+beside:
		p.score--
		p.next = max(p.next, end)
		return false
	}
	p.score, p.next = 1, end
	return true
}

// goOn notes a read to end of what was read ahead, in whichever order the
// kernel asks for it.
func (p *trail) goOn(end uint64) {
	if end > p.next {
		p.score = min(p.score+1, maxScore)
		p.next = end
	}
}

// pace says how far ahead of a reader to read: as far as it goes in twice the
// time that the server takes to answer, so that a block is there when it is
// asked for. More would fill memory and the processor's caches for nothing: on
// loopback that is 2 MiB, over 40 ms of round trip all that there may be. The
// zero value has not begun.
type pace struct {
	window uint64        // bytes
	best   time.Duration // the fastest READ of a whole block
	since  time.Time     // of the last decision
	past   uint64        // bytes read since then
}

// minWindow is the window that a reader begins with, in bytes; it doubles from
// there.
const minWindow = 256 << 10

// begin starts over, with a window of one block or minWindow.
func (p *pace) begin(block, most uint64, now time.Time) {
	*p = pace{window: min(max(minWindow, block), most), best: p.best, since: now}
}

// advance notes that n more bytes were asked for. Once in a window it decides
// whether twice the window is needed.
func (p *pace) advance(n, most uint64, now time.Time) {
	p.past += n
	if p.past < p.window {
		return
	}
	if took := now.Sub(p.since); float64(p.window)*took.Seconds() < 2*float64(p.past)*p.best.Seconds() {
		p.window = min(2*p.window, most)
	}
	p.past, p.since = 0, now
}

// answered notes how long the READ of a whole block took.
func (p *pace) answered(took time.Duration) {
	if p.best == 0 || took < p.best {
		p.best = took
	}
}
