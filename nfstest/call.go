package nfstest

import (
	"bytes"
	"context"
	"fmt"
	"net"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// Call is a call that the server received, as Fault.If and the log see it.
type Call struct {
	Network string   // "tcp", "udp", "tcp6" or "udp6"
	Remote  net.Addr // who sent it

	XID                    uint32
	Program, Version, Proc uint32
	Flavor                 rpc.Flavor
	Cred                   *rpc.Cred // AUTH_SYS; nil otherwise
	Machine                string    // the machine name of AUTH_SYS
	// Args are the decoded arguments of an NFS, NFSACL or NLM procedure, such as
	// *nfs3.ReadArgs; nil for other programs and for what cannot be decoded.
	// They are valid until the call is answered.
	Args xdr.Value

	msg    []byte // the whole message
	argsAt int    // where its arguments begin
	gids   int    // how many groups the credential carried
	odd    bool   // the credential is not encoded as XDR wants it
	faults plan
}

// Size is the length of the whole message in bytes, without a record mark: what
// a station on the way goes by that swallows long frames. A fault's If may ask.
func (c *Call) Size() int { return len(c.msg) }

// Sizes of RFC 5531.
const (
	maxAuth    = 400 // the body of a credential or verifier, section 8.2
	maxMachine = 255 // the machine name of AUTH_SYS, appendix A
)

// parseCall reads the head of a call message (RFC 5531 section 9) and, for
// NFS, its arguments. It is written from the RFC and shares no code with the
// rpc package: what one of the two misread, the other would not accept.
func parseCall(msg []byte) (*Call, error) {
	var (
		c               = &Call{msg: msg}
		kind, vers      uint32
		flavor, verf    uint32
		body, verfBytes []byte
		d               = xdr.NewDecoder(msg)
	)
	for _, w := range []*uint32{&c.XID, &kind, &vers, &c.Program, &c.Version, &c.Proc, &flavor} {
		d.Uint32(w)
	}
	d.Opaque(&body, maxAuth)
	d.Uint32(&verf)
	d.Opaque(&verfBytes, maxAuth)
	switch {
	case d.Err() != nil:
		return nil, d.Err()
	case kind != 0:
		return nil, fmt.Errorf("nfstest: message type %d is not CALL", kind)
	case vers != 2:
		return nil, fmt.Errorf("nfstest: RPC version %d", vers)
	}
	c.argsAt = d.Offset()
	if c.Flavor = rpc.Flavor(flavor); c.Flavor == rpc.FlavorSys {
		if err := c.parseSys(body); err != nil {
			return nil, err
		}
	}
	if c.Args = newArgs(c); c.Args != nil {
		if c.Args.XDR(d); d.Err() != nil || d.Remaining() != 0 {
			c.Args = nil
		}
	}
	return c, nil
}

// parseSys reads authsys_parms (RFC 5531 appendix A). More than 16 groups are
// read all the same, to be reported.
func (c *Call) parseSys(body []byte) error {
	var (
		d               = xdr.NewDecoder(body)
		stamp, uid, gid uint32
		gids            []uint32
	)
	d.Uint32(&stamp)
	d.String(&c.Machine, maxMachine)
	d.Uint32(&uid)
	d.Uint32(&gid)
	xdr.Slice(d, &gids, maxAuth/4, 4, func(d *xdr.Codec, g *uint32) { d.Uint32(g) })
	if d.Err() != nil {
		return fmt.Errorf("AUTH_SYS: %w", d.Err())
	}
	c.Cred, c.gids = rpc.NewCred(uid, gid, gids), len(gids)
	e := xdr.NewEncoder(nil)
	e.Uint32(&stamp)
	e.String(&c.Machine, maxMachine)
	e.Uint32(&uid)
	e.Uint32(&gid)
	xdr.Slice(e, &gids, maxAuth/4, 4, func(e *xdr.Codec, g *uint32) { e.Uint32(g) })
	c.odd = !bytes.Equal(e.Bytes(), body)
	return nil
}

// canonical returns the message as this server would have encoded it: any
// difference is padding that is not zero, or another liberty.
func (c *Call) canonical() (head, payload []byte) {
	e := xdr.NewEncoder(nil)
	d := xdr.NewDecoder(c.msg)
	var w uint32
	for range 7 {
		d.Uint32(&w)
		e.Uint32(&w)
	}
	var body []byte
	d.Opaque(&body, maxAuth)
	e.Opaque(&body, maxAuth)
	d.Uint32(&w) // the verifier's flavour
	e.Uint32(&w)
	d.Opaque(&body, maxAuth)
	e.Opaque(&body, maxAuth)
	c.Args.XDR(e)
	return e.Bytes(), e.Payload()
}

// Name returns the procedure's name: "READ", "MOUNT.MNT", "RPCBIND.GETPORT",
// or numbers.
func (c *Call) Name() string {
	switch c.Program {
	case nfs3.Program:
		if c.Version == nfs3.Version && c.Proc < uint32(len(nfs3.Procs)) {
			return nfs3.Procs[c.Proc].Name
		}
	case nfsacl.Program:
		if names := [...]string{"NULL", "GETACL", "SETACL"}; c.Proc < uint32(len(names)) {
			return "NFSACL." + names[c.Proc]
		}
	case mountd.Program:
		if names := [...]string{"NULL", "MNT", "DUMP", "UMNT", "UMNTALL", "EXPORT"}; c.Proc < uint32(len(names)) {
			return "MOUNT." + names[c.Proc]
		}
	case nlm.Program:
		if name := nlm.ProcName(c.Proc); name != "" && c.Version == nlm.Version {
			return "NLM." + name
		}
	case nsm.Program:
		if names := [...]string{"NULL", "STAT", "MON", "UNMON", "UNMON_ALL", "SIMU_CRASH", "NOTIFY"}; c.Proc < uint32(len(names)) {
			return "NSM." + names[c.Proc]
		}
	case portmap.Program:
		switch {
		case c.Proc == portmap.ProcNull:
			return "RPCBIND.NULL"
		case c.Proc == portmap.ProcGetport && c.Version == portmap.Version2:
			return "RPCBIND.GETPORT"
		case c.Proc == portmap.RpcbProcGetaddr:
			return "RPCBIND.GETADDR"
		case c.Proc == portmap.ProcDump:
			return "RPCBIND.DUMP"
		case c.Proc == portmap.ProcSet:
			return "RPCBIND.SET"
		case c.Proc == portmap.ProcUnset:
			return "RPCBIND.UNSET"
		}
	}
	return fmt.Sprintf("%d.%d.%d", c.Program, c.Version, c.Proc)
}

// String is the call as the log shows it.
func (c *Call) String() string {
	return fmt.Sprintf("%s %v xid %08x %s%s", c.Network, c.Remote, c.XID, c.Name(), argsText(c.Args))
}

// argsText shows what is most telling of the arguments.
func argsText(args any) string {
	switch a := args.(type) {
	case *nlm.LockArgs:
		return lockText(&a.Lock)
	case *nlm.UnlockArgs:
		return lockText(&a.Lock)
	case *nlm.CancelArgs:
		return lockText(&a.Lock)
	case *nfs3.LookupArgs:
		return fmt.Sprintf(" %q", a.What.Name)
	case *nfs3.ReadArgs:
		return fmt.Sprintf(" %d+%d", a.Offset, a.Count)
	case *nfs3.WriteArgs:
		return fmt.Sprintf(" %d+%d %v", a.Offset, a.Count, a.Stable)
	case *nfs3.CommitArgs:
		return fmt.Sprintf(" %d+%d", a.Offset, a.Count)
	case *nfs3.CreateArgs:
		return fmt.Sprintf(" %q mode %d", a.Where.Name, a.How.Mode)
	case *nfs3.MkdirArgs:
		return fmt.Sprintf(" %q", a.Where.Name)
	case *nfs3.RemoveArgs:
		return fmt.Sprintf(" %q", a.Object.Name)
	case *nfs3.RmdirArgs:
		return fmt.Sprintf(" %q", a.Object.Name)
	case *nfs3.RenameArgs:
		return fmt.Sprintf(" %q %q", a.From.Name, a.To.Name)
	case *nfs3.LinkArgs:
		return fmt.Sprintf(" %q", a.Link.Name)
	case *nfs3.ReaddirArgs:
		return fmt.Sprintf(" cookie %d", a.Cookie)
	case *nfs3.ReaddirplusArgs:
		return fmt.Sprintf(" cookie %d", a.Cookie)
	}
	return ""
}

// newArgs returns what the arguments of an NFS call are decoded into.
func newArgs(c *Call) xdr.Value {
	switch {
	case c.Program == nfsacl.Program:
		return newACLArgs(c)
	case c.Program == nlm.Program:
		return newLockArgs(c)
	case c.Program != nfs3.Program || c.Version != nfs3.Version:
		return nil
	}
	switch c.Proc {
	case nfs3.ProcGetattr:
		return new(nfs3.GetattrArgs)
	case nfs3.ProcSetattr:
		return new(nfs3.SetattrArgs)
	case nfs3.ProcLookup:
		return new(nfs3.LookupArgs)
	case nfs3.ProcAccess:
		return new(nfs3.AccessArgs)
	case nfs3.ProcReadlink:
		return new(nfs3.ReadlinkArgs)
	case nfs3.ProcRead:
		return new(nfs3.ReadArgs)
	case nfs3.ProcWrite:
		return new(nfs3.WriteArgs)
	case nfs3.ProcCreate:
		return new(nfs3.CreateArgs)
	case nfs3.ProcMkdir:
		return new(nfs3.MkdirArgs)
	case nfs3.ProcSymlink:
		return new(nfs3.SymlinkArgs)
	case nfs3.ProcMknod:
		return new(nfs3.MknodArgs)
	case nfs3.ProcRemove:
		return new(nfs3.RemoveArgs)
	case nfs3.ProcRmdir:
		return new(nfs3.RmdirArgs)
	case nfs3.ProcRename:
		return new(nfs3.RenameArgs)
	case nfs3.ProcLink:
		return new(nfs3.LinkArgs)
	case nfs3.ProcReaddir:
		return new(nfs3.ReaddirArgs)
	case nfs3.ProcReaddirplus:
		return new(nfs3.ReaddirplusArgs)
	case nfs3.ProcFsstat:
		return new(nfs3.FsstatArgs)
	case nfs3.ProcFsinfo:
		return new(nfs3.FsinfoArgs)
	case nfs3.ProcPathconf:
		return new(nfs3.PathconfArgs)
	case nfs3.ProcCommit:
		return new(nfs3.CommitArgs)
	}
	return nil
}

// callKey is the key under which a context carries the *Call.
type callKey struct{}

// callOf returns the call that ctx belongs to.
func callOf(ctx context.Context) *Call { return ctx.Value(callKey{}).(*Call) }
