package nfstest

import (
	"cmp"
	"slices"

	"github.com/gonfs/gonfs/nlm"
)

// LockOwner is who holds or wants a lock: owners are told apart by all three.
type LockOwner struct {
	Host string // caller_name
	OH   string // the bytes of oh
	Svid int32
}

// HeldLock is a lock that the server has, or a request that waits for one.
type HeldLock struct {
	FH          string // the bytes of the file handle
	Owner       LockOwner
	First, Last uint64 // the bytes, both included; nlm.EOF as Last is the end of the file
	Exclusive   bool
	Waiting     bool  // the request was answered with BLOCKED
	State       int32 // the NSM state of the host, as LOCK told it
	Monitored   bool  // asked for by LOCK, not NM_LOCK: a restart of the host frees it
}

// conflicts reports whether l and o cannot be held at once.
func (l *HeldLock) conflicts(o *HeldLock) bool {
	return l.FH == o.FH && l.Owner != o.Owner && (l.Exclusive || o.Exclusive) && l.First <= o.Last && o.First <= l.Last
}

// lockTable is the locks that are held.
type lockTable []HeldLock

// conflict finds a lock that is in the way of l.
func (t lockTable) conflict(l *HeldLock) *HeldLock {
	for i := range t {
		if t[i].conflicts(l) {
			return &t[i]
		}
	}
	return nil
}

// clear is t without the bytes of l that its owner holds: locks are cut, and
// split where l is in their middle.
func (t lockTable) clear(l *HeldLock) lockTable {
	var out lockTable
	for _, h := range t {
		if h.FH != l.FH || h.Owner != l.Owner || h.Last < l.First || l.Last < h.First {
			out = append(out, h)
			continue
		}
		if h.First < l.First {
			left := h
			left.Last = l.First - 1
			out = append(out, left)
		}
		if h.Last > l.Last {
			right := h
			right.First = l.Last + 1
			out = append(out, right)
		}
	}
	return out
}

// set is t with l: it replaces what its owner held of its bytes, and is joined
// with what lies beside it.
func (t lockTable) set(l HeldLock) lockTable {
	t = t.clear(&l)
	for i := 0; i < len(t); {
		h := &t[i]
		beside := h.Last != nlm.EOF && h.Last+1 == l.First || l.Last != nlm.EOF && l.Last+1 == h.First
		if h.FH == l.FH && h.Owner == l.Owner && h.Exclusive == l.Exclusive && h.State == l.State && h.Monitored == l.Monitored && beside {
			l.First, l.Last = min(l.First, h.First), max(l.Last, h.Last)
			t = slices.Delete(t, i, i+1)
			continue
		}
		i++
	}
	return append(t, l)
}

// Locks returns what is held and waited for: by file, then by first byte, and
// who waits behind who holds.
func (s *Server) Locks() []HeldLock {
	s.lockMu.Lock()
	defer s.lockMu.Unlock()
	l := slices.Clone(s.locks)
	for _, w := range s.waiting {
		l = append(l, w.HeldLock)
	}
	slices.SortStableFunc(l, func(a, b HeldLock) int {
		return cmp.Or(cmp.Compare(a.FH, b.FH), cmp.Compare(a.First, b.First))
	})
	return l
}

// share is what SHARE made.
type share struct {
	fh, host, oh string
	mode         nlm.Mode
	access       nlm.Access
}

// refuses reports whether two shares cannot be at once: what one does the other
// denies.
func (a *share) refuses(b *share) bool {
	if a.fh != b.fh || a.host == b.host && a.oh == b.oh {
		return false
	}
	return uint32(a.mode)&uint32(b.access) != 0 || uint32(b.mode)&uint32(a.access) != 0
}
