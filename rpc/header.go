package rpc

import (
	"encoding/binary"

	"github.com/gonfs/gonfs/xdr"
)

// The message of RFC 5531 section 9: an XID and then a call or a reply.
const (
	msgCall  = 0
	msgReply = 1

	replyAccepted = 0
	replyDenied   = 1

	rpcVersion = 2
)

// callHeader appends everything of a call before its credential.
func callHeader(c *xdr.Codec, xid, prog, vers, proc uint32) {
	var room [24]byte // at once: this is a part of each call
	c.Fixed(words(room[:0], xid, msgCall, rpcVersion, prog, vers, proc))
}

// replyHead is what precedes the results in a reply.
type replyHead struct {
	xid       uint32
	denied    bool
	accept    AcceptStat
	reject    RejectStat
	auth      AuthStat
	low, high uint32 // PROG_MISMATCH, RPC_MISMATCH; 0 and 0 if left out
	flavor    Flavor // of the verifier
	verf      []byte // aliases the message
	results   int    // offset of the results
}

// parseReply reads the head of a reply. what is empty if it is well-formed, or
// says what is wrong; it is no error value because a head that is not whole
// yet is parsed too (Place), where failing must cost nothing.
func parseReply(b []byte) (h replyHead, what string) {
	mtype, ok1 := word(b, 4)
	stat, ok2 := word(b, 8)
	if !ok1 || !ok2 {
		return h, "truncated header"
	}
	h.xid = binary.BigEndian.Uint32(b)
	if mtype != msgReply {
		return h, "not a reply"
	}
	switch stat {
	case replyAccepted:
		return h, h.accepted(b)
	case replyDenied:
		return h, h.rejected(b)
	}
	return h, "unknown reply_stat"
}

// accepted reads the arm MSG_ACCEPTED.
func (h *replyHead) accepted(b []byte) (what string) {
	flavor, _ := word(b, 12)
	n, ok := word(b, 16)
	if !ok {
		return "truncated header"
	}
	if n > maxAuth {
		return "verifier longer than 400 bytes"
	}
	end := 20 + int(n+3)&^3
	stat, ok := word(b, end)
	if !ok {
		return "truncated header"
	}
	h.flavor, h.verf = Flavor(flavor), b[20:20+n]
	h.accept, h.results = AcceptStat(stat), end+4
	if h.accept > SystemErr {
		return "unknown accept_stat"
	}
	if h.accept == ProgMismatch {
		// Some servers end here. The answer is clear without the versions.
		if high, ok := word(b, end+8); ok {
			h.low, _ = word(b, end+4)
			h.high = high
		}
	}
	return ""
}

// rejected reads the arm MSG_DENIED.
func (h *replyHead) rejected(b []byte) (what string) {
	h.denied = true
	stat, ok := word(b, 12)
	if !ok {
		return "truncated header"
	}
	h.reject = RejectStat(stat)
	switch h.reject {
	case RPCMismatch:
		if high, ok := word(b, 20); ok {
			h.low, _ = word(b, 16)
			h.high = high
		}
	case AuthError:
		auth, ok := word(b, 16)
		if !ok {
			return "truncated header"
		}
		h.auth = AuthStat(auth)
	default:
		return "unknown reject_stat"
	}
	return ""
}

// word returns the word at offset off, if it is there.
func word(b []byte, off int) (uint32, bool) {
	if len(b) < off+4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[off:]), true
}

// err returns the error of a head that is well-formed, or nil for SUCCESS.
func (h *replyHead) err(prog, vers, proc uint32) error {
	switch {
	case h.denied:
		return &DeniedError{Stat: h.reject, Low: h.low, High: h.high, Auth: h.auth}
	case h.accept != Success:
		return &AcceptError{Prog: prog, Vers: vers, Proc: proc, Stat: h.accept, Low: h.low, High: h.high}
	}
	return nil
}

// acceptedHeader appends the head of a reply that accepts, up to and with its
// accept_stat. Our verifier is always AUTH_NONE.
func acceptedHeader(c *xdr.Codec, xid uint32, stat AcceptStat) {
	mtype, rstat := uint32(msgReply), uint32(replyAccepted)
	var verf uint64
	c.Uint32(&xid)
	c.Uint32(&mtype)
	c.Uint32(&rstat)
	c.Uint64(&verf)
	xdr.Enum(c, &stat)
}

// deniedReply appends a whole reply that denies.
func deniedReply(c *xdr.Codec, xid uint32, stat RejectStat, auth AuthStat) {
	mtype, rstat := uint32(msgReply), uint32(replyDenied)
	c.Uint32(&xid)
	c.Uint32(&mtype)
	c.Uint32(&rstat)
	xdr.Enum(c, &stat)
	if stat == AuthError {
		xdr.Enum(c, &auth)
		return
	}
	v := uint32(rpcVersion)
	c.Uint32(&v)
	c.Uint32(&v)
}
