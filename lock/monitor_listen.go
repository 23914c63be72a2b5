package lock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// ear is where NOTIFY is listened for: the sockets that rpcbind knows.
type ear struct {
	*ears
	reg  *portmap.Registrar
	rpcb *rpc.Client
}

// How often, and after which pause, it is looked who the status monitor is: a
// sibling that comes or goes just then may show as a stranger, as its record
// and the list of rpcbind are not read in one moment.
const (
	looks     = 5
	lookPause = 50 * time.Millisecond // doubled each time
)

// seek finds out who is the host's status monitor: the system's rpc.statd,
// another daemon of ours, or, if there is none, we ourselves. It is asked at
// the start and from time to time, since each of them may come and go.
func (m *Monitor) seek(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, statdTime)
	defer stop()
	for n, pause := 1, lookPause; ; n, pause = n+1, 2*pause {
		err := m.look(ctx)
		if err == nil || m.over(ctx) {
			return
		}
		var absent *noRpcbindError
		switch {
		case errors.As(err, &absent):
			m.onceAt(slog.LevelInfo, "rpcbind", "lock: no rpcbind here: restarts of servers are noticed by polling", "error", absent.err)
			return
		case n < m.env.looks && rpc.Sleep(ctx, pause) == nil:
		case m.over(ctx):
			return
		case errors.Is(err, errStatd):
			m.once("statd", "lock: a status monitor is registered here, but does not answer: restarts of servers are noticed by polling", "error", err)
			return
		default:
			m.once("register", "lock: not registered as status monitor: restarts of servers are noticed by polling", "error", err)
			return
		}
	}
}

// errStatd says that the status monitor that rpcbind names did not answer.
var errStatd = errors.New("rpc.statd of this host")

// look is one attempt of seek.
func (m *Monitor) look(ctx context.Context) error {
	c, err := portmap.DialLocal(ctx, m.env.rpcbind)
	if err != nil {
		return &noRpcbindError{err}
	}
	reg := portmap.NewRegistrar(c)
	list, err := portmap.NewRpcbind(c, portmap.Version4).Dump(ctx)
	if err == nil {
		var living, dead []portmap.Rpcb
		if living, dead, err = m.host.registrations(); err == nil {
			reg.Adopt(dead...)
			err = reg.Unregister(ctx)
			list = slices.DeleteFunc(list, func(r portmap.Rpcb) bool { return slices.ContainsFunc(dead, r.Same) })
		}
		ours := func(r portmap.Rpcb) bool { return slices.ContainsFunc(living, r.Same) }
		foreign := slices.IndexFunc(list, func(r portmap.Rpcb) bool { return r.Prog == nsm.Program && !ours(r) }) >= 0
		switch {
		case err != nil:
		case foreign:
			c.Close()
			return m.beside(ctx)
		case slices.ContainsFunc(list, func(r portmap.Rpcb) bool { return r.Prog == nsm.Program }):
			c.Close() // a sibling listens, and hands on what it hears
			m.alone(nil)
			return nil
		default:
			if err = m.listen(ctx, c, reg); err == nil {
				return nil
			}
		}
	}
	c.Close()
	return err
}

// over reports whether what failed was given up, with the mount: nobody wants
// to hear of it.
func (m *Monitor) over(ctx context.Context) bool {
	return m.life.Err() != nil || errors.Is(ctx.Err(), context.Canceled)
}

// beside makes the system's rpc.statd watch for us, if it answers and does not
// do so already. The error is errStatd.
func (m *Monitor) beside(ctx context.Context) error {
	m.mu.Lock()
	already := m.statd
	m.mu.Unlock()
	if already {
		return nil
	}
	err := m.statdCall(ctx, func(c *nsm.Client) error {
		state, err := c.Stat(ctx, "localhost")
		var refused *nsm.Error
		if errors.As(err, &refused) {
			return nil // MON will tell
		}
		m.setState(state)
		return err
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errStatd, err)
	}
	m.mu.Lock()
	var peers []Peer
	if !m.statd {
		m.statd = true
		for a, w := range m.watched {
			w.Statd = true
			m.watched[a] = w
			peers = append(peers, w.Peer)
		}
	}
	m.mu.Unlock()
	for _, p := range peers {
		m.mon(ctx, p)
	}
	return nil
}

// listen makes us the host's status monitor, as far as notices go: nobody else
// is registered. It owns c from now on, unless it fails.
func (m *Monitor) listen(ctx context.Context, c *rpc.Client, reg *portmap.Registrar) error {
	l, err := openEars()
	if err != nil {
		return err
	}
	// On our own record first: a sibling must not take us for the system's.
	services := l.services(nsm.Program, nsm.Version)
	if err = m.host.registered(services); err == nil {
		err = reg.Register(ctx, services...)
	}
	if err != nil {
		l.close()
		return errors.Join(err, m.host.registered(nil))
	}
	l.serve(m.life, nsm.Program, nsm.Version, nsm.Serve(listener{m}), m.log)
	e := &ear{ears: l, reg: reg, rpcb: c}
	m.alone(e)
	return nil
}

// alone makes our own record what counts: the system has no rpc.statd. e is
// where we listen, or nil.
func (m *Monitor) alone(e *ear) {
	state := m.host.state()
	m.mu.Lock()
	m.ear, m.statd, m.state = e, false, state
	m.mu.Unlock()
}

// state is the state number of the record.
func (h *hostState) state() int32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.boot.State
}

// close ends the registration, then the sockets.
func (e *ear) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = e.reg.Unregister(ctx) // rpcbind may be gone
	e.rpcb.Close()
	e.ears.close()
}

// tend looks after the registration until m ends: rpcbind may have been
// restarted, a sibling that listened may be gone, rpc.statd may have come.
func (m *Monitor) tend() {
	t := time.NewTicker(m.env.check)
	defer t.Stop()
	for {
		select {
		case <-m.life.Done():
			return
		case <-t.C:
		}
		m.mu.Lock()
		e := m.ear
		m.mu.Unlock()
		if e != nil {
			lost, err := e.reg.Lost(m.life)
			if err == nil && len(lost) == 0 {
				continue
			}
			m.mu.Lock()
			m.ear = nil
			m.mu.Unlock()
			e.close()
			_ = m.host.registered(nil) // the sockets are gone: nothing there answers any more
		}
		m.seek(m.life)
	}
}

// listener is the status monitor that we are to other hosts: it hears notices,
// and watches nobody for others.
type listener struct{ m *Monitor }

// Notify hears a notice.
func (l listener) Notify(_ context.Context, r *rpc.Request, s *nsm.StatChge) {
	from, _ := netip.ParseAddrPort(r.Remote.String())
	l.m.hear(from.Addr().Unmap().WithZone(""), s.Name, s.State)
}

// Stat refuses: a daemon of one user's mounts cannot watch for others.
func (l listener) Stat(context.Context, *rpc.Request, string) nsm.StatRes {
	return nsm.StatRes{Res: nsm.Fail, State: l.m.State()}
}

// Mon refuses.
func (l listener) Mon(context.Context, *rpc.Request, *nsm.Mon) nsm.StatRes {
	return nsm.StatRes{Res: nsm.Fail, State: l.m.State()}
}

// Unmon has nothing to end.
func (l listener) Unmon(context.Context, *rpc.Request, *nsm.MonID) int32 { return l.m.State() }

// UnmonAll has nothing to end.
func (l listener) UnmonAll(context.Context, *rpc.Request, *nsm.MyID) int32 { return l.m.State() }

// SimuCrash does nothing: anybody could have all locks of this host dropped.
func (l listener) SimuCrash(context.Context, *rpc.Request) {}
