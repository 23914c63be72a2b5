package transport

import (
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// pausing is a Receiver that puts all off until Pause.
type pausing struct {
	collector
	done  chan int // how many messages there were at each Pause
	turn  chan struct{}
	hasty atomic.Bool // Pause returns no turn
}

func (p *pausing) Pause() <-chan struct{} {
	p.done <- len(p.messages())
	if p.hasty.Load() {
		return nil
	}
	return p.turn
}

// The reader waits for those who have their messages, once, and reads what came
// meanwhile.
func TestTheReaderLooksAgainAfterATurn(t *testing.T) {
	noLeak(t)
	a, b := tcpPair(t)
	from, to := NewStream(a, 0), NewStream(b, 0)
	if !to.(*stream).wire.direct() {
		t.Skip("a wire that does not know whether there is more to read")
	}
	p := &pausing{done: make(chan int, 1000), turn: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- to.Serve(p) }() // ends with the connection
	turn := func() {
		t.Helper()
		select {
		case p.turn <- struct{}{}:
		case <-time.After(10 * time.Second):
			t.Fatal("the reader does not wait for the turn")
		}
	}
	for sent := range 5 {
		<-p.done // it is about to wait
		if err := from.Send([]byte("message"), nil, nil); err != nil {
			t.Fatal(err)
		}
		turn()
		waitFor(t, "the message", func() bool { return len(p.messages()) == sent+1 })
	}
	<-p.done
	aborted := make(chan struct{})
	go func() { // ends when the reader has had its turn
		to.Abort()
		close(aborted)
	}()
	p.hasty.Store(true)
	turn()
	<-aborted
	<-served
	from.Close()
}

func TestPauseFollowsTheLastMessage(t *testing.T) {
	a, b := tcpPair(t)
	c, d := net.Pipe()
	x, y := Pipe()
	for name, ends := range map[string][2]Conn{
		"a TCP connection": {NewStream(a, 0), NewStream(b, 0)},
		"any net.Conn":     {NewStream(c, 0), NewStream(d, 0)},
		"a Pipe":           {x, y},
	} {
		t.Run(name, func(t *testing.T) {
			noLeak(t)
			from, to := ends[0], ends[1]
			p := &pausing{done: make(chan int, 1000)}
			served := make(chan error, 1)
			go func() { served <- to.Serve(p) }() // ends with the connection
			wait := func(n int) {
				t.Helper()
				late := time.After(10 * time.Second)
				for {
					select {
					case got := <-p.done:
						if got == n {
							return
						}
					case <-late:
						t.Fatalf("no Pause after message %d", n)
					}
				}
			}
			for sent := range 5 {
				if err := from.Send([]byte("message"), nil, nil); err != nil {
					t.Fatal(err)
				}
				wait(sent + 1)
			}
			if err := from.Send([]byte("the last"), nil, nil); err != nil {
				t.Fatal(err)
			}
			from.Close()
			<-served
			wait(6) // before Serve returns, at the latest
			to.Close()
		})
	}
}
