package nfsacl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gonfs/gonfs/nfs3"
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

func cat(b ...[]byte) []byte { return bytes.Join(b, nil) }

func encode(t testing.TB, v xdr.Value) []byte {
	t.Helper()
	c := xdr.NewEncoder(nil)
	if v.XDR(c); c.Err() != nil {
		t.Fatal(c.Err())
	}
	return c.Bytes()
}

func fh(t testing.TB, b ...byte) nfs3.FH {
	t.Helper()
	h, err := nfs3.MakeFH(b)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var (
	plain = ACL{{UserObj, 0, 6}, {GroupObj, 0, 4}, {Other, 0, 0}}
	full  = ACL{{UserObj, 0, 7}, {User, 1001, 6}, {GroupObj, 0, 5}, {Group, 50, 4}, {Mask, 0, 7}, {Other, 0, 1}}
)

// The bytes are those that Linux's fs/nfs_common/nfsacl.c writes.
func TestWireFormOfEachType(t *testing.T) {
	fullWire := words(6, 6, 1, 0, 7, 2, 1001, 6, 4, 0, 5, 8, 50, 4, 0x10, 0, 7, 0x20, 0, 1)
	plainWire := words(4, 4, 1, 0, 6, 4, 0, 4, 0x10, 0, 4, 0x20, 0, 0)
	defaultWire := words(4, 4, 0x1001, 0, 6, 0x1004, 0, 4, 0x1010, 0, 4, 0x1020, 0, 0)
	none := words(0, 0)
	for _, tt := range []struct {
		name string
		v    xdr.Value // what is encoded
		back xdr.Value // what is decoded into, of the same type
		wire []byte
	}{
		{"GETACL names an object and parts", &GetaclArgs{fh(t, 1, 2, 3, 4), MaskAll}, new(GetaclArgs), words(4, 0x01020304, 15)},
		{"a refusal has attributes at most", &GetaclReply{Status: nfs3.ErrStale}, new(GetaclReply), words(70, 0)},
		{"no lists", &GetaclReply{Lists: Lists{Mask: MaskAll}}, new(GetaclReply), cat(words(0, 0, 15), none, none)},
		{"a list with all tags", &GetaclReply{Lists: Lists{Mask: MaskACL, Count: 6, Access: full}}, new(GetaclReply), cat(words(0, 0, 1), fullWire, none)},
		{"three entries get a mask", &SetaclArgs{fh(t, 9, 9, 9, 9), Lists{Mask: MaskACL, Count: 4, Access: plain}}, new(SetaclArgs),
			cat(words(4, 0x09090909, 1), plainWire, none)},
		{"tags of default lists are marked", &SetaclArgs{fh(t, 9, 9, 9, 9), Lists{Mask: MaskACL | MaskDefault, Count: 6, DefaultCount: 4, Access: full, Default: plain}},
			new(SetaclArgs), cat(words(4, 0x09090909, 5), fullWire, defaultWire)},
		{"an outcome without attributes", &SetaclReply{}, new(SetaclReply), words(0, 0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := encode(t, tt.v); !bytes.Equal(got, tt.wire) {
				t.Fatalf("encoded as\n%x, want\n%x", got, tt.wire)
			}
			d := xdr.NewDecoder(tt.wire)
			if tt.back.XDR(d); d.Err() != nil || d.Remaining() != 0 {
				t.Fatalf("decoding: %v, %d bytes left", d.Err(), d.Remaining())
			}
			if diff := cmp.Diff(tt.v, tt.back, cmp.AllowUnexported(nfs3.FH{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLibertiesOfServersAreUndone(t *testing.T) {
	for _, tt := range []struct {
		name string
		wire []byte
		want Lists
	}{
		{"entries in any order", words(1, 4, 4, 0x20, 9, 0, 0x10, 9, 4, 1, 0, 6, 4, 3, 4, 0, 0), Lists{Mask: 1, Count: 4, Access: plain}},
		{"a mask with more bits than there are", words(1, 4, 4, 1, 0, 6, 4, 0, 4, 0x10, 0, 0xfffffffc, 0x20, 0, 0, 0, 0), Lists{Mask: 1, Count: 4, Access: plain}},
		{"a mask that says something", words(1, 4, 4, 1, 0, 6, 4, 0, 4, 0x10, 0, 2, 0x20, 0, 0, 0, 0),
			Lists{Mask: 1, Count: 4, Access: ACL{{UserObj, 0, 6}, {GroupObj, 0, 4}, {Mask, 0, 2}, {Other, 0, 0}}}},
		{"a default list whose tags have no mark", words(4, 0, 0, 3, 3, 1, 0, 6, 4, 0, 4, 0x20, 0, 0), Lists{Mask: 4, DefaultCount: 3, Default: plain}},
		{"ids of the owner and the group", words(1, 3, 3, 1, 1000, 6, 4, 50, 4, 0x20, 0, 0, 0, 0), Lists{Mask: 1, Count: 3, Access: plain}},
		{"a count without entries", words(2, 6, 0, 0, 0), Lists{Mask: 2, Count: 6}},
		{"a count that is too small", words(1, 0, 3, 1, 0, 6, 4, 0, 4, 0x20, 0, 0, 0, 0), Lists{Mask: 1, Count: 3, Access: plain}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l Lists
			d := xdr.NewDecoder(tt.wire)
			if l.XDR(d); d.Err() != nil || d.Remaining() != 0 {
				t.Fatalf("%v, %d bytes left", d.Err(), d.Remaining())
			}
			if diff := cmp.Diff(tt.want, l); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHostileListsAreErrors(t *testing.T) {
	long := words(1, 1025, 1025)
	for range 1025 {
		long = append(long, words(2, 1, 7)...)
	}
	for _, tt := range []struct {
		name string
		wire []byte
		want any // the kind of error
	}{
		{"1025 entries", append(long, words(0, 0)...), new(*xdr.Error)},
		{"a count of 1025", words(2, 1025, 0, 0, 0), new(*xdr.Error)},
		{"2^32-1 entries", words(1, 4, 0xffffffff, 1, 0, 7), new(*xdr.Error)},
		{"1024 entries that are not there", words(1, 1024, 1024, 1, 0, 7), new(*xdr.Error)},
		{"an entry cut short", words(1, 1, 1, 1, 0), new(*xdr.Error)},
		{"no default list", words(1, 0, 0), new(*xdr.Error)},
		{"a tag of 3", words(1, 1, 1, 3, 0, 7, 0, 0), new(*ValueError)},
		{"a tag of 0x1000", words(1, 1, 1, 0x1000, 0, 7, 0, 0), new(*ValueError)},
		{"permissions of 8", words(1, 1, 1, 2, 0, 8, 0, 0), new(*ValueError)},
		{"nothing", nil, new(*xdr.Error)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l Lists
			d := xdr.NewDecoder(tt.wire)
			if l.XDR(d); d.Err() == nil || !errors.As(d.Err(), tt.want) {
				t.Errorf("got %v, want a %T", d.Err(), tt.want)
			}
		})
	}
	if c := xdr.NewEncoder(nil); true {
		l := Lists{Mask: MaskACL, Access: make(ACL, 1025)}
		if l.XDR(c); c.Err() == nil {
			t.Error("a list of 1025 entries was encoded")
		}
	}
}

func TestEncodingDoesNotTouchTheLists(t *testing.T) {
	l := Lists{Mask: MaskACL, Access: ACL{{Other, 0, 0}, {GroupObj, 7, 4}, {UserObj, 7, 6}}}
	before := append(ACL(nil), l.Access...)
	encode(t, &l)
	if !reflect.DeepEqual(before, l.Access) || l.Count != 0 {
		t.Errorf("%v became %v, count %d", before, l.Access, l.Count)
	}
}

// FuzzLists decodes what the fuzzer makes as each of the types that have lists.
// What is accepted must encode to something that decodes to the same value.
func FuzzLists(f *testing.F) {
	f.Add(encode(f, &GetaclReply{Lists: Lists{Mask: MaskAll, Access: full, Default: plain}}))
	f.Add(encode(f, &SetaclArgs{Lists: Lists{Mask: MaskACL | MaskDefault, Access: plain, Default: full}}))
	f.Add(words(0, 0, 2, 6, 0, 0, 0))
	f.Add(words(70, 0))
	f.Fuzz(func(t *testing.T, msg []byte) {
		for _, v := range []xdr.Value{new(GetaclReply), new(SetaclArgs)} {
			d := xdr.NewDecoder(msg)
			if v.XDR(d); d.Err() != nil {
				continue
			}
			var lists *Lists
			switch m := v.(type) {
			case *GetaclReply:
				lists = &m.Lists
			case *SetaclArgs:
				lists = &m.Lists
			}
			if len(lists.Access) > MaxEntries || len(lists.Default) > MaxEntries {
				t.Fatalf("%d and %d entries", len(lists.Access), len(lists.Default))
			}
			_, _ = lists.Access.Valid(), lists.Access.Mode(0)
			lists.Mask |= MaskACL | MaskDefault // lists that were not asked for are not encoded
			b := encode(t, v)
			w := reflect.New(reflect.TypeOf(v).Elem()).Interface().(xdr.Value)
			d = xdr.NewDecoder(b)
			if w.XDR(d); d.Err() != nil || d.Remaining() != 0 {
				t.Fatalf("our own bytes %x: %v", b, d.Err())
			}
			if again := encode(t, w); !bytes.Equal(b, again) {
				t.Fatalf("%x became %x", b, again)
			}
		}
	})
}
