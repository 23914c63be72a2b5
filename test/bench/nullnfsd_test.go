package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/gonfs/gonfs"
)

// nullServer builds nullnfsd, starts it on a port of its own, and mounts it.
func nullServer(t *testing.T) *gonfs.FS {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("gcc is not installed")
	}
	program := filepath.Join(t.TempDir(), "nullnfsd")
	sources, err := filepath.Glob("nullnfsd/*.c")
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command(gcc, append([]string{"-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", program}, sources...)...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build, err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	server := exec.CommandContext(t.Context(), program, "-p", fmt.Sprint(port))
	server.Stderr = t.Output()
	if err := startAndWait(server, "listening"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // killed with the test's context
	fs, err := gonfs.Dial(t.Context(), "127.0.0.1:/", gonfs.Options{Mount: fmt.Sprintf("port=%d,mountport=%d,mountproto=tcp,noresvport", port, port)})
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

func TestTheNullServerIsAServer(t *testing.T) {
	fs, ctx := nullServer(t), t.Context()

	t.Run("words of a file say where they are", func(t *testing.T) {
		h, err := fs.Open(ctx, "/big3")
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(h.IO(ctx))
		if err != nil || len(data) != 3<<20 {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
		for off := 0; off < len(data); off += 8 {
			if got, want := binary.LittleEndian.Uint64(data[off:]), uint64(off%(264<<10)); got != want {
				t.Fatalf("the word at %d is %d, want %d", off, got, want)
			}
		}
	})
	t.Run("a directory has the entries of its name", func(t *testing.T) {
		n := 0
		for e, err := range fs.ReadDir(ctx, "/dir12345") {
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("e%07d", n); e.Name() != want {
				t.Fatalf("entry %d is %s, want %s", n, e.Name(), want)
			}
			n++
		}
		if n != 12345 {
			t.Errorf("%d entries", n)
		}
		if fi, err := fs.Stat(ctx, "/dir12345/e0000007"); err != nil || fi.Size() != 4096 {
			t.Errorf("%v, %v", fi, err)
		}
	})
	t.Run("what is made has a size, and is gone when it is removed", func(t *testing.T) {
		if err := fs.Mkdir(ctx, "/made", 0o755); err != nil {
			t.Fatal(err)
		}
		h, err := fs.OpenFile(ctx, "/made/one", os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.WriteAt(ctx, make([]byte, 100_000), 50_000); err != nil {
			t.Fatal(err)
		}
		if err := h.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if err := fs.Rename(ctx, "/made/one", "/made/two"); err != nil {
			t.Fatal(err)
		}
		if fi, err := fs.Stat(ctx, "/made/two"); err != nil || fi.Size() != 150_000 {
			t.Errorf("%v, %v", fi, err)
		}
		if err := fs.RemoveAll(ctx, "/made"); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"/made", "/made/one", "/made/two"} {
			if _, err := fs.Stat(ctx, name); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: %v, want that it is not there", name, err)
			}
		}
	})
	if err := fs.Close(ctx); err != nil {
		t.Error(err)
	}
}
