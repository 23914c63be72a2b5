package fuse

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

// acl is the value of an attribute for a list in short text form.
func acl(t testing.TB, text string) []byte {
	t.Helper()
	a, err := nfsacl.Parse(text, nfsacl.Names{})
	if err != nil {
		t.Fatal(err)
	}
	return a.Xattr()
}

// lists returns the lists of a file in short text form, and its mode.
func lists(t testing.TB, path string) string {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%04o", st.Mode&0o7777)
	for _, attr := range []string{nfsacl.XattrAccess, nfsacl.XattrDefault} {
		b := make([]byte, 4096)
		n, err := unix.Lgetxattr(path, attr, b)
		if errors.Is(err, unix.ENODATA) {
			out += ";"
			continue
		}
		if err != nil {
			t.Fatalf("%s of %s: %v", attr, path, err)
		}
		a, err := nfsacl.ParseXattr(b[:n])
		if err != nil {
			t.Fatal(err)
		}
		out += ";" + a.String()
	}
	return out
}

func TestListsGoThroughTheKernelAndBack(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	path := filepath.Join(m.Dir(), "f")
	write(t, s, "f", nil)
	long := "u::rw,g::r,m::rwx,o::-"
	for i := range 500 { // the kernel has room for 511 entries
		long += fmt.Sprintf(",u:%d:%d", 1000+i, i%8)
	}
	for _, text := range []string{long, "u::rwx,u:7:x,g::r,g:8:w,m::rw,o::x"} {
		want := acl(t, text)
		if err := unix.Setxattr(path, nfsacl.XattrAccess, want, 0); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 4096)
		n, err := unix.Getxattr(path, nfsacl.XattrAccess, got)
		if err != nil || !bytes.Equal(got[:n], want) {
			t.Errorf("%v: %x, want %x", err, got[:n], want)
		}
		if n, err := unix.Getxattr(path, nfsacl.XattrAccess, nil); err != nil || n != len(want) {
			t.Errorf("length %d, %v", n, err)
		}
		if _, err := unix.Getxattr(path, nfsacl.XattrAccess, got[:10]); !errors.Is(err, unix.ERANGE) {
			t.Errorf("into 10 bytes: %v", err)
		}
	}
	if got := lists(t, path); got[:4] != "0761" {
		t.Errorf("mode %s", got[:4])
	}
	names := make([]byte, 100)
	if n, err := unix.Listxattr(path, names); err != nil || string(names[:n]) != nfsacl.XattrAccess+"\x00" {
		t.Errorf("list %q, %v", names[:n], err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if got, want := lists(t, path), "0640;user::rw-,user:7:--x,group::r--,group:8:-w-,mask::r--,other::---;"; got != want {
		t.Errorf("after chmod %s, want %s", got, want)
	}
	if err := unix.Removexattr(path, nfsacl.XattrAccess); err != nil {
		t.Fatal(err)
	}
	if got := lists(t, path); got != "0640;;" {
		t.Errorf("after removing: %s", got)
	}
}

func TestAttributesThatAreNoListsAreRefused(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	dir := mounted(t, s, "").Dir()
	write(t, s, "f", nil)
	f := filepath.Join(dir, "f")
	good := acl(t, "u::rw,u:7:x,g::r,m::rw,o::-")
	none := mounted(t, s, "noacl").Dir()
	for _, tc := range []struct {
		name string
		err  error
		want error
	}{
		{"an attribute of another name", unix.Setxattr(f, "user.x", []byte("y"), 0), unix.EOPNOTSUPP},
		{"a trusted one", unix.Setxattr(f, "trusted.x", []byte("y"), 0), unix.EOPNOTSUPP},
		{"removing one", unix.Removexattr(f, "user.x"), unix.EOPNOTSUPP},
		{"a default list of a file", unix.Setxattr(f, nfsacl.XattrDefault, good, 0), unix.EACCES},
		{"half a list", unix.Setxattr(f, nfsacl.XattrAccess, good[:len(good)-3], 0), unix.EINVAL},
		{"a list without an owner", unix.Setxattr(f, nfsacl.XattrAccess, append(bytes.Clone(good[:4]), good[12:]...), 0), unix.EINVAL},
		{"a list with noacl", unix.Setxattr(filepath.Join(none, "f"), nfsacl.XattrAccess, good, 0), unix.EOPNOTSUPP},
		{"a list", unix.Setxattr(f, nfsacl.XattrAccess, good, 0), nil},
	} {
		if !errors.Is(tc.err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, tc.err, tc.want)
		}
	}
	if _, err := unix.Getxattr(filepath.Join(none, "f"), nfsacl.XattrAccess, nil); !errors.Is(err, unix.ENODATA) { // the kernel's own answer
		t.Errorf("getting one with noacl: %v", err)
	}
}

