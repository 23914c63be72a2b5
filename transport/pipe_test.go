package transport

import (
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPipeCarriesMessagesBothWays(t *testing.T) {
	noLeak(t)
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		var atA, atB collector
		done := make(chan error, 2)
		go func() { done <- a.Serve(&atA) }()
		go func() { done <- b.Serve(&atB) }()
		head := []byte("head0000")
		for i := range 3 {
			head[7] = byte('0' + i)
			if err := a.Send(head, []byte("pay"), nil); err != nil {
				t.Fatal(err)
			}
		}
		msg := sinkMessage("for the sink!")
		b.Send([]byte(msg[:8]), []byte(msg[8:8+13]), nil)
		b.Send([]byte("abcd"), nil, nil)
		synctest.Wait()
		if d := cmp.Diff([]received{{msg: "head0000pay\x00"}, {msg: "head0001pay\x00"}, {msg: "head0002pay\x00"}}, atB.messages(), cmp.AllowUnexported(received{})); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]received{{msg[:8], "for the sink!"}, {msg: "abcd"}}, atA.messages(), cmp.AllowUnexported(received{})); d != "" {
			t.Error(d)
		}
		if a.LocalAddr() != b.RemoteAddr() || a.RemoteAddr() != b.LocalAddr() || a.LocalAddr().String() == a.RemoteAddr().String() {
			t.Error("addresses", a.LocalAddr(), a.RemoteAddr(), b.LocalAddr(), b.RemoteAddr())
		}
		a.Close()
		b.Close()
		<-done
		<-done
	})
}

func TestEndsOfPipes(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(a, b Conn)
		errA error // of a's Serve
		errB error
		sent int   // of two messages that a had sent, those that b gets
		send error // of a's Send afterwards
		back error // of b's Send afterwards
	}{
		{"after Close the peer reads what was sent", func(a, b Conn) { a.Close() }, net.ErrClosed, io.EOF, 2, net.ErrClosed, io.ErrClosedPipe},
		{"Close twice is Close", func(a, b Conn) { a.Close(); a.Close() }, net.ErrClosed, io.EOF, 2, net.ErrClosed, io.ErrClosedPipe},
		{"Abort loses what was sent", func(a, b Conn) { a.Abort() }, net.ErrClosed, io.ErrClosedPipe, 0, net.ErrClosed, io.ErrClosedPipe},
		{"Abort after Close too", func(a, b Conn) { a.Close(); a.Abort() }, net.ErrClosed, io.ErrClosedPipe, 0, net.ErrClosed, io.ErrClosedPipe},
		{"what is closed by both reads nothing", func(a, b Conn) { a.Close(); b.Close() }, net.ErrClosed, net.ErrClosed, 0, net.ErrClosed, net.ErrClosed},
		{"Close by the reader", func(a, b Conn) { b.Close() }, io.EOF, net.ErrClosed, 0, io.ErrClosedPipe, net.ErrClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeak(t)
			a, b := Pipe()
			a.Send([]byte("abcd"), nil, nil)
			a.Send([]byte("efgh"), nil, nil)
			tt.end(a, b)
			var c collector
			if err := b.Serve(&c); err != tt.errB {
				t.Errorf("Serve of b: %v, want %v", err, tt.errB)
			}
			if err := a.Serve(&c); err != tt.errA {
				t.Errorf("Serve of a: %v, want %v", err, tt.errA)
			}
			if n := len(c.messages()); n != tt.sent {
				t.Errorf("%d messages came, want %d", n, tt.sent)
			}
			if err := a.Send([]byte("abcd"), []byte("efgh"), nil); err != tt.send {
				t.Errorf("Send of a: %v, want %v", err, tt.send)
			}
			if err := b.Send([]byte("abcd"), nil, nil); err != tt.back {
				t.Errorf("Send of b: %v, want %v", err, tt.back)
			}
		})
	}
}

func TestPipePayloadsWaitForTheReader(t *testing.T) {
	noLeak(t)
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		payload := make([]byte, 300<<10)
		sent := make(chan int, 10)
		cancel := make(chan struct{})
		for i := range 6 { // four fit
			go func() {
				time.Sleep(time.Duration(i) * time.Second)
				c := cancel
				if i == 5 {
					c = nil
				}
				err := a.Send(fmt.Appendf(nil, "%04d", i), payload, c)
				if i == 4 != (err == ErrCanceled) || i != 4 && err != nil {
					t.Errorf("Send %d: %v", i, err)
				}
				sent <- i
			}()
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(sent) != 4 {
			t.Errorf("%d were sent to a reader that does not read", len(sent))
		}
		if err := a.Send([]byte("abcd"), nil, nil); err != nil { // small ones do not wait
			t.Error(err)
		}
		close(cancel)
		synctest.Wait()
		var c collector
		go b.Serve(&c)
		synctest.Wait()
		if len(sent) != 6 {
			t.Errorf("%d sends returned", len(sent))
		}
		if n := len(c.messages()); n != 6 {
			t.Errorf("%d messages came", n)
		}
		a.Close()
		b.Close()
	})
}
