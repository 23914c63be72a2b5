package lock

import (
	"context"
	"net/netip"
	"time"
)

// Start begins to look after this host's side of locking: the status monitor,
// what dead daemons left, and callbacks. The first lock at the server does it
// otherwise; a daemon should not wait for that, as others' locks may wait for
// it. It does not wait for anything.
func (e *Engine) Start() {
	if e.caller == nil {
		return
	}
	e.started.Do(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.closed {
			return
		}
		e.keepers.Go(e.keep) // ends with life, as the others
		if e.stateDir == "" {
			return
		}
		e.keepers.Go(func() { e.watchJournals(e.stateDir) })
		if e.siblings != nil {
			e.keepers.Go(func() { e.getMonitor() })
			e.keepers.Go(func() { e.serveCallbacks(e.stateDir) })
		}
	})
}

// getMonitor returns the host's side of NSM, opening it; nil if it cannot be
// had. Who has no siblings has none: he could not hand notices on.
func (e *Engine) getMonitor() *Monitor {
	if e.stateDir == "" || e.siblings == nil {
		return nil
	}
	e.monitorOnce.Do(func() {
		c := MonitorConfig{Dir: e.stateDir, Name: e.machine, Notify: e.notified, Logger: e.log}
		m, err := newMonitor(e.life, c, thisHost(e.rpcbind))
		if err != nil {
			e.log.Warn("lock: no status monitor: if this host crashes its locks may stay at servers", "error", err)
			return
		}
		e.monitor.Store(m)
	})
	return e.monitor.Load()
}

// watch has the server watched before the first lock is asked for, once.
func (e *Engine) watch() {
	e.watchOnce.Do(func() {
		e.Start()
		m := e.getMonitor()
		if m == nil || !e.peer().Addr.IsValid() {
			return
		}
		if err := m.Watch(e.life, e.peer()); err != nil && e.life.Err() == nil {
			e.log.Warn("lock: the server is not watched: after a restart of this host its locks may stay there", "server", e.caller.server.Name, "error", err)
		}
	})
}

// peer is the server as the monitor knows it.
func (e *Engine) peer() Peer { return Peer{Name: e.caller.server.Name, Addr: e.caller.server.addr()} }

// state is this host's NSM state for LOCK; 0 says that it has none.
func (e *Engine) state() int32 {
	if m := e.monitor.Load(); m != nil {
		return m.State()
	}
	return 0
}

// notified is told of a restart of a server: siblings may have locks there.
func (e *Engine) notified(peer netip.Addr, name string, state int32) {
	e.Rebooted(peer, name)
	if e.siblings == nil || !e.begin() {
		return
	}
	go func() { // ends with siblingTime
		defer e.jobs.Done()
		ctx, stop := context.WithTimeout(e.life, siblingTime)
		defer stop()
		e.siblings.Rebooted(ctx, peer, name, state)
	}()
}

// Rebooted tells that the NSM of the host at peer, or called name, says that it
// has restarted. If it is the server of this engine, its locks are looked at.
func (e *Engine) Rebooted(peer netip.Addr, name string) {
	if e.caller == nil {
		return
	}
	if own := e.peer(); own.Addr.IsValid() && own.Addr == peer || name != "" && name == own.Name {
		e.Suspect("its status monitor says so")
	}
}

// stop ends what Start began. clean says that no lock is left at the server.
func (e *Engine) stop(clean bool) {
	e.keepers.Wait()
	m := e.monitor.Load()
	if m == nil {
		return
	}
	if clean {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = m.Unwatch(ctx, e.peer()) // what stays on the record costs a needless notice
	}
	_ = m.Close()
}
