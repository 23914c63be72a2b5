package nfstest_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// BenchmarkServer tells what the server leaves for a client's benchmark.
func BenchmarkServer(b *testing.B) {
	s := nfstest.New(nfstest.Options{})
	defer s.Close()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	must(s.Start())
	must(s.WriteFile("f", make([]byte, 1<<20), 0644))
	f, err := s.Handle("f")
	must(err)
	_, _, port := s.Ports()
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
	d := &transport.Dialer{}
	r := rpc.NewClient(rpc.Options{
		Program: nfs3.Program, Version: 3, Auth: rpc.AuthSys("bench"), Policy: rpc.TCPPolicy(time.Minute, 2, rpc.Hard),
		Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
			return d.Dial(ctx, "tcp", at, last)
		},
	})
	defer r.Close()
	c := nfs3.NewClient(r)
	ctx, cred := b.Context(), &rpc.Cred{}
	b.Run("GETATTR", func(b *testing.B) {
		var reply nfs3.GetattrReply
		for b.Loop() {
			must(c.Getattr(ctx, cred, &nfs3.GetattrArgs{Object: f}, &reply))
		}
	})
	block := make([]byte, 1<<20)
	b.Run("READ of 1 MiB", func(b *testing.B) {
		b.SetBytes(1 << 20)
		var reply nfs3.ReadReply
		for b.Loop() {
			must(c.Read(ctx, cred, &nfs3.ReadArgs{File: f, Count: 1 << 20}, &reply, block))
		}
	})
	b.Run("WRITE of 1 MiB", func(b *testing.B) {
		b.SetBytes(1 << 20)
		var reply nfs3.WriteReply
		for b.Loop() {
			must(c.Write(ctx, cred, &nfs3.WriteArgs{File: f, Count: 1 << 20, Stable: nfs3.FileSync, Data: block}, &reply))
		}
	})
}
