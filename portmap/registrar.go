package portmap

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/gonfs/gonfs/rpc"
)

// Registrar registers services of this process with rpcbind of its host, and
// takes off the list what it registered itself, never what others did: UNSET
// names only program, version and netid, and rpcbind does it for any service
// of the same user. It is safe for concurrent use.
type Registrar struct {
	b *Rpcbind

	mu   sync.Mutex // guards ours
	ours []Rpcb
}

// NewRegistrar returns a Registrar that calls over c, as of DialLocal. Closing
// c is left to the caller, after Unregister.
func NewRegistrar(c *rpc.Client) *Registrar { return &Registrar{b: NewRpcbind(c, Version4)} }

// undoTime bounds how long Register takes to undo what it did before it failed.
const undoTime = 2 * time.Second

// Register registers all of services, or none: an *Error with ErrRefused tells
// which one is somebody else's, or that this user may not register. When ctx
// ends on the way, what was registered is taken off the list all the same,
// within 2 s: nobody else could do it.
func (r *Registrar) Register(ctx context.Context, services ...Rpcb) error {
	for i, s := range services {
		if err := r.b.Set(ctx, s); err != nil {
			undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
			defer cancel()
			_ = r.unset(undo, services[:i+1]) // the last as well: its SET may have been executed; err is what counts
			return err
		}
		r.mu.Lock()
		r.ours = append(r.ours, s)
		r.mu.Unlock()
	}
	return nil
}

// Adopt makes services ours that an earlier process registered and did not live
// to take off the list, as a record of its own tells: Unregister does it.
func (r *Registrar) Adopt(services ...Rpcb) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ours = append(r.ours, services...)
}

// Lost returns those of the services registered that are not on the list any
// more, or with another address: rpcbind was restarted, or somebody else took
// them off. They can be registered again.
func (r *Registrar) Lost(ctx context.Context) ([]Rpcb, error) {
	r.mu.Lock()
	ours := slices.Clone(r.ours)
	r.mu.Unlock()
	list, err := r.b.Dump(ctx)
	if err != nil {
		return nil, err
	}
	lost := slices.DeleteFunc(ours, func(s Rpcb) bool { return slices.ContainsFunc(list, s.Same) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ours = slices.DeleteFunc(r.ours, func(s Rpcb) bool { return slices.ContainsFunc(lost, s.Same) })
	return lost, nil
}

// Unregister takes all that is still ours off the list.
func (r *Registrar) Unregister(ctx context.Context) error {
	r.mu.Lock()
	ours := slices.Clone(r.ours)
	r.mu.Unlock()
	return r.unset(ctx, ours)
}

// unset takes services off the list, as far as they are there with the address
// that we gave.
func (r *Registrar) unset(ctx context.Context, services []Rpcb) error {
	if len(services) == 0 {
		return nil
	}
	list, err := r.b.Dump(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range services {
		if slices.ContainsFunc(list, s.Same) {
			errs = append(errs, r.b.Unset(ctx, s))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ours = slices.DeleteFunc(r.ours, func(s Rpcb) bool { return slices.ContainsFunc(services, s.Same) })
	return errors.Join(errs...)
}

// Same reports whether two registrations are one, whoever the owner is.
func (r Rpcb) Same(o Rpcb) bool {
	return r.Prog == o.Prog && r.Vers == o.Vers && r.Netid == o.Netid && r.Addr == o.Addr
}

// Services are the registrations of one program that listens on every address
// of this host, at udp and tcp, over IPv4 and, if v6 is true, IPv6.
func Services(prog, vers uint32, udp, tcp uint16, v6 bool) []Rpcb {
	at := func(netid string, host netip.Addr, port uint16) Rpcb {
		return Rpcb{Prog: prog, Vers: vers, Netid: netid, Addr: FormatUaddr(netip.AddrPortFrom(host, port))}
	}
	four, six := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	l := []Rpcb{at(NetidUDP, four, udp), at(NetidTCP, four, tcp)}
	if v6 {
		l = append(l, at(NetidUDP6, six, udp), at(NetidTCP6, six, tcp))
	}
	return l
}
