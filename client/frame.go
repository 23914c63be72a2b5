package client

import (
	"errors"
	"math/bits"

	"github.com/gonfs/gonfs/transport"
)

// Over UDP wsize is chosen so that a WRITE fits one frame of the route. When a
// router on the way turns out to have shorter frames, maybe only now, the
// transport refuses to send: the WRITE is then made again with less. What was
// sent before of the same bytes does no harm.

// fits returns how many of n bytes one WRITE may carry.
func (fs *FS) fits(n int) int {
	if most := int(fs.frame.Load()); most > 0 {
		return min(n, most)
	}
	return n
}

// narrow reports whether a WRITE of n bytes failed because it was too long for
// the route, and remembers what is not.
func (fs *FS) narrow(err error, n int) bool {
	if err == nil {
		return false // without the allocation that errors.As costs
	}
	var size *transport.SizeError
	if !errors.As(err, &size) {
		return false
	}
	room := (size.Max - (size.Size - (n+3)&^3)) &^ 3 // for data and padding, beside the rest of the call
	if room <= 0 || room >= n {
		return false
	}
	most := int32(1) << (bits.Len(uint(room)) - 1)
	if fs.frame.Swap(most) != most {
		fs.log.Info("the route carries shorter frames than at the mount: WRITEs are made smaller", "bytes", most, "message", size.Max)
	}
	return true
}
