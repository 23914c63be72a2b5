package client

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// open makes a file of the root directory that holds data, and leaves it open.
func open(t testing.TB, fs *FS, name, data string) *File {
	t.Helper()
	write(t, fs, name, data)
	f, err := fs.Open(t.Context(), alice, find(t, fs, name), os.O_RDWR)
	must(t, err)
	return f
}

// served returns the names in the server's root directory.
func (r *rig) served() string {
	r.t.Helper()
	lines, err := r.Tree()
	must(r.t, err)
	return strings.Join(lines, "\n")
}

func reads(t testing.TB, f *File, data string) {
	t.Helper()
	p := make([]byte, len(data)+1)
	n, _ := f.ReadAt(t.Context(), p, 0)
	want(t, "data", string(p[:n]), data)
}

// eventually waits for what happens on the file system's own life.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 3000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("it did not happen: %s", what)
}

func TestAFileThatIsRemovedWhileOpenStaysReadable(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	f := open(t, fs, "f", "hello")
	g, err := fs.Open(t.Context(), alice, f.Inode(), os.O_RDONLY)
	must(t, err)
	must(t, fs.Unlink(t.Context(), alice, fs.Root(), "f"))
	if !regexp.MustCompile(`\.nfs[0-9a-f]{24}`).MatchString(r.served()) {
		t.Errorf("the server has no hidden file:\n%s", r.served())
	}
	if _, _, err := fs.Lookup(t.Context(), alice, fs.Root(), "f"); !errors.Is(err, nfs3.ErrNoent) {
		t.Errorf("the name: %v", err)
	}
	reads(t, f, "hello")
	a, err := fs.Getattr(t.Context(), alice, f.Inode())
	must(t, err)
	want(t, "nlink", a.Nlink, 0)

	f.Inode().mu.Lock()
	hidden := f.Inode().silly.name
	f.Inode().mu.Unlock()
	if err := fs.Unlink(t.Context(), alice, fs.Root(), hidden); Errno(err) != syscall.EBUSY {
		t.Errorf("removing the hidden name: %v", err)
	}
	f.Release()
	reads(t, g, "hello")
	g.Release()
	eventually(t, "the hidden file is removed", func() bool { return !strings.Contains(r.served(), ".nfs") })
}

func TestAFileThatIsReplacedWhileOpenStaysReadable(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	f := open(t, fs, "f", "old")
	write(t, fs, "g", "new")
	must(t, fs.Rename(t.Context(), alice, fs.Root(), "g", fs.Root(), "f"))
	reads(t, f, "old")
	data, err := r.ReadFile("f")
	must(t, err)
	want(t, "data by name", string(data), "new")
	f.Release()
	eventually(t, "the hidden file is removed", func() bool { return !strings.Contains(r.served(), ".nfs") })
}

func TestAReplacedFileGetsItsNameBackIfTheRenameFails(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	f := open(t, fs, "f", "old")
	defer f.Release()
	write(t, fs, "g", "new")
	r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRename}, Skip: 1, Do: []nfstest.Action{nfstest.Status(nfs3.ErrDquot)}})
	err := fs.Rename(t.Context(), alice, fs.Root(), "g", fs.Root(), "f")
	want(t, "errno", Errno(err), syscall.EDQUOT)
	data, err := r.ReadFile("f")
	must(t, err)
	want(t, "data by name", string(data), "old")
	want(t, "hidden", f.Inode().hasSilly(), false)
}

func TestCloseRemovesHiddenFiles(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	f := open(t, fs, "f", "x")
	must(t, fs.Unlink(t.Context(), alice, fs.Root(), "f"))
	must(t, fs.Close(t.Context()))
	want(t, "hidden files", strings.Contains(r.served(), ".nfs"), false)
	f.Release()
	if _, err := fs.Getattr(t.Context(), alice, f.Inode()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestADirectoryWithHiddenFilesIsNotEmpty(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	d, _, err := fs.Mkdir(t.Context(), alice, fs.Root(), "d", 0o755, 0)
	must(t, err)
	_, _, f, err := fs.Create(t.Context(), alice, d, "f", os.O_RDWR, 0o644, 0)
	must(t, err)
	must(t, fs.Unlink(t.Context(), alice, d, "f"))
	err = fs.Rmdir(t.Context(), alice, fs.Root(), "d")
	want(t, "errno while it is open", Errno(err), syscall.ENOTEMPTY)
	f.Release()
	eventually(t, "the directory can be removed", func() bool {
		return fs.Rmdir(t.Context(), alice, fs.Root(), "d") == nil
	})
}

func TestAFileThatIsClosedWhileItIsHiddenIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		fs := r.mount("", Options{})
		f := open(t, fs, "f", "x")
		r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcRename}, Do: []nfstest.Action{nfstest.Delay(time.Second)}})
		done := make(chan error, 1)
		go func() { done <- fs.Unlink(t.Context(), alice, fs.Root(), "f") }() // ends with the RENAME
		time.Sleep(100 * time.Millisecond)
		f.Release()
		must(t, <-done)
		eventually(t, "the hidden file is removed", func() bool { return !strings.Contains(r.served(), ".nfs") })
	})
}

