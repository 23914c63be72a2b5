package main

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/trees"
)

// spot is a file or directory, on a server or here, as a command line names
// it. It may not be there.
type spot struct {
	trees.Side
	name   string // in Side
	base   string // of the name, for a copy of it
	arg    string
	target *target // nil for a local one
	close  func(context.Context, error) error
}

// openSpot opens what arg names. With follow, or with a "/" at its end, a
// symbolic link at its end is followed.
func openSpot(c *cli.Context, arg string, follow bool) (*spot, error) {
	if !looksRemote(arg) {
		return openLocal(arg, follow)
	}
	t, err := openTarget(c, arg)
	if err != nil {
		return nil, err
	}
	p := serverSpot(t)
	p.close = func(ctx context.Context, err error) error { return closeTarget(ctx, t, err) }
	if follow {
		if p.name, err = followLinks(c.Context, p.Side, p.name); err != nil {
			return nil, p.close(c.Context, err)
		}
	}
	return p, nil
}

// serverSpot is the spot of a target, which stays its owner's.
func serverSpot(t *target) *spot {
	p := &spot{
		Side: trees.Server{FS: t.FS, Top: "/"}, name: strings.Trim(t.path, "/"), arg: t.arg, target: t,
		base: path.Base(strings.TrimRight(t.arg, "/")),
	}
	if i := strings.LastIndex(p.base, ":"); i >= 0 { // SERVER: alone
		p.base = p.base[i+1:]
	}
	if p.name == "" {
		p.name = "."
	}
	return p
}

func openLocal(arg string, follow bool) (*spot, error) {
	if arg == "" { // not this directory: a variable of a script may have been empty
		return nil, fmt.Errorf("the name is empty: %w", iofs.ErrNotExist)
	}
	at := arg
	if strings.HasSuffix(arg, "/") {
		if _, err := os.Stat(arg); errors.Is(err, syscall.ENOTDIR) {
			return nil, err
		}
		follow = true
	}
	if resolved, err := filepath.EvalSymlinks(arg); err == nil && follow {
		at = resolved
	}
	l, name, err := trees.OpenLocal(at)
	if err != nil {
		return nil, err
	}
	return &spot{
		Side: l, name: name, base: filepath.Base(arg), arg: arg,
		close: func(_ context.Context, err error) error { return errors.Join(err, l.Root.Close()) },
	}, nil
}

// maxFollow is how many symbolic links one name may lead through, as in Linux.
const maxFollow = 40

// followLinks returns where the symbolic links lead that name ends in. What is
// not there leads nowhere.
func followLinks(ctx context.Context, s trees.Side, name string) (string, error) {
	for range maxFollow {
		fi, err := s.Lstat(ctx, name)
		if errors.Is(err, iofs.ErrNotExist) || err == nil && fi.Mode().Type() != iofs.ModeSymlink {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		text, err := s.Readlink(ctx, name)
		if err != nil {
			return "", err
		}
		if !path.IsAbs(text) {
			text = path.Join(path.Dir(name), text)
		}
		if name = strings.TrimLeft(path.Clean("/"+text), "/"); name == "" {
			name = "."
		}
	}
	return "", fmt.Errorf("more than %d symbolic links follow one another", maxFollow)
}

// say returns how a name in p's Side is shown: as arg has it, with what lies
// below behind it.
func (p *spot) say(name string) string {
	if name == p.name {
		return p.arg
	}
	below := name
	if p.name != "." {
		below = strings.TrimPrefix(name, p.name+"/")
	}
	return strings.TrimRight(p.arg, "/") + "/" + below
}

// whole returns the path on the server of a name in p's Side. What is mounted
// may be any directory of an export, so only whole paths can be compared.
func (p *spot) whole(name string) string {
	return path.Join("/", p.target.Session().Spec().Path, name)
}

// sameServer reports whether p and q are on one server.
func (p *spot) sameServer(q *spot) bool {
	return p.target != nil && q.target != nil && p.target.Session().Server() == q.target.Session().Server()
}

// sayPath says of which file err is, by the name that the user knows.
func (p *spot) sayPath(err error) error {
	var pe *iofs.PathError
	if !errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", p.arg, err)
	}
	return fmt.Errorf("%s: %w", p.say(strings.TrimPrefix(pe.Path, "/")), pe.Err)
}
