package nlm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	oracle "github.com/buildbarn/go-xdr/pkg/protocols/nlm"
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

// str is an XDR string or opaque.
func str(s string) []byte {
	b := append(words(uint32(len(s))), s...)
	return append(b, make([]byte, -len(s)&3)...)
}

func cat(b ...[]byte) []byte { return bytes.Join(b, nil) }

func encode(t testing.TB, v xdr.Value) []byte {
	t.Helper()
	c := xdr.NewEncoder(nil)
	if v.XDR(c); c.Err() != nil {
		t.Fatal(c.Err())
	}
	return c.Bytes()
}

// someLock and its wire form.
var (
	someLock = Lock{CallerName: "host", FH: []byte("handle"), OH: []byte("owner"), Svid: -2, Offset: 1<<32 + 5, Length: 7}
	lockWire = cat(str("host"), str("handle"), str("owner"), words(0xfffffffe, 1, 5, 0, 7))
)

func TestWireFormOfEachType(t *testing.T) {
	cookie := []byte("c")
	for _, tt := range []struct {
		name string
		v    xdr.Value
		wire []byte
	}{
		{"TEST and GRANTED", &TestArgs{Cookie: cookie, Exclusive: true, Lock: someLock}, cat(str("c"), words(1), lockWire)},
		{"TEST is free", &TestRes{Cookie: cookie}, cat(str("c"), words(0))},
		{"TEST names the holder", &TestRes{Cookie: cookie, Stat: Denied, Holder: Holder{Exclusive: true, Svid: 9, OH: []byte("other"), Offset: 1, Length: 2}},
			cat(str("c"), words(1, 1, 9), str("other"), words(0, 1, 0, 2))},
		{"TEST in the grace period", &TestRes{Cookie: cookie, Stat: DeniedGracePeriod}, cat(str("c"), words(4))},
		{"LOCK", &LockArgs{Cookie: cookie, Block: true, Lock: someLock, Reclaim: true, State: 5}, cat(str("c"), words(1, 0), lockWire, words(1, 5))},
		{"CANCEL", &CancelArgs{Cookie: cookie, Exclusive: true, Lock: someLock}, cat(str("c"), words(0, 1), lockWire)},
		{"UNLOCK", &UnlockArgs{Cookie: cookie, Lock: someLock}, cat(str("c"), lockWire)},
		{"the plain result", &Res{Cookie: cookie, Stat: Blocked}, cat(str("c"), words(3))},
		{"a cookie of no bytes", &Res{}, words(0, 0)},
		{"SHARE", &ShareArgs{Cookie: cookie, Share: Share{"h", []byte("f"), []byte("o"), DenyWrite, AccessReadWrite}, Reclaim: true},
			cat(str("c"), str("h"), str("f"), str("o"), words(2, 3, 1))},
		{"the result of SHARE", &ShareRes{Cookie: cookie, Stat: Denied, Sequence: 3}, cat(str("c"), words(1, 3))},
		{"FREE_ALL", &Notify{"host", 7}, cat(str("host"), words(7))},
		{"a cookie, a handle and an owner of 1024 bytes",
			&UnlockArgs{Cookie: bytes.Repeat(cookie, ObjectLen), Lock: Lock{FH: bytes.Repeat(cookie, ObjectLen), OH: bytes.Repeat(cookie, ObjectLen)}},
			cat(str(strings.Repeat("c", 1024)), str(""), str(strings.Repeat("c", 1024)), str(strings.Repeat("c", 1024)), words(0, 0, 0, 0, 0))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := encode(t, tt.v); !bytes.Equal(got, tt.wire) {
				t.Fatalf("encoded as\n%x, want\n%x", got, tt.wire)
			}
			back := reflect.New(reflect.TypeOf(tt.v).Elem()).Interface().(xdr.Value)
			d := xdr.NewDecoder(tt.wire)
			if back.XDR(d); d.Err() != nil || d.Remaining() != 0 {
				t.Fatalf("decoding: %v, %d bytes left", d.Err(), d.Remaining())
			}
			if diff := cmp.Diff(tt.v, back); diff != "" {
				t.Errorf("decoded differently: %s", diff)
			}
		})
	}
}

