package nfs3

import (
	"testing"

	"github.com/gonfs/gonfs/xdr"
)

func benchHandle() FH {
	h, _ := MakeFH(make([]byte, 28))
	return h
}

// BenchmarkEncodeReadArgs must stay at or below 40 ns and 0 allocations.
func BenchmarkEncodeReadArgs(b *testing.B) {
	a := ReadArgs{File: benchHandle(), Offset: 1 << 40, Count: 1 << 20}
	buf := make([]byte, 0, 256)
	var c xdr.Codec
	b.ReportAllocs()
	for b.Loop() {
		c.ResetEncode(buf)
		a.XDR(&c)
	}
	if c.Err() != nil || len(c.Bytes()) != 4+28+8+4 {
		b.Fatal(c.Err(), len(c.Bytes()))
	}
}

// BenchmarkDecodeFattr must stay at or below 40 ns and 0 allocations.
func BenchmarkDecodeFattr(b *testing.B) {
	want := Fattr{Type: TypeReg, Mode: 0o644, Size: 1 << 33, Ctime: Time{1, 2}}
	e := xdr.NewEncoder(nil)
	want.XDR(e)
	msg := e.Bytes()
	var (
		c xdr.Codec
		a Fattr
	)
	b.ReportAllocs()
	for b.Loop() {
		c.ResetDecode(msg)
		a.XDR(&c)
	}
	if c.Err() != nil || a != want {
		b.Fatal(c.Err(), a)
	}
}

func BenchmarkDecodeReaddirplus1000(b *testing.B) {
	want := ReaddirplusReply{EOF: true}
	for i := range 1000 {
		want.Entries = append(want.Entries, EntryPlus{
			FileID: uint64(i), Name: "a name of common length", Cookie: uint64(i),
			Attr: PostOpAttr{true, Fattr{Type: TypeReg}}, FH: PostOpFH{true, benchHandle()},
		})
	}
	e := xdr.NewEncoder(nil)
	want.XDR(e)
	msg := e.Bytes()
	var (
		c xdr.Codec
		r ReaddirplusReply
	)
	b.ReportAllocs()
	for b.Loop() {
		c.ResetDecode(msg)
		r.XDR(&c)
	}
	if c.Err() != nil || len(r.Entries) != 1000 {
		b.Fatal(c.Err(), len(r.Entries))
	}
}

// One allocation each for the list, the closure and 4 KiB of names, none for
// an entry.
func TestEntriesOfALongListingAreNotAllocatedOneByOne(t *testing.T) {
	var want ReaddirplusReply
	for i := range 1000 {
		want.Entries = append(want.Entries, EntryPlus{Name: "a name of common length", Cookie: uint64(i), Attr: PostOpAttr{true, Fattr{Type: TypeReg}}})
	}
	e := xdr.NewEncoder(nil)
	want.XDR(e)
	var (
		c xdr.Codec
		r ReaddirplusReply
	)
	if n := testing.AllocsPerRun(3, func() {
		c.ResetDecode(e.Bytes())
		r.XDR(&c)
	}); n > 20 || c.Err() != nil || len(r.Entries) != 1000 || r.Entries[999] != want.Entries[999] {
		t.Errorf("%.0f allocations for %d entries, %v", n, len(r.Entries), c.Err())
	}
}
