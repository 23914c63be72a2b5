package xdr_test

import (
	"bytes"
	"testing"

	"github.com/gonfs/gonfs/xdr"
)

// FuzzCodec decodes any bytes; what can be decoded must encode to what decodes
// to the same.
func FuzzCodec(f *testing.F) {
	v := sample()
	e := xdr.NewEncoder(nil)
	v.XDR(e)
	f.Add(e.Bytes())
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, msg []byte) {
		var first everything
		d := xdr.NewDecoder(msg)
		first.XDR(d)
		if d.Err() != nil {
			return
		}
		one := xdr.NewEncoder(nil)
		first.XDR(one)
		if one.Err() != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", one.Err())
		}
		var second everything
		d = xdr.NewDecoder(one.Bytes())
		second.XDR(d)
		two := xdr.NewEncoder(nil)
		second.XDR(two)
		if d.Err() != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Fatalf("%x\n%x: %v", one.Bytes(), two.Bytes(), d.Err())
		}
	})
}

// FuzzReflect: the reflection decoder and the method must read the same, or
// both refuse.
func FuzzReflect(f *testing.F) {
	p := plain{1, -1, 1 << 40, "text", []byte{1}, [3]byte{1, 2, 3}, true, []uint32{1, 2, 3}}
	e := xdr.NewEncoder(nil)
	xdr.Reflect(&p).XDR(e)
	f.Add(e.Bytes())
	f.Fuzz(func(t *testing.T, msg []byte) {
		var hand byHand
		var refl plain
		m, r := xdr.NewDecoder(msg), xdr.NewDecoder(msg)
		hand.XDR(m)
		xdr.Reflect(&refl).XDR(r)
		if m.Err() != nil || r.Err() != nil {
			return // limits differ: the method has some
		}
		if m.Remaining() != r.Remaining() || hand.D != refl.D || !bytes.Equal(hand.E, refl.E) || hand.C != refl.C {
			t.Fatalf("method %+v, %d left\nreflection %+v, %d left", hand, m.Remaining(), refl, r.Remaining())
		}
	})
}
