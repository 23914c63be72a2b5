package mounttab

import (
	"context"
	"time"
)

// Op is what a Request asks for.
type Op string

// The operations. A daemon answers others with an error, and lives on.
const (
	OpPing    Op = "ping"    // nothing but an answer
	OpStatus  Op = "status"  // Response.Status without its Procs
	OpStats   Op = "stats"   // Response.Status whole
	OpOptions Op = "options" // Response.Options
	OpDrain   Op = "drain"   // the answer comes when all data is safe on the server
	OpAbort   Op = "abort"   // everything that waits for the server fails now, and unsaved data is lost

	OpLocks    Op = "locks"    // Response.Locks
	OpGranted  Op = "granted"  // Response.Taken: whether Request.Granted is this mount's
	OpRebooted Op = "rebooted" // nothing but an answer, at once
)

// Request is a question to a daemon.
type Request struct {
	Op       Op        `json:"op"`
	Granted  *Granted  `json:"granted,omitempty"`
	Rebooted *Rebooted `json:"rebooted,omitempty"`
}

// Response is the answer.
type Response struct {
	Error   string  `json:"error,omitempty"` // why it was not done; the rest is empty then
	Status  *Status `json:"status,omitempty"`
	Options string  `json:"options,omitempty"`
	Locks   *Locks  `json:"locks,omitempty"`
	Taken   bool    `json:"taken,omitempty"`
}

// Handler is the mount behind a record, as the socket sees it. Its methods may
// be called at the same time.
type Handler interface {
	// Status tells how the mount is; it must not wait for the server.
	Status() Status
	// Drain returns when all data that was written is safe on the server. ctx
	// ends when the asker has gone, or the entry is closed.
	Drain(ctx context.Context) error
	// Abort makes everything that waits for the server fail. Unsaved data is
	// lost.
	Abort()
}

// Status is how a mount is. Counters count from the mount on.
type Status struct {
	Server   string   `json:"server"`   // address of the NFS server
	State    State    `json:"state"`    // whether it answers
	Options  string   `json:"options"`  // in effect
	Warnings []string `json:"warnings"` // what was said at the mount

	SilentSince time.Time `json:"silent_since,omitzero"` // with NotResponding: since when

	Rsize      uint32 `json:"rsize"`       // most bytes of a READ
	Wsize      uint32 `json:"wsize"`       // most bytes of a WRITE
	DirtyBytes uint64 `json:"dirty_bytes"` // written, and not yet safe on the server
	DirtyLimit uint64 `json:"dirty_limit"` // writers wait who would make it more

	Memory Memory `json:"memory"` // what else the daemon keeps

	Connections    int    `json:"connections"`     // to the NFS server, now
	CallsInFlight  int    `json:"calls_in_flight"` // sent or waiting to be, now
	Connects       uint64 `json:"connects"`
	Disconnects    uint64 `json:"disconnects"`
	Replaced       uint64 `json:"replaced"` // connections that were silent while the server answered on another
	MinorTimeouts  uint64 `json:"minor_timeouts"`
	MajorTimeouts  uint64 `json:"major_timeouts"`
	UnknownReplies uint64 `json:"unknown_replies"` // late, duplicate or forged
	BadReplies     uint64 `json:"bad_replies"`     // that could not be decoded

	Procs []ProcStats `json:"procs,omitempty"` // those that were called
}

// Memory is what a daemon keeps in its memory, in numbers, and bytes where it
// says so, with limits.
type Memory struct {
	Inodes         int    `json:"inodes"`           // objects that are known
	InodesKept     int    `json:"inodes_kept"`      // of these, in nobody's use, but maybe needed again
	InodesLimit    int    `json:"inodes_limit"`     // of those that are kept
	Names          int64  `json:"names"`            // cached entries of directories
	NamesLimit     int64  `json:"names_limit"`      // beyond it one is forgotten for each that is learnt
	Listed         int64  `json:"listed"`           // entries that open directories remember
	ListedLimit    int64  `json:"listed_limit"`     // beyond it no more are remembered
	ReadAheadFiles int    `json:"read_ahead_files"` // open files that are read ahead of
	ReadAheadBytes uint64 `json:"read_ahead_bytes"` // asked for ahead of their readers
	ReadAheadLimit uint64 `json:"read_ahead_limit"` // beyond it less is asked for, or nothing
}

// State is whether the server answers.
type State string

// The states.
const (
	OK            State = "ok"
	NotResponding State = "not responding" // a major timeout went by, and no answer came since
	Disconnected  State = "disconnected"   // no connection at the moment; one is made when there is a call
)

// ProcStats counts the calls of one procedure.
type ProcStats struct {
	Name          string        `json:"name"` // as RFC 1813 has it: READ
	Calls         uint64        `json:"calls"`
	Transmissions uint64        `json:"transmissions"` // calls sent, retransmissions included
	BytesSent     uint64        `json:"bytes_sent"`
	BytesReceived uint64        `json:"bytes_received"`
	Errors        uint64        `json:"errors"`
	Total         time.Duration `json:"total_ns"` // sum of the latencies
	// Latency is a histogram: bucket 0 counts calls of less than 1 µs, bucket i
	// those of 2^(i-1) µs to less than 2^i µs. Buckets that are empty to the
	// end are left out.
	Latency []uint64 `json:"latency_log2_us"`
}
