package nfstest

import (
	"io"
	"net"
	"testing"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/transport"
	"github.com/gonfs/gonfs/xdr"
)

// A call that was read from a connection just before a restart reset it died
// with the server: if it were executed afterwards, it would undo what its copy
// on another connection, and others since, have done.
func TestACallOfAConnectionThatARestartResetIsNotExecuted(t *testing.T) {
	for _, restart := range []bool{false, true} {
		s := NewFor(t, Options{})
		near, far := net.Pipe()
		defer near.Close()
		defer far.Close()
		l := &link{network: "tcp", local: near.LocalAddr(), remote: near.RemoteAddr(), nc: far, door: doorNFS}
		if !s.newLink(l) {
			t.Fatal("the server takes no connections")
		}
		go func() { _, _ = io.Copy(io.Discard, near) }() // the reply; ends with the connection
		c := xdr.NewEncoder(nil)
		for _, word := range []uint32{1, 0, 2, nfs3.Program, nfs3.Version, nfs3.ProcMkdir, 0, 0, 0, 0} {
			c.Uint32(&word)
		}
		args := nfs3.MkdirArgs{Where: nfs3.DirOpArgs{Dir: s.fs.rootFH(), Name: "made"}}
		args.XDR(c)
		if err := c.Err(); err != nil {
			t.Fatal(err)
		}
		msg := transport.NewBuffer(len(c.Bytes()))
		copy(msg.Bytes(), c.Bytes())
		if restart {
			s.Restart()
		}
		l.receive(msg)
		l.slots <- struct{}{} // the call is over when its slot is free
		for range cap(l.slots) - 1 {
			l.slots <- struct{}{}
		}
		if _, err := s.Stat("made"); (err == nil) == restart {
			t.Errorf("with a restart between: %v; MKDIR was executed: %v", restart, err == nil)
		}
		s.forget(l)
	}
}
