package client

import (
	"bytes"
	"context"
	iofs "io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// ReadFile returns the contents of a file. Its memory grows with what really
// comes, not with the size that the server tells.
func (t *Tree) ReadFile(ctx context.Context, name string) ([]byte, error) {
	h, err := t.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = h.WriteTo(ctx, &b)
	if cerr := h.Close(ctx); err == nil {
		err = cerr
	}
	return b.Bytes(), err
}

// WriteFile makes data the contents of a file, which is created with perm if
// it is not there. When it returns nil the data is safe on the server.
func (t *Tree) WriteFile(ctx context.Context, name string, data []byte, perm iofs.FileMode) error {
	h, err := t.OpenFile(ctx, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = h.Write(ctx, data)
	if cerr := h.Close(ctx); err == nil {
		err = cerr
	}
	return err
}

// IOFS returns the tree as an fs.FS whose calls are made with ctx; it is an
// fs.StatFS, fs.ReadDirFS and fs.ReadFileFS as well. By the rules of package
// fs, names are valid paths ("." is the root), and directories are sorted.
func (t *Tree) IOFS(ctx context.Context) iofs.FS { return ioFS{t, ctx} }

type ioFS struct {
	t   *Tree
	ctx context.Context
}

var (
	_ iofs.StatFS     = ioFS{}
	_ iofs.ReadDirFS  = ioFS{}
	_ iofs.ReadFileFS = ioFS{}
)

func (f ioFS) check(op, name string) error {
	if !iofs.ValidPath(name) {
		return f.t.pathError(op, name, iofs.ErrInvalid)
	}
	return nil
}

func (f ioFS) Open(name string) (iofs.File, error) {
	if err := f.check("open", name); err != nil {
		return nil, err
	}
	h, err := f.t.Open(f.ctx, name)
	if err != nil {
		return nil, err
	}
	return h.IO(f.ctx), nil
}

func (f ioFS) Stat(name string) (iofs.FileInfo, error) {
	if err := f.check("stat", name); err != nil {
		return nil, err
	}
	return f.t.Stat(f.ctx, name)
}

func (f ioFS) ReadFile(name string) ([]byte, error) {
	if err := f.check("read", name); err != nil {
		return nil, err
	}
	return f.t.ReadFile(f.ctx, name)
}

func (f ioFS) ReadDir(name string) ([]iofs.DirEntry, error) {
	if err := f.check("readdir", name); err != nil {
		return nil, err
	}
	var out []iofs.DirEntry
	for e, err := range f.t.ReadDir(f.ctx, name) {
		if err != nil {
			return out, err
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b iofs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// baseName returns the last element of a path; the root's is ".".
func baseName(name string) string {
	b := path.Base(path.Clean("/" + name))
	if b == "/" {
		return "."
	}
	return b
}

// joinLink returns the path that a symbolic link at name with that target
// means. It is not cleaned: ".." may follow another link.
func joinLink(name, target string) string {
	if strings.HasPrefix(target, "/") {
		return target
	}
	if i := strings.LastIndexByte(strings.TrimRight(name, "/"), '/'); i >= 0 {
		return name[:i+1] + target
	}
	return target
}
