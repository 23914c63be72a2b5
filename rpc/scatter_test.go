package rpc

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// scattered is a payload in the slices of Call.Scatter.
type scattered struct{ n uint32 }

func (s *scattered) XDR(c *xdr.Codec) { c.Scatter(&s.n, 1<<20) }

func TestAPayloadIsScattered(t *testing.T) {
	c := newHouse().client(t)
	for _, tt := range []struct {
		name  string
		room  []int // bytes of the slices
		size  int   // of the payload
		place func([]byte) (int, int, bool)
		ok    bool
	}{
		{"placed by the reader", []int{100, 200, 300}, 600, placeOpaque, true},
		{"room is left", []int{100, 200, 300}, 450, placeOpaque, true},
		{"copied", []int{100, 200, 300}, 450, nil, true},
		{"too short to be placed", []int{10, 20}, 25, placeOpaque, true},
		{"empty", []int{10, 20}, 0, placeOpaque, true},
		{"no room", []int{100, 200}, 301, placeOpaque, false},
		{"no room, not placed", []int{100, 200}, 301, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var dst [][]byte
			var sink transport.Sink
			sink.Reset(nil)
			for _, n := range tt.room {
				dst = append(dst, make([]byte, n))
				sink.Add(dst[len(dst)-1])
			}
			in := opaque{make([]byte, tt.size)}
			for i := range in.b {
				in.b[i] = byte(i)
			}
			var out scattered
			err := c.Call(context.Background(), &Call{Proc: procEcho, Args: &in, Reply: &out, Scatter: &sink, Place: tt.place})
			var pe *ProtocolError
			switch got := bytes.Join(dst, nil); {
			case !tt.ok:
				if !errors.As(err, &pe) {
					t.Errorf("got %v", err)
				}
			case err != nil || int(out.n) != tt.size || !bytes.Equal(got[:tt.size], in.b) || !bytes.Equal(got[tt.size:], make([]byte, len(got)-tt.size)):
				t.Errorf("got %d bytes, %v, or they differ", out.n, err)
			}
			if sink.Room() != 0 {
				t.Error("the memory is not the caller's again")
			}
		})
	}
}
