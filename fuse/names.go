package fuse

import (
	"os"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/nfs3"
)

// made answers a request that made an entry of dir.
func (r *raw) made(h *gofuse.InHeader, out *gofuse.EntryOut, dir *node, name string, ino *client.Inode, a *nfs3.Fattr, err error) gofuse.Status {
	if err != nil {
		return status(err)
	}
	r.found(r.entry(out, dir, ino, a), dir, name, h.Pid, a)
	return gofuse.OK
}

// Mkdir implements gofuse.RawFileSystem. Whether the umask counts, package
// client knows: the directory may have a default list.
func (r *raw) Mkdir(cancel <-chan struct{}, in *gofuse.MkdirIn, name string, out *gofuse.EntryOut) gofuse.Status {
	dir := r.nodes.get(in.NodeId)
	if dir == nil {
		return stale
	}
	ino, a, err := r.fs.Mkdir(r.wait(cancel, &in.InHeader), r.cred(&in.InHeader), dir.ino, name, in.Mode&0o7777, in.Umask)
	return r.made(&in.InHeader, out, dir, name, ino, &a, err)
}

// Symlink implements gofuse.RawFileSystem.
func (r *raw) Symlink(cancel <-chan struct{}, h *gofuse.InHeader, target, name string, out *gofuse.EntryOut) gofuse.Status {
	dir := r.nodes.get(h.NodeId)
	if dir == nil {
		return stale
	}
	ino, a, err := r.fs.Symlink(r.wait(cancel, h), r.cred(h), dir.ino, name, target)
	return r.made(h, out, dir, name, ino, &a, err)
}

// Mknod implements gofuse.RawFileSystem: devices, sockets and named pipes, and
// regular files where mknod(2) asks for them.
func (r *raw) Mknod(cancel <-chan struct{}, in *gofuse.MknodIn, name string, out *gofuse.EntryOut) gofuse.Status {
	dir := r.nodes.get(in.NodeId)
	if dir == nil {
		return stale
	}
	var (
		w    = r.wait(cancel, &in.InHeader)
		cred = r.cred(&in.InHeader)
		perm = in.Mode & 0o7777
		typ  nfs3.FileType
		rdev nfs3.Specdata
	)
	switch in.Mode & syscall.S_IFMT {
	case syscall.S_IFREG, 0:
		ino, a, file, err := r.fs.Create(w, cred, dir.ino, name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm, in.Umask)
		if err == nil {
			file.Release()
		}
		return r.made(&in.InHeader, out, dir, name, ino, &a, err)
	case syscall.S_IFCHR:
		typ, rdev = nfs3.TypeChr, decodeDev(in.Rdev)
	case syscall.S_IFBLK:
		typ, rdev = nfs3.TypeBlk, decodeDev(in.Rdev)
	case syscall.S_IFIFO:
		typ = nfs3.TypeFifo
	case syscall.S_IFSOCK:
		typ = nfs3.TypeSock
	default:
		return gofuse.EINVAL
	}
	ino, a, err := r.fs.Mknod(w, cred, dir.ino, name, perm, in.Umask, typ, rdev)
	return r.made(&in.InHeader, out, dir, name, ino, &a, err)
}

// Link implements gofuse.RawFileSystem.
func (r *raw) Link(cancel <-chan struct{}, in *gofuse.LinkIn, name string, out *gofuse.EntryOut) gofuse.Status {
	dir, old := r.nodes.get(in.NodeId), r.nodes.get(in.Oldnodeid)
	if dir == nil || old == nil {
		return stale
	}
	ino, a, err := r.fs.Link(r.wait(cancel, &in.InHeader), r.cred(&in.InHeader), old.ino, dir.ino, name)
	return r.made(&in.InHeader, out, dir, name, ino, &a, err)
}

// Unlink implements gofuse.RawFileSystem. A file that is open here lives on
// under another name until it is closed; package client sees to that.
func (r *raw) Unlink(cancel <-chan struct{}, h *gofuse.InHeader, name string) gofuse.Status {
	dir := r.nodes.get(h.NodeId)
	if dir == nil {
		return stale
	}
	return status(r.fs.Unlink(r.wait(cancel, h), r.cred(h), dir.ino, name))
}

// Rmdir implements gofuse.RawFileSystem.
func (r *raw) Rmdir(cancel <-chan struct{}, h *gofuse.InHeader, name string) gofuse.Status {
	dir := r.nodes.get(h.NodeId)
	if dir == nil {
		return stale
	}
	return status(r.fs.Rmdir(r.wait(cancel, h), r.cred(h), dir.ino, name))
}

// Rename implements gofuse.RawFileSystem. NFS version 3 has none of the flags
// of renameat2(2), and RENAME_NOREPLACE could not be done without a gap: they
// are EINVAL, as on the kernel's NFS.
func (r *raw) Rename(cancel <-chan struct{}, in *gofuse.RenameIn, from, to string) gofuse.Status {
	if in.Flags != 0 {
		return gofuse.EINVAL
	}
	fromDir, toDir := r.nodes.get(in.NodeId), r.nodes.get(in.Newdir)
	if fromDir == nil || toDir == nil {
		return stale
	}
	err := r.fs.Rename(r.wait(cancel, &in.InHeader), r.cred(&in.InHeader), fromDir.ino, from, toDir.ino, to)
	if err == nil {
		r.renamed(r.fs.Known(toDir.ino, to), toDir, to)
	}
	return status(err)
}
