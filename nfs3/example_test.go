package nfs3_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// hello is a server with one file. The procedures that it does not have are
// those of the nil Server that it embeds.
type hello struct{ nfs3.Server }

func (hello) Lookup(_ context.Context, _ *rpc.Request, a *nfs3.LookupArgs, r *nfs3.LookupReply) {
	if a.What.Name != "hello.txt" {
		r.Status = nfs3.ErrNoent
		return
	}
	r.Object, _ = nfs3.MakeFH([]byte("file 1"))
}

func (hello) Read(_ context.Context, _ *rpc.Request, a *nfs3.ReadArgs, r *nfs3.ReadReply) {
	r.Data = []byte("hello, world\n")
	r.Count, r.EOF = uint32(len(r.Data)), true
}

// A name is looked up in a directory whose handle the MOUNT protocol gave;
// the handle that LOOKUP returns is read from.
func Example() {
	ctx := context.Background()
	var server rpc.Server
	server.Register(nfs3.Program, nfs3.Version, nfs3.Serve(hello{}))
	conn := rpc.NewClient(rpc.Options{
		Program: nfs3.Program, Version: nfs3.Version,
		Policy: rpc.TCPPolicy(0, -1, rpc.Hard),
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			a, b := transport.Pipe()
			go server.ServeConn(ctx, b)
			return a, nil
		},
	})
	defer conn.Close()
	c := nfs3.NewClient(conn)

	root, _ := nfs3.MakeFH([]byte("root"))
	var found nfs3.LookupReply
	what := nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: root, Name: "hello.txt"}}
	if err := c.Lookup(ctx, nil, &what, &found); err != nil {
		fmt.Println(err)
		return
	}
	var (
		got nfs3.ReadReply
		dst = make([]byte, 4096)
	)
	if err := c.Read(ctx, nil, &nfs3.ReadArgs{File: found.Object, Count: 4096}, &got, dst); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", got.Data)

	what.What.Name = "missing"
	err := c.Lookup(ctx, nil, &what, &found)
	fmt.Println(err, errors.Is(err, fs.ErrNotExist))
	// Output:
	// hello, world
	// nfs3: LOOKUP: NFS3ERR_NOENT: no such file or directory true
}
