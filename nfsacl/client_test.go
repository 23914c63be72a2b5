package nfsacl

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a server of one object.
type house struct{ lists Lists }

func (h *house) Getacl(_ context.Context, _ *rpc.Request, a *GetaclArgs, p *GetaclReply) {
	if a.Object.Len() == 1 {
		p.Status = nfs3.ErrStale
		return
	}
	p.Lists = h.lists
	p.Lists.Mask &= a.Mask
}

func (h *house) Setacl(_ context.Context, r *rpc.Request, a *SetaclArgs, p *SetaclReply) {
	if r.Cred == nil || r.Cred.UID != 0 {
		p.Status = nfs3.ErrPerm
		return
	}
	h.lists = a.Lists
}

// dial returns a client of a server in memory that serves p.
func dial(t testing.TB, p rpc.Program) *Client {
	var s rpc.Server
	if p != nil {
		s.Register(Program, Version, p)
	}
	near, far := transport.Pipe()
	done := make(chan struct{})
	go func() { // ends when the client closes its end
		s.ServeConn(context.Background(), far)
		close(done)
	}()
	c := rpc.NewClient(rpc.Options{
		Program: nfs3.Program, Version: nfs3.Version, Auth: rpc.AuthSys("me"),
		Dial:   func(context.Context, netip.AddrPort) (transport.Conn, error) { return near, nil },
		Policy: rpc.Policy{Timeo: time.Minute, SoftConn: true},
	})
	t.Cleanup(func() {
		c.Close()
		near.Close()
		<-done
	})
	return NewClient(c)
}

func TestClientCallsEachProcedure(t *testing.T) {
	c := dial(t, Serve(&house{lists: Lists{Mask: MaskAll}}))
	if err := c.Null(t.Context()); err != nil {
		t.Error(err)
	}
	args := SetaclArgs{Object: fh(t, 1, 2, 3, 4), Lists: Lists{Mask: MaskAll, Access: full, Default: plain}}
	var set SetaclReply
	if err := c.Setacl(t.Context(), rpc.NewCred(0, 0, nil), &args, &set); err != nil {
		t.Error(err)
	}
	var got GetaclReply
	if err := c.Getacl(t.Context(), nil, &GetaclArgs{Object: fh(t, 1, 2, 3, 4), Mask: MaskACL}, &got); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(Lists{Mask: MaskACL, Count: 6, DefaultCount: 4, Access: full}, got.Lists); diff != "" {
		t.Error(diff)
	}
}

func TestRefusalsAreTyped(t *testing.T) {
	c := dial(t, Serve(&house{}))
	var got GetaclReply
	var e *Error
	err := c.Getacl(t.Context(), nil, &GetaclArgs{Object: fh(t, 1)}, &got)
	if !errors.As(err, &e) || !errors.Is(err, nfs3.ErrStale) || e.Transmissions != 1 {
		t.Errorf("GETACL: %v", err)
	}
	var set SetaclReply
	err = c.Setacl(t.Context(), rpc.NewCred(7, 7, nil), &SetaclArgs{Object: fh(t, 1, 2)}, &set)
	if !errors.Is(err, nfs3.ErrPerm) {
		t.Errorf("SETACL: %v", err)
	}
	if err := dial(t, nil).Null(t.Context()); !errors.Is(err, syscall.EPFNOSUPPORT) {
		t.Errorf("a server without the program: %v", err)
	}
}

func TestGarbageIsRefusedByBothEnds(t *testing.T) {
	for _, proc := range []uint32{ProcGetacl, ProcSetacl} {
		c := dial(t, Serve(&house{}))
		args := word(7)
		err := c.c.Call(t.Context(), &rpc.Call{Proc: proc, Args: &args})
		var a *rpc.AcceptError
		if !errors.As(err, &a) || a.Stat != rpc.GarbageArgs {
			t.Errorf("%s with one word: %v", procName(proc), err)
		}
	}
	c := dial(t, rpc.ProgramFunc(func(_ context.Context, _ *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
		reply.Fixed(words(0, 0, 1, 0xffffffff, 0xffffffff))
		return rpc.Success
	}))
	var got GetaclReply
	var p *rpc.ProtocolError
	if err := c.Getacl(t.Context(), nil, &GetaclArgs{Object: fh(t, 1)}, &got); !errors.As(err, &p) {
		t.Errorf("a reply of 2^32-1 entries: %v", err)
	}
	var a *rpc.AcceptError
	if err := c.c.Call(t.Context(), &rpc.Call{Proc: 3}); err != nil {
		t.Errorf("the program of the test: %v", err)
	}
	if err := dial(t, Serve(&house{})).c.Call(t.Context(), &rpc.Call{Proc: 3}); !errors.As(err, &a) || a.Stat != rpc.ProcUnavail {
		t.Errorf("procedure 3: %v", err)
	}
}

type word uint32

func (w *word) XDR(c *xdr.Codec) { c.Uint32((*uint32)(w)) }

func ExampleClient_Getacl() {
	// A server in memory takes the place of a real one.
	var s rpc.Server
	acl := ACL{{UserObj, 0, 6}, {User, 1001, 4}, {GroupObj, 0, 4}, {Mask, 0, 4}, {Other, 0, 0}}
	s.Register(Program, Version, Serve(&house{lists: Lists{Mask: MaskAll, Access: acl}}))
	near, far := transport.Pipe()
	go s.ServeConn(context.Background(), far)

	c := rpc.NewClient(rpc.Options{ // usually nfs3.Client's RPC()
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) { return near, nil },
		Auth: rpc.AuthSys("me"),
	})
	defer c.Close()

	object, _ := nfs3.MakeFH([]byte("handle"))
	var reply GetaclReply
	err := NewClient(c).Getacl(context.Background(), nil, &GetaclArgs{Object: object, Mask: MaskACL}, &reply)
	if err != nil {
		fmt.Println(err)
	}
	for _, e := range reply.Lists.Access {
		fmt.Println(e.Text(Names{}))
	}
	// Output:
	// user::rw-
	// user:1001:r--
	// group::r--
	// mask::r--
	// other::---
}
