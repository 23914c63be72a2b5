package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// locks looks at the way from the server to us: a lock that had to wait is
// granted by a call of the server's, and its restart is told by another. The
// server finds both by the rpcbind of this host, at the address that it sees.
func (d *doctor) locks(ctx context.Context, s *mount.Session) {
	from := s.Source().Addr().Unmap()
	if !d.wantsLocks() || !from.IsValid() {
		return
	}
	began := time.Now()
	netid := netidOf(portmap.NetidTCP, from)
	var all []portmap.Rpcb
	err := askServer(ctx, netid, from, portmap.Port, func(ctx context.Context, c *rpc.Client) (err error) {
		all, err = dumpAll(ctx, c)
		return err
	})
	f := finding{Check: "locks", Server: from.String(), Port: portmap.Port, Transport: netid, Asked: "the rpcbind of this host, where the server looks for us",
		LatencyMS: since(began), Answer: textOr(err, fmt.Sprintf("%d entries", len(all))), Result: isOK}
	if err != nil {
		f.Result = isNote
		f.Cause = "the server cannot find this host's lock manager: locks that wait are asked for again and again instead, and a restart of the server is not told"
		f.Try = []string{"systemctl enable --now rpcbind    # on this host", "gonfs mount " + word(d.spec.String()) + " DIR -o nolock"}
	}
	d.add(f)
	if err != nil {
		return
	}
	d.callbacks(ctx, from, all, nlm.Program, nlm.Version, "NLM", "gonfs registers one while something is mounted with locks; until then nobody is to be called")
	d.callbacks(ctx, from, all, nsm.Program, nsm.Version, "NSM", "gonfs listens for itself while something is mounted with locks")
}

// callbacks tries whether a program of this host can be reached at the address
// that the server sees.
func (d *doctor) callbacks(ctx context.Context, from netip.Addr, all []portmap.Rpcb, prog, vers uint32, name, lack string) {
	var here []way
	for _, w := range ways(all, prog, from) {
		if w.vers == vers {
			here = append(here, w)
		}
	}
	if len(here) == 0 {
		d.add(finding{Check: "locks", Server: from.String(), Asked: name + " of this host", Answer: "none is registered", Result: isNote, Cause: lack})
		return
	}
	d.ping(ctx, "localhost", from, prog, vers, name, here, true)
}
