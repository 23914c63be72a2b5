package lock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gonfs/gonfs/rpc"
)

// MonitorConfig configures a Monitor. Dir is required.
type MonitorConfig struct {
	// Dir is where the host's state number and its peers are kept: a directory
	// of this user alone, made if it is missing. All daemons of a user share
	// it.
	Dir string
	// Name is the caller_name of our NLM calls, by which servers know this
	// host; "" means the host name.
	Name string
	// Notify is called when a peer that some daemon of this host watches was
	// restarted, with its new state number, once for each number. It must not
	// block for long. Whether the notice is true nobody knows: it came over
	// UDP.
	Notify func(peer netip.Addr, name string, state int32)
	// Logger gets what goes wrong, each thing once; nil is silent.
	Logger *slog.Logger
}

// Peer is a server that holds locks of ours: what its users call it, and its
// address.
type Peer struct {
	Name string     `msgpack:"name"`
	Addr netip.Addr `msgpack:"addr"`
	// Statd says that the host's rpc.statd watches it too, and tells it of our
	// restart.
	Statd bool `msgpack:"statd"`
}

// Monitor is this host's side of the Network Status Monitor (package nsm): it
// keeps the state number and the peers over restarts of the host, tells the
// peers of one before the next lock is asked for, and listens for their
// restarts. Where the system's rpc.statd runs, it does the latter two, and we
// go through it. A Monitor is safe for concurrent use; one a process is
// enough.
type Monitor struct {
	cfg  MonitorConfig
	env  env
	log  *slog.Logger
	host *hostState
	life context.Context // ends with Close
	stop context.CancelFunc
	wg   sync.WaitGroup // the goroutines of the monitor

	mu      sync.Mutex // guards what follows
	statd   bool       // the system's rpc.statd watches for us
	state   int32
	watched map[netip.Addr]watching
	ear     *ear // where NOTIFY is listened for; nil where somebody else does
	heard   notices
	said    map[string]bool // what was logged
}

// errClosed is what Watch answers after Close.
var errClosed = errors.New("the lock monitor is closed")

// watching is a peer that this process watches.
type watching struct {
	Peer
	users int       // how many Watch are without their Unwatch
	flag  closeFunc // shows other daemons of the host that we may hold locks there
}

type closeFunc func()

// env is what a Monitor finds on its host; tests bring their own.
type env struct {
	bootID  string // of this boot of the host; "" if the system does not tell
	rpcbind string // the socket of rpcbind
	dial    dialFunc
	rivals  func(peer netip.Addr, pid int) string // who else may hold locks of this host at peer; "" if nobody
	looks   int                                   // how many times seek looks before it believes what it sees
	check   time.Duration                         // how often the registration is looked after
}

// thisHost is the env of a daemon.
func thisHost(rpcbind string) env {
	return env{bootID: bootID(), rpcbind: rpcbind, dial: dialReserved, rivals: rivals, looks: looks, check: 30 * time.Second}
}

// newMonitor opens the state of this host in c.Dir, begins to tell the peers of
// a restart of the host if this is the first start after one, and looks for the
// system's rpc.statd. ctx bounds just that. An error means that locks could not
// be recovered after a restart: the directory cannot be used.
func newMonitor(ctx context.Context, c MonitorConfig, e env) (*Monitor, error) {
	if c.Name == "" {
		c.Name, _ = os.Hostname() // the empty one is no worse than none
	}
	if c.Notify == nil {
		c.Notify = func(netip.Addr, string, int32) {}
	}
	m := &Monitor{cfg: c, env: e, log: c.Logger, watched: make(map[netip.Addr]watching), said: make(map[string]bool)}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if m.host, err = openHost(c.Dir, e.bootID); err != nil {
		return nil, fmt.Errorf("the state of this host's locks: %w", err)
	}
	m.state = m.host.boot.State
	m.life, m.stop = context.WithCancel(context.Background())
	m.heard.act = c.Notify
	m.seek(ctx)
	m.wg.Go(m.tend)       // ends with m.life
	m.wg.Go(m.tellOfBoot) // ends with m.life, or when all are told
	return m, nil
}

