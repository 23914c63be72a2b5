package nfs3

import "strconv"

// The procedures (RFC 1813 section 3.3).
const (
	ProcNull        = 0
	ProcGetattr     = 1
	ProcSetattr     = 2
	ProcLookup      = 3
	ProcAccess      = 4
	ProcReadlink    = 5
	ProcRead        = 6
	ProcWrite       = 7
	ProcCreate      = 8
	ProcMkdir       = 9
	ProcSymlink     = 10
	ProcMknod       = 11
	ProcRemove      = 12
	ProcRmdir       = 13
	ProcRename      = 14
	ProcLink        = 15
	ProcReaddir     = 16
	ProcReaddirplus = 17
	ProcFsstat      = 18
	ProcFsinfo      = 19
	ProcPathconf    = 20
	ProcCommit      = 21
)

// Procedure is what a caller must know of a procedure besides its types.
type Procedure struct {
	Number uint32
	Name   string // as in the RFC: "GETATTR"
	// Class is the class of the RTT estimator over UDP, 1–5, or 0 for none:
	// the classes of Linux (fs/nfs/nfs3xdr.c).
	Class uint8
	// Idempotent says that executing a call twice does no harm. A second
	// REMOVE finds nothing; a second SETATTR may undo what another client did
	// in between.
	Idempotent bool
}

// Procs are the procedures by number. It is read only.
var Procs = [...]Procedure{
	{ProcNull, "NULL", 0, true},
	{ProcGetattr, "GETATTR", 1, true},
	{ProcSetattr, "SETATTR", 0, false},
	{ProcLookup, "LOOKUP", 2, true},
	{ProcAccess, "ACCESS", 1, true},
	{ProcReadlink, "READLINK", 3, true},
	{ProcRead, "READ", 3, true},
	{ProcWrite, "WRITE", 4, true},
	{ProcCreate, "CREATE", 0, false},
	{ProcMkdir, "MKDIR", 0, false},
	{ProcSymlink, "SYMLINK", 0, false},
	{ProcMknod, "MKNOD", 0, false},
	{ProcRemove, "REMOVE", 0, false},
	{ProcRmdir, "RMDIR", 0, false},
	{ProcRename, "RENAME", 0, false},
	{ProcLink, "LINK", 0, false},
	{ProcReaddir, "READDIR", 3, true},
	{ProcReaddirplus, "READDIRPLUS", 3, true},
	{ProcFsstat, "FSSTAT", 0, true},
	{ProcFsinfo, "FSINFO", 0, true},
	{ProcPathconf, "PATHCONF", 0, true},
	{ProcCommit, "COMMIT", 5, true},
}

// procName returns the RFC's name of a procedure.
func procName(n uint32) string {
	if n < uint32(len(Procs)) {
		return Procs[n].Name
	}
	return "procedure " + strconv.FormatUint(uint64(n), 10)
}
