package fuse

import gofuse "github.com/hanwen/go-fuse/v2/fuse"

// NFS version 3 has no call for these operations. ENOSYS, the answer of the
// default file system, is right for them: the kernel does not ask again, and
// does what is best without:
//
//	LSEEK            SEEK_DATA and SEEK_HOLE see data up to the end of the file
//	COPY_FILE_RANGE  copied through the page cache
//	FALLOCATE        EOPNOTSUPP
//	TMPFILE          EOPNOTSUPP
//	STATX            GETATTR: there is no birth time
//
// IOCTL is different: ENOSYS would reach the program, which expects ENOTTY of
// a file that has no such request.

// Ioctl implements gofuse.RawFileSystem.
func (r *raw) Ioctl(<-chan struct{}, *gofuse.IoctlIn, []byte, *gofuse.IoctlOut, []byte) gofuse.Status {
	return notTTY
}
