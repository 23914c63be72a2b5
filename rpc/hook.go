package rpc

import "slices"

// relayHook is who wants to know of relays.
type relayHook struct{ begins func() (over func()) }

// OnRelay has begins called when the callers of several calls, which were answered
// together, are about to be told one after another, and what it returns when the
// last of them was: calls that they make meanwhile leave together soon
// afterwards. Relays may overlap. Both must be quick and must not wait; begins must
// not call the client. It is called until remove was, and over once for each time.
// The relays are those of all clients that are bound to the same connections.
func (c *Client) OnRelay(begins func() (over func())) (remove func()) {
	h := &relayHook{begins}
	c.core.changeHooks(func(l []*relayHook) []*relayHook { return append(l, h) })
	return func() {
		c.core.changeHooks(func(l []*relayHook) []*relayHook {
			return slices.DeleteFunc(l, func(x *relayHook) bool { return x == h })
		})
	}
}

// changeHooks replaces the list of hooks, which is never changed.
func (c *core) changeHooks(change func([]*relayHook) []*relayHook) {
	for {
		old := c.hooks.Load()
		var l []*relayHook
		if old != nil {
			l = slices.Clone(*old)
		}
		if l = change(l); c.hooks.CompareAndSwap(old, &l) {
			return
		}
	}
}

// relayBegins tells the hooks, and returns what tells them the end; nil if there
// are none.
func (c *core) relayBegins() (over func()) {
	p := c.hooks.Load()
	if p == nil {
		return nil
	}
	for _, h := range *p {
		mine := h.begins()
		if first := over; first != nil { // two file systems on one session
			over = func() { first(); mine() }
		} else {
			over = mine
		}
	}
	return over
}
