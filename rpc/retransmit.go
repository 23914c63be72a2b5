package rpc

import (
	"errors"
	"syscall"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// run makes the call, on the caller's goroutine: it waits for a slot, sends,
// waits, sends again when the policy's timer or a new connection says so, and
// decodes the reply. Nothing else keeps the bytes of a request: a
// retransmission encodes the same arguments again, under the same XID.
func (p *pending) run() error {
	if err := p.patience.poll(); err != nil {
		return err
	}
	l, err := p.enter()
	p.entered, p.now = true, p.began
	return p.goOn(l, err)
}

// goOn makes the call from its first or next step on, which is to send it on l
// if l is not nil.
func (p *pending) goOn(l *link, err error) error {
	w := &p.patience
	for err == nil {
		// Whatever happens to the call is told with a signal: once it was sent
		// there is nothing to look for before that but the reply, which may wait
		// to be told with others.
		waits := l == nil
		if !waits {
			waits, err = p.transmit(w, l)
		}
		if waits && err == nil && !p.replied.Load() {
			err = p.wait(w)
		}
		if p.replied.Load() {
			var done bool
			if done, err = p.finish(); done {
				return err
			}
		}
		if err == nil {
			p.now = 0
			l, err = p.step()
		}
	}
	return err
}

// enter gets the call a slot and is its first step: nearly always there is a
// connection to send on.
func (p *pending) enter() (*link, error) {
	p.ep.mu.Lock()
	defer p.ep.mu.Unlock()
	if err := p.ep.enterLocked(p); err != nil {
		return nil, err
	}
	return p.stepLocked()
}

// step says what is to be done next, as long as there is no reply: an error to
// return, a connection to send on, or, if it returns nothing, to wait.
func (p *pending) step() (l *link, err error) {
	p.ep.mu.Lock()
	defer p.ep.mu.Unlock()
	return p.stepLocked()
}

func (p *pending) stepLocked() (l *link, err error) {
	ep := p.ep
	switch {
	case p.reply != nil:
		return nil, nil // its signal is on the way
	case p.err != nil:
		return nil, p.err
	case !p.slotted:
		p.waitForSlot()
		return nil, nil
	case p.queued:
		p.queued = false
		p.restartLocked(now())
	}
	if !p.again || p.lent {
		return nil, nil
	}
	if ep.link == nil {
		ep.startLocked()
		p.due = p.period.add(ep.core.major)
		return nil, nil
	}
	p.again = false
	p.sent++
	p.waitsNoMore()
	ep.link.sendingLocked()
	return ep.link, nil
}

// waitForSlot sets the timer of a call that has no slot. The timeouts begin with
// the slot, as the server has no part in the wait for it; but if it answers nobody,
// those who are to fail do not wait for each other's failures.
func (p *pending) waitForSlot() {
	p.queued, p.due = true, 0
	if p.ep.core.policy.Recovery != Hard {
		p.due = p.period.add(p.ep.core.major)
	}
}

// restartLocked puts the timeouts back at their beginning.
func (p *pending) restartLocked(now instant) {
	p.period, p.minor, p.heard = now, 0, p.ep.replies
	p.due = now.add(p.ep.core.policy.Next(0))
}

// arm sets the timer to the next minor timeout, or to the major one if that is
// earlier.
func (p *pending) arm(now instant) {
	p.due = min(now.add(p.minorTimeout()), p.period.add(p.ep.core.major))
}

// transmit sends the call on l, and reports whether it is on its way.
func (p *pending) transmit(w *patience, l *link) (sent bool, err error) {
	c, k, e := p.client, p.call, &p.enc
	e.ResetEncode(p.buf[:0])
	callHeader(e, p.xid, c.prog, c.vers, k.Proc)
	cred := k.Cred
	if cred == nil {
		cred = &c.cred
	}
	c.auth.Marshal(e, cred)
	if k.Args != nil {
		k.Args.XDR(e)
	}
	if err := e.Err(); err != nil {
		return false, err
	}
	head, payload := e.Bytes(), e.Payload()
	var late bool
	var gone error
	short := len(payload) == 0 && len(head) <= shortCall && p.sent == 1 && w.ask == 0
	if short {
		err = l.conn.Send(head, nil, w.done)
	}
	if !short || errors.Is(err, transport.ErrCanceled) {
		late, gone, err = p.watchedSend(w, l, head, payload)
	}
	p.bytes += len(head) + (len(payload)+3)&^3
	if p.sentAt = p.now; p.sentAt == 0 || l.datagram || !short {
		p.sentAt = now()
	}
	p.arm(p.sentAt)
	p.buf = head[:0]
	e.ResetEncode(nil) // the payload is the caller's
	if sent = err == nil; !sent {
		err = p.unsent(l, err)
	}
	switch {
	case gone != nil:
		return false, gone
	case late && err == nil:
		return false, p.expire(now())
	}
	return sent, err
}

// unsent handles an error of Send. It returns the call's error, or nil if the
// call goes on.
func (p *pending) unsent(l *link, err error) error {
	ep := p.ep
	var size *transport.SizeError
	var refused *transport.RefusedError
	switch {
	case errors.As(err, &size):
		p.resend(-1, false)
		return err
	case errors.Is(err, transport.ErrCanceled):
		p.resend(-1, true)
	case errors.As(err, &refused):
		// It was sent, and the refusal may be forged.
		ep.mu.Lock()
		ep.lastErr = err
		if errors.Is(err, syscall.ECONNREFUSED) {
			ep.refused = time.Now()
		}
		ep.mu.Unlock()
		if ep.core.policy.SoftConn {
			return err
		}
		p.arm(p.sentAt)
	default:
		ep.drop(l)
		p.resend(0, true)
	}
	return nil
}

// resend corrects the number of transmissions, and has the call sent as soon
// as there is a connection if again is set.
func (p *pending) resend(sent int, again bool) {
	p.ep.mu.Lock()
	p.sent += sent
	p.again = p.again || again
	p.ep.mu.Unlock()
}

// wait waits until something happened to the call, the timer ran out, or the
// caller gave up, for which it returns an error.
func (p *pending) wait(w *patience) error {
	p.wakeAt(w.until(p.due))
	if w.done == nil || p.vigil != nil {
		// Who was asked meanwhile, by the sendWatch, waits on nothing any more.
		if <-p.wake; p.calledOff.Load() && w.done != nil {
			return w.over()
		}
	} else {
		select {
		case <-p.wake:
		case <-w.done:
			return w.over()
		}
	}
	if instant(p.alarm.Load()) != rung {
		return nil
	}
	now := now()
	if w.ask != 0 && now >= w.ask {
		if err := w.over(); err != nil {
			return err
		}
	}
	if p.due != 0 && now >= p.due {
		return p.expire(now)
	}
	return nil
}

// expire does what the policy says when the timer has run out.
func (p *pending) expire(now instant) error {
	ep := p.ep
	pol := &ep.core.policy
	what := pol.Decide(now.sub(p.period))
	ep.mu.Lock()
	if p.reply != nil || p.err != nil {
		ep.mu.Unlock()
		return nil
	}
	p.waitsNoMore()
	if !p.slotted && p.heard != ep.replies { // others are answered: its turn comes
		p.period, p.heard = now, ep.replies
		ep.mu.Unlock()
		return nil
	}
	if p.sent > 0 {
		p.again = true
		if p.refusals == 0 && !ep.refusedLocked() {
			ep.narrowLocked(p.sentAt)
		}
	}
	if what == SendAgain {
		p.minor++
		ep.mu.Unlock()
		ep.core.counters.minorTimeouts.Add(1)
		p.arm(now)
		return nil
	}
	begins := ep.silentLocked()
	unheard := p.heard == ep.replies
	why, sent := ep.lastErr, p.sent
	ep.rtt = [rttClasses]rtt{}
	p.restartLocked(now)
	ep.mu.Unlock()
	ep.core.counters.majorTimeouts.Add(1)
	if begins {
		ep.core.logSilent()
	}
	if what == Renew || what == Fail && pol.Reconnect && unheard {
		// The next call of a soft mount shall not have to find out by itself.
		ep.renew()
	}
	if what == Fail {
		return &TimeoutError{Server: ep.core.server, Recovery: pol.Recovery, After: now.sub(p.began), Transmissions: sent, Err: why}
	}
	return nil
}
