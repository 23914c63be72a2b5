package nfs3

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	bb "github.com/buildbarn/go-xdr/pkg/protocols/nfsv3"

	"github.com/gonfs/gonfs/xdr"
)

// Each type, filled at random, must survive encoding and decoding, and the
// generated types of buildbarn/go-xdr must read our bytes, find the same
// values under the same names, and write the same bytes.
func TestEveryTypeAgreesWithBuildbarnsReadingOfTheRFC(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, m := range messages {
		t.Run(m.name, func(t *testing.T) {
			for range 300 {
				v := m.new()
				fill(r, v)
				msg := encode(t, v)

				ours := m.new()
				if err := decode(msg, ours); err != nil {
					t.Fatalf("decoding %x: %v", msg, err)
				}
				if again := encode(t, ours); !bytes.Equal(again, msg) {
					t.Fatalf("encoded   %x\nand again %x", msg, again)
				}

				theirs, n, err := m.read(bytes.NewReader(msg))
				if err != nil || n != int64(len(msg)) {
					t.Fatalf("buildbarn read %d of %d bytes of %x: %v", n, len(msg), msg, err)
				}
				var b bytes.Buffer
				if _, err := theirs.WriteTo(&b); err != nil || !bytes.Equal(b.Bytes(), msg) {
					t.Fatalf("buildbarn wrote %x\nours was        %x, %v", b.Bytes(), msg, err)
				}
				if a, b := leaves(ours), leaves(theirs); !reflect.DeepEqual(a, b) {
					t.Fatalf("ours   %v\ntheirs %v", a, b)
				}
			}
		})
	}
}

// Types without a union must also agree with davecgh/go-xdr, which knows
// nothing but the Go declaration.
func TestPlainTypesAgreeWithReflectionOverTheirDeclaration(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, v := range []xdr.Value{new(Fattr), new(WccAttr), new(Specdata), new(Time)} {
		for range 100 {
			fill(r, v)
			if a, b := encode(t, v), encode(t, xdr.Reflect(v)); !bytes.Equal(a, b) {
				t.Fatalf("%T: method %x, reflection %x", v, a, b)
			}
			w := reflect.New(reflect.TypeOf(v).Elem()).Interface()
			if err := decode(encode(t, xdr.Reflect(v)), w.(xdr.Value)); err != nil || !reflect.DeepEqual(v, w) {
				t.Fatalf("%T: %+v became %+v, %v", v, v, w, err)
			}
		}
	}
}

// leaves lists the values that a decoded message holds, in the order of the
// wire, each with its name. Discriminants and what only wraps are left out, so
// that our flat structs and the generated unions can be compared.
func leaves(v any) []string {
	var out []string
	walk(reflect.ValueOf(v), "", "", &out)
	return out
}

func walk(v reflect.Value, parent, name string, out *[]string) {
	add := func(s string) { *out = append(*out, parent+"."+name+"="+s) }
	switch p := v.Interface().(type) {
	case FH:
		add(p.String())
		return
	case bb.NfsFh3:
		add(hex.EncodeToString(p.Data))
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), parent, name, out)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i).Name
			if absent(v, f) {
				continue
			}
			switch f = canonical(v.Type().Name(), f); f {
			case "-":
			case "":
				walk(v.Field(i), parent, name, out)
			default:
				walk(v.Field(i), name, f, out)
			}
		}
	case reflect.Array:
		add(fmt.Sprintf("%x", v.Interface()))
	case reflect.Slice:
		if b, ok := v.Interface().([]byte); ok {
			add(hex.EncodeToString(b))
			return
		}
		for i := range v.Len() {
			walk(v.Index(i), parent, name, out)
		}
	case reflect.String:
		add(fmt.Sprintf("%q", v.String()))
	case reflect.Uint32, reflect.Uint64:
		add(fmt.Sprint(v.Uint()))
	case reflect.Int32:
		add(fmt.Sprint(uint32(v.Int())))
	default:
		add(fmt.Sprint(v.Interface()))
	}
}

// absent reports whether field f of our struct v is in an arm that was not
// chosen.
func absent(v reflect.Value, f string) bool {
	on := func(field string) bool {
		x := v.FieldByName(field)
		return x.IsValid() && x.Kind() == reflect.Bool && !x.Bool()
	}
	if v.NumField() == 2 && (on("Present") || on("Set") || on("Check")) {
		return true
	}
	if s := v.FieldByName("Status"); s.IsValid() && s.Kind() == reflect.Uint32 && s.Uint() != uint64(OK) {
		switch v.FieldByName(f).Interface().(type) {
		case WccData:
			return false
		case PostOpAttr: // LOOKUP, CREATE and its kin have the object's only on success
			return f == "Attr" && v.FieldByName("Object").IsValid()
		}
		return true
	}
	switch p := v.Interface().(type) {
	case SetTime:
		return p.How != SetToClientTime
	case CreateHow:
		return (f == "Verf") != (p.Mode == Exclusive)
	case MknodData:
		device := p.Type == TypeBlk || p.Type == TypeChr
		return f == "Spec" && !device || f == "Attr" && !device && p.Type != TypeSock && p.Type != TypeFifo
	}
	return false
}

