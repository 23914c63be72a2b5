//go:build linux && !portable

package nfstest

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/nfs3"
)

// hostKey is what the host tells a file by.
type hostKey struct{ dev, ino uint64 }

// fileKey returns what tells the file apart from all others, whatever its name.
func fileKey(fi fs.FileInfo, at loc) any {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return hostKey{uint64(st.Dev), st.Ino}
	}
	return at
}

// hostAttr adds the attributes that fs.FileInfo does not have.
func hostAttr(fi fs.FileInfo, a *nfs3.Fattr) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	a.Nlink, a.UID, a.GID = uint32(st.Nlink), st.Uid, st.Gid
	a.Used, a.FileID = uint64(st.Blocks)*512, st.Ino
	a.Rdev = nfs3.Specdata{Major: unix.Major(uint64(st.Rdev)), Minor: unix.Minor(uint64(st.Rdev))}
	a.Atime = nfs3.Time{Sec: uint32(st.Atim.Sec), Nsec: uint32(st.Atim.Nsec)}
	a.Mtime = nfs3.Time{Sec: uint32(st.Mtim.Sec), Nsec: uint32(st.Mtim.Nsec)}
	a.Ctime = nfs3.Time{Sec: uint32(st.Ctim.Sec), Nsec: uint32(st.Ctim.Nsec)}
}

// hostSpace asks the host how much room there is.
func hostSpace(root *os.Root, r *nfs3.FsstatReply) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil {
		return err
	}
	block := uint64(st.Bsize)
	r.Tbytes, r.Fbytes, r.Abytes = st.Blocks*block, st.Bfree*block, st.Bavail*block
	r.Tfiles, r.Ffiles, r.Afiles = st.Files, st.Ffree, st.Ffree
	return nil
}
