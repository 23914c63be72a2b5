package fuse

import (
	gofuse "github.com/hanwen/go-fuse/v2/fuse"
)

// statBlock is the block in which statfs(2) counts, in bytes.
const statBlock = 4096

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
	*out = gofuse.StatfsOut{
		Blocks:  s.Tbytes / statBlock,
		Bfree:   s.Fbytes / statBlock,
		Bavail:  s.Abytes / statBlock,
		Files:   s.Tfiles,
		Ffree:   s.Afiles, // statvfs(3) has no third figure in FUSE; the caller's own is the useful one
		Bsize:   statBlock,
		Frsize:  statBlock,
		NameLen: r.fs.NameMax(),
	}
	return gofuse.OK
}
