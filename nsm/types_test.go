package nsm

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	xdr2 "github.com/davecgh/go-xdr/xdr2"

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

var (
	me     = MyID{Name: "client", Prog: 100021, Vers: 4, Proc: 16}
	cookie = [PrivSize]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	meWire = cat(str("client"), words(100021, 4, 16))
)

func TestWireFormOfEachType(t *testing.T) {
	n, s, minus := name("server"), state(7), state(-1)
	for _, tt := range []struct {
		name string
		v    xdr.Value // what is encoded
		back xdr.Value // what is decoded into, of the same type
		wire []byte
	}{
		{"a name is a string", &n, new(name), str("server")},
		{"a state is a word", &s, new(state), words(7)},
		{"a state may be negative", &minus, new(state), words(0xffffffff)},
		{"a result is two words", &StatRes{Fail, 3}, new(StatRes), words(1, 3)},
		{"my_id is a string and three words", &me, new(MyID), meWire},
		{"mon_id is a name and my_id", &MonID{"server", me}, new(MonID), cat(str("server"), meWire)},
		{"mon ends in 16 bytes", &Mon{MonID{"server", me}, cookie}, new(Mon), cat(str("server"), meWire, cookie[:])},
		{"stat_chge is a name and a state", &StatChge{"server", 5}, new(StatChge), cat(str("server"), words(5))},
		{"status ends in 16 bytes", &Status{"server", 5, cookie}, new(Status), cat(str("server"), words(5), cookie[:])},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := xdr.NewEncoder(nil)
			if tt.v.XDR(c); c.Err() != nil {
				t.Fatal(c.Err())
			}
			if !bytes.Equal(c.Bytes(), tt.wire) {
				t.Fatalf("encoded as\n%x, want\n%x", c.Bytes(), tt.wire)
			}
			d := xdr.NewDecoder(tt.wire)
			if tt.back.XDR(d); d.Err() != nil || d.Remaining() != 0 {
				t.Fatalf("decoding: %v, %d bytes left", d.Err(), d.Remaining())
			}
			again := xdr.NewEncoder(nil)
			if tt.back.XDR(again); !bytes.Equal(again.Bytes(), tt.wire) {
				t.Errorf("after decoding encoded as\n%x, want\n%x", again.Bytes(), tt.wire)
			}
		})
	}
}

// go-xdr's reflection is an independent reading of the same declarations.
func TestTypesAgreeWithGoXdr(t *testing.T) {
	for _, v := range []xdr.Value{&StatRes{Succ, 9}, &Mon{MonID{"s", me}, cookie}, &StatChge{"s", -5}, &Status{"", 1 << 30, cookie}} {
		var want bytes.Buffer
		if _, err := xdr2.Marshal(&want, v); err != nil {
			t.Fatal(err)
		}
		c := xdr.NewEncoder(nil)
		if v.XDR(c); !bytes.Equal(c.Bytes(), want.Bytes()) {
			t.Errorf("%T: got\n%x, go-xdr\n%x", v, c.Bytes(), want.Bytes())
		}
	}
}

func TestHostileMessagesAreErrors(t *testing.T) {
	long := str(strings.Repeat("n", MaxName+1))
	for _, tt := range []struct {
		name string
		v    xdr.Value
		wire []byte
	}{
		{"a name over the limit", new(name), long},
		{"a name of 4 GiB", new(StatChge), words(0xffffffff, 0)},
		{"a name longer than the message", new(StatChge), words(200, 0)},
		{"a notice without a state", new(StatChge), str("server")},
		{"a callback with 12 bytes", new(Status), cat(str("server"), words(5), cookie[:12])},
		{"my_name over the limit", new(Mon), cat(str("server"), long)},
		{"a result cut short", new(StatRes), words(0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := xdr.NewDecoder(tt.wire)
			if tt.v.XDR(d); d.Err() == nil {
				t.Errorf("decoded to %v", tt.v)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(cat(str("server"), meWire, cookie[:]))
	f.Add(cat(str("server"), words(5), cookie[:]))
	f.Add(words(0, 7))
	f.Fuzz(func(t *testing.T, msg []byte) {
		for _, v := range []xdr.Value{new(name), new(state), new(StatRes), new(Mon), new(StatChge), new(Status)} {
			d := xdr.NewDecoder(msg)
			if v.XDR(d); d.Err() != nil {
				continue
			}
			c := xdr.NewEncoder(nil)
			if v.XDR(c); c.Err() != nil {
				t.Fatalf("%T decoded, but not encoded again: %v", v, c.Err())
			}
		}
	})
}
