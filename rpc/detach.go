package rpc

import (
	"context"

	"github.com/gonfs/gonfs/xdr"
)

// Detached is a call that goes on when its caller has given up: the same call,
// under the same XID, so that whoever waits for its end knows that the server
// does not execute it later any more.
type Detached struct {
	// Ctx is who waits for it now.
	Ctx context.Context
	// Args and Reply take the place of the Call's; they belong to the call until
	// Done. Args encode to the same bytes.
	Args, Reply xdr.Value
	// Done is told how the call ended, as Client.Call would have. It is called
	// once, by a goroutine of its own.
	Done func(error)
}

// left reports whether the caller has given up a call that can go on. What has
// to be done for that may take a while, so that the call has no part in a relay
// from then on.
func (p *pending) left() bool {
	if p.call.Detach == nil || !p.patience.gone || !p.entered {
		return false
	}
	p.ep.mu.Lock()
	defer p.ep.mu.Unlock()
	if p.reply != nil {
		return false
	}
	p.waitsNoMore()
	return true
}

// detach has the call go on as d, and reports whether there is one.
func (p *pending) detach(d *Detached) bool {
	if d == nil {
		return false
	}
	call := *p.call
	call.Args, call.Reply, call.Detach = d.Args, d.Reply, nil
	p.ep.mu.Lock()
	p.ep.relyNoMoreLocked(p)
	p.call = &call // the reader looks at it
	p.ep.mu.Unlock()
	p.patience = newPatience(d.Ctx)
	p.calledOff.Store(false)
	go func() { // ends with the reply, with d.Ctx, or with the client
		err := p.goOn(p.step())
		p.end(err)
		d.Done(err)
	}()
	return true
}
