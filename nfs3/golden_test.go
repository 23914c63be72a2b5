package nfs3

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/gonfs/gonfs/xdr"
)

// wire turns pieces of hexadecimal, one a field, into bytes.
func wire(t testing.TB, pieces ...string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(pieces, ""), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustFH(t testing.TB, b string) FH {
	t.Helper()
	h, err := MakeFH([]byte(b))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// goldenAttr is an fattr3, field by field.
var (
	goldenAttr = Fattr{
		Type: TypeReg, Mode: 0o4755, Nlink: 2, UID: 1000, GID: 100, Size: 1<<32 + 5, Used: 8192,
		Rdev: Specdata{8, 1}, FSID: 0xfd01, FileID: 0x123456789abcdef0,
		Atime: Time{1, 2}, Mtime: Time{3, 999999999}, Ctime: Time{0xffffffff, 0},
	}
	goldenAttrWire = []string{
		"00000001", "000009ed", "00000002", "000003e8", "00000064", "0000000100000005", "0000000000002000",
		"00000008 00000001", "000000000000fd01", "123456789abcdef0",
		"00000001 00000002", "00000003 3b9ac9ff", "ffffffff 00000000",
	}
)

func TestMessagesAreTheseBytes(t *testing.T) {
	attr := strings.Join(goldenAttrWire, "")
	for _, tc := range []struct {
		name string
		v    xdr.Value
		wire []string
	}{
		{"fattr3", &goldenAttr, goldenAttrWire},
		{"READ arguments with a handle of five bytes, padded to eight",
			&ReadArgs{File: mustFH(t, "abcde"), Offset: 1 << 33, Count: 4096},
			[]string{"00000005 6162636465 000000", "0000000200000000", "00001000"}},
		{"a READ reply with attributes, the end of the file and five bytes",
			&ReadReply{Attr: PostOpAttr{true, goldenAttr}, Count: 5, EOF: true, Data: []byte("hello")},
			[]string{"00000000", "00000001", attr, "00000005", "00000001", "00000005 68656c6c6f 000000"}},
		{"a READ reply of an error without attributes",
			&ReadReply{Status: ErrStale}, []string{"00000046", "00000000"}},
		{"an EXCLUSIVE CREATE, which has a verifier in place of attributes",
			&CreateArgs{DirOpArgs{mustFH(t, "D"), "name"}, CreateHow{Mode: Exclusive, Verf: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}}},
			[]string{"00000001 44000000", "00000004 6e616d65", "00000002", "0102030405060708"}},
		{"SETATTR of mode, size and both kinds of time, guarded",
			&SetattrArgs{
				Object: mustFH(t, "F"),
				Attr: Sattr{
					Mode: SetUint32{true, 0o644}, Size: SetUint64{true, 10},
					Atime: SetTime{How: SetToServerTime}, Mtime: SetTime{SetToClientTime, Time{7, 8}},
				},
				Guard: SattrGuard{true, Time{9, 10}},
			},
			[]string{"00000001 46000000", "00000001 000001a4", "00000000", "00000000", "00000001 000000000000000a",
				"00000001", "00000002 00000007 00000008", "00000001 00000009 0000000a"}},
		{"wcc data with both sides",
			&WccData{PreOpAttr{true, WccAttr{1, Time{2, 3}, Time{4, 5}}}, PostOpAttr{true, goldenAttr}},
			[]string{"00000001", "0000000000000001", "00000002 00000003", "00000004 00000005", "00000001", attr}},
		{"a READDIR reply of two entries, not the last",
			&ReaddirReply{Verf: [8]byte{8, 7, 6, 5, 4, 3, 2, 1}, Entries: []Entry{{5, "a", 1}, {6, "bc", 1 << 63}}},
			[]string{"00000000", "00000000", "0807060504030201",
				"00000001", "0000000000000005", "00000001 61000000", "0000000000000001",
				"00000001", "0000000000000006", "00000002 62630000", "8000000000000000",
				"00000000", "00000000"}},
		{"a READDIRPLUS reply of one entry with a handle and without attributes, the last",
			&ReaddirplusReply{Entries: []EntryPlus{{FileID: 5, Name: "a", Cookie: 1, FH: PostOpFH{true, mustFH(t, "H")}}}, EOF: true},
			[]string{"00000000", "00000000", "0000000000000000",
				"00000001", "0000000000000005", "00000001 61000000", "0000000000000001", "00000000", "00000001 00000001 48000000",
				"00000000", "00000001"}},
		{"MKNOD of a character device",
			&MknodArgs{DirOpArgs{mustFH(t, "D"), "null"}, MknodData{Type: TypeChr, Spec: Specdata{1, 3}}},
			[]string{"00000001 44000000", "00000004 6e756c6c", "00000004", strings.Repeat("00000000", 6), "00000001 00000003"}},
		{"WRITE",
			&WriteArgs{File: mustFH(t, "F"), Offset: 3, Count: 2, Stable: FileSync, Data: []byte("hi")},
			[]string{"00000001 46000000", "0000000000000003", "00000002", "00000002", "00000002 68690000"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := wire(t, tc.wire...)
			if got := encode(t, tc.v); !bytes.Equal(got, want) {
				t.Errorf("encoded\n%x, want\n%x", got, want)
			}
			back := reflect.New(reflect.TypeOf(tc.v).Elem()).Interface().(xdr.Value)
			if err := decode(want, back); err != nil || !reflect.DeepEqual(back, tc.v) {
				t.Errorf("decoded %+v, %v; want %+v", back, err, tc.v)
			}
		})
	}
}

func TestNamesAreBytesNotText(t *testing.T) {
	want := DirOpArgs{Name: "caf\xe9/\x00\xff"}
	var got DirOpArgs
	if err := decode(encode(t, &want), &got); err != nil || got != want {
		t.Fatalf("%q, %v", got.Name, err)
	}
}
