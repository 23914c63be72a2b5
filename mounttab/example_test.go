package mounttab_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gonfs/gonfs/mounttab"
)

// export stands for a mount.
type export struct{}

func (export) Status() mounttab.Status {
	return mounttab.Status{Server: "192.0.2.1", State: mounttab.OK}
}
func (export) Drain(context.Context) error { return nil }
func (export) Abort()                      {}

func Example() {
	tmp, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(tmp)
	tab, err := mounttab.OpenDir(filepath.Join(tmp, "gonfs")) // Open has the usual place
	if err != nil {
		fmt.Println(err)
		return
	}

	// The daemon:
	entry, err := tab.Add(mounttab.Record{Spec: "server:/export", Dir: "/mnt"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer entry.Close()
	go entry.Serve(export{}) // until Close

	// Somebody who wants to know:
	recs, err := tab.List()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, rec := range recs {
		resp, err := mounttab.Call(context.Background(), rec, mounttab.Request{Op: mounttab.OpStatus})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s on %s: server %s %s\n", rec.Spec, rec.Dir, resp.Status.Server, resp.Status.State)
	}
	// Output: server:/export on /mnt: server 192.0.2.1 ok
}
