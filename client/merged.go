package client

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/transport"
)

// merged is a READ for several reads, its members. It is the context of that READ,
// too, which ends when all have given up.
type merged struct {
	f      *File
	off    uint64
	size   int            // of all parts, in bytes
	parts  int            // how many there are
	sink   transport.Sink // the members' memory
	opened atomic.Uint32  // merger.ended when it was

	turn chan struct{} // goes from member to member once there is a reply
	left int           // who wait, or have not had their turn; guarded by merger.mu
	told bool          // there is a reply; guarded by merger.mu, until all have had their turns
	stop chan struct{} // closed when nobody is left

	args  nfs3.ReadArgs
	reply nfs3.ReadvReply
	err   error
}

// run makes the READ, once, and tells its members: one after another, which is a
// relay of its own.
func (g *merged) run(m *merger) {
	f := g.f
	st := f.fs.begin()
	g.args = nfs3.ReadArgs{File: f.ino.FH(), Offset: g.off, Count: uint32(g.size)}
	g.err = f.fs.nfs.Readv(g, f.cred, &g.args, &g.reply, &g.sink)
	if answered(g.err) {
		f.fs.applyAttr(f.ino, st, &g.reply.Attr)
	}
	switch whole := g.reply.EOF || g.reply.Count == g.args.Count; {
	case g.err == nil && !whole, refused(g.err) && g.reply.Status != nfs3.ErrJukebox:
		m.shorts.Add(1)
	case g.err == nil && m.shorts.Load() > 0:
		m.shorts.Store(0)
	}
	if m.tell(g) {
		m.begins()
		g.turn <- struct{}{}
	}
}

// share returns how many of the want bytes at at have come, and whether these are
// all that there are. If not, the member goes on by itself: so it does if the
// server has refused the READ, which may be about another's part.
func (g *merged) share(at, want int) (n int, whole bool, err error) {
	switch {
	case refused(g.err):
		return 0, false, nil
	case g.err != nil:
		return 0, false, g.err
	}
	n = min(max(int(g.reply.Count)-at, 0), want)
	return n, n == want || g.reply.EOF, nil
}

// refused reports whether the server answered a call with another status than OK.
func refused(err error) bool {
	var status *nfs3.Error
	return err != nil && errors.As(err, &status)
}

// Deadline implements context.Context: each member has its own.
func (g *merged) Deadline() (t time.Time, ok bool) { return t, false }

// Done implements context.Context.
func (g *merged) Done() <-chan struct{} { return g.stop }

// Err implements context.Context.
func (g *merged) Err() error {
	select {
	case <-g.stop:
		return context.Canceled
	default:
		return nil
	}
}

// Value implements context.Context.
func (g *merged) Value(any) any { return nil }
