package fuse

import (
	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/nfs3"
)

// Lookup implements gofuse.RawFileSystem. That a name does not exist is not
// left to the kernel to remember: package client does, and knows when the
// directory changed.
func (r *raw) Lookup(cancel <-chan struct{}, h *gofuse.InHeader, name string, out *gofuse.EntryOut) gofuse.Status {
	dir := r.nodes.get(h.NodeId)
	if dir == nil {
		return stale
	}
	ino, a, err := r.fs.Lookup(r.wait(cancel, h), r.cred(h), dir.ino, name)
	if err != nil {
		return status(err)
	}
	r.found(r.entry(out, dir, ino, &a), dir, name, h.Pid, &a)
	return gofuse.OK
}

// entry fills a reply that tells the kernel of ino as an entry of dir: one
// more reference to its node. The entry counts for as long as the directory's
// attributes do.
func (r *raw) entry(out *gofuse.EntryOut, dir *node, ino *client.Inode, a *nfs3.Fattr) *node {
	n := r.nodes.ref(ino)
	if ino.Type() == nfs3.TypeDir && n != r.nodes.root {
		n.up.Store(dir.ino.FileID())
	}
	out.NodeId = ino.ID()
	out.Generation = 0
	out.SetEntryTimeout(r.fs.EntryTimeout(dir.ino))
	out.SetAttrTimeout(r.fs.AttrTimeout(ino))
	r.attr(&out.Attr, ino, a)
	return n
}

// Forget implements gofuse.RawFileSystem.
func (r *raw) Forget(id, n uint64) { r.nodes.forget(id, n) }

// Readlink implements gofuse.RawFileSystem.
func (r *raw) Readlink(cancel <-chan struct{}, h *gofuse.InHeader) ([]byte, gofuse.Status) {
	n := r.nodes.get(h.NodeId)
	if n == nil {
		return nil, stale
	}
	text, err := r.fs.Readlink(r.wait(cancel, h), r.cred(h), n.ino)
	if err != nil {
		return nil, status(err)
	}
	return []byte(text), gofuse.OK
}

// Access implements gofuse.RawFileSystem: access(2) and chdir(2), where the
// kernel does not check permissions itself (default_permissions).
func (r *raw) Access(cancel <-chan struct{}, in *gofuse.AccessIn) gofuse.Status {
	n := r.nodes.get(in.NodeId)
	if n == nil {
		return stale
	}
	need := accessBits(in.Mask, n.ino.Type() == nfs3.TypeDir)
	w, cred := r.wait(cancel, &in.InHeader), r.cred(&in.InHeader)
	if need == 0 {
		_, err := r.fs.Getattr(w, cred, n.ino)
		return status(err)
	}
	granted, err := r.fs.Access(w, cred, n.ino, need)
	if err == nil && granted != need {
		return noAccess
	}
	return status(err)
}

// accessBits returns the bits of NFS's ACCESS that a mask of access(2) needs.
func accessBits(mask uint32, dir bool) (need uint32) {
	if mask&gofuse.R_OK != 0 {
		need |= nfs3.AccessRead
	}
	if mask&gofuse.W_OK != 0 {
		need |= nfs3.AccessModify | nfs3.AccessExtend
		if dir {
			need |= nfs3.AccessDelete
		}
	}
	if mask&gofuse.X_OK != 0 {
		if dir {
			need |= nfs3.AccessLookup
		} else {
			need |= nfs3.AccessExecute
		}
	}
	return need
}
