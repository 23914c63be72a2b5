package nlm

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// house is both halves of lockd; it notes what it was asked.
type house struct{ log []string }

func (h *house) note(name string) { h.log = append(h.log, name) }

func (h *house) Test(_ context.Context, _ *rpc.Request, a *TestArgs, res *TestRes) {
	h.note("TEST")
	if a.Exclusive {
		res.Stat, res.Holder = Denied, Holder{Svid: 5, OH: []byte("o"), Length: 9}
	}
}

func (h *house) Lock(_ context.Context, _ *rpc.Request, a *LockArgs, res *Res) {
	h.note("LOCK")
	if a.Block {
		res.Stat = Blocked
	}
}

func (h *house) Cancel(_ context.Context, _ *rpc.Request, a *CancelArgs, res *Res) {
	h.note("CANCEL")
	res.Stat = Denied
}

func (h *house) Unlock(_ context.Context, _ *rpc.Request, a *UnlockArgs, _ *Res) { h.note("UNLOCK") }

func (h *house) NMLock(_ context.Context, _ *rpc.Request, a *LockArgs, res *Res) {
	h.note("NM_LOCK")
	res.Stat = DeniedNolocks
}

func (h *house) Share(_ context.Context, _ *rpc.Request, a *ShareArgs, res *ShareRes) {
	h.note("SHARE")
	res.Sequence = 4
}

func (h *house) Unshare(_ context.Context, _ *rpc.Request, a *ShareArgs, res *ShareRes) {
	h.note("UNSHARE")
	res.Stat = Failed
}

func (h *house) FreeAll(_ context.Context, _ *rpc.Request, a *Notify) { h.note("FREE_ALL " + a.Name) }

func (h *house) Granted(_ context.Context, _ *rpc.Request, a *TestArgs, res *Res) {
	h.note("GRANTED")
	if !a.Exclusive {
		res.Stat = Denied
	}
}

func (h *house) Answered(_ context.Context, _ *rpc.Request, proc uint32, res xdr.Value) {
	h.note(fmt.Sprintf("then %s %x", ProcName(proc), encoded(res)))
}

func (h *house) Result(_ context.Context, _ *rpc.Request, proc uint32, res xdr.Value) {
	h.note(fmt.Sprintf("came %s %x", ProcName(proc), encoded(res)))
}

func encoded(v xdr.Value) []byte {
	c := xdr.NewEncoder(nil)
	v.XDR(c)
	return c.Bytes()
}

// mute is a house without messages.
type mute struct {
	Server
	Granter
}

