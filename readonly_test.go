package gonfs_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs"
	"github.com/gonfs/gonfs/client"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

// No kernel stands before a program to refuse what "ro" forbids.
func TestNothingIsChangedUnderRO(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	if err := errors.Join(s.WriteFile("f", []byte("data"), 0o666), s.Mkdir("d", 0o777), s.Symlink("f", "l")); err != nil {
		t.Fatal(err)
	}
	before, err := s.Tree()
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	root := rpc.NewCred(0, 0, nil)
	ro := dial(t, s, gonfs.Options{Mount: "ro", Cred: root})
	open := func(flags int) error {
		h, err := ro.OpenFile(ctx, "f", flags, 0o666)
		if err == nil {
			err = h.Close(ctx)
		}
		return err
	}
	for name, do := range map[string]func() error{
		"a file that is new":              func() error { return ro.WriteFile(ctx, "new", nil, 0o666) },
		"a file that is opened to write":  func() error { return open(os.O_WRONLY) },
		"a file that is opened for both":  func() error { return open(os.O_RDWR) },
		"a file that is emptied":          func() error { return open(os.O_RDONLY | os.O_TRUNC) },
		"Mkdir":                           func() error { return ro.Mkdir(ctx, "new", 0o777) },
		"Mknod":                           func() error { return ro.Mknod(ctx, "new", fs.ModeNamedPipe|0o666, 0, 0) },
		"Symlink":                         func() error { return ro.Symlink(ctx, "f", "new") },
		"Link":                            func() error { return ro.Link(ctx, "f", "new") },
		"Rename":                          func() error { return ro.Rename(ctx, "f", "new") },
		"Remove of a file":                func() error { return ro.Remove(ctx, "f") },
		"Remove of a directory":           func() error { return ro.Remove(ctx, "d") },
		"RemoveAll":                       func() error { return ro.RemoveAll(ctx, "d") },
		"Chmod":                           func() error { return ro.Chmod(ctx, "f", 0o600) },
		"Chown":                           func() error { return ro.Chown(ctx, "f", 1, 1) },
		"Chtimes":                         func() error { return ro.Chtimes(ctx, "f", time.Unix(1, 0), time.Unix(1, 0)) },
		"Truncate":                        func() error { return ro.Truncate(ctx, "f", 1) },
		"SetACLs":                         func() error { return ro.SetACLs(ctx, "f", client.ACLs{Access: nfsacl.FromMode(0o600)}) },
		"as another user, with the mount": func() error { return ro.As(rpc.NewCred(1, 1, nil)).Remove(ctx, "f") },
	} {
		if err := do(); !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, do := range map[string]func() error{
		"reading":                     func() error { _, err := ro.ReadFile(ctx, "l"); return err },
		"O_CREATE of what is there":   func() error { return open(os.O_RDONLY | os.O_CREATE) },
		"MkdirAll of what is there":   func() error { return ro.MkdirAll(ctx, "d", 0o777) },
		"RemoveAll of what is not":    func() error { return ro.RemoveAll(ctx, "new") },
		"rw after ro, which is later": func() error { return dial(t, s, gonfs.Options{Mount: "ro,rw", Cred: root}).Chmod(ctx, "f", 0o666) },
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after, err := s.Tree(); err != nil || !slices.Equal(after, before) {
		t.Errorf("the server has %q, before %q: %v", after, before, err)
	}
}
