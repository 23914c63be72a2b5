package nfstest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// Callback is how a server tells that a blocked lock is granted.
type Callback int

// The values of Callback.
const (
	CallGranted    Callback = iota // GRANTED, whose reply says what the client thinks of it: Linux
	CallGrantedMsg                 // GRANTED_MSG, answered by a call of GRANTED_RES: nfs-ganesha
	CallNobody                     // not at all: clients must ask again
)

// grantTime is how long the client has to answer a callback.
const grantTime = 5 * time.Second

// grantLocked grants what waits and can be had, in the order in which it came.
// Each grant has a goroutine, which ends when the client answered or has not in
// time.
func (s *Server) grantLocked() {
	for i := 0; i < len(s.waiting); {
		w := s.waiting[i]
		if s.o.Callback == CallNobody || s.locks.conflict(&w.HeldLock) != nil {
			i++
			continue
		}
		s.waiting = slices.Delete(s.waiting, i, i+1)
		h := w.HeldLock
		h.Waiting = false
		s.locks = s.locks.set(h)
		s.cookies++
		cookie := binary.BigEndian.AppendUint64(nil, s.cookies)
		s.wg.Go(func() { s.granted(w, h, cookie, s.locksLost) })
	}
}

// granted calls the client back. A client that disowns the lock, or cannot be
// reached, does not have it. epoch ends at a restart of the server.
func (s *Server) granted(w *waiter, h HeldLock, cookie []byte, epoch chan struct{}) {
	off, length := nlm.Extent(h.First, h.Last)
	args := &nlm.TestArgs{Cookie: cookie, Exclusive: h.Exclusive, Lock: nlm.Lock{
		CallerName: h.Owner.Host, FH: []byte(h.FH), OH: []byte(h.Owner.OH), Svid: h.Owner.Svid, Offset: off, Length: length,
	}}
	st := nlm.Failed
	err := s.callBack(w.client, w.netid, func(ctx context.Context, c *nlm.Client) (err error) {
		if s.o.Callback == CallGranted {
			st, err = c.Granted(ctx, nil, args)
			return err
		}
		answer := make(chan nlm.Stats, 1)
		s.lockMu.Lock()
		s.granting[string(cookie)] = answer
		s.lockMu.Unlock()
		if err = c.Message(ctx, nil, nlm.ProcGrantedMsg, args); err != nil {
			return err
		}
		select {
		case st = <-answer:
			return nil
		case <-epoch:
			return errors.New("the server was restarted")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	s.note(fmt.Sprintf("granted bytes %d to %d to %s: %v, %v", h.First, h.Last, h.Owner.Host, st, err))
	s.lockMu.Lock()
	defer s.lockMu.Unlock()
	delete(s.granting, string(cookie))
	select {
	case <-epoch:
		return
	default:
	}
	if err != nil || st != nlm.Granted {
		s.locks = s.locks.clear(&h)
		s.grantLocked()
	}
}

// callBack connects to the NLM of a client, over the transport that the client
// called by, and has do make its calls.
func (s *Server) callBack(client net.Addr, netid string, do func(ctx context.Context, c *nlm.Client) error) error {
	return s.callHost(client, netid, nlm.Program, nlm.Version, func(ctx context.Context, c *rpc.Client) error { return do(ctx, nlm.NewClient(c)) })
}

// callHost connects to a program at the host of a client.
func (s *Server) callHost(client net.Addr, netid string, prog, vers uint32, do func(ctx context.Context, c *rpc.Client) error) error {
	ctx, stop := context.WithTimeout(s.ctx, grantTime)
	defer stop()
	conn, err := s.dialHost(ctx, client, netid, prog, vers)
	if err != nil {
		return err
	}
	defer conn.Abort()
	one := make(chan transport.Conn, 1)
	one <- conn
	c := rpc.NewClient(rpc.Options{
		Program: prog, Version: vers, Policy: rpc.Policy{Timeo: time.Second, SoftConn: true},
		Dial: func(context.Context, netip.AddrPort) (transport.Conn, error) {
			select {
			case conn := <-one:
				return conn, nil
			default:
				return nil, errors.New("the client closed the connection")
			}
		},
	})
	defer c.Close()
	return do(ctx, c)
}

// dialHost connects to a program of a client's host: as Options.DialClient
// says, or at the port that was registered over the socket of ListenLocal, or
// that rpcbind of the client's host tells.
func (s *Server) dialHost(ctx context.Context, client net.Addr, netid string, prog, vers uint32) (transport.Conn, error) {
	if s.o.DialClient != nil {
		return s.o.DialClient(ctx, client, netid, prog)
	}
	at, err := netip.ParseAddrPort(client.String())
	if err != nil {
		return nil, err
	}
	addr := at.Addr().Unmap()
	if netid = strings.TrimSuffix(netid, "6"); addr.Is6() {
		netid += "6"
	}
	want := portmap.Rpcb{Prog: prog, Vers: vers, Netid: netid}
	var d transport.Dialer
	if u := s.registered(want); u != "" {
		to, err := portmap.ParseUaddr(u)
		if err != nil {
			return nil, err
		}
		return d.Dial(ctx, netid, netip.AddrPortFrom(addr, to.Port()).String(), netip.AddrPort{})
	}
	rc := rpc.NewClient(rpc.Options{
		Program: portmap.Program, Version: portmap.Version4, Policy: rpc.Policy{Timeo: time.Second, SoftConn: true},
		Dial: func(ctx context.Context, _ netip.AddrPort) (transport.Conn, error) {
			return d.Dial(ctx, netid, netip.AddrPortFrom(addr, portmap.Port).String(), netip.AddrPort{})
		},
	})
	defer rc.Close()
	to, err := portmap.NewRpcbind(rc, portmap.Version4).Getaddr(ctx, want)
	if err != nil {
		return nil, err
	}
	return d.Dial(ctx, netid, netip.AddrPortFrom(addr, to.Port()).String(), netip.AddrPort{})
}
