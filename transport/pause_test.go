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
