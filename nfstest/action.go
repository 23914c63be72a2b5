package nfstest

import (
	"fmt"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/rpc"
)

// Action is what a Fault does to a call. Actions can be combined in one Fault.
type Action struct {
	name string
	set  func(*plan)
}

// String is the action as the log shows it.
func (a Action) String() string { return a.name }

// DropCall loses the call: it is not executed.
func DropCall() Action {
	return Action{"DropCall", func(p *plan) { p.dropCall = true }}
}

// DropReply executes the call and loses its reply. With a duplicate-request
// cache the retransmitted call gets the reply that was lost.
func DropReply() Action {
	return Action{"DropReply", func(p *plan) { p.dropReply = true }}
}

// DelayCall executes the call only after d: calls that came later overtake it.
func DelayCall(d time.Duration) Action {
	return Action{fmt.Sprintf("DelayCall(%v)", d), func(p *plan) { p.delayCall = d }}
}

// Delay executes the call at once and sends the reply after d.
func Delay(d time.Duration) Action {
	return Action{fmt.Sprintf("Delay(%v)", d), func(p *plan) { p.delayReply = d }}
}

// DuplicateCall executes the call n more times, as if the network had
// duplicated it, and sends a reply for each.
func DuplicateCall(n int) Action {
	return Action{fmt.Sprintf("DuplicateCall(%d)", n), func(p *plan) { p.dupCall = n }}
}

// Duplicate sends the reply n more times.
func Duplicate(n int) Action {
	return Action{fmt.Sprintf("Duplicate(%d)", n), func(p *plan) { p.dupReply = n }}
}

// Reorder keeps the reply back until another one was sent on the connection,
// but no longer than d.
func Reorder(d time.Duration) Action {
	return Action{fmt.Sprintf("Reorder(%v)", d), func(p *plan) { p.reorder = d }}
}

// ResetAt sends the first n bytes of the reply record, its mark included, and
// then a RST. Over UDP the reply is lost.
func ResetAt(n int) Action {
	return Action{fmt.Sprintf("ResetAt(%d)", n), func(p *plan) { p.resetAt = &n }}
}

// FinAt sends the first n bytes of the reply record, its mark included, and
// then a FIN. Over UDP the reply is lost.
func FinAt(n int) Action {
	return Action{fmt.Sprintf("FinAt(%d)", n), func(p *plan) { p.finAt = &n }}
}

// HalfOpen makes the connection a dead one that looks alive, from this call on:
// what the client sends is swallowed and nothing comes back, as behind a NAT
// that has forgotten the flow. Over UDP the client's port is dead for good.
func HalfOpen() Action {
	return Action{"HalfOpen", func(p *plan) { p.halfOpen = true }}
}

// Crash restarts the server, as Restart does, in place of executing the call.
func Crash() Action {
	return Action{"Crash", func(p *plan) { p.crash = true }}
}

// Truncate cuts the reply message to n bytes; the record mark fits them.
func Truncate(n int) Action {
	return message(fmt.Sprintf("Truncate(%d)", n), func(msg []byte) []byte { return msg[:min(n, len(msg))] })
}

// Raw sends b in place of the reply message.
func Raw(b []byte) Action {
	return message(fmt.Sprintf("Raw(%d bytes)", len(b)), func([]byte) []byte { return b })
}

// Message changes the bytes of the reply message, which f may do in place: XID
// at 0, accept_stat at 20, results from 24. It is called from the goroutines of
// the calls, as are the functions of Record and Reply.
func Message(f func(msg []byte) []byte) Action { return message("Message", f) }

func message(name string, f func([]byte) []byte) Action {
	return Action{name, func(p *plan) { p.message = append(p.message, f) }}
}

// Record changes the bytes on a TCP connection: f gets the reply with its
// record mark and returns what is sent in its place. Over UDP it gets the
// datagram.
func Record(f func(rec []byte) []byte) Action {
	return Action{"Record", func(p *plan) { p.record = append(p.record, f) }}
}

// Fragments sends the reply in fragments of n bytes. It has no effect on UDP.
func Fragments(n int) Action {
	return Action{fmt.Sprintf("Fragments(%d)", n), func(p *plan) { p.fragment = n }}
}

// Status answers with st and does not execute the call. It works for NFS and
// for MNT, whose numbers are the same.
func Status(st nfs3.Status) Action {
	return Action{fmt.Sprintf("Status(%v)", st), func(p *plan) { p.status = &st }}
}

// LockStatus answers a call of NLM with st in place of executing it.
func LockStatus(st nlm.Stats) Action {
	return Action{fmt.Sprintf("LockStatus(%v)", st), func(p *plan) { p.lock = &st }}
}

// StatusAfter executes the call and then answers that it failed with st.
func StatusAfter(st nfs3.Status) Action {
	return edit(fmt.Sprintf("StatusAfter(%v)", st), func(_, reply any) { setStatus(reply, st) })
}

// Accept answers with an accept_stat other than SUCCESS.
func Accept(st rpc.AcceptStat) Action {
	return Action{fmt.Sprintf("Accept(%d)", st), func(p *plan) { p.accept = &st }}
}

// Deny answers with MSG_DENIED, AUTH_ERROR and an auth_stat (RFC 5531 section
// 9).
func Deny(authStat uint32) Action {
	return Action{fmt.Sprintf("Deny(%d)", authStat), func(p *plan) { p.deny = &authStat }}
}

// Short makes READ and WRITE move n bytes at most.
func Short(n uint32) Action {
	return Action{fmt.Sprintf("Short(%d)", n), func(p *plan) { p.shorten = &n }}
}

// ChangeVerf changes the write verifier before the COMMIT is answered, though
// nothing was lost: a client must send its data again.
func ChangeVerf() Action {
	return Action{"ChangeVerf", func(p *plan) { p.verf = true }}
}

// Reply changes the decoded reply of an NFS call after it was executed. args
// and reply are pointers to the structs of package nfs3, such as
// *nfs3.ReaddirArgs and *nfs3.ReaddirReply.
func Reply(f func(args, reply any)) Action { return edit("Reply", f) }

func edit(name string, f func(args, reply any)) Action {
	return Action{name, func(p *plan) { p.edits = append(p.edits, f) }}
}
