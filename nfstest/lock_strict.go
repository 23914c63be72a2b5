package nfstest

import (
	"fmt"

	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/xdr"
)

// newLockArgs returns what the arguments of a call of NLM are decoded into.
func newLockArgs(c *Call) xdr.Value {
	if c.Version != nlm.Version {
		return nil
	}
	switch c.Proc {
	case nlm.ProcTest, nlm.ProcTestMsg:
		return new(nlm.TestArgs)
	case nlm.ProcLock, nlm.ProcLockMsg, nlm.ProcNMLock:
		return new(nlm.LockArgs)
	case nlm.ProcCancel, nlm.ProcCancelMsg:
		return new(nlm.CancelArgs)
	case nlm.ProcUnlock, nlm.ProcUnlockMsg:
		return new(nlm.UnlockArgs)
	case nlm.ProcShare, nlm.ProcUnshare:
		return new(nlm.ShareArgs)
	case nlm.ProcFreeAll:
		return new(nlm.Notify)
	case nlm.ProcGrantedRes:
		return new(nlm.Res)
	}
	return nil
}

// lockText shows what is most telling of a lock.
func lockText(l *nlm.Lock) string {
	first, last, _ := nlm.Bounds(l.Offset, l.Length)
	if last == nlm.EOF {
		return fmt.Sprintf(" svid %d bytes %d-", l.Svid, first)
	}
	return fmt.Sprintf(" svid %d bytes %d-%d", l.Svid, first, last)
}

// ownerFile is an owner and a file.
type ownerFile struct {
	owner LockOwner
	fh    string
}

func fileOf(l *nlm.Lock) ownerFile {
	return ownerFile{LockOwner{l.CallerName, string(l.OH), l.Svid}, string(l.FH)}
}

// lockArrived watches that an owner has one LOCK of a file outstanding: of two,
// nobody knows which one the server takes first. CANCEL and UNLOCK end the
// first, whose caller may have left.
func (s *Server) lockArrived(c *Call) {
	s.lockMu.Lock()
	var other bool
	switch a := c.Args.(type) {
	case *nlm.LockArgs:
		of := fileOf(&a.Lock)
		xid, busy := s.busy[of]
		other = busy && xid != c.XID
		if len(s.busy) < maxLocks {
			s.busy[of] = c.XID
		}
	case *nlm.CancelArgs:
		delete(s.busy, fileOf(&a.Lock))
	case *nlm.UnlockArgs:
		delete(s.busy, fileOf(&a.Lock))
	}
	s.lockMu.Unlock()
	if other {
		s.violate(BusyOwner, c, "another LOCK of the owner is outstanding")
	}
}

// lockAnswered says that the reply of c is being sent.
func (s *Server) lockAnswered(c *Call) {
	if a, ok := c.Args.(*nlm.LockArgs); ok {
		s.lockMu.Lock()
		if of := fileOf(&a.Lock); s.busy[of] == c.XID {
			delete(s.busy, of)
		}
		s.lockMu.Unlock()
	}
}
