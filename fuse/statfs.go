package fuse

import (
	gofuse "github.com/hanwen/go-fuse/v2/fuse"
)

// StatFs implements gofuse.RawFileSystem.
func (r *raw) StatFs(cancel <-chan struct{}, h *gofuse.InHeader, out *gofuse.StatfsOut) gofuse.Status {
	n := r.nodes.get(h.NodeId)
	if n == nil {
		n = r.nodes.root
	}
	s, err := r.fs.Statfs(r.wait(cancel, h), r.cred(h), n.ino)
	if err != nil {
		return status(err)
	}
	block := uint64(r.block)
	*out = gofuse.StatfsOut{
		Blocks:  s.Tbytes / block,
		Bfree:   s.Fbytes / block,
		Bavail:  s.Abytes / block,
		Files:   s.Tfiles,
		Ffree:   s.Afiles, // statvfs(3) has no third figure in FUSE; the caller's own is the useful one
		Bsize:   r.block,
		Frsize:  r.block,
		NameLen: r.fs.NameMax(),
	}
	return gofuse.OK
}
