package rpc

import "errors"

// maxGarbage is how often a call is sent again because its reply made no sense
// (Linux does the same).
const maxGarbage = 2

// finish decodes the reply. done is false if the call goes on without it.
func (p *pending) finish() (done bool, err error) {
	if err = p.decode(p.reply.Bytes()); err == nil {
		p.measure()
		return true, nil
	}
	var nonsense *ProtocolError
	var accept *AcceptError
	switch {
	case errors.As(err, &nonsense):
		p.ep.core.counters.badReplies.Add(1)
		if p.datagram {
			p.discard(false) // damaged or forged: the real one may still come
			return false, nil
		}
	case errors.As(err, &accept) && (accept.Stat == GarbageArgs || accept.Stat == SystemErr):
	default:
		return true, err
	}
	if p.garbage >= maxGarbage {
		return true, err
	}
	p.garbage++
	p.discard(true)
	return false, nil
}

// discard drops the reply and has the call wait for another one.
func (p *pending) discard(again bool) {
	p.ep.mu.Lock()
	r := p.reply
	p.reply, p.detached = nil, false
	p.replied.Store(false)
	p.again = p.again || again
	turn := p.takeTurnLocked() // the next reply sets it anew
	p.ep.mu.Unlock()
	turn.pass()
	r.Release()
}

// decode reads a reply into the call's Reply.
func (p *pending) decode(b []byte) error {
	h, what := parseReply(b)
	if what != "" {
		return &ProtocolError{What: what}
	}
	c, k := p.client, p.call
	if err := h.err(c.prog, c.vers, k.Proc); h.denied {
		return err
	} else if verr := p.verify(&h); verr != nil {
		return &ProtocolError{What: "verifier", Err: verr}
	} else if err != nil {
		return err
	}
	if k.Reply == nil {
		return nil
	}
	d := &p.dec
	d.ResetDecode(b[h.results:])
	switch {
	case k.Scatter != nil:
		d.SetScatter(k.Scatter, p.detached, p.placed)
	case p.detached:
		d.SetSink(k.Sink[:p.placed], true)
	default:
		d.SetSink(k.Sink, false)
	}
	k.Reply.XDR(d)
	err := d.Err()
	d.ResetDecode(nil)
	if err != nil {
		return &ProtocolError{What: "results", Err: err}
	}
	return nil
}

func (p *pending) verify(h *replyHead) error {
	cred := p.call.Cred
	if cred == nil {
		cred = &p.client.cred
	}
	return p.client.auth.Verify(cred, h.flavor, h.verf)
}
