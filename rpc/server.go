package rpc

import (
	"context"
	"net"

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
	ServeRPC(ctx context.Context, r *Request, reply *xdr.Codec) AcceptStat
}

// Server answers calls. It is small: for the callbacks of NLM and NSM, and for
// nfstest.
type Server struct{}

// Register makes p serve version vers of program prog.
func (s *Server) Register(prog, vers uint32, p Program) {}

// ServeConn answers the calls that come on conn until it ends, with up to 64
// calls being served at once.
func (s *Server) ServeConn(ctx context.Context, conn transport.Conn) error { return nil }

// AcceptStat is accept_stat of RFC 5531 section 9.
type AcceptStat uint32

// The values of accept_stat.
const (
	Success      AcceptStat = 0
	ProgUnavail  AcceptStat = 1
	ProgMismatch AcceptStat = 2
	ProcUnavail  AcceptStat = 3
	GarbageArgs  AcceptStat = 4
	SystemErr    AcceptStat = 5
)
