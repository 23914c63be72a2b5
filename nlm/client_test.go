package nlm

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

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dial returns a client of a lock manager in memory.
func dial(t testing.TB, p rpc.Program) *Client {
	var s rpc.Server
	s.Register(Program, Version, p)
	near, far := transport.Pipe()
	done := make(chan struct{})
	go func() { // ends when the client closes its end
		s.ServeConn(context.Background(), far)
		close(done)
	}()
	c := rpc.NewClient(rpc.Options{
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
	h := &house{}
	c, ctx := dial(t, Serve(h)), t.Context()
	if err := c.Null(ctx); err != nil {
		t.Error(err)
	}
	stat, holder, err := c.Test(ctx, nil, &TestArgs{Lock: someLock})
	if stat != Granted || holder != nil || err != nil {
		t.Errorf("TEST: %v, %v, %v", stat, holder, err)
	}
	stat, holder, err = c.Test(ctx, nil, &TestArgs{Exclusive: true, Lock: someLock})
	if diff := cmp.Diff(&Holder{Svid: 5, OH: []byte("o"), Length: 9}, holder); stat != Denied || err != nil || diff != "" {
		t.Errorf("TEST: %v, %v, %s", stat, err, diff)
	}
	for _, tt := range []struct {
		name string
		call func() (Stats, error)
		want Stats
	}{
		{"LOCK", func() (Stats, error) { return c.Lock(ctx, nil, &LockArgs{Block: true, Lock: someLock}) }, Blocked},
		{"CANCEL", func() (Stats, error) { return c.Cancel(ctx, nil, &CancelArgs{Lock: someLock}) }, Denied},
		{"UNLOCK", func() (Stats, error) { return c.Unlock(ctx, nil, &UnlockArgs{Lock: someLock}) }, Granted},
		{"NM_LOCK", func() (Stats, error) { return c.NMLock(ctx, nil, &LockArgs{Lock: someLock}) }, DeniedNolocks},
		{"SHARE", func() (Stats, error) { return c.Share(ctx, nil, &ShareArgs{}) }, Granted},
		{"UNSHARE", func() (Stats, error) { return c.Unshare(ctx, nil, &ShareArgs{}) }, Failed},
	} {
		if stat, err := tt.call(); stat != tt.want || err != nil {
			t.Errorf("%s: %v, %v; want %v", tt.name, stat, err, tt.want)
		}
	}
	if err := c.Message(ctx, nil, ProcGrantedRes, &Res{}); err != nil {
		t.Error(err)
	}
	want := "[TEST TEST LOCK CANCEL UNLOCK NM_LOCK SHARE UNSHARE came GRANTED_RES 0000000000000000]"
	if got := fmt.Sprint(h.log); got != want {
		t.Errorf("the server was asked %s", got)
	}
	if err := c.Message(ctx, nil, ProcFreeAll, &Notify{}); err == nil || len(h.log) != 9 {
		t.Errorf("FREE_ALL was sent: %v", err)
	}
}

func TestCallbacksFromAServer(t *testing.T) {
	h := &house{}
	c, ctx := dial(t, ServeGranter(h)), t.Context()
	if stat, err := c.Granted(ctx, nil, &TestArgs{Exclusive: true, Lock: someLock}); stat != Granted || err != nil {
		t.Errorf("%v, %v", stat, err)
	}
	if stat, err := c.Granted(ctx, nil, &TestArgs{Lock: someLock}); stat != Denied || err != nil {
		t.Errorf("%v, %v", stat, err)
	}
	_, err := c.Lock(ctx, nil, &LockArgs{Lock: someLock})
	var e *rpc.AcceptError
	if !errors.As(err, &e) || e.Stat != rpc.ProcUnavail || !errors.Is(err, syscall.EOPNOTSUPP) {
		t.Errorf("LOCK at a client's host: %v", err)
	}
}

func TestNonsenseIsAProtocolError(t *testing.T) {
	c := dial(t, rpc.ProgramFunc(func(_ context.Context, _ *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
		reply.Fixed([]byte{0xff, 0xff, 0xff, 0xff}) // a cookie of 2^32-1 bytes
		return rpc.Success
	}))
	_, err := c.Unlock(t.Context(), nil, &UnlockArgs{})
	var e *rpc.ProtocolError
	if !errors.As(err, &e) {
		t.Errorf("got %v, want a ProtocolError", err)
	}
}

func ExampleClient_Lock() {
	// A lock manager in memory takes the place of the one that rpcbind would
	// name.
	var s rpc.Server
	s.Register(Program, Version, Serve(&house{}))
	near, far := transport.Pipe()
	go s.ServeConn(context.Background(), far)

	c := rpc.NewClient(rpc.Options{
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) { return near, nil },
		Auth: rpc.AuthSys("me"),
	})
	defer c.Close()

	offset, length := Extent(0, EOF) // the whole file
	lock := Lock{CallerName: "me", FH: []byte{1, 2, 3}, OH: []byte("1@me"), Svid: 1, Offset: offset, Length: length}
	stat, err := NewClient(c).Lock(context.Background(), nil, &LockArgs{Block: true, Exclusive: true, Lock: lock})
	fmt.Println(stat, err, errors.Is(stat, syscall.EAGAIN))
	// Output: NLM4_BLOCKED: Resource temporarily unavailable <nil> true
}
