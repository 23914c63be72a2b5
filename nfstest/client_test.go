package nfstest_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// client is an NFS client with its root handle, for the tests.
type client struct {
	*nfs3.Client
	root nfs3.FH
	ctx  context.Context
	cred *rpc.Cred
}

// dialer returns the Dial of rpc.Options for a port of the server: over
// loopback sockets for the netids, in memory for "mem-tcp" and "mem-udp".
func dialer(s *nfstest.Server, how string, port uint16) func(context.Context, netip.AddrPort) (transport.Conn, error) {
	d := &transport.Dialer{}
	netid := how
	if len(how) > 4 && how[:4] == "mem-" {
		netid, d.DialContext = how[4:], s.DialContext
	}
	host := "127.0.0.1"
	if netid[len(netid)-1] == '6' {
		host = "[::1]"
	}
	return func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
		return d.Dial(ctx, netid, fmt.Sprintf("%s:%d", host, port), last)
	}
}

// ports returns the ports to dial for a way of transport.
func ports(s *nfstest.Server, how string) (rpcbind, mount, nfs uint16) {
	if how[:3] == "mem" {
		return 111, 20048, 2049
	}
	return s.Ports()
}

// program returns a client of one program, closed at the end of the test.
func program(t *testing.T, s *nfstest.Server, how string, port uint16, prog, vers uint32) *rpc.Client {
	t.Helper()
	p := rpc.TCPPolicy(5*time.Second, 2, rpc.Hard)
	if how == "udp" || how == "mem-udp" || how == "udp6" {
		p = rpc.UDPPolicy(200*time.Millisecond, 5, rpc.Hard)
	}
	c := rpc.NewClient(rpc.Options{
		Program: prog, Version: vers, Dial: dialer(s, how, port), Policy: p, Auth: rpc.AuthSys("tester"), Server: "nfstest",
	})
	t.Cleanup(func() { c.Close() })
	return c
}

// connect mounts the export and returns a client of it, acting as root.
func connect(t *testing.T, s *nfstest.Server, how string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	_, mount, nfs := ports(s, how)
	m := mountd.NewClient(program(t, s, how, mount, mountd.Program, mountd.Version))
	r, err := m.Mnt(ctx, "/export")
	if err != nil {
		t.Fatal(err)
	}
	root, err := nfs3.MakeFH(r.FH)
	if err != nil {
		t.Fatal(err)
	}
	return &client{nfs3.NewClient(program(t, s, how, nfs, nfs3.Program, nfs3.Version)), root, ctx, &rpc.Cred{}}
}

// must fails the test if err is not nil.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// create makes a file.
func (c *client) create(t *testing.T, name string) nfs3.FH {
	t.Helper()
	var r nfs3.CreateReply
	must(t, c.Create(c.ctx, c.cred, &nfs3.CreateArgs{Where: nfs3.DirOpArgs{Dir: c.root, Name: name}}, &r))
	return r.Object.FH
}

// write writes data at off.
func (c *client) write(t *testing.T, fh nfs3.FH, off uint64, data string, how nfs3.StableHow) (r nfs3.WriteReply) {
	t.Helper()
	must(t, c.Write(c.ctx, c.cred, &nfs3.WriteArgs{File: fh, Offset: off, Count: uint32(len(data)), Stable: how, Data: []byte(data)}, &r))
	return r
}
