package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
	"github.com/gonfs/gonfs/nfs3"
)

func cpCommand() *cli.Command {
	return &cli.Command{
		Name:      "cp",
		Usage:     "copy one file to or from an export",
		ArgsUsage: "SOURCE DESTINATION",
		Description: "One of the two is SERVER:/PATH, the other a local file (write ./a:/b for a local\n" +
			"name that looks like a server's); both may be on servers. A destination that is a\n" +
			"directory gets a file of the source's name. The copy has the mode of the source.\n" +
			"gonfs cp ends with 0 only when the data is safe on the server's disk.",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.IntFlag{Name: "inflight", Value: 8, Usage: "how many pieces of 1 MiB are under way at once, 1 to 64"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress bar, even on a terminal"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 2, 2, "SOURCE and DESTINATION")
			if err != nil {
				return err
			}
			if n := c.Int("inflight"); n < 1 || n > 64 {
				return exitcodes.Usage(fmt.Errorf("cp: --inflight %d: 1 to 64 are allowed", n))
			}
			if !looksRemote(operands[0]) && !looksRemote(operands[1]) {
				return exitcodes.Usage(errors.New("cp: both names are local: use cp(1), or name one as SERVER:/PATH"))
			}
			return copyFile(c, operands[0], operands[1])
		},
	}
}

// source and sink are what a copy reads from and writes to: a file on a server
// or a local one. Pieces are read and written in any order.
type source interface {
	io.ReaderAt
	io.Closer
}

type sink interface {
	io.WriterAt
	io.Closer
}

func copyFile(c *cli.Context, from, to string) (err error) {
	src, size, mode, left, err := openSource(c, from)
	if err != nil {
		return fmt.Errorf("cp: %s: %w", from, plain(err))
	}
	defer func() { err = errors.Join(err, left()) }()
	defer src.Close()
	dst, done, err := openSink(c, to, path.Base(filepath.ToSlash(from)), mode, src)
	if err != nil {
		return fmt.Errorf("cp: %s: %w", to, plain(err))
	}
	defer func() { err = errors.Join(err, done()) }()

	bar := newBar(c, path.Base(from), size)
	err = transfer(c.Context, dst, src, size, c.Int("inflight"), bar.add)
	if err != nil {
		bar.end()
		return errors.Join(fmt.Errorf("cp: %s to %s: %w", from, to, plain(err)), dst.Close())
	}
	if err = dst.Close(); err != nil { // only now is the data known to be safe
		err = fmt.Errorf("cp: %s: %w", to, plain(err))
	}
	bar.end()
	return err
}

// nothing is what there is to do after a local file.
func nothing() error { return nil }

// openSource opens what is copied. done ends the mount, after the file was
// closed.
func openSource(c *cli.Context, name string) (src source, size int64, mode os.FileMode, done func() error, err error) {
	if !looksRemote(name) {
		f, err := os.Open(name)
		if err != nil {
			return nil, 0, 0, nil, err
		}
		fi, err := f.Stat()
		if err == nil && !fi.Mode().IsRegular() {
			err = notRegular(fi)
		}
		if err != nil {
			return nil, 0, 0, nil, errors.Join(err, f.Close())
		}
		return f, fi.Size(), fi.Mode(), nothing, nil
	}
	t, err := openTarget(c, name)
	if err != nil {
		return nil, 0, 0, nil, err
	}
	done = func() error { return closeTarget(c.Context, t, nil) }
	h, err := t.Open(c.Context, t.path)
	if err != nil {
		return nil, 0, 0, nil, errors.Join(err, done())
	}
	fi, err := h.Stat(c.Context)
	if err == nil && !fi.Mode().IsRegular() {
		err = notRegular(fi)
	}
	if err != nil {
		return nil, 0, 0, nil, errors.Join(err, h.Close(c.Context), done())
	}
	return served{h.IO(c.Context), t}, fi.Size(), fi.Mode(), done, nil
}

func notRegular(fi os.FileInfo) error {
	if fi.IsDir() {
		return errors.New("is a directory: gonfs cp copies one file")
	}
	return fmt.Errorf("is no regular file (%s)", modeString(fi.Mode()))
}

// openSink creates the copy of src, which must be another file: creating it
// empties what is there.
func openSink(c *cli.Context, name, base string, mode os.FileMode, src source) (dst sink, done func() error, err error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if !looksRemote(name) {
		if fi, err := os.Stat(name); err == nil && fi.IsDir() {
			name = filepath.Join(name, base)
		}
		f, err := os.OpenFile(name, flags, mode.Perm())
		return f, nothing, err
	}
	t, err := openTarget(c, name)
	if err != nil {
		return nil, nil, err
	}
	done = func() error { return closeTarget(c.Context, t, nil) }
	rest := t.path
	fi, err := t.Stat(c.Context, rest)
	if err == nil && fi.IsDir() {
		rest = path.Join(rest, base)
		fi, err = t.Stat(c.Context, rest)
	}
	if err == nil && sameFile(t, fi, src) {
		return nil, nil, errors.Join(errors.New("is the same file as the source"), done())
	}
	h, err := t.OpenFile(c.Context, rest, flags, mode.Perm())
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return h.IO(c.Context), done, nil
}

// served is an open file of a server.
type served struct {
	*client.IO
	t *target
}

// sameFile reports whether fi, of a file of t, describes src.
func sameFile(t *target, fi os.FileInfo, src source) bool {
	r, ok := src.(served)
	if !ok || r.t.Session().Server() != t.Session().Server() {
		return false
	}
	sfi, err := r.Stat()
	if err != nil {
		return false
	}
	a, aok := sfi.Sys().(*nfs3.Fattr)
	b, bok := fi.Sys().(*nfs3.Fattr)
	return aok && bok && a.FSID == b.FSID && a.FileID == b.FileID
}

// pieceSize is what one request of a copy moves; it is split to rsize or wsize
// below.
const pieceSize = 1 << 20

// transfer copies size bytes with several pieces under way at once. What the
// source has beyond size by now is copied too; a source that has become
// shorter is an error.
func transfer(ctx context.Context, dst io.WriterAt, src io.ReaderAt, size int64, inflight int, moved func(int)) error {
	g := newGroup(ctx, inflight)
	for off := int64(0); off < size; off += pieceSize {
		if !g.run(func(buf []byte) error { return movePiece(dst, src, off, size, buf, moved) }) {
			break
		}
	}
	if err := g.wait(); err != nil {
		return err
	}
	buf := make([]byte, pieceSize)
	for off := size; ; {
		n, err := src.ReadAt(buf, off)
		if n > 0 {
			if _, werr := dst.WriteAt(buf[:n], off); werr != nil {
				return werr
			}
			moved(n)
			off += int64(n)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func movePiece(dst io.WriterAt, src io.ReaderAt, off, size int64, buf []byte, moved func(int)) error {
	want := int(min(pieceSize, size-off))
	n, err := src.ReadAt(buf[:want], off)
	if n < want {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("the source became shorter while it was copied: it ends at %d, not at %d", off+int64(n), size)
		}
		return err
	}
	if _, err := dst.WriteAt(buf[:n], off); err != nil {
		return err
	}
	moved(n)
	return nil
}