// A second user gains by a list what it grants, no less and no more: at the
// kernel, which checks, and at the server.
func TestAListGrantsExactlyWhatItSays(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	allow(t, m.Dir())
	dir := filepath.Join(m.Dir(), "d")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(dir, 0o700))
	must(os.WriteFile(filepath.Join(dir, "f"), []byte("x\n"), 0o600))
	try := func(what string, uid uint32, want bool, groups ...uint32) {
		t.Helper()
		if out, err := sh(dir, what, uid, uid, groups...); (err == nil) != want {
			t.Errorf("%s as %d %v: %v %s, want it to work: %v", what, uid, groups, err, out, want)
		}
	}
	try("cat f", 1001, false)
	must(unix.Setxattr(dir, nfsacl.XattrAccess, acl(t, "u::rwx,u:1001:rwx,g::-,g:3000:x,m::rwx,o::-"), 0))
	try("cat f", 1001, false)
	try("ls", 1001, true)
	must(unix.Setxattr(filepath.Join(dir, "f"), nfsacl.XattrAccess, acl(t, "u::rw,u:1001:rw,g::-,g:3000:rw,m::r,o::-"), 0))
	try("cat f", 1001, true)
	try("echo y >>f", 1001, false) // the mask
	try("cat f", 1002, false)
	try("cat f", 1002, true, 3000)
	try("ls", 1002, false, 3000)
	try("echo new >g && rm g", 1001, true)
	try("echo new >g", 1002, false, 3000)
	must(os.Chmod(filepath.Join(dir, "f"), 0o660)) // the mask again
	try("echo y >>f", 1001, true)
	must(unix.Removexattr(dir, nfsacl.XattrAccess))
	must(os.Chmod(dir, 0o700))
	try("cat f", 1001, false)
}

// What a local file system makes of umask and default lists is the oracle.
func TestUmaskAndDefaultListsAsOnALocalFileSystem(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	local, remote := t.TempDir(), mounted(t, s, "").Dir()
	for _, def := range []string{"", "u::rwx,u:7:rwx,g::rx,m::rwx,o::-", "u::rwx,g::rwx,o::x", "u::rx,g::r,g:8:rwx,m::rx,o::r"} {
		for _, umask := range []string{"022", "077", "000"} {
			script := "umask " + umask + "; echo x >file; mkdir dir; mkdir dir/sub; mkfifo pipe; (set -C; echo y >excl); ln -s x link; mkdir -m 751 exact; touch dir/sub/deep"
			var got [2]string
			for i, top := range []string{local, remote} {
				dir := filepath.Join(top, fmt.Sprint(umask, len(def)))
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if def != "" {
					if err := unix.Setxattr(dir, nfsacl.XattrDefault, acl(t, def), 0); errors.Is(err, unix.EOPNOTSUPP) && i == 0 {
						t.Skip("the local file system has no lists")
					} else if err != nil {
						t.Fatal(err)
					}
				}
				if out, err := sh(dir, script, 0, 0); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				for _, name := range strings.Fields("file dir dir/sub pipe excl exact dir/sub/deep") {
					got[i] += name + " " + lists(t, filepath.Join(dir, name)) + "\n"
				}
			}
			if got[0] != got[1] {
				t.Errorf("umask %s, default list %q:\nlocal\n%sremote\n%s", umask, def, got[0], got[1])
			}
		}
	}
}

func TestListsThatTheServerLosesAreGoneForTheKernelToo(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	write(t, s, "f", nil)
	s.Fault(nfstest.Fault{Program: nfsacl.Program, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Accept(rpc.ProgUnavail)}})
	for range 3 {
		_, err := unix.Getxattr(filepath.Join(m.Dir(), "f"), nfsacl.XattrAccess, nil)
		if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENODATA) { // the latter is the kernel's own answer
			t.Errorf("got %v", err)
		}
	}
	if n := s.Counts()["NFSACL.GETACL"]; n != 1 {
		t.Errorf("the server was asked %d times", n)
	}
}

// The kernel asks for lists to check permissions: what has none must not look
// like a refusal.
func TestNoListsOnThisObjectIsNoRefusal(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	allow(t, m.Dir())
	write(t, s, "f", []byte("x\n"))
	setattr(t, s, "f", nfs3.Sattr{Mode: set(0o644)})
	s.Fault(nfstest.Fault{Program: nfsacl.Program, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Status(nfs3.ErrNotsupp)}})
	if out, err := sh(m.Dir(), "cat f", 1001, 1001); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
