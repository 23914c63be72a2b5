package main

import (
	"context"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// nfsTalk is a conversation with one export.
type nfsTalk struct {
	*script
	ctx  context.Context
	c    *nfs3.Client
	user *rpc.Cred // an ordinary user
	dir  nfs3.FH   // a directory of our own in the export
	file nfs3.FH   // a file in it
	mine nfs3.FH   // a file in it that the ordinary user may not touch
}

// talkNFS calls all 22 procedures, then what a server refuses. root and ro are
// the handles of a writable and of a read-only export.
func talkNFS(ctx context.Context, s *script, c, udp *nfs3.Client, root, ro nfs3.FH) {
	t := &nfsTalk{script: s, ctx: ctx, c: c, user: rpc.NewCred(1000, 1000, nil)}
	t.filesystem(root)
	t.objects(root)
	t.data()
	t.names()
	t.directory()
	t.refused(root, ro)
	t.removed(root)
	s.ok("nfs3", "NULL", "udp", func() error { return udp.Null(ctx) })
	s.ok("nfs3", "GETATTR", "udp", func() error {
		return udp.Getattr(ctx, nil, &nfs3.GetattrArgs{Object: root}, new(nfs3.GetattrReply))
	})
}

// in names an entry of the directory.
func (t *nfsTalk) in(name string) nfs3.DirOpArgs { return nfs3.DirOpArgs{Dir: t.dir, Name: name} }

// filesystem asks what is asked at every mount.
func (t *nfsTalk) filesystem(root nfs3.FH) {
	t.ok("nfs3", "NULL", "", func() error { return t.c.Null(t.ctx) })
	t.ok("nfs3", "FSINFO", "", func() error {
		return t.c.Fsinfo(t.ctx, nil, &nfs3.FsinfoArgs{Root: root}, new(nfs3.FsinfoReply))
	})
	t.ok("nfs3", "PATHCONF", "", func() error {
		return t.c.Pathconf(t.ctx, nil, &nfs3.PathconfArgs{Object: root}, new(nfs3.PathconfReply))
	})
	t.ok("nfs3", "FSSTAT", "", func() error {
		return t.c.Fsstat(t.ctx, nil, &nfs3.FsstatArgs{Root: root}, new(nfs3.FsstatReply))
	})
	t.ok("nfs3", "GETATTR", "", func() error {
		return t.c.Getattr(t.ctx, nil, &nfs3.GetattrArgs{Object: root}, new(nfs3.GetattrReply))
	})
	t.ok("nfs3", "ACCESS", "", func() error {
		return t.c.Access(t.ctx, nil, &nfs3.AccessArgs{Object: root, Access: 0x3f}, new(nfs3.AccessReply))
	})
	t.ok("nfs3", "GETATTR", "16gids", func() error {
		gids := []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
		return t.c.Getattr(t.ctx, rpc.NewCred(1000, 1000, gids), &nfs3.GetattrArgs{Object: root}, new(nfs3.GetattrReply))
	})
}

// objects makes one of each kind.
func (t *nfsTalk) objects(root nfs3.FH) {
	mode := func(m uint32) nfs3.Sattr { return nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: m}} }
	t.ok("nfs3", "MKDIR", "", func() error {
		var r nfs3.MkdirReply
		err := t.c.Mkdir(t.ctx, nil, &nfs3.MkdirArgs{Where: nfs3.DirOpArgs{Dir: root, Name: "wire"}, Attr: mode(0o755)}, &r)
		t.dir = r.Object.FH
		return err
	})
	create := func(name string, how nfs3.CreateHow, fh *nfs3.FH) func() error {
		return func() error {
			var r nfs3.CreateReply
			err := t.c.Create(t.ctx, nil, &nfs3.CreateArgs{Where: t.in(name), How: how}, &r)
			*fh = r.Object.FH
			return err
		}
	}
	other := new(nfs3.FH)
	t.ok("nfs3", "CREATE", "", create("unchecked", nfs3.CreateHow{Mode: nfs3.Unchecked, Attr: mode(0o644)}, &t.file))
	t.ok("nfs3", "CREATE", "guarded", create("guarded", nfs3.CreateHow{Mode: nfs3.Guarded, Attr: mode(0o600)}, &t.mine))
	t.ok("nfs3", "CREATE", "exclusive", create("exclusive", nfs3.CreateHow{Mode: nfs3.Exclusive, Verf: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}}, other))
	t.fails("nfs3", "CREATE", "exist", nfs3.ErrExist, create("guarded", nfs3.CreateHow{Mode: nfs3.Guarded, Attr: mode(0o600)}, other))
	t.ok("nfs3", "SYMLINK", "", func() error {
		return t.c.Symlink(t.ctx, nil, &nfs3.SymlinkArgs{Where: t.in("link"), Attr: mode(0o777), Target: "../some where/else"}, new(nfs3.SymlinkReply))
	})
	for _, k := range []struct {
		label string
		typ   nfs3.FileType
	}{{"fifo", nfs3.TypeFifo}, {"chr", nfs3.TypeChr}, {"blk", nfs3.TypeBlk}, {"sock", nfs3.TypeSock}} {
		t.ok("nfs3", "MKNOD", k.label, func() error {
			what := nfs3.MknodData{Type: k.typ, Attr: mode(0o640), Spec: nfs3.Specdata{Major: 1, Minor: 3}}
			return t.c.Mknod(t.ctx, nil, &nfs3.MknodArgs{Where: t.in(k.label), What: what}, new(nfs3.MknodReply))
		})
	}
	t.ok("nfs3", "SETATTR", "", func() error {
		all := nfs3.Sattr{
			Mode: nfs3.SetUint32{Set: true, Value: 0o4711},
			UID:  nfs3.SetUint32{Set: true, Value: 1000}, GID: nfs3.SetUint32{Set: true, Value: 100},
			Size:  nfs3.SetUint64{Set: true, Value: 1 << 33},
			Atime: nfs3.SetTime{How: nfs3.SetToClientTime, Time: nfs3.Time{Sec: 1000000000, Nsec: 123456789}},
			Mtime: nfs3.SetTime{How: nfs3.SetToServerTime},
		}
		return t.c.Setattr(t.ctx, nil, &nfs3.SetattrArgs{Object: t.file, Attr: all}, new(nfs3.SetattrReply))
	})
	t.fails("nfs3", "SETATTR", "notsync", nfs3.ErrNotSync, func() error {
		guard := nfs3.SattrGuard{Check: true, Ctime: nfs3.Time{Sec: 1, Nsec: 2}}
		return t.c.Setattr(t.ctx, nil, &nfs3.SetattrArgs{Object: t.file, Attr: mode(0o600), Guard: guard}, new(nfs3.SetattrReply))
	})
	t.fails("nfs3", "SETATTR", "perm", nfs3.ErrPerm, func() error {
		return t.c.Setattr(t.ctx, t.user, &nfs3.SetattrArgs{Object: t.dir, Attr: mode(0o777)}, new(nfs3.SetattrReply))
	})
}

