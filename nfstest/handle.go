package nfstest

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/gonfs/gonfs/nfs3"
)

// handleLen is the length of a file handle: file system, file, generation, and
// a keyed checksum, so that an invented handle is told from a stale one.
const handleLen = 24

// handles makes and reads the file handles of one file system.
type handles struct {
	fsid uint64
	seed maphash.Seed
}

func newHandles(fsid uint64) handles { return handles{fsid, maphash.MakeSeed()} }

// fh returns the handle of a file.
func (h handles) fh(id uint64, gen uint32) nfs3.FH {
	var b [handleLen]byte
	binary.BigEndian.PutUint32(b[:], uint32(h.fsid))
	binary.BigEndian.PutUint64(b[4:], id)
	binary.BigEndian.PutUint32(b[12:], gen)
	binary.BigEndian.PutUint64(b[16:], maphash.Bytes(h.seed, b[:16]))
	fh, _ := nfs3.MakeFH(b[:]) // cannot fail: the length is right
	return fh
}

// split returns what fh was made of; ok is false if it was not made here.
func (h handles) split(fh nfs3.FH) (id uint64, gen uint32, ok bool) {
	b := fh.Bytes()
	if len(b) != handleLen || maphash.Bytes(h.seed, b[:16]) != binary.BigEndian.Uint64(b[16:]) {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(b[4:]), binary.BigEndian.Uint32(b[12:]), true
}
