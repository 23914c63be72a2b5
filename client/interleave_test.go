package client

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

func TestAReplyFromBeforeALockIsNotBelievedUnderIt(t *testing.T) {
	for _, tt := range []struct {
		name string
		proc uint32
		call func(fs *FS, ino *Inode) error
	}{
		{"of a look", nfs3.ProcGetattr, func(fs *FS, ino *Inode) error {
			_, err := fs.getattr(fs.life, alice, ino)
			return err
		}},
		{"of a change", nfs3.ProcSetattr, func(fs *FS, ino *Inode) error {
			_, err := fs.Setattr(fs.life, alice, ino, nil, &nfs3.Sattr{Mtime: nfs3.SetTime{How: nfs3.SetToServerTime}})
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nfstest.Options{})
				fs := r.mount("lock", Options{})
				write(t, fs, "f", "one\n")
				f, g := opened(t, fs, "f"), opened(t, r.mount("lock", Options{}), "f")
				defer f.Release()
				defer g.Release()
				must(t, g.Lock(t.Context(), lock.WholeFile, lock.Exclusive))
				r.Fault(nfstest.Fault{Procs: []uint32{tt.proc}, Do: []nfstest.Action{nfstest.Delay(time.Second)}})
				answered := make(chan error, 1)
				go func() { answered <- tt.call(fs, f.ino) }() // ends with the call
				time.Sleep(100 * time.Millisecond)
				_, err := g.WriteAt(t.Context(), []byte("two\n"), 4)
				must(t, err)
				must(t, g.Unlock(t.Context(), lock.WholeFile))
				must(t, f.Lock(t.Context(), lock.WholeFile, lock.Exclusive))
				must(t, <-answered)
				_, off, err := f.Append(t.Context(), []byte("three\n"))
				must(t, err)
				want(t, "where an append under the lock goes", off, 8)
				must(t, f.Unlock(t.Context(), lock.WholeFile))
			})
		})
	}
}

func TestOthersAreSeenThoughAWriteWasRefusedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", []byte("0123456789"), 0o666))
		fs := r.mount("", Options{})
		f, g := opened(t, fs, "f"), opened(t, r.mount("", Options{}), "f")
		defer f.Release()
		defer g.Release()
		version := f.ino.Version()
		r.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Do: []nfstest.Action{nfstest.Status(nfs3.ErrJukebox),
			nfstest.Reply(func(_, reply any) { reply.(*nfs3.WriteReply).Wcc = nfs3.WccData{} })}})
		put(t, f, []byte("A"), 0)
		flushed := make(chan error, 1)
		go func() { flushed <- f.Flush(t.Context()) }() // ends with the second WRITE
		time.Sleep(20 * time.Millisecond)               // the first one was refused
		put(t, g, []byte("B"), 5)
		must(t, g.Flush(t.Context()))
		_, err := f.ReadAt(t.Context(), make([]byte, 1), 9)
		must(t, err)
		must(t, <-flushed)
		must(t, fs.verify(t.Context(), alice, f.ino))
		if f.ino.Version() == version {
			t.Error("nobody noticed what the other client has written: pages that are cached stay")
		}
	})
}

func TestTheSizeIsTheServersThoughMoreWasWrittenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{})
		must(t, r.WriteFile("f", nil, 0o666))
		fs := r.mount("", Options{})
		f := opened(t, fs, "f")
		defer f.Release()
		put(t, f, pattern(100, 1), 0)
		must(t, f.Fsync(t.Context()))
		must(t, r.WriteFile("f", nil, 0o666)) // others cut it
		put(t, f, []byte("x"), 0)
		must(t, f.Fsync(t.Context()))
		a, err := fs.Getattr(t.Context(), alice, f.ino)
		must(t, err)
		want(t, "size", a.Size, 1)
	})
}
