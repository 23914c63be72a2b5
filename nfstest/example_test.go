package nfstest_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// A server in memory, a client of it, and a fault that the client gets over:
// the connection is reset in the middle of a reply.
func Example() {
	s := nfstest.New(nfstest.Options{})
	defer s.Close()
	s.WriteFile("hello", []byte("hello, world"), 0644)

	ctx := context.Background()
	connect := func(port int, program uint32) *rpc.Client {
		d := &transport.Dialer{DialContext: s.DialContext}
		return rpc.NewClient(rpc.Options{
			Program: program, Version: 3, Auth: rpc.AuthSys("example"), Policy: rpc.TCPPolicy(time.Second, 2, rpc.Hard),
			Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
				return d.Dial(ctx, "tcp", fmt.Sprint("127.0.0.1:", port), last)
			},
		})
	}
	mount := connect(mountd.DefaultPort, mountd.Program)
	defer mount.Close()
	m, err := mountd.NewClient(mount).Mnt(ctx, "/export")
	if err != nil {
		fmt.Println(err)
		return
	}
	root, _ := nfs3.MakeFH(m.FH)

	r := connect(2049, nfs3.Program)
	defer r.Close()
	nfs := nfs3.NewClient(r)
	s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRead}, Do: []nfstest.Action{nfstest.ResetAt(130)}})

	var file nfs3.LookupReply
	if err := nfs.Lookup(ctx, nil, &nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: root, Name: "hello"}}, &file); err != nil {
		fmt.Println(err)
		return
	}
	var read nfs3.ReadReply
	if err := nfs.Read(ctx, nil, &nfs3.ReadArgs{File: file.Object, Count: 100}, &read, make([]byte, 100)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s; READ was called %d times\n", read.Data, s.Counts()["READ"])

	err = nfs.Lookup(ctx, nil, &nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: root, Name: "none"}}, &file)
	fmt.Println(errors.Is(err, nfs3.ErrNoent), len(s.Violations()))
	// Output:
	// hello, world; READ was called 2 times
	// true 0
}