// State is this host's state number for the arguments of NLM: odd, and greater
// after each restart of the host.
func (m *Monitor) State() int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// Watch makes the restart of p known to us, and ours to p. It is to be called
// before the first lock at p is asked for. If p must still be told of a restart
// of this host, that is done now, with up to three attempts: told later, it
// would drop the new lock with the old ones. ctx cancels. The error is that of
// the state directory: without a record, locks would stay behind at p after a
// restart of this host. A rpc.statd that refuses to watch p is logged, no
// more: p's restart is noticed by other signs too.
func (m *Monitor) Watch(ctx context.Context, p Peer) error {
	p.Addr = p.Addr.Unmap().WithZone("")
	m.mu.Lock()
	w, known := m.watched[p.Addr]
	if known {
		w.users++
		m.watched[p.Addr] = w
	}
	p.Statd = m.statd
	m.mu.Unlock()
	if known {
		return nil
	}
	w = watching{Peer: p, users: 1, flag: showFlag(p.Addr, os.Getpid())}
	late, err := m.host.watch(p)
	if err != nil {
		w.flag()
		return fmt.Errorf("the record of locks at %v: %w", p.Addr, err)
	}
	if late {
		m.tellNow(ctx, p)
	}
	m.mu.Lock()
	old, raced := m.watched[p.Addr]
	if raced {
		old.users++
		m.watched[p.Addr] = old
	} else if m.watched != nil {
		m.watched[p.Addr] = w
	}
	closed := m.watched == nil
	m.mu.Unlock()
	if raced || closed {
		w.flag()
	}
	if closed {
		return errClosed
	}
	if p.Statd {
		m.mon(ctx, p)
	}
	return ctx.Err()
}

// Unwatch ends one Watch of p: no lock of ours is left there. The last one of
// the host's daemons takes p off the record. An error is that of the state
// directory; p is then told of a restart that does not concern it, no more.
func (m *Monitor) Unwatch(ctx context.Context, p Peer) error {
	p.Addr = p.Addr.Unmap().WithZone("")
	m.mu.Lock()
	w, known := m.watched[p.Addr]
	if w.users--; known && w.users > 0 {
		m.watched[p.Addr] = w
	} else {
		delete(m.watched, p.Addr)
	}
	m.mu.Unlock()
	if !known || w.users > 0 {
		return nil
	}
	last, err := m.host.unwatch(p.Addr)
	w.flag()
	if err != nil {
		return fmt.Errorf("the record of locks at %v: %w", p.Addr, err)
	}
	if last && w.Statd {
		m.unmon(ctx, w.Peer)
	}
	return nil
}

// Peers are the servers that this process watches.
func (m *Monitor) Peers() []Peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	var l []Peer
	for _, w := range m.watched {
		l = append(l, w.Peer)
	}
	slices.SortFunc(l, func(a, b Peer) int { return a.Addr.Compare(b.Addr) })
	return l
}

// Close stops listening and takes our registration at rpcbind off its list. The
// record of peers stays: what is watched may hold locks that a successor has to
// deal with.
func (m *Monitor) Close() error {
	if m.life.Err() != nil {
		return nil
	}
	m.stop()
	m.wg.Wait()
	m.mu.Lock()
	ear, flags := m.ear, m.watched
	m.ear, m.watched = nil, nil
	m.mu.Unlock()
	for _, w := range flags {
		w.flag()
	}
	m.heard.close()
	if ear != nil {
		ear.close()
	}
	return m.host.close()
}

// once warns at most once under a key.
func (m *Monitor) once(key, msg string, args ...any) { m.onceAt(slog.LevelWarn, key, msg, args...) }

// onceAt logs at most once under a key.
func (m *Monitor) onceAt(level slog.Level, key, msg string, args ...any) {
	m.mu.Lock()
	said := m.said[key]
	if len(m.said) < maxSaid {
		m.said[key] = true
	}
	m.mu.Unlock()
	if !said {
		m.log.Log(context.Background(), level, msg, args...)
	}
}

// maxSaid bounds what strangers can make us remember.
const maxSaid = 256

// policyOnce is for calls of this package: one transmission, whose caller has a
// deadline and sends again itself.
var policyOnce = rpc.Policy{Timeo: time.Hour, SoftConn: true}
