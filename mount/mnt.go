package mount

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/rpc"
)

// mounted is an export that a mountd has granted: how it was asked, so that
// UMNT goes the same way, and what it answered.
type mounted struct {
	at      target
	by      endpoint
	from    uint16 // the source port
	fh      []byte
	flavors []uint32
}

// mnt asks the mountd of t for the export, over each endpoint in turn. One that
// is silent is not given up, but after 3 s the next is tried beside it: whoever
// answers first, counts. MNT may be executed twice.
func (m *mounter) mnt(ctx context.Context, t target, ways []endpoint) (*mounted, *Error) {
	type result struct {
		mounted *mounted
		err     *Error // neither: there is no such way
	}
	ctx, stop := context.WithCancel(ctx)
	results := make(chan result, len(ways))
	started, ended := 0, 0
	defer func() { // the losers end with ctx
		for stop(); ended < started; ended++ {
			<-results
		}
	}()
	var worst *Error
	hedge := time.NewTimer(0)
	defer hedge.Stop()
	for {
		select {
		case <-hedge.C:
		case r := <-results:
			ended++
			switch {
			case r.mounted != nil, r.err != nil && !r.err.otherWay():
				return r.mounted, r.err
			case r.err != nil:
				worst = telling(worst, r.err)
			}
		}
		switch {
		case started < len(ways):
			way := ways[started]
			started++
			go func() { // ends with settle and mntOver, which are bounded
				var r result
				if way, ok := m.settle(ctx, t, &m.plan.Mountd, way); ok {
					r.mounted, r.err = m.mntOver(ctx, t, way)
				}
				results <- r
			}()
			hedge.Reset(hedgeAfter)
		case ended == started:
			return nil, worst
		}
	}
}

// mntOver asks over one endpoint.
func (m *mounter) mntOver(ctx context.Context, t target, e endpoint) (*mounted, *Error) {
	ctx, stop := within(ctx, answerLimit(e.netid), "mountd over "+e.netid)
	defer stop()
	end := m.trace.begin(stepTo("MNT", t, e, "MNT of "+m.cfg.Spec.Path))
	// MOUNT is called with AUTH_SYS whatever the flavour of NFS will be.
	c, err := m.open(ctx, t, e, m.resvport, rpc.AuthSys(m.machine), retransmit)
	if err = reason(ctx, err); err != nil {
		end("", "", err)
		return nil, m.newError("MNT", t, err, "")
	}
	defer c.Close()
	from := c.local.Port()
	r, err := mountd.NewClient(c.Client).Mnt(ctx, m.cfg.Spec.Path)
	if err = reason(ctx, err); err != nil {
		hint := m.mntHint(err, e.netid, from, c.taken)
		end("", hint, err)
		return nil, m.newError("MNT", t, err, hint)
	}
	end(fmt.Sprintf("granted to port %d: a handle of %d bytes, flavours %s", from, len(r.FH), flavorNames(r.Flavors)), "", nil)
	m.log.DebugContext(ctx, "export granted", "spec", m.spec, "netid", e.netid, "port", e.port, "flavors", r.Flavors)
	return &mounted{at: t, by: e, from: from, fh: r.FH, flavors: r.Flavors}, nil
}

// mntHint explains a refusal of mountd.
func (m *mounter) mntHint(err error, netid string, from uint16, taken bool) string {
	var s mountd.Status
	if errors.As(err, &s) && s.Errno() == mountd.ErrAcces.Errno() && from >= 1024 {
		if taken {
			return "it is not exported to this host, or " + noPort
		}
		if m.resvport {
			return "it is not exported to this host, or the export wants a reserved port: run as root or export it insecure"
		}
		return "it is not exported to this host, or the export wants a reserved port: mount it without noresvport"
	}
	return m.authHint(err, netid, from, taken)
}

// umnt tells the mountd that had granted an export that it is not used any
// more. It takes a second at most: nothing depends on it.
func (m *mounter) umnt(ctx context.Context, g *mounted) error {
	ctx, stop := within(ctx, umountLimit, "mountd over "+g.by.netid)
	defer stop()
	c, err := m.open(ctx, g.at, g.by, m.resvport, rpc.AuthSys(m.machine), umntResend)
	if err != nil {
		return m.newError("UMNT", g.at, err, "")
	}
	defer c.Close()
	if err = reason(ctx, mountd.NewClient(c.Client).Umnt(ctx, m.cfg.Spec.Path)); err != nil {
		return m.newError("UMNT", g.at, err, "")
	}
	return nil
}
