package gonfs_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/gonfs/gonfs"
	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func dial(t *testing.T, s *nfstest.Server, o gonfs.Options) *gonfs.FS {
	t.Helper()
	o.DialContext = s.DialContext
	fsys, err := gonfs.Dial(t.Context(), s.Export(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		fsys.Close(ctx) // a test that cares has closed it already
	})
	return fsys
}

// The standard library's own judgement of what a file system has to be.
func TestAnExportIsAFileSystemAsPackageFSKnowsIt(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fsys := dial(t, s, gonfs.Options{})
	ctx := t.Context()
	for name, text := range map[string]string{"one": "1", "dir/two": "22", "dir/sub/three": strings.Repeat("3", 100_000), "empty": ""} {
		if i := strings.LastIndex(name, "/"); i > 0 {
			if err := fsys.MkdirAll(ctx, name[:i], 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := fsys.WriteFile(ctx, name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := fstest.TestFS(fsys.IOFS(ctx), "one", "dir/two", "dir/sub/three", "empty"); err != nil {
		t.Fatal(err)
	}
}

func TestEachCredentialSeesWhatItMay(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	root := dial(t, s, gonfs.Options{Cred: rpc.NewCred(0, 0, nil)})
	ctx := t.Context()
	if err := root.WriteFile(ctx, "secret", []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	user := root.As(rpc.NewCred(1000, 1000, nil))
	if _, err := user.ReadFile(ctx, "secret"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a stranger: %v", err)
	}
	if b, err := root.ReadFile(ctx, "secret"); err != nil || string(b) != "s" {
		t.Errorf("the owner: %q, %v", b, err)
	}
}

func TestTheCallersOwnDialerOpensEveryConnection(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	var n atomic.Int32
	fsys, err := gonfs.Dial(t.Context(), s.Export(), gonfs.Options{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			n.Add(1)
			return s.DialContext(ctx, network, addr)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := fsys.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n.Load() < 2 {
		t.Errorf("%d connections", n.Load())
	}
}

func TestWhatIsWrongWithAMountSaysSo(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	var option *mountopt.Error
	var mnt *mount.Error
	for name, c := range map[string]struct {
		spec   string
		o      gonfs.Options
		target any
		says   string
	}{
		"an unknown option":     {s.Export(), gonfs.Options{Mount: "bogus"}, &option, "bogus"},
		"a spec without a path": {"server", gonfs.Options{}, &option, "host:dir"},
		"an export that is not": {"127.0.0.1:/nothing", gonfs.Options{DialContext: s.DialContext}, &mnt, "/nothing"},
	} {
		_, err := gonfs.Dial(t.Context(), c.spec, c.o)
		if err == nil || !errors.As(err, c.target) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := gonfs.Dial(t.Context(), s.Export(), gonfs.Options{Mount: "soft", Parsed: new(mountopt.Options)}); err == nil {
		t.Error("options given twice are accepted")
	}
}

func TestCloseSaysWhatWasNotSaved(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fsys := dial(t, s, gonfs.Options{})
	h, err := fsys.Create(t.Context(), "lost")
	if err != nil {
		t.Fatal(err)
	}
	s.Fail(nfs3.ErrNospc, nfstest.Forever, nfs3.ProcWrite)
	if _, err := h.Write(t.Context(), []byte("precious")); err != nil {
		t.Fatal(err)
	}
	err = fsys.Close(t.Context())
	var unsaved *client.UnsavedError
	if !errors.As(err, &unsaved) || !strings.Contains(err.Error(), "lost") {
		t.Fatalf("close: %v", err)
	}
	if err := h.Close(t.Context()); err == nil {
		t.Error("closing the file says that all is well")
	}
}

func TestAHandleBehavesLikeAnOSFile(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fsys := dial(t, s, gonfs.Options{})
	ctx := t.Context()
	h, err := fsys.Create(ctx, "f")
	if err != nil {
		t.Fatal(err)
	}
	f := h.IO(ctx)
	if n, err := io.Copy(f, strings.NewReader("0123456789")); n != 10 || err != nil {
		t.Fatalf("ReadFrom: %d, %v", n, err)
	}
	if off, err := f.Seek(-4, io.SeekEnd); off != 6 || err != nil {
		t.Fatalf("Seek: %d, %v", off, err)
	}
	if b, err := io.ReadAll(f); string(b) != "6789" || err != nil {
		t.Fatalf("Read: %q, %v", b, err)
	}
	if _, err := f.Seek(-1, io.SeekStart); err == nil {
		t.Error("a seek to before the file succeeds")
	}
	if err := h.Truncate(ctx, 3); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 5)
	if n, err := f.ReadAt(p, 0); n != 3 || !errors.Is(err, io.EOF) {
		t.Fatalf("ReadAt at the end: %d, %v", n, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(p); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("reading a closed file: %v", err)
	}
	if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("closing it again: %v", err)
	}
}

func TestPathsFollowLinksButNeverLeaveTheExport(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fsys := dial(t, s, gonfs.Options{})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(fsys.MkdirAll(ctx, "d/e", 0o755))
	must(fsys.WriteFile(ctx, "d/file", []byte("x"), 0o644))
	must(fsys.Symlink(ctx, "../file", "d/e/up"))
	must(fsys.Symlink(ctx, "/d/file", "absolute"))
	must(fsys.Symlink(ctx, "../../../d/file", "outside"))
	must(fsys.Symlink(ctx, "loop", "loop"))
	for _, name := range []string{"d/e/up", "absolute", "outside", "d/e/../file", "../d/file", "/d//./file"} {
		if b, err := fsys.ReadFile(ctx, name); string(b) != "x" || err != nil {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if _, err := fsys.Stat(ctx, "loop"); err == nil {
		t.Error("a link to itself leads somewhere")
	}
	if fi, err := fsys.Lstat(ctx, "loop"); err != nil || fi.Mode().Type() != fs.ModeSymlink {
		t.Errorf("Lstat of a link: %v", err)
	}
	must(fsys.RemoveAll(ctx, "d"))
	if _, err := fsys.Stat(ctx, "d"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after RemoveAll: %v", err)
	}
	must(fsys.RemoveAll(ctx, "d"))
}

func TestWalkGoesThroughATreeAndLeavesOutWhatItIsToldTo(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fsys := dial(t, s, gonfs.Options{})
	ctx := t.Context()
	for _, d := range []string{"a/b", "a/c", "skip/x"} {
		if err := fsys.MkdirAll(ctx, d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var seen []string
	err := fsys.Walk(ctx, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.Name() == "skip" {
			return fs.SkipDir
		}
		seen = append(seen, name)
		return nil
	})
	if got := strings.Join(seen, " "); err != nil || got != ". a a/b a/c" {
		t.Fatalf("%q, %v", got, err)
	}
}
