package mount

import "math/bits"

// Limits of the Linux client (include/linux/nfs_fs.h and nfs_xdr.h), in bytes.
const (
	minIO     = 1024    // a smaller rsize or wsize asked for is taken as a slip
	defIO     = 4096    // and replaced by this
	maxIO     = 1 << 20 // nothing is larger
	pageSize  = 4096    // sizes from here on are multiples of it
	bogusIO   = 512     // a smaller rtmax or wtmax is not believed
	maxUDP    = 32 << 10
	initDtIO  = 64 << 10 // READDIR, when the server prefers nothing
	udpHeader = 8

	ethernetMTU = 1500 // of a route that does not tell
	v4Header    = 20
	v6Header    = 40
)

// Bytes around the data of READ and WRITE (RFC 5531 section 9, RFC 1813
// sections 3.3.6 and 3.3.7).
const (
	// readReply is a READ reply without its data: reply header with AUTH_NONE
	// verifier, status, attributes, count, eof, length.
	readReply = 24 + 4 + 4 + 84 + 4 + 4 + 4
	// writeCall is a WRITE call without its data and machine name: call
	// header, AUTH_SYS with 16 groups, AUTH_NONE, the longest handle, offset,
	// count, stable, length.
	writeCall = 24 + 8 + (4 + 4 + 4 + 4 + 4 + 16*4) + 8 + (4 + 64) + 8 + 4 + 4 + 4
	// maxMachine is the longest machine name that is sent.
	maxMachine = 64
)

// SizeRequest is what the sizes of a session are worked out from.
type SizeRequest struct {
	// Rsize and Wsize are as given in the options; 0 means not given.
	Rsize, Wsize uint32
	// Rtmax, Rtpref, Wtmax, Wtpref and Dtpref are FSINFO's; any may be 0.
	Rtmax, Rtpref, Wtmax, Wtpref, Dtpref uint32
	// UDP says that messages are datagrams, over IPv6 if V6 is set.
	UDP, V6 bool
	// MTU is that of the route, for UDP; 0 means unknown, taken as 1500.
	MTU int
}

// Sizes are bytes of data in one call.
type Sizes struct {
	Rsize  uint32 // READ
	Wsize  uint32 // WRITE
	Dtsize uint32 // READDIR and READDIRPLUS
}

// Negotiate works out the sizes.
//
// Given ones are rounded as Linux does: under 1,024 becomes 4,096; over 1 MiB
// becomes 1 MiB; over UDP, and under 4,096, the power of two below; otherwise
// the multiple of 4,096 below. One that is not given is the server's maximum
// over TCP, rounded; over UDP it is the power of two for which a READ reply
// and a WRITE call with the largest headers fit one frame: 1 KiB for an MTU of
// 1500, 8 KiB for 9000, 32 KiB on loopback. Nothing is over the server's
// maximum, if that is at least 512, over 1 MiB, or over 32 KiB on UDP.
func Negotiate(r SizeRequest) Sizes {
	var s Sizes
	s.Rsize = r.size(r.Rsize, r.Rtmax, r.Rtpref, readReply)
	s.Wsize = r.size(r.Wsize, r.Wtmax, r.Wtpref, writeCall+maxMachine)
	dt := r.Dtpref
	if dt < bogusIO {
		dt = initDtIO
	}
	s.Dtsize = min(powerBelow(min(dt, maxIO)), s.Rsize)
	return s
}

// size works out one of Rsize and Wsize.
func (r *SizeRequest) size(given, most, pref uint32, around int) uint32 {
	n := given
	switch {
	case given != 0 && given < minIO:
		n = defIO
	case given == 0 && r.UDP:
		n = r.unfragmented(around)
	case given == 0 && most >= bogusIO:
		n = most
	case given == 0 && pref >= minIO:
		n = pref
	case given == 0:
		n = defIO
	}
	if most >= bogusIO {
		n = min(n, most)
	}
	n = min(n, maxIO)
	if r.UDP {
		return powerBelow(min(n, maxUDP))
	}
	if n < pageSize {
		return powerBelow(n)
	}
	return n &^ (pageSize - 1)
}

// unfragmented returns the largest power of two that fits a frame of the MTU
// with around bytes of RPC, but at least 1,024.
func (r *SizeRequest) unfragmented(around int) uint32 {
	mtu := r.MTU
	if mtu <= 0 {
		mtu = ethernetMTU
	}
	header := v4Header
	if r.V6 {
		header = v6Header
	}
	return powerBelow(uint32(min(max(mtu-header-udpHeader-around, minIO), maxUDP)))
}

// powerBelow returns the largest power of two that is not over n, which is not
// 0.
func powerBelow(n uint32) uint32 { return 1 << (bits.Len32(n) - 1) }
