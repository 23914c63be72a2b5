package nfstest

import (
	"context"
	"reflect"
	"strings"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Fsinfo is FSINFO (RFC 1813 section 3.3.19).
func (v service) Fsinfo(ctx context.Context, r *rpc.Request, a *nfs3.FsinfoArgs, p *nfs3.FsinfoReply) {
	v.do(ctx, r, p, func(*ident) {
		if p.Attr, p.Status = v.attr(a.Root); p.Status != nfs3.OK {
			return
		}
		p.Rtmax, p.Rtpref, p.Rtmult = v.s.rtmax(r), v.s.rtmax(r), 512
		p.Wtmax, p.Wtpref, p.Wtmult = v.s.wtmax(r), v.s.wtmax(r), 512
		p.Dtpref = v.s.dtpref(r)
		p.MaxFileSize = maxSize
		p.TimeDelta = nfs3.Time{Nsec: 1}
		if g := v.s.o.Granularity; g > 0 {
			p.TimeDelta = nfs3.Time{Sec: uint32(g / 1e9), Nsec: uint32(g % 1e9)}
		}
		p.Properties = nfs3.FSFLink | nfs3.FSFSymlink | nfs3.FSFHomogeneous | nfs3.FSFCanSetTime
	})
}

// Pathconf is PATHCONF (RFC 1813 section 3.3.20).
func (v service) Pathconf(ctx context.Context, r *rpc.Request, a *nfs3.PathconfArgs, p *nfs3.PathconfReply) {
	v.do(ctx, r, p, func(*ident) {
		if p.Attr, p.Status = v.attr(a.Object); p.Status == nfs3.OK {
			p.LinkMax, p.NameMax = linkMax, nameMax
			p.NoTrunc, p.ChownRestricted, p.CasePreserving = true, true, true
		}
	})
}

// attr returns the attributes of fh as they follow a reply.
func (v service) attr(fh nfs3.FH) (nfs3.PostOpAttr, nfs3.Status) {
	var g nfs3.GetattrReply
	v.s.fs.getattr(fh, &g)
	return nfs3.PostOpAttr{Present: g.Status == nfs3.OK, Attr: g.Attr}, g.Status
}

// overUDP reports whether the call came in a datagram, whose reply must fit
// into one.
func overUDP(r *rpc.Request) bool {
	return r.Remote != nil && strings.HasPrefix(r.Remote.Network(), "udp")
}

func (s *Server) ioMax(r *rpc.Request, n uint32) uint32 {
	if overUDP(r) {
		return min(n, udpIO)
	}
	return n
}

func (s *Server) rtmax(r *rpc.Request) uint32  { return s.ioMax(r, s.o.Rtmax) }
func (s *Server) wtmax(r *rpc.Request) uint32  { return s.ioMax(r, s.o.Wtmax) }
func (s *Server) dtpref(r *rpc.Request) uint32 { return s.ioMax(r, s.o.Dtpref) }

// listMax is the longest page of a directory that is sent.
func (s *Server) listMax(r *rpc.Request) uint32 { return s.ioMax(r, maxList) }

// setStatus makes reply, a pointer to a reply struct, fail with st.
func setStatus(reply any, st nfs3.Status) {
	reflect.ValueOf(reply).Elem().FieldByName("Status").SetUint(uint64(st))
}

// stripAttr leaves out of reply, a pointer to a reply struct, all attributes
// that RFC 1813 makes optional.
func stripAttr(reply any) {
	v := reflect.ValueOf(reply).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i).Addr().Interface().(type) {
		case *nfs3.PostOpAttr:
			f.Present = false
		case *nfs3.WccData:
			f.Before.Present, f.After.Present = false, false
		case *[]nfs3.EntryPlus:
			for i := range *f {
				(*f)[i].Attr.Present = false
			}
		}
	}
}