// buildbarn's types are generated from the RFC's declarations: an independent
// reading, which must agree in both directions.
func TestBuildbarnReadsTheSame(t *testing.T) {
	l := oracle.Nlm4Lock{CallerName: "host", Fh: []byte("handle"), Oh: []byte("owner"), Svid: -2, LOffset: 1<<32 + 5, LLen: 7}
	c := []byte("cookie")
	h := oracle.Nlm4Holder{Exclusive: true, Svid: 9, Oh: []byte("other"), LOffset: 1, LLen: 2}
	for _, tt := range []struct {
		name   string
		ours   xdr.Value
		oracle func(b *bytes.Buffer) (int64, error)
	}{
		{"testargs", &TestArgs{c, true, someLock}, func(b *bytes.Buffer) (int64, error) {
			return (&oracle.Nlm4Testargs{Cookie: c, Exclusive: true, Alock: l}).WriteTo(b)
		}},
		{"testres, denied", &TestRes{c, Denied, Holder{true, 9, []byte("other"), 1, 2}}, func(b *bytes.Buffer) (int64, error) {
			return (&oracle.Nlm4Testres{Cookie: c, TestStat: &oracle.Nlm4Testrply_NLM4_DENIED{Holder: h}}).WriteTo(b)
		}},
		{"testres, granted", &TestRes{Cookie: c}, func(b *bytes.Buffer) (int64, error) {
			return (&oracle.Nlm4Testres{Cookie: c, TestStat: &oracle.Nlm4Testrply_default{}}).WriteTo(b)
		}},
		{"lockargs", &LockArgs{c, true, false, someLock, true, 5}, func(b *bytes.Buffer) (int64, error) {
			return (&oracle.Nlm4Lockargs{Cookie: c, Block: true, Alock: l, Reclaim: true, State: 5}).WriteTo(b)
		}},
		{"cancargs", &CancelArgs{c, true, true, someLock}, func(b *bytes.Buffer) (int64, error) {
			return (&oracle.Nlm4Cancargs{Cookie: c, Block: true, Exclusive: true, Alock: l}).WriteTo(b)
		}},
		{"unlockargs", &UnlockArgs{c, someLock}, func(b *bytes.Buffer) (int64, error) {
			return (&oracle.Nlm4Unlockargs{Cookie: c, Alock: l}).WriteTo(b)
		}},
		{"res", &Res{c, FBig}, func(b *bytes.Buffer) (int64, error) {
			return (&oracle.Nlm4Res{Cookie: c, Stat: oracle.Nlm4Stat{Stat: oracle.NLM4_FBIG}}).WriteTo(b)
		}},
		{"shareargs", &ShareArgs{c, Share{"host", []byte("f"), []byte("o"), DenyRead, AccessWrite}, true}, func(b *bytes.Buffer) (int64, error) {
			return (&oracle.Nlm4Shareargs{Cookie: c, Share: oracle.Nlm4Share{CallerName: "host", Fh: []byte("f"), Oh: []byte("o"),
				Mode: oracle.FSM_DR, Access: oracle.FSA_W}, Reclaim: true}).WriteTo(b)
		}},
		{"shareres", &ShareRes{c, Denied, 4}, func(b *bytes.Buffer) (int64, error) {
			return (&oracle.Nlm4Shareres{Cookie: c, Stat: oracle.NLM4_DENIED, Sequence: 4}).WriteTo(b)
		}},
		{"notify", &Notify{"host", 7}, func(b *bytes.Buffer) (int64, error) {
			return (&oracle.Nlm4Notify{Name: "host", State: 7}).WriteTo(b)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if _, err := tt.oracle(&b); err != nil {
				t.Fatal(err)
			}
			if got := encode(t, tt.ours); !bytes.Equal(got, b.Bytes()) {
				t.Errorf("ours is\n%x, buildbarn's\n%x", got, b.Bytes())
			}
		})
	}
	var a oracle.Nlm4Lockargs
	if _, err := a.ReadFrom(bytes.NewReader(encode(t, &LockArgs{Cookie: c, Lock: someLock, State: 5}))); err != nil || a.State != 5 || a.Alock.LOffset != 1<<32+5 {
		t.Errorf("buildbarn reads our lockargs as %+v, %v", a, err)
	}
}

