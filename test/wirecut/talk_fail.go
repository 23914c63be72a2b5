package main

import (
	"github.com/gonfs/gonfs/nfs3"
)

// directory lists in one piece and in several.
func (t *nfsTalk) directory() {
	var list nfs3.ReaddirReply
	readdir := func(cookie uint64, verf [8]byte, count uint32) func() error {
		return func() error {
			return t.c.Readdir(t.ctx, nil, &nfs3.ReaddirArgs{Dir: t.dir, Cookie: cookie, Verf: verf, Count: count}, &list)
		}
	}
	plus := func(cookie uint64, maxcount uint32, r *nfs3.ReaddirplusReply) func() error {
		return func() error {
			return t.c.Readdirplus(t.ctx, nil, &nfs3.ReaddirplusArgs{Dir: t.dir, Cookie: cookie, DirCount: 4096, MaxCount: maxcount}, r)
		}
	}
	t.ok("nfs3", "READDIR", "", readdir(0, [8]byte{}, 4096))
	t.ok("nfs3", "READDIR", "part", readdir(0, [8]byte{}, 256))
	if n := len(list.Entries); n > 0 && !list.EOF {
		t.ok("nfs3", "READDIR", "next", readdir(list.Entries[n-1].Cookie, list.Verf, 4096))
	}
	t.ok("nfs3", "READDIRPLUS", "", plus(0, 4096, new(nfs3.ReaddirplusReply)))
	var part nfs3.ReaddirplusReply
	t.ok("nfs3", "READDIRPLUS", "part", plus(0, 700, &part))
	if n := len(part.Entries); n > 0 && !part.EOF {
		t.ok("nfs3", "READDIRPLUS", "next", plus(part.Entries[n-1].Cookie, 4096, &part))
	}
	t.fails("nfs3", "READDIR", "notdir", nfs3.ErrNotdir, func() error {
		return t.c.Readdir(t.ctx, nil, &nfs3.ReaddirArgs{Dir: t.file, Count: 4096}, &list)
	})
	t.fails("nfs3", "READDIRPLUS", "notdir", nfs3.ErrNotdir, func() error {
		return t.c.Readdirplus(t.ctx, nil, &nfs3.ReaddirplusArgs{Dir: t.file, DirCount: 4096, MaxCount: 4096}, &part)
	})
}

// refused calls the failure arms that any server can be brought to.
func (t *nfsTalk) refused(root, ro nfs3.FH) {
	t.fails("nfs3", "READLINK", "inval", nfs3.ErrInval, func() error {
		return t.c.Readlink(t.ctx, nil, &nfs3.ReadlinkArgs{Symlink: t.file}, new(nfs3.ReadlinkReply))
	})
	t.fails("nfs3", "CREATE", "acces", nfs3.ErrAcces, func() error {
		return t.c.Create(t.ctx, t.user, &nfs3.CreateArgs{Where: t.in("x")}, new(nfs3.CreateReply))
	})
	t.fails("nfs3", "MKDIR", "exist", nfs3.ErrExist, func() error {
		return t.c.Mkdir(t.ctx, nil, &nfs3.MkdirArgs{Where: nfs3.DirOpArgs{Dir: root, Name: "wire"}}, new(nfs3.MkdirReply))
	})
	t.fails("nfs3", "MKDIR", "rofs", nfs3.ErrRofs, func() error {
		return t.c.Mkdir(t.ctx, nil, &nfs3.MkdirArgs{Where: nfs3.DirOpArgs{Dir: ro, Name: "x"}}, new(nfs3.MkdirReply))
	})
	t.fails("nfs3", "SYMLINK", "exist", nfs3.ErrExist, func() error {
		return t.c.Symlink(t.ctx, nil, &nfs3.SymlinkArgs{Where: t.in("link"), Target: "x"}, new(nfs3.SymlinkReply))
	})
	t.fails("nfs3", "MKNOD", "badtype", nfs3.ErrBadtype, func() error {
		return t.c.Mknod(t.ctx, nil, &nfs3.MknodArgs{Where: t.in("x"), What: nfs3.MknodData{Type: nfs3.TypeReg}}, new(nfs3.MknodReply))
	})
	t.fails("nfs3", "WRITE", "acces", nfs3.ErrAcces, func() error {
		return t.c.Write(t.ctx, t.user, &nfs3.WriteArgs{File: t.mine, Data: []byte("x")}, new(nfs3.WriteReply))
	})
	t.fails("nfs3", "READ", "acces", nfs3.ErrAcces, func() error {
		return t.c.Read(t.ctx, t.user, &nfs3.ReadArgs{File: t.mine, Count: 1}, new(nfs3.ReadReply), make([]byte, 1))
	})
	t.fails("nfs3", "REMOVE", "noent", nfs3.ErrNoent, func() error {
		return t.c.Remove(t.ctx, nil, &nfs3.RemoveArgs{Object: t.in("absent")}, new(nfs3.RemoveReply))
	})
	t.fails("nfs3", "RMDIR", "notempty", nfs3.ErrNotempty, func() error {
		return t.c.Rmdir(t.ctx, nil, &nfs3.RmdirArgs{Object: nfs3.DirOpArgs{Dir: root, Name: "wire"}}, new(nfs3.RmdirReply))
	})
}

