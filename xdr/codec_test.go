package xdr_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gonfs/gonfs/xdr"
)

// everything has one item of each kind, in both directions.
type everything struct {
	U32   uint32
	I32   int32
	U64   uint64
	I64   int64
	B     bool
	E     color
	Fixed [5]byte
	Op    []byte
	S     string
	List  []uint32
	Next  []uint64
	There bool
	Opt   point
}

type color int32

type point struct{ X, Y uint32 }

func (p *point) XDR(c *xdr.Codec) {
	c.Uint32(&p.X)
	c.Uint32(&p.Y)
}

func (e *everything) XDR(c *xdr.Codec) {
	c.Uint32(&e.U32)
	c.Int32(&e.I32)
	c.Uint64(&e.U64)
	c.Int64(&e.I64)
	c.Bool(&e.B)
	xdr.Enum(c, &e.E)
	c.Fixed(e.Fixed[:])
	c.Opaque(&e.Op, 16)
	c.String(&e.S, 16)
	xdr.Slice(c, &e.List, 8, 4, func(c *xdr.Codec, v *uint32) { c.Uint32(v) })
	xdr.List(c, &e.Next, 8, func(c *xdr.Codec, v *uint64) { c.Uint64(v) })
	c.Optional(&e.There, &e.Opt)
}

// golden is everything as RFC 4506 has it, an item a line.
const golden = `
	00000007
	fffffffe
	0000000100000002
	ffffffffffffffff
	00000001
	fffffffd
	0102030405000000
	00000003 aabbcc00
	00000005 68656c6c6f000000
	00000002 00000001 00000002
	00000001 0000000000000009 00000000
	00000001 00000003 00000004`

