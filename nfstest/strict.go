package nfstest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/rpc"
)

// Kind is a kind of violation.
type Kind string

// The kinds of violations.
const (
	BadRecord    Kind = "bad record"        // RFC 5531 section 11, or too long
	BadCall      Kind = "bad call"          // not a call message of RFC 5531
	BadArgs      Kind = "bad arguments"     // they cannot be decoded, or something follows them
	NotCanonical Kind = "not canonical"     // padding is not zero, say
	XIDReused    Kind = "XID reused"        // by another call, on one connection
	Overlap      Kind = "overlapping WRITE" // two are outstanding: the server may execute them in either order
	TooMuch      Kind = "count too large"   // over rtmax or wtmax
	ManyGroups   Kind = "too many groups"   // over 16 in AUTH_SYS
	LongName     Kind = "name too long"     // over PATHCONF's name_max
	BadName      Kind = "bad name"          // "", ".", "..", or with "/" or NUL, where a file is to be made or removed
	NotCommitted Kind = "not committed"     // UNSTABLE data was left at the end
	LockLeft     Kind = "lock left"         // a lock was held or waited for at the end
	LongCookie   Kind = "cookie too long"   // over 32 bytes: NLM allows 1024, and Linux servers do not take them
	BusyOwner    Kind = "busy owner"        // a LOCK came while another one of its owner was outstanding
	BadRange     Kind = "bad range"         // of a lock: it goes beyond 2^63-1
	FreeAll      Kind = "FREE_ALL"          // it kills nfs-ganesha 4.3
)

// Violation is something that a client must not do.
type Violation struct {
	Kind Kind
	Text string
}

// String is the violation in one line.
func (v Violation) String() string { return string(v.Kind) + ": " + v.Text }

// maxViolations is how many violations are kept.
const maxViolations = 100

// Violations returns what clients did wrong so far, one line each, 100 at most.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var l []string
	for _, v := range s.broken {
		l = append(l, v.String())
	}
	return l
}

// violate records a violation, unless the kind is allowed; c may be nil.
func (s *Server) violate(k Kind, c *Call, text string) {
	if s.o.Lax || slices.Contains(s.o.Allow, k) {
		return
	}
	if c != nil {
		text = fmt.Sprintf("%s: %v", text, c)
	}
	v := Violation{k, text}
	s.mu.Lock()
	if len(s.broken) < maxViolations {
		s.broken = append(s.broken, v)
	}
	s.mu.Unlock()
	s.note("VIOLATION " + v.String())
}

// check looks at one call by itself.
func (l *link) check(c *Call) {
	s := l.s
	if c.gids > rpc.MaxGIDs {
		s.violate(ManyGroups, c, fmt.Sprintf("%d groups", c.gids))
	}
	if c.odd {
		s.violate(NotCanonical, c, "credential is not encoded as XDR wants it (padding that is not zero?)")
	}
	switch {
	case c.Proc == nfs3.ProcNull, c.Program == nlm.Program && newLockArgs(c) == nil:
		return
	case c.Program == nlm.Program && c.Version == nlm.Version:
	case !nfsDoor(c.Program) || c.Version != nfs3.Version: // NFSACL has the same version
		return
	}
	if c.Args == nil {
		s.violate(BadArgs, c, "arguments cannot be decoded")
		return
	}
	if head, payload := c.canonical(); !sameBytes(c.msg, head, payload) {
		s.violate(NotCanonical, c, "encoding differs from XDR's (padding that is not zero?)")
	}
	r := &rpc.Request{Remote: c.Remote}
	over := func(what string, count, limit uint32) {
		if count > limit {
			s.violate(TooMuch, c, fmt.Sprintf("%s %d is over %d", what, count, limit))
		}
	}
	switch a := c.Args.(type) {
	case *nfs3.ReadArgs:
		over("count", a.Count, s.rtmax(r))
	case *nfs3.WriteArgs:
		over("count", a.Count, s.wtmax(r))
		if uint64(a.Count) != uint64(len(a.Data)) {
			s.violate(BadArgs, c, fmt.Sprintf("count %d with %d bytes of data", a.Count, len(a.Data)))
		}
	case *nfs3.ReaddirArgs:
		over("count", a.Count, s.rtmax(r)) // dtpref is what the server prefers, and no bound
	case *nfs3.ReaddirplusArgs:
		over("maxcount", a.MaxCount, s.rtmax(r))
	}
	for _, name := range namesOf(c.Args) {
		if len(name) > nameMax {
			s.violate(LongName, c, fmt.Sprintf("%d bytes", len(name)))
		}
		if name == "" || strings.ContainsAny(name, "/\x00") || (name == "." || name == "..") && c.Proc != nfs3.ProcLookup {
			s.violate(BadName, c, fmt.Sprintf("%q", name))
		}
	}
}

// sameBytes reports whether msg is head, payload and zero padding.
func sameBytes(msg, head, payload []byte) bool {
	rest, ok := bytes.CutPrefix(msg, head)
	if !ok || len(rest) != (len(payload)+3)&^3 {
		return false
	}
	// The payload aliases the message: comparing it would tell nothing.
	for _, b := range rest[len(payload):] {
		if b != 0 {
			return false
		}
	}
	return true
}

// namesOf returns the names of directory entries among the arguments.
func namesOf(args any) []string {
	switch a := args.(type) {
	case *nfs3.LookupArgs:
		return []string{a.What.Name}
	case *nfs3.CreateArgs:
		return []string{a.Where.Name}
	case *nfs3.MkdirArgs:
		return []string{a.Where.Name}
	case *nfs3.SymlinkArgs:
		return []string{a.Where.Name}
	case *nfs3.MknodArgs:
		return []string{a.Where.Name}
	case *nfs3.RemoveArgs:
		return []string{a.Object.Name}
	case *nfs3.RmdirArgs:
		return []string{a.Object.Name}
	case *nfs3.RenameArgs:
		return []string{a.From.Name, a.To.Name}
	case *nfs3.LinkArgs:
		return []string{a.Link.Name}
	}
	return nil
}
