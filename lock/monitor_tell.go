package lock

import (
	"context"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// How a peer is told of a restart of this host, as sm-notify(8) does: by UDP,
// the first answer waited for 2 s, twice as long for each further one, up to
// two minutes, for a quarter of an hour; the port is asked for again after four
// notices.
const (
	tellFirst = 2 * time.Second
	tellMost  = 2 * time.Minute
	tellEnd   = 15 * time.Minute
	tellPort  = 4  // notices to one port
	tellers   = 16 // peers that are told at once
	tellTries = 3  // by Watch, whose caller waits
)

// tellWait is how long the answer to notice n, from 0, is waited for.
func tellWait(n int) time.Duration {
	if n >= 6 {
		return tellMost
	}
	return min(tellFirst<<n, tellMost)
}

// tellOfBoot tells all peers that held locks before the last restart of the
// host. They are told only by the first daemon after it: it alone finds them
// on the list.
func (m *Monitor) tellOfBoot() {
	b, err := m.host.record()
	if err != nil {
		m.once("record", "lock: the record of peers cannot be read", "error", err)
		return
	}
	end := tellUntil(time.Unix(b.Since, 0), time.Now())
	slots := make(chan struct{}, tellers)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, p := range b.Untold {
		select {
		case slots <- struct{}{}:
		case <-m.life.Done():
			return
		}
		wg.Go(func() { // ends when p is told, at the time limit, or with m
			m.keepTelling(p, end)
			<-slots
		})
	}
}

// tellUntil is when the peers are not told any more whom somebody began to tell at
// since. It is a moment of the monotonic clock: at boot the other one may be years
// behind until NTP sets it right.
func tellUntil(since, now time.Time) time.Time {
	return now.Add(min(tellEnd-now.Sub(since), tellEnd))
}

// keepTelling tells p until it answers or end has come.
func (m *Monitor) keepTelling(p Peer, end time.Time) {
	var t telling
	for {
		b, err := m.host.record()
		switch {
		case m.life.Err() != nil, err == nil && !contains(b.Untold, p.Addr):
			return // Watch took it over
		case m.spared(p), m.tell(m.life, p, &t):
		case time.Now().Before(end):
			continue
		default:
			m.log.Warn("lock: a server was not told of the restart of this host: locks from before may be left there", "server", p.Name, "address", p.Addr)
		}
		if err := m.host.told(p.Addr); err != nil {
			m.once("record", "lock: the record of peers cannot be written", "error", err)
		}
		return
	}
}

// tellNow tells p before the first lock is asked for.
func (m *Monitor) tellNow(ctx context.Context, p Peer) {
	var t telling
	for range tellTries {
		if m.spared(p) || m.tell(ctx, p, &t) || ctx.Err() != nil {
			return
		}
	}
	m.log.Warn("lock: a server does not answer SM_NOTIFY: locks from before the restart of this host may be left there", "server", p.Name, "address", p.Addr)
}

// spared reports whether p must not be told: somebody else on this host may
// have taken locks there since the restart, which p would drop as well.
func (m *Monitor) spared(p Peer) bool {
	who := m.env.rivals(p.Addr, os.Getpid())
	if who != "" {
		m.log.Info("lock: a server is not told of the restart of this host, because locks may be held there since", "server", p.Name, "by", who)
	}
	return who != ""
}

// telling is how far telling one peer has come.
type telling struct {
	sent int
	port uint16
}

// tell sends one notice, and waits for its answer as long as its turn is. An
// error of the network is waited out, too: the peer may be starting itself.
func (m *Monitor) tell(ctx context.Context, p Peer, t *telling) bool {
	ctx, stop := context.WithTimeout(ctx, tellWait(t.sent))
	defer stop()
	netid := portmap.NetidUDP
	if p.Addr.Is6() {
		netid = portmap.NetidUDP6
	}
	if t.sent%tellPort == 0 {
		t.port = 0
	}
	t.sent++
	if t.port == 0 {
		if t.port = m.askPort(ctx, netid, p.Addr); t.port == 0 {
			<-ctx.Done()
			return false
		}
	}
	err := m.call(ctx, netid, netip.AddrPortFrom(p.Addr, t.port), func(c *rpc.Client) error {
		return nsm.NewClient(c).Notify(ctx, &nsm.StatChge{Name: m.cfg.Name, State: m.State()})
	})
	if err != nil {
		<-ctx.Done()
		return false
	}
	return true
}

// askPort asks rpcbind at a for its status monitor; 0 means no answer.
func (m *Monitor) askPort(ctx context.Context, netid string, a netip.Addr) (port uint16) {
	_ = m.call(ctx, netid, netip.AddrPortFrom(a, portmap.Port), func(c *rpc.Client) (err error) {
		if a.Is4() {
			port, err = portmap.NewClient(c).Getport(ctx, portmap.Mapping{Prog: nsm.Program, Vers: nsm.Version, Prot: portmap.ProtUDP})
			return err
		}
		at, err := portmap.NewRpcbind(c, portmap.Version4).Getaddr(ctx, portmap.Rpcb{Prog: nsm.Program, Vers: nsm.Version, Netid: netid})
		port = at.Port()
		return err
	})
	return port
}
