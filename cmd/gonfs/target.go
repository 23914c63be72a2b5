package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs"
	"github.com/gonfs/gonfs/cmd/internal/trees"
	"github.com/gonfs/gonfs/mount"
	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/mountopt"
)

// target is a file or directory on a server.
type target struct {
	*gonfs.FS
	path string // from the root of the export
	arg  string // as the user wrote it
}

// looksRemote reports whether arg names something on a server rather than a
// local file, by the rule of scp: a colon with no "/" before it.
func looksRemote(arg string) bool {
	if strings.HasPrefix(arg, "nfs://") || strings.HasPrefix(arg, "[") {
		return true
	}
	host, rest, ok := strings.Cut(arg, ":")
	return ok && host != "" && !strings.Contains(host, "/") && strings.HasPrefix(rest, "/")
}

// openTarget mounts the export that arg is in. Where the export ends in
// SERVER:/a/b/c only the server can tell: MNT is tried with the whole path,
// then with less and less of it, and what was cut off is the path inside.
func openTarget(c *cli.Context, arg string) (*target, error) { return openTargetWith(c, arg, "") }

// openTargetWith is openTarget with mount options that the user's come after,
// and so overrule.
func openTargetWith(c *cli.Context, arg, needed string) (*target, error) {
	spec, err := mountopt.ParseSpec(arg)
	if err != nil {
		return nil, err
	}
	options := gonfs.Options{
		Mount:  strings.Trim(needed+","+strings.Join(c.StringSlice("o"), ","), ","),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	var first error
	inside := ""
	for try := path.Clean(spec.Path); ; {
		spec.Path = try
		fsys, err := gonfs.Dial(c.Context, spec.String(), options)
		if err == nil {
			warn(c, fsys)
			t := &target{FS: fsys, path: "/" + inside, arg: arg}
			if err := t.slash(c.Context); err != nil {
				return nil, closeTarget(c.Context, t, err)
			}
			return t, nil
		}
		if first == nil {
			first = err
		}
		if try == "/" || !shorter(err) {
			return nil, first
		}
		inside = path.Join(path.Base(try), inside)
		try = path.Dir(try)
	}
}

// slash heeds a "/" at the end of a name: it is a directory that is named, or
// what a symbolic link leads to (path_resolution(7)). What is not there yet may
// become one.
func (t *target) slash(ctx context.Context) error {
	if !strings.HasSuffix(t.arg, "/") {
		return nil
	}
	side := trees.Server{FS: t.FS, Top: "/"}
	name, err := followLinks(ctx, side, cmp.Or(strings.Trim(t.path, "/"), "."))
	if err != nil {
		return err
	}
	t.path = path.Join("/", name)
	fi, err := side.Lstat(ctx, name)
	if err == nil && !fi.IsDir() || errors.Is(err, syscall.ENOTDIR) {
		return syscall.ENOTDIR
	}
	return nil // what else is wrong, those find out who use it
}

// openInParent is openTarget for what is to be removed: the directory that arg
// is in is mounted, for servers let directories of an export be mounted, and
// what is mounted cannot be removed.
func openInParent(c *cli.Context, arg string) (*target, error) {
	spec, err := mountopt.ParseSpec(arg)
	if err != nil {
		return nil, err
	}
	if last := path.Base(spec.Path); last == "." || last == ".." {
		return nil, fmt.Errorf("what ends in %q is not removed: name the directory itself", last)
	}
	whole := path.Clean(spec.Path)
	if spec.Path = path.Dir(whole); whole == "/" {
		return nil, errors.New("is the root of the server, which cannot be removed: name what is in it")
	}
	t, err := openTarget(c, spec.String())
	if err != nil {
		return nil, fmt.Errorf("the directory that it is in cannot be mounted (an export itself cannot be removed: name what is in it): %w", err)
	}
	t.path, t.arg = path.Join(t.path, path.Base(whole)), arg
	return t, nil
}

// warn says what fragments can do to the data that a command moves over UDP.
func warn(c *cli.Context, fsys *gonfs.FS) {
	s := fsys.Session()
	if r := s.UDPRisk(); r != nil && r.Mixes() && s.Options().UDPFrag.Value == mountopt.UDPFragWarn {
		fmt.Fprintf(c.App.ErrWriter, "gonfs %s: %s\n", c.Command.Name, r.Warning())
	}
}

// shorter reports whether a mount that failed with err may succeed with a
// shorter path: the server knows no export of that name.
func shorter(err error) bool {
	var status mountd.Status
	if errors.As(err, &status) {
		switch status {
		case mountd.ErrNoent, mountd.ErrNotdir, mountd.ErrAcces, mountd.ErrInval:
			return true
		}
		return false
	}
	return errors.Is(err, mount.ErrNotDirectory) // an export can be a file's name
}

// How long the end of a mount may take: what was written is being saved.
const (
	closeTime = 30 * time.Second
	hurryTime = time.Second // once the user has interrupted the command
)

// closeTarget closes t and returns the first error of the two: the data of the
// last write may be lost only now.
func closeTarget(ctx context.Context, t *target, err error) error {
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(hurryTime, cancel) })()
	if cerr := t.Close(closing); cerr != nil && err == nil {
		return fmt.Errorf("%s: %w", t.arg, cerr)
	}
	return err
}

// eachTarget runs do for each operand, and goes on after an error: it is
// printed, and the exit code tells.
func eachTarget(c *cli.Context, operands []string, do func(*target) error) error {
	return eachOpened(c, operands, openTarget, do)
}

// eachOpened is eachTarget with another way to open.
func eachOpened(c *cli.Context, operands []string, open func(*cli.Context, string) (*target, error), do func(*target) error) error {
	failed := 0
	for _, arg := range operands {
		t, err := open(c, arg)
		if err == nil {
			err = closeTarget(c.Context, t, do(t))
		}
		if c.Context.Err() != nil {
			return context.Canceled
		}
		if err != nil {
			failed++
			what := arg + ": "
			if strings.HasPrefix(err.Error(), what) { // what is wrong with the argument itself says so
				what = ""
			}
			fmt.Fprintf(c.App.ErrWriter, "gonfs %s: %s%v\n", c.Command.Name, what, plain(err))
		}
	}
	if failed > 0 {
		return cli.Exit("", 1)
	}
	return nil
}
