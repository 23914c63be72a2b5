package rpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/gonfs/gonfs/xdr"
)

// record returns the reply to a call as it is on the wire.
func record(call []byte, results xdr.Value) []byte {
	c := xdr.NewEncoder(nil)
	acceptedHeader(c, binary.BigEndian.Uint32(call), Success)
	results.XDR(c)
	b := append(c.Bytes(), c.Payload()...)
	b = append(b, make([]byte, -len(b)&3)...)
	return append(binary.BigEndian.AppendUint32(nil, 1<<31|uint32(len(b))), b...)
}

// readCall reads one record.
func readCall(nc net.Conn) ([]byte, error) {
	var mark [4]byte
	if _, err := io.ReadFull(nc, mark[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint32(mark[:])&^(1<<31))
	_, err := io.ReadFull(nc, b)
	return b, err
}

// A connection may break after any byte of a reply: what came is forgotten, and
// the same call goes again from the same port, with its payload whole.
func TestResetWithinAReply(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want := &opaque{[]byte("forty bytes of payload, in the sink of ..")}
	size := len(record(make([]byte, 4), want))
	served := make(chan error, 1)
	var conns []net.Conn // the last one is to be open for as long as the client looks at it
	go func() {          // ends when all replies have been broken, or with l
		served <- func() error {
			var port string
			var call []byte
			answered := size // the previous connection sent this much of a reply
			for at := 0; at <= size; {
				nc, err := l.Accept()
				if err != nil {
					return err
				}
				conns = append(conns, nc)
				for at <= size {
					b, err := readCall(nc)
					if err != nil {
						return err
					}
					if from := nc.RemoteAddr().String(); answered < size && (from != port || !bytes.Equal(b, call)) {
						return fmt.Errorf("after %d bytes %x came from %s, then %x from %s", answered, call, port, b, from)
					}
					port, call = nc.RemoteAddr().String(), b
					n := size
					if answered == size { // whole replies and broken ones by turns
						n = at
					}
					reply := record(b, want)
					if _, err := nc.Write(reply[:n]); err != nil {
						return err
					}
					if answered = n; n < size {
						at++
						nc.(*net.TCPConn).SetLinger(0)
						nc.Close()
						break
					}
					if at == size {
						at++
					}
				}
			}
			return nil
		}()
	}()
	c := dialClient(l.Addr(), Policy{})
	defer c.Close()
	for range size {
		var got opaque
		k := &Call{Proc: procEcho, Args: want, Reply: &got, Sink: make([]byte, 100), Place: placeOpaque}
		if err := c.Call(context.Background(), k); err != nil || !bytes.Equal(got.b, want.b) {
			t.Fatalf("got %q, %v", got.b, err)
		}
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if s := c.Stats(); s.Connects != uint64(size)+1 || s.BadReplies+s.UnknownXIDs != 0 {
		t.Errorf("%d bytes, %+v", size, s)
	}
	for _, nc := range conns {
		nc.Close()
	}
}
