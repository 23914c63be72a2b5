package nfstest

import (
	"net"
	"testing"

	"github.com/gonfs/gonfs/nfs3"
)

// The procedures are those whose pc_cachetype is not RC_NOCACHE in Linux's nfsd.
func TestWhichRepliesAreKept(t *testing.T) {
	kept := map[uint32]bool{
		nfs3.ProcSetattr: true, nfs3.ProcWrite: true, nfs3.ProcCreate: true, nfs3.ProcMkdir: true, nfs3.ProcSymlink: true, nfs3.ProcMknod: true,
		nfs3.ProcRemove: true, nfs3.ProcRmdir: true, nfs3.ProcRename: true, nfs3.ProcLink: true,
	}
	for proc := range uint32(len(nfs3.Procs)) + 1 {
		var d drc
		s := New(Options{})
		defer s.Close()
		for n := range 2 {
			c := drcCall(1, proc)
			e, first := d.enter(s, c)
			e.done(reply{})
			if want := n == 0 || !kept[proc]; first != want {
				t.Errorf("call %d of procedure %d is executed: %v, want %v", n, proc, first, want)
			}
		}
	}
}

// drcCall is a call, and each with the same arguments is its copy.
func drcCall(xid, proc uint32) *Call {
	return &Call{Network: "tcp", Remote: &net.TCPAddr{Port: 700}, XID: xid, Program: nfs3.Program, Version: nfs3.Version, Proc: proc, msg: make([]byte, 2000), argsAt: 100}
}

func TestWhatIsACopyOfACall(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(c *Call)
		want   bool
	}{
		"nothing differs":                       {func(*Call) {}, true},
		"the XID":                               {func(c *Call) { c.XID++ }, false},
		"the source port":                       {func(c *Call) { c.Remote = &net.TCPAddr{Port: 701} }, false},
		"the transport":                         {func(c *Call) { c.Network = "udp" }, false},
		"the arguments":                         {func(c *Call) { c.msg[100]++ }, false},
		"the last byte that counts":             {func(c *Call) { c.msg[100+drcSum-1]++ }, false},
		"a byte further back, as nfsd takes it": {func(c *Call) { c.msg[100+drcSum]++ }, true},
		"the length":                            {func(c *Call) { c.msg = c.msg[:1999] }, false},
		"a call shorter than what counts":       {func(c *Call) { c.msg = c.msg[:101] }, false},
	} {
		t.Run(name, func(t *testing.T) {
			var d drc
			s := New(Options{})
			defer s.Close()
			e, _ := d.enter(s, drcCall(1, nfs3.ProcWrite))
			e.done(reply{})
			c := drcCall(1, nfs3.ProcWrite)
			tt.change(c)
			if _, first := d.enter(s, c); first == tt.want {
				t.Errorf("taken for a copy: %v", !first)
			}
		})
	}
}

func TestACopyOfACallThatIsBeingExecutedIsDropped(t *testing.T) {
	var d drc
	s := New(Options{})
	defer s.Close()
	e, _ := d.enter(s, drcCall(0, nfs3.ProcRemove))
	for xid := range uint32(3 * drcEntries) { // it is not forgotten meanwhile
		other, _ := d.enter(s, drcCall(1+xid, nfs3.ProcRemove))
		other.done(reply{})
	}
	if n := len(d.entries); n != drcEntries || n != len(d.order) {
		t.Errorf("%d replies are kept, %d in order", n, len(d.order))
	}
	second, first := d.enter(s, drcCall(0, nfs3.ProcRemove))
	if _, ok := second.again(s, drcCall(0, nfs3.ProcRemove)); first || ok {
		t.Errorf("the copy is executed: %v, answered: %v", first, ok)
	}
	e.done(reply{head: []byte("done")})
	third, first := d.enter(s, drcCall(0, nfs3.ProcRemove))
	if r, ok := third.again(s, drcCall(0, nfs3.ProcRemove)); first || !ok || string(r.head) != "done" {
		t.Errorf("then it is executed: %v, answered: %v, %q", first, ok, r.head)
	}
}