// removed empties the directory, removes it, and calls on with its handle.
func (t *nfsTalk) removed(root nfs3.FH) {
	for i, name := range []string{"unchecked", "guarded", "exclusive", "renamed", "link", "fifo", "chr", "blk", "sock"} {
		remove := func() error {
			return t.c.Remove(t.ctx, nil, &nfs3.RemoveArgs{Object: t.in(name)}, new(nfs3.RemoveReply))
		}
		label := ""
		if i > 0 {
			label = name
		}
		t.ok("nfs3", "REMOVE", label, remove)
	}
	t.ok("nfs3", "RMDIR", "", func() error {
		return t.c.Rmdir(t.ctx, nil, &nfs3.RmdirArgs{Object: nfs3.DirOpArgs{Dir: root, Name: "wire"}}, new(nfs3.RmdirReply))
	})
	for _, k := range []struct {
		proc string
		call func() error
	}{
		{"GETATTR", func() error {
			return t.c.Getattr(t.ctx, nil, &nfs3.GetattrArgs{Object: t.file}, new(nfs3.GetattrReply))
		}},
		{"ACCESS", func() error {
			return t.c.Access(t.ctx, nil, &nfs3.AccessArgs{Object: t.dir, Access: 1}, new(nfs3.AccessReply))
		}},
		{"COMMIT", func() error {
			return t.c.Commit(t.ctx, nil, &nfs3.CommitArgs{File: t.file, Offset: 4096, Count: 4096}, new(nfs3.CommitReply))
		}},
		{"FSSTAT", func() error {
			return t.c.Fsstat(t.ctx, nil, &nfs3.FsstatArgs{Root: t.dir}, new(nfs3.FsstatReply))
		}},
		{"FSINFO", func() error {
			return t.c.Fsinfo(t.ctx, nil, &nfs3.FsinfoArgs{Root: t.dir}, new(nfs3.FsinfoReply))
		}},
		{"PATHCONF", func() error {
			return t.c.Pathconf(t.ctx, nil, &nfs3.PathconfArgs{Object: t.dir}, new(nfs3.PathconfReply))
		}},
	} {
		t.fails("nfs3", k.proc, "stale", nfs3.ErrStale, k.call)
	}
	bad, err := nfs3.MakeFH([]byte{0xba, 0xd0, 0xba, 0xd0, 0xba})
	if err != nil {
		t.err = err
	}
	t.fails("nfs3", "GETATTR", "badhandle", nfs3.ErrBadhandle, func() error {
		return t.c.Getattr(t.ctx, nil, &nfs3.GetattrArgs{Object: bad}, new(nfs3.GetattrReply))
	})
}
