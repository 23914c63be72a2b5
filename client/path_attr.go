package client

import (
	"context"
	iofs "io/fs"
	"time"

	"github.com/gonfs/gonfs/nfs3"
)

// Stat describes a file; a symbolic link is followed. Sys of the result is a
// *nfs3.Fattr.
func (t *Tree) Stat(ctx context.Context, name string) (iofs.FileInfo, error) {
	return t.stat(ctx, "stat", name, true)
}

// Lstat describes a file or the symbolic link itself.
func (t *Tree) Lstat(ctx context.Context, name string) (iofs.FileInfo, error) {
	return t.stat(ctx, "lstat", name, false)
}

func (t *Tree) stat(ctx context.Context, op, name string, follow bool) (fi iofs.FileInfo, err error) {
	err = t.at(ctx, op, name, follow, func(ino *Inode) error {
		a, err := t.fs.Getattr(ctx, t.cred, ino)
		fi = &info{name: baseName(name), typ: a.Type, attr: &a}
		return err
	})
	if err != nil {
		return nil, err
	}
	return fi, nil
}

// setattr changes attributes of what name leads to.
func (t *Tree) setattr(ctx context.Context, op, name string, follow bool, s *nfs3.Sattr) error {
	return t.at(ctx, op, name, follow, func(ino *Inode) error {
		_, err := t.fs.Setattr(ctx, t.cred, ino, nil, s)
		return err
	})
}

// Chmod changes the mode of what name leads to.
func (t *Tree) Chmod(ctx context.Context, name string, mode iofs.FileMode) error {
	return t.setattr(ctx, "chmod", name, true, sattrMode(mode))
}

func sattrMode(mode iofs.FileMode) *nfs3.Sattr {
	return &nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: nfsMode(mode)}}
}

// Chown changes owner and group of what name leads to; -1 leaves one as it is.
func (t *Tree) Chown(ctx context.Context, name string, uid, gid int) error {
	return t.setattr(ctx, "chown", name, true, sattrOwner(uid, gid))
}

// Lchown is Chown of a symbolic link itself.
func (t *Tree) Lchown(ctx context.Context, name string, uid, gid int) error {
	return t.setattr(ctx, "lchown", name, false, sattrOwner(uid, gid))
}

func sattrOwner(uid, gid int) *nfs3.Sattr {
	return &nfs3.Sattr{
		UID: nfs3.SetUint32{Set: uid >= 0, Value: uint32(uid)},
		GID: nfs3.SetUint32{Set: gid >= 0, Value: uint32(gid)},
	}
}

// Chtimes changes the times of what name leads to. A zero time leaves that one
// as it is. NFS version 3 holds 32-bit seconds: times before 1970 and after
// 2106 are moved to the nearest that it can hold.
func (t *Tree) Chtimes(ctx context.Context, name string, atime, mtime time.Time) error {
	return t.setattr(ctx, "chtimes", name, true, &nfs3.Sattr{Atime: setTime(atime), Mtime: setTime(mtime)})
}

func setTime(t time.Time) nfs3.SetTime {
	if t.IsZero() {
		return nfs3.SetTime{How: nfs3.DontChange}
	}
	return nfs3.SetTime{How: nfs3.SetToClientTime, Time: nfs3.TimeOf(t)}
}

// Truncate makes a file size bytes long.
func (t *Tree) Truncate(ctx context.Context, name string, size int64) error {
	if size < 0 {
		return t.pathError("truncate", name, nfs3.ErrInval)
	}
	return t.setattr(ctx, "truncate", name, true, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: uint64(size)}})
}

// StatFS tells sizes and free space of the file system that name is in.
func (t *Tree) StatFS(ctx context.Context, name string) (r nfs3.FsstatReply, err error) {
	err = t.at(ctx, "statfs", name, true, func(ino *Inode) error {
		r, err = t.fs.Statfs(ctx, t.cred, ino)
		return err
	})
	return r, err
}
