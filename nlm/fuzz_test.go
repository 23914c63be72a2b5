package nlm

import (
	"bytes"
	"testing"

	"github.com/gonfs/gonfs/xdr"
)

// FuzzDecode decodes what the fuzzer makes as what some procedure carries.
// Whatever is accepted must encode, and decode to the same again.
func FuzzDecode(f *testing.F) {
	f.Add(uint8(ProcTest), encode(f, &TestArgs{Cookie: []byte("c"), Exclusive: true, Lock: someLock}))
	f.Add(uint8(ProcLock), encode(f, &LockArgs{Cookie: []byte("c"), Block: true, Lock: someLock, State: 3}))
	f.Add(uint8(ProcCancel), encode(f, &CancelArgs{Lock: someLock}))
	f.Add(uint8(ProcUnlock), encode(f, &UnlockArgs{Lock: someLock}))
	f.Add(uint8(ProcTestRes), encode(f, &TestRes{Stat: Denied, Holder: Holder{OH: []byte("o")}}))
	f.Add(uint8(ProcLockRes), encode(f, &Res{Stat: Blocked}))
	f.Add(uint8(ProcShare), encode(f, &ShareArgs{Share: Share{"h", []byte("f"), []byte("o"), DenyRead, AccessRead}}))
	f.Add(uint8(ProcFreeAll), encode(f, &Notify{"h", 1}))
	f.Fuzz(func(t *testing.T, proc uint8, msg []byte) {
		v := newArgs(uint32(proc))
		if v == nil {
			return
		}
		d := xdr.NewDecoder(msg)
		if v.XDR(d); d.Err() != nil {
			return
		}
		b, w := encode(t, v), newArgs(uint32(proc))
		d = xdr.NewDecoder(b)
		if w.XDR(d); d.Err() != nil || !bytes.Equal(encode(t, w), b) {
			t.Fatalf("%T: %x became %x: %v", v, b, encode(t, w), d.Err())
		}
		if a, ok := v.(*TestArgs); ok {
			if first, last, ok := Bounds(a.Lock.Offset, a.Lock.Length); ok {
				offset, length := Extent(first, last)
				if f2, l2, ok := Bounds(offset, length); !ok || f2 != first || l2 != last && last < maxOffset {
					t.Fatalf("bytes %d to %d became %d to %d", first, last, f2, l2)
				}
			}
		}
	})
}
