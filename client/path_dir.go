package client

import (
	"context"
	"errors"
	"io"
	iofs "io/fs"
	"iter"
	"path"

	"github.com/gonfs/gonfs/nfs3"
)

// dirBatch is how many entries are taken from a Dir at a time.
const dirBatch = 256

// entries goes through a directory, some entries at a time, without ever
// holding all of it. It ends with an error or with the directory's end. "." and
// ".." do not come.
func (t *Tree) entries(ctx context.Context, ino *Inode) iter.Seq2[[]DirEntry, error] {
	return func(yield func([]DirEntry, error) bool) {
		d, err := t.fs.OpenDir(ctx, t.cred, ino)
		if err != nil {
			yield(nil, err)
			return
		}
		defer d.Close()
		for {
			batch, err := d.Read(ctx, dirBatch)
			if errors.Is(err, io.EOF) || !yield(batch, err) || err != nil {
				return
			}
		}
	}
}

// ReadDir goes through a directory in the server's order, a page at a time, so
// that a directory of millions costs no more memory than a small one. The loop
// ends after an error. Entries are made of what READDIRPLUS brought; Info asks
// the server only where that was nothing.
func (t *Tree) ReadDir(ctx context.Context, name string) iter.Seq2[iofs.DirEntry, error] {
	return func(yield func(iofs.DirEntry, error) bool) {
		var ino *Inode
		err := t.at(ctx, "readdir", name, true, func(found *Inode) error {
			ino = found
			return nil
		})
		if err != nil {
			yield(nil, err)
			return
		}
		for batch, err := range t.entries(ctx, ino) {
			if err != nil {
				yield(nil, t.pathError("readdir", name, err))
				return
			}
			infos := t.infos(ctx, name, batch)
			for i := range infos {
				if !yield(&infos[i].info, nil) {
					return
				}
			}
		}
	}
}

// entryInfo is an info with room for its attributes.
type entryInfo struct {
	info
	a nfs3.Fattr
}

// infos returns entries of the directory dir as package fs sees them. They
// share an allocation, but no memory with batch, which is of a whole page.
func (t *Tree) infos(ctx context.Context, dir string, batch []DirEntry) []entryInfo {
	out := make([]entryInfo, len(batch))
	for i := range batch {
		e, o := &batch[i], &out[i]
		o.name, o.typ = e.Name, e.Type
		if e.Attr != nil {
			o.a = *e.Attr
			o.attr = &o.a
			continue
		}
		o.stat = func() (*nfs3.Fattr, error) {
			fi, err := t.Lstat(ctx, path.Join(dir, o.name))
			if err != nil {
				return nil, err
			}
			a, _ := fi.Sys().(*nfs3.Fattr)
			return a, nil
		}
	}
	return out
}

// Walk calls do for name and everything below it, a directory before its
// entries, in the server's order, with the rules of fs.WalkDir: fs.SkipDir
// leaves a directory out, fs.SkipAll ends the walk, and errors of the walk
// itself are handed to do. Symbolic links are not followed.
func (t *Tree) Walk(ctx context.Context, name string, do iofs.WalkDirFunc) error {
	fi, err := t.Lstat(ctx, name)
	if err != nil {
		err = do(name, nil, err)
	} else {
		err = t.walkTree(ctx, name, iofs.FileInfoToDirEntry(fi), do, 0)
	}
	if errors.Is(err, iofs.SkipDir) || errors.Is(err, iofs.SkipAll) {
		return nil
	}
	return err
}

func (t *Tree) walkTree(ctx context.Context, name string, e iofs.DirEntry, do iofs.WalkDirFunc, depth int) error {
	if err := do(name, e, nil); err != nil || !e.IsDir() {
		if errors.Is(err, iofs.SkipDir) && e.IsDir() {
			return nil
		}
		return err
	}
	if depth == maxDepth { // the server may pretend that a directory holds itself
		return do(name, e, t.pathError("readdir", name, nfs3.ErrNametoolong))
	}
	for child, err := range t.ReadDir(ctx, name) {
		if err != nil {
			if err = do(name, e, err); errors.Is(err, iofs.SkipDir) {
				return nil
			}
			return err
		}
		err = t.walkTree(ctx, path.Join(name, child.Name()), child, do, depth+1)
		if errors.Is(err, iofs.SkipDir) { // from a file: leave the rest of its directory out
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
