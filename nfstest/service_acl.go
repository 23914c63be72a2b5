package nfstest

import (
	"context"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/xdr"
)

// aclService is the NFSACL program, over the same store as NFS.
type aclService struct{ service }

// Getacl is GETACL. Any caller may ask, as for GETATTR.
func (v aclService) Getacl(ctx context.Context, r *rpc.Request, a *nfsacl.GetaclArgs, p *nfsacl.GetaclReply) {
	v.do(ctx, r, p, func(*ident) { v.s.fs.getacl(a.Object, a.Mask, p) })
}

// Setacl is SETACL.
func (v aclService) Setacl(ctx context.Context, r *rpc.Request, a *nfsacl.SetaclArgs, p *nfsacl.SetaclReply) {
	v.change(ctx, r, p, func(w *ident) { v.s.fs.setacl(w, a.Object, &a.Lists, p) })
}

// newACLArgs returns what the arguments of a NFSACL call are decoded into.
func newACLArgs(c *Call) xdr.Value {
	switch {
	case c.Version != nfsacl.Version:
	case c.Proc == nfsacl.ProcGetacl:
		return new(nfsacl.GetaclArgs)
	case c.Proc == nfsacl.ProcSetacl:
		return new(nfsacl.SetaclArgs)
	}
	return nil
}

// nfsDoor reports whether a program is served at NFS's port, to whom the export
// lets in.
func nfsDoor(program uint32) bool { return program == nfs3.Program || program == nfsacl.Program }
