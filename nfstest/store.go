package nfstest

import (
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
)

// store is a file system: memory, or a directory of this host. Each method is
// the procedure of its name, executed as w, and fills the reply. Write
// verifiers and the sizes of FSINFO are not its business.
type store interface {
	getattr(fh nfs3.FH, r *nfs3.GetattrReply)
	setattr(w *ident, fh nfs3.FH, s *nfs3.Sattr, guard *nfs3.Time, r *nfs3.SetattrReply)
	lookup(w *ident, dir nfs3.FH, name string, r *nfs3.LookupReply)
	access(w *ident, fh nfs3.FH, want uint32, r *nfs3.AccessReply)
	readlink(fh nfs3.FH, r *nfs3.ReadlinkReply)
	read(w *ident, fh nfs3.FH, off uint64, count uint32, r *nfs3.ReadReply)
	write(w *ident, fh nfs3.FH, off uint64, p []byte, how nfs3.StableHow, r *nfs3.WriteReply)
	create(w *ident, dir nfs3.FH, name string, how *nfs3.CreateHow, r *nfs3.CreateReply)
	mkdir(w *ident, dir nfs3.FH, name string, s *nfs3.Sattr, r *nfs3.MkdirReply)
	symlink(w *ident, dir nfs3.FH, name, target string, s *nfs3.Sattr, r *nfs3.SymlinkReply)
	mknod(w *ident, dir nfs3.FH, name string, typ nfs3.FileType, s *nfs3.Sattr, dev nfs3.Specdata, r *nfs3.MknodReply)
	remove(w *ident, dir nfs3.FH, name string, r *nfs3.RemoveReply)
	rmdir(w *ident, dir nfs3.FH, name string, r *nfs3.RmdirReply)
	rename(w *ident, fromDir nfs3.FH, from string, toDir nfs3.FH, to string, r *nfs3.RenameReply)
	link(w *ident, file, dir nfs3.FH, name string, r *nfs3.LinkReply)
	readdir(w *ident, dir nfs3.FH, cookie uint64, verf [8]byte, count uint32, r *nfs3.ReaddirReply)
	readdirplus(w *ident, dir nfs3.FH, cookie uint64, verf [8]byte, dircount, maxcount uint32, r *nfs3.ReaddirplusReply)
	getacl(fh nfs3.FH, mask uint32, r *nfsacl.GetaclReply)
	setacl(w *ident, fh nfs3.FH, l *nfsacl.Lists, r *nfsacl.SetaclReply)
	fsstat(fh nfs3.FH, r *nfs3.FsstatReply)
	commit(w *ident, fh nfs3.FH, off uint64, count uint32, r *nfs3.CommitReply)

	// rootFH is the handle of the root directory.
	rootFH() nfs3.FH
	// rehandle makes all handles stale, and gives the files others.
	rehandle()
	// restart does what a crash does to the files.
	restart()
	// unsaved returns the paths of files with data that was never committed.
	unsaved() []string
	// close ends the use of the store.
	close() error
}
