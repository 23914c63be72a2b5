package mount

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// Config says what is to be mounted, and how. Spec is required; the rest may be
// zero.
type Config struct {
	// Spec names the server and the path of the export.
	Spec mountopt.Spec
	// Options are the mount options; nil means none. They are not changed.
	Options *mountopt.Options
	// Cred is on whose behalf the mount is made, and calls that bring no
	// credential; nil is the process itself.
	Cred *rpc.Cred
	// DialContext opens all connections in place of the net package, for
	// tunnels: network is "tcp" or "udp", and a host name is passed on as it
	// is. Unless the options name transports, all goes over TCP where it can,
	// and rpcbind always does. Source ports are its own affair.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// Lookup resolves host names: network is "ip", "ip4" or "ip6". nil is the
	// LookupNetIP of net.DefaultResolver.
	Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	// Trace, if set, is told of each step of the mount when it has ended, one at
	// a time, and must not block. Steps at the server's list of mounts, and those
	// that came too late to matter, are left out.
	Trace func(Step)
	// Logger gets each step at level Debug, and a summary at Info; nil is
	// silent.
	Logger *slog.Logger
}

// mounter is a Config with its defaults filled in, and what follows from it.
// It does not change any more.
type mounter struct {
	cfg      Config
	opts     *mountopt.Options
	plan     Plan
	tunnel   bool   // connections and names are the caller's affair
	rpcbind  uint16 // its port
	resvport bool
	spec     string // as text, for messages
	machine  string // of AUTH_SYS
	cred     rpc.Cred
	log      *slog.Logger
	trace    *tracer
}

func newMounter(cfg Config) *mounter {
	m := &mounter{cfg: cfg, opts: cfg.Options, log: cfg.Logger, rpcbind: portmap.Port, trace: &tracer{to: cfg.Trace}}
	if m.opts == nil {
		m.opts = new(mountopt.Options)
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	m.tunnel = cfg.DialContext != nil
	m.plan = PlanFor(cfg.Spec, m.opts, m.tunnel)
	m.resvport = m.opts.Resvport.Or(true)
	m.spec = cfg.Spec.String()
	// A host without a name is no reason not to mount; servers show the
	// machine name and take the host from the address.
	m.machine, _ = os.Hostname()
	m.machine = m.machine[:min(len(m.machine), maxMachine)]
	if cfg.Cred != nil {
		m.cred = *cfg.Cred
	} else {
		m.cred = *rpc.ProcessCred()
	}
	return m
}

// connections is nconnect=: how many connections the session has to NFS.
func (m *mounter) connections() int { return int(m.opts.Nconnect.Or(1)) }

// auth returns what makes the credentials of a flavour.
func (m *mounter) auth(f rpc.Flavor) rpc.Auth {
	if f == rpc.FlavorNone {
		return rpc.AuthNone()
	}
	return rpc.AuthSys(m.machine)
}

// policy returns when calls of the session over netid are sent again.
func (m *mounter) policy(udp bool) rpc.Policy {
	recovery := rpc.Hard
	switch m.opts.Recovery.Value {
	case mountopt.Soft:
		recovery = rpc.Soft
	case mountopt.SoftErr:
		recovery = rpc.SoftErr
	}
	timeo, retrans := m.opts.Timeo.Or(0), m.opts.Retrans.Or(-1)
	if udp {
		return rpc.UDPPolicy(timeo, retrans, recovery)
	}
	return rpc.TCPPolicy(timeo, retrans, recovery)
}
