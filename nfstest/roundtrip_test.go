package nfstest_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/portmap"
)

// ways are the transports that the tests of the wire run over.
var ways = []string{"tcp", "udp", "mem-tcp", "mem-udp"}

func TestEveryProcedureWorksOverEveryTransport(t *testing.T) {
	for _, how := range ways {
		t.Run(how, func(t *testing.T) {
			s := nfstest.Start(t, nfstest.Options{})
			testProcedures(t, s, connect(t, s, how))
			for _, p := range nfs3.Procs {
				if s.Counts()[p.Name] == 0 {
					t.Errorf("%s was not called", p.Name)
				}
			}
		})
	}
}

// testProcedures calls all 22 procedures and looks at the results.
func testProcedures(t *testing.T, s *nfstest.Server, c *client) {
	must(t, c.Null(c.ctx))
	in := func(name string) nfs3.DirOpArgs { return nfs3.DirOpArgs{Dir: c.root, Name: name} }
	mode := func(m uint32) nfs3.Sattr { return nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: m}} }

	var created nfs3.CreateReply
	must(t, c.Create(c.ctx, c.cred, &nfs3.CreateArgs{Where: in("file"), How: nfs3.CreateHow{Mode: nfs3.Guarded, Attr: mode(0640)}}, &created))
	file := created.Object.FH
	if a := created.Attr.Attr; a.Type != nfs3.TypeReg || a.Mode != 0640 || a.Nlink != 1 || a.Size != 0 {
		t.Errorf("CREATE made %+v", a)
	}
	if w := created.DirWcc; !w.Before.Present || w.Before.Attr.Ctime == w.After.Attr.Ctime {
		t.Errorf("CREATE changed the directory so: %+v", w)
	}

	w := c.write(t, file, 3, "hello", nfs3.Unstable)
	if w.Count != 5 || w.Committed != nfs3.Unstable || w.Wcc.Before.Attr.Size != 0 || w.Wcc.After.Attr.Size != 8 {
		t.Errorf("WRITE = %+v", w)
	}
	var commit nfs3.CommitReply
	must(t, c.Commit(c.ctx, c.cred, &nfs3.CommitArgs{File: file}, &commit))
	if commit.Verf != w.Verf {
		t.Errorf("verifier of COMMIT is %x, of WRITE %x", commit.Verf, w.Verf)
	}
	var read nfs3.ReadReply
	must(t, c.Read(c.ctx, c.cred, &nfs3.ReadArgs{File: file, Offset: 1, Count: 100}, &read, make([]byte, 100)))
	if string(read.Data) != "\x00\x00hello" || !read.EOF {
		t.Errorf("READ = %q, eof %v", read.Data, read.EOF)
	}

	var get nfs3.GetattrReply
	must(t, c.Getattr(c.ctx, c.cred, &nfs3.GetattrArgs{Object: file}, &get))
	var set nfs3.SetattrReply
	must(t, c.Setattr(c.ctx, c.cred, &nfs3.SetattrArgs{Object: file, Attr: mode(0600), Guard: nfs3.SattrGuard{Check: true, Ctime: get.Attr.Ctime}}, &set))
	if set.Wcc.After.Attr.Mode != 0600 {
		t.Errorf("SETATTR left mode %o", set.Wcc.After.Attr.Mode)
	}

	var look nfs3.LookupReply
	must(t, c.Lookup(c.ctx, c.cred, &nfs3.LookupArgs{What: in("file")}, &look))
	if look.Object != file {
		t.Errorf("LOOKUP = %v, CREATE gave %v", look.Object, file)
	}
	var acc nfs3.AccessReply
	must(t, c.Access(c.ctx, c.cred, &nfs3.AccessArgs{Object: c.root, Access: 0x3f}, &acc))
	if acc.Access != 0x1f {
		t.Errorf("ACCESS of the root directory = %#x", acc.Access)
	}

	var dir nfs3.MkdirReply
	must(t, c.Mkdir(c.ctx, c.cred, &nfs3.MkdirArgs{Where: in("dir"), Attr: mode(0711)}, &dir))
	var sym nfs3.SymlinkReply
	must(t, c.Symlink(c.ctx, c.cred, &nfs3.SymlinkArgs{Where: in("sym"), Target: "../else where"}, &sym))
	var target nfs3.ReadlinkReply
	must(t, c.Readlink(c.ctx, c.cred, &nfs3.ReadlinkArgs{Symlink: sym.Object.FH}, &target))
	if target.Target != "../else where" {
		t.Errorf("READLINK = %q", target.Target)
	}
	var node nfs3.MknodReply
	must(t, c.Mknod(c.ctx, c.cred, &nfs3.MknodArgs{Where: in("null"), What: nfs3.MknodData{Type: nfs3.TypeChr, Attr: mode(0666), Spec: nfs3.Specdata{Major: 1, Minor: 3}}}, &node))
	var link nfs3.LinkReply
	must(t, c.Link(c.ctx, c.cred, &nfs3.LinkArgs{File: file, Link: nfs3.DirOpArgs{Dir: dir.Object.FH, Name: "hard"}}, &link))
	if link.Attr.Attr.Nlink != 2 {
		t.Errorf("after LINK nlink = %d", link.Attr.Attr.Nlink)
	}

	var ls nfs3.ReaddirReply
	must(t, c.Readdir(c.ctx, c.cred, &nfs3.ReaddirArgs{Dir: c.root, Count: 4096}, &ls))
	var plus nfs3.ReaddirplusReply
	must(t, c.Readdirplus(c.ctx, c.cred, &nfs3.ReaddirplusArgs{Dir: c.root, DirCount: 4096, MaxCount: 8192}, &plus))
	want := []string{".", "..", "file", "dir", "sym", "null"}
	var names, plusNames []string
	for _, e := range ls.Entries {
		names = append(names, e.Name)
	}
	for _, e := range plus.Entries {
		plusNames = append(plusNames, e.Name)
		if !e.FH.Present || e.Attr.Attr.FileID != e.FileID {
			t.Errorf("READDIRPLUS has %+v", e)
		}
	}
	if !slices.Equal(names, want) || !slices.Equal(plusNames, want) || !ls.EOF || !plus.EOF {
		t.Errorf("listed %q and %q, want %q", names, plusNames, want)
	}

	var rm nfs3.RemoveReply
	must(t, c.Remove(c.ctx, c.cred, &nfs3.RemoveArgs{Object: in("null")}, &rm))
	var mv nfs3.RenameReply
	must(t, c.Rename(c.ctx, c.cred, &nfs3.RenameArgs{From: nfs3.DirOpArgs{Dir: dir.Object.FH, Name: "hard"}, To: in("sym")}, &mv))
	var rmdir nfs3.RmdirReply
	must(t, c.Rmdir(c.ctx, c.cred, &nfs3.RmdirArgs{Object: in("dir")}, &rmdir))

	var st nfs3.FsstatReply
	must(t, c.Fsstat(c.ctx, c.cred, &nfs3.FsstatArgs{Root: c.root}, &st))
	if st.Tbytes != 1<<30 || st.Fbytes >= st.Tbytes {
		t.Errorf("FSSTAT = %+v", st)
	}
	var info nfs3.FsinfoReply
	must(t, c.Fsinfo(c.ctx, c.cred, &nfs3.FsinfoArgs{Root: c.root}, &info))
	var conf nfs3.PathconfReply
	must(t, c.Pathconf(c.ctx, c.cred, &nfs3.PathconfArgs{Object: c.root}, &conf))
	if conf.NameMax != 255 || info.Rtmax == 0 {
		t.Errorf("PATHCONF = %+v, FSINFO = %+v", conf, info)
	}

	tree, err := s.Tree()
	must(t, err)
	if want := []string{"reg 0600 2 0:0 8 file", "reg 0600 2 0:0 8 sym"}; !slices.Equal(tree, want) {
		t.Errorf("tree = %q, want %q", tree, want)
	}
	if err := c.Remove(c.ctx, c.cred, &nfs3.RemoveArgs{Object: in("null")}, &rm); !errors.Is(err, nfs3.ErrNoent) {
		t.Errorf("second REMOVE: %v", err)
	}
}

