package client

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

func TestAccessIsAskedOncePerCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nfstest.Options{RootSquash: true})
		fs := r.mount("", Options{})
		f := write(t, fs, "f", "x") // alice's, 0644
		root, bob := rpc.NewCred(0, 0, nil), rpc.NewCred(1001, 1001, nil)
		const rw = nfs3.AccessRead | nfs3.AccessModify
		steps := []struct {
			what  string
			wait  time.Duration
			cred  *rpc.Cred
			want  uint32
			calls string
		}{
			{"the owner", 0, alice, rw, "ACCESS 1"},
			{"the owner again", 0, alice, rw, ""},
			{"squashed root", 0, root, nfs3.AccessRead, "ACCESS 1"},
			{"squashed root again", 0, root, nfs3.AccessRead, ""},
			{"the owner after root", 0, alice, rw, ""},
			{"somebody else", 0, bob, nfs3.AccessRead, "ACCESS 1"},
			{"when the attributes have expired", 4 * time.Second, alice, rw, "ACCESS 1"},
		}
		r.calls()
		for _, step := range steps {
			time.Sleep(step.wait)
			got, err := fs.Access(t.Context(), step.cred, f, rw)
			must(t, err)
			want(t, step.what, got, step.want)
			want(t, step.what+": calls", r.calls(), step.calls)
		}
		_, err := fs.Setattr(t.Context(), alice, f, nil, &nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: 0}})
		must(t, err)
		got, err := fs.Access(t.Context(), bob, f, rw)
		must(t, err)
		want(t, "after chmod 0", got, 0)
	})
}

func TestAccessCacheIsBounded(t *testing.T) {
	var c accessCache
	for i := range uint32(3 * maxAccess) {
		c.learn(uint64(i)+1, rpc.NewCred(i, i, nil), 7, i)
	}
	want(t, "entries", len(c.entries), maxAccess)
	if _, ok := c.rights(rpc.NewCred(0, 0, nil), 1); ok {
		t.Error("the oldest is known")
	}
	got, ok := c.rights(rpc.NewCred(3*maxAccess-1, 3*maxAccess-1, nil), 7)
	want(t, "the newest is known", ok, true)
	want(t, "its rights", got, (3*maxAccess-1)&7)
	c.drop(1000)
	c.learn(999, alice, 7, 7)
	want(t, "entries from before the drop", len(c.entries), 0)
}

func TestOpenFailsWhereTheServerWouldRefuseToRead(t *testing.T) {
	r := newRig(t, nfstest.Options{RootSquash: true})
	fs := r.mount("", Options{})
	write(t, fs, "f", "x")
	root := rpc.NewCred(0, 0, nil)
	tests := []struct {
		name  string
		cred  *rpc.Cred
		mode  uint32
		flags int
		ok    bool
	}{
		{"the owner reads", alice, 0o400, os.O_RDONLY, true},
		{"the owner writes to what is read-only", alice, 0o400, os.O_WRONLY, false},
		{"the owner reads and writes", alice, 0o600, os.O_RDWR, true},
		{"squashed root reads what is private", root, 0o600, os.O_RDONLY, false},
		{"squashed root reads what is public", root, 0o644, os.O_RDONLY, true},
		{"squashed root cuts what is public", root, 0o644, os.O_RDONLY | os.O_TRUNC, false},
		{"execve of what may be executed", root, 0o611, flagExec, true},
		{"reading what may be executed", root, 0o611, os.O_RDONLY, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ino := find(t, fs, "f")
			_, err := fs.Setattr(t.Context(), alice, ino, nil, &nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: tt.mode}})
			must(t, err)
			f, err := fs.Open(t.Context(), tt.cred, ino, tt.flags)
			if err == nil {
				f.Release()
			}
			if ok := err == nil; ok != tt.ok || !ok && !errors.Is(err, nfs3.ErrAcces) {
				t.Errorf("Open: %v", err)
			}
		})
	}
}
