package trees

import (
	"io/fs"
	"syscall"
	"time"
)

// oNoFollow is for opens that must not follow a symbolic link.
const oNoFollow = syscall.O_NOFOLLOW

// sector is the unit of st_blocks (stat(2)).
const sector = 512

// identityOf describes a local file.
func identityOf(fi fs.FileInfo) Identity {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return Identity{Links: 1, Used: fi.Size()}
	}
	return Identity{
		FS: uint64(st.Dev), ID: st.Ino, Links: uint64(st.Nlink), Used: st.Blocks * sector,
		Atime: time.Unix(st.Atim.Unix()), Ctime: time.Unix(st.Ctim.Unix()),
	}
}
