package nfstest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/portmap"
)

// Server is an NFS server for tests. New makes one that can be reached through
// DialContext at once; Start adds ports on the loopback interface.
type Server struct {
	o    Options
	seed uint64

	fsMu sync.Mutex // guards fs
	fs   store

	// running is held shared while a call is executed, and whole by Restart:
	// no call of a connection from before a restart is executed after it.
	running sync.RWMutex

	err    error           // why New could not open Options.Dir
	ctx    context.Context // ends at Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // all goroutines of the server

	mu       sync.Mutex // guards everything below
	closed   bool
	down     bool          // Down was called: connections are refused
	frozen   chan struct{} // not nil after Freeze; closed by Thaw
	boots    uint64        // makes the write verifier
	gen      uint64        // counts restarts
	links    map[*link]struct{}
	socks    [doors][]socket
	nets     []string // of Start
	ports    [doors]uint16
	memPorts int              // source ports that DialContext has given out
	memFree  map[string][]int // those that are free again, by destination

	services []portmap.Rpcb // of the clients' host: see ListenLocal
	local    []socket       // of ListenLocal

	mounts []mountd.Mount
	counts map[string]int
	log    ring
	rules  []*rule
	rng    *rand.Rand
	broken []Violation
	cache  drc

	lockMu    sync.Mutex // guards what follows; fsMu and mu are never taken with it held
	locks     lockTable
	waiting   []*waiter // the oldest first
	shares    []share
	granting  map[string]chan nlm.Stats // GRANTED_MSGs without their GRANTED_RES, by cookie
	cookies   uint64
	busy      map[ownerFile]uint32 // LOCKs that are outstanding, by XID
	locksLost chan struct{}        // closed by the next restart
	graceEnd  time.Time
	nsmState  int32
	hosts     map[string]net.Addr // watched for their restart, by caller_name
}

// New returns a server with an empty file system, or one over Options.Dir; if
// that cannot be opened, Start and DialContext say why.
func New(o Options) *Server {
	o = o.filled()
	s := &Server{o: o, seed: o.Seed, links: make(map[*link]struct{}), counts: make(map[string]int), memFree: make(map[string][]int)}
	s.granting, s.locksLost = make(map[string]chan nlm.Stats), make(chan struct{})
	s.busy = make(map[ownerFile]uint32)
	s.hosts, s.nsmState = make(map[string]net.Addr), 1
	if s.seed == 0 {
		s.seed = rand.Uint64()
	}
	s.rng = rand.New(rand.NewPCG(s.seed, s.seed))
	s.fs = newMemory(&o)
	if o.Dir != "" {
		if d, err := newDirStore(&o); err != nil {
			s.err = err
		} else {
			s.fs = d
		}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends all connections and waits for all goroutines of the server. It
// then checks, in strict mode, that no file holds UNSTABLE data that was never
// committed, and that no lock is left. The file system can still be read with
// ReadFile and its like.
func (s *Server) Close() error {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	s.mu.Unlock()
	if was {
		return nil
	}
	s.cancel()
	s.Thaw()
	s.mu.Lock()
	local := s.local
	s.mu.Unlock()
	for _, k := range local {
		k.Close()
	}
	s.hangUp(true)
	s.wg.Wait()
	for _, h := range s.Locks() {
		s.violate(LockLeft, nil, fmt.Sprintf("bytes %d to %d of a file, owner %d of %q", h.First, h.Last, h.Owner.Svid, h.Owner.Host))
	}
	s.fsMu.Lock()
	for _, path := range s.fs.unsaved() {
		s.violate(NotCommitted, nil, fmt.Sprintf("%s holds UNSTABLE data at the end", path))
	}
	err := s.fs.close()
	s.fsMu.Unlock()
	return err
}

// hangUp ends all connections, with RST where there is one, and closes the
// listening sockets too if asked to.
func (s *Server) hangUp(listeners bool) {
	s.mu.Lock()
	var links []*link
	for l := range s.links {
		if l.network != networkLocal || s.closed { // rpcbind of the host does not end with the server
			links = append(links, l)
		}
	}
	var socks []socket
	if listeners {
		for d := range s.socks {
			socks = append(socks, s.socks[d]...)
			s.socks[d] = nil
		}
	}
	s.mu.Unlock()
	for _, k := range socks {
		k.Close()
	}
	for _, l := range links {
		l.abort()
	}
}

// verifier is the write verifier (RFC 1813 section 3.3.7): another one after
// each restart.
func (s *Server) verifier() (v [8]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	binary.BigEndian.PutUint32(v[:], uint32(s.seed))
	binary.BigEndian.PutUint32(v[4:], uint32(s.boots))
	return v
}

// changeVerf makes the write verifier another one.
func (s *Server) changeVerf() {
	s.mu.Lock()
	s.boots++
	s.mu.Unlock()
}

// Seed returns the seed of the random numbers, for Options.Seed of the run
// that repeats this one.
func (s *Server) Seed() uint64 { return s.seed }

// ErrClosed is the error of Start and Up after Close.
var ErrClosed = errors.New("nfstest: server closed")

// socket is what listens: a net.Listener or a net.PacketConn.
type socket interface{ Close() error }

// portOf returns the port of an address.
func portOf(a net.Addr) uint16 {
	switch a := a.(type) {
	case *net.TCPAddr:
		return uint16(a.Port)
	case *net.UDPAddr:
		return uint16(a.Port)
	}
	return 0
}
