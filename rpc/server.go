package rpc

import (
	"context"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"

	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// Request is a call that a Server received.
type Request struct {
	XID              uint32
	Prog, Vers, Proc uint32
	Flavor           Flavor
	Cred             *Cred      // AUTH_SYS; nil otherwise
	Args             *xdr.Codec // positioned at the arguments
	Remote           net.Addr
}

// Program serves the calls of one version of one program.
type Program interface {
	// ServeRPC decodes the arguments from r.Args, and encodes the results
	// into reply, which is ignored unless it returns Success. It keeps neither
	// r nor reply. A payload that reply borrowed must not change afterwards.
	// It is called from many goroutines at once. ctx ends when the server
	// stops serving the connection that the call came on.
	ServeRPC(ctx context.Context, r *Request, reply *xdr.Codec) AcceptStat
}

// ProgramFunc is a Program that is one function.
type ProgramFunc func(ctx context.Context, r *Request, reply *xdr.Codec) AcceptStat

// ServeRPC calls f.
func (f ProgramFunc) ServeRPC(ctx context.Context, r *Request, reply *xdr.Codec) AcceptStat {
	return f(ctx, r, reply)
}

// Server answers calls. It is small: for the callbacks of NLM and NSM, and for
// nfstest. Its zero value serves no program yet; its fields must not change
// once it serves.
type Server struct {
	// Logger is told of panics and of replies that cannot be encoded; nil is
	// silent.
	Logger *slog.Logger
	// Observe, if set, sees each call with a well-formed header before its
	// program does. It must not touch r.Args.
	Observe func(r *Request)

	mu       sync.RWMutex // guards programs
	programs map[uint32]map[uint32]Program
}

// maxServing is how many calls of one connection are served at once. The
// reader then waits, so the peer feels it.
const maxServing = 64

// Register makes p serve version vers of program prog. It may be called at any
// time; a nil p ends the service.
func (s *Server) Register(prog, vers uint32, p Program) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p == nil {
		delete(s.programs[prog], vers)
		if len(s.programs[prog]) == 0 {
			delete(s.programs, prog)
		}
		return
	}
	if s.programs == nil {
		s.programs = make(map[uint32]map[uint32]Program)
	}
	if s.programs[prog] == nil {
		s.programs[prog] = make(map[uint32]Program)
	}
	s.programs[prog][vers] = p
}

// ServeConn answers the calls that come on conn until it ends, with up to 64
// calls being served at once, and then closes it. It returns the error of
// conn.Serve, after all calls were served: their ctx ends with ctx or with the
// connection. The end of ctx aborts the connection.
func (s *Server) ServeConn(ctx context.Context, conn transport.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Abort() })
	r := newServing(ctx, s)
	r.conn = conn
	err := conn.Serve(r)
	stop()
	conn.Close()
	cancel()
	r.running.Wait()
	return err
}

// ServePacketConn answers the calls that come as datagrams on pc until reading
// fails, with up to 64 being served at once. It returns that error, after all
// calls were served. The end of ctx closes pc.
func (s *Server) ServePacketConn(ctx context.Context, pc net.PacketConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { pc.Close() })
	defer stop()
	r := newServing(ctx, s)
	err := transport.ServePackets(pc, r.serve)
	cancel()
	r.running.Wait()
	return err
}

// program finds the program of r, or the accept_stat that says why there is
// none, with the versions that exist.
func (s *Server) program(r *Request) (p Program, stat AcceptStat, low, high uint32) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	versions := s.programs[r.Prog]
	if len(versions) == 0 {
		return nil, ProgUnavail, 0, 0
	}
	if p = versions[r.Vers]; p != nil {
		return p, Success, 0, 0
	}
	low = ^uint32(0)
	for v := range versions {
		low, high = min(low, v), max(high, v)
	}
	return nil, ProgMismatch, low, high
}

// run has p serve r. A panic of p costs the call, not the process.
func (s *Server) run(ctx context.Context, p Program, r *Request, reply *xdr.Codec) (stat AcceptStat) {
	defer func() {
		if v := recover(); v != nil {
			stat = SystemErr
			if s.Logger != nil {
				s.Logger.Error("rpc: panic while serving a call", "program", r.Prog, "version", r.Vers,
					"procedure", r.Proc, "panic", v, "stack", string(debug.Stack()))
			}
		}
	}()
	stat = p.ServeRPC(ctx, r, reply)
	if stat != Success {
		return stat
	}
	if r.Args.Err() != nil {
		return GarbageArgs
	}
	if err := reply.Err(); err != nil {
		if s.Logger != nil {
			s.Logger.Error("rpc: results cannot be encoded", "program", r.Prog, "version", r.Vers,
				"procedure", r.Proc, "error", err)
		}
		return SystemErr
	}
	return Success
}
