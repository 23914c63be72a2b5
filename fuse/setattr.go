package fuse

import (
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/nfs3"
)

// SetAttr implements gofuse.RawFileSystem: chmod, chown, truncate and utimens.
func (r *raw) SetAttr(cancel <-chan struct{}, in *gofuse.SetAttrIn, out *gofuse.AttrOut) gofuse.Status {
	n := r.nodes.get(in.NodeId)
	if n == nil {
		return stale
	}
	var (
		open *handle
		file *client.File
	)
	if fh, ok := in.GetFh(); ok {
		if open = r.handles.file(fh); open != nil {
			file = open.file
		}
	}
	w := r.wait(cancel, &in.InHeader)
	cred := r.credOf(&in.InHeader, open)
	s := sattr(in)
	epoch := n.keep.state()
	var (
		a   nfs3.Fattr
		err error
	)
	if s == (nfs3.Sattr{}) { // ctime alone, or nothing that NFS has
		a, err = r.fs.Getattr(w, cred, n.ino)
	} else {
		a, err = r.fs.Setattr(w, cred, n.ino, file, &s)
	}
	if err != nil {
		return status(err)
	}
	n.keep.ours(epoch, &a)
	r.attrOut(out, n.ino, &a)
	return gofuse.OK
}

// sattr returns what a SETATTR sets. A time of "now" is the server's, so that
// files touched here and there compare by one clock.
func sattr(in *gofuse.SetAttrIn) (s nfs3.Sattr) {
	s.Mode.Value, s.Mode.Set = in.GetMode()
	if uid, ok := in.GetUID(); ok {
		s.UID = nfs3.SetUint32{Set: true, Value: uid}
	}
	if gid, ok := in.GetGID(); ok {
		s.GID = nfs3.SetUint32{Set: true, Value: gid}
	}
	s.Size.Value, s.Size.Set = in.GetSize()
	s.Atime = setTime(in, gofuse.FATTR_ATIME, gofuse.FATTR_ATIME_NOW, in.Atime, in.Atimensec)
	s.Mtime = setTime(in, gofuse.FATTR_MTIME, gofuse.FATTR_MTIME_NOW, in.Mtime, in.Mtimensec)
	return s
}

// setTime returns what is set of one time. Seconds are signed on the wire.
func setTime(in *gofuse.SetAttrIn, set, now uint32, sec uint64, nsec uint32) nfs3.SetTime {
	switch {
	case in.Valid&set == 0:
		return nfs3.SetTime{}
	case in.Valid&now != 0:
		return nfs3.SetTime{How: nfs3.SetToServerTime}
	}
	return nfs3.SetTime{How: nfs3.SetToClientTime, Time: nfs3.TimeOf(time.Unix(int64(sec), int64(nsec)))}
}
