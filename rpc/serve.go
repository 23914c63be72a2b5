package rpc

import (
	"context"
	"sync"

	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// serving is one connection, or one packet socket, being served.
type serving struct {
	server  *Server
	ctx     context.Context // of the calls; ends with the connection
	conn    transport.Conn  // streams
	slots   chan struct{}   // one element for each call being served
	running sync.WaitGroup  // the same
	jobs    sync.Pool       // of *job
}

func newServing(ctx context.Context, s *Server) *serving {
	return &serving{server: s, ctx: ctx, slots: make(chan struct{}, maxServing),
		jobs: sync.Pool{New: func() any { return new(job) }}}
}

// Place is transport.Receiver's: calls are small, or copied.
func (r *serving) Place([]byte, int) (int, *transport.Sink) { return 0, nil }

// Message is transport.Receiver's. It may wait for a call that is being served
// to end: that is what keeps a peer from queueing work without limit.
func (r *serving) Message(msg *transport.Buffer, _ *transport.Sink) { r.serve(r.conn, msg) }

// serve starts the goroutine that answers one message. It ends when the reply
// was sent.
func (r *serving) serve(peer transport.Conn, msg *transport.Buffer) {
	j := r.jobs.Get().(*job)
	if !j.parse(msg.Bytes()) {
		r.jobs.Put(j)
		msg.Release()
		return
	}
	select {
	case r.slots <- struct{}{}:
	case <-r.ctx.Done():
		msg.Release()
		return
	}
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		j.request.Remote = peer.RemoteAddr()
		payload := j.answer(r.ctx, r.server)
		// A reply that cannot be sent is lost with its connection, which
		// Serve reports; over UDP the peer asks again.
		_ = peer.Send(j.reply.Bytes(), payload, r.ctx.Done())
		msg.Release()
		j.buf = j.reply.Bytes()[:0]
		r.jobs.Put(j)
		<-r.slots
	}()
}

// job is one call being served, with the memory that it needs.
type job struct {
	request Request
	cred    Cred
	args    xdr.Codec
	reply   xdr.Codec
	buf     []byte // of reply

	denied bool // the header calls for a denial
	reject RejectStat
	auth   AuthStat
}

// parse reads the header of a call. It reports false for what is not a call or
// is too short to be answered.
func (j *job) parse(b []byte) bool {
	j.request, j.denied = Request{Args: &j.args}, false
	c := &j.args
	c.ResetDecode(b)
	var mtype, rpcvers uint32
	q := &j.request
	c.Uint32(&q.XID)
	c.Uint32(&mtype)
	c.Uint32(&rpcvers)
	if c.Err() != nil || mtype != msgCall {
		return false
	}
	if rpcvers != rpcVersion {
		j.deny(RPCMismatch, AuthOK)
		return true
	}
	c.Uint32(&q.Prog)
	c.Uint32(&q.Vers)
	c.Uint32(&q.Proc)
	var n uint32
	xdr.Enum(c, &q.Flavor)
	c.Uint32(&n)
	if c.Err() != nil {
		return false
	}
	at := c.Offset()
	if n > maxAuth || int(n) > c.Remaining() {
		j.deny(AuthError, AuthBadCred)
		return true
	}
	j.credential(b[at : at+int(n)])
	skip(c, n)
	var verf Flavor
	xdr.Enum(c, &verf)
	c.Uint32(&n)
	if c.Err() != nil || n > maxAuth {
		j.deny(AuthError, AuthBadVerf)
		return true
	}
	skip(c, n)
	if c.Err() != nil {
		j.deny(AuthError, AuthBadVerf)
	}
	return true
}

// credential judges the credential.
func (j *job) credential(body []byte) {
	switch j.request.Flavor {
	case FlavorNone:
	case FlavorSys:
		j.cred = Cred{}
		if !decodeSys(body, &j.cred) {
			j.deny(AuthError, AuthBadCred)
			return
		}
		j.request.Cred = &j.cred
	case FlavorShort:
		j.deny(AuthError, AuthRejectedCred) // we never gave one out
	default:
		j.deny(AuthError, AuthBadCred)
	}
}

// deny has the call denied; the first reason counts.
func (j *job) deny(reject RejectStat, auth AuthStat) {
	if !j.denied {
		j.denied, j.reject, j.auth = true, reject, auth
	}
}

// answer serves the call and leaves the reply in j.reply.
func (j *job) answer(ctx context.Context, s *Server) (payload []byte) {
	c, q := &j.reply, &j.request
	c.ResetEncode(j.buf[:0])
	if j.denied {
		deniedReply(c, q.XID, j.reject, j.auth)
		return nil
	}
	if s.Observe != nil {
		s.Observe(q)
	}
	p, stat, low, high := s.program(q)
	if stat == Success {
		acceptedHeader(c, q.XID, Success)
		stat = s.run(ctx, p, q, c)
	}
	if stat == Success {
		return c.Payload()
	}
	c.ResetEncode(c.Bytes()[:0])
	acceptedHeader(c, q.XID, stat)
	if stat == ProgMismatch {
		c.Uint32(&low)
		c.Uint32(&high)
	}
	return nil
}

// skip passes over n opaque bytes and their padding.
func skip(c *xdr.Codec, n uint32) {
	var b [4]byte
	for ; n > 0 && c.Err() == nil; n -= min(n, 4) {
		c.Fixed(b[:min(n, 4)])
	}
}
