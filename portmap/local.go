package portmap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// Socket is where rpcbind of this host listens for the host's own services.
const Socket = "/run/rpcbind.sock"

// localTime bounds connecting to and one answer of rpcbind of this host.
const localTime = 5 * time.Second

// DialLocal returns a client of rpcbind of this host: over the unix socket
// where there is one, and else over TCP at 127.0.0.1, where rpcbind takes SET
// and UNSET too from reserved ports. socket is its path; "" means Socket. The
// error is that of connecting. The caller closes the client.
//
// Over the socket, GETADDR of rpcbind on Linux finds nothing: it looks for an
// address on the network that the question came by. Dump tells all.
func DialLocal(ctx context.Context, socket string) (*rpc.Client, error) {
	if socket == "" {
		socket = Socket
	}
	conn, err := dialLocal(ctx, socket)
	if err != nil {
		return nil, fmt.Errorf("rpcbind of this host: %w", err)
	}
	first := make(chan transport.Conn, 1)
	first <- conn
	c := rpc.NewClient(rpc.Options{
		Program: Program, Version: Version4, Server: "rpcbind of this host",
		Policy: rpc.Policy{Timeo: localTime, Recovery: rpc.SoftErr, SoftConn: true},
		Auth:   rpc.AuthSys("localhost"),
		Cred:   *rpc.NewCred(uint32(max(os.Geteuid(), 0)), uint32(max(os.Getegid(), 0)), nil),
		Dial: func(ctx context.Context, _ netip.AddrPort) (transport.Conn, error) {
			select {
			case conn := <-first:
				return conn, nil
			default:
				return dialLocal(ctx, socket)
			}
		},
	})
	// The endpoint takes the connection with the first call; one is made here,
	// so that no client is left with a connection that nobody closes.
	if err := NewRpcbind(c, Version4).Null(ctx); err != nil {
		c.Close()
		select {
		case conn := <-first: // ctx ended before the call
			conn.Abort()
		default:
		}
		return nil, fmt.Errorf("rpcbind of this host: %w", err)
	}
	return c, nil
}

// dialLocal opens one connection.
func dialLocal(ctx context.Context, socket string) (transport.Conn, error) {
	ctx, stop := context.WithTimeout(ctx, localTime)
	defer stop()
	var d net.Dialer
	nc, err := d.DialContext(ctx, "unix", socket)
	if err == nil {
		return transport.NewStream(nc, 0), nil
	}
	t := transport.Dialer{Reserved: true, Timeout: localTime}
	conn, terr := t.Dial(ctx, NetidTCP, net.JoinHostPort("127.0.0.1", strconv.Itoa(Port)), netip.AddrPort{})
	if terr != nil {
		return nil, errors.Join(err, terr)
	}
	return conn, nil
}
