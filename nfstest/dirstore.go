package nfstest

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"

	"github.com/gonfs/gonfs/nfs3"
)

// dirStore serves a directory of this host. os.Root keeps every access inside
// it, whatever links lie there. A handle names a file by the host's identity
// of it, and the store remembers under which names it has seen the file; a file
// that is under none of them any more is STALE. As NFS servers in user space
// have it, a file that was removed by others and came back under another name
// is stale until someone looks the name up.
type dirStore struct {
	root    *os.Root
	handles handles
	top     *dirNode
	nodes   map[uint64]*dirNode
	byKey   map[any]*dirNode
	next    uint64
	opened  []*dirNode // those with a file, the oldest first
}

// dirNode is a file that a client has a handle of.
type dirNode struct {
	id    uint64
	key   any   // of fileKey
	names []loc // where it was seen, the latest first
	list  *dirList

	// file is open for reading and writing since CREATE: its mode may forbid
	// to open it again, but not to go on writing it.
	file *os.File
	verf *[8]byte // of the EXCLUSIVE create
}

// loc is a name in a directory.
type loc struct {
	dir  *dirNode
	name string
}

// maxOpened is how many files are kept open.
const maxOpened = 128

func newDirStore(o *Options) (store, error) {
	root, err := os.OpenRoot(o.Dir)
	if err != nil {
		return nil, err
	}
	d := &dirStore{
		root: root, handles: newHandles(o.FSID), nodes: make(map[uint64]*dirNode), byKey: make(map[any]*dirNode), next: 1,
	}
	fi, err := root.Lstat(".")
	if err != nil {
		root.Close()
		return nil, err
	}
	d.top = d.node(nil, ".", fi)
	return d, nil
}

// node returns the node of what name in dir is, which fi describes.
func (d *dirStore) node(dir *dirNode, name string, fi fs.FileInfo) *dirNode {
	at := loc{dir, name}
	k := fileKey(fi, at)
	n := d.byKey[k]
	if n == nil {
		n = &dirNode{id: d.next, key: k}
		d.next++
		d.nodes[n.id], d.byKey[k] = n, n
	}
	n.names = append([]loc{at}, slices.DeleteFunc(n.names, func(l loc) bool { return l == at })...)
	return n
}

// find returns the node of a handle, its path and its attributes.
func (d *dirStore) find(fh nfs3.FH) (*dirNode, string, fs.FileInfo, nfs3.Status) {
	id, _, ok := d.handles.split(fh)
	if !ok {
		return nil, "", nil, nfs3.ErrBadhandle
	}
	n := d.nodes[id]
	if n == nil {
		return nil, "", nil, nfs3.ErrStale
	}
	for _, l := range n.names {
		p := l.path()
		if fi, err := d.root.Lstat(p); err == nil && fileKey(fi, l) == n.key {
			return n, p, fi, nfs3.OK
		}
	}
	d.forget(n)
	return nil, "", nil, nfs3.ErrStale
}

// findDir is find for what must be a directory.
func (d *dirStore) findDir(fh nfs3.FH) (*dirNode, string, fs.FileInfo, nfs3.Status) {
	n, p, fi, st := d.find(fh)
	if st == nfs3.OK && !fi.IsDir() {
		st = nfs3.ErrNotdir
	}
	return n, p, fi, st
}

// findFile is find for what must be a regular file: opening a named pipe would
// wait for its other end.
func (d *dirStore) findFile(fh nfs3.FH) (*dirNode, string, fs.FileInfo, nfs3.Status) {
	n, p, fi, st := d.find(fh)
	switch {
	case st != nfs3.OK:
	case fi.IsDir():
		st = nfs3.ErrIsdir
	case !fi.Mode().IsRegular():
		st = nfs3.ErrInval
	}
	return n, p, fi, st
}

// path returns where l is, relative to the root.
func (l loc) path() string {
	if l.dir == nil {
		return "."
	}
	return path.Join(l.dir.names[0].path(), l.name)
}

// forget drops a node: its handle is stale from now on.
func (d *dirStore) forget(n *dirNode) {
	if n == d.top {
		return
	}
	d.shut(n)
	delete(d.nodes, n.id)
	if d.byKey[n.key] == n {
		delete(d.byKey, n.key)
	}
}

// keep remembers f as n's open file.
func (d *dirStore) keep(n *dirNode, f *os.File) {
	d.shut(n)
	if len(d.opened) >= maxOpened {
		d.shut(d.opened[0])
	}
	n.file = f
	d.opened = append(d.opened, n)
}

// shut closes n's open file.
func (d *dirStore) shut(n *dirNode) {
	if n.file == nil {
		return
	}
	n.file.Close()
	n.file = nil
	d.opened = slices.DeleteFunc(d.opened, func(x *dirNode) bool { return x == n })
}

func (d *dirStore) rootFH() nfs3.FH { return d.fh(d.top) }

func (d *dirStore) fh(n *dirNode) nfs3.FH { return d.handles.fh(n.id, 0) }

// restart loses nothing: data is written through.
func (d *dirStore) restart() {}

// rehandle makes all handles stale.
func (d *dirStore) rehandle() { d.handles.era++ }

// unsaved knows of no files: the host has their data.
func (d *dirStore) unsaved() []string { return nil }

func (d *dirStore) close() error {
	for len(d.opened) > 0 {
		d.shut(d.opened[0])
	}
	return d.root.Close()
}

// statusOf returns the NFS status for an error of the host.
func statusOf(err error) nfs3.Status {
	var (
		errno syscall.Errno
		st    nfs3.Status
	)
	switch {
	case err == nil:
		return nfs3.OK
	case errors.As(err, &st): // our own word
		return st
	case errors.As(err, &errno):
		for _, st := range hostStatus {
			if st.Errno() == errno {
				return st
			}
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nfs3.ErrNoent
	case errors.Is(err, fs.ErrExist):
		return nfs3.ErrExist
	case errors.Is(err, fs.ErrPermission):
		return nfs3.ErrAcces
	case errors.Is(err, errors.ErrUnsupported):
		return nfs3.ErrNotsupp
	}
	return nfs3.ErrIO
}

// hostStatus are the statuses that an errno can mean, ENOTEMPTY before its
// twin EEXIST.
var hostStatus = [...]nfs3.Status{
	nfs3.ErrPerm, nfs3.ErrNoent, nfs3.ErrIO, nfs3.ErrNxio, nfs3.ErrAcces, nfs3.ErrNotempty, nfs3.ErrExist,
	nfs3.ErrXdev, nfs3.ErrNodev, nfs3.ErrNotdir, nfs3.ErrIsdir, nfs3.ErrInval, nfs3.ErrFbig, nfs3.ErrNospc,
	nfs3.ErrRofs, nfs3.ErrMlink, nfs3.ErrNametoolong, nfs3.ErrDquot, nfs3.ErrStale, nfs3.ErrNotsupp,
}
