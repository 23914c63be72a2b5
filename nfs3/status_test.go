package nfs3

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
)

func TestAStatusIsTheErrorThatItMeans(t *testing.T) {
	for _, tc := range []struct {
		s       Status
		is, not error
	}{
		{ErrNoent, fs.ErrNotExist, fs.ErrExist},
		{ErrNoent, syscall.ENOENT, syscall.EEXIST},
		{ErrExist, fs.ErrExist, fs.ErrNotExist},
		{ErrNotempty, fs.ErrExist, syscall.EEXIST},
		{ErrNotempty, syscall.ENOTEMPTY, fs.ErrInvalid},
		{ErrPerm, fs.ErrPermission, syscall.EACCES},
		{ErrAcces, fs.ErrPermission, syscall.EPERM},
		{ErrInval, fs.ErrInvalid, fs.ErrClosed},
		{ErrNotsupp, errors.ErrUnsupported, syscall.ENOSYS},
		{ErrBadtype, errors.ErrUnsupported, fs.ErrInvalid},
		{ErrToosmall, syscall.EINVAL, fs.ErrInvalid},
		{ErrNospc, syscall.ENOSPC, syscall.EDQUOT},
		{ErrStale, syscall.ESTALE, fs.ErrNotExist},
		{12345, syscall.EIO, fs.ErrNotExist},
		{ErrNoent, ErrNoent, ErrExist},
	} {
		for _, err := range []error{tc.s, fmt.Errorf("open: %w", &Error{Proc: ProcLookup, Status: tc.s})} {
			if !errors.Is(err, tc.is) {
				t.Errorf("%v is not %v", err, tc.is)
			}
			if errors.Is(err, tc.not) {
				t.Errorf("%v is %v", err, tc.not)
			}
			var s Status
			if !errors.As(err, &s) || s != tc.s {
				t.Errorf("%v holds %v", err, s)
			}
		}
	}
	if errors.Is(OK, syscall.Errno(0)) {
		t.Error("OK is an error")
	}
}

// FUSE takes ENOSYS for "never ask again": FSYNC would succeed silently.
func TestNoStatusIsENOSYS(t *testing.T) {
	for s := range Status(20000) {
		if e := s.Errno(); e == syscall.ENOSYS || (e == 0) != (s == OK) {
			t.Errorf("%v is errno %d", s, e)
		}
	}
}

func TestErrorsNameTheProcedureAndTheStatus(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{&Error{Proc: ProcLookup, Status: ErrNoent}, "nfs3: LOOKUP: NFS3ERR_NOENT: no such file or directory"},
		{&Error{Proc: 99, Status: 4711}, "nfs3: procedure 99: nfsstat3 4711, which RFC 1813 does not know"},
		{&ReplyError{ProcRead, "count", 10, 5}, "nfs3: READ: server sent a count of 10 where 5 is the most"},
		{&ValueError{"ftype3", 28, 9}, "nfs3: ftype3 at byte 28 is 9, which RFC 1813 does not allow"},
		{&ArgsError{ProcRead, "dst is shorter than Count"}, "nfs3: READ: dst is shorter than Count"},
		{OK, "NFS3_OK: success"},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
	if got := Status(4711).String(); got != "4711" {
		t.Error(got)
	}
}

func TestWhatMustNotBeSentTwiceIsNotIdempotent(t *testing.T) {
	once := map[string]bool{"SETATTR": true, "CREATE": true, "MKDIR": true, "SYMLINK": true, "MKNOD": true,
		"REMOVE": true, "RMDIR": true, "RENAME": true, "LINK": true}
	for _, p := range Procs {
		if p.Idempotent == once[p.Name] {
			t.Errorf("%s: idempotent %v", p.Name, p.Idempotent)
		}
	}
}
