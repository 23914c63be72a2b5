package e2e

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestCallsAreMadeAsTheirCaller looks at the server whose file it is.
func TestCallsAreMadeAsTheirCaller(t *testing.T) {
	need(t)
	for _, c := range []struct {
		name         string
		mounter, uid int
	}{
		{"root on root's mount", 0, 0},
		{"an ordinary user on root's mount", 0, nobody},
		{"an ordinary user on his own mount", nobody, nobody},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := w.mount(t, c.mounter, "127.0.0.1:/rw", "nolock")
			if r := w.run(t, 30*time.Second, c.uid, "touch", filepath.Join(m.dir, "whose")); r.code != 0 {
				t.Fatal(r.stderr)
			}
			at := filepath.Join(w.backing, "rw", "whose")
			info, err := os.Stat(at)
			if err != nil {
				t.Fatal(err)
			}
			if s := info.Sys().(*syscall.Stat_t); int(s.Uid) != c.uid || int(s.Gid) != c.uid {
				t.Errorf("at the server the file is of user %d and group %d, want %d", s.Uid, s.Gid, c.uid)
			}
			if err := os.Remove(at); err != nil {
				t.Error(err)
			}
			m.umount(t)
		})
	}
}

// TestGroupsOfTheCallerReachTheServer opens a file that is for a group only.
func TestGroupsOfTheCallerReachTheServer(t *testing.T) {
	need(t)
	file := filepath.Join(w.backing, "rw", "for-a-group")
	if err := os.WriteFile(file, []byte("hello"), 0o640); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file)
	if err := os.Chown(file, 0, 4242); err != nil {
		t.Fatal(err)
	}
	m := w.mount(t, 0, "127.0.0.1:/rw", "nolock")
	read := func(groups string) result {
		return w.run(t, 30*time.Second, 0, "setpriv", "--reuid=65534", "--regid=65534", groups, "cat", filepath.Join(m.dir, "for-a-group"))
	}
	if r := read("--groups=4242"); r.code != 0 || r.stdout != "hello" {
		t.Errorf("a member of the group reads %q, exit code %d: %s", r.stdout, r.code, r.stderr)
	}
	if r := read("--clear-groups"); r.code == 0 {
		t.Errorf("who is not in the group reads %q", r.stdout)
	}
	m.umount(t)
}
