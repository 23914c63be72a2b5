//go:build !linux || portable

package nfstest

import (
	"io/fs"
	"os"

	"github.com/gonfs/gonfs/nfs3"
)

// fileKey returns what tells the file apart from all others: without an inode
// number that is its name.
func fileKey(_ fs.FileInfo, at loc) any { return at }

// hostAttr adds nothing to what fs.FileInfo has: the files belong to the user
// of this process.
func hostAttr(_ fs.FileInfo, a *nfs3.Fattr) {
	w := self()
	a.UID, a.GID = w.uid, w.gid
}

// hostSpace cannot be asked portably; it says that there is some.
func hostSpace(_ *os.Root, r *nfs3.FsstatReply) error {
	const some = 1 << 40
	r.Tbytes, r.Fbytes, r.Abytes = some, some, some
	r.Tfiles, r.Ffiles, r.Afiles = 1<<30, 1<<30, 1<<30
	return nil
}
