package nfstest

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/gonfs/gonfs/nfs3"
)

// handleLen is the length of a file handle: file system, file, generation, era,
// and a keyed checksum, so that an invented handle is told from a stale one.
const handleLen = 28

// handles makes and reads the file handles of one file system.
type handles struct {
	fsid uint64
	era  uint32 // counts the times that all handles were changed
	seed maphash.Seed
}

func newHandles(fsid uint64) handles { return handles{fsid: fsid, seed: maphash.MakeSeed()} }

// fh returns the handle of a file.
func (h *handles) fh(id uint64, gen uint32) nfs3.FH {
	var b [handleLen]byte
	binary.BigEndian.PutUint32(b[:], uint32(h.fsid))
	binary.BigEndian.PutUint64(b[4:], id)
	binary.BigEndian.PutUint32(b[12:], gen)
	binary.BigEndian.PutUint32(b[16:], h.era)
	binary.BigEndian.PutUint64(b[20:], maphash.Bytes(h.seed, b[:20]))
	fh, _ := nfs3.MakeFH(b[:]) // cannot fail: the length is right
	return fh
}

// split returns what fh was made of; ok is false if it was not made here. A
// handle of another era is that of file 0, which no store has.
func (h *handles) split(fh nfs3.FH) (id uint64, gen uint32, ok bool) {
	b := fh.Bytes()
	switch {
	case len(b) != handleLen || maphash.Bytes(h.seed, b[:20]) != binary.BigEndian.Uint64(b[20:]):
		return 0, 0, false
	case binary.BigEndian.Uint32(b[16:]) != h.era:
		return 0, 0, true
	}
	return binary.BigEndian.Uint64(b[4:]), binary.BigEndian.Uint32(b[12:]), true
}
