package nlm

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

func TestStatsIsTheErrnoThatLinuxGives(t *testing.T) {
	for _, tt := range []struct {
		s     Stats
		errno syscall.Errno
		text  string
	}{
		{Denied, syscall.EAGAIN, "NLM4_DENIED: Resource temporarily unavailable"},
		{DeniedNolocks, syscall.ENOLCK, "NLM4_DENIED_NOLOCKS: No locks available"},
		{Blocked, syscall.EAGAIN, "NLM4_BLOCKED: Resource temporarily unavailable"},
		{DeniedGracePeriod, syscall.ENOLCK, "NLM4_DENIED_GRACE_PERIOD: No locks available"},
		{Deadlck, syscall.EDEADLK, "NLM4_DEADLCK: Resource deadlock avoided"},
		{ROFS, syscall.EROFS, "NLM4_ROFS: Read-only file system"},
		{StaleFH, syscall.ESTALE, "NLM4_STALE_FH: Stale file handle"},
		{FBig, syscall.EOVERFLOW, "NLM4_FBIG: Value too large for defined data type"},
		{Failed, syscall.ENOLCK, "NLM4_FAILED: No locks available"},
		{Stats(77), syscall.ENOLCK, "unknown status 77: No locks available"},
	} {
		t.Run(tt.s.String(), func(t *testing.T) {
			err := fmt.Errorf("lock: %w", tt.s)
			var s Stats
			if !errors.Is(err, tt.errno) || !errors.As(err, &s) || s != tt.s || tt.s.Errno() != tt.errno {
				t.Errorf("is not %v", tt.errno)
			}
			if errors.Is(err, syscall.EIO) || tt.s.Error() != tt.text || !strings.HasPrefix(tt.text, tt.s.String()) {
				t.Errorf("text %q", tt.s.Error())
			}
		})
	}
	if errors.Is(Granted, syscall.Errno(0)) || Granted.Errno() != 0 || Granted.String() != "NLM4_GRANTED" {
		t.Error("Granted is an error's kin")
	}
}
