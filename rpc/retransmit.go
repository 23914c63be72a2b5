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
	w := &p.patience
	if err := w.poll(); err != nil {
		return err
	}
	l, err := p.enter()
	if err != nil {
		return err
	}
	if l != nil {
		p.now = p.period
		if err := p.transmit(w, l); err != nil {
			return err
		}
	}
	for {
		l, replied, err := p.step()
		switch {
		case err != nil:
			return err
		case replied:
			if done, err := p.finish(); done {
				return err
			}
		case l != nil:
			if err := p.transmit(w, l); err != nil {
				return err
			}
		default:
			if err := p.wait(w); err != nil && !p.replied() {
				return err
			}
		}
	}
}

// enter gets the call a slot and is its first step: nearly always there is a
// connection to send on.
func (p *pending) enter() (*link, error) {
	p.ep.mu.Lock()
	defer p.ep.mu.Unlock()
	if err := p.ep.enterLocked(p); err != nil {
		return nil, err
	}
	l, _, err := p.stepLocked()
	return l, err
}

// step says what is to be done next: a reply to decode, an error to return, a
// connection to send on, or, if it returns nothing, to wait.
func (p *pending) step() (l *link, replied bool, err error) {
	p.ep.mu.Lock()
	defer p.ep.mu.Unlock()
	return p.stepLocked()
}

func (p *pending) stepLocked() (l *link, replied bool, err error) {
	ep := p.ep
	switch {
	case p.reply != nil:
		return nil, true, nil
	case p.err != nil:
		return nil, false, p.err
	case !p.slotted:
		// The timeouts begin with the slot: the server has no part in the
		// wait for it.
		p.due = time.Time{}
		return nil, false, nil
	case p.due.IsZero():
		p.restartLocked(time.Now())
	}
	if !p.again || p.lent {
		return nil, false, nil
	}
	if ep.link == nil {
		ep.startLocked()
		p.due = p.period.Add(ep.core.policy.Major())
		return nil, false, nil
	}
	p.again = false
	p.sent++
	ep.link.sendingLocked()
	return ep.link, false, nil
}

// restartLocked puts the timeouts back at their beginning.
func (p *pending) restartLocked(now time.Time) {
	p.period, p.minor, p.heard = now, 0, p.ep.replies
	p.due = now.Add(p.ep.core.policy.Next(0))
}

// replied reports whether a reply has come: it counts even if the caller gave
// up in the same moment.
func (p *pending) replied() bool {
	p.ep.mu.Lock()
	defer p.ep.mu.Unlock()
	return p.reply != nil
}

// arm sets the timer to the next minor timeout, or to the major one if that is
// earlier.
func (p *pending) arm(now time.Time) {
	pol := &p.ep.core.policy
	p.due = now.Add(p.minorTimeout())
	if major := p.period.Add(pol.Major()); major.Before(p.due) {
		p.due = major
	}
}

// transmit sends the call on l.
func (p *pending) transmit(w *patience, l *link) error {
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
		return err
	}
	head, payload := e.Bytes(), e.Payload()
	var late bool
	var err, gone error
	if len(payload) == 0 {
		err = l.conn.Send(head, nil, nil)
	} else {
		late, gone, err = p.sendPayload(w, l, head, payload)
	}
	p.bytes += len(head) + (len(payload)+3)&^3
	if p.now.IsZero() || l.datagram || len(payload) > 0 {
		p.now = time.Now()
	}
	p.sentAt = p.now
	p.arm(p.sentAt)
	p.buf = head[:0]
	e.ResetEncode(nil) // the payload is the caller's
	if err != nil {
		err = p.unsent(l, err)
	}
	switch {
	case gone != nil:
		return gone
	case late && err == nil:
		return p.expire(time.Now())
	}
	return err
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
	for {
		var timer <-chan time.Time
		if t := w.until(p.due); !t.IsZero() {
			if p.now.IsZero() {
				p.now = time.Now()
			}
			p.timer.Reset(t.Sub(p.now))
			p.now = time.Time{}
			timer = p.timer.C
		}
		select {
		case <-p.wake:
			return nil
		case <-w.done:
			if err := w.over(); err != nil {
				return err
			}
		case <-timer:
			now := time.Now()
			if !w.ask.IsZero() && !now.Before(w.ask) {
				if err := w.over(); err != nil {
					return err
				}
			}
			if !p.due.IsZero() && !now.Before(p.due) {
				return p.expire(now)
			}
		}
	}
}

// expire does what the policy says when the timer has run out.
func (p *pending) expire(now time.Time) error {
	ep := p.ep
	pol := &ep.core.policy
	what := pol.Decide(now.Sub(p.period))
	ep.mu.Lock()
	if p.reply != nil || p.err != nil {
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
		return &TimeoutError{Server: ep.core.server, Recovery: pol.Recovery, After: now.Sub(p.began), Transmissions: sent, Err: why}
	}
	return nil
}
