package fuse

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// openFile looks name up in the root and opens it, without a kernel.
func openFile(t testing.TB, r *raw, name string, flags uint32) (id uint64, out gofuse.OpenOut) {
	t.Helper()
	var e gofuse.EntryOut
	if st := r.Lookup(nil, &gofuse.InHeader{NodeId: 1}, name, &e); st != gofuse.OK {
		t.Fatal(st)
	}
	in := &gofuse.OpenIn{Flags: flags}
	in.NodeId = e.NodeId
	if st := r.Open(nil, in, &out); st != gofuse.OK {
		t.Fatal(st)
	}
	return e.NodeId, out
}

func TestHowAnOpenFileIsCached(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	r := newTestRaw(t, s)
	write(t, s, "f", []byte("0123456789"))
	for _, tc := range []struct {
		name  string
		flags uint32
		want  uint32
	}{
		{"the first open drops what the kernel has", unix.O_RDONLY, 0},
		{"the second keeps it", unix.O_RDONLY, gofuse.FOPEN_KEEP_CACHE},
		{"appending goes around the cache", unix.O_WRONLY | unix.O_APPEND, gofuse.FOPEN_DIRECT_IO},
		{"appending and reading as well", unix.O_RDWR | unix.O_APPEND, gofuse.FOPEN_DIRECT_IO},
		{"O_APPEND means nothing to a reader", unix.O_RDONLY | unix.O_APPEND, gofuse.FOPEN_KEEP_CACHE},
		{"a truncation is our own change", unix.O_WRONLY | unix.O_TRUNC, gofuse.FOPEN_KEEP_CACHE},
		{"and is known as that", unix.O_RDONLY, gofuse.FOPEN_KEEP_CACHE},
	} {
		_, out := openFile(t, r, "f", tc.flags)
		if out.OpenFlags != tc.want {
			t.Errorf("%s: %#x, want %#x", tc.name, out.OpenFlags, tc.want)
		}
		r.Release(nil, &gofuse.ReleaseIn{Fh: out.Fh})
	}
}

func TestAnAppendIgnoresTheKernelsOffsetAndDropsThePagesOfBothPlaces(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	r := newTestRaw(t, s)
	write(t, s, "f", bytes.Repeat([]byte("x"), 10_000))
	id, out := openFile(t, r, "f", unix.O_WRONLY|unix.O_APPEND)
	in := &gofuse.WriteIn{Fh: out.Fh, Offset: 100, Flags: unix.O_WRONLY | unix.O_APPEND}
	in.NodeId = id
	if n, st := r.Write(nil, in, []byte("end")); n != 3 || st != gofuse.OK {
		t.Fatal(n, st)
	}
	if got, want := r.inval.todo[id], (byteRange{100, 10_003}); got != want {
		t.Errorf("%v is dropped, want %v", got, want)
	}
	in.WriteFlags = gofuse.WRITE_CACHE // a page on its way out: its place is the page's
	if n, st := r.Write(nil, in, []byte("page")); n != 4 || st != gofuse.OK {
		t.Fatal(n, st)
	}
	if st := r.Flush(nil, &gofuse.FlushIn{Fh: out.Fh}); st != gofuse.OK {
		t.Fatal(st)
	}
	got, err := s.ReadFile("f")
	if err != nil || string(got[10_000:]) != "end" || string(got[100:104]) != "page" {
		t.Errorf("%q %q, %v", got[100:104], got[10_000:], err)
	}
	r.Release(nil, &gofuse.ReleaseIn{Fh: out.Fh})
}

func TestASynchronousWriteIsSavedWhenItIsAnswered(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	r := newTestRaw(t, s)
	write(t, s, "f", nil)
	id, out := openFile(t, r, "f", unix.O_WRONLY)
	in := &gofuse.WriteIn{Fh: out.Fh, Flags: unix.O_WRONLY | unix.O_DSYNC} // RWF_DSYNC
	in.NodeId = id
	if n, st := r.Write(nil, in, []byte("safe")); n != 4 || st != gofuse.OK {
		t.Fatal(n, st)
	}
	if got, err := s.ReadFile("f"); err != nil || string(got) != "safe" || len(s.Unsaved()) > 0 {
		t.Errorf("%q, unsaved %v, %v", got, s.Unsaved(), err)
	}
	r.Release(nil, &gofuse.ReleaseIn{Fh: out.Fh})
}

