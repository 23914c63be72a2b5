package nfstest_test

import (
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/xdr"
)

// TestFaultsOnRealSockets looks at what reset and FIN do to a TCP socket.
func TestFaultsOnRealSockets(t *testing.T) {
	for name, tt := range map[string]struct {
		do   nfstest.Action
		n    int
		want error
	}{
		"reset at 7":  {nfstest.ResetAt(7), 7, syscall.ECONNRESET},
		"reset at 0":  {nfstest.ResetAt(0), 0, syscall.ECONNRESET},
		"ended at 10": {nfstest.FinAt(10), 10, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			s := nfstest.Start(t, nfstest.Options{})
			_, _, port := s.Ports()
			nc, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
			must(t, err)
			defer nc.Close()
			c := &rawConn{nc, t, 1}
			s.Fault(nfstest.Fault{Procs: []uint32{0}, Do: []nfstest.Action{tt.do}})
			c.send(c.nfs(nfs3.ProcNull, nil))
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			b, err := io.ReadAll(c)
			if err == nil {
				err = io.EOF
			}
			// A reset may overtake the bytes before it.
			if len(b) > tt.n || tt.want == io.EOF && len(b) != tt.n || !errors.Is(err, tt.want) {
				t.Errorf("read %d bytes, %v; want %d, %v", len(b), err, tt.n, tt.want)
			}
		})
	}
}

func TestAReplyThatFitsNoDatagramIsLost(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{Allow: []nfstest.Kind{nfstest.TooMuch}})
	must(t, s.WriteFile("f", make([]byte, 100<<10), 0644))
	f, err := s.Handle("f")
	must(t, err)
	_, _, port := s.Ports()
	nc, err := net.Dial("udp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	must(t, err)
	defer nc.Close()
	c := &rawConn{nc, t, 1}
	s.Fault(nfstest.Fault{Do: []nfstest.Action{nfstest.Reply(func(_, reply any) {
		if r, ok := reply.(*nfs3.ReadReply); ok {
			r.Data = make([]byte, 80<<10)
		}
	})}})
	read := c.nfs(nfs3.ProcRead, &nfs3.ReadArgs{File: f, Count: 80 << 10})
	if _, err := c.Write(read); err != nil {
		t.Fatal(err)
	}
	null := c.nfs(nfs3.ProcNull, nil)
	if _, err := c.Write(null); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	p := make([]byte, 1<<16)
	n, err := c.Read(p)
	if err != nil || n != 24 || words(p, 1)[0] != c.xid {
		t.Errorf("read %d bytes of %v, %v; want the reply to NULL", n, words(p[:n], 1), err)
	}
}

// TestManyClientsAtOnce is for the race detector: clients, faults, restarts and
// the oracle all at the same time.
func TestManyClientsAtOnce(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{MaxBytes: 1 << 20, Allow: []nfstest.Kind{nfstest.NotCommitted}})
	s.Fault(nfstest.Fault{Times: nfstest.Forever, Chance: 0.05, Do: []nfstest.Action{nfstest.DuplicateCall(1), nfstest.Reorder(time.Millisecond)}})
	s.Fault(nfstest.Fault{Times: nfstest.Forever, Chance: 0.05, Do: []nfstest.Action{nfstest.ResetAt(30)}})
	root, err := s.Handle("/")
	must(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			network := []string{"tcp", "udp"}[i%2]
			var c *rawConn
			for k := range 60 {
				if c == nil {
					nc, err := s.DialContext(t.Context(), network, "x:2049")
					if err != nil {
						t.Error(err)
						return
					}
					c = &rawConn{nc, t, uint32(i*1000 + k)}
				}
				name := string(rune('a' + k%5))
				var args xdr.Value = &nfs3.CreateArgs{Where: nfs3.DirOpArgs{Dir: root, Name: name}}
				proc := uint32(nfs3.ProcCreate)
				if k%3 == 0 {
					proc, args = nfs3.ProcRemove, &nfs3.RemoveArgs{Object: nfs3.DirOpArgs{Dir: root, Name: name}}
				}
				msg := c.nfs(proc, args)
				c.SetDeadline(time.Now().Add(100 * time.Millisecond))
				if network == "udp" {
					c.Write(msg)
					c.Read(make([]byte, 1000))
					continue
				}
				rec := append([]byte{0x80, 0, byte(len(msg) >> 8), byte(len(msg))}, msg...)
				if _, err := c.Write(rec); err == nil {
					_, err = c.receive()
					if err == nil {
						continue
					}
				}
				c.Close()
				c = nil
			}
			if c != nil {
				c.Close()
			}
		})
	}
	for range 5 {
		time.Sleep(time.Millisecond)
		s.Restart()
		if _, err := s.Tree(); err != nil {
			t.Error(err)
		}
		s.Counts()
	}
	wg.Wait()
}
