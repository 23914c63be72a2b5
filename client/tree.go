package client

import "github.com/gonfs/gonfs/rpc"

// Tree is an export as one credential sees it, by paths: the calls of package
// os with a context in front. It is safe for concurrent use and costs nothing
// to make. Paths are those of walk: from the export's root, with or without a
// "/" in front, never above it.
//
// Errors are *fs.PathError or *os.LinkError; errors.Is(err, fs.ErrNotExist)
// and its like hold, and errors.As finds the nfs3.Status. ctx ends every wait.
// A handle that has become stale on the way (the file was replaced, the server
// was exchanged) makes the path be walked once more.
type Tree struct {
	fs   *FS
	cred *rpc.Cred
}

// As returns the tree as cred sees it. cred must not change afterwards.
func (fs *FS) As(cred *rpc.Cred) *Tree { return &Tree{fs: fs, cred: cred} }

// As returns the same tree as another credential sees it.
func (t *Tree) As(cred *rpc.Cred) *Tree { return t.fs.As(cred) }

// FS returns the file system below.
func (t *Tree) FS() *FS { return t.fs }

// Cred returns the credential that t's calls are made with.
func (t *Tree) Cred() *rpc.Cred { return t.cred }