func TestServerAnswersEachProcedure(t *testing.T) {
	test := func(exclusive uint32) []byte { return cat(str("c"), words(exclusive), lockWire) }
	lock := cat(str("c"), words(1, 1), lockWire, words(0, 3))
	cancel, unlock := cat(str("c"), words(1, 1), lockWire), cat(str("c"), lockWire)
	share := cat(str("c"), str("h"), str("f"), str("o"), words(0, 0, 0))
	res := func(stat uint32) []byte { return cat(str("c"), words(stat)) }
	files, back := Serve(&house{}), ServeGranter(&house{})
	for _, tt := range []struct {
		name string
		half rpc.Program
		proc uint32
		args []byte
		stat rpc.AcceptStat
		want []byte
		log  string
	}{
		{"NULL is void", files, ProcNull, nil, rpc.Success, nil, "[]"},
		{"TEST that is free", files, ProcTest, test(0), rpc.Success, res(0), "[TEST]"},
		{"TEST that is not", files, ProcTest, test(1), rpc.Success, cat(res(1), words(0, 5), str("o"), words(0, 0, 0, 9)), "[TEST]"},
		{"LOCK", files, ProcLock, lock, rpc.Success, res(3), "[LOCK]"},
		{"CANCEL", files, ProcCancel, cancel, rpc.Success, res(1), "[CANCEL]"},
		{"UNLOCK", files, ProcUnlock, unlock, rpc.Success, res(0), "[UNLOCK]"},
		{"NM_LOCK", files, ProcNMLock, lock, rpc.Success, res(2), "[NM_LOCK]"},
		{"SHARE", files, ProcShare, share, rpc.Success, cat(res(0), words(4)), "[SHARE]"},
		{"UNSHARE", files, ProcUnshare, share, rpc.Success, cat(res(9), words(0)), "[UNSHARE]"},
		{"FREE_ALL is void", files, ProcFreeAll, cat(str("h"), words(1)), rpc.Success, nil, "[FREE_ALL h]"},
		{"TEST_MSG", files, ProcTestMsg, test(0), rpc.Success, nil, fmt.Sprintf("[TEST then TEST_RES %x]", res(0))},
		{"LOCK_MSG", files, ProcLockMsg, lock, rpc.Success, nil, fmt.Sprintf("[LOCK then LOCK_RES %x]", res(3))},
		{"CANCEL_MSG", files, ProcCancelMsg, cancel, rpc.Success, nil, fmt.Sprintf("[CANCEL then CANCEL_RES %x]", res(1))},
		{"UNLOCK_MSG", files, ProcUnlockMsg, unlock, rpc.Success, nil, fmt.Sprintf("[UNLOCK then UNLOCK_RES %x]", res(0))},
		{"GRANTED_RES", files, ProcGrantedRes, res(1), rpc.Success, nil, fmt.Sprintf("[came GRANTED_RES %x]", res(1))},
		{"GRANTED is not for a file server", files, ProcGranted, test(1), rpc.ProcUnavail, nil, "[]"},
		{"GRANTED_MSG neither", files, ProcGrantedMsg, test(1), rpc.ProcUnavail, nil, "[]"},
		{"GRANTED", back, ProcGranted, test(1), rpc.Success, res(0), "[GRANTED]"},
		{"GRANTED of a stranger", back, ProcGranted, test(0), rpc.Success, res(1), "[GRANTED]"},
		{"GRANTED_MSG", back, ProcGrantedMsg, test(1), rpc.Success, nil, fmt.Sprintf("[GRANTED then GRANTED_RES %x]", res(0))},
		{"TEST_RES", back, ProcTestRes, res(4), rpc.Success, nil, fmt.Sprintf("[came TEST_RES %x]", res(4))},
		{"LOCK is not for a client", back, ProcLock, lock, rpc.ProcUnavail, nil, "[]"},
		{"LOCK_MSG neither", back, ProcLockMsg, lock, rpc.ProcUnavail, nil, "[]"},
		{"FREE_ALL neither", back, ProcFreeAll, cat(str("h"), words(1)), rpc.ProcUnavail, nil, "[]"},
		{"without messages there is no LOCK_MSG", Serve(mute{Server: &house{}}), ProcLockMsg, lock, rpc.ProcUnavail, nil, "[]"},
		{"without messages there is no GRANTED_MSG", ServeGranter(mute{Granter: &house{}}), ProcGrantedMsg, test(1), rpc.ProcUnavail, nil, "[]"},
		{"without messages there is no LOCK_RES", ServeGranter(mute{Granter: &house{}}), ProcLockRes, res(0), rpc.ProcUnavail, nil, "[]"},
		{"LOCK without arguments", files, ProcLock, nil, rpc.GarbageArgs, nil, "[]"},
		{"LOCK with something after its arguments", files, ProcLock, cat(lock, words(0)), rpc.GarbageArgs, nil, "[]"},
		{"procedure 16 there is none", files, 16, nil, rpc.ProcUnavail, nil, "[]"},
		{"procedure 24 there is none", files, 24, nil, rpc.ProcUnavail, nil, "[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := logOf(tt.half)
			if h != nil {
				h.log = nil
			}
			reply := xdr.NewEncoder(nil)
			stat := tt.half.ServeRPC(t.Context(), &rpc.Request{Proc: tt.proc, Args: xdr.NewDecoder(tt.args)}, reply)
			if stat != tt.stat || stat == rpc.Success && !bytes.Equal(reply.Bytes(), tt.want) {
				t.Errorf("got %v %x, want %v %x", stat, reply.Bytes(), tt.stat, tt.want)
			}
			if h != nil && fmt.Sprint(h.log) != tt.log {
				t.Errorf("the house was asked %v, want %v", h.log, tt.log)
			}
		})
	}
}

// logOf finds the house behind p.
func logOf(p rpc.Program) *house {
	if h, ok := p.(program).server.(*house); ok {
		return h
	}
	h, _ := p.(program).granter.(*house)
	return h
}

func TestEveryProcedureHasANameAndArguments(t *testing.T) {
	for proc := uint32(0); proc < 64; proc++ {
		exists := proc <= ProcGrantedRes || proc >= ProcShare && proc <= ProcFreeAll
		if (ProcName(proc) != "") != exists || (newArgs(proc) != nil) != (exists && proc != ProcNull) {
			t.Errorf("procedure %d: name %q, arguments %T", proc, ProcName(proc), newArgs(proc))
		}
	}
}
