package nfstest

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/rpc"
)

// statd is the NSM program: the server's own status monitor, which watches the
// hosts that have locks.
type statd struct{ s *Server }

// maxHosts bounds the list of watched hosts.
const maxHosts = 4096

// watchLocked watches a host.
func (s *Server) watchLocked(name string, at net.Addr) {
	if len(s.hosts) < maxHosts {
		s.hosts[name] = at
	}
}

// Notify is SM_NOTIFY of a client's host: it was restarted, so its locks are
// freed, but for those that it asked for in its new state.
func (d statd) Notify(_ context.Context, _ *rpc.Request, a *nsm.StatChge) {
	d.s.freeHost(a.Name, func(h *HeldLock) bool { return h.Monitored && h.State != a.State })
}

// Stat refuses, and tells the state number.
func (d statd) Stat(context.Context, *rpc.Request, string) nsm.StatRes {
	return nsm.StatRes{Res: nsm.Fail, State: d.s.NSMState()}
}

// Mon refuses: it is for the host's own services.
func (d statd) Mon(context.Context, *rpc.Request, *nsm.Mon) nsm.StatRes {
	return nsm.StatRes{Res: nsm.Fail, State: d.s.NSMState()}
}

// Unmon tells the state number.
func (d statd) Unmon(context.Context, *rpc.Request, *nsm.MonID) int32 { return d.s.NSMState() }

// UnmonAll tells the state number.
func (d statd) UnmonAll(context.Context, *rpc.Request, *nsm.MyID) int32 { return d.s.NSMState() }

// SimuCrash does nothing: Restart is for that.
func (d statd) SimuCrash(context.Context, *rpc.Request) {}

// NSMState returns the state number of the server's host: odd, and two more
// after each Restart.
func (s *Server) NSMState() int32 {
	s.lockMu.Lock()
	defer s.lockMu.Unlock()
	return s.nsmState
}

// SetGrace begins a grace period of d, in which locks are given to those only
// that held them before; 0 ends it. Restart begins one of Options.Grace.
func (s *Server) SetGrace(d time.Duration) {
	s.lockMu.Lock()
	s.graceEnd = s.o.Now().Add(d)
	s.lockMu.Unlock()
	s.note(fmt.Sprintf("grace period of %v", d))
}

// Notify sends SM_NOTIFY with a state number to all hosts that have had a
// monitored lock: Restart does so with its own number. It returns when all were
// sent, with how many were answered.
func (s *Server) Notify(state int32) (answered int) {
	s.lockMu.Lock()
	hosts := make([]net.Addr, 0, len(s.hosts))
	for _, at := range s.hosts {
		hosts = append(hosts, at)
	}
	s.lockMu.Unlock()
	for _, at := range hosts {
		err := s.callHost(at, "udp", nsm.Program, nsm.Version, func(ctx context.Context, c *rpc.Client) error {
			return nsm.NewClient(c).Notify(ctx, &nsm.StatChge{Name: "nfstest", State: state})
		})
		if s.note(fmt.Sprintf("SM_NOTIFY %d to %v: %v", state, at, err)); err == nil {
			answered++
		}
	}
	return answered
}

// restartLocks does what a restart of the host does to its locks: they are
// lost, the state number rises, a grace period begins, and the hosts are told
// in the background; that ends with the server, at the latest.
func (s *Server) restartLocks() {
	s.lockMu.Lock()
	s.locks, s.waiting, s.shares = nil, nil, nil
	clear(s.busy)
	s.nsmState += 2
	state := s.nsmState
	s.graceEnd = s.o.Now().Add(s.o.Grace)
	close(s.locksLost)
	s.locksLost = make(chan struct{})
	n := len(s.hosts)
	s.lockMu.Unlock()
	if n > 0 && !s.o.NoNotify {
		s.wg.Go(func() { s.Notify(state) })
	}
}
