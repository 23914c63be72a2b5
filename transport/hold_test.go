package transport

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

const together = 6

func TestHeldMessagesLeaveTogether(t *testing.T) {
	for _, tt := range []struct {
		name string
		send int           // messages
		then func(*stream) // what makes the last ones leave
		at   int           // messages that have left before that
	}{
		{"with Release", together - 1, (*stream).Release, 0},
		{"with Close", together - 1, func(s *stream) { s.Close() }, 0},
		{"with a payload that is lent", 2, func(s *stream) { s.Send([]byte("head"), make([]byte, 64<<10), nil) }, 0},
		{"when there are enough", together, func(*stream) {}, together},
		{"when there are enough, and Release", together + 2, (*stream).Release, together},
		{"at once after Release", 0, func(s *stream) {
			s.Release()
			s.Send([]byte("mesg"), nil, nil)
		}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			noLeak(t)
			near, far := tcpPair(t)
			s := newStream(near, 0)
			defer s.Abort()
			s.Hold(together)
			got := make([]byte, 8*(tt.send+1))
			for i := range tt.send {
				if err := s.Send([]byte("mesg"), nil, nil); err != nil {
					t.Fatal(err)
				}
				if i+1 == tt.at { // a flush that is not over yet would take more
					waitFor(t, "the flush", func() bool {
						s.mu.Lock()
						defer s.mu.Unlock()
						return !s.flushing
					})
				}
			}
			come := func(n int) {
				t.Helper()
				far.SetReadDeadline(time.Now().Add(10 * time.Second))
				if k, err := io.ReadFull(far, got[:n]); err != nil {
					t.Errorf("%d bytes of %d came, %v", k, n, err)
				}
			}
			come(8 * tt.at)
			// A machine that is late sees less of what must not come, and never more.
			far.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			if n, err := far.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%d bytes too many have left before, %v", n, err)
			}
			tt.then(s)
			come(max(8*(tt.send-tt.at), 8*(1-tt.send)))
		})
	}
}
