package nfs3

import (
	"bytes"
	"reflect"
	"testing"
)

// FuzzMessages decodes what the fuzzer makes as the arguments or results of one
// of the procedures. Whatever is accepted must encode to something that decodes
// to the same value and encodes to the same bytes again; nothing may panic.
func FuzzMessages(f *testing.F) {
	var ms []message
	for p := uint32(ProcGetattr); p <= ProcCommit; p++ {
		ms = append(ms, messageFor(p, false), messageFor(p, true))
	}
	for i, m := range ms {
		for n := range uint64(4) {
			v := m.new()
			fill(seeded(n), v)
			f.Add(uint8(i), encode(f, v))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, msg []byte) {
		m := ms[int(which)%len(ms)]
		v := m.new()
		if decode(msg, v) != nil {
			return
		}
		// The second decoding is the reference: it has no bytes of arms that
		// were not chosen, no nanoseconds to cut.
		b := encode(t, v)
		w := m.new()
		if err := decode(b, w); err != nil {
			t.Fatalf("%s: our own bytes %x: %v", m.name, b, err)
		}
		if !reflect.DeepEqual(v, w) {
			t.Fatalf("%s: %+v became %+v", m.name, v, w)
		}
		if again := encode(t, w); !bytes.Equal(b, again) {
			t.Fatalf("%s: %x became %x", m.name, b, again)
		}
	})
}

// FuzzPlaceRead: where data is placed must be where the decoder finds it.
func FuzzPlaceRead(f *testing.F) {
	for n := range uint64(8) {
		var r ReadReply
		fill(seeded(n), &r)
		f.Add(encode(f, &r))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		offset, length, ok := placeRead(msg)
		var r ReadReply
		if decode(msg, &r) != nil {
			return
		}
		switch {
		case ok != (r.Status == OK):
			t.Fatalf("placed %v, status %v", ok, r.Status)
		case ok && !bytes.Equal(msg[offset:offset+length], r.Data):
			t.Fatalf("placed %x, decoded %x", msg[offset:offset+length], r.Data)
		}
	})
}
