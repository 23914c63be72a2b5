package nfs3

import (
	"io"
	"math/rand/v2"
	"reflect"
	"testing"

	bb "github.com/buildbarn/go-xdr/pkg/protocols/nfsv3"

	"github.com/gonfs/gonfs/xdr"
)

// A message is one type of the protocol: ours, and the independent reading of
// it that github.com/buildbarn/go-xdr generated from the RFC's .x file.
type message struct {
	name string
	new  func() xdr.Value
	read func(io.Reader) (io.WriterTo, int64, error)
}

// args is the oracle of a struct, reply that of a union.
func args[T any, P interface {
	*T
	io.WriterTo
	ReadFrom(io.Reader) (int64, error)
}](r io.Reader) (io.WriterTo, int64, error) {
	v := P(new(T))
	n, err := v.ReadFrom(r)
	return v, n, err
}

func reply[T io.WriterTo](read func(io.Reader) (T, int64, error)) func(io.Reader) (io.WriterTo, int64, error) {
	return func(r io.Reader) (io.WriterTo, int64, error) {
		v, n, err := read(r)
		return v, n, err
	}
}

func of[T any, P interface {
	*T
	xdr.Value
}]() xdr.Value {
	return P(new(T))
}

// messages are the arguments and the results of all procedures, by number.
var messages = []message{
	{"GETATTR args", of[GetattrArgs], args[bb.Getattr3args]},
	{"GETATTR reply", of[GetattrReply], reply(bb.ReadGetattr3res)},
	{"SETATTR args", of[SetattrArgs], args[bb.Setattr3args]},
	{"SETATTR reply", of[SetattrReply], reply(bb.ReadSetattr3res)},
	{"LOOKUP args", of[LookupArgs], args[bb.Lookup3args]},
	{"LOOKUP reply", of[LookupReply], reply(bb.ReadLookup3res)},
	{"ACCESS args", of[AccessArgs], args[bb.Access3args]},
	{"ACCESS reply", of[AccessReply], reply(bb.ReadAccess3res)},
	{"READLINK args", of[ReadlinkArgs], args[bb.Readlink3args]},
	{"READLINK reply", of[ReadlinkReply], reply(bb.ReadReadlink3res)},
	{"READ args", of[ReadArgs], args[bb.Read3args]},
	{"READ reply", of[ReadReply], reply(bb.ReadRead3res)},
	{"WRITE args", of[WriteArgs], args[bb.Write3args]},
	{"WRITE reply", of[WriteReply], reply(bb.ReadWrite3res)},
	{"CREATE args", of[CreateArgs], args[bb.Create3args]},
	{"CREATE reply", of[CreateReply], reply(bb.ReadCreate3res)},
	{"MKDIR args", of[MkdirArgs], args[bb.Mkdir3args]},
	{"MKDIR reply", of[MkdirReply], reply(bb.ReadMkdir3res)},
	{"SYMLINK args", of[SymlinkArgs], args[bb.Symlink3args]},
	{"SYMLINK reply", of[SymlinkReply], reply(bb.ReadSymlink3res)},
	{"MKNOD args", of[MknodArgs], args[bb.Mknod3args]},
	{"MKNOD reply", of[MknodReply], reply(bb.ReadMknod3res)},
	{"REMOVE args", of[RemoveArgs], args[bb.Remove3args]},
	{"REMOVE reply", of[RemoveReply], reply(bb.ReadRemove3res)},
	{"RMDIR args", of[RmdirArgs], args[bb.Rmdir3args]},
	{"RMDIR reply", of[RmdirReply], reply(bb.ReadRmdir3res)},
	{"RENAME args", of[RenameArgs], args[bb.Rename3args]},
	{"RENAME reply", of[RenameReply], reply(bb.ReadRename3res)},
	{"LINK args", of[LinkArgs], args[bb.Link3args]},
	{"LINK reply", of[LinkReply], reply(bb.ReadLink3res)},
	{"READDIR args", of[ReaddirArgs], args[bb.Readdir3args]},
	{"READDIR reply", of[ReaddirReply], reply(bb.ReadReaddir3res)},
	{"READDIRPLUS args", of[ReaddirplusArgs], args[bb.Readdirplus3args]},
	{"READDIRPLUS reply", of[ReaddirplusReply], reply(bb.ReadReaddirplus3res)},
	{"FSSTAT args", of[FsstatArgs], args[bb.Fsstat3args]},
	{"FSSTAT reply", of[FsstatReply], reply(bb.ReadFsstat3res)},
	{"FSINFO args", of[FsinfoArgs], args[bb.Fsinfo3args]},
	{"FSINFO reply", of[FsinfoReply], reply(bb.ReadFsinfo3res)},
	{"PATHCONF args", of[PathconfArgs], args[bb.Pathconf3args]},
	{"PATHCONF reply", of[PathconfReply], reply(bb.ReadPathconf3res)},
	{"COMMIT args", of[CommitArgs], args[bb.Commit3args]},
	{"COMMIT reply", of[CommitReply], reply(bb.ReadCommit3res)},
}

