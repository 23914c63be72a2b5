package gonfs_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"

	"github.com/gonfs/gonfs"
	"github.com/gonfs/gonfs/nfs3"
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
