package client

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

// alice is the ordinary user of the tests.
var alice = rpc.NewCred(1000, 1000, nil)

// rig is a server in memory with clients.
type rig struct {
	t testing.TB
	*nfstest.Server
}

// newRig starts a server. Nothing goes over sockets, so it works in a bubble of
// testing/synctest too.
func newRig(t testing.TB, o nfstest.Options) *rig {
	t.Helper()
	return &rig{t, nfstest.NewFor(t, o)}
}

// mount returns a file system of the rig's server, mounted with opts.
func (r *rig) mount(opts string, o Options) *FS {
	r.t.Helper()
	all := r.MountOptions()
	if opts != "" {
		all += "," + opts
	}
	mo, err := mountopt.Parse(all)
	if err != nil {
		r.t.Fatal(err)
	}
	spec, err := mountopt.ParseSpec(r.Export())
	if err != nil {
		r.t.Fatal(err)
	}
	ctx := r.t.Context()
	s, err := mount.Dial(ctx, mount.Config{Spec: spec, Options: mo, Cred: alice, DialContext: r.DialContext})
	if err != nil {
		r.t.Fatal(err)
	}
	if o.Cred == nil {
		o.Cred = alice
	}
	fs, err := New(ctx, s, o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := fs.Close(ctx); err != nil {
			r.t.Errorf("Close: %v", err)
		}
		s.Close()
	})
	return fs
}

// calls returns what was called since the last time, as "LOOKUP 1, READ 2", less
// what the mount itself calls.
func (r *rig) calls() string {
	counts := r.Counts()
	r.ResetCounts()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, name+" "+itoa(counts[name]))
	}
	return strings.Join(out, ", ")
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// find looks a path up, one name after the other.
func find(t testing.TB, fs *FS, path string) *Inode {
	t.Helper()
	ino := fs.Root()
	for name := range strings.SplitSeq(path, "/") {
		if name == "" {
			continue
		}
		next, _, err := fs.Lookup(t.Context(), alice, ino, name)
		if err != nil {
			t.Fatalf("Lookup %q of %q: %v", name, path, err)
		}
		ino = next
	}
	return ino
}

// write makes a file of the root directory hold data.
func write(t testing.TB, fs *FS, name, data string) *Inode {
	t.Helper()
	ino, _, f, err := fs.Create(t.Context(), alice, fs.Root(), name, os.O_RDWR|os.O_TRUNC, 0o644, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	if _, err := f.WriteAt(t.Context(), []byte(data), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return ino
}

// want fails the test unless got equals want.
func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// must fails the test for an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
