package rpc

import "strconv"

// AcceptStat is accept_stat of RFC 5531 section 9: what became of a call that
// the server accepted.
type AcceptStat uint32

// The values of accept_stat.
const (
	Success      AcceptStat = 0
	ProgUnavail  AcceptStat = 1
	ProgMismatch AcceptStat = 2
	ProcUnavail  AcceptStat = 3
	GarbageArgs  AcceptStat = 4
	SystemErr    AcceptStat = 5
)

// RejectStat is reject_stat of RFC 5531 section 9: why a server did not accept
// a call.
type RejectStat uint32

// The values of reject_stat.
const (
	RPCMismatch RejectStat = 0 // the server speaks another version of RPC
	AuthError   RejectStat = 1 // the server did not take the credential
)

// AuthStat is auth_stat of RFC 5531 section 9: what was wrong with the
// credential or the verifier.
type AuthStat uint32

// The values of auth_stat.
const (
	AuthOK           AuthStat = 0
	AuthBadCred      AuthStat = 1
	AuthRejectedCred AuthStat = 2
	AuthBadVerf      AuthStat = 3
	AuthRejectedVerf AuthStat = 4
	AuthTooWeak      AuthStat = 5
	AuthInvalidResp  AuthStat = 6
	AuthFailed       AuthStat = 7
	AuthKerbGeneric  AuthStat = 8
	AuthTimeExpire   AuthStat = 9
	AuthTktFile      AuthStat = 10
	AuthDecode       AuthStat = 11
	AuthNetAddr      AuthStat = 12
	GSSCredProblem   AuthStat = 13
	GSSCtxProblem    AuthStat = 14
)

var acceptNames = [...]string{
	Success: "SUCCESS", ProgUnavail: "PROG_UNAVAIL", ProgMismatch: "PROG_MISMATCH",
	ProcUnavail: "PROC_UNAVAIL", GarbageArgs: "GARBAGE_ARGS", SystemErr: "SYSTEM_ERR",
}

var rejectNames = [...]string{RPCMismatch: "RPC_MISMATCH", AuthError: "AUTH_ERROR"}

var authNames = [...]string{
	AuthOK: "AUTH_OK", AuthBadCred: "AUTH_BADCRED", AuthRejectedCred: "AUTH_REJECTEDCRED",
	AuthBadVerf: "AUTH_BADVERF", AuthRejectedVerf: "AUTH_REJECTEDVERF", AuthTooWeak: "AUTH_TOOWEAK",
	AuthInvalidResp: "AUTH_INVALIDRESP", AuthFailed: "AUTH_FAILED", AuthKerbGeneric: "AUTH_KERB_GENERIC",
	AuthTimeExpire: "AUTH_TIMEEXPIRE", AuthTktFile: "AUTH_TKT_FILE", AuthDecode: "AUTH_DECODE",
	AuthNetAddr: "AUTH_NET_ADDR", GSSCredProblem: "RPCSEC_GSS_CREDPROBLEM", GSSCtxProblem: "RPCSEC_GSS_CTXPROBLEM",
}

// name looks n up in names, falling back to its number.
func name(names []string, n uint32) string {
	if uint64(n) < uint64(len(names)) {
		return names[n]
	}
	return strconv.FormatUint(uint64(n), 10)
}

// String returns the RFC's name.
func (s AcceptStat) String() string { return name(acceptNames[:], uint32(s)) }

// String returns the RFC's name.
func (s RejectStat) String() string { return name(rejectNames[:], uint32(s)) }

// String returns the RFC's name.
func (s AuthStat) String() string { return name(authNames[:], uint32(s)) }
