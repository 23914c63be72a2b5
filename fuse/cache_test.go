package fuse

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

func write(t testing.TB, s *nfstest.Server, path string, data []byte) {
	t.Helper()
	if err := s.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func wantContent(t testing.TB, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s has %d bytes %.20q, want %d bytes %.20q; %v", path, len(got), got, len(want), want, err)
	}
}

func TestPagesSurviveUntilOthersChangeTheFile(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	file := filepath.Join(m.Dir(), "f")
	old, changed := bytes.Repeat([]byte("old"), 100_000), bytes.Repeat([]byte("new"), 100_000)
	write(t, s, "f", old)

	wantContent(t, file, old)
	s.ResetCounts()
	wantContent(t, file, old)
	if n := s.Counts()["READ"]; n != 0 {
		t.Errorf("reading an unchanged file again took %d READs", n)
	}

	write(t, s, "f", changed) // the same size
	wantContent(t, file, changed)
	write(t, s, "f", old[:5])
	wantContent(t, file, old[:5])
}

func TestPagesSurviveOurOwnWrites(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	file := filepath.Join(m.Dir(), "f")
	data := bytes.Repeat([]byte("data"), 50_000)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, data)
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	copy(data[1000:], "changed")
	if _, err := f.WriteAt([]byte("changed"), 1000); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file, file+"2"); err != nil { // moves ctime
		t.Fatal(err)
	}
	s.ResetCounts()
	wantContent(t, file+"2", data)
	if n := s.Counts()["READ"]; n != 0 {
		t.Errorf("reading what was just written took %d READs", n)
	}
	if got, err := s.ReadFile("f2"); err != nil || !bytes.Equal(got, data) {
		t.Error("the server has something else")
	}
}

