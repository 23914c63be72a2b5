package client

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

func TestATruncationTakesNothingAwayThatCameAfterIt(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(f *File, p []byte, off int64) error
	}{
		{"a write", func(f *File, p []byte, off int64) error {
			_, err := f.WriteAt(f.fs.life, p, off)
			return err
		}},
		{"an append", func(f *File, p []byte, _ int64) error {
			_, _, err := f.Append(f.fs.life, p)
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				fs := dataFS(t, s, "")
				f := create(t, fs, "a", 0)
				put(t, f, []byte("old"), 0)
				must(t, f.Fsync(t.Context()))
				// It is executed at once, and answered late.
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcSetattr}, Do: []nfstest.Action{nfstest.Delay(time.Second)}})
				cut := make(chan error, 1)
				go func() { // ends with the SETATTR
					_, err := fs.Setattr(t.Context(), fs.cred, f.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true}})
					cut <- err
				}()
				time.Sleep(100 * time.Millisecond)
				must(t, tt.write(f, []byte("first "), 0))
				must(t, f.Fsync(t.Context()))
				must(t, tt.write(f, []byte("second"), 6))
				must(t, <-cut)
				must(t, f.Fsync(t.Context()))
				want(t, "stored", string(stored(t, s, "a")), "first second")
			})
		})
	}
}

// The server may execute it late: what was saved by then would be gone.
func TestATruncationThatWasGivenUpComesBeforeWhatIsWrittenNext(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   nfstest.Action
		want string
	}{
		{"it is executed late", nfstest.DelayCall(time.Second), "new"},
		{"it was refused for now, and is not asked again", nfstest.Status(nfs3.ErrJukebox), "newest of all"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				fs := dataFS(t, s, "")
				f := create(t, fs, "a", 0)
				put(t, f, []byte("oldest of all"), 0)
				must(t, f.Fsync(t.Context()))
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcSetattr}, Do: []nfstest.Action{tt.do}})
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				_, err := fs.Setattr(ctx, fs.cred, f.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true}})
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("SETATTR: %v", err)
				}
				put(t, f, []byte("new"), 0)
				must(t, f.Fsync(t.Context()))
				time.Sleep(time.Minute)
				want(t, "stored", string(stored(t, s, "a")), tt.want)
				noneInUse(t, fs)
			})
		})
	}
}

func TestALenderWaitsForATruncation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs, f := lends(t, s)
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcSetattr}, Do: []nfstest.Action{nfstest.Delay(time.Second)}})
		cut := make(chan error, 1)
		go func() { // ends with the SETATTR
			_, err := fs.Setattr(t.Context(), fs.cred, f.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true}})
			cut <- err
		}()
		time.Sleep(100 * time.Millisecond)
		end := begin(t.Context(), t, f, pattern(1024, 1), 0)
		time.Sleep(100 * time.Millisecond)
		want(t, "WRITEs during the truncation", s.Counts()["WRITE"], 0)
		must(t, <-cut)
		must(t, end())
		must(t, f.Fsync(t.Context()))
		want(t, "stored", bytes.Equal(stored(t, s, "a"), pattern(1024, 1)), true)
	})
}

// Who appends one line after the other does not keep others from cutting the file.
func TestATruncationIsNotKeptWaitingByAppends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "wsize=4096,dirty=4096")
		f := create(t, fs, "a", 0)
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DelayCall(100 * time.Millisecond)}})
		ctx, stop := context.WithCancel(t.Context())
		appended := make(chan error, 1)
		go func() { // ends with ctx
			for {
				if _, _, err := f.Append(ctx, pattern(4096, 1)); err != nil { // waits until the last one is safe
					appended <- err
					return
				}
			}
		}()
		time.Sleep(50 * time.Millisecond)
		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := fs.Setattr(limited, fs.cred, f.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true}})
		stop()
		if !errors.Is(<-appended, context.Canceled) {
			t.Error("the appends ended by themselves")
		}
		must(t, err)
		must(t, f.Fsync(t.Context()))
	})
}

// An append that has looked where the file ends is over before the file is cut:
// it would leave a hole.
func TestATruncationWaitsForAnAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "wsize=4096,dirty=8192")
		f, g := create(t, fs, "a", 0), create(t, fs, "b", 0)
		put(t, f, []byte("old"), 0)
		must(t, f.Fsync(t.Context()))
		s.Freeze()
		put(t, g, pattern(8192, 1), 0) // more must not be dirty: the append waits
		appended, cut := make(chan error, 1), make(chan error, 1)
		go func() { // ends when there is room
			_, _, err := f.Append(t.Context(), []byte("x"))
			appended <- err
		}()
		time.Sleep(100 * time.Millisecond)
		go func() { // ends with the SETATTR
			_, err := fs.Setattr(t.Context(), fs.cred, f.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true}})
			cut <- err
		}()
		time.Sleep(100 * time.Millisecond)
		s.Thaw()
		must(t, <-appended)
		must(t, <-cut)
		must(t, f.Fsync(t.Context()))
		must(t, g.Fsync(t.Context()))
		want(t, "stored", string(stored(t, s, "a")), "")
	})
}

func TestAWriteThatWaitsForATruncationEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		fs := dataFS(t, s, "")
		f := create(t, fs, "a", 0)
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcSetattr}, Do: []nfstest.Action{nfstest.Delay(time.Second)}})
		cut := make(chan error, 1)
		go func() { // ends with the SETATTR
			_, err := fs.Setattr(t.Context(), fs.cred, f.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true}})
			cut <- err
		}()
		time.Sleep(100 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if n, err := f.WriteAt(ctx, []byte("x"), 0); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("WriteAt: %d, %v", n, err)
		}
		must(t, <-cut)
		noneInUse(t, fs)
	})
}

// What a restarted server makes us send again must not lie beyond where the file
// was cut: all of it is safe before that.
func TestARestartDoesNotUndoATruncation(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	fs := dataFS(t, s, "wsize=4096")
	f := create(t, fs, "a", 0)
	put(t, f, pattern(8192, 1), 0)
	must(t, fs.drain(t.Context(), f.ino)) // written, and not committed
	_, err := fs.Setattr(t.Context(), fs.cred, f.ino, f, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: 10}})
	must(t, err)
	s.Restart()
	must(t, f.Fsync(t.Context()))
	want(t, "stored", bytes.Equal(stored(t, s, "a"), pattern(8192, 1)[:10]), true)
}
