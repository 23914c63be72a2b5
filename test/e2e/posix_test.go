package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hanwen/go-fuse/v2/posixtest"
)

// posixExceptions are the tests of go-fuse's posixtest that a mount of this
// server does not pass, and why.
var posixExceptions = map[string]string{
	"Fallocate":         "NFS version 3 has no call that allocates space; fallocate(2) is EOPNOTSUPP",
	"FallocateKeepSize": "the same",
	"FcntlFlockLocksFile": "wants two POSIX locks of one process to be in conflict, which they never are: " +
		"it passes only where the FUSE server takes locks in its own name, and fails on ext4 as well",
	"OpenSymlinkRace": "a file that is replaced between its LOOKUP and its OPEN is gone at the server; " +
		"the kernel walks the path again at the ESTALE, but once only, and the test is fast enough to hit twice",
	"SetattrSymlink": "nfs-ganesha 4.3 answers NFS3_OK to a SETATTR of a symbolic link's times and sets none " +
		"(seen in a capture; the attributes that the reply carries are the old ones)",
}

// TestPOSIX runs go-fuse's conformance tests on a mount of nfs-ganesha.
func TestPOSIX(t *testing.T) {
	need(t)
	m := w.mount(t, 0, "nfsserver:/rw", "proto=tcp")
	for name, f := range posixtest.All {
		t.Run(name, func(t *testing.T) {
			if why, ok := posixExceptions[name]; ok {
				t.Skip(why)
			}
			dir := filepath.Join(m.dir, "posix-"+name)
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			f(t, dir)
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		})
	}
	m.umount(t)
}