// A file that stays open sees the changes of others as soon as the attributes
// are looked at again.
func TestAnOpenFileSeesTheChangesOfOthers(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "acregmin=1,acregmax=1")
	write(t, s, "f", []byte("old content"))
	f, err := os.Open(filepath.Join(m.Dir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	buf := make([]byte, 100)
	if n, _ := f.ReadAt(buf, 0); string(buf[:n]) != "old content" {
		t.Fatalf("%q", buf[:n])
	}
	write(t, s, "f", []byte("new content"))
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, err := f.Stat(); err != nil {
			t.Fatal(err)
		}
		n, _ := f.ReadAt(buf, 0)
		if string(buf[:n]) == "new content" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %q", buf[:n])
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestAppendGoesToTheEndWhereverTheKernelBelievesItToBe(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "noac")
	file := filepath.Join(m.Dir(), "log")
	write(t, s, "log", []byte("one\n"))
	wantContent(t, file, []byte("one\n")) // the kernel has the page now
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reader, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	write(t, s, "log", []byte("one\ntwo, by somebody else\n"))
	if _, err := f.WriteString("three\n"); err != nil {
		t.Fatal(err)
	}
	want := []byte("one\ntwo, by somebody else\nthree\n")
	wantContent(t, file, want)
	if got, err := s.ReadFile("log"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the server has %q, %v", got, err)
	}
	if got, err := io.ReadAll(reader); err != nil || !bytes.Equal(got, want) {
		t.Errorf("who had the file open reads %q, %v", got, err)
	}
}

func TestAppendWorksWhenItIsSetAfterTheOpen(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "noac")
	f, err := os.Create(filepath.Join(m.Dir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("12345"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFL, unix.O_APPEND); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("678"); err != nil {
		t.Fatal(err)
	}
	wantContent(t, f.Name(), []byte("12345678"))
}

func TestTwoMountsOfOneServerSeeEachOthersClosedFiles(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	a, b := mounted(t, s, ""), mounted(t, s, "")
	for i := range 20 {
		data := bytes.Repeat([]byte{byte('a' + i)}, 10_000)
		if err := os.WriteFile(filepath.Join(a.Dir(), "f"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		wantContent(t, filepath.Join(b.Dir(), "f"), data)
		a, b = b, a
	}
}

// Opening a name that is replaced again and again must get one of the files
// that had the name, or ESTALE; never a part of a path elsewhere.
func TestOpenNeverGetsAnotherFile(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	name, tmp := filepath.Join(m.Dir(), "name"), filepath.Join(m.Dir(), "tmp")
	if err := os.WriteFile(name, []byte("good"), 0o644); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() { // ends with stop
		for i := 0; !stop.Load(); i++ {
			if i%2 == 0 {
				if err := os.Symlink("/etc/passwd", tmp); err != nil {
					t.Error(err)
				}
			} else if err := os.WriteFile(tmp, []byte("good"), 0o644); err != nil {
				t.Error(err)
			}
			if err := os.Rename(tmp, name); err != nil {
				t.Error(err)
			}
		}
	})
	var st, here unix.Stat_t
	if err := unix.Stat(m.Dir(), &here); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	for range 500 {
		fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			if !errors.Is(err, unix.ELOOP) && !errors.Is(err, unix.ESTALE) {
				t.Error(err)
			}
			continue
		}
		if err := unix.Fstat(fd, &st); err == nil && st.Dev != here.Dev {
			t.Error("the file is on another file system")
		}
		if n, err := unix.Read(fd, buf); err == nil && string(buf[:n]) != "good" {
			t.Errorf("the file has %q", buf[:n])
		} else if err != nil && !errors.Is(err, unix.ESTALE) {
			t.Error(err)
		}
		unix.Close(fd)
	}
	stop.Store(true)
	wg.Wait()
}

func TestWhatNFSDoesNotHaveIsRefusedProperly(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	m := mounted(t, s, "")
	f, err := os.Create(filepath.Join(m.Dir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	write(t, s, "other", nil)
	fd := int(f.Fd())
	_, ioctl := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	_, tmpfile := unix.Open(m.Dir(), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	for _, tc := range []struct {
		name string
		err  error
		want syscall.Errno
	}{
		{"fallocate", unix.Fallocate(fd, 0, 0, 100), unix.EOPNOTSUPP},
		{"an extended attribute", unix.Setxattr(f.Name(), "user.x", []byte("y"), 0), unix.EOPNOTSUPP},
		{"an ioctl", ioctl, unix.ENOTTY},
		{"O_TMPFILE", tmpfile, unix.EOPNOTSUPP},
		{"RENAME_NOREPLACE", unix.Renameat2(unix.AT_FDCWD, f.Name(), unix.AT_FDCWD, m.Dir()+"/g", unix.RENAME_NOREPLACE), unix.EINVAL},
		{"RENAME_EXCHANGE", unix.Renameat2(unix.AT_FDCWD, f.Name(), unix.AT_FDCWD, m.Dir()+"/other", unix.RENAME_EXCHANGE), unix.EINVAL},
		{"a name of 256 bytes", unix.Mkdir(m.Dir()+"/"+string(bytes.Repeat([]byte("n"), 256)), 0o700), unix.ENAMETOOLONG},
	} {
		if !errors.Is(tc.err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, tc.err, tc.want)
		}
	}
	s.Fail(nfs3.ErrNotsupp, 1, nfs3.ProcCommit)
	if err := f.Sync(); err != nil { // nothing is dirty
		t.Error(err)
	}
}

// One refused FSYNC must not turn off all that follow.
func TestAnErrorOfTheServerIsToldOnceAndTheOperationStays(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{Allow: []nfstest.Kind{nfstest.NotCommitted}})
	m := mounted(t, s, "")
	f, err := os.Create(filepath.Join(m.Dir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, status := range []nfs3.Status{nfs3.ErrNospc, nfs3.ErrNotsupp, nfs3.ErrDquot} {
		remove := s.Fail(status, nfstest.Forever, nfs3.ProcWrite, nfs3.ProcCommit)
		if _, err := f.WriteAt([]byte("x"), int64(i)); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); !errors.Is(err, status.Errno()) {
			t.Errorf("fsync: %v, want %v", err, status.Errno())
		}
		remove()
	}
	if _, err := f.WriteAt([]byte("good"), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Errorf("fsync after all is well: %v", err)
	}
}

// Each name is news to the kernel after the other one. Without regard to the
// number of names, an open by the one would be refused for the other's sake.
func TestAFileIsOpenedByAllItsNamesAtOnce(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	dir := mounted(t, s, "").Dir()
	names := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	if err := errors.Join(os.WriteFile(names[0], []byte("x"), 0o644), os.Link(names[0], names[1])); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			runtime.LockOSThread() // a thread is a process to FUSE
			for range 500 {
				f, err := os.Open(names[i%2])
				if err != nil {
					t.Error(err)
					return
				}
				f.Close()
			}
		})
	}
	wg.Wait()
}
