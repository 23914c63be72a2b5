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
var exceptions = map[string]string{}

func TestPOSIX(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
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
