package nfstest_test

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/xdr"
)

// rawConn is a connection on which the tests send what they like.
type rawConn struct {
	net.Conn
	t   *testing.T
	xid uint32
}

// dialRaw connects to the NFS port in memory.
func dialRaw(t *testing.T, s *nfstest.Server, network string) *rawConn {
	t.Helper()
	nc, err := s.DialContext(t.Context(), network, "server:2049")
	must(t, err)
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	return &rawConn{nc, t, 100}
}

// message is a call message with AUTH_SYS of root and the given groups.
func message(xid, prog, vers, proc uint32, args xdr.Value, gids ...uint32) []byte {
	cred := xdr.NewEncoder(nil)
	var zero uint32
	machine := "raw"
	cred.Uint32(&zero) // stamp
	cred.String(&machine, 255)
	cred.Uint32(&zero) // uid
	cred.Uint32(&zero) // gid
	xdr.Slice(cred, &gids, 100, 4, func(c *xdr.Codec, g *uint32) { c.Uint32(g) })
	body := cred.Bytes()
	e := xdr.NewEncoder(nil)
	for _, w := range []uint32{xid, 0, 2, prog, vers, proc, 1} {
		e.Uint32(&w)
	}
	e.Opaque(&body, 400)
	e.Uint32(&zero) // verifier: AUTH_NONE
	e.Uint32(&zero)
	if args != nil {
		args.XDR(e)
	}
	p := e.Payload()
	return append(append(e.Bytes(), p...), make([]byte, -len(p)&3)...)
}

// nfs is message for a procedure of NFS.
func (c *rawConn) nfs(proc uint32, args xdr.Value) []byte {
	c.xid++
	return message(c.xid, nfs3.Program, nfs3.Version, proc, args)
}

// send writes msg as one record.
func (c *rawConn) send(msg []byte) {
	c.t.Helper()
	_, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(msg))|1<<31), msg...))
	must(c.t, err)
}

// receive reads one record, fragments put together.
func (c *rawConn) receive() ([]byte, error) {
	var msg []byte
	for {
		var mark [4]byte
		if _, err := io.ReadFull(c, mark[:]); err != nil {
			return msg, err
		}
		w := binary.BigEndian.Uint32(mark[:])
		b := make([]byte, w&0x7fffffff)
		n, err := io.ReadFull(c, b)
		msg = append(msg, b[:n]...)
		if err != nil || w>>31 == 1 {
			return msg, err
		}
	}
}

// call sends msg and returns the reply.
func (c *rawConn) call(msg []byte) []byte {
	c.t.Helper()
	c.send(msg)
	r, err := c.receive()
	must(c.t, err)
	return r
}

// words are the first n words of a message.
func words(msg []byte, n int) []uint32 {
	w := make([]uint32, 0, n)
	for i := 0; i+4 <= len(msg) && len(w) < n; i += 4 {
		w = append(w, binary.BigEndian.Uint32(msg[i:]))
	}
	return w
}
