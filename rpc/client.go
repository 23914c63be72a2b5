package rpc

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"

	"github.com/gonfs/gonfs/transport"
)

// Options configure a Client. Program, Version and Dial are required.
type Options struct {
	Program, Version uint32

	// Dial opens a connection; last is the source address that the endpoint
	// had before, or zero. It is called again for each reconnection, so it may
	// ask rpcbind again for the port.
	Dial func(ctx context.Context, last netip.AddrPort) (transport.Conn, error)

	Policy Policy
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
	o Options
}

// NewClient returns a client; the first call connects.
func NewClient(o Options) *Client { return &Client{o: o} }

// Bind returns a client of another program on the same connections: NFSACL
// runs on the connection of NFS. Closing either closes both.
func (c *Client) Bind(program, version uint32) *Client {
	o := c.o
	o.Program, o.Version = program, version
	return &Client{o: o}
}

// Call makes one call and waits for its reply. On nil the reply was decoded
// into call.Reply. Errors: *TimeoutError (soft mounts), *ReplayError,
// *AcceptError and *DeniedError (the server refused), *ProtocolError (the
// server spoke nonsense), ErrClosed, or the cause of ctx.
func (c *Client) Call(ctx context.Context, call *Call) error {
	return errors.New("rpc: Call: not written yet")
}

// Close ends the connections; pending calls end with ErrClosed.
func (c *Client) Close() error { return nil }
