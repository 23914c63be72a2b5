package fuse

import (
	"errors"
	"syscall"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
)

// NFS version 3 has no extended attributes. Two are made up here, those by which
// Linux gives out access control lists; getfacl(1), setfacl(1), ls(1) and cp(1)
// know no other way to them. The kernel asks for them too, to decide who may do
// what (FUSE_POSIX_ACL, which is asked for where it checks permissions at all).
//
// All others are EOPNOTSUPP, one by one. Where there are no lists the answer is
// ENOSYS, after which the kernel asks no more: it is so from the beginning if
// the server lacks NFSACL (DisableXAttrs), and from when it has lost it.
const (
	noXattrs = gofuse.ENOSYS
	noXattr  = gofuse.Status(syscall.EOPNOTSUPP)
	tooSmall = gofuse.Status(syscall.ERANGE)
)

// listOf returns the list that an extended attribute stands for; nil if it
// stands for none.
func listOf(l *client.ACLs, attr string) *nfsacl.ACL {
	switch attr {
	case nfsacl.XattrAccess:
		return &l.Access
	case nfsacl.XattrDefault:
		return &l.Default
	}
	return nil
}

// answerXattr puts value into the caller's buffer. An empty buffer asks for the
// length.
func answerXattr(dest, value []byte) (uint32, gofuse.Status) {
	if len(dest) < len(value) {
		return uint32(len(value)), tooSmall
	}
	return uint32(copy(dest, value)), gofuse.OK
}

// acls returns the lists of a node. What cannot have any has none: the kernel
// takes another error for a refusal of whatever the process wanted to do.
func (r *raw) acls(w *waiter, h *gofuse.InHeader, n *node) (client.ACLs, error) {
	l, err := r.fs.GetACLs(w, r.cred(h), n.ino)
	if errors.Is(err, nfs3.ErrNotsupp) && r.fs.HasACLs() {
		return client.ACLs{}, nil
	}
	return l, err
}

// GetXAttr implements gofuse.RawFileSystem.
func (r *raw) GetXAttr(cancel <-chan struct{}, h *gofuse.InHeader, attr string, dest []byte) (uint32, gofuse.Status) {
	n := r.nodes.get(h.NodeId)
	var l client.ACLs
	list := listOf(&l, attr)
	switch {
	case n == nil:
		return 0, stale
	case !r.fs.HasACLs():
		return 0, noXattrs
	case list == nil:
		return 0, noXattr
	}
	var err error
	if l, err = r.acls(r.wait(cancel, h), h, n); err != nil {
		return 0, status(err)
	}
	if len(*list) == 0 {
		return 0, gofuse.ENOATTR
	}
	return answerXattr(dest, list.Xattr())
}

// ListXAttr implements gofuse.RawFileSystem.
func (r *raw) ListXAttr(cancel <-chan struct{}, h *gofuse.InHeader, dest []byte) (uint32, gofuse.Status) {
	n := r.nodes.get(h.NodeId)
	switch {
	case n == nil:
		return 0, stale
	case !r.fs.HasACLs():
		return 0, noXattrs
	}
	l, err := r.acls(r.wait(cancel, h), h, n)
	if err != nil {
		return 0, status(err)
	}
	var names []byte
	for _, attr := range []string{nfsacl.XattrAccess, nfsacl.XattrDefault} {
		if len(*listOf(&l, attr)) > 0 {
			names = append(append(names, attr...), 0)
		}
	}
	return answerXattr(dest, names)
}

// SetXAttr implements gofuse.RawFileSystem. The server clears the set-group-id
// bit of who is not of the group.
func (r *raw) SetXAttr(cancel <-chan struct{}, in *gofuse.SetXAttrIn, attr string, data []byte) gofuse.Status {
	if listOf(new(client.ACLs), attr) == nil {
		return noXattr
	}
	a, err := nfsacl.ParseXattr(data[:min(len(data), int(in.Size))])
	if err != nil {
		return gofuse.EINVAL
	}
	return r.setList(cancel, &in.InHeader, attr, a)
}

// RemoveXAttr implements gofuse.RawFileSystem. That there is nothing to remove
// is no error, as on Linux.
func (r *raw) RemoveXAttr(cancel <-chan struct{}, h *gofuse.InHeader, attr string) gofuse.Status {
	return r.setList(cancel, h, attr, nil)
}

// setList replaces the list that an extended attribute stands for, and leaves
// the other one as it is.
func (r *raw) setList(cancel <-chan struct{}, h *gofuse.InHeader, attr string, a nfsacl.ACL) gofuse.Status {
	n := r.nodes.get(h.NodeId)
	var l client.ACLs
	list := listOf(&l, attr)
	switch {
	case n == nil:
		return stale
	case list == nil, !r.fs.HasACLs():
		return noXattr
	}
	w := r.wait(cancel, h)
	var err error
	if l, err = r.acls(w, h, n); err != nil {
		return status(err)
	}
	*list = a
	epoch := n.keep.state()
	if err := r.fs.SetACLs(w, r.cred(h), n.ino, l); err != nil {
		return status(err)
	}
	if a, ok := r.current(w, n.ino); ok {
		n.keep.ours(epoch, &a)
	}
	return gofuse.OK
}
