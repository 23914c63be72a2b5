package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// Number is an XDR unsigned integer.
type Number uint32

// XDR implements xdr.Value.
func (n *Number) XDR(c *xdr.Codec) { xdr.Enum(c, n) }

// double is a program with one procedure besides NULL: it doubles a number.
func double(_ context.Context, r *rpc.Request, reply *xdr.Codec) rpc.AcceptStat {
	switch r.Proc {
	case 0:
		return rpc.Success
	case 1:
		var n Number
		n.XDR(r.Args)
		if r.Args.Err() != nil {
			return rpc.GarbageArgs
		}
		n *= 2
		n.XDR(reply)
		return rpc.Success
	}
	return rpc.ProcUnavail
}

// A program, served and called over a connection in memory. Over a network,
// Dial would use a transport.Dialer.
func Example() {
	const program, version = 0x20000001, 1
	var server rpc.Server
	server.Register(program, version, rpc.ProgramFunc(double))

	client := rpc.NewClient(rpc.Options{
		Program: program,
		Version: version,
		Server:  "example",
		Auth:    rpc.AuthSys("localhost"),
		Cred:    *rpc.NewCred(1000, 1000, nil),
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			near, far := transport.Pipe()
			go server.ServeConn(context.Background(), far) // ends with the connection
			return near, nil
		},
	})
	defer client.Close()

	n, twice := Number(21), Number(0)
	err := client.Call(context.Background(), &rpc.Call{Proc: 1, Args: &n, Reply: &twice})
	fmt.Println(twice, err)

	err = client.Call(context.Background(), &rpc.Call{Proc: 2})
	var refused *rpc.AcceptError
	fmt.Println(errors.As(err, &refused), err)
	// Output:
	// 42 <nil>
	// true rpc: program 536870913 version 1 procedure 2: PROC_UNAVAIL
}
