package client

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

func TestDataThatTheServerRefusedIsForgottenByAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "")
		f := create(t, fs, "a", 0)
		told := make(chan *Inode, 10)
		fs.Changes(func(ino *Inode) { told <- ino })
		defer fs.Changes(nil)
		undo := s.Fail(nfs3.ErrNospc, nfstest.Forever, nfs3.ProcWrite)
		put(t, f, pattern(3000, 3), 0)
		if err := f.Fsync(t.Context()); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("fsync: %v, want ENOSPC", err)
		}
		undo()
		a, err := fs.Getattr(t.Context(), fs.cred, f.ino)
		must(t, err)
		want(t, "size", a.Size, 0)
		select {
		case ino := <-told: // the kernel has pages of it
			want(t, "inode", ino, f.ino)
		case <-time.After(30 * time.Second):
			t.Error("nobody was told to drop what is cached of the file")
		}
		_, off, err := f.Append(t.Context(), []byte("x"))
		must(t, err)
		want(t, "offset of an append", off, 0)
		must(t, f.Fsync(t.Context()))
		noneInUse(t, fs)
	})
}

func TestCloseTellsOfDataThatWasLostAfterItsFileWasClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "")
		_, _, f, err := fs.Create(t.Context(), fs.cred, fs.Root(), "a", os.O_RDWR, 0o644, 0)
		must(t, err)
		defer s.Fail(nfs3.ErrNospc, nfstest.Forever, nfs3.ProcWrite)()
		put(t, f, []byte("precious"), 0)
		f.Release() // a close whose context had ended
		for fs.DirtyBytes() > 0 {
			time.Sleep(10 * time.Millisecond)
		}
		err = fs.Close(t.Context())
		var lost *UnsavedError
		if !errors.As(err, &lost) || len(lost.Files) != 1 || lost.Files[0].Name != "/a" || lost.Files[0].Bytes != 8 || !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("Close: %v, want 8 bytes of /a, ENOSPC", err)
		}
	})
}

func TestSyncTellsOfWhatItCouldNotSave(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fs := dataFS(t, s, "")
	f := create(t, fs, "a", 0)
	defer s.Fail(nfs3.ErrNospc, nfstest.Forever, nfs3.ProcWrite)()
	put(t, f, []byte("precious"), 0)
	if err := fs.Sync(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("sync: %v, want ENOSPC", err)
	}
	if err := f.Fsync(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("fsync after a sync: %v, want ENOSPC", err)
	}
}

func TestWhoOpensAFileIsToldOfWhatNobodyWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "")
		defer s.Fail(nfs3.ErrNospc, nfstest.Forever, nfs3.ProcWrite)()
		for range 2 { // a second loss as well as the first
			_, _, f, err := fs.Create(t.Context(), fs.cred, fs.Root(), "a", os.O_RDWR, 0o644, 0)
			must(t, err)
			put(t, f, []byte("precious"), 0)
			f.Release() // a close whose context had ended
			for fs.DirtyBytes() > 0 {
				time.Sleep(10 * time.Millisecond)
			}
			g, h := create(t, fs, "a", 0), create(t, fs, "a", 0)
			for _, next := range []*File{g, h} { // both were opened before anybody was told
				if err := next.Fsync(t.Context()); !errors.Is(err, syscall.ENOSPC) {
					t.Errorf("fsync by who opens the file next: %v, want ENOSPC", err)
				}
			}
			must(t, create(t, fs, "a", 0).Fsync(t.Context()))
		}
	})
}

func TestCloseDoesNotTellTwiceOfWhatAFileHasTold(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fs := dataFS(t, s, "")
	f := create(t, fs, "a", 0)
	defer s.Fail(nfs3.ErrNospc, nfstest.Forever, nfs3.ProcWrite)()
	put(t, f, []byte("precious"), 0)
	if err := f.Flush(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	f.Release()
	must(t, fs.Close(t.Context()))
}

func TestFilesOfAClosedFileSystemFail(t *testing.T) {
	for _, end := range []struct {
		name string
		do   func(*FS)
	}{
		{"Close", func(fs *FS) { _ = fs.Close(context.Background()) }},
		{"Abort", (*FS).Abort},
	} {
		t.Run(end.name, func(t *testing.T) {
			s := nfstest.NewFor(t, nfstest.Options{})
			fs := dataFS(t, s, "")
			f := create(t, fs, "a", 0)
			put(t, f, []byte("x"), 0)
			end.do(fs)
			if _, err := f.WriteAt(t.Context(), []byte("y"), 0); !errors.Is(err, ErrClosed) && !errors.Is(err, rpc.ErrClosed) {
				t.Errorf("write: %v", err)
			}
			if _, err := f.ReadAt(t.Context(), make([]byte, 1), 0); !errors.Is(err, ErrClosed) {
				t.Errorf("read: %v", err)
			}
			if end.name == "Abort" {
				if err := f.Fsync(t.Context()); err == nil {
					t.Error("fsync: nil, but the byte was never sent")
				}
			}
			noneInUse(t, fs)
		})
	}
}

// A write that waits while the file system is closed is no success: nobody would
// save its bytes.
func TestAWriteThatWaitsWhileTheFileSystemIsClosedFails(t *testing.T) {
	for _, tt := range []struct {
		name  string
		dirty int                         // bytes, of 8192
		first func(fs *FS, f *File) error // what else is under way
	}{
		{"for room", 8192, nil},
		{"for a truncation", 0, func(fs *FS, f *File) error {
			_, err := fs.Setattr(fs.life, fs.cred, f.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true}})
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{Allow: []nfstest.Kind{nfstest.NotCommitted}})
				fs := dataFS(t, s, "wsize=4096,dirty=8192")
				f := create(t, fs, "a", 0)
				s.Freeze()
				put(t, f, pattern(tt.dirty, 1), 0)
				if tt.first != nil {
					go func() { _ = tt.first(fs, f) }() // ends with the file system
					time.Sleep(time.Second)
				}
				done := make(chan error, 1)
				go func() { // ends with the file system
					_, err := f.WriteAt(t.Context(), pattern(4096, 1), 8192)
					done <- err
				}()
				time.Sleep(time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_ = fs.Close(ctx)
				if err := <-done; !errors.Is(err, ErrClosed) {
					t.Errorf("WriteAt: %v, want ErrClosed", err)
				}
				want(t, "bytes that nobody tells of", fs.DirtyBytes(), 0)
				s.Thaw()
			})
		})
	}
}

func TestAnOverwriteDoesNotTakeAwayWhatAnFsyncWaitsFor(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fs := dataFS(t, s, "")
	f := create(t, fs, "a", 0)
	put(t, f, []byte("old"), 10)
	d := f.ino.data()
	d.mu.Lock()
	need := d.seq
	d.mu.Unlock()
	put(t, f, []byte("the new bytes"), 5) // begins before the old extent: replaces it
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.pendingLocked(need, true) {
		t.Error("an fsync that began before the overwrite would return, and the server has neither")
	}
}
