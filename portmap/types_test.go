package portmap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	xdr2 "github.com/davecgh/go-xdr/xdr2"
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

func TestWireFormOfEachType(t *testing.T) {
	port, addr := word(2049), uaddr("192.0.2.7.8.1")
	noPort, noAddr := word(0), uaddr("")
	m := Mapping{Prog: 100003, Vers: 3, Prot: ProtTCP, Port: 2049}
	r := Rpcb{Prog: 100003, Vers: 3, Netid: "tcp6", Addr: "::.8.1", Owner: "superuser"}
	rw := bytes.Join([][]byte{words(100003, 3), str("tcp6"), str("::.8.1"), str("superuser")}, nil)
	for _, tt := range []struct {
		name string
		v    xdr.Value // what is encoded
		back xdr.Value // what is decoded into, of the same type
		wire []byte
	}{
		{"a mapping is four words", xdr.Reflect(&m), xdr.Reflect(new(Mapping)), words(100003, 3, 6, 2049)},
		{"a port is a word", &port, new(word), words(2049)},
		{"port 0 is a word too", &noPort, new(word), words(0)},
		{"an rpcb is two words and three strings", xdr.Reflect(&r), xdr.Reflect(new(Rpcb)), rw},
		{"a universal address is a string", &addr, new(uaddr), str("192.0.2.7.8.1")},
		{"an empty universal address is a length of 0", &noAddr, new(uaddr), words(0)},
		{"an empty list is the bool false", &mappings{}, new(mappings), words(0)},
		{"a list is linked by bools", &mappings{m, m}, new(mappings), words(1, 100003, 3, 6, 2049, 1, 100003, 3, 6, 2049, 0)},
		{"a list of rpcbs too", &rpcbs{r}, new(rpcbs), bytes.Join([][]byte{words(1), rw, words(0)}, nil)},
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

// go-xdr's reflection is an independent reading of the same declarations. It
// knows no linked lists, so the list is built of its words here.
func TestListsAgreeWithGoXdr(t *testing.T) {
	l := rpcbs{{100000, 4, "udp6", "::.0.111", "superuser"}, {100024, 1, "local", "/run/rpcbind.sock", ""}}
	var want bytes.Buffer
	for _, r := range l {
		for _, v := range []any{true, r.Prog, r.Vers, r.Netid, r.Addr, r.Owner} {
			if _, err := xdr2.Marshal(&want, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := xdr2.Marshal(&want, false); err != nil {
		t.Fatal(err)
	}
	c := xdr.NewEncoder(nil)
	if l.XDR(c); !bytes.Equal(c.Bytes(), want.Bytes()) {
		t.Errorf("got\n%x, go-xdr\n%x", c.Bytes(), want.Bytes())
	}
	var back rpcbs
	if back.XDR(xdr.NewDecoder(want.Bytes())); cmp.Diff(l, back) != "" {
		t.Error(cmp.Diff(l, back))
	}
}

func TestHostileRepliesAreErrors(t *testing.T) {
	endless := bytes.Repeat(words(1, 1, 2, 6, 3), maxEntries+1)
	for _, tt := range []struct {
		name string
		v    xdr.Value
		wire []byte
	}{
		{"a truncated port", new(word), []byte{0, 0, 8}},
		{"a list without an end", new(mappings), words(1, 100003, 3, 6, 2049)},
		{"a list cut in an entry", new(mappings), words(1, 100003, 3)},
		{"a list linked by 2", new(mappings), words(2, 100003, 3, 6, 2049, 0)},
		{"a list that does not end", new(mappings), endless},
		{"an address longer than the message", new(uaddr), words(200, 0)},
		{"an address over the limit", new(uaddr), str(strings.Repeat("1", 256))},
		{"a netid of 4 GiB", new(rpcbs), words(1, 1, 2, 0xffffffff, 0)},
		{"a netid of 2 GiB", new(rpcbs), words(1, 1, 2, 0x80000000, 0)},
		{"an owner one byte too long", new(rpcbs), words(1, 1, 2, 0, 0, 5, 0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := xdr.NewDecoder(tt.wire)
			if tt.v.XDR(d); d.Err() == nil {
				t.Errorf("decoded to %v", tt.v)
			}
		})
	}
	d := xdr.NewDecoder(endless)
	var l mappings
	l.XDR(d)
	var e *xdr.Error
	if !errors.As(d.Err(), &e) || e.Kind != xdr.TooLong {
		t.Errorf("an endless list ends in %v, want TooLong", d.Err())
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(words(1, 100003, 3, 6, 2049, 0))
	f.Add(bytes.Join([][]byte{words(1, 100003, 3), str("tcp"), str("0.0.0.0.8.1"), str("superuser"), words(0)}, nil))
	f.Add(bytes.Join([][]byte{words(1), str("192.0.2.7.8.1"), str("tcp"), words(3), str("inet"), str("tcp"), words(0)}, nil))
	f.Add(encoded(f, sampleStats()))
	f.Fuzz(func(t *testing.T, msg []byte) {
		for _, v := range []xdr.Value{new(mappings), new(rpcbs), new(word), new(uaddr), new(entries), new(Stats)} {
			d := xdr.NewDecoder(msg)
			if v.XDR(d); d.Err() != nil {
				continue
			}
			c := xdr.NewEncoder(nil)
			if v.XDR(c); c.Err() != nil {
				t.Fatalf("decoded, but not encoded again: %v", c.Err())
			}
		}
	})
}