// messageFor returns the row of a procedure: 1 GETATTR … 21 COMMIT.
func messageFor(proc uint32, isReply bool) message {
	i := 2 * (proc - 1)
	if isReply {
		i++
	}
	return messages[i]
}

func TestEveryProcedureHasItsRow(t *testing.T) {
	if want := 2 * (len(Procs) - 1); len(messages) != want {
		t.Fatalf("%d rows, want %d", len(messages), want)
	}
	for n, p := range Procs {
		if p.Number != uint32(n) {
			t.Errorf("Procs[%d] is number %d", n, p.Number)
		}
		if n == 0 {
			continue
		}
		if a, r := messageFor(p.Number, false), messageFor(p.Number, true); a.name != p.Name+" args" || r.name != p.Name+" reply" {
			t.Errorf("%s has the rows %q and %q", p.Name, a.name, r.name)
		}
	}
}

// fill sets v, a pointer to one of our types, to random values that the
// protocol allows.
func fill(r *rand.Rand, v any) {
	fillValue(r, reflect.ValueOf(v).Elem())
}

func fillValue(r *rand.Rand, v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *FH:
		b := make([]byte, 1+r.IntN(FHSize))
		fillBytes(r, b)
		*p, _ = MakeFH(b)
		return
	case *Time:
		*p = Time{r.Uint32(), r.Uint32N(1e9)}
		return
	case *FileType:
		*p = FileType(1 + r.IntN(7))
		return
	case *StableHow:
		*p = StableHow(r.IntN(3))
		return
	case *CreateMode:
		*p = CreateMode(r.IntN(3))
		return
	case *TimeHow:
		*p = TimeHow(r.IntN(3))
		return
	case *Status:
		if *p = OK; r.IntN(2) == 0 {
			*p = []Status{ErrNoent, ErrJukebox, ErrBadCookie, 77}[r.IntN(4)]
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(r, v.Field(i))
		}
		if n, d := v.FieldByName("Count"), v.FieldByName("Data"); n.IsValid() && d.IsValid() {
			n.SetUint(uint64(d.Len()))
		}
	case reflect.Array:
		for i := range v.Len() {
			fillValue(r, v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(5), 5))
		for i := range v.Len() {
			fillValue(r, v.Index(i))
		}
	case reflect.String:
		b := make([]byte, r.IntN(40))
		fillBytes(r, b)
		for i := range b {
			b[i] &= 0x7f // buildbarn's strings are ASCII; ours are bytes
		}
		v.SetString(string(b))
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Uint32, reflect.Uint64, reflect.Uint8:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	default:
		panic("fill: " + v.Kind().String())
	}
}

func fillBytes(r *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}

// encode returns the wire form of v, the payload and its padding included.
func encode(t testing.TB, v xdr.Value) []byte {
	t.Helper()
	c := xdr.NewEncoder(nil)
	v.XDR(c)
	if c.Err() != nil {
		t.Fatalf("encoding %+v: %v", v, c.Err())
	}
	b := append(c.Bytes(), c.Payload()...)
	return append(b, make([]byte, -len(b)&3)...)
}

// decode reads v from msg, all of it.
func decode(msg []byte, v xdr.Value) error {
	c := xdr.NewDecoder(msg)
	v.XDR(c)
	if c.Err() == nil && c.Remaining() != 0 {
		return io.ErrNoProgress
	}
	return c.Err()
}

func seeded(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, n)) }
