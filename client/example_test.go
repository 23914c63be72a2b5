package client_test

import (
	"context"
	"fmt"
	"os"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

// The inode face: what a kernel does for a program that writes a file and
// reads it back.
func ExampleFS() {
	ctx := context.Background()
	server := nfstest.New(nfstest.Options{})
	defer server.Close()

	options, err := mountopt.Parse(server.MountOptions())
	check(err)
	spec, err := mountopt.ParseSpec(server.Export())
	check(err)
	session, err := mount.Dial(ctx, mount.Config{Spec: spec, Options: options, DialContext: server.DialContext})
	check(err)
	defer session.Umount(ctx)

	fs, err := client.New(ctx, session, client.Options{})
	check(err)
	defer fs.Close(ctx)

	alice := rpc.NewCred(1000, 1000, nil)
	_, _, file, err := fs.Create(ctx, alice, fs.Root(), "hello", os.O_RDWR, 0o644, 0)
	check(err)
	_, err = file.WriteAt(ctx, []byte("hello, world"), 0)
	check(err)
	check(file.Flush(ctx)) // close(2): now every other client sees it
	file.Release()

	inode, attr, err := fs.Lookup(ctx, alice, fs.Root(), "hello")
	check(err)
	fmt.Println(inode.Type(), attr.Size)

	_, _, err = fs.Lookup(ctx, alice, fs.Root(), "missing")
	fmt.Println(err)
	fmt.Println(client.Errno(err))
	// Output:
	// NF3REG 12
	// nfs3: LOOKUP: NFS3ERR_NOENT: no such file or directory
	// no such file or directory
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