// Bytes that were dirty when their file was closed, pages of a memory map say, are
// no loss if the file is removed, and are there under its other names.
func TestWhatIsDirtyOfAFileThatIsRemoved(t *testing.T) {
	for _, tt := range []struct {
		name          string
		before, after func(fs *FS) error
	}{
		{"while it is open", func(fs *FS) error { return fs.Unlink(fs.life, alice, fs.Root(), "a") }, nil},
		{"after that", nil, func(fs *FS) error { return fs.Unlink(fs.life, alice, fs.Root(), "a") }},
		{"by a rename", nil, func(fs *FS) error { return fs.Rename(fs.life, alice, fs.Root(), "c", fs.Root(), "a") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nfstest.Options{})
				fs := r.mount("", Options{}) // whose end tells of losses
				a, b, c := open(t, fs, "a", "old"), open(t, fs, "b", "old"), open(t, fs, "c", "c")
				c.Release()
				_, _, err := fs.Link(t.Context(), alice, b.ino, fs.Root(), "b2")
				must(t, err)
				if tt.before != nil {
					must(t, tt.before(fs))
					must(t, fs.Unlink(t.Context(), alice, fs.Root(), "b"))
				}
				put(t, a, []byte("new"), 0)
				put(t, b, []byte("new"), 0)
				a.Release()
				b.Release()
				if tt.after != nil {
					must(t, tt.after(fs))
					must(t, fs.Unlink(t.Context(), alice, fs.Root(), "b"))
				}
				eventually(t, "nothing hidden is left", func() bool { return !strings.Contains(r.served(), ".nfs") })
				must(t, fs.Sync(t.Context()))
				want(t, "content under the other name", string(stored(t, r.Server, "b2")), "new")
			})
		})
	}
}

func TestAFileThatReplacesAnotherIsNotFoundEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		fs := r.mount("", Options{})
		write(t, fs, "f", "old")
		g := open(t, fs, "g", "")
		defer g.Release()
		put(t, g, []byte("new"), 0)
		must(t, fs.Rename(t.Context(), alice, fs.Root(), "g", fs.Root(), "f"))
		want(t, "content", string(stored(t, r.Server, "f")), "new")
	})
}

func TestASillyNameThatIsTakenIsNotReplaced(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	f := open(t, fs, "f", "x")
	fs.sillies.next.Store(0xffffffff)
	taken := ".nfs" + hex16(f.Inode().fileid) + "00000000"
	must(t, r.WriteFile(taken, []byte("another client's"), 0o644))
	must(t, fs.Unlink(t.Context(), alice, fs.Root(), "f"))
	data, err := r.ReadFile(taken)
	must(t, err)
	want(t, "data", string(data), "another client's")
	want(t, "hidden", f.Inode().hasSilly(), true)
	f.Release()
}

func hex16(n uint64) string {
	s := "0000000000000000"
	b := []byte(s)
	for i := len(b) - 1; n > 0; i-- {
		b[i] = "0123456789abcdef"[n&15]
		n >>= 4
	}
	return string(b)
}

func TestCloseTellsWhatWasNotSaved(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	fs := r.mount("", Options{})
	f := open(t, fs, "f", "x")
	ok := open(t, fs, "ok", "x")
	remove := r.Fault(nfstest.Fault{
		Procs: []uint32{nfs3.ProcWrite}, Times: nfstest.Forever,
		If: func(c *nfstest.Call) bool { a, is := c.Args.(*nfs3.WriteArgs); return is && a.File == f.Inode().FH() },
		Do: []nfstest.Action{nfstest.Status(nfs3.ErrNospc)},
	})
	defer remove()
	for _, f := range []*File{f, ok} {
		_, err := f.WriteAt(t.Context(), []byte("0123456789"), 0)
		must(t, err)
	}
	err := fs.Close(t.Context())
	var lost *UnsavedError
	if !errors.As(err, &lost) || len(lost.Files) != 1 || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Close: %v", err)
	}
	want(t, "file", lost.Files[0].Name, "/f")
	data, err := r.ReadFile("ok")
	must(t, err)
	want(t, "the other file's data", string(data), "0123456789")
	must(t, fs.Close(t.Context()))
	f.Release()
	ok.Release()
}

func TestCloseGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		fs := r.mount("", Options{})
		f := open(t, fs, "f", "x")
		_, err := f.WriteAt(t.Context(), []byte("0123456789"), 0)
		must(t, err)
		r.Freeze()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err = fs.Close(ctx)
		var lost *UnsavedError
		if !errors.As(err, &lost) || len(lost.Files) != 1 || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Close: %v", err)
		}
		want(t, "bytes", lost.Files[0].Bytes, 10)
		if text := err.Error(); !strings.Contains(text, "/f: 10 bytes") {
			t.Errorf("text: %s", text)
		}
		r.Thaw()
		f.Release()
	})
}

func TestAbortEndsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		fs := r.mount("", Options{})
		r.Freeze()
		done := make(chan error)
		go func() { // ends with Abort
			_, _, err := fs.Lookup(context.WithoutCancel(t.Context()), alice, fs.Root(), "f")
			done <- err
		}()
		synctest.Wait()
		fs.Abort()
		err := <-done
		want(t, "errno", Errno(err), syscall.ENOTCONN)
		r.Thaw()
	})
}
