package rpc

// vigil watches the end of a context for the calls that share it: mostly a
// program has one context for all it does. A call of its own would have to wait
// for two things at once, and all calls for the same one of them: that is a
// twentieth of the CPU time of 4 KiB READs at depth 32. An endpoint has one
// vigil, for the context that vigilAfter calls in a row have had; the others'
// callers wait for their contexts themselves.
type vigil struct {
	done  <-chan struct{} // the context's
	calls int             // that rely on it; guarded by the endpoint's mutex
	end   chan struct{}   // closed when nobody needs it any more
}

// vigilAfter is how many calls in a row have a context until there is a vigil
// for it. FUSE has a context for each request, which may be of a dozen calls.
const vigilAfter = 64

// relyLocked has the caller's context watched, if there is a vigil for it.
func (ep *endpoint) relyLocked(p *pending) {
	done := p.patience.done
	switch v := ep.vigil; {
	case done == nil:
	case v != nil && v.done == done:
		v.calls++
		p.vigil, ep.inRow = v, 0
	case done != ep.recent:
		ep.recent, ep.inRow = done, 1
	default:
		if ep.inRow++; ep.inRow == vigilAfter {
			ep.retireLocked()
			ep.vigil = &vigil{done: done, end: make(chan struct{})}
			go ep.watchOver(ep.vigil)
		}
	}
}

// relyNoMoreLocked ends p's reliance on its vigil.
func (ep *endpoint) relyNoMoreLocked(p *pending) {
	v := p.vigil
	if v == nil {
		return
	}
	p.vigil = nil
	if v.calls--; v.calls == 0 && ep.vigil != v {
		close(v.end)
	}
}

// retireLocked has the endpoint's vigil end with the last call that relies on
// it.
func (ep *endpoint) retireLocked() {
	v := ep.vigil
	ep.vigil, ep.recent, ep.inRow = nil, nil, 0
	if v != nil && v.calls == 0 {
		close(v.end)
	}
}

// watchOver is a vigil's goroutine. It ends with the context, or when v was
// retired, by the next one or with the endpoint, and no call relies on it.
func (ep *endpoint) watchOver(v *vigil) {
	select {
	case <-v.done:
	case <-v.end:
		return
	}
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if ep.vigil == v {
		ep.retireLocked()
	}
	for p := range ep.callsLocked {
		if p.vigil == v {
			p.calledOff.Store(true)
			p.signal()
		}
	}
}
