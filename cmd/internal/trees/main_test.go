package trees

import (
	"context"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gonfs/gonfs"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// here returns a local side in a new directory, and the directory.
func here(t *testing.T) (Local, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return Local{root}, dir
}

// there returns a side on a server in memory.
func there(t *testing.T, o nfstest.Options) (Server, *nfstest.Server) {
	t.Helper()
	s := nfstest.NewFor(t, o)
	return mounted(t, s), s
}

// mounted mounts a server, with nothing in its caches.
func mounted(t *testing.T, s *nfstest.Server) Server {
	t.Helper()
	fsys, err := gonfs.Dial(t.Context(), s.Export(), gonfs.Options{DialContext: s.DialContext, Cred: rpc.NewCred(0, 0, nil)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := fsys.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return Server{FS: fsys, Top: "/"}
}

// none fails the test at the first problem.
func none(t *testing.T) *Problems {
	return &Problems{Tell: func(err error) { t.Errorf("problem: %v", err) }}
}

// collect keeps problems.
func collect(into *[]error) *Problems {
	return &Problems{Tell: func(err error) { *into = append(*into, err) }}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