func TestHandlesThatAreNotOpenAreRefused(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	r := newTestRaw(t, s)
	write(t, s, "f", nil)
	_, out := openFile(t, r, "f", unix.O_RDWR)
	r.Release(nil, &gofuse.ReleaseIn{Fh: out.Fh})
	r.Release(nil, &gofuse.ReleaseIn{Fh: out.Fh})
	for _, fh := range []uint64{0, out.Fh, ^uint64(0)} {
		if _, st := r.Read(nil, &gofuse.ReadIn{Fh: fh, Size: 1}, make([]byte, 1)); st != badFD {
			t.Errorf("Read: %v", st)
		}
		if _, st := r.Write(nil, &gofuse.WriteIn{Fh: fh}, []byte("x")); st != badFD {
			t.Errorf("Write: %v", st)
		}
		if st := r.Fsync(nil, &gofuse.FsyncIn{Fh: fh}); st != badFD {
			t.Errorf("Fsync: %v", st)
		}
	}
}

func TestDevicesSocketsAndPlainFilesAreMadeByMknod(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	for name, tc := range map[string]struct {
		mode uint32
		dev  uint64
	}{
		"char":  {unix.S_IFCHR | 0o600, unix.Mkdev(1, 3)},
		"block": {unix.S_IFBLK | 0o640, unix.Mkdev(259, 0x12345)},
		"fifo":  {unix.S_IFIFO | 0o644, 0},
		"sock":  {unix.S_IFSOCK | 0o777, 0},
		"plain": {unix.S_IFREG | 0o400, 0},
	} {
		path := filepath.Join(m.Dir(), name)
		old := unix.Umask(0)
		err := unix.Mknod(path, tc.mode, int(tc.dev))
		unix.Umask(old)
		var st unix.Stat_t
		if err == nil {
			err = unix.Lstat(path, &st)
		}
		if err != nil || st.Mode != tc.mode || st.Rdev != tc.dev {
			t.Errorf("%s: mode %o, device %#x; want %o, %#x; %v", name, st.Mode, st.Rdev, tc.mode, tc.dev, err)
		}
	}
	if err := unix.Mknod(filepath.Join(m.Dir(), "plain"), unix.S_IFREG|0o600, 0); !errors.Is(err, os.ErrExist) {
		t.Errorf("mknod of what is there: %v", err)
	}
}

func TestTimesSizesAndOwnersGoBothWays(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	path := filepath.Join(m.Dir(), "f")
	write(t, s, "f", []byte("0123456789"))
	for _, err := range []error{
		unix.Chmod(path, 0o1711),
		os.Truncate(path, 1<<40),
		unix.UtimesNano(path, []unix.Timespec{{Sec: 5, Nsec: 6}, {Sec: 7, Nsec: 8}}),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	a, err := s.Stat("f")
	if err != nil || a.Mode != 0o1711 || a.Size != 1<<40 || a.Atime != (nfs3.Time{Sec: 5, Nsec: 6}) || a.Mtime != (nfs3.Time{Sec: 7, Nsec: 8}) {
		t.Errorf("the server has %+v, %v", a, err)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || st.Size != 1<<40 || st.Mode&0o7777 != 0o1711 || st.Mtim != (unix.Timespec{Sec: 7, Nsec: 8}) || st.Ino != a.FileID {
		t.Errorf("%+v, %v", st, err)
	}
	if err := os.Chown(path, 10, 20); err != nil {
		t.Error(err)
	}
	if err := unix.Stat(path, &st); err != nil || st.Uid != 10 || st.Gid != 20 {
		t.Errorf("%+v, %v", st, err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(m.Dir(), &fs); err != nil || fs.Bsize != 4096 || fs.Blocks == 0 || fs.Namelen != 255 {
		t.Errorf("%+v, %v", fs, err)
	}
}

func TestBsizeIsTheUnitOfStatfs(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{MaxBytes: 64 << 20})
	m := mounted(t, s, "bsize=10000")
	var fs unix.Statfs_t
	if err := unix.Statfs(m.Dir(), &fs); err != nil || fs.Bsize != 8192 || fs.Frsize != 8192 || fs.Blocks != 64<<20/8192 {
		t.Errorf("%+v, %v", fs, err)
	}
}
