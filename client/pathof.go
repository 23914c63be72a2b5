package client

import "github.com/gonfs/gonfs/nfs3"

// PathOf returns the last path under which the object of a handle was seen,
// from the root of the export, or "" if that is not known.
func (fs *FS) PathOf(fh nfs3.FH) string {
	if ino := fs.table.known(&fh); ino != nil {
		return fs.pathOf(ino)
	}
	return ""
}
