package rpc

import (
	"math"
	"sync/atomic"
	"time"
)

// instant is a moment of the monotonic clock, in nanoseconds since a hundred
// years before the start; 0 is none. Reading it costs half of what time.Now does,
// which reads the wall clock too.
type instant int64

// start is kept as time.Now returned it: with Add(-beforeStart) it would lose its
// monotonic reading on a machine whose clock is at 1970 when it boots, and all
// timeouts would come when NTP puts the clock right.
var start = time.Now()

// beforeStart makes all instants greater than 0, under testing/synctest too,
// where time begins in the year 2000.
const beforeStart = instant(100 * 365 * 24 * time.Hour)

func now() instant { return instant(time.Since(start)) + beforeStart }

// add returns t + d, or the end of time, if that is earlier.
func (t instant) add(d time.Duration) instant {
	if d > math.MaxInt64-time.Duration(t) {
		return never - 1
	}
	return t + instant(d)
}

// sub returns t - u.
func (t instant) sub(u instant) time.Duration { return time.Duration(t - u) }

// What pending.alarm and alarm.next hold besides moments.
const (
	never = instant(math.MaxInt64)
	rung  = instant(-1)
)

// alarm is the timer of all calls of an endpoint. It is set to the earliest
// moment that any of them waits for, and wakes those whose moment has come.
// Nearly all calls are answered long before: a timer and a select for each would
// be started, entered in the scheduler's heap and taken out again for nothing
// (4 KiB READs at depth 32: 6 % of the CPU time).
type alarm struct {
	next  atomic.Int64 // when it rings; never: it is not set
	timer *time.Timer  // guarded by the endpoint's mutex; nil: was never set
}

// wakeAt has the caller woken at t, unless it is 0, and forgets what was set
// before. p has a slot or is queued for one.
func (p *pending) wakeAt(t instant) {
	p.alarm.Store(int64(t))
	// ring looks at the calls after it has put next to never: it sees t, or
	// we see that.
	if t != 0 && int64(t) < p.ep.alarm.next.Load() {
		p.ep.mu.Lock()
		defer p.ep.mu.Unlock()
		p.ep.setAlarmLocked(t)
	}
}

// waitsNoMore says that the caller does something else than to wait, until
// wakeAt. The endpoint's mutex is held, so that no relay begins meanwhile.
func (p *pending) waitsNoMore() {
	if p.alarm.Load() != 0 {
		p.alarm.Store(0)
	}
}

// setAlarmLocked has the alarm ring at t at the latest.
func (ep *endpoint) setAlarmLocked(t instant) {
	a := &ep.alarm
	if int64(t) >= a.next.Load() || ep.closed {
		return
	}
	a.next.Store(int64(t))
	d := t.sub(now())
	if a.timer == nil {
		a.timer = time.AfterFunc(d, ep.ring) // a goroutine that wakes calls, and ends
		return
	}
	a.timer.Reset(d)
}

// ring is the alarm's function: it wakes the calls whose moment has come, and
// sets the alarm to the next one's.
func (ep *endpoint) ring() {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	ep.alarm.next.Store(int64(never))
	at, next := now(), never
	for p := range ep.callsLocked {
		switch t := instant(p.alarm.Load()); {
		case t == 0 || t == rung:
		case t > at:
			next = min(next, t)
		case p.alarm.CompareAndSwap(int64(t), int64(rung)):
			p.signal()
		}
	}
	ep.setAlarmLocked(next)
}
