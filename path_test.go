package gonfs_test

import (
	"errors"
	"slices"
	"syscall"
	"testing"

	"github.com/gonfs/gonfs"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

// A "/" at the end of a path says that a directory is meant, and "." one that
// cannot be made, removed or given another name (path_resolution(7)).
func TestTheEndOfAPathSaysWhatIsMeant(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	if err := errors.Join(s.WriteFile("f", []byte("data"), 0o666), s.Mkdir("d", 0o777), s.Symlink("d", "l")); err != nil {
		t.Fatal(err)
	}
	before, err := s.Tree()
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	fsys := dial(t, s, gonfs.Options{Cred: rpc.NewCred(0, 0, nil)})
	for _, tt := range []struct {
		name string
		do   func() error
		want error
	}{
		{"Remove f/", func() error { return fsys.Remove(ctx, "f/") }, syscall.ENOTDIR},
		{"Remove l/, which would be the link", func() error { return fsys.Remove(ctx, "l/") }, syscall.ENOTDIR},
		{"Remove d/.", func() error { return fsys.Remove(ctx, "d/.") }, syscall.EINVAL},
		{"Remove d/./", func() error { return fsys.Remove(ctx, "d/./") }, syscall.EINVAL},
		{"RemoveAll d/.", func() error { return fsys.RemoveAll(ctx, "d/.") }, syscall.EINVAL},
		{"Rename f/", func() error { return fsys.Rename(ctx, "f/", "g") }, syscall.ENOTDIR},
		{"Rename d/.", func() error { return fsys.Rename(ctx, "d/.", "e") }, syscall.EINVAL},
		{"WriteFile new/", func() error { return fsys.WriteFile(ctx, "new/", nil, 0o666) }, syscall.EISDIR},
		{"WriteFile f/", func() error { return fsys.WriteFile(ctx, "f/", nil, 0o666) }, syscall.EISDIR},
		{"Lstat f/", func() error { _, err := fsys.Lstat(ctx, "f/"); return err }, syscall.ENOTDIR},
		{"Readlink l/", func() error { _, err := fsys.Readlink(ctx, "l/"); return err }, syscall.EINVAL},
		{"ReadFile f/", func() error { _, err := fsys.ReadFile(ctx, "f/"); return err }, syscall.ENOTDIR},
		{"Rename f to new/", func() error { return fsys.Rename(ctx, "f", "new/") }, syscall.ENOTDIR},
		{"Mkdir new/.", func() error { return fsys.Mkdir(ctx, "new/.", 0o777) }, syscall.EINVAL},
	} {
		if err := tt.do(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if after, err := s.Tree(); err != nil || !slices.Equal(after, before) {
		t.Errorf("the server has %q, before %q: %v", after, before, err)
	}
	for _, do := range []func() error{
		func() error { return fsys.Mkdir(ctx, "new/", 0o777) },
		func() error { return fsys.Rename(ctx, "new/", "newer/") },
		func() error { return fsys.MkdirAll(ctx, "newer/./x/", 0o777) },
		func() error { return fsys.Remove(ctx, "./newer/./x/") },
		func() error { return fsys.Remove(ctx, "newer/") },
	} {
		if err := do(); err != nil {
			t.Error(err)
		}
	}
}