// canonical returns the common name of a field; "" for a wrapper, "-" for a
// discriminant.
func canonical(typ, f string) string {
	switch {
	case f == "Status" || f == "Present" || f == "Set" || f == "SetIt" || f == "How" && typ == "SetTime" ||
		f == "Check" || f == "Mode" && typ == "CreateHow" || f == "Type" && strings.HasPrefix(strings.ToLower(typ), "mknod"):
		return "-"
	case f == "DirAttributes", f == "DirAttr":
		return "dir"
	case strings.HasSuffix(f, "Attributes"), f == "Attr":
		return ""
	case strings.HasPrefix(typ, "Set") && strings.HasSuffix(typ, "_TRUE"):
		return ""
	case typ == "Readlink3resok" && f == "Data", f == "SymlinkData":
		return "target"
	}
	if c, ok := aliases[f]; ok {
		return c
	}
	return strings.ToLower(f)
}

var aliases = map[string]string{
	"Resok": "", "Resfail": "", "Reply": "", "Entries": "", "Nextentry": "", "Device": "", "Value": "",
	"Handle": "", "FH": "", "Time": "", "How": "", "Symlink": "", "What": "", "Where": "",
	"ObjWcc": "wcc", "FileWcc": "wcc", "FromdirWcc": "fromwcc", "TodirWcc": "towcc", "LinkdirWcc": "linkwcc",
	"Obj": "object", "NameHandle": "", "ObjCtime": "ctime", "Cookieverf": "verf",
	"Specdata1": "major", "Specdata2": "minor", "Seconds": "sec", "Nseconds": "nsec", "Fsroot": "root",
}

// The numbers of the protocol must be those of the RFC's .x file.
func TestConstantsAgreeWithBuildbarn(t *testing.T) {
	for name, pair := range map[string][2]uint32{
		"program": {Program, bb.NFS_PROGRAM_PROGRAM_NUMBER}, "fhsize": {FHSize, bb.NFS3_FHSIZE},
		"reg": {uint32(TypeReg), uint32(bb.NF3REG)}, "dir": {uint32(TypeDir), uint32(bb.NF3DIR)},
		"blk": {uint32(TypeBlk), uint32(bb.NF3BLK)}, "chr": {uint32(TypeChr), uint32(bb.NF3CHR)},
		"lnk": {uint32(TypeLnk), uint32(bb.NF3LNK)}, "sock": {uint32(TypeSock), uint32(bb.NF3SOCK)},
		"fifo":     {uint32(TypeFifo), uint32(bb.NF3FIFO)},
		"unstable": {uint32(Unstable), uint32(bb.UNSTABLE)}, "data": {uint32(DataSync), uint32(bb.DATA_SYNC)},
		"file":      {uint32(FileSync), uint32(bb.FILE_SYNC)},
		"unchecked": {uint32(Unchecked), uint32(bb.UNCHECKED)}, "guarded": {uint32(Guarded), uint32(bb.GUARDED)},
		"exclusive": {uint32(Exclusive), uint32(bb.EXCLUSIVE)},
		"dont":      {uint32(DontChange), uint32(bb.DONT_CHANGE)}, "server": {uint32(SetToServerTime), uint32(bb.SET_TO_SERVER_TIME)},
		"client": {uint32(SetToClientTime), uint32(bb.SET_TO_CLIENT_TIME)},
		"read":   {AccessRead, bb.ACCESS3_READ}, "lookup": {AccessLookup, bb.ACCESS3_LOOKUP},
		"modify": {AccessModify, bb.ACCESS3_MODIFY}, "extend": {AccessExtend, bb.ACCESS3_EXTEND},
		"delete": {AccessDelete, bb.ACCESS3_DELETE}, "execute": {AccessExecute, bb.ACCESS3_EXECUTE},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %d, want %d", name, pair[0], pair[1])
		}
	}
	for s := range statuses {
		if want := s.String(); bb.Nfsstat3_name[bb.Nfsstat3(s)] != want {
			t.Errorf("status %d is %s, want %s", uint32(s), want, bb.Nfsstat3_name[bb.Nfsstat3(s)])
		}
	}
	if len(statuses) != len(bb.Nfsstat3_name) {
		t.Errorf("%d statuses, want %d", len(statuses), len(bb.Nfsstat3_name))
	}
}
