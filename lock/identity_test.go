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
	want := "" // of a user who is not in the list, as in some containers
	if u, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil {
		want = u.HomeDir
	}
	t.Setenv("HOME", "")
	if got := homeDir(); got != want {
		t.Errorf("without HOME: %q, want %q", got, want)
	}
}
