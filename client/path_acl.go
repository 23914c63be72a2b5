package client

import "context"

// GetACLs returns the access control lists of name, following symbolic links;
// see FS.GetACLs. Where there can be none the error is NFS3ERR_NOTSUPP, which
// errors.ErrUnsupported is too.
func (t *Tree) GetACLs(ctx context.Context, name string) (l ACLs, err error) {
	err = t.at(ctx, "getfacl", name, true, func(ino *Inode) error {
		l, err = t.fs.GetACLs(ctx, t.cred, ino)
		return err
	})
	return l, err
}

// SetACLs replaces the access control lists of name, following symbolic links;
// see FS.SetACLs. Who does it must own the file, or be root.
func (t *Tree) SetACLs(ctx context.Context, name string, l ACLs) error {
	return t.at(ctx, "setfacl", name, true, func(ino *Inode) error {
		return t.fs.SetACLs(ctx, t.cred, ino, l)
	})
}

// GetACLs is Tree.GetACLs for an open file or directory.
func (h *Handle) GetACLs(ctx context.Context) (ACLs, error) {
	if err := h.live(); err != nil {
		return ACLs{}, h.fail("getfacl", err)
	}
	l, err := h.t.fs.GetACLs(ctx, h.t.cred, h.ino)
	return l, h.fail("getfacl", err)
}

// SetACLs is Tree.SetACLs for an open file or directory.
func (h *Handle) SetACLs(ctx context.Context, l ACLs) error {
	err := h.live()
	if err == nil {
		err = h.t.fs.SetACLs(ctx, h.t.cred, h.ino, l)
	}
	return h.fail("setfacl", err)
}
