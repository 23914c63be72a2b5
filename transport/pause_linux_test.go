//go:build !portable

package transport

import (
	"testing"
	"time"
)

// The reader waits for those who have their messages, once, and reads what came
// meanwhile.
func TestTheReaderLooksAgainAfterATurn(t *testing.T) {
	noLeak(t)
	a, b := tcpPair(t)
	from, to := NewStream(a, 0), NewStream(b, 0)
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
		waitFor(t, "the message", func() bool {
			if len(p.messages()) == sent+1 {
				return true
			}
			select {
			case p.turn <- struct{}{}: // it was still on its way when the reader looked
				<-p.done
			default:
			}
			return false
		})
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
