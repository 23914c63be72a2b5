package nsm

// Program is the program number of the status monitor, and Version its only
// version. Its port is told by rpcbind.
const (
	Program = 100024
	Version = 1
)

// Sizes, in bytes.
const (
	MaxName  = 1024 // SM_MAXSTRLEN: the longest host name
	PrivSize = 16   // SM_PRIV_SIZE: what MON gives, and the callback brings back
)

// Procedures.
const (
	ProcNull      = 0
	ProcStat      = 1
	ProcMon       = 2
	ProcUnmon     = 3
	ProcUnmonAll  = 4
	ProcSimuCrash = 5
	ProcNotify    = 6
)