func sample() everything {
	return everything{
		U32: 7, I32: -2, U64: 1<<32 | 2, I64: -1, B: true, E: -3, Fixed: [5]byte{1, 2, 3, 4, 5},
		Op: []byte{0xaa, 0xbb, 0xcc}, S: "hello", List: []uint32{1, 2}, Next: []uint64{9}, There: true, Opt: point{3, 4},
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryKindOfItemIsWrittenAndReadAsTheRFCSays(t *testing.T) {
	want := unhex(t, golden)
	v := sample()
	e := xdr.NewEncoder(nil)
	v.XDR(e)
	if e.Err() != nil || !bytes.Equal(e.Bytes(), want) {
		t.Fatalf("encoded %x, %v\nwant    %x", e.Bytes(), e.Err(), want)
	}
	var got everything
	d := xdr.NewDecoder(want)
	got.XDR(d)
	if d.Err() != nil || d.Remaining() != 0 {
		t.Fatalf("decoding: %v, %d bytes left", d.Err(), d.Remaining())
	}
	again := xdr.NewEncoder(nil)
	got.XDR(again)
	if !bytes.Equal(again.Bytes(), want) {
		t.Fatalf("what was decoded is %+v", got)
	}
}

func TestAMessageThatEndsAnywhereIsShortAndReadsNothingMore(t *testing.T) {
	whole := unhex(t, golden)
	for n := range len(whole) {
		var v everything
		d := xdr.NewDecoder(whole[:n])
		v.XDR(d)
		var e *xdr.Error
		if !errors.As(d.Err(), &e) || e.Kind != xdr.Short {
			t.Fatalf("cut to %d bytes: %v", n, d.Err())
		}
		before := d.Err()
		var u uint32 = 42
		d.Uint32(&u)
		if u != 42 || d.Err() != before {
			t.Fatalf("cut to %d bytes: reading went on after the error", n)
		}
	}
}

func TestEachLengthIsCheckedBeforeAnythingIsAllocated(t *testing.T) {
	decoders := map[string]func(*xdr.Codec){
		"opaque": func(c *xdr.Codec) { var b []byte; c.Opaque(&b, 64) },
		"string": func(c *xdr.Codec) { var s string; c.String(&s, 64) },
		"borrow": func(c *xdr.Codec) { var b []byte; c.Borrow(&b, 64) },
		"array": func(c *xdr.Codec) {
			var v []uint64
			xdr.Slice(c, &v, 64, 8, func(c *xdr.Codec, v *uint64) { c.Uint64(v) })
		},
		"detached": func(c *xdr.Codec) { var b []byte; c.SetSink(make([]byte, 64), true); c.Borrow(&b, 64) },
	}
	for name, decode := range decoders {
		for _, n := range []uint32{65, 0x7fffffff, 0x80000000, 0xfffffffc, math.MaxUint32} {
			d := xdr.NewDecoder([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
			allocs := testing.AllocsPerRun(1, func() {
				*d = *xdr.NewDecoder(d.Bytes())
				decode(d)
			})
			var e *xdr.Error
			if !errors.As(d.Err(), &e) || e.Kind != xdr.TooLong || allocs > 8 {
				t.Errorf("%s of %#x: %v, %v allocations", name, n, d.Err(), allocs)
			}
		}
	}
	// Within the limit, but not within the message.
	for name, n := range map[string]byte{"opaque": 64, "string": 5, "borrow": 64, "array": 1} {
		d := xdr.NewDecoder([]byte{0, 0, 0, n, 1, 2, 3, 4})
		decoders[name](d)
		var e *xdr.Error
		if !errors.As(d.Err(), &e) || e.Kind != xdr.Short {
			t.Errorf("%s of %d in 4 bytes: %v", name, n, d.Err())
		}
	}
}

// A count that a limit of millions allows costs nothing if the message does not
// bring the elements.
func TestACountOfElementsThatAreNotThereTakesNoMemory(t *testing.T) {
	for _, msg := range [][]byte{
		{0, 0x40, 0, 0, 1, 2, 3, 4},
		append([]byte{0, 0, 0, 16}, make([]byte, 127)...), // of 16 × 8
	} {
		d := xdr.NewDecoder(msg)
		var list []uint64
		xdr.Slice(d, &list, 0x400000, 8, func(c *xdr.Codec, v *uint64) { c.Uint64(v) })
		if cap(list) != 0 || d.Err() == nil {
			t.Errorf("memory for %d elements was taken; the error is %v", cap(list), d.Err())
		}
	}
}

func TestWhatIsTooLongIsNotWrittenEither(t *testing.T) {
	long := make([]byte, 17)
	text := string(long)
	list := make([]uint32, 9)
	chain := make([]uint64, 9)
	for name, encode := range map[string]func(*xdr.Codec){
		"opaque": func(c *xdr.Codec) { c.Opaque(&long, 16) },
		"string": func(c *xdr.Codec) { c.String(&text, 16) },
		"borrow": func(c *xdr.Codec) { c.Borrow(&long, 16) },
		"array":  func(c *xdr.Codec) { xdr.Slice(c, &list, 8, 4, func(c *xdr.Codec, v *uint32) { c.Uint32(v) }) },
		"list":   func(c *xdr.Codec) { xdr.List(c, &chain, 8, func(c *xdr.Codec, v *uint64) { c.Uint64(v) }) },
	} {
		c := xdr.NewEncoder(nil)
		encode(c)
		var e *xdr.Error
		if !errors.As(c.Err(), &e) || e.Kind != xdr.TooLong {
			t.Errorf("%s: %v", name, c.Err())
		}
	}
}

func TestABoolIsZeroOrOne(t *testing.T) {
	b := true
	d := xdr.NewDecoder([]byte{0, 0, 0, 2})
	d.Bool(&b)
	var e *xdr.Error
	if !errors.As(d.Err(), &e) || e.Kind != xdr.BadBool || !b {
		t.Fatalf("%v, value %v", d.Err(), b)
	}
}

func TestAnEndlessListEnds(t *testing.T) {
	msg := bytes.Repeat([]byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 1000)
	var v []uint64
	d := xdr.NewDecoder(msg)
	xdr.List(d, &v, 100, func(c *xdr.Codec, v *uint64) { c.Uint64(v) })
	var e *xdr.Error
	if !errors.As(d.Err(), &e) || e.Kind != xdr.TooLong || len(v) != 100 {
		t.Fatalf("%v after %d elements", d.Err(), len(v))
	}
}

func TestPaddingIsWrittenAsZerosEvenIntoUsedMemory(t *testing.T) {
	dirty := bytes.Repeat([]byte{0xff}, 64)[:0]
	s, op := "a", []byte{1, 2}
	c := xdr.NewEncoder(dirty)
	c.String(&s, 8)
	c.Opaque(&op, 8)
	if want := unhex(t, "00000001 61000000 00000002 01020000"); !bytes.Equal(c.Bytes(), want) {
		t.Fatalf("%x", c.Bytes())
	}
	d := xdr.NewDecoder(unhex(t, "00000001 61ffffff 00000002 0102eeee")) // a careless peer
	d.String(&s, 8)
	d.Opaque(&op, 8)
	if d.Err() != nil || s != "a" || !bytes.Equal(op, []byte{1, 2}) {
		t.Fatalf("%q %x %v", s, op, d.Err())
	}
}

func TestEncodingNeverWritesToTheValue(t *testing.T) {
	v := sample()
	done := make(chan struct{})
	for range 2 { // the race detector tells
		go func() {
			c := xdr.NewEncoder(nil)
			v.XDR(c)
			done <- struct{}{}
		}()
	}
	<-done
	<-done
}
