package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// talk holds the whole conversation with the server, whose programs must be at
// their usual ports.
func talk(ctx context.Context, server string, s *script) error {
	for _, netid := range []string{"tcp", "udp"} {
		c := dial(server, netid, 111, portmap.Program, portmap.Version2)
		talkPortmap(ctx, s, c, netid)
		if err := c.Close(); err != nil {
			return err
		}
	}
	mount := dial(server, "tcp", 635, mountd.Program, mountd.Version)
	defer mount.Close()
	root, ro := talkMountd(ctx, s, mountd.NewClient(mount))
	if s.err != nil {
		return s.err
	}
	tcp := dial(server, "tcp", 2049, nfs3.Program, nfs3.Version)
	defer tcp.Close()
	udp := dial(server, "udp", 2049, nfs3.Program, nfs3.Version)
	defer udp.Close()
	talkNFS(ctx, s, nfs3.NewClient(tcp), nfs3.NewClient(udp), root, ro)
	talkRPC(ctx, s, server, root)
	return s.err
}

// dial returns a client of one program that calls as root with two groups.
func dial(server, netid string, port uint16, prog, vers uint32) *rpc.Client {
	d := &transport.Dialer{Reserved: true}
	address := net.JoinHostPort(server, strconv.Itoa(int(port)))
	return rpc.NewClient(rpc.Options{
		Program: prog, Version: vers,
		Dial: func(ctx context.Context, last netip.AddrPort) (transport.Conn, error) {
			return d.Dial(ctx, netid, address, last)
		},
		Auth:   rpc.AuthSys("client.example"),
		Cred:   *rpc.NewCred(0, 0, []uint32{4, 27}),
		Policy: rpc.Policy{Recovery: rpc.Soft, SoftConn: true},
	})
}

// talkPortmap asks rpcbind in all of its versions.
func talkPortmap(ctx context.Context, s *script, c *rpc.Client, netid string) {
	label := func(text string) string {
		if netid == "udp" {
			return text + "-udp"
		}
		return text
	}
	v2 := portmap.NewClient(c)
	s.ok("portmap", "NULL", label("v2"), func() error { return v2.Null(ctx) })
	s.ok("portmap", "GETPORT", label("v2"), func() error {
		_, err := v2.Getport(ctx, portmap.Mapping{Prog: nfs3.Program, Vers: nfs3.Version, Prot: portmap.ProtTCP})
		return err
	})
	s.fails("portmap", "GETPORT", label("v2-absent"), portmap.ErrNotRegistered, func() error {
		_, err := v2.Getport(ctx, portmap.Mapping{Prog: 100099, Vers: 1, Prot: portmap.ProtUDP})
		return err
	})
	s.ok("portmap", "DUMP", label("v2"), func() error { _, err := v2.Dump(ctx); return err })
	for _, version := range []uint32{3, 4} {
		b, v := portmap.NewRpcbind(c, version), "v"+strconv.Itoa(int(version))
		s.ok("portmap", "NULL", label(v), func() error { return b.Null(ctx) })
		s.ok("portmap", "GETADDR", label(v), func() error {
			_, err := b.Getaddr(ctx, portmap.Rpcb{Prog: mountd.Program, Vers: mountd.Version, Netid: netid})
			return err
		})
		s.ok("portmap", "GETADDR", label(v+"-ipv6"), func() error {
			_, err := b.Getaddr(ctx, portmap.Rpcb{Prog: nfs3.Program, Vers: nfs3.Version, Netid: netid + "6"})
			if errors.Is(err, portmap.ErrNotRegistered) {
				return nil // asked over IPv4, rpcbind may have no address to tell
			}
			return err
		})
		s.fails("portmap", "GETADDR", label(v+"-absent"), portmap.ErrNotRegistered, func() error {
			_, err := b.Getaddr(ctx, portmap.Rpcb{Prog: 100099, Vers: 1, Netid: netid})
			return err
		})
		s.ok("portmap", "DUMP", label(v), func() error { _, err := b.Dump(ctx); return err })
	}
}

// talkMountd mounts /rw and /ro and returns their handles.
func talkMountd(ctx context.Context, s *script, c *mountd.Client) (root, ro nfs3.FH) {
	mnt := func(path string, fh *nfs3.FH) func() error {
		return func() error {
			r, err := c.Mnt(ctx, path)
			if err == nil {
				*fh, err = nfs3.MakeFH(r.FH)
			}
			return err
		}
	}
	s.ok("mountd", "NULL", "", func() error { return c.Null(ctx) })
	s.ok("mountd", "MNT", "", mnt("/rw", &root))
	s.ok("mountd", "MNT", "ro", mnt("/ro", &ro))
	// nfs-ganesha 4.3 says ACCES of what is absent, too.
	s.fails("mountd", "MNT", "absent", mountd.ErrAcces, mnt("/rw/absent", new(nfs3.FH)))
	s.fails("mountd", "MNT", "acces", mountd.ErrAcces, mnt("/deny", new(nfs3.FH)))
	s.ok("mountd", "EXPORT", "", func() error { _, err := c.Export(ctx); return err })
	s.ok("mountd", "DUMP", "", func() error { _, err := c.Dump(ctx); return err })
	s.ok("mountd", "UMNT", "", func() error { return c.Umnt(ctx, "/ro") })
	s.ok("mountd", "UMNTALL", "", func() error { return c.Umntall(ctx) })
	s.ok("mountd", "DUMP", "empty", func() error { _, err := c.Dump(ctx); return err })
	return root, ro
}
