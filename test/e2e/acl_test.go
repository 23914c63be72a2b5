package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfstest"
)

// TestAccessControlLists has the tools that people use set lists on a mount, and
// a second user gain what they grant. The server is nfstest: nfs-ganesha as
// Debian builds it answers GETACL with empty lists, and SETACL with OK without
// doing anything. Beside the mount the same is done on a local file system, which
// must come to the same.
func TestAccessControlLists(t *testing.T) {
	need(t)
	s := nfstest.Start(t, nfstest.Options{})
	stop := startCapture(t)
	m := w.mount(t, 0, s.Export(), s.MountOptions()+",actimeo=1")
	local := filepath.Join(w.dir, "acl-local") // on the disk that the tests run on
	if err := os.Mkdir(local, 0o755); err != nil {
		t.Fatal(err)
	}
	sh := func(uid int, dir, script string) result {
		t.Helper()
		return w.run(t, 30*time.Second, uid, "bash", "-c", "cd "+dir+" && "+script)
	}
	// both runs a script here and there, and compares what it says.
	both := func(script string) string {
		t.Helper()
		here, there := sh(0, local, script), sh(0, m.dir, script)
		if here.code != 0 || there.code != 0 || here.stdout != there.stdout {
			t.Errorf("%s\nlocal: exit code %d\n%s%s\nmount: exit code %d\n%s%s",
				script, here.code, here.stdout, here.stderr, there.code, there.stdout, there.stderr)
		}
		return there.stdout
	}

	var entries []string // with the three of the mode and the mask, 32
	for i := range 14 {
		entries = append(entries, fmt.Sprintf("u:%d:%d", 4000+i, i%8), fmt.Sprintf("g:%d:%d", 5000+i, 7-i%8))
	}
	got := both("umask 022; echo data >f; setfacl -m " + strings.Join(entries, ",") + " f; getfacl -cnE f")
	if n := strings.Count(got, "\n") - 1; n != 32 {
		t.Errorf("getfacl shows %d entries, want 32:\n%s", n, got)
	}
	both("setfacl -x u:4001,g:5002 f; setfacl -m m::r f; getfacl -cn f; stat -c %A f; ls -l f | cut -c1-11")
	both("cp -p f g; getfacl -cn g; setfacl -b g; getfacl -cn g; ls -l g | cut -c1-11")
	both("mkdir d; setfacl -d -m u:4000:rwx,g::-,o::- d; umask 077; mkdir -p d/a/b; touch d/a/b/f; (umask 0; echo >d/x); find d | sort | xargs getfacl -cn")
	both("cp -a d e; find e | sort | xargs getfacl -cn; setfacl -Rk d; setfacl -Rb e; find d e | sort | xargs getfacl -cn")
	both("tar --acls -cf t.tar f d; mkdir out; tar --acls -xpf t.tar -C out; find out | sort | xargs getfacl -cn")

	// The second user gains exactly what the list grants, and loses it again.
	try := func(script string, want bool) {
		t.Helper()
		if r := sh(nobody, m.dir, script); (r.code == 0) != want {
			t.Errorf("%s as the second user: exit code %d, want success: %v\n%s", script, r.code, want, r.stderr)
		}
	}
	sh(0, m.dir, "umask 077; mkdir private; echo secret >private/f")
	try("cat private/f", false)
	for _, step := range []struct {
		set                            string
		search, list, read, write, add bool
	}{
		{set: "-m u:65534:x private", search: true},
		{set: "-m u:65534:r private/f", search: true, read: true},
		{set: "-m u:65534:rw private/f", search: true, read: true, write: true},
		{set: "-m u:65534:rx private", search: true, list: true, read: true, write: true},
		{set: "-m u:65534:rwx private", search: true, list: true, read: true, write: true, add: true},
		{set: "-n -m m::r private/f", search: true, list: true, read: true, add: true},
		{set: "-b private"},
	} {
		if r := sh(0, m.dir, "setfacl "+step.set); r.code != 0 {
			t.Fatalf("setfacl %s: %s", step.set, r.stderr)
		}
		try("stat private/f", step.search)
		try("ls private", step.list)
		try("cat private/f", step.read)
		try("echo more >>private/f", step.write)
		try("echo new >private/new && rm private/new", step.add)
	}

	// gonfs has tools of its own, for hosts without a mount.
	spec := s.Export() + "/f"
	show := w.run(t, 30*time.Second, 0, w.bin("gonfs"), "getfacl", "-c", "-n", "-o", s.MountOptions(), spec)
	if want := sh(0, m.dir, "getfacl -cn f").stdout; show.code != 0 || show.stdout != want {
		t.Errorf("gonfs getfacl: exit code %d\n%s%s, want\n%s", show.code, show.stdout, show.stderr, want)
	}
	if r := w.run(t, 30*time.Second, 0, w.bin("gonfs"), "setfacl", "-m", "u:4444:rw", "-o", s.MountOptions(), spec); r.code != 0 {
		t.Errorf("gonfs setfacl: %s", r.stderr)
	}
	time.Sleep(1100 * time.Millisecond) // actimeo: the mount learns of others' change
	if got := sh(0, m.dir, "getfacl -cn f").stdout; !strings.Contains(got, "user:4444:rw-") {
		t.Errorf("the mount shows after gonfs setfacl\n%s", got)
	}
	m.umount(t)
	w.check(t, 0, "rpc.sh", stop(), "retransmissions=0")
}
