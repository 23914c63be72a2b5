package mount

import (
	"context"
	"net/netip"
	"sync"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// Session is a mounted export: a client of its NFS server, and what was agreed.
// It is safe for concurrent use, and nothing of it changes until it is closed.
type Session struct {
	m       *mounter
	granted *mounted
	link    *link
	rpc     *rpc.Client
	nfs     *nfs3.Client
	lists   *nfsacl.Client // nil: none
	root    *root
	sizes   Sizes
	risk    *UDPRisk // over UDP, without a tunnel
	opts    *mountopt.Options

	closing sync.Once
}

// NFS returns the client of the NFS program. It is the session's: callers do
// not close it.
func (s *Session) NFS() *nfs3.Client { return s.nfs }

// ACL returns the client of the NFSACL program, on the connections of NFS. It is
// nil with noacl, and where the server lacks the program.
func (s *Session) ACL() *nfsacl.Client { return s.lists }

// Root returns the handle of the export's root.
func (s *Session) Root() nfs3.FH { return s.root.fh }

// MountAgain asks mountd once more for the export, as after the server answered
// that the root's handle is stale, and returns the handle that the root has
// now. Where mountd listens is asked anew, for a server that restarted may have
// moved it. The session itself is not changed. ctx cancels the wait, which is
// bounded as that of Dial.
func (s *Session) MountAgain(ctx context.Context) (nfs3.FH, error) {
	ways, _, _, e := s.m.discover(ctx, s.granted.at, s.link.at)
	if e != nil {
		return nfs3.FH{}, e
	}
	g, e := s.m.mnt(ctx, s.granted.at, ways)
	if e != nil {
		return nfs3.FH{}, e
	}
	fh, err := nfs3.MakeFH(g.fh)
	if err != nil {
		return nfs3.FH{}, s.m.newError("MNT", s.granted.at, err, "")
	}
	return fh, nil
}

// RootAttr returns the root's attributes as they were at mount time.
func (s *Session) RootAttr() nfs3.Fattr { return s.root.attr }

// FSInfo returns the server's answer to FSINFO.
func (s *Session) FSInfo() nfs3.FsinfoReply { return s.root.info }

// PathConf returns the server's answer to PATHCONF; the zero value, with
// NameMax 0, if it had none. With namlen= NameMax is that, but 255 at most.
func (s *Session) PathConf() nfs3.PathconfReply { return s.root.pathconf }

// Rsize returns the most bytes of data that a READ asks for: 1,024 to 1 MiB.
// A server whose own maximum is smaller, down to 512, gets that.
func (s *Session) Rsize() uint32 { return s.sizes.Rsize }

// Wsize returns the most bytes of data that a WRITE carries, likewise.
func (s *Session) Wsize() uint32 { return s.sizes.Wsize }

// Dtsize returns the most bytes of a READDIR or READDIRPLUS reply.
func (s *Session) Dtsize() uint32 { return s.sizes.Dtsize }

// UDPRisk returns what fragments can do to the mount; nil over TCP, and where
// the caller's dialer knows the route.
func (s *Session) UDPRisk() *UDPRisk { return s.risk }

// Options returns the options in effect, as in /proc/mounts. They are the
// session's: callers clone them before they change them.
func (s *Session) Options() *mountopt.Options { return s.opts }

// Server returns the address that the server was reached at, or its name if
// the caller's dialer resolves it.
func (s *Session) Server() string { return s.link.at.host }

// Source returns the address and port that the last connection came from; the
// zero value if it has none, as a tunnel may.
func (s *Session) Source() netip.AddrPort { return s.link.source() }

// Spec returns what was mounted.
func (s *Session) Spec() mountopt.Spec { return s.m.cfg.Spec }

// Umount tells the server that the export is not used any more, and closes the
// session. It takes a second at most, or until ctx ends; the session is closed
// in any case. The error says that the server did not answer, which does no
// harm: its list of mounts is for people to read.
func (s *Session) Umount(ctx context.Context) error {
	s.Close()
	return s.m.umnt(ctx, s.granted)
}

// Close ends the connections; calls in flight end with rpc.ErrClosed. The
// server is not told.
func (s *Session) Close() error {
	var err error
	s.closing.Do(func() {
		err = s.rpc.Close()
		s.link.drop()
	})
	return err
}

// effective fills in the options what was negotiated.
func (s *Session) effective(flavor rpc.Flavor) *mountopt.Options {
	m, o := s.m, s.m.opts.Clone()
	p := m.policy(transportOf(s.link.way.netid) == portmap.NetidUDP)
	o.Vers, o.MountVers = mountopt.Some(uint32(nfs3.Version)), mountopt.Some(m.plan.Mountd.Vers)
	o.Proto, o.MountProto = mountopt.Some(s.link.way.netid), mountopt.Some(s.granted.by.netid)
	o.MountPort = mountopt.Some(s.granted.by.port)
	if s.link.way.port != defaultPort || m.plan.NFS.Port != 0 {
		o.Port = mountopt.Some(s.link.way.port)
	}
	o.Rsize, o.Wsize = mountopt.Some(s.sizes.Rsize), mountopt.Some(s.sizes.Wsize)
	o.Timeo, o.Retrans = mountopt.Some(p.Timeo), mountopt.Some(p.Retrans)
	o.Recovery = mountopt.Some(m.opts.Recovery.Value)
	o.Sec = []string{flavorName(uint32(flavor))}
	o.Addr, o.MountAddr = s.link.at.host, s.granted.at.host
	o.Namlen = s.root.pathconf.NameMax
	if s.risk != nil && o.UDPFrag.Value == mountopt.UDPFragWarn {
		if w := s.risk.Warning(); w != "" {
			o.Warnings = append(o.Warnings, w)
		}
	}
	return o
}
