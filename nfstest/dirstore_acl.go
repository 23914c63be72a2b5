package nfstest

import (
	"io/fs"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
)

// getacl is GETACL of NFSACL: the lists are the host's.
func (d *dirStore) getacl(fh nfs3.FH, mask uint32, r *nfsacl.GetaclReply) {
	n, p, fi, st := d.find(fh)
	if r.Status = st; st != nfs3.OK {
		return
	}
	r.Attr = d.post(n, p)
	l, err := d.lists(p, fi)
	if r.Status = statusOf(err); err == nil {
		r.Lists = l.wire(modeOf(fi.Mode()), mask)
	}
}

// lists reads the lists of the file at p.
func (d *dirStore) lists(p string, fi fs.FileInfo) (l lists, err error) {
	if !fi.Mode().IsRegular() && !fi.IsDir() {
		return l, nil // the others cannot be opened without side effects
	}
	f, err := d.root.Open(p)
	if err != nil {
		return l, err
	}
	defer f.Close()
	if l.access, err = getHostACL(f, nfsacl.XattrAccess); err != nil || !fi.IsDir() {
		return l, err
	}
	l.initial, err = getHostACL(f, nfsacl.XattrDefault)
	return l, err
}

// setacl is SETACL of NFSACL. A list that the call does not name is taken away.
func (d *dirStore) setacl(_ *ident, fh nfs3.FH, l *nfsacl.Lists, r *nfsacl.SetaclReply) {
	n, p, fi, st := d.find(fh)
	if r.Status = st; st != nfs3.OK {
		return
	}
	r.Status = statusOf(d.setLists(p, fi, l))
	r.Attr = d.post(n, p)
}

func (d *dirStore) setLists(p string, fi fs.FileInfo, l *nfsacl.Lists) error {
	if !fi.Mode().IsRegular() && !fi.IsDir() {
		return nfs3.ErrNotsupp
	}
	f, err := d.root.Open(p)
	if err != nil {
		return err
	}
	defer f.Close()
	var access, initial nfsacl.ACL
	if l.Mask&nfsacl.MaskACL != 0 {
		access = l.Access
	}
	if l.Mask&nfsacl.MaskDefault != 0 {
		initial = l.Default
	}
	if len(initial) > 0 && !fi.IsDir() {
		return nfs3.ErrAcces
	}
	if err := setHostACL(f, nfsacl.XattrAccess, access); err != nil || !fi.IsDir() {
		return err
	}
	return setHostACL(f, nfsacl.XattrDefault, initial)
}

// handedOn returns what a new entry of the directory at p gets of s: of the mode
// what the directory's default list leaves. The host has applied the list when
// it made the entry, but to another mode.
func (d *dirStore) handedOn(p string, s *nfs3.Sattr) *nfs3.Sattr {
	fi, err := d.root.Lstat(p)
	if err != nil || !s.Mode.Set {
		return s
	}
	l, err := d.lists(p, fi)
	if err != nil || l.initial == nil {
		return s
	}
	c := *s
	_, c.Mode.Value = l.initial.Inherit(s.Mode.Value)
	return &c
}
