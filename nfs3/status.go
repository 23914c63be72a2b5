package nfs3

import (
	"io/fs"
	"strconv"
	"syscall"
)

// Status is nfsstat3 (RFC 1813 section 2.6). It is an error:
// errors.Is(s, fs.ErrNotExist) and errors.Is(s, syscall.ENOSPC) hold for the
// values that mean these.
type Status uint32

// The values of nfsstat3.
const (
	OK             Status = 0
	ErrPerm        Status = 1
	ErrNoent       Status = 2
	ErrIO          Status = 5
	ErrNxio        Status = 6
	ErrAcces       Status = 13
	ErrExist       Status = 17
	ErrXdev        Status = 18
	ErrNodev       Status = 19
	ErrNotdir      Status = 20
	ErrIsdir       Status = 21
	ErrInval       Status = 22
	ErrFbig        Status = 27
	ErrNospc       Status = 28
	ErrRofs        Status = 30
	ErrMlink       Status = 31
	ErrNametoolong Status = 63
	ErrNotempty    Status = 66
	ErrDquot       Status = 69
	ErrStale       Status = 70
	ErrRemote      Status = 71
	ErrBadhandle   Status = 10001
	ErrNotSync     Status = 10002
	ErrBadCookie   Status = 10003
	ErrNotsupp     Status = 10004
	ErrToosmall    Status = 10005
	ErrServerfault Status = 10006
	ErrBadtype     Status = 10007
	ErrJukebox     Status = 10008
)

// Error implements error: the RFC's name and what the system calls it.
func (s Status) Error() string {
	i := s.info()
	if i == nil {
		return "nfsstat3 " + strconv.FormatUint(uint64(s), 10) + ", which RFC 1813 does not know"
	}
	return i.name + ": " + i.text
}

// String returns the RFC's name, "NFS3ERR_NOENT", or the number of a status
// that the RFC does not know.
func (s Status) String() string {
	if i := s.info(); i != nil {
		return i.name
	}
	return strconv.FormatUint(uint64(s), 10)
}

// Errno returns what the system calls the error; 0 for OK. It is never ENOSYS:
// FUSE takes that as "this operation does not exist on this mount, do not ask
// again". A status that the RFC does not know is EIO.
func (s Status) Errno() syscall.Errno {
	if i := s.info(); i != nil {
		return i.errno
	}
	return syscall.EIO
}

// Is makes errors.Is hold for the syscall.Errno of the status, for what that is,
// such as fs.ErrNotExist, and for fs.ErrInvalid.
func (s Status) Is(target error) bool {
	if target == fs.ErrInvalid {
		return s == ErrInval
	}
	errno := s.Errno()
	return errno != 0 && (target == errno || errno.Is(target))
}

type statusInfo struct {
	name  string
	text  string
	errno syscall.Errno
}

// info returns what is known of s, or nil.
func (s Status) info() *statusInfo {
	if i, ok := statuses[s]; ok {
		return &i
	}
	return nil
}

// statuses is read only.
var statuses = map[Status]statusInfo{
	OK:             {"NFS3_OK", "success", 0},
	ErrPerm:        {"NFS3ERR_PERM", "operation not permitted", syscall.EPERM},
	ErrNoent:       {"NFS3ERR_NOENT", "no such file or directory", syscall.ENOENT},
	ErrIO:          {"NFS3ERR_IO", "input/output error", syscall.EIO},
	ErrNxio:        {"NFS3ERR_NXIO", "no such device or address", syscall.ENXIO},
	ErrAcces:       {"NFS3ERR_ACCES", "permission denied", syscall.EACCES},
	ErrExist:       {"NFS3ERR_EXIST", "file exists", syscall.EEXIST},
	ErrXdev:        {"NFS3ERR_XDEV", "cross-device link", syscall.EXDEV},
	ErrNodev:       {"NFS3ERR_NODEV", "no such device", syscall.ENODEV},
	ErrNotdir:      {"NFS3ERR_NOTDIR", "not a directory", syscall.ENOTDIR},
	ErrIsdir:       {"NFS3ERR_ISDIR", "is a directory", syscall.EISDIR},
	ErrInval:       {"NFS3ERR_INVAL", "invalid argument", syscall.EINVAL},
	ErrFbig:        {"NFS3ERR_FBIG", "file too large", syscall.EFBIG},
	ErrNospc:       {"NFS3ERR_NOSPC", "no space left on device", syscall.ENOSPC},
	ErrRofs:        {"NFS3ERR_ROFS", "read-only file system", syscall.EROFS},
	ErrMlink:       {"NFS3ERR_MLINK", "too many links", syscall.EMLINK},
	ErrNametoolong: {"NFS3ERR_NAMETOOLONG", "file name too long", syscall.ENAMETOOLONG},
	ErrNotempty:    {"NFS3ERR_NOTEMPTY", "directory not empty", syscall.ENOTEMPTY},
	ErrDquot:       {"NFS3ERR_DQUOT", "disk quota exceeded", syscall.EDQUOT},
	ErrStale:       {"NFS3ERR_STALE", "stale file handle", syscall.ESTALE},
	ErrRemote:      {"NFS3ERR_REMOTE", "object is remote to the server", syscall.EREMOTE},
	// The kernel walks the path again on ESTALE, which is the cure here too.
	ErrBadhandle:   {"NFS3ERR_BADHANDLE", "illegal file handle", syscall.ESTALE},
	ErrNotSync:     {"NFS3ERR_NOT_SYNC", "ctime is not the one of the guard", syscall.EIO},
	ErrBadCookie:   {"NFS3ERR_BAD_COOKIE", "stale directory cookie", syscall.EIO},
	ErrNotsupp:     {"NFS3ERR_NOTSUPP", "operation not supported by the server", syscall.EOPNOTSUPP},
	ErrToosmall:    {"NFS3ERR_TOOSMALL", "buffer or request too small", syscall.EINVAL},
	ErrServerfault: {"NFS3ERR_SERVERFAULT", "error of the server that has no other name", eRemoteIO},
	ErrBadtype:     {"NFS3ERR_BADTYPE", "type not supported by the server", syscall.EOPNOTSUPP},
	ErrJukebox:     {"NFS3ERR_JUKEBOX", "not ready yet, ask again later", syscall.EAGAIN},
}
