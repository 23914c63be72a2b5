package fuse

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hanwen/go-fuse/v2/posixtest"

	"github.com/gonfs/gonfs/nfstest"
)

// exceptions are the tests of go-fuse's posixtest that a mount of NFS version
// 3 cannot pass, and why.
var exceptions = map[string]string{
	"Fallocate":         "NFS version 3 has no call that allocates space; fallocate(2) is EOPNOTSUPP",
	"FallocateKeepSize": "the same",
	"FcntlFlockLocksFile": "wants two POSIX locks of one process to be in conflict, which they never are: " +
		"it passes only where the FUSE server takes locks in its own name, and fails on ext4 as well",
	"OpenSymlinkRace": "a file that is replaced between its LOOKUP and its OPEN is gone at the server; " +
		"the kernel walks the path again at the ESTALE, but once only, and the test is fast enough to hit twice " +
		"(TestOpenNeverGetsAnotherFile is the rest of it)",
}

func TestPOSIX(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "lock")
	for name := range exceptions {
		if posixtest.All[name] == nil {
			t.Errorf("there is no test %s to be excepted", name)
		}
	}
	for name, f := range posixtest.All {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(m.Dir(), name)
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			if why, ok := exceptions[name]; ok {
				t.Skip(why)
			}
			f(t, dir)
		})
	}
}
