package mountd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/buildbarn/go-xdr/pkg/protocols/mount"
	"github.com/google/go-cmp/cmp"

	"github.com/gonfs/gonfs/xdr"
)

// words are big-endian 32-bit words.
func words(w ...uint32) []byte {
	var b []byte
	for _, v := range w {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// str is an XDR string.
func str(s string) []byte {
	b := append(words(uint32(len(s))), s...)
	return append(b, make([]byte, -len(s)&3)...)
}

func cat(b ...[]byte) []byte { return bytes.Join(b, nil) }

func encode(t *testing.T, v xdr.Value) []byte {
	t.Helper()
	c := xdr.NewEncoder(nil)
	if v.XDR(c); c.Err() != nil {
		t.Fatal(c.Err())
	}
	return c.Bytes()
}

func TestWireFormOfEachType(t *testing.T) {
	path := dirpath("/export")
	fh64 := strings.Repeat("h", 64)
	for _, tt := range []struct {
		name string
		v    xdr.Value // what is encoded
		back xdr.Value // what is decoded into, of the same type
		wire []byte
	}{
		{"a path is a string", &path, new(dirpath), str("/export")},
		{"a refusal is its status alone", &MntReply{Status: ErrAcces}, new(MntReply), words(13)},
		{"a handle with its flavours", &MntReply{FH: []byte("abcde"), Flavors: []uint32{1, 0}}, new(MntReply), cat(words(0), str("abcde"), words(2, 1, 0))},
		{"a handle of 64 bytes", &MntReply{FH: []byte(fh64), Flavors: []uint32{390003}}, new(MntReply), cat(words(0), str(fh64), words(1, 390003))},
		{"a handle without flavours", &MntReply{FH: []byte("h")}, new(MntReply), cat(words(0), str("h"), words(0))},
		{"an empty list of mounts", &mounts{}, new(mounts), words(0)},
		{"two mounts", &mounts{{"a", "/x"}, {"b", "/y"}}, new(mounts), cat(words(1), str("a"), str("/x"), words(1), str("b"), str("/y"), words(0))},
		{"an export for all", &exports{{Dir: "/e"}}, new(exports), cat(words(1), str("/e"), words(0), words(0))},
		{"an export for two groups", &exports{{"/e", []string{"10.0.0.0/8", "@g"}}}, new(exports),
			cat(words(1), str("/e"), words(1), str("10.0.0.0/8"), words(1), str("@g"), words(0), words(0))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := encode(t, tt.v); !bytes.Equal(got, tt.wire) {
				t.Fatalf("encoded as\n%x, want\n%x", got, tt.wire)
			}
			d := xdr.NewDecoder(tt.wire)
			if tt.back.XDR(d); d.Err() != nil || d.Remaining() != 0 {
				t.Fatalf("decoding: %v, %d bytes left", d.Err(), d.Remaining())
			}
			if got := encode(t, tt.back); !bytes.Equal(got, tt.wire) {
				t.Errorf("after decoding encoded as\n%x, want\n%x", got, tt.wire)
			}
		})
	}
}

// buildbarn's types are generated from the RFC's declarations: an independent
// reading, which must agree in both directions.
func TestBuildbarnReadsTheSame(t *testing.T) {
	var b bytes.Buffer
	check := func(name string, want []byte, err error) {
		t.Helper()
		if err != nil || !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s: ours is\n%x, buildbarn's\n%x (%v)", name, want, b.Bytes(), err)
		}
		b.Reset()
	}
	p := dirpath("/some/where")
	_, err := mount.WriteDirpath(&b, string(p))
	check("dirpath", encode(t, &p), err)

	ok := &MntReply{FH: []byte("a handle of 22 bytes.."), Flavors: []uint32{390005, 1}}
	_, err = (&mount.Mountres3_MNT3_OK{Mountinfo: mount.Mountres3Ok{Fhandle: ok.FH, AuthFlavors: []int32{390005, 1}}}).WriteTo(&b)
	check("mountres3", encode(t, ok), err)
	no := &MntReply{Status: ErrNametoolong}
	_, err = (&mount.Mountres3_default{FhsStatus: mount.MNT3ERR_NAMETOOLONG}).WriteTo(&b)
	check("mountres3, refused", encode(t, no), err)

	m := mounts{{"h1", "/a"}, {"h22", "/bb"}}
	_, err = mount.WriteMountlist(&b, &mount.Mountbody{MlHostname: "h1", MlDirectory: "/a", MlNext: &mount.Mountbody{MlHostname: "h22", MlDirectory: "/bb"}})
	check("mountlist", encode(t, &m), err)

	e := exports{{"/a", []string{"g", "gg"}}, {"/b", nil}}
	_, err = mount.WriteExports(&b, &mount.Exportnode{ExDir: "/a",
		ExGroups: &mount.Groupnode{GrName: "g", GrNext: &mount.Groupnode{GrName: "gg"}},
		ExNext:   &mount.Exportnode{ExDir: "/b"}})
	check("exports", encode(t, &e), err)

	r, _, err := mount.ReadMountres3(bytes.NewReader(encode(t, ok)))
	if got, is := r.(*mount.Mountres3_MNT3_OK); err != nil || !is || !bytes.Equal(got.Mountinfo.Fhandle, ok.FH) || got.Mountinfo.AuthFlavors[0] != 390005 {
		t.Errorf("buildbarn reads our mountres3 as %v, %v", r, err)
	}
}

func TestHostileRepliesAreErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    xdr.Value
		wire []byte
		want error // nil: any
	}{
		{"a handle of 0 bytes", new(MntReply), words(0, 0, 1, 1), ErrBadHandle},
		{"a handle of 65 bytes", new(MntReply), cat(words(0), str(strings.Repeat("h", 65)), words(1, 1)), nil},
		{"a handle of 2^31 bytes", new(MntReply), words(0, 0x80000000, 1, 1), nil},
		{"a handle cut short", new(MntReply), words(0, 32, 1, 1), nil},
		{"a handle without a list of flavours", new(MntReply), cat(words(0), str("h")), nil},
		{"2^32-1 flavours", new(MntReply), cat(words(0), str("h"), words(0xffffffff, 1)), nil},
		{"2^30 flavours", new(MntReply), cat(words(0), str("h"), words(0x40000000)), nil},
		{"one flavour too few", new(MntReply), cat(words(0), str("h"), words(3, 1, 1)), nil},
		{"an empty reply", new(MntReply), nil, nil},
		{"a host name over 255 bytes", new(mounts), cat(words(1), str(strings.Repeat("n", 256)), str("/"), words(0)), nil},
		{"a path over 1024 bytes", new(mounts), cat(words(1), str("h"), str(strings.Repeat("p", 1025)), words(0)), nil},
		{"a list of mounts without an end", new(mounts), cat(words(1), str("h"), str("/")), nil},
		{"a list of mounts that does not end", new(mounts), bytes.Repeat(words(1, 0, 0), maxEntries+1), nil},
		{"a list of exports that does not end", new(exports), bytes.Repeat(words(1, 0, 0), maxEntries+1), nil},
		{"a list of groups that does not end", new(exports), cat(words(1, 0), bytes.Repeat(words(1, 0), maxEntries+1)), nil},
		{"a group over 255 bytes", new(exports), cat(words(1), str("/"), words(1), str(strings.Repeat("g", 256)), words(0, 0)), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := xdr.NewDecoder(tt.wire)
			tt.v.XDR(d)
			if d.Err() == nil || tt.want != nil && !errors.Is(d.Err(), tt.want) {
				t.Errorf("got %v, want an error %v", d.Err(), tt.want)
			}
		})
	}
}

func TestTheCountOfFlavoursIsCheckedBeforeTheyAreRead(t *testing.T) {
	d := xdr.NewDecoder(cat(words(0), str("h"), words(0xffffffff, 1)))
	new(MntReply).XDR(d)
	var e *xdr.Error
	if !errors.As(d.Err(), &e) || e.Kind != xdr.Short || e.Length != 0xffffffff || e.Limit != 4 {
		t.Errorf("got %v: 2^32 words were read one by one", d.Err())
	}
}

func TestALongListOfFlavoursIsCutNotRefused(t *testing.T) {
	n := uint32(10000)
	wire := cat(words(0), str("h"), words(n))
	for i := range n {
		wire = append(wire, words(i)...)
	}
	d := xdr.NewDecoder(wire)
	var r MntReply
	if r.XDR(d); d.Err() != nil || d.Remaining() != 0 {
		t.Fatalf("%v, %d bytes left", d.Err(), d.Remaining())
	}
	if diff := cmp.Diff([]uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, r.Flavors); diff != "" {
		t.Error(diff)
	}
	if cap(r.Flavors) > 64 {
		t.Errorf("room for %d flavours was made", cap(r.Flavors))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(cat(words(0), str("handle"), words(2, 1, 0)))
	f.Add(words(13))
	f.Add(cat(words(1), str("h"), str("/x"), words(0)))
	f.Add(cat(words(1), str("/e"), words(1), str("*"), words(0), words(0)))
	f.Fuzz(func(t *testing.T, msg []byte) {
		for _, v := range []xdr.Value{new(MntReply), new(mounts), new(exports), new(dirpath)} {
			d := xdr.NewDecoder(msg)
			if v.XDR(d); d.Err() != nil {
				continue
			}
			if r, ok := v.(*MntReply); ok && r.Status == OK && (len(r.FH) < 1 || len(r.FH) > FHSize || len(r.Flavors) > MaxFlavors) {
				t.Fatalf("handle of %d bytes, %d flavours", len(r.FH), len(r.Flavors))
			}
			c := xdr.NewEncoder(nil)
			if v.XDR(c); c.Err() != nil {
				t.Fatalf("decoded, but not encoded again: %v", c.Err())
			}
		}
	})
}
