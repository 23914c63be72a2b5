package fuse

import (
	"math"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/nfs3"
)

// typeBits returns the S_IFMT bits of a type; 0 if it is unknown.
func typeBits(t nfs3.FileType) uint32 {
	switch t {
	case nfs3.TypeReg:
		return syscall.S_IFREG
	case nfs3.TypeDir:
		return syscall.S_IFDIR
	case nfs3.TypeBlk:
		return syscall.S_IFBLK
	case nfs3.TypeChr:
		return syscall.S_IFCHR
	case nfs3.TypeLnk:
		return syscall.S_IFLNK
	case nfs3.TypeSock:
		return syscall.S_IFSOCK
	case nfs3.TypeFifo:
		return syscall.S_IFIFO
	}
	return 0
}

// inoOfZero stands for inode number 0, which programs take for "no entry".
const inoOfZero = math.MaxInt64

// visible returns the inode number that programs see.
func visible(fileid uint64) uint64 {
	if fileid == 0 {
		return inoOfZero
	}
	return fileid
}

// attr fills a FUSE attribute structure. Sizes that Linux does not have are
// cut to its largest, because the kernel takes them for an I/O error.
func (r *raw) attr(out *gofuse.Attr, ino *client.Inode, a *nfs3.Fattr) {
	*out = gofuse.Attr{
		Ino:       visible(ino.FileID()),
		Size:      min(a.Size, math.MaxInt64),
		Blocks:    min(a.Used/512+min(a.Used%512, 1), math.MaxInt64),
		Atime:     uint64(a.Atime.Sec),
		Mtime:     uint64(a.Mtime.Sec),
		Ctime:     uint64(a.Ctime.Sec),
		Atimensec: a.Atime.Nsec,
		Mtimensec: a.Mtime.Nsec,
		Ctimensec: a.Ctime.Nsec,
		Mode:      typeBits(ino.Type()) | a.Mode&0o7777,
		Nlink:     a.Nlink,
		Owner:     gofuse.Owner{Uid: a.UID, Gid: a.GID},
		Blksize:   r.blksize,
	}
	if t := ino.Type(); t == nfs3.TypeBlk || t == nfs3.TypeChr {
		out.Rdev = encodeDev(a.Rdev)
	}
}

// attrOut fills the reply to GETATTR and SETATTR.
func (r *raw) attrOut(out *gofuse.AttrOut, ino *client.Inode, a *nfs3.Fattr) {
	r.attr(&out.Attr, ino, a)
	out.SetTimeout(r.fs.AttrTimeout(ino))
}

// encodeDev returns a device number as FUSE writes it, the kernel's
// new_encode_dev: 12 bits of major number, 20 of minor number. What has more
// bits does not exist on Linux.
func encodeDev(d nfs3.Specdata) uint32 {
	major, minor := d.Major&0xfff, d.Minor&0xfffff
	return minor&0xff | major<<8 | minor&^0xff<<12
}

// decodeDev is the opposite of encodeDev.
func decodeDev(dev uint32) nfs3.Specdata {
	return nfs3.Specdata{Major: dev >> 8 & 0xfff, Minor: dev&0xff | dev>>12&0xfff00}
}

// GetAttr implements gofuse.RawFileSystem.
func (r *raw) GetAttr(cancel <-chan struct{}, in *gofuse.GetAttrIn, out *gofuse.AttrOut) gofuse.Status {
	n := r.nodes.get(in.NodeId)
	if n == nil {
		return stale
	}
	var open *handle
	if in.Flags()&gofuse.FUSE_GETATTR_FH != 0 {
		open = r.handles.get(in.Fh())
	}
	a, err := r.fs.Getattr(r.wait(cancel, &in.InHeader), r.credOf(&in.InHeader, open), n.ino)
	if err != nil {
		return status(err)
	}
	r.attrOut(out, n.ino, &a)
	return gofuse.OK
}
