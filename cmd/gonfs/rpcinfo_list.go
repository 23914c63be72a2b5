package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// orDash is what stands for a missing name.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// printAll writes the list in the form of rpcinfo(8) without a flag.
func printAll(w io.Writer, all []portmap.Rpcb) {
	fmt.Fprintln(w, "   program version netid     address                service    owner")
	for _, r := range all {
		fmt.Fprintf(w, "%10d%5d    %-9s %-22s %-10s %s\n", r.Prog, r.Vers, printable(r.Netid), printable(r.Addr),
			orDash(programName(r.Prog)), printable(r.Owner))
	}
}

// printOld writes what version 2 sees, in the form of rpcinfo -p.
func printOld(w io.Writer, all []portmap.Rpcb) {
	fmt.Fprintln(w, "   program vers proto   port  service")
	for _, r := range all {
		a, err := portmap.ParseUaddr(r.Addr)
		if err != nil || r.Netid != portmap.NetidTCP && r.Netid != portmap.NetidUDP {
			continue
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%10d%5d%6s%7d  %s", r.Prog, r.Vers, r.Netid, a.Port(), programName(r.Prog)), " "))
	}
}

// printShort writes one line a program, in the form of rpcinfo -s.
func printShort(w io.Writer, all []portmap.Rpcb) {
	type line struct {
		prog     uint32
		versions []uint32
		netids   []string
		owner    string
	}
	var lines []*line
	index := map[uint32]*line{}
	for _, r := range all {
		l := index[r.Prog]
		if l == nil {
			l = &line{prog: r.Prog, owner: r.Owner}
			index[r.Prog] = l
			lines = append(lines, l)
		}
		if !slices.Contains(l.versions, r.Vers) && len(l.versions) < 32 {
			l.versions = append(l.versions, r.Vers)
		}
		if n := printable(r.Netid); !slices.Contains(l.netids, n) && len(l.netids) < 32 {
			l.netids = append(l.netids, n)
		}
	}
	fmt.Fprintln(w, "   program version(s) netid(s)                         service     owner")
	for _, l := range lines {
		slices.Sort(l.versions)
		var versions []string
		for _, v := range l.versions {
			versions = append(versions, strconv.FormatUint(uint64(v), 10))
		}
		fmt.Fprintf(w, "%10d  %-10s%-32s %-11s %s\n", l.prog, strings.Join(versions, ","), strings.Join(l.netids, ","),
			orDash(programName(l.prog)), printable(l.owner))
	}
}

// statistics asks rpcbind for its counters and its clock.
func statistics(ctx context.Context, w io.Writer, host string) error {
	addrs, err := resolve(ctx, host, "")
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if err = askServer(ctx, netidOf(portmap.NetidTCP, a), a, portmap.Port, func(ctx context.Context, c *rpc.Client) error {
			b := portmap.NewRpcbind(c, portmap.Version4)
			s, err := b.Getstat(ctx)
			if err != nil {
				return err
			}
			seconds, err := b.Gettime(ctx)
			if err != nil {
				return err
			}
			printStats(w, s)
			there := time.Unix(int64(seconds), 0)
			fmt.Fprintf(w, "clock: %s, %v from ours\n", there.Local().Format("2006-01-02 15:04:05"), time.Until(there).Round(time.Second))
			return nil
		}); err == nil {
			return nil
		}
	}
	return err
}

// printStats writes the counters of each version that was asked anything.
func printStats(w io.Writer, s *portmap.Stats) {
	names := []string{"NULL", "SET", "UNSET", "GETADDR", "DUMP", "CALLIT", "GETTIME", "U2T", "T2U", "GETVERS", "INDIRECT", "GETLIST", "GETSTAT"}
	for i, v := range s {
		fmt.Fprintf(w, "version %d:", i+portmap.Version2)
		for proc, n := range v.Calls {
			if name := names[proc]; n != 0 {
				if i == 0 && proc == portmap.ProcGetport {
					name = "GETPORT"
				}
				fmt.Fprintf(w, " %s %d", name, n)
			}
		}
		fmt.Fprintf(w, " (set %d, unset %d)\n", v.Set, v.Unset)
		for _, a := range v.Addrs {
			fmt.Fprintf(w, "  asked for %d version %d over %s (%s): found %d, not found %d\n",
				a.Prog, a.Vers, printable(a.Netid), orDash(programName(a.Prog)), a.Success, a.Failure)
		}
		for _, r := range v.Remote {
			fmt.Fprintf(w, "  called %d version %d procedure %d over %s: %d succeeded, %d failed, %d indirect\n",
				r.Prog, r.Vers, r.Proc, printable(r.Netid), r.Success, r.Failure, r.Indirect)
		}
	}
}

// addresses lists all addresses of a program, as rpcinfo -l.
func (p *ping) addresses(ctx context.Context, w io.Writer) error {
	return p.each(ctx, func(a netip.Addr) error {
		return askServer(ctx, netidOf(portmap.NetidTCP, a), a, portmap.Port, func(ctx context.Context, c *rpc.Client) error {
			l, err := portmap.NewRpcbind(c, portmap.Version4).Getaddrlist(ctx, portmap.Rpcb{
				Prog: p.prog, Vers: p.vers, Netid: p.netid, Addr: portmap.FormatUaddr(netip.AddrPortFrom(a.WithZone(""), portmap.Port)),
			})
			if err != nil {
				return err
			}
			if len(l) == 0 {
				return &portmap.Error{Prog: p.prog, Vers: p.vers, Netid: p.netid, Err: portmap.ErrNotRegistered}
			}
			fmt.Fprintln(w, "   program vers  tp_family/name/class    address\t\t  service")
			class := map[uint32]string{1: "clts", 2: "cots", 3: "cots_ord"}
			for _, e := range l {
				fmt.Fprintf(w, "%10d%3d    %-20s    %-24s %s\n", p.prog, p.vers,
					printable(e.Family+"/"+e.Proto+"/"+orDash(class[e.Semantics])), printable(e.Addr), orDash(programName(p.prog)))
			}
			return nil
		})
	})
}
