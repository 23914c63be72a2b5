package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// cp runs gonfs cp against a server on loopback ports.
func cp(ctx context.Context, s *nfstest.Server, args ...string) error {
	app := newApp()
	app.Writer, app.ErrWriter = io.Discard, io.Discard
	return app.RunContext(ctx, append([]string{"gonfs", "cp", "-q", "-o", s.MountOptions()}, args...))
}

func TestACopyOfAFileOntoItselfIsRefusedAndHarmless(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	data := bytes.Repeat([]byte("data"), 1000)
	s.Mkdir("dir", 0o755)
	s.WriteFile("dir/a", data, 0o644)
	for _, to := range []string{"/dir/a", "/dir", "/dir/../dir/a"} {
		err := cp(t.Context(), s, s.Export()+"/dir/a", s.Export()+to)
		if err == nil || !strings.Contains(err.Error(), "same file") {
			t.Errorf("to %s: %v, want an error about the same file", to, err)
		}
		if got, _ := s.ReadFile("dir/a"); !bytes.Equal(got, data) {
			t.Fatalf("to %s: the file holds %d bytes of %d", to, len(got), len(data))
		}
		if m := s.Mounts(); len(m) > 0 {
			t.Errorf("to %s: still mounted: %v", to, m)
		}
	}
}

func TestACopyFromServerToServerLeavesNoMountBehind(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	s.WriteFile("a", []byte("data"), 0o640)
	if err := cp(t.Context(), s, s.Export()+"/a", s.Export()+"/b"); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.ReadFile("b"); string(got) != "data" {
		t.Errorf("the copy holds %q", got)
	}
	if err := cp(t.Context(), s, s.Export()+"/a", s.Export()+"/none/b"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, want that there is no such directory", err)
	}
	if m := s.Mounts(); len(m) > 0 {
		t.Errorf("still mounted: %v", m)
	}
}

func TestACopyEndsWellOnlyWhenTheServerHasAllOnItsDisk(t *testing.T) {
	local := filepath.Join(t.TempDir(), "a")
	data := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	if err := os.WriteFile(local, data, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		fault nfstest.Fault
		want  error
	}{
		{"no fault", nfstest.Fault{Procs: []uint32{nfs3.ProcNull}}, nil},
		{"a restart before the COMMIT", nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Times: 1, Do: []nfstest.Action{nfstest.Crash()}}, nil},
		{"the third WRITE finds no room", nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Skip: 2, Times: 1, Do: []nfstest.Action{nfstest.Status(nfs3.ErrNospc)}}, syscall.ENOSPC},
		{"COMMIT fails", nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Times: 1, Do: []nfstest.Action{nfstest.Status(nfs3.ErrIO)}}, syscall.EIO},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := nfstest.Start(t, nfstest.Options{})
			s.Fault(tt.fault)
			err := cp(t.Context(), s, local, s.Export()+"/b")
			s.Restart() // takes what is not on disk
			if tt.want == nil && err != nil || !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if got, _ := s.ReadFile("b"); (err == nil) != bytes.Equal(got, data) {
				t.Errorf("%v, and %d bytes of %d are there", err, len(got), len(data))
			}
		})
	}
}

func TestAnInterruptEndsACopySoonThoughTheServerIsAway(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{Allow: []nfstest.Kind{nfstest.NotCommitted}})
	local := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(local, make([]byte, 8<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	away := func(*nfstest.Call) bool { interrupt(); return true }
	s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, If: away, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.DropCall()}})
	start := time.Now()
	if err := cp(ctx, s, local, s.Export()+"/b"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
	if d := time.Since(start); d > 30*time.Second { // some milliseconds here
		t.Errorf("it took %v", d)
	}
}