func TestMountdMountsTheExportAndItsDirectories(t *testing.T) {
	for _, how := range ways {
		t.Run(how, func(t *testing.T) {
			s := nfstest.Start(t, nfstest.Options{})
			must(t, s.Mkdir("a", 0755))
			must(t, s.Mkdir("a/b", 0755))
			must(t, s.WriteFile("a/f", nil, 0644))
			_, port, _ := ports(s, how)
			m := mountd.NewClient(program(t, s, how, port, mountd.Program, mountd.Version))
			ctx := t.Context()
			for path, want := range map[string]error{
				"/export": nil, "/export/": nil, "/export/a/b": nil, "/export//a": nil,
				"/export/none": mountd.ErrNoent, "/export/a/f": mountd.ErrNotdir,
				"/exportx": mountd.ErrAcces, "/": mountd.ErrAcces, "": mountd.ErrAcces,
			} {
				if _, err := m.Mnt(ctx, path); !errors.Is(err, want) {
					t.Errorf("MNT %q: %v, want %v", path, err, want)
				}
			}
			r, err := m.Mnt(ctx, "/export/a/b")
			must(t, err)
			fh, err := s.Handle("a/b")
			must(t, err)
			if string(r.FH) != string(fh.Bytes()) || !slices.Equal(r.Flavors, []uint32{1, 0}) {
				t.Errorf("MNT = %+v, want handle %v", r, fh)
			}
			must(t, m.Umnt(ctx, "/export/a/b"))
			l, err := m.Dump(ctx)
			must(t, err)
			if len(l) != 3 {
				t.Errorf("DUMP = %v", l)
			}
			must(t, m.Umntall(ctx))
			if l := s.Mounts(); len(l) != 0 {
				t.Errorf("after UMNTALL %v is mounted", l)
			}
			e, err := m.Export(ctx)
			must(t, err)
			if len(e) != 1 || e[0].Dir != "/export" {
				t.Errorf("EXPORT = %v", e)
			}
		})
	}
}

