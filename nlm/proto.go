package nlm

import "math"

// Program is the program number of NLM, and Version its version that goes with
// NFSv3 (RFC 1813 section 6.0). Where it listens is for rpcbind to say.
const (
	Program = 100021
	Version = 4
)

// Sizes, in bytes (XNFS, section 10.1.1).
const (
	StringLen = 1024 // LM_MAXSTRLEN: the longest caller_name
	NameLen   = 1025 // LM_MAXNAMELEN: the longest name of FREE_ALL
	ObjectLen = 1024 // MAXNETOBJ_SZ: the longest netobj: cookie, handle or owner
)

// Procedures (RFC 1813 section 6.1). The _MSG forms carry the arguments of the
// procedure that they are named for, the _RES forms its results; neither is
// answered by more than an empty reply.
const (
	ProcNull       = 0
	ProcTest       = 1
	ProcLock       = 2
	ProcCancel     = 3
	ProcUnlock     = 4
	ProcGranted    = 5
	ProcTestMsg    = 6
	ProcLockMsg    = 7
	ProcCancelMsg  = 8
	ProcUnlockMsg  = 9
	ProcGrantedMsg = 10
	ProcTestRes    = 11
	ProcLockRes    = 12
	ProcCancelRes  = 13
	ProcUnlockRes  = 14
	ProcGrantedRes = 15
	ProcShare      = 20
	ProcUnshare    = 21
	ProcNMLock     = 22
	ProcFreeAll    = 23
)

// names are the procedures' own, for messages.
var names = [...]string{
	ProcNull: "NULL", ProcTest: "TEST", ProcLock: "LOCK", ProcCancel: "CANCEL", ProcUnlock: "UNLOCK",
	ProcGranted: "GRANTED", ProcTestMsg: "TEST_MSG", ProcLockMsg: "LOCK_MSG", ProcCancelMsg: "CANCEL_MSG",
	ProcUnlockMsg: "UNLOCK_MSG", ProcGrantedMsg: "GRANTED_MSG", ProcTestRes: "TEST_RES", ProcLockRes: "LOCK_RES",
	ProcCancelRes: "CANCEL_RES", ProcUnlockRes: "UNLOCK_RES", ProcGrantedRes: "GRANTED_RES", ProcShare: "SHARE",
	ProcUnshare: "UNSHARE", ProcNMLock: "NM_LOCK", ProcFreeAll: "FREE_ALL",
}

// ProcName is the RFC's name of a procedure, or "" where there is none.
func ProcName(proc uint32) string {
	if proc < uint32(len(names)) {
		return names[proc]
	}
	return ""
}

// EOF is the last byte of a range that goes to the end of the file, wherever
// that will be.
const EOF = math.MaxUint64

// maxOffset is the greatest offset that servers can lock: they keep offsets as
// signed 64-bit numbers.
const maxOffset = math.MaxInt64

// Bounds turns the l_offset and l_len of the wire into the first byte of the
// range and the last one, which is EOF for a length of 0. ok is false for a
// range that begins or ends past 2^63-1: a server answers it with FBig (XNFS,
// LOCK), and no lock can match it.
func Bounds(offset, length uint64) (first, last uint64, ok bool) {
	switch {
	case offset > maxOffset:
		return 0, 0, false
	case length == 0:
		return offset, EOF, true
	case length-1 > maxOffset-offset:
		return 0, 0, false
	}
	return offset, offset + (length - 1), true
}

// Extent is the inverse of Bounds: the l_offset and l_len of the bytes first to
// last, both included. A last byte at or past 2^63-1 is the end of the file,
// since no file has more bytes.
func Extent(first, last uint64) (offset, length uint64) {
	if last >= maxOffset {
		return first, 0
	}
	return first, last - first + 1
}
