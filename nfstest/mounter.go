package nfstest

import (
	"context"
	"net"
	"slices"
	"strings"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// maxMounts bounds the list of mounts that DUMP shows.
const maxMounts = 4096

// mounter is the MOUNT program (RFC 1813 section 5).
type mounter struct{ s *Server }

// Mnt gives the handle of the export or of a directory in it.
func (m mounter) Mnt(ctx context.Context, r *rpc.Request, path string, p *mountd.MntReply) {
	if callOf(ctx).override(p) {
		return
	}
	fh, st := m.s.walkExport(path)
	if st != nfs3.OK {
		p.Status = mountd.Status(st) // the numbers are the same
		return
	}
	p.FH = slices.Clone(fh.Bytes())
	for _, f := range m.s.o.Flavors {
		p.Flavors = append(p.Flavors, uint32(f))
	}
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	e := mountd.Mount{Host: host(r.Remote), Dir: path}
	if !slices.Contains(m.s.mounts, e) && len(m.s.mounts) < maxMounts {
		m.s.mounts = append(m.s.mounts, e)
	}
}

// Dump lists what is mounted.
func (m mounter) Dump(context.Context, *rpc.Request) []mountd.Mount {
	if m.s.o.Unlisted {
		return nil
	}
	return m.s.Mounts()
}

// Umnt takes one entry off the list.
func (m mounter) Umnt(_ context.Context, r *rpc.Request, path string) {
	m.forget(r, func(e mountd.Mount) bool { return e.Dir == path })
}

// Umntall takes all entries of the caller off the list.
func (m mounter) Umntall(_ context.Context, r *rpc.Request) {
	m.forget(r, func(mountd.Mount) bool { return true })
}

func (m mounter) forget(r *rpc.Request, which func(mountd.Mount) bool) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.mounts = slices.DeleteFunc(m.s.mounts, func(e mountd.Mount) bool {
		return e.Host == host(r.Remote) && which(e)
	})
}

// Export lists the one export.
func (m mounter) Export(context.Context, *rpc.Request) []mountd.Export {
	if m.s.o.Unlisted {
		return nil
	}
	return []mountd.Export{{Dir: m.s.o.Path}}
}

// Mounts returns what DUMP of the MOUNT program lists: who has mounted what.
func (s *Server) Mounts() []mountd.Mount {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mounts)
}

// walkExport returns the handle of the directory path, which must be the
// export or lie in it. Servers walk as root.
func (s *Server) walkExport(path string) (nfs3.FH, nfs3.Status) {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	rest, ok := strings.CutPrefix(path, s.o.Path)
	if !ok || rest != "" && rest[0] != '/' && !strings.HasSuffix(s.o.Path, "/") {
		return nfs3.FH{}, nfs3.ErrAcces
	}
	fh := s.fs.rootFH()
	for name := range strings.SplitSeq(rest, "/") {
		if name == "" || name == "." {
			continue
		}
		var r nfs3.LookupReply
		if s.fs.lookup(&ident{}, fh, name, &r); r.Status != nfs3.OK {
			return nfs3.FH{}, r.Status
		}
		fh = r.Object
	}
	var g nfs3.GetattrReply
	if s.fs.getattr(fh, &g); g.Status == nfs3.OK && g.Attr.Type != nfs3.TypeDir {
		return nfs3.FH{}, nfs3.ErrNotdir
	}
	return fh, g.Status
}

// host returns an address without its port.
func host(a net.Addr) string {
	h, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return h
}
