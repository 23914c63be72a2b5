package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gonfs/gonfs"
	"github.com/gonfs/gonfs/nfs3"
)

// TestLibrary uses the server as a Go program does, with no mount.
func TestLibrary(t *testing.T) {
	need(t)
	for _, c := range []struct{ name, spec, options string }{
		{"over TCP", "nfsserver:/rw", ""},
		{"over UDP", "nfsserver:/rw", "proto=udp"},
		{"over TCP and IPv6", "[fd99::2]:/rw", "proto=tcp6"},
		{"from a port above 1023", "127.0.0.1:/rw", "noresvport"},
		{"by URL", "nfs://nfsserver/rw", "soft"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := within(t, 3*time.Minute)
			fsys, err := gonfs.Dial(ctx, c.spec, gonfs.Options{Mount: c.options})
			if err != nil {
				t.Fatal(err)
			}
			data := make([]byte, 3<<20+1)
			for i := range data {
				data[i] = byte(rand.Uint32())
			}
			if err := fsys.MkdirAll(ctx, "library/a/b", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := fsys.WriteFile(ctx, "library/data", data, 0o640); err != nil {
				t.Fatal(err)
			}
			// At the server, before our own caches are asked.
			at, err := os.ReadFile(filepath.Join(w.backing, "rw", "library", "data"))
			if err != nil || sha256.Sum256(at) != sha256.Sum256(data) {
				t.Errorf("the server has %d bytes, %v; or other ones than were written", len(at), err)
			}
			got, err := fsys.ReadFile(ctx, "library/data")
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("ReadFile returns %d bytes, %v; or other ones than were written", len(got), err)
			}
			// TestFS reads byte by byte, too.
			if err := fsys.WriteFile(ctx, "library/a/b/small", data[:70_001], 0o640); err != nil {
				t.Fatal(err)
			}
			if err := fstest.TestFS(sub(t, ctx, fsys, "library/a"), "b/small"); err != nil {
				t.Error(err)
			}
			_, err = fsys.Stat(ctx, "library/absent")
			var status nfs3.Status
			if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &status) || status != nfs3.ErrNoent {
				t.Errorf("Stat of an absent file: %v", err)
			}
			if err := fsys.RemoveAll(ctx, "library"); err != nil {
				t.Error(err)
			}
			if err := fsys.Close(ctx); err != nil {
				t.Error(err)
			}
			nothingLeft(t)
		})
	}
}

// sub is a directory of the export as an fs.FS.
func sub(t *testing.T, ctx context.Context, fsys *gonfs.FS, dir string) fs.FS {
	t.Helper()
	s, err := fs.Sub(fsys.IOFS(ctx), dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
