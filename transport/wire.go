package transport

import (
	"errors"
	"net"
	"sync/atomic"
)

// A wire is what a stream reads from and writes to. Two goroutines use it at
// once: Serve's reads, the flusher's writes.
type wire interface {
	// read waits until there are bytes, and reads some: into sink, if it is
	// not nil and not canceled, and what goes beyond it into buf. missing is
	// how many bytes the caller must have before it can go on; with a sink, it
	// is also how many belong there. At the end it returns io.EOF.
	read(sink *Sink, ticket uint32, missing int, buf []byte) (inSink, inBuf int, err error)

	// pausing has pause called before each wait of read. It is called once,
	// before the first read.
	pausing(pause func() <-chan struct{})

	// writing calls step, in which write may be called, until it returns true,
	// and waits before each further call until the wire takes bytes again. On
	// an error, step did not return true.
	writing(step func() bool) error

	// write writes what can be written of segments.
	write(segments [][]byte) (int, error)

	// direct reports whether read puts payloads into sinks, and not into buf.
	direct() bool

	// waits reports whether write waits for the peer, rather than to return
	// errAgain.
	waits() bool
}

// errAgain is what write returns on a wire that takes no more at the moment.
var errAgain = errors.New("transport: wire is full")

// connWire is the portable wire: any net.Conn. Payloads come by way of the
// scratch buffer, because Read waits, and a sink must not be locked meanwhile.
type connWire struct {
	nc       net.Conn
	pause    func() <-chan struct{}
	received atomic.Uint64 // bytes
}

func (w *connWire) pausing(pause func() <-chan struct{}) { w.pause = pause }

func (w *connWire) read(_ *Sink, _ uint32, _ int, buf []byte) (int, int, error) {
	w.pause() // Read may wait; it finds what there is without another look
	n, err := w.nc.Read(buf)
	if n > 0 {
		err = nil // it comes again
		w.received.Add(uint64(n))
	}
	return 0, n, err
}

func (w *connWire) writing(step func() bool) error {
	for !step() {
	}
	return nil
}

func (w *connWire) write(segments [][]byte) (int, error) {
	if len(segments) == 1 {
		return w.nc.Write(segments[0])
	}
	v := net.Buffers(append([][]byte(nil), segments...)) // WriteTo eats its receiver
	n, err := v.WriteTo(w.nc)
	return int(n), err
}

func (w *connWire) direct() bool { return false }

func (w *connWire) waits() bool { return true }
