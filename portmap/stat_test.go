package portmap

import (
	"bytes"
	"context"
	"errors"
	"testing"

	xdr2 "github.com/davecgh/go-xdr/xdr2"
	"github.com/google/go-cmp/cmp"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

func encoded(t testing.TB, v xdr.Value) []byte {
	t.Helper()
	c := xdr.NewEncoder(nil)
	if v.XDR(c); c.Err() != nil {
		t.Fatal(c.Err())
	}
	return c.Bytes()
}

func sampleStats() *Stats {
	s := new(Stats)
	s[0].Calls[3], s[0].Set = 7, 24
	s[2].Calls[12], s[2].Unset = -1, 44
	s[2].Addrs = []AddrStat{{100003, 3, 2, 1, "tcp"}, {100005, 1, 0, 9, "udp6"}}
	s[1].Remote = []RemoteStat{{100003, 3, 0, 1, 2, 3, "udp"}}
	return s
}

// go-xdr reads the declarations of the RFC by reflection: an independent
// reading.
func TestStatisticsAreTheRFCs(t *testing.T) {
	s := sampleStats()
	var want bytes.Buffer
	add := func(v any) {
		if _, err := xdr2.Marshal(&want, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range s {
		add(v.Calls)
		add(v.Set)
		add(v.Unset)
		for _, a := range v.Addrs {
			add(true)
			add(a)
		}
		add(false)
		for _, r := range v.Remote {
			add(true)
			add(r)
		}
		add(false)
	}
	got := encoded(t, s)
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got\n%x, go-xdr\n%x", got, want.Bytes())
	}
	back := new(Stats)
	d := xdr.NewDecoder(got)
	if back.XDR(d); d.Err() != nil || d.Remaining() != 0 {
		t.Errorf("%v, %d bytes left", d.Err(), d.Remaining())
	}
	if diff := cmp.Diff(s, back); diff != "" {
		t.Error(diff)
	}
	l := entries{{"192.0.2.7.8.1", "tcp", 3, "inet", "tcp"}, {"::1.8.1", "udp6", 1, "inet6", "udp"}}
	want.Reset()
	for _, e := range l {
		add(true)
		add(e)
	}
	add(false)
	if got := encoded(t, &l); !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got\n%x, go-xdr\n%x", got, want.Bytes())
	}
}

func TestHostileStatisticsAreErrors(t *testing.T) {
	var e *xdr.Error
	for name, tt := range map[string]struct {
		v    xdr.Value
		wire []byte
		kind xdr.Kind
	}{
		"statistics that end":                  {new(Stats), make([]byte, 67), xdr.Short},
		"addresses without an end":             {new(entries), bytes.Repeat(words(1, 0, 0, 1, 0, 0), maxEntries+1), xdr.TooLong},
		"counters without an end":              {new(Stats), append(make([]byte, 60), bytes.Repeat(words(1, 1, 2, 3, 4, 0), maxEntries+1)...), xdr.TooLong},
		"a netid of 4 GiB":                     {new(Stats), append(make([]byte, 60), words(1, 1, 2, 3, 4, 0xffffffff)...), xdr.TooLong},
		"a family that is longer than allowed": {new(entries), append(words(1, 0, 0, 1, 256), make([]byte, 300)...), xdr.TooLong},
	} {
		d := xdr.NewDecoder(tt.wire)
		if tt.v.XDR(d); !errors.As(d.Err(), &e) || e.Kind != tt.kind {
			t.Errorf("%s: %v", name, d.Err())
		}
	}
}

// informer is a Table that knows more.
type informer struct{ Table }

func (informer) Gettime(context.Context, *rpc.Request) uint32 { return 1 << 31 }
func (informer) Getstat(context.Context, *rpc.Request) *Stats { return sampleStats() }
func (informer) Getaddrlist(_ context.Context, _ *rpc.Request, b *Rpcb) []Entry {
	if b.Prog != 100003 {
		return nil
	}
	return []Entry{{b.Addr, b.Netid, 3, "inet", "tcp"}}
}

func TestWhatVersion4Tells(t *testing.T) {
	ctx := t.Context()
	c := dial(t, nil, ServeRpcbind(informer{table}))
	b := NewRpcbind(c, Version4)
	if s, err := b.Getstat(ctx); err != nil || cmp.Diff(s, sampleStats()) != "" {
		t.Errorf("GETSTAT: %+v, %v", s, err)
	}
	if s, err := b.Gettime(ctx); err != nil || s != 1<<31 {
		t.Errorf("GETTIME: %v, %v", s, err)
	}
	l, err := b.Getaddrlist(ctx, Rpcb{Prog: 100003, Vers: 3, Netid: "tcp", Addr: "a"})
	if diff := cmp.Diff([]Entry{{"a", "tcp", 3, "inet", "tcp"}}, l); diff != "" || err != nil {
		t.Errorf("GETADDRLIST: %v %s", err, diff)
	}
	if l, err := b.Getaddrlist(ctx, Rpcb{Prog: 1}); len(l) != 0 || err != nil {
		t.Errorf("GETADDRLIST of nothing: %v, %v", l, err)
	}
	old := NewRpcbind(c, Version3)
	if _, err := old.Gettime(ctx); err != nil {
		t.Errorf("GETTIME of version 3: %v", err)
	}
	var refused *rpc.AcceptError
	if _, err := old.Getstat(ctx); !errors.As(err, &refused) || refused.Stat != rpc.ProcUnavail {
		t.Errorf("GETSTAT of version 3: %v", err)
	}
	if _, err := old.Getaddrlist(ctx, Rpcb{}); !errors.As(err, &refused) || refused.Stat != rpc.ProcUnavail {
		t.Errorf("GETADDRLIST of version 3: %v", err)
	}
}
