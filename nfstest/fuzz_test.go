package nfstest

import (
	"bytes"
	"testing"

	"github.com/gonfs/gonfs/nfs3"
)

// FuzzCall sends a server any message. Whatever it is, there must be no panic,
// and an answer only to a call.
func FuzzCall(f *testing.F) {
	call := func(proc byte, args ...byte) []byte {
		b := make([]byte, 40)
		copy(b, "\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa3\x00\x00\x00\x03\x00\x00\x00")
		b[23] = proc
		return append(b, args...)
	}
	f.Add([]byte{})
	f.Add(call(nfs3.ProcNull))
	f.Add(call(nfs3.ProcGetattr, 0, 0, 0, 4, 1, 2, 3, 4))
	f.Add(call(nfs3.ProcRead, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	f.Add(call(nfs3.ProcSymlink, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff))
	f.Fuzz(func(t *testing.T, msg []byte) {
		c, err := parseCall(msg)
		if err != nil {
			return
		}
		s := New(Options{MaxBytes: 1 << 20})
		defer s.Close()
		l := &link{s: s, door: doorNFS, network: "tcp"}
		c.Network, c.Remote = "tcp", memAddr("tcp", 1)
		l.strict.arrived(l, c)
		r := s.execute(t.Context(), l, c)
		if b := r.bytes(); len(b) < 12 || len(b)%4 != 0 || !bytes.Equal(b[:4], msg[:4]) {
			t.Errorf("reply %x", b)
		}
	})
}

// FuzzRecord reads any bytes as records. It must end, and take no more memory
// than the limit allows.
func FuzzRecord(f *testing.F) {
	f.Add([]byte("\x80\x00\x00\x03abc"))
	f.Add([]byte("\x00\x00\x00\x01a\x00\x00\x00\x00\x80\x00\x00\x02bc"))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1000
		r := bytes.NewReader(b)
		for {
			msg, err := readRecord(r, limit)
			if err != nil {
				return
			}
			if len(msg.Bytes()) > limit {
				t.Errorf("a message of %d bytes", len(msg.Bytes()))
			}
			msg.Release()
		}
	})
}