func TestWhatIsTooLongIsRefused(t *testing.T) {
	long := str(strings.Repeat("x", 1025))
	for _, tt := range []struct {
		name string
		v    xdr.Value
		wire []byte
	}{
		{"a cookie of 1025 bytes", new(Res), cat(long, words(0))},
		{"a cookie of 2^32-1 bytes", new(Res), words(0xffffffff, 0)},
		{"a caller_name of 1025 bytes", new(UnlockArgs), cat(words(0), long, words(0, 0, 0, 0, 0, 0, 0))},
		{"a handle of 1025 bytes", new(UnlockArgs), cat(words(0, 0), long, words(0, 0, 0, 0, 0, 0))},
		{"an owner of 1025 bytes", new(UnlockArgs), cat(words(0, 0, 0), long, words(0, 0, 0, 0, 0))},
		{"a holder with an owner of 1025 bytes", new(TestRes), cat(words(0, 1, 1, 0), long, words(0, 0, 0, 0))},
		{"a name of 1026 bytes in FREE_ALL", new(Notify), cat(str(strings.Repeat("x", 1026)), words(0))},
		{"a bool of 2", new(LockArgs), words(0, 2)},
		{"a result that is denied, without a holder", new(TestRes), words(0, 1)},
		{"nothing", new(LockArgs), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := xdr.NewDecoder(tt.wire)
			tt.v.XDR(d)
			var e *xdr.Error
			if !errors.As(d.Err(), &e) {
				t.Errorf("got %v, want an *xdr.Error", d.Err())
			}
		})
	}
}

func TestBoundsOfRanges(t *testing.T) {
	const max = 1<<63 - 1
	for _, tt := range []struct {
		name           string
		offset, length uint64
		first, last    uint64
		ok             bool
	}{
		{"the whole file", 0, 0, 0, EOF, true},
		{"one byte", 5, 1, 5, 5, true},
		{"to the end", 5, 0, 5, EOF, true},
		{"the last byte that there can be", max, 1, max, max, true},
		{"up to 2^63-1", 1, max, 1, max, true},
		{"one byte past it", 2, max, 0, 0, false},
		{"from the last byte to the end", max, 0, max, EOF, true},
		{"from past it", max + 1, 0, 0, 0, false},
		{"a negative offset", 1<<64 - 1, 1, 0, 0, false},
		{"a length that wraps around", 10, 1<<64 - 5, 0, 0, false},
		{"2^64-1 bytes from 0", 0, 1<<64 - 1, 0, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, last, ok := Bounds(tt.offset, tt.length)
			if first != tt.first || last != tt.last || ok != tt.ok {
				t.Errorf("bytes %d to %d, %v; want %d to %d, %v", first, last, ok, tt.first, tt.last, tt.ok)
			}
		})
	}
}

func TestExtentOfBytes(t *testing.T) {
	for _, tt := range []struct {
		name                        string
		first, last, offset, length uint64
	}{
		{"the whole file", 0, EOF, 0, 0},
		{"the whole file as FUSE says it", 0, 1<<63 - 1, 0, 0},
		{"one byte", 7, 7, 7, 1},
		{"all but the last byte", 0, 1<<63 - 2, 0, 1<<63 - 1},
		{"from the last byte on", 1<<63 - 1, 1<<63 - 1, 1<<63 - 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			offset, length := Extent(tt.first, tt.last)
			if offset != tt.offset || length != tt.length {
				t.Errorf("offset %d, length %d; want %d, %d", offset, length, tt.offset, tt.length)
			}
			if _, _, ok := Bounds(offset, length); !ok {
				t.Error("a server would refuse it with NLM4_FBIG")
			}
		})
	}
}
