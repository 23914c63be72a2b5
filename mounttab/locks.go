package mounttab

import "time"

// LockHandler is what a Handler implements besides if its mount locks at the
// server. Its methods may be called at the same time, and must not wait for the
// server.
type LockHandler interface {
	// Locks tells what is locked, and how the lock manager is.
	Locks() Locks
	// Granted reports whether this mount waits for, or holds, a lock that a
	// server says it has granted.
	Granted(g Granted) bool
	// Rebooted tells that a server was restarted.
	Rebooted(r Rebooted)
}

// Granted is what a lock manager's callback said (NLM procedure GRANTED, RFC
// 1813 section 6.3.5), handed on by the daemon that it came to.
type Granted struct {
	Peer      string `json:"peer"`            // address that it came from
	Async     bool   `json:"async,omitempty"` // who takes it must send GRANTED_RES with Cookie
	Cookie    []byte `json:"cookie,omitempty"`
	FH        []byte `json:"fh"`
	OH        []byte `json:"oh"`
	Svid      int32  `json:"svid"`
	Exclusive bool   `json:"exclusive"`
	Offset    uint64 `json:"offset"`
	Length    uint64 `json:"length"` // 0: to the end
}

// Rebooted is what a status monitor's notice said (SM_NOTIFY), likewise.
type Rebooted struct {
	Peer  string `json:"peer"`
	Name  string `json:"name"`
	State int32  `json:"state"`
}

// Locks is what a mount has locked.
type Locks struct {
	Local string `json:"local"` // kinds that are kept on this host, as local_lock has them
	Held  []Lock `json:"held"`
	Wait  []Lock `json:"waiting"`
	Lost  []Lock `json:"lost"` // in restarts of the server, the last 150

	HeldCount uint64 `json:"held_count"` // of Held and Wait at most 150 each are told
	WaitCount uint64 `json:"waiting_count"`
	Reclaimed uint64 `json:"reclaimed"` // after restarts of the server

	Agent       bool       `json:"agent"`       // this daemon hears the callbacks for all of this host
	CalledBack  bool       `json:"called_back"` // the server is known to call back
	Unmonitored bool       `json:"unmonitored"` // the server does not watch this host
	Recovering  bool       `json:"recovering"`  // a restart of the server is being looked into
	State       int32      `json:"state"`       // NSM state number of this host; 0: it has none
	Peers       []LockPeer `json:"peers"`       // servers that this daemon watches
}

// Lock is a lock of a file.
type Lock struct {
	Path  string    `json:"path,omitempty"` // under the mount point, as it was seen last
	FH    string    `json:"fh"`             // file handle, in hexadecimal
	Kind  string    `json:"kind"`           // posix, ofd or flock
	Type  string    `json:"type"`           // shared or exclusive
	Start uint64    `json:"start"`
	End   *uint64   `json:"end,omitempty"` // the last byte; nil: to the end of the file
	PID   uint32    `json:"pid,omitempty"` // who asked; 0: unknown
	Svid  int32     `json:"svid,omitempty"`
	At    time.Time `json:"at,omitzero"` // of a lost lock: when
}

// LockPeer is a server that a daemon watches.
type LockPeer struct {
	Name  string `json:"name"`
	Addr  string `json:"addr"`
	Statd bool   `json:"statd"` // through rpc.statd of this host
}

// maxLocks is the most locks of each list in an answer, which must fit into a
// message.
const maxLocks = 150

// maxLockPath is the most bytes of a path there; what is longer loses its head.
const maxLockPath = 256

// answerLocks answers what is about locks.
func answerLocks(req *Request, h Handler) (resp Response) {
	l, ok := h.(LockHandler)
	switch {
	case !ok:
		resp.Error = "mounttab: this mount does not lock at its server"
	case req.Op == OpLocks:
		s := l.Locks()
		s.HeldCount, s.WaitCount = uint64(len(s.Held)), uint64(len(s.Wait))
		s.Held, s.Wait = s.Held[:min(len(s.Held), maxLocks)], s.Wait[:min(len(s.Wait), maxLocks)]
		s.Lost = s.Lost[max(0, len(s.Lost)-maxLocks):]
		for _, list := range [][]Lock{s.Held, s.Wait, s.Lost} {
			for i := range list {
				if p := list[i].Path; len(p) > maxLockPath {
					list[i].Path = "…" + p[len(p)-maxLockPath:]
				}
			}
		}
		resp.Locks = &s
	case req.Op == OpGranted && req.Granted != nil:
		resp.Taken = l.Granted(*req.Granted)
	case req.Op == OpRebooted && req.Rebooted != nil:
		l.Rebooted(*req.Rebooted)
	default:
		resp.Error = "mounttab: operation " + string(req.Op) + " lacks what it is about"
	}
	return resp
}
