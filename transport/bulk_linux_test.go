//go:build linux && !portable

package transport

import (
	"encoding/binary"
	"testing"
)

// countingWire counts where bytes were read to.
type countingWire struct {
	wire
	sunk, buffered int
}

func (w *countingWire) read(sink *Sink, ticket uint32, missing int, buf []byte) (int, int, error) {
	s, b, err := w.wire.read(sink, ticket, missing, buf)
	w.sunk, w.buffered = w.sunk+s, w.buffered+b
	return s, b, err
}

// What is read along with the end of a long payload is the head of the next,
// not its data, which would be copied once more.
func TestLongPayloadsAreNotReadIntoTheScratchBuffer(t *testing.T) {
	noLeak(t)
	const payload, messages = 64 << 10, 40
	a, b := tcpPair(t)
	body := binary.BigEndian.AppendUint32([]byte("SINK"), payload)
	body = append(body, make([]byte, payload)...)
	sent := make(chan error, 1)
	go func() { // ends with the messages
		var err error
		for range messages {
			if _, werr := a.Write([]byte(fragment(true, string(body)))); werr != nil {
				err = werr
			}
		}
		a.Close()
		sent <- err
	}()
	w := &countingWire{wire: newWire(b)}
	rr := &recordReader{wire: w, max: MaxMessage, buf: make([]byte, scratchSize)}
	var c collector
	rr.run(&c)
	if err := <-sent; err != nil || len(c.messages()) != messages {
		t.Fatalf("%d messages, %v", len(c.messages()), err)
	}
	if most := scratchSize + messages*2*aheadSize; w.buffered > most {
		t.Errorf("%d bytes were read into the scratch buffer, %d into sinks", w.buffered, w.sunk)
	}
}
