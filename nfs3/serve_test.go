package nfs3

import (
	"bytes"
	"context"
	"reflect"
	"testing"

	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// echo is a Server that checks its arguments and answers what it was told to,
// by reflection: one body for 21 methods.
type echo struct {
	args  func(proc string, args any) // sees the arguments
	reply func(proc string, reply any)
}

func (e *echo) do(proc string, args, reply any) {
	if e.args != nil {
		e.args(proc, args)
	}
	if e.reply != nil {
		e.reply(proc, reply)
	}
}

func (e *echo) Getattr(_ context.Context, _ *rpc.Request, a *GetattrArgs, r *GetattrReply) {
	e.do("GETATTR", a, r)
}
func (e *echo) Setattr(_ context.Context, _ *rpc.Request, a *SetattrArgs, r *SetattrReply) {
	e.do("SETATTR", a, r)
}
func (e *echo) Lookup(_ context.Context, _ *rpc.Request, a *LookupArgs, r *LookupReply) {
	e.do("LOOKUP", a, r)
}
func (e *echo) Access(_ context.Context, _ *rpc.Request, a *AccessArgs, r *AccessReply) {
	e.do("ACCESS", a, r)
}
func (e *echo) Readlink(_ context.Context, _ *rpc.Request, a *ReadlinkArgs, r *ReadlinkReply) {
	e.do("READLINK", a, r)
}
func (e *echo) Read(_ context.Context, _ *rpc.Request, a *ReadArgs, r *ReadReply) {
	e.do("READ", a, r)
}
func (e *echo) Write(_ context.Context, _ *rpc.Request, a *WriteArgs, r *WriteReply) {
	e.do("WRITE", a, r)
}
func (e *echo) Create(_ context.Context, _ *rpc.Request, a *CreateArgs, r *CreateReply) {
	e.do("CREATE", a, r)
}
func (e *echo) Mkdir(_ context.Context, _ *rpc.Request, a *MkdirArgs, r *MkdirReply) {
	e.do("MKDIR", a, r)
}
func (e *echo) Symlink(_ context.Context, _ *rpc.Request, a *SymlinkArgs, r *SymlinkReply) {
	e.do("SYMLINK", a, r)
}
func (e *echo) Mknod(_ context.Context, _ *rpc.Request, a *MknodArgs, r *MknodReply) {
	e.do("MKNOD", a, r)
}
func (e *echo) Remove(_ context.Context, _ *rpc.Request, a *RemoveArgs, r *RemoveReply) {
	e.do("REMOVE", a, r)
}
func (e *echo) Rmdir(_ context.Context, _ *rpc.Request, a *RmdirArgs, r *RmdirReply) {
	e.do("RMDIR", a, r)
}
func (e *echo) Rename(_ context.Context, _ *rpc.Request, a *RenameArgs, r *RenameReply) {
	e.do("RENAME", a, r)
}
func (e *echo) Link(_ context.Context, _ *rpc.Request, a *LinkArgs, r *LinkReply) {
	e.do("LINK", a, r)
}
func (e *echo) Readdir(_ context.Context, _ *rpc.Request, a *ReaddirArgs, r *ReaddirReply) {
	e.do("READDIR", a, r)
}
func (e *echo) Readdirplus(_ context.Context, _ *rpc.Request, a *ReaddirplusArgs, r *ReaddirplusReply) {
	e.do("READDIRPLUS", a, r)
}
func (e *echo) Fsstat(_ context.Context, _ *rpc.Request, a *FsstatArgs, r *FsstatReply) {
	e.do("FSSTAT", a, r)
}
func (e *echo) Fsinfo(_ context.Context, _ *rpc.Request, a *FsinfoArgs, r *FsinfoReply) {
	e.do("FSINFO", a, r)
}
func (e *echo) Pathconf(_ context.Context, _ *rpc.Request, a *PathconfArgs, r *PathconfReply) {
	e.do("PATHCONF", a, r)
}
func (e *echo) Commit(_ context.Context, _ *rpc.Request, a *CommitArgs, r *CommitReply) {
	e.do("COMMIT", a, r)
}

func TestServeAnswersEachProcedureWithItsOwnMethodAndTypes(t *testing.T) {
	r := seeded(5)
	for _, p := range Procs[1:] {
		args, want := messageFor(p.Number, false).new(), messageFor(p.Number, true).new()
		fill(r, args)
		fill(r, want)
		called := ""
		e := &echo{
			args: func(proc string, got any) {
				called = proc
				if a, b := encode(t, args), encode(t, got.(xdr.Value)); !bytes.Equal(a, b) {
					t.Errorf("%s: arguments %x, want %x", p.Name, b, a)
				}
			},
			reply: func(_ string, reply any) {
				reflect.ValueOf(reply).Elem().Set(reflect.ValueOf(want).Elem())
			},
		}
		out := xdr.NewEncoder(nil)
		stat := Serve(e).ServeRPC(context.Background(),
			&rpc.Request{Prog: Program, Vers: Version, Proc: p.Number, Args: xdr.NewDecoder(encode(t, args))}, out)
		got := append(out.Bytes(), out.Payload()...)
		got = append(got, make([]byte, -len(got)&3)...)
		if stat != rpc.Success || called != p.Name || !bytes.Equal(got, encode(t, want)) {
			t.Errorf("%s: status %d, called %q, %x", p.Name, stat, called, got)
		}
	}
}

func TestServeRefusesWhatItCannotDecodeOrEncode(t *testing.T) {
	good := encode(t, &GetattrArgs{Object: mustFH(t, "abcd")})
	for _, tc := range []struct {
		name string
		proc uint32
		args []byte
		s    *echo
		want rpc.AcceptStat
	}{
		{"NULL", ProcNull, nil, &echo{}, rpc.Success},
		{"a procedure that does not exist", 22, nil, &echo{}, rpc.ProcUnavail},
		{"good arguments", ProcGetattr, good, &echo{}, rpc.Success},
		{"arguments that are cut", ProcGetattr, good[:6], &echo{}, rpc.GarbageArgs},
		{"arguments that something follows", ProcGetattr, append(good[:8:8], 0, 0, 0, 0), &echo{}, rpc.GarbageArgs},
		{"a reply with a target that is too long", ProcReadlink, good,
			&echo{reply: func(_ string, r any) { r.(*ReadlinkReply).Target = string(make([]byte, MaxPath+1)) }}, rpc.SystemErr},
	} {
		got := Serve(tc.s).ServeRPC(context.Background(),
			&rpc.Request{Proc: tc.proc, Args: xdr.NewDecoder(tc.args)}, xdr.NewEncoder(nil))
		if got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}