func TestRpcbindKnowsThePorts(t *testing.T) {
	for _, how := range ways {
		t.Run(how, func(t *testing.T) {
			s := nfstest.Start(t, nfstest.Options{})
			at, mount, nfs := ports(s, how)
			ctx := t.Context()
			v2 := portmap.NewClient(program(t, s, how, at, portmap.Program, 2))
			for _, prot := range []uint32{portmap.ProtTCP, portmap.ProtUDP} {
				got, err := v2.Getport(ctx, portmap.Mapping{Prog: nfs3.Program, Vers: 3, Prot: prot})
				if err != nil || uint16(got) != nfs {
					t.Errorf("GETPORT of NFS = %v, %v; want %d", got, err, nfs)
				}
				got, err = v2.Getport(ctx, portmap.Mapping{Prog: mountd.Program, Vers: 3, Prot: prot})
				if err != nil || uint16(got) != mount {
					t.Errorf("GETPORT of MOUNT = %v, %v; want %d", got, err, mount)
				}
			}
			l, err := v2.Dump(ctx)
			must(t, err)
			if len(l) != 16 {
				t.Errorf("DUMP = %v", l)
			}
			for _, vers := range []uint32{3, 4} {
				b := portmap.NewRpcbind(program(t, s, how, at, portmap.Program, vers), vers)
				for _, netid := range []string{"tcp", "udp"} {
					got, err := b.Getaddr(ctx, portmap.Rpcb{Prog: nfs3.Program, Vers: 3, Netid: netid})
					if want := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), nfs); err != nil || got != want {
						t.Errorf("GETADDR of NFS over %s = %v, %v; want %v", netid, got, err, want)
					}
				}
				if l, err := b.Dump(ctx); err != nil || len(l) < 10 {
					t.Errorf("DUMP of version %d = %v, %v", vers, l, err)
				}
			}
		})
	}
}

func TestStartListensOnlyWhereItIsAsked(t *testing.T) {
	s := nfstest.New(nfstest.Options{})
	defer s.Close()
	must(t, s.Start("tcp6"))
	_, mount, nfs := s.Ports()
	if s.Export() != "[::1]:/export" {
		t.Errorf("Export() = %q", s.Export())
	}
	if want := fmt.Sprintf("vers=3,port=%d,mountport=%d,nolock", nfs, mount); s.MountOptions() != want {
		t.Errorf("MountOptions() = %q, want %q", s.MountOptions(), want)
	}
	connect(t, s, "tcp6")
	if err := s.Start("udp"); err == nil {
		t.Error("a second Start succeeded")
	}
	if err := nfstest.New(nfstest.Options{}).Start("sctp"); err == nil {
		t.Error("Start took the network sctp")
	}
}
