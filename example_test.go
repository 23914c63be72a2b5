package gonfs_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"syscall"

	"github.com/gonfs/gonfs"
	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/lock"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/nfstest"
)

func Example() {
	server := nfstest.New(nfstest.Options{}) // in place of a real one
	defer server.Close()
	ctx := context.Background()

	fsys, err := gonfs.Dial(ctx, server.Export(), gonfs.Options{
		Mount:       "soft,timeo=50",
		DialContext: server.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := fsys.MkdirAll(ctx, "a/b", 0o755); err != nil {
		log.Fatal(err)
	}
	if err := fsys.WriteFile(ctx, "a/b/hello", []byte("hello, world\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	for e, err := range fsys.ReadDir(ctx, "a/b") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e.Name())
	}
	data, err := fsys.ReadFile(ctx, "a/b/hello")
	fmt.Printf("%s%v\n", data, err)

	_, err = fsys.Stat(ctx, "nothing")
	var status nfs3.Status
	fmt.Println(errors.Is(err, fs.ErrNotExist), errors.As(err, &status), status)

	if err := fsys.Close(ctx); err != nil { // nil: everything is safe on the server
		log.Fatal(err)
	}
	// Output:
	// hello
	// hello, world
	// <nil>
	// true true NFS3ERR_NOENT: no such file or directory
}

// Two programs take turns at a file.
func ExampleFile_lock() {
	server := nfstest.New(nfstest.Options{}) // in place of a real one
	defer server.Close()
	ctx := context.Background()
	fsys, err := gonfs.Dial(ctx, server.Export(), gonfs.Options{
		Mount:       "nolock", // locks of this process alone; without it they are the server's
		DialContext: server.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer fsys.Close(ctx)

	first, err := fsys.OpenFile(ctx, "ledger", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		log.Fatal(err)
	}
	second, err := fsys.OpenFile(ctx, "ledger", os.O_RDWR, 0)
	if err != nil {
		log.Fatal(err)
	}
	head := lock.Range{Start: 0, End: 99} // both included
	fmt.Println(first.Lock(ctx, head, lock.Exclusive))
	err = second.TryLock(ctx, lock.WholeFile, lock.Shared)
	fmt.Println(errors.Is(err, syscall.EAGAIN))
	who, err := second.TestLock(ctx, lock.WholeFile, lock.Shared)
	fmt.Println(who.Range, who.Type, err)
	fmt.Println(first.Close(ctx)) // saves what was written, and gives the lock back
	fmt.Println(second.TryLock(ctx, lock.WholeFile, lock.Shared), second.Close(ctx))
	// Output:
	// <nil>
	// true
	// 0-99 exclusive <nil>
	// <nil>
	// <nil> <nil>
}

// A second user is let in by an access control list.
func ExampleFS_aCLs() {
	server := nfstest.New(nfstest.Options{}) // in place of a real one
	defer server.Close()
	ctx := context.Background()
	fsys, err := gonfs.Dial(ctx, server.Export(), gonfs.Options{
		Cred:        &gonfs.Cred{UID: 1000, GID: 1000},
		DialContext: server.DialContext,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer fsys.Close(ctx)
	if err := fsys.WriteFile(ctx, "notes", []byte("for two\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	guest := fsys.As(&gonfs.Cred{UID: 1001, GID: 1001})
	_, err = guest.ReadFile(ctx, "notes")
	fmt.Println(errors.Is(err, fs.ErrPermission))

	list, err := nfsacl.Parse("u::rw,u:1001:r,g::-,m::r,o::-", nfsacl.Names{})
	if err != nil {
		log.Fatal(err)
	}
	if err := fsys.SetACLs(ctx, "notes", client.ACLs{Access: list}); err != nil {
		log.Fatal(err)
	}
	data, err := guest.ReadFile(ctx, "notes")
	fmt.Printf("%s%v\n", data, err)
	// Output:
	// true
	// for two
	// <nil>
}
