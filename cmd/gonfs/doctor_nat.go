package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// The ports that a SNAT gives to one host, as those of Azure do: from the least
// to the most.
const (
	fewestSNAT = 32
	mostSNAT   = 1024
)

// quiet is a keepalive time that does not come: the probes would hold the
// connection open that is to be watched.
const quiet = 9 * time.Hour

// afterIdle is how long an answer is waited for on a connection that was idle.
const afterIdle = 3 * time.Second

// nat looks for what stands between us and the server and keeps state.
func (d *doctor) nat(ctx context.Context, s *mount.Session) {
	o := s.Options()
	n := int(o.Nconnect.Or(1))
	what := fmt.Sprintf("%d to NFS", n)
	if d.wantsLocks() {
		n++
		what += ", 1 to the lock manager while locks are held"
	}
	f := finding{Check: "nat", Server: s.Server(), Asked: "connections of one mount", Result: isOK,
		Answer: fmt.Sprintf("%d (%s); a SNAT of %d ports has room for %d such mounts, one of %d for %d", n, what, fewestSNAT, fewestSNAT/n, mostSNAT, mostSNAT/n)}
	if n > fewestSNAT/4 {
		f.Result, f.Cause = isNote, "many connections: behind a SNAT with few ports, connecting fails in silence when they are used up"
		f.Try = []string{"gonfs mount " + word(d.spec.String()) + " DIR -o nconnect=1"}
	}
	d.add(f)
	if from, to := s.Source().Addr(), addrOf(s.Server()); behindNAT(from, to) {
		d.add(finding{Check: "nat", Server: s.Server(), Asked: "a NAT on the way", Answer: fmt.Sprintf("%v is a private address and %v is not: there is one", from, to), Result: isNote,
			Cause: "it forgets connections that are idle, the server sees its address and not ours, and calls from the server do not come in",
			Try:   []string{"gonfs doctor --idle 300 " + word(d.spec.String())}})
	}
	d.localPorts()
	if d.idle > 0 {
		d.watchIdle(ctx, s)
	}
}

// addrOf is an address from its text; the zero value if it is none.
func addrOf(s string) netip.Addr {
	a, _ := netip.ParseAddr(s) // a name, behind a tunnel, has none
	return a
}

// behindNAT reports whether from can reach to through a NAT only.
func behindNAT(from, to netip.Addr) bool {
	return from.IsValid() && to.IsValid() && from.Is4() && to.Is4() && from.IsPrivate() && to.IsGlobalUnicast() && !to.IsPrivate()
}

// localPorts looks whether the system gives reserved ports to anybody.
func (d *doctor) localPorts() {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return // not Linux
	}
	f := finding{Check: "ports", Asked: "net.ipv4.ip_local_port_range", Answer: strings.Join(strings.Fields(string(text)), " to "), Result: isOK}
	if first := numberOf(text); first > 0 && first <= lastReserved {
		f.Result, f.Cause = isWarning, "programs that do not care about their port get reserved ones, and mounts run out of them"
		f.Try = []string{`sysctl -w net.ipv4.ip_local_port_range="32768 60999"`}
	}
	d.add(f)
}

// numberOf is the number that a text begins with; 0 if there is none.
func numberOf(text []byte) (n int) {
	fmt.Sscan(string(text), &n)
	return n
}

// watchIdle leaves a connection alone, and sees what has become of it.
func (d *doctor) watchIdle(ctx context.Context, s *mount.Session) {
	a, port := addrOf(s.Server()), portOf(s.Options())
	netid := netidOf(portmap.NetidTCP, a)
	if s.UDPRisk() != nil {
		port = 0
		for _, w := range ways(d.all, nfs3.Program, a) {
			if w.vers == nfs3.Version && w.netid == netid {
				port = w.port
			}
		}
	}
	f := finding{Check: "nat", Server: a.String(), Port: port, Transport: netid, Asked: fmt.Sprintf("NULL after %v of silence", d.idle)}
	if !a.IsValid() || port == 0 {
		f.Result, f.Answer = isNote, "not tried: there is no TCP to be idle"
		d.add(f)
		return
	}
	dialer := &transport.Dialer{KeepAlive: quiet}
	var began time.Time
	first := true
	err := askThrough(ctx, dialer, askTCP+d.idle+afterIdle, netid, a, port, func(ctx context.Context, c *rpc.Client) error {
		null := func() error {
			ctx, cancel := context.WithTimeoutCause(ctx, afterIdle, &silence{a.String(), afterIdle})
			defer cancel()
			began = time.Now()
			err := c.Bind(nfs3.Program, nfs3.Version).Call(ctx, &rpc.Call{Proc: nfs3.ProcNull, Idempotent: true})
			if err != nil && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
		if err := null(); err != nil {
			return err
		}
		first = false
		select {
		case <-time.After(d.idle):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		return null()
	})
	f.LatencyMS = since(began)
	f.Answer = textOr(err, "answered: the connection lives")
	f.Result, f.Cause, f.Try = judgeIdle(err, first, d.idle, d.opts.KeepAlive.Or(30*time.Second), word(d.spec.String()))
	d.add(f)
}

// judgeIdle explains what became of a connection that was idle. first says that
// it failed before that.
func judgeIdle(err error, first bool, idle, keepalive time.Duration, spec string) (r result, cause string, try []string) {
	switch {
	case err == nil:
		return isOK, "", nil
	case first:
		return isWarning, "the connection was not answered even before it was idle", []string{"gonfs doctor " + spec}
	}
	how := "was reset: the server, or a NAT that says so, ends connections that are idle for that long; the next call of a mount waits for a new one, and no longer"
	if isTimeout(err) {
		how = "is dead in silence: a NAT or firewall has forgotten it, and whoever calls on it hangs"
	}
	if keepalive < idle {
		return isNote, fmt.Sprintf("a connection that is idle for %v %s; a mount's probes (keepalive=%d) come more often and hold it open, unless the NAT forgets sooner than that",
			idle, how, int(keepalive.Seconds())), []string{fmt.Sprintf("gonfs doctor --idle %d %s", int(keepalive.Seconds()), spec)}
	}
	return isWarning, fmt.Sprintf("a connection that is idle for %v %s", idle, how),
		[]string{fmt.Sprintf("gonfs mount %s DIR -o keepalive=%d", spec, max(1, int(idle.Seconds())/3))}
}
