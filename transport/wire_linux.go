//go:build linux && !portable

package transport

import (
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// lowatMin is how many bytes must be missing before SO_RCVLOWAT is worth
	// two system calls, lowatMax how high it is set.
	lowatMin = 64 << 10
	lowatMax = 1 << 20
	// roomMin is the receive window that the kernel is asked to make room for
	// before the first high mark, as far as tcp_rmem allows. It widens the window
	// when more than half of it comes in a round trip, not counting what waits to
	// be read: under a mark as high as the window that is nothing, and the window
	// stays as it is. Linux 6.18 at 40 ms of round trip: 14 MiB/s, of 59 that a
	// plain stream makes; with room for four marks, 67. SO_RCVBUF would end the
	// widening for good, SO_RCVLOWAT does not.
	roomMin = 4 * lowatMax
)

func newWire(nc net.Conn) wire {
	tc, ok := nc.(*net.TCPConn)
	if !ok {
		return &connWire{nc: nc}
	}
	rc, err := tc.SyscallConn()
	if err != nil { // closed already: the reads and writes will say so
		return &connWire{nc: nc}
	}
	w := &sockWire{rc: rc, nc: nc, low: 1}
	w.readFn, w.writeFn = w.tryRead, w.tryWrite
	return w
}

// sockWire is a TCP socket on Linux. Reads go with one recvmsg straight to
// where the bytes belong; writes never wait. Both stand on RawConn, whose callback
// does not wait for the peer and, if it returns false, runs again when the poller
// says so. The callbacks are made once: a method value for each call would allocate.
type sockWire struct {
	rc syscall.RawConn
	nc net.Conn

	// Of Serve's goroutine: the arguments and results of read.
	readFn  func(fd uintptr) bool
	sink    *Sink
	ticket  uint32
	missing int
	buf     []byte
	inSink  int
	inBuf   int
	rerr    error
	riov    [MaxScatter + 1][]byte
	low     int                    // SO_RCVLOWAT as it was set
	high    int                    // what it may be set to; 0: not known yet
	pause   func() <-chan struct{} // called before each wait

	// Of the flusher.
	writeFn func(fd uintptr) bool
	step    func() bool
	wfd     int
}

func (w *sockWire) read(sink *Sink, ticket uint32, missing int, buf []byte) (int, int, error) {
	w.sink, w.ticket, w.missing, w.buf = sink, ticket, missing, buf
	err := w.rc.Read(w.readFn)
	w.sink, w.buf = nil, nil
	if err == nil {
		err = w.rerr
	}
	return w.inSink, w.inBuf, err
}

// tryRead reads without waiting for the peer; false makes RawConn wait. Who closes
// the socket waits until it returns.
//
// While much of a payload is missing, SO_RCVLOWAT keeps the kernel from waking
// us for each segment (1 MiB reads on loopback: +48 %, CPU -23 %). It is set
// only when there is nothing to read, so that a busy stream pays for it once a
// wait, not once a record, and never above the bytes that this record still
// brings: more may never come.
func (w *sockWire) tryRead(fd uintptr) bool {
	for {
		w.inSink, w.inBuf, w.rerr = 0, 0, nil
		n, err := w.receive(int(fd))
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			if turn := w.pause(); turn != nil {
				// Here, what comes meanwhile is not forgotten by the poller, which
				// spares a wait: 64 KiB READs at depth 16 are 3 % faster than with
				// this after RawConn.Read.
				<-turn
				continue
			}
		case err != nil:
			w.rerr = w.opError("read", os.NewSyscallError("recvmsg", err))
			return true
		case n == 0:
			w.rerr = io.EOF
			return true
		default:
			return true
		}
		low := 1
		if w.missing >= lowatMin {
			if w.high == 0 {
				w.makeRoom(fd)
			}
			low = min(w.missing, w.high)
		}
		if low == w.low {
			return false
		}
		lowered := low < w.low
		w.setLowat(fd, low)
		if !lowered {
			return false
		}
		// Bytes below the old mark may lie there that nobody will be woken
		// for: look again.
	}
}

// makeRoom asks for a receive window of roomMin, and sees how high a mark may
// be: a quarter of what there is room for. Before Linux 4.18 a mark makes no room,
// and one above the window would never be reached.
func (w *sockWire) makeRoom(fd uintptr) {
	w.setLowat(fd, roomMin)
	room, _ := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) // 0 on an error
	w.high = max(1, min(room/4, lowatMax))
}

// setLowat sets SO_RCVLOWAT. An error is no harm but a wake-up too many; a
// kernel that does not know the option did not raise it either.
func (w *sockWire) setLowat(fd uintptr, bytes int) {
	w.low = bytes
	_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, bytes)
}

// receive reads once. The sink is locked for just that long.
func (w *sockWire) receive(fd int) (n int, err error) {
	if w.sink != nil {
		w.sink.mu.Lock()
		defer w.sink.mu.Unlock()
		if segments, rest := w.sink.restLocked(w.ticket, w.riov[:0:MaxScatter]); rest > 0 {
			segments = w.riov[:len(segments)+1]
			segments[len(segments)-1] = w.buf
			n, err = receive(fd, segments)
			clear(segments)
			if n > 0 {
				w.inSink = min(n, rest)
				w.inBuf = n - w.inSink
				w.sink.got += w.inSink
			}
			return n, err
		}
	}
	w.riov[0] = w.buf
	n, err = receive(fd, w.riov[:1])
	w.inBuf = max(n, 0)
	return n, err
}

func (w *sockWire) writing(step func() bool) error {
	w.step = step
	return w.rc.Write(w.writeFn)
}

// tryWrite must not touch w after step returned true: another goroutine may be
// the flusher by then.
func (w *sockWire) tryWrite(fd uintptr) bool {
	w.wfd = int(fd)
	return w.step()
}

func (w *sockWire) write(segments [][]byte) (n int, err error) {
	for {
		switch n, err = send(w.wfd, segments); err {
		case nil:
			return n, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, errAgain
		default:
			return 0, w.opError("write", os.NewSyscallError("sendmsg", err))
		}
	}
}

func (w *sockWire) pausing(pause func() <-chan struct{}) { w.pause = pause }

func (w *sockWire) direct() bool { return true }

func (w *sockWire) waits() bool { return false }

func (w *sockWire) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: w.nc.LocalAddr(), Addr: w.nc.RemoteAddr(), Err: err}
}