// data writes, commits and reads, with odd lengths for the padding.
func (t *nfsTalk) data() {
	write := func(stable nfs3.StableHow, offset uint64, data string) func() error {
		return func() error {
			args := nfs3.WriteArgs{File: t.file, Offset: offset, Stable: stable, Data: []byte(data)}
			return t.c.Write(t.ctx, nil, &args, new(nfs3.WriteReply))
		}
	}
	read := func(offset uint64, count uint32) func() error {
		return func() error {
			args := nfs3.ReadArgs{File: t.file, Offset: offset, Count: count}
			return t.c.Read(t.ctx, nil, &args, new(nfs3.ReadReply), make([]byte, count))
		}
	}
	t.ok("nfs3", "WRITE", "", write(nfs3.Unstable, 0, "hello, world\n"))
	t.ok("nfs3", "WRITE", "datasync", write(nfs3.DataSync, 13, "0123456789abcdef"))
	t.ok("nfs3", "WRITE", "filesync", write(nfs3.FileSync, 1<<33, "tail"))
	t.ok("nfs3", "COMMIT", "", func() error {
		return t.c.Commit(t.ctx, nil, &nfs3.CommitArgs{File: t.file}, new(nfs3.CommitReply))
	})
	t.ok("nfs3", "READ", "", read(0, 29))
	t.ok("nfs3", "READ", "eof", read(1<<33, 100))
	t.ok("nfs3", "READ", "beyond", read(1<<34, 100))
}

// names looks up, links and renames.
func (t *nfsTalk) names() {
	lookup := func(dir nfs3.FH, name string, fh *nfs3.FH) func() error {
		return func() error {
			var r nfs3.LookupReply
			err := t.c.Lookup(t.ctx, nil, &nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: dir, Name: name}}, &r)
			*fh = r.Object
			return err
		}
	}
	var link, none nfs3.FH
	t.ok("nfs3", "LOOKUP", "", lookup(t.dir, "link", &link))
	t.ok("nfs3", "READLINK", "", func() error {
		return t.c.Readlink(t.ctx, nil, &nfs3.ReadlinkArgs{Symlink: link}, new(nfs3.ReadlinkReply))
	})
	t.fails("nfs3", "LOOKUP", "noent", nfs3.ErrNoent, lookup(t.dir, "absent", &none))
	t.fails("nfs3", "LOOKUP", "latin1", nfs3.ErrNoent, lookup(t.dir, "caf\xe9", &none))
	t.fails("nfs3", "LOOKUP", "notdir", nfs3.ErrNotdir, lookup(t.file, "x", &none))
	t.ok("nfs3", "LINK", "", func() error {
		return t.c.Link(t.ctx, nil, &nfs3.LinkArgs{File: t.file, Link: t.in("hard")}, new(nfs3.LinkReply))
	})
	t.fails("nfs3", "LINK", "exist", nfs3.ErrExist, func() error {
		return t.c.Link(t.ctx, nil, &nfs3.LinkArgs{File: t.file, Link: t.in("hard")}, new(nfs3.LinkReply))
	})
	t.ok("nfs3", "RENAME", "", func() error {
		return t.c.Rename(t.ctx, nil, &nfs3.RenameArgs{From: t.in("hard"), To: t.in("renamed")}, new(nfs3.RenameReply))
	})
	t.fails("nfs3", "RENAME", "noent", nfs3.ErrNoent, func() error {
		return t.c.Rename(t.ctx, nil, &nfs3.RenameArgs{From: t.in("absent"), To: t.in("x")}, new(nfs3.RenameReply))
	})
}
