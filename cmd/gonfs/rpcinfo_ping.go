package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"

	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// ping tries whether a program answers.
type ping struct {
	host       string
	prog, vers uint32
	oneVersion bool // vers was given
	netid      string
	port       uint16 // 0: rpcbind is asked
}

// newPing reads PROGRAM and VERSION.
func newPing(host string, operands []string, netid string, port uint) (*ping, error) {
	p := &ping{host: host, netid: netid, port: uint16(port)}
	if _, ok := portmap.NetidProt(netid); !ok {
		return nil, fmt.Errorf("-T %s: tcp, udp, tcp6 and udp6 are known", netid)
	}
	if port > 65535 {
		return nil, fmt.Errorf("-n %d: not a port (1 to 65535)", port)
	}
	var err error
	if p.prog, err = programNumber(operands[0]); err != nil || len(operands) == 1 {
		return p, err
	}
	n, err := strconv.ParseUint(operands[1], 0, 32)
	if err != nil {
		return nil, fmt.Errorf("version %q is not a number", operands[1])
	}
	p.vers, p.oneVersion = uint32(n), true
	return p, nil
}

// errSilent is the end of a ping that said itself what went wrong.
var errSilent = errors.New("not available")

// run calls procedure 0, and writes what came of it in the words of rpcinfo(8).
func (p *ping) run(ctx context.Context, w io.Writer) error {
	return p.each(ctx, func(a netip.Addr) error {
		versions := []uint32{p.vers}
		if !p.oneVersion {
			var err error
			if versions, err = p.versions(ctx, a); err != nil {
				return fmt.Errorf("program %d is not available: %w", p.prog, err)
			}
		}
		failed := 0
		var last error
		for _, v := range versions {
			if err := p.call(ctx, a, v); err != nil {
				failed++
				last = fmt.Errorf("program %d version %d is not available: %w", p.prog, v, err)
				if len(versions) > 1 {
					fmt.Fprintf(w, "program %d version %d is not available\n", p.prog, v)
				}
				continue
			}
			fmt.Fprintf(w, "program %d version %d ready and waiting\n", p.prog, v)
		}
		if failed > 0 && failed < len(versions) {
			return fmt.Errorf("%d of %d versions: %w", failed, len(versions), errSilent)
		}
		return last
	})
}

// each tries the addresses of the host until one answers.
func (p *ping) each(ctx context.Context, try func(netip.Addr) error) error {
	addrs, err := resolve(ctx, p.host, p.netid)
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if err = try(a); err == nil || errors.Is(err, errSilent) || ctx.Err() != nil {
			break
		}
	}
	return err
}

// call calls procedure 0 of one version.
func (p *ping) call(ctx context.Context, a netip.Addr, vers uint32) error {
	port, err := p.portAt(ctx, a, vers)
	if err != nil {
		return err
	}
	return askServer(ctx, p.netid, a, port, func(ctx context.Context, c *rpc.Client) error {
		return c.Bind(p.prog, vers).Call(ctx, &rpc.Call{Proc: 0, Idempotent: true})
	})
}

// maxPings bounds how many versions are tried of a program that claims
// thousands.
const maxPings = 16

// versions finds out what versions a program has: it answers a call of version
// 0, which no program has, with the lowest and the highest.
func (p *ping) versions(ctx context.Context, a netip.Addr) ([]uint32, error) {
	err := p.call(ctx, a, 0)
	if err == nil {
		return []uint32{0}, nil
	}
	var refused *rpc.AcceptError
	if !errors.As(err, &refused) || refused.Stat != rpc.ProgMismatch || refused.High < refused.Low {
		return nil, err
	}
	if refused.High-refused.Low >= maxPings {
		return nil, fmt.Errorf("it claims versions %d to %d: give the one to try", refused.Low, refused.High)
	}
	var l []uint32
	for v := uint64(refused.Low); v <= uint64(refused.High); v++ {
		l = append(l, uint32(v))
	}
	return l, nil
}

// portAt asks rpcbind for the port of a version. It is asked for version 0 too:
// servers then name the port of any version.
func (p *ping) portAt(ctx context.Context, a netip.Addr, vers uint32) (port uint16, err error) {
	if p.port != 0 {
		return p.port, nil
	}
	err = askServer(ctx, p.netid, a, portmap.Port, func(ctx context.Context, c *rpc.Client) error {
		if !isV6(p.netid) {
			prot, _ := portmap.NetidProt(p.netid)
			port, err = portmap.NewClient(c).Getport(ctx, portmap.Mapping{Prog: p.prog, Vers: vers, Prot: prot})
			return err
		}
		at, err := portmap.NewRpcbind(c, portmap.Version4).Getaddr(ctx, portmap.Rpcb{
			Prog: p.prog, Vers: vers, Netid: p.netid, Addr: portmap.FormatUaddr(netip.AddrPortFrom(a.WithZone(""), portmap.Port)),
		})
		port = at.Port()
		return err
	})
	return port, err
}
