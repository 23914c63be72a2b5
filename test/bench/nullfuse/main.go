package main

import (
	"fmt"
	"os"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Sizes are those of package fuse: requests of 1 MiB, and enough of them.
const (
	maxRequest = 1 << 20
	background = 256
)

// forever is how long the kernel may keep what it was told.
const forever = time.Hour

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: nullfuse DIR")
		os.Exit(2)
	}
	s, err := fuse.NewServer(&null{RawFileSystem: fuse.NewDefaultRawFileSystem(), zeros: make([]byte, maxRequest)}, os.Args[1], &fuse.MountOptions{
		MaxWrite:                 maxRequest,
		MaxBackground:            background,
		DisableSplice:            true, // the fastest way for data that is in memory: see package fuse
		ExplicitDataCacheControl: true,
		FsName:                   "nullfuse", Name: "nullfuse", DirectMountStrict: true,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "nullfuse:", err)
		os.Exit(1)
	}
	s.Serve()
}

// null is the file system. The node of bigN is N+1, of a file that is only
// written 1<<32 + 1; the root is 1.
type null struct {
	fuse.RawFileSystem
	zeros []byte
}

const writable = 1<<32 + 1

func attr(node uint64, a *fuse.Attr) {
	a.Ino, a.Nlink, a.Mode = node, 1, fuse.S_IFREG|0o666
	switch node {
	case fuse.FUSE_ROOT_ID:
		a.Mode = fuse.S_IFDIR | 0o777
	case writable:
	default:
		a.Size = (node - 1) << 20
	}
}

func (n *null) Lookup(_ <-chan struct{}, _ *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	var mib uint64
	out.NodeId = writable
	if _, err := fmt.Sscanf(name, "big%d", &mib); err == nil {
		out.NodeId = mib + 1
	}
	out.SetEntryTimeout(forever)
	out.SetAttrTimeout(forever)
	attr(out.NodeId, &out.Attr)
	return fuse.OK
}

func (n *null) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	out.SetTimeout(forever)
	attr(in.NodeId, &out.Attr)
	return fuse.OK
}

func (n *null) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	attr(in.NodeId, &out.Attr)
	return fuse.OK
}

func (n *null) Open(<-chan struct{}, *fuse.OpenIn, *fuse.OpenOut) fuse.Status { return fuse.OK }
func (n *null) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status              { return fuse.OK }
func (n *null) Fsync(<-chan struct{}, *fuse.FsyncIn) fuse.Status              { return fuse.OK }

func (n *null) Read(_ <-chan struct{}, in *fuse.ReadIn, _ []byte) (fuse.ReadResult, fuse.Status) {
	return fuse.ReadResultData(n.zeros[:in.Size]), fuse.OK
}

func (n *null) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	return uint32(len(data)), fuse.OK
}
