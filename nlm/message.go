package nlm

import "github.com/gonfs/gonfs/xdr"

// newArgs returns an empty value of what proc carries, or nil for NULL and for
// procedures that do not exist.
func newArgs(proc uint32) xdr.Value {
	switch proc {
	case ProcTest, ProcTestMsg, ProcGranted, ProcGrantedMsg:
		return new(TestArgs)
	case ProcLock, ProcLockMsg, ProcNMLock:
		return new(LockArgs)
	case ProcCancel, ProcCancelMsg:
		return new(CancelArgs)
	case ProcUnlock, ProcUnlockMsg:
		return new(UnlockArgs)
	case ProcTestRes:
		return new(TestRes)
	case ProcLockRes, ProcCancelRes, ProcUnlockRes, ProcGrantedRes:
		return new(Res)
	case ProcShare, ProcUnshare:
		return new(ShareArgs)
	case ProcFreeAll:
		return new(Notify)
	}
	return nil
}

// IsMessage reports whether proc is one of the _MSG and _RES forms.
func IsMessage(proc uint32) bool { return proc >= ProcTestMsg && proc <= ProcGrantedRes }

// IsResult reports whether proc is one of the _RES forms.
func IsResult(proc uint32) bool { return proc >= ProcTestRes && proc <= ProcGrantedRes }

// ResultOf is the _RES form that answers the _MSG form proc.
func ResultOf(proc uint32) uint32 { return proc + (ProcTestRes - ProcTestMsg) }

// RequestOf is the procedure whose arguments the _MSG form proc carries.
func RequestOf(proc uint32) uint32 { return proc - (ProcTestMsg - ProcTest) }
