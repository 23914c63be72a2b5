package lock

import (
	"os"
	"os/user"
	"strconv"
	"testing"
)

// A helper of mount(8) has no HOME, and keeps its journal all the same.
func TestHomeIsKnownWithoutTheEnvironment(t *testing.T) {
	t.Setenv("HOME", "/somewhere")
	if got := homeDir(); got != "/somewhere" {
		t.Errorf("with HOME: %q", got)
	}
	u, err := user.LookupId(strconv.Itoa(os.Getuid()))
	if err != nil {
		t.Skipf("this user has no entry in the list of users: %v", err)
	}
	t.Setenv("HOME", "")
	if got := homeDir(); got != u.HomeDir || got == "" {
		t.Errorf("without HOME: %q, want %q", got, u.HomeDir)
	}
}
