package transport

import (
	"net"
	"testing"
	"time"
)

// pausing is a Receiver that puts all off until Pause.
type pausing struct {
	collector
	done chan int // how many messages there were at each Pause
	turn chan struct{}
}

func (p *pausing) Pause() <-chan struct{} {
	p.done <- len(p.messages())
	return p.turn
}

// What comes while the reader waits for those who have their messages is read
// before it waits for the peer, and nobody is waited for twice.
func TestTheReaderLooksAgainAfterATurn(t *testing.T) {
	a, b := tcpPair(t)
	c, d := net.Pipe()
	for name, ends := range map[string][2]net.Conn{"a TCP connection": {a, b}, "any net.Conn": {c, d}} {
		t.Run(name, func(t *testing.T) {
			noLeak(t)
			from, to := NewStream(ends[0], 0), NewStream(ends[1], 0)
			p := &pausing{done: make(chan int, 1000), turn: make(chan struct{})}
			served := make(chan error, 1)
			go func() { served <- to.Serve(p) }() // ends with the connection
			for sent := range 5 {
				<-p.done // it waits for the turn
				if err := from.Send([]byte("message"), nil, nil); err != nil {
					t.Fatal(err)
				}
				if n := len(p.messages()); n != sent {
					t.Errorf("%d messages before the turn is over, not %d", n, sent)
				}
				p.turn <- struct{}{}
				waitFor(t, "the message", func() bool { return len(p.messages()) == sent+1 })
			}
			close(p.turn)
			from.Close()
			<-served
			to.Close()
		})
	}
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
