package nfstest

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/nfsacl"
)

// getHostACL reads a list of an open file; nil if it has none, or if its file
// system knows no lists.
func getHostACL(f *os.File, name string) (nfsacl.ACL, error) {
	b := make([]byte, nfsacl.MaxXattr)
	n, err := unix.Fgetxattr(int(f.Fd()), name, b)
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return nfsacl.ParseXattr(b[:n])
}

// setHostACL sets a list of an open file, or takes it away if a is empty.
func setHostACL(f *os.File, name string, a nfsacl.ACL) error {
	if len(a) > 0 {
		return unix.Fsetxattr(int(f.Fd()), name, a.Xattr(), 0)
	}
	err := unix.Fremovexattr(int(f.Fd()), name)
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return err
}
