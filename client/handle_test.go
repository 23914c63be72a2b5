package client

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

func TestCallsOnAHandleDoNotWaitForAReadThatWaitsForTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		s.WriteFile("a", pattern(5000, 1), 0o644)
		tree := dataFS(t, s, "").As(rpc.NewCred(0, 0, nil))
		h, err := tree.OpenFile(t.Context(), "a", os.O_RDWR, 0)
		must(t, err)
		s.Freeze()
		reading, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { // ends with stop
			_, err := h.Read(reading, make([]byte, 10))
			done <- err
		}()
		synctest.Wait()
		for name, do := range map[string]func(context.Context) error{
			"Read":    func(ctx context.Context) error { _, err := h.Read(ctx, make([]byte, 1)); return err },
			"Write":   func(ctx context.Context) error { _, err := h.Write(ctx, make([]byte, 1)); return err },
			"ReadAt":  func(ctx context.Context) error { _, err := h.ReadAt(ctx, make([]byte, 1), 0); return err },
			"Seek":    func(ctx context.Context) error { _, err := h.Seek(ctx, 0, io.SeekStart); return err },
			"WriteAt": func(ctx context.Context) error { _, err := h.WriteAt(ctx, make([]byte, 1), 0); return err },
			"Close":   h.Close,
		} {
			over := make(chan struct{})
			go func() { // ends with the call
				defer close(over)
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				if err := do(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrClosed) {
					t.Errorf("%s: %v", name, err)
				}
			}()
			select {
			case <-over:
			case <-time.After(3 * time.Second):
				t.Errorf("%s waits although its context has ended", name)
			}
		}
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the read: %v", err)
		}
		s.Thaw()
	})
}

func TestCreateOfAFileThatIsThere(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fs := dataFS(t, s, "")
	root, bob := fs.As(fs.cred), fs.As(rpc.NewCred(1001, 1001, nil))
	must(t, root.WriteFile(t.Context(), "locked", []byte("x"), 0o600))
	must(t, root.Chmod(t.Context(), "/", 0o777))

	t.Run("needs the rights that the open asks for", func(t *testing.T) {
		for _, flags := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR} {
			h, err := bob.OpenFile(t.Context(), "locked", flags|os.O_CREATE, 0o666)
			if !errors.Is(err, syscall.EACCES) {
				t.Errorf("flags %#x: %v, want EACCES", flags, err)
			}
			if err == nil {
				h.Close(t.Context())
			}
		}
	})
	t.Run("leaves its mode alone", func(t *testing.T) {
		h, err := root.OpenFile(t.Context(), "locked", os.O_RDWR|os.O_CREATE, 0o666)
		must(t, err)
		must(t, h.Close(t.Context()))
		fi, err := root.Stat(t.Context(), "locked")
		must(t, err)
		want(t, "mode", fi.Mode().Perm(), 0o600)
	})
	t.Run("gives a new file to its maker, whatever its mode", func(t *testing.T) {
		h, err := bob.OpenFile(t.Context(), "new", os.O_RDWR|os.O_CREATE, 0)
		must(t, err)
		_, err = h.Write(t.Context(), []byte("mine"))
		must(t, err)
		must(t, h.Close(t.Context()))
	})
}

func TestAWriteUnderWayDoesNotComeBackAfterOTrunc(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "")
		f := create(t, fs, "a", 0)
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Times: 1, Do: []nfstest.Action{nfstest.DelayCall(300 * time.Millisecond)}})
		put(t, f, []byte("old data"), 0)
		drained := make(chan error)
		go func() { drained <- fs.drain(t.Context(), f.ino) }() // ends with the WRITE
		time.Sleep(50 * time.Millisecond)
		_, _, g, err := fs.Create(t.Context(), fs.cred, fs.Root(), "a", os.O_RDWR|os.O_TRUNC, 0o644, 0)
		must(t, err)
		defer g.Release()
		must(t, <-drained)
		must(t, g.Flush(t.Context()))
		time.Sleep(400 * time.Millisecond)
		if got := stored(t, s, "a"); len(got) != 0 {
			t.Errorf("the file was cut to nothing, and holds %q", got)
		}
		if n, err := g.ReadAt(t.Context(), make([]byte, 10), 0); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("read %d bytes, %v", n, err)
		}
	})
}

func TestAHandleThatIsClosedIsGoodForNothing(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	must(t, r.WriteFile("f", []byte("data"), 0o666))
	must(t, r.Mkdir("d", 0o777))
	tree := r.mount("", Options{}).As(alice)
	for _, name := range []string{"f", "d"} {
		h, err := tree.Open(t.Context(), name)
		must(t, err)
		must(t, h.Close(t.Context()))
		for op, do := range map[string]func() error{
			"Stat":    func() error { _, err := h.Stat(t.Context()); return err },
			"Chmod":   func() error { return h.Chmod(t.Context(), 0o600) },
			"Seek":    func() error { _, err := h.Seek(t.Context(), 0, io.SeekStart); return err },
			"Read":    func() error { _, err := h.Read(t.Context(), make([]byte, 1)); return err },
			"ReadDir": func() error { _, err := h.ReadDir(t.Context(), 1); return err },
			"Sync":    func() error { return h.Sync(t.Context()) },
			"GetACLs": func() error { _, err := h.GetACLs(t.Context()); return err },
			"SetACLs": func() error { return h.SetACLs(t.Context(), ACLs{}) },
			"Close":   func() error { return h.Close(t.Context()) },
		} {
			if err := do(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("%s of %s: %v", op, name, err)
			}
		}
	}
	a, err := r.Stat("f")
	must(t, err)
	want(t, "mode", a.Mode, 0o666)
}

func TestADirectoryIsListedAnewFromItsStart(t *testing.T) {
	r := newRig(t, nfstest.Options{})
	must(t, r.WriteFile("a", nil, 0o666))
	h, err := r.mount("", Options{}).As(alice).Open(t.Context(), "/")
	must(t, err)
	defer h.Close(t.Context())
	for range 2 {
		list, err := h.ReadDir(t.Context(), -1)
		must(t, err)
		want(t, "entries", len(list), 1)
		_, err = h.Seek(t.Context(), 0, io.SeekStart)
		must(t, err)
	}
	if _, err := h.Seek(t.Context(), 1, io.SeekStart); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("to its middle: %v", err)
	}
	must(t, h.Sync(t.Context()))
}
