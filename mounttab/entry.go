package mounttab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Bounds of what others may ask of an entry.
const (
	maxAskers  = 32              // connections at a time
	maxEntries = 64              // mounts of one process
	patience   = 5 * time.Second // for a request that has begun, and for an answer to be taken
	idle       = time.Minute     // between requests
)

// Entry is this process's record in a table, with its socket. It is there until
// Close.
type Entry struct {
	dir, base string
	listener  *net.UnixListener
	life      context.Context // ends with Close
	end       context.CancelFunc

	patience, idle time.Duration

	mu     sync.Mutex // guards rec, closed and conns
	rec    Record
	closed bool
	conns  map[*net.UnixConn]struct{}
	askers sync.WaitGroup // one for each of conns; Add only with mu held and closed false
}

// Add puts a record into the table and opens its socket; Serve answers there.
// That of a mount is added before others can see the mount, and gets its MountID
// and Device later, by Mounted.
func (t *Table) Add(rec Record) (*Entry, error) {
	if err := rec.self(); err != nil {
		return nil, err
	}
	e := &Entry{dir: t.dir, patience: patience, idle: idle, conns: map[*net.UnixConn]struct{}{}}
	// Whoever has the socket has the name.
	for n := 0; e.listener == nil; n++ {
		e.base = strconv.Itoa(rec.PID) + "-" + strconv.Itoa(n)
		l, err := listen(e.dir, e.base+socketSuffix)
		if err != nil && (n == maxEntries || !errors.Is(err, syscall.EADDRINUSE)) {
			return nil, fmt.Errorf("mounttab: socket in %s: %w", e.dir, err)
		}
		e.listener = l
	}
	rec.socket = filepath.Join(e.dir, e.base+socketSuffix)
	if err := writeRecord(e.dir, e.base, &rec); err != nil {
		e.listener.Close()
		remove(e.dir, e.base)
		return nil, err
	}
	e.rec = rec
	e.life, e.end = context.WithCancel(context.Background())
	return e, nil
}

// Record returns what is in the table.
func (e *Entry) Record() Record {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.rec
}

// Mounted completes the record when the mount is there: with its MountID and
// Device.
func (e *Entry) Mounted(id uint64, device string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return net.ErrClosed
	}
	rec := e.rec
	rec.MountID, rec.Device = id, device
	if err := writeRecord(e.dir, e.base, &rec); err != nil {
		return err
	}
	e.rec = rec
	return nil
}

// Serve answers what is asked at the socket until Close, and returns nil then.
// Each connection has a goroutine, which ends with it, with Close, or when the
// other end takes too long.
func (e *Entry) Serve(h Handler) error {
	slots := make(chan struct{}, maxAskers)
	for {
		slots <- struct{}{}
		c, err := e.listener.AcceptUnix()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			// Out of descriptors, mostly: it passes.
			select {
			case <-e.life.Done():
				return nil
			case <-time.After(100 * time.Millisecond):
				<-slots
			}
			continue
		}
		if !e.admit(c) {
			c.Close()
			<-slots
			continue
		}
		go func() { // ends when the connection does; Close waits for it
			defer func() { e.dismiss(c); <-slots }()
			e.converse(c, h)
		}()
	}
}

// admit takes up a connection if its other end is root or this user.
func (e *Entry) admit(c *net.UnixConn) bool {
	if uid, err := peer(c); err != nil || !allowed(uid, os.Geteuid()) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.conns[c] = struct{}{}
	e.askers.Add(1)
	return true
}

func (e *Entry) dismiss(c *net.UnixConn) {
	c.Close()
	e.mu.Lock()
	delete(e.conns, c)
	e.mu.Unlock()
	e.askers.Done()
}

// converse answers one request after the other.
func (e *Entry) converse(c *net.UnixConn, h Handler) {
	var first [1]byte
	for {
		// Waiting for a request and reading it have different bounds.
		_ = c.SetReadDeadline(time.Now().Add(e.idle))
		if _, err := io.ReadFull(c, first[:]); err != nil {
			return
		}
		_ = c.SetDeadline(time.Now().Add(e.patience))
		var req Request
		var resp Response
		switch err := readMessage(io.MultiReader(bytes.NewReader(first[:]), c), &req); {
		case errors.As(err, new(*MessageError)):
			resp.Error = err.Error()
			_ = writeMessage(c, &resp)
			return // where the next one begins is unknown
		case err != nil:
			return
		}
		resp = e.answer(c, &req, h)
		_ = c.SetWriteDeadline(time.Now().Add(e.patience))
		if writeMessage(c, &resp) != nil {
			return
		}
	}
}

func (e *Entry) answer(c *net.UnixConn, req *Request, h Handler) (resp Response) {
	switch req.Op {
	case OpPing:
	case OpStatus, OpStats:
		s := h.Status()
		if req.Op == OpStatus {
			s.Procs = nil
		}
		resp.Status = &s
	case OpOptions:
		resp.Options = h.Status().Options
	case OpDrain:
		ctx, stop := e.whileThere(c)
		if err := h.Drain(ctx); err != nil {
			resp.Error = err.Error()
		}
		stop()
	case OpAbort:
		h.Abort()
	case OpLocks, OpGranted, OpRebooted:
		return answerLocks(req, h)
	default:
		resp.Error = fmt.Sprintf("mounttab: operation %.40q is unknown to this daemon", req.Op)
	}
	return resp
}

// whileThere returns a context that ends when the other end hangs up, or sends
// something before it has its answer, or with the entry. stop frees it.
func (e *Entry) whileThere(c *net.UnixConn) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(e.life)
	_ = c.SetReadDeadline(time.Time{})
	done := make(chan struct{})
	go func() { // ends when stop moves the deadline, if not before
		defer close(done)
		var b [1]byte
		if _, err := c.Read(b[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
			cancel()
		}
	}()
	return ctx, func() {
		_ = c.SetReadDeadline(time.Now())
		<-done
		cancel()
	}
}

// Close takes the record and the socket away, ends what is being answered, and
// waits for that.
func (e *Entry) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	remove(e.dir, e.base)
	for c := range e.conns {
		c.Close()
	}
	e.mu.Unlock()
	e.end()
	err := e.listener.Close()
	e.askers.Wait()
	return err
}
