package mountd

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

func TestStatusIsTheErrorItStandsFor(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    Status
		is   []error
		not  []error
		text string
	}{
		{"PERM", ErrPerm, []error{fs.ErrPermission, syscall.EPERM}, []error{syscall.EACCES}, "MNT3ERR_PERM: Operation not permitted"},
		{"NOENT", ErrNoent, []error{fs.ErrNotExist, syscall.ENOENT}, []error{fs.ErrPermission, fs.ErrInvalid}, "MNT3ERR_NOENT: No such file or directory"},
		{"IO", ErrIO, []error{syscall.EIO}, []error{fs.ErrNotExist}, "MNT3ERR_IO: Input/output error"},
		{"ACCES", ErrAcces, []error{fs.ErrPermission, syscall.EACCES}, []error{syscall.EPERM}, "MNT3ERR_ACCES: Permission denied"},
		{"NOTDIR", ErrNotdir, []error{syscall.ENOTDIR}, nil, "MNT3ERR_NOTDIR: Not a directory"},
		{"INVAL", ErrInval, []error{fs.ErrInvalid, syscall.EINVAL}, nil, "MNT3ERR_INVAL: Invalid argument"},
		{"NAMETOOLONG", ErrNametoolong, []error{syscall.ENAMETOOLONG}, nil, "MNT3ERR_NAMETOOLONG: File name too long"},
		{"NOTSUPP", ErrNotsupp, []error{errors.ErrUnsupported, syscall.EOPNOTSUPP}, nil, "MNT3ERR_NOTSUPP: Operation not supported"},
		{"SERVERFAULT", ErrServerfault, []error{syscall.EIO}, nil, "MNT3ERR_SERVERFAULT: Remote I/O error"},
		{"an unknown status is EACCES, but shown", Status(4711), []error{fs.ErrPermission, syscall.EACCES}, nil, "unknown status 4711: Permission denied"},
		{"OK is no error's kin", OK, nil, []error{fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid, syscall.Errno(0)}, "MNT3_OK: no error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := error(&Error{Path: "/e", Status: tt.s})
			for _, target := range tt.is {
				if !errors.Is(err, target) {
					t.Errorf("is not %v", target)
				}
			}
			for _, target := range tt.not {
				if errors.Is(err, target) {
					t.Errorf("is %v", target)
				}
			}
			var s Status
			if !errors.As(err, &s) || s != tt.s {
				t.Errorf("errors.As finds %v", s)
			}
			if tt.s.Error() != tt.text {
				t.Errorf("text %q, want %q", tt.s.Error(), tt.text)
			}
			if want := `MNT of "/e": ` + tt.text; err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
			if !strings.HasSuffix(tt.text, tt.s.Text()) || !strings.HasPrefix(tt.text, tt.s.String()) {
				t.Errorf("Text %q, String %q", tt.s.Text(), tt.s)
			}
		})
	}
}
