package fuse_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/fuse"
	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfstest"
)

// A session with a server becomes a file system, and that a mount, which ends
// with Unmount; then what was written is saved, and the session ends.
func ExampleMount() {
	ctx := context.Background()
	server := nfstest.New(nfstest.Options{})
	defer server.Close()
	options, _ := mountopt.Parse(server.MountOptions())
	spec, _ := mountopt.ParseSpec(server.Export())
	session, err := mount.Dial(ctx, mount.Config{Spec: spec, Options: options, DialContext: server.DialContext})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	fs, err := client.New(ctx, session, client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fs.Close(ctx)

	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(dir)
	m, err := fuse.Mount(ctx, fs, fuse.Config{Dir: dir, Options: session.Options(), FsName: spec.String()})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, "hello"), []byte("hello, world\n"), 0o644); err != nil {
		fmt.Println(err)
	}
	if err := m.Unmount(ctx); err != nil {
		fmt.Println(err)
		return
	}
	m.Wait()
	data, err := server.ReadFile("hello")
	fmt.Printf("%s%v\n", data, err)
}

// Where FUSE can be had, the example must print what it says.
func TestTheExampleWorks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	old := os.Stdout
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout = w
	ExampleMount()
	os.Stdout = old
	w.Close()
	if got, err := io.ReadAll(r); string(got) != "hello, world\n<nil>\n" {
		t.Errorf("%q, %v", got, err)
	}
}
