package xdr_test

import (
	"bytes"
	"runtime"
	"testing"

	xdr2 "github.com/davecgh/go-xdr/xdr2"

	"github.com/gonfs/gonfs/xdr"
)

// plain is a struct that needs no codec code; byHand is its declaration as a
// method. Both readings of it must agree, byte for byte.
type plain struct {
	A uint32
	B int32
	C uint64
	D string
	E []byte
	F [3]byte
	G bool
	H []uint32
}

type byHand plain

func (v *byHand) XDR(c *xdr.Codec) {
	c.Uint32(&v.A)
	c.Int32(&v.B)
	c.Uint64(&v.C)
	c.String(&v.D, 1000)
	c.Opaque(&v.E, 1000)
	c.Fixed(v.F[:])
	c.Bool(&v.G)
	xdr.Slice(c, &v.H, 1000, 4, func(c *xdr.Codec, u *uint32) { c.Uint32(u) })
}

func TestMethodsAndReflectionAgreeByteForByte(t *testing.T) {
	for _, p := range []plain{
		{},
		{1, -1, 1 << 40, "text", []byte{1}, [3]byte{1, 2, 3}, true, []uint32{1, 2, 3}},
		{D: "four", E: []byte("abcdefgh"), H: make([]uint32, 100)},
	} {
		var oracle bytes.Buffer
		if _, err := xdr2.Marshal(&oracle, &p); err != nil {
			t.Fatal(err)
		}
		hand := byHand(p)
		m, r := xdr.NewEncoder(nil), xdr.NewEncoder(nil)
		hand.XDR(m)
		xdr.Reflect(&p).XDR(r)
		if !bytes.Equal(m.Bytes(), oracle.Bytes()) || !bytes.Equal(r.Bytes(), oracle.Bytes()) {
			t.Errorf("method     %x\nReflect    %x\nreflection %x", m.Bytes(), r.Bytes(), oracle.Bytes())
		}
		var back plain
		d := xdr.NewDecoder(append(oracle.Bytes(), 0, 0, 0, 9))
		xdr.Reflect(&back).XDR(d)
		var next uint32
		d.Uint32(&next)
		if d.Err() != nil || next != 9 || back.D != p.D || len(back.H) != len(p.H) {
			t.Errorf("decoding: %v, next item %d, %+v", d.Err(), next, back)
		}
	}
}

func TestReflectionAllocatesNoMoreThanTheMessageWarrants(t *testing.T) {
	for name, msg := range map[string][]byte{
		"an array of 2^31 elements": {0x80, 0, 0, 0},
		"an array of 2^32-1":        {0xff, 0xff, 0xff, 0xff},
		"nothing at all":            {},
	} {
		var v []uint32
		d := xdr.NewDecoder(msg)
		const runs = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			*d = *xdr.NewDecoder(msg)
			xdr.Reflect(&v).XDR(d)
		}
		runtime.ReadMemStats(&after)
		bytesPerRun := (after.TotalAlloc - before.TotalAlloc) / runs
		if d.Err() == nil || bytesPerRun > 64<<10 {
			t.Errorf("%s: %v, %d bytes allocated", name, d.Err(), bytesPerRun)
		}
	}
}
