package rpc

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/gonfs/gonfs/transport"
)

// Options configure a Client. Program, Version and Dial are required.
type Options struct {
	Program, Version uint32

	// Dial opens a connection; last is the source address that the endpoint
	// had before, or zero. It is called again for each reconnection, so it may
	// ask rpcbind again for the port. Its ctx ends when the Client is closed.
	Dial func(ctx context.Context, last netip.AddrPort) (transport.Conn, error)

	// Probe opens a connection from any port to where the last one of Dial
	// went, to see whether the server answers while another connection is
	// silent; it ends after one NULL. nil is Dial with a zero address.
	Probe func(ctx context.Context) (transport.Conn, error)

	Policy Policy
	// Idle is how long a connection is kept that no call needs; the next call
	// opens another. 0 is for ever.
	Idle time.Duration
	// Auth makes credentials; nil is AUTH_NONE.
	Auth Auth
	// Cred is used for calls that bring none.
	Cred Cred
	// Connections is how many endpoints the client has (nfs(5) nconnect);
	// 0 means 1.
	Connections int
	// Server names the server in messages.
	Server string
	// Logger gets "not responding" and "OK"; nil is silent.
	Logger *slog.Logger
}

// Client calls the procedures of one version of one program at one server. It
// is safe for concurrent use.
type Client struct {
	core       *core
	prog, vers uint32
	auth       Auth
	cred       Cred
	procs      []procTable // one for each endpoint, whose mutex guards it
}

// core is what the Clients share that were bound to the same connections.
type core struct {
	policy    Policy
	major     time.Duration // policy.Major()
	server    string
	log       *slog.Logger
	dial      func(ctx context.Context, last netip.AddrPort) (transport.Conn, error)
	probe     func(ctx context.Context) (transport.Conn, error) // may be nil
	idle      time.Duration
	asleep    func() time.Duration // how long the machine was suspended
	null      *Client              // for pings
	prober    prober
	endpoints []*endpoint
	turn      atomic.Uint32 // where the search for the least loaded begins
	outages   atomic.Int32  // endpoints that do not answer
	counters  counters
	hooks     atomic.Pointer[[]*relayHook]
}

// NewClient returns a client; the first call connects.
func NewClient(o Options) *Client {
	c := &core{
		policy: o.Policy.orDefault(),
		server: o.Server,
		log:    o.Logger,
		dial:   o.Dial,
		probe:  o.Probe,
		idle:   o.Idle,
		asleep: asleep,
	}
	c.major = c.policy.Major()
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	for i := range max(o.Connections, 1) {
		c.endpoints = append(c.endpoints, newEndpoint(c, i))
	}
	c.null = newClient(c, o.Program, o.Version, AuthNone(), Cred{})
	auth := o.Auth
	if auth == nil {
		auth = AuthNone()
	}
	return newClient(c, o.Program, o.Version, auth, o.Cred)
}

func newClient(c *core, prog, vers uint32, auth Auth, cred Cred) *Client {
	return &Client{core: c, prog: prog, vers: vers, auth: auth, cred: cred, procs: make([]procTable, len(c.endpoints))}
}

// Bind returns a client of another program on the same connections: NFSACL
// runs on the connection of NFS. Closing either closes both. Its statistics
// are its own.
func (c *Client) Bind(program, version uint32) *Client {
	return newClient(c.core, program, version, c.auth, c.cred)
}

// Call makes one call and waits for its reply. On nil the reply was decoded
// into call.Reply. Errors: *TimeoutError (soft mounts), *ReplayError,
// *AcceptError and *DeniedError (the server refused), *ProtocolError (the
// server spoke nonsense), ErrClosed, the cause of ctx, or, where the policy
// says SoftConn, the error of the network. An error of encoding call.Args and
// a *transport.SizeError are returned as they are.
//
// The end of ctx ends the wait at once (a call that is in the middle of
// sending a payload: within 400 ms) and leaves the connection usable; see
// GiveUpper for who may go on waiting. Whether the server executes a call that
// was given up is unknown if call.Transmissions is not 0.
//
// GARBAGE_ARGS, SYSTEM_ERR and results that cannot be decoded may be the fault
// of the path: such a call is sent again, twice at most, with the same XID.
// Over UDP a malformed reply is dropped as if it had not come.
func (c *Client) Call(ctx context.Context, call *Call) error {
	ep := c.core.pick()
	p := ep.pool.Get().(*pending)
	p.begin(c, ep, call, ctx)
	ran := false
	defer func() {
		if !ran { // Reply's XDR panics: others must not wait for that
			p.end(context.Canceled)
		}
	}()
	err := p.run()
	ran = true
	if !p.left() || !p.detach(call.Detach()) {
		p.end(err)
	}
	return err
}

// Close ends the connections at once; pending calls end with ErrClosed. It
// waits for the connections' goroutines, but not longer than a second.
func (c *Client) Close() error {
	for _, ep := range c.core.endpoints {
		ep.close()
	}
	late := time.NewTimer(time.Second)
	defer late.Stop()
	for _, ep := range c.core.endpoints {
		select {
		case <-ep.gone():
		case <-late.C:
			return nil // a Dial that does not heed its context
		}
	}
	return nil
}

// pick returns the endpoint with the fewest calls.
func (c *core) pick() *endpoint {
	if len(c.endpoints) == 1 {
		return c.endpoints[0]
	}
	at := int(c.turn.Add(1)) % len(c.endpoints)
	best := c.endpoints[at]
	for i := range c.endpoints {
		if ep := c.endpoints[(at+i)%len(c.endpoints)]; ep.load.Load() < best.load.Load() {
			best = ep
		}
	}
	return best
}
