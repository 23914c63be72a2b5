package mount

import (
	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/mountopt"
)

// LockServer says where the server's lock manager is asked for locks; nil if all
// kinds of locks are kept on this host (nolock, local_lock=all). It is reached
// over the transport of NFS.
func (s *Session) LockServer() *lock.Server {
	if s.opts.Locks() == mountopt.LocalAll {
		return nil
	}
	m := s.m
	return &lock.Server{
		Name: s.link.at.name, Host: s.link.at.host, Netid: s.link.way.netid, Cred: m.cred,
		Reserved: m.opts.Resvport.Or(true), Hard: m.opts.Recovery.Value == mountopt.Hard,
		DialContext: m.cfg.DialContext,
	}
}
